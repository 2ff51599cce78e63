"""Describing, signing off, publishing and withdrawing a resource. One verb, one transaction, one record."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from django.db import transaction
from django.db.models import Max

from hutong.control.catalogue import dataset as datasets
from hutong.control.catalogue import dcat_ap, dcat_rules, federation, fields, secrecy, shapes
from hutong.control.catalogue.models import Entry, Item, Resource
from hutong.control.catalogue.queries import items_of
from hutong.control.catalogue.queries import resource as resource_of
from hutong.control.catalogue.rules import (
    AlreadyWithdrawn,
    ItemNotInSource,
    NoLiveSource,
    PublishRefused,
    check_may_publish,
    effective_attribute,
    effective_grade,
)
from hutong.control.catalogue.sources import (
    prepare_lookups,
    probe_source,
    refresh_source,
    register_source,
    source_of,
    spec_of,
)
from hutong.control.identity.rules import Action, Actor, check, may
from hutong.control.organisations.queries import department
from hutong.exchange.models import Source
from hutong.exchange.shaping.masks import FITTING, BadMask
from hutong.exchange.shaping.values import kind_of
from hutong.exchange.sources.draft import ItemDraft, draft
from hutong.ledger.record import record
from hutong.node.settings import current
from hutong.vocabulary.canonical import canonical_digest
from hutong.vocabulary.codes import CATEGORY_DIGITS, THEMES
from hutong.vocabulary.errors import Refused, WrongState
from hutong.vocabulary.ids import new_id
from hutong.vocabulary.text import checked

__all__ = ["describe", "draft_resource", "publish", "refresh_source", "register_source", "sign_off", "withdraw"]

FORMATS = {"csv": "csv", "parquet": "parquet", "excel": "excel", "sqlite": "database", "postgresql": "database"}
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
    raises   NotFound, NotAllowed, UnknownField, WrongText, WrongValue, BadMask, SecretRefused, WrongState
    """
    resource = _locked(resource_id)
    check(by, Action.DESCRIBE_RESOURCE, resource.department_id)
    if resource.state == "withdrawn":
        raise WrongState(what="resource", what_zh="数据资源", state=resource.state, possible=["draft", "published"])
    changes = fields.read_resource(given or {})
    secrecy.check(changes.items())
    before = items_of(resource)
    after = before if items is None else _merged(before, items)
    assessed = _assessed(resource, before)
    for name, value in changes.items():
        setattr(resource, name, value)
    if _assessed(resource, after) != assessed:
        resource.secrecy_checked_by = ""
    if resource.state == "published" and resource.changed_at is None:
        resource.changed_at = datetime.now(UTC)
    resource.save()
    if items is not None:
        resource.items.all().delete()
        Item.objects.bulk_create(after)
    detail = {"fields": sorted(changes), "items": len(after), "digest": canonical_digest(_canonical(changes, after))}
    record("resource.described", f"resource:{resource.id}", by.username, detail)
    return resource


@transaction.atomic
def sign_off(by: Actor, resource_id: str) -> Resource:
    """D809-12. The head has seen the assessment of secrecy and personal information, and agrees."""
    resource = _locked(resource_id)
    check(by, Action.SIGN_OFF_RESOURCE, resource.department_id)
    resource.secrecy_checked_by = by.username[:100]
    resource.save(update_fields=["secrecy_checked_by", "updated_at"])
    detail = {"digest": canonical_digest(_canonical({}, items_of(resource)))}
    record("resource.signed_off", f"resource:{resource.id}", by.username, detail)
    return resource


def publish(by: Actor, resource_id: str) -> Entry:
    """Publish, or publish again: the source is probed now, the gate is passed, the entry is signed and sent.

    A head who publishes signs the assessment off by it.

    raises   NotFound, NotAllowed, PublishRefused naming everything that is missing
    """
    resource = resource_of(resource_id)
    check(by, Action.PUBLISH_RESOURCE, resource.department_id)
    unavailable = _unavailable(resource)
    shapes.configured()  # read before the transaction, which others wait for
    with transaction.atomic():
        resource = _locked(resource_id)
        items = items_of(resource)
        if not resource.secrecy_checked_by and may(by, Action.SIGN_OFF_RESOURCE):
            resource.secrecy_checked_by = by.username[:100]
        check_may_publish(resource, items, unavailable)
        now = _milliseconds(datetime.now(UTC))
        resource.attribute = effective_attribute(resource.attribute, items)
        resource.code = resource.code or _next_code(resource)
        resource.state, resource.version, resource.changed_at = "published", resource.version + 1, None
        resource.published_at = now
        resource.save()
        entry = _issue(by, resource, items, "published", now)
    if resource.source is not None:
        prepare_lookups(resource.source, [item.name for item in items if item.key])
    return entry


@transaction.atomic
def withdraw(by: Actor, resource_id: str) -> Entry:
    """Take the entry out of every catalogue. Agreements in force are not touched: article 27 has its own way.

    raises   NotFound, NotAllowed, WrongState, AlreadyWithdrawn
    """
    resource = _locked(resource_id)
    check(by, Action.WITHDRAW_RESOURCE, resource.department_id)
    if resource.state == "withdrawn":
        raise AlreadyWithdrawn()
    if resource.state != "published":
        raise WrongState(what="resource", what_zh="数据资源", state=resource.state, possible=["published"])
    resource.state, resource.version = "withdrawn", resource.version + 1
    resource.save()
    # The moment of this version, not of the first: it is signed by the key of now, which may be newer than the entry.
    return _issue(by, resource, items_of(resource), "withdrawn", _milliseconds(datetime.now(UTC)))


def _issue(by: Actor, resource: Resource, items: Sequence[Item], state: str, at: datetime) -> Entry:
    """Sign the data set, keep it as our entry, send it, record it. In the caller's transaction."""
    dataset = datasets.build(resource, items, current(), state=state, version=resource.version, published_at=at)
    signed = federation.sign(dataset)
    if state == "published":
        _check_dcat(signed.document)
    entry = federation.store(signed)
    federation.announce(signed)
    detail = {
        "version": resource.version,
        "attribute": effective_attribute(resource.attribute, items),
        "grade": effective_grade(items),
        "items": len(items),
        "signed_off_by": resource.secrecy_checked_by,
    }
    commitment = {"resource": resource.id, "dataset": canonical_digest(dataset)}
    record(f"resource.{state}", f"resource:{resource.id}", by.username, detail, commitment=commitment)
    return entry


def _check_dcat(document: datasets.EntryDocument) -> None:
    """Others harvest it as DCAT-AP: by our own table, and by the official shapes where the operator has set them.

    raises   PublishRefused, BadSetting
    """
    node = dcat_ap.dataset(document)
    if found := dcat_rules.findings(node) or shapes.findings(node):
        raise PublishRefused(found)


def _locked(resource_id: str) -> Resource:
    """The resource, locked until the transaction ends. The foreign rows are read apart: only the resource is locked."""
    resource_of(resource_id)
    return Resource.objects.select_for_update().get(id=resource_id)


def _unavailable(resource: Resource) -> Refused | None:
    """Why the source cannot serve the described items now, or None."""
    if resource.source is None:
        return NoLiveSource(reason="none is attached.", reason_zh="未挂接。")
    answer, refusal = probe_source(resource.source)
    if refusal is not None or answer is None:
        cause = refusal or Refused()
        return NoLiveSource(reason=cause.say("en"), reason_zh=cause.say("zh"))
    kinds = {one.name: kind_of(one.type) for one in answer.schema}
    there = {name: kind.value for name, kind in kinds.items() if kind is not None}
    gone = [item.name for item in items_of(resource) if there.get(item.name) != item.type]
    return ItemNotInSource(items=gone[:20]) if gone else None


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
    known = {item.name: item for item in before}
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
        merged.append(_changed(item, position, one))
    return merged


def _changed(item: Item, position: int, given: dict[str, Any]) -> Item:
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


def _next_code(resource: Resource) -> str:
    """The national template's code: class, theme, a fixed third level, and a running number of this node."""
    theme = THEMES.codes.index(resource.theme) + 1
    prefix = f"{CATEGORY_DIGITS[resource.category]}{theme:02d}001/"
    last = Resource.objects.filter(code__startswith=prefix).aggregate(last=Max("code"))["last"]
    digits = last.removeprefix(prefix) if last else "0"
    return f"{prefix}{int(digits) + 1 if digits.isdigit() else 1:06d}"


def _own_area() -> str:
    jurisdiction = current().jurisdiction
    return jurisdiction if jurisdiction.isdigit() and len(jurisdiction) in (6, 12) else ""


def _milliseconds(moment: datetime) -> datetime:
    return moment.replace(microsecond=moment.microsecond // 1000 * 1000)
