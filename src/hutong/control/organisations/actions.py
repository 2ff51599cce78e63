"""Departments of this jurisdiction. One verb, one transaction, one audit record."""

from __future__ import annotations

from django.db import transaction

from hutong.control.identity.rules import Action, Actor, check
from hutong.control.organisations.models import Department
from hutong.ledger.record import record
from hutong.vocabulary.errors import Refused
from hutong.vocabulary.identifiers import CreditCode, read_credit_code
from hutong.vocabulary.text import checked


class DepartmentKnown(Refused):
    """The department {code} is registered here already."""

    zh = "部门 {code} 已登记。"
    code = "department_known"
    status = 409
    next_en = "List the departments to see it."
    next_zh = "请查看部门列表。"


@transaction.atomic
def register_department(by: Actor, *, code: str, name_zh: str, name_en: str = "") -> Department:
    """A new department, known by its unified social credit code.

    A code whose inner organisation code fails its check is accepted: registries issued such codes. It is noted in
    the audit record.

    raises   NotAllowed, WrongIdentifier, WrongText, DepartmentKnown
    """
    check(by, Action.ADD_DEPARTMENT)
    credit_code: CreditCode = read_credit_code(code)
    name_zh = checked("name_zh", name_zh, limit=200, required=True)
    name_en = checked("name_en", name_en, limit=200)
    if Department.objects.filter(code=credit_code.text).exists():
        raise DepartmentKnown(code=credit_code.text)
    department = Department.objects.create(code=credit_code.text, name_zh=name_zh, name_en=name_en)
    doubts = [str(doubt) for doubt in credit_code.doubts]
    detail = {"code": credit_code.text, "name_zh": name_zh, "name_en": name_en, "doubts": doubts}
    record("department.registered", f"department:{credit_code.text}", by.username, detail)
    return department
