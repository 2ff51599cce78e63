"""Taking a workbook in as drafts, and giving the catalogue out as one."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from django.db import transaction

from hutong.control.catalogue import description_file, fields, secrecy, systems
from hutong.control.catalogue.actions import check_code_is_free, describe, described_item
from hutong.control.catalogue.models import Item, Resource
from hutong.control.catalogue.queries import items_of, locked
from hutong.control.catalogue.template import writing
from hutong.control.catalogue.template.columns import IDENTITY, PROVIDER, PROVIDER_CODE
from hutong.control.catalogue.template.reading import Described, read
from hutong.control.identity.rules import Action, Actor, DepartmentNeeded, check
from hutong.control.organisations.models import Department
from hutong.control.organisations.queries import department
from hutong.control.standards.dictionary import dictionary
from hutong.ledger.record import record
from hutong.vocabulary.canonical import canonical_digest
from hutong.vocabulary.errors import Refused
from hutong.vocabulary.ids import is_id, new_id
from hutong.vocabulary.text import checked

State = Literal["drafted", "changed", "unchanged", "refused"]
STATES: tuple[State, ...] = ("drafted", "changed", "unchanged", "refused")


class ItemTwice(Refused):
    """The item {item} stands in the resource twice."""

    zh = "信息项 {item} 在该数据资源中重复。"
    code = "item_twice"
    status = 422
    next_en = "Take one of them out."
    next_zh = "请删除其一。"


class ProviderUnknown(Refused):
    """There is no department {name} here."""

    zh = "此处没有部门 {name}。"
    code = "provider_unknown"
    status = 422
    next_en = "Give the credit code of a department that is registered here."
    next_zh = "请填写本节点已登记部门的统一社会信用代码。"


@dataclass(frozen=True)
class Taken:
    """What became of one resource of the workbook."""

    row: int  # where it begins, or the row that was refused
    title: str
    state: State
    resource_id: str = ""
    refusal: Refused | None = None


@dataclass(frozen=True)
class Import:
    taken: tuple[Taken, ...]
    ignored: tuple[str, ...]  # columns that are none of the template's

    def count(self, state: State) -> int:
        return sum(one.state == state for one in self.taken)


def import_workbook(by: Actor, path: Path) -> Import:
    """Take every resource of a workbook: a new one as a draft, one that is here already as a change of its description.
    Each is taken whole or not at all; one that is refused keeps no other from being taken.

    raises   NotAllowed, WorkbookTooLarge, SourceUnreadable, NotTheTemplate, TooManyResources
    """
    check(by, Action.DESCRIBE_RESOURCE)
    sheet = read(path, dictionary().known)
    taken = tuple(_take(by, one) for one in sheet.resources)
    made = Import(taken, sheet.ignored)
    with transaction.atomic():
        digest = hashlib.sha256(path.read_bytes()).hexdigest()
        detail: dict[str, Any] = {state: made.count(state) for state in STATES}
        record("catalogue.imported", f"workbook:{digest[:32]}", by.username, detail)
    return made


def export_workbook(path: Path, department_code: str | None = None) -> int:
    """Write the node's catalogue, or a department's, to a workbook. What was withdrawn is left out.

    returns   how many resources
    """
    held = Resource.objects.select_related("department").exclude(state="withdrawn").order_by("id")
    held = held.filter(department=department_code) if department_code else held
    return writing.write(path, held.iterator(chunk_size=200))


def _take(by: Actor, given: Described) -> Taken:
    if given.refusal is not None:
        return Taken(given.refused_row, given.title, "refused", refusal=given.refusal)
    try:
        with transaction.atomic():
            state, resource_id = _kept(by, given)
    except _Unchanged as same:
        return Taken(given.row, given.title, "unchanged", same.resource_id)
    except _AtRow as at:
        return Taken(at.row, given.title, "refused", refusal=at.refusal)
    except Refused as refusal:
        return Taken(given.row, given.title, "refused", refusal=refusal)
    return Taken(given.row, given.title, state, resource_id)


class _AtRow(Exception):
    def __init__(self, row: int, refusal: Refused) -> None:
        super().__init__()
        self.row, self.refusal = row, refusal


class _Unchanged(Exception):
    """Nothing differs: what was tried is rolled back, so that no record and no clock speaks of a change."""

    def __init__(self, resource_id: str) -> None:
        super().__init__()
        self.resource_id = resource_id


def _kept(by: Actor, given: Described) -> tuple[State, str]:
    office = _provider(by, given)
    check(by, Action.DESCRIBE_RESOURCE, office.code)
    present = _present(office, given)
    if present is None:
        return "drafted", _drafted(by, office, given).id
    resource = locked(present.id)
    before = _document(resource)
    if resource.source_id is None and resource.state == "draft":
        describe(by, resource.id, given.fields)
        resource.items.all().delete()
        Item.objects.bulk_create(_items(resource, given))
    else:
        describe(by, resource.id, given.fields, given.items or None)
    if _document(locked(resource.id)) != before:
        return "changed", resource.id
    raise _Unchanged(resource.id)


def _drafted(by: Actor, office: Department, given: Described) -> Resource:
    said = fields.read_resource(given.fields)
    secrecy.check(said.items())
    resource = Resource(id=new_id(), department=office, **said)
    if resource.code:
        check_code_is_free(resource)
    systems.link(resource)
    items = _items(resource, given)
    resource.save(force_insert=True)
    Item.objects.bulk_create(items)
    detail = {"items": len(items), "digest": canonical_digest(_document(resource)), "by": "workbook"}
    record("resource.drafted", f"resource:{resource.id}", by.username, detail)
    return resource


def _items(resource: Resource, given: Described) -> list[Item]:
    items: list[Item] = []
    seen: set[str] = set()
    elements = dictionary()
    for position, (row, said) in enumerate(zip(given.item_rows, given.items, strict=True)):
        try:
            name = checked("信息项代码", said["name"], limit=120, required=True)
            if name in seen:
                raise ItemTwice(item=name)
            seen.add(name)
            rest = {key: value for key, value in said.items() if key not in ("name", "type")}
            items.append(
                described_item(Item(resource=resource, name=name, type=said["type"]), position, rest, elements)
            )
        except Refused as refusal:
            raise _AtRow(row, refusal) from refusal
    return items


def _provider(by: Actor, given: Described) -> Department:
    if code := given.about.get(PROVIDER_CODE, ""):
        found = Department.objects.filter(code=code[:18]).first() if len(code) == 18 else None
    elif name := given.about.get(PROVIDER, ""):
        found = Department.objects.filter(name_zh=name[:200]).first()
    elif by.department_id:
        return department(by.department_id)
    else:
        raise DepartmentNeeded(role=by.role)
    if found is None:
        raise ProviderUnknown(name=(code or given.about.get(PROVIDER, ""))[:60])
    return found


def _present(office: Department, given: Described) -> Resource | None:
    """The resource of that department with the same identity, or else the same code."""
    held = Resource.objects.filter(department=office).exclude(state="withdrawn")
    identity, code = given.about.get(IDENTITY, ""), given.fields.get("code", "")
    if is_id(identity) and (found := held.filter(id=identity).first()):
        return found
    return held.filter(code=code).first() if code else None


def _document(resource: Resource) -> dict[str, Any]:
    return description_file.document(resource, items_of(resource))
