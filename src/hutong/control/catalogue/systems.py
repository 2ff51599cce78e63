"""The register of a department's information systems, and which resources come from each.

A resource names its system in `source_system`: it belongs to the registered one of its department with that code or
name.
"""

from __future__ import annotations

from django.db import transaction
from django.db.models import Q, QuerySet

from hutong.control.catalogue.models import InformationSystem, Resource
from hutong.control.catalogue.secrecy import check as check_secrecy
from hutong.control.identity.rules import Action, Actor, DepartmentNeeded, check
from hutong.control.organisations.queries import department
from hutong.ledger.record import record
from hutong.vocabulary.errors import NotFound, Refused
from hutong.vocabulary.ids import is_id, new_id
from hutong.vocabulary.text import checked, shown


class SystemKnown(Refused):
    """The department has a system with the code {code} already."""

    zh = "该部门已登记代码为 {code} 的信息系统。"
    code = "system_known"
    status = 409
    next_en = "List the systems to see it."
    next_zh = "请查看信息系统列表。"


@transaction.atomic
def register_system(by: Actor, *, code: str, name: str, department_code: str | None = None) -> InformationSystem:
    """A system of the actor's department (those above departments name one). Its resources are found at once.

    raises   NotAllowed, OtherDepartment, DepartmentNeeded, WrongText, SecretRefused, SystemKnown
    """
    owner = department_code or by.department_id
    if not owner:
        raise DepartmentNeeded(role=by.role)
    check(by, Action.REGISTER_SYSTEM, owner)
    code = checked("code", code, limit=60, required=True)
    name = checked("name", name, limit=200, required=True)
    check_secrecy([("code", code), ("name", name)])
    office = department(owner)
    if InformationSystem.objects.filter(department=office, code=code).exists():
        raise SystemKnown(code=code)
    made = InformationSystem.objects.create(id=new_id(), department=office, code=code, name=name)
    found = _unlinked(office.code).filter(source_system__in=(code, name)).update(system=made)
    detail = {"code": code, "name": name, "department": office.code, "resources": found}
    record("system.registered", f"system:{made.id}", by.username, detail)
    return made


@transaction.atomic
def retire_system(by: Actor, system_id: str) -> InformationSystem:
    """A system that is no longer used needs no catalogue. Its resources stay as they are.

    raises   NotAllowed, OtherDepartment, NotFound
    """
    found = InformationSystem.objects.select_for_update().filter(id=system_id).first() if is_id(system_id) else None
    if found is None:
        raise NotFound(what="information system", what_zh="信息系统", name=shown(system_id))
    check(by, Action.REGISTER_SYSTEM, found.department_id)
    found.state = "retired"
    found.save()
    record("system.retired", f"system:{found.id}", by.username, {"code": found.code})
    return found


def systems(department_code: str | None = None) -> QuerySet[InformationSystem]:
    """Systems in use, by department and name."""
    found = InformationSystem.objects.select_related("department").filter(state="in_use")
    found = found.order_by("department__name_zh", "name", "id")
    return found.filter(department=department_code) if department_code else found


def link(resource: Resource) -> None:
    """Find the system a resource names. The caller saves the resource."""
    named = InformationSystem.objects.filter(department=resource.department_id, state="in_use")
    named = named.filter(Q(code=resource.source_system) | Q(name=resource.source_system))
    resource.system = named.order_by("code").first() if resource.source_system else None


def _unlinked(department_code: str) -> QuerySet[Resource]:
    return Resource.objects.filter(department=department_code, system=None)
