"""Drafting, describing and signing off a resource. One verb, one transaction, one record.

What follows, up to everybody's catalogue, is publication.py; a source is sources.py.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.db import transaction

from hutong.control.catalogue import changes, fields, secrecy, systems
from hutong.control.catalogue.models import Item, Resource
from hutong.control.catalogue.publication import review, send_back, submit, take_back, withdraw
from hutong.control.catalogue.queries import items_of, locked, open_submission
from hutong.control.catalogue.rules import CodeTaken, UnderReview
from hutong.control.catalogue.sources import refresh_source, register_source, source_of, spec_of
from hutong.control.identity.rules import Action, Actor, OtherDepartment, check
from hutong.control.organisations.queries import department
from hutong.control.standards.dictionary import Dictionary, dictionary
from hutong.exchange.models import Source
from hutong.exchange.shaping.masks import FITTING, BadMask
from hutong.exchange.sources.draft import ItemDraft, draft
from hutong.ledger.record import record
from hutong.node.settings import current
from hutong.vocabulary.canonical import canonical_digest
from hutong.vocabulary.errors import WrongState
from hutong.vocabulary.ids import new_id
from hutong.vocabulary.text import checked

__all__ = [
    "attach",
    "check_code_is_free",
    "describe",
    "described_item",
    "draft_resource",
    "refresh_source",
    "register_source",
    "review",
    "send_back",
    "sign_off",
    "submit",
    "take_back",
    "withdraw",
]

FORMATS = {
    **{"csv": "csv", "csv_folder": "csv", "parquet": "parquet", "parquet_folder": "parquet", "excel": "excel"},
    **dict.fromkeys(("sqlite", "postgresql", "mysql", "iceberg", "openapi"), "database"),
}
# A change of these voids the sign-off of article 12: what was assessed is not what would be published.
_ASSESSED_FIELDS = ("attribute", "conditions", "permitted_purposes", "national_level")
_ASSESSED_ITEM_FIELDS = ("name", "attribute", "grade", "sensitive", "mask")


def draft_resource(by: Actor, source_id: str) -> Resource:
    """A draft inferred from the source: items with type, element, grade and mask. Published by nobody yet.

    raises   NotFound, NotAllowed, and what hutong.exchange.sources refuses
    """
    source = source_of(source_id)
    check(by, Action.DESCRIBE_RESOURCE, source.department)
    inferred = draft(spec_of(source))
    with transaction.atomic():
        resource = Resource.objects.create(
            id=new_id(),
            department=department(source.department),
            source=source,
            title_zh=source.name,
            data_format=FORMATS.get(source.kind, ""),
            area_code=_own_area(),
        )
        Item.objects.bulk_create(_drafted(resource, position, one) for position, one in enumerate(inferred.items))
        Source.objects.filter(id=source.id).update(row_count=inferred.row_count)
        detail = {"source": source.id, "items": len(inferred.items)}
        record("resource.drafted", f"resource:{resource.id}", by.username, detail)
    return resource


@transaction.atomic
def describe(
    by: Actor, resource_id: str, given: dict[str, Any] | None = None, items: Sequence[dict[str, Any]] | None = None
) -> Resource:
    """Change a description. A published entry stays as it is until it is published again.

    What the head signed off (D809-12) is no field of it: only sign_off sets that, and a change of what was assessed
    voids it.

    given    fields of the resource; those not given stay
    items    the complete list in its order, each with its "name": one left out is dropped from the resource, a field
             left out of one stays. None leaves all items as they are
    raises   NotFound, NotAllowed, UnknownField, WrongText, WrongValue, BadMask, SecretRefused, WrongState, UnderReview
    """
    resource = locked(resource_id)
    check(by, Action.DESCRIBE_RESOURCE, resource.department_id)
    if resource.state == "withdrawn":
        raise WrongState(what="resource", what_zh="数据资源", state=resource.state, possible=["draft", "published"])
    if open_submission(resource) is not None:
        raise UnderReview()
    said = fields.read_resource(given or {})
    secrecy.check(said.items())
    before = items_of(resource)
    after = before if items is None else _merged(before, items)
    assessed = _assessed(resource, before)
    for name, value in said.items():
        setattr(resource, name, value)
    if "source_system" in said:
        systems.link(resource)
    if said.get("code"):
        check_code_is_free(resource)
    if _assessed(resource, after) != assessed:
        resource.secrecy_checked_by = ""
    changes.note(resource)
    resource.save()
    if items is not None:
        resource.items.all().delete()
        Item.objects.bulk_create(after)
    detail = {"fields": sorted(said), "items": len(after), "digest": canonical_digest(_canonical(said, after))}
    record("resource.described", f"resource:{resource.id}", by.username, detail)
    return resource


def check_code_is_free(resource: Resource) -> None:
    """raises   CodeTaken"""
    if Resource.objects.filter(code=resource.code).exclude(id=resource.id).exists():
        raise CodeTaken(code=resource.code)


@transaction.atomic
def attach(by: Actor, resource_id: str, source_id: str) -> Resource:
    """Attach a source to a resource (挂接), in place of the one it had. Its items stay as they are described; the gate
    names those that the source does not have.

    raises   NotFound, NotAllowed, OtherDepartment, WrongState, UnderReview
    """
    source = source_of(source_id)
    resource = locked(resource_id)
    check(by, Action.DESCRIBE_RESOURCE, resource.department_id)
    if source.department != resource.department_id:
        raise OtherDepartment()
    if resource.state == "withdrawn":
        raise WrongState(what="resource", what_zh="数据资源", state=resource.state, possible=["draft", "published"])
    if open_submission(resource) is not None:
        raise UnderReview()
    if resource.source_id != source.id:
        changes.note(resource)
    resource.source = source
    resource.data_format = resource.data_format or FORMATS.get(source.kind, "")
    resource.save()
    record("resource.attached", f"resource:{resource.id}", by.username, {"source": source.id})
    return resource


@transaction.atomic
def sign_off(by: Actor, resource_id: str) -> Resource:
    """D809-12. The head has seen the assessment of secrecy and personal information, and agrees."""
    resource = locked(resource_id)
    check(by, Action.SIGN_OFF_RESOURCE, resource.department_id)
    resource.secrecy_checked_by = by.username[:100]
    resource.save(update_fields=["secrecy_checked_by", "updated_at"])
    detail = {"digest": canonical_digest(_canonical({}, items_of(resource)))}
    record("resource.signed_off", f"resource:{resource.id}", by.username, detail)
    return resource


def _drafted(resource: Resource, position: int, one: ItemDraft) -> Item:
    return Item(
        resource=resource,
        position=position,
        name=checked("item", one.name, limit=120, required=True),
        title_zh=one.title_zh[:200],
        type=one.type,
        element=one.element,
        grade=one.grade,
        sensitive=one.sensitive,
        nullable=one.nullable,
        key=one.key,
        mask=one.mask,
        missing=one.missing,
    )


def _merged(before: Sequence[Item], given: Sequence[dict[str, Any]]) -> list[Item]:
    """The items as described, unsaved. Refuses before anything is written."""
    if not isinstance(given, (list, tuple)) or len(given) > fields.MOST_ITEMS:
        raise fields.WrongValue(
            field="items",
            reason=f"a list of at most {fields.MOST_ITEMS} items",
            reason_zh=f"应为至多 {fields.MOST_ITEMS} 个信息项的列表",
        )
    known, elements = {item.name: item for item in before}, dictionary()
    merged: list[Item] = []
    for position, one in enumerate(given):
        name = one.get("name") if isinstance(one, dict) else None
        if not isinstance(name, str) or name not in known:
            raise fields.WrongValue(
                field=f"items[{position}].name",
                reason="an item of this resource, each once",
                reason_zh="应为本资源的信息项，且各出现一次",
            )
        item = known.pop(name)
        merged.append(described_item(item, position, one, elements))
    return merged


def described_item(item: Item, position: int, given: dict[str, Any], elements: Dictionary) -> Item:
    """The item with what is given of it, unsaved. A data element that has ended stays where it is; none is newly named.

    raises   UnknownField, WrongText, WrongValue, BadMask, SecretRefused, UnknownElement, ElementEnded
    """
    where = f"items.{item.name[:60]}"
    for fixed in ("type", "missing"):  # what the source says; a file that carries it along may not change it
        if fixed in given and given[fixed] != getattr(item, fixed):
            raise fields.WrongValue(
                field=f"{where}.{fixed}",
                reason="it comes from the source and cannot be changed",
                reason_zh="来自数据源，不能修改",
            )
    changes = fields.read_item({k: v for k, v in given.items() if k not in ("name", "type", "missing")}, where)
    if changes.get("secret"):
        raise secrecy.SecretItem(field=item.name, label="")
    secrecy.check((f"{where}.{name}", value) for name, value in changes.items())
    if changes.get("element") not in (None, "", item.element):
        elements.element(changes["element"])
    action = changes.get("mask", {}).get("action", "keep")
    if action != "keep" and item.type not in {kind.value for kind in FITTING[action]}:
        raise BadMask(item=item.name, reason=f"{action} does not fit its type", reason_zh=f"{action} 不适用于该类型")
    item.pk, item.position = None, position
    for name, value in changes.items():
        setattr(item, name, value)
    return item


def _assessed(resource: Resource, items: Sequence[Item]) -> str:
    of_items = [{name: getattr(item, name) for name in _ASSESSED_ITEM_FIELDS} for item in items]
    of_resource = {name: getattr(resource, name) for name in _ASSESSED_FIELDS}
    return canonical_digest({"resource": of_resource, "items": sorted(of_items, key=lambda one: str(one["name"]))})


def _canonical(changes: dict[str, Any], items: Sequence[Item]) -> dict[str, Any]:
    names = ("name", "type", *fields.ITEM_FIELDS)
    return {"fields": changes, "items": [{name: getattr(item, name) for name in names} for item in items]}


def _own_area() -> str:
    jurisdiction = current().jurisdiction
    return jurisdiction if jurisdiction.isdigit() and len(jurisdiction) in (6, 12) else ""
