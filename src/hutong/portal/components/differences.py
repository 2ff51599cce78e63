"""What differs between two descriptions, in the words of the form."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _

from hutong.control.catalogue.fields import ITEM_FIELDS, RESOURCE_FIELDS, Field
from hutong.control.catalogue.versions import Difference
from hutong.portal.components import words
from hutong.portal.components.parts import Badge


@dataclass(frozen=True)
class Differing:
    """One line: what it is about, and both sides."""

    label: str
    item: str  # the item's name; empty for a field of the resource
    kind: Badge
    before: str
    after: str


def rows(found: Iterable[Difference]) -> tuple[Differing, ...]:
    return tuple(_row(one) for one in found)


def field_label(field: Field) -> str:
    label = words.of_language(field.zh, field.en)
    return label[:1].upper() + label[1:]


def value_words(field: Field | None, value: Any) -> str:
    """A value of a description as people read it; empty for none."""
    if isinstance(value, bool):
        return _("yes") if value else _("no")
    if isinstance(value, list):
        return _(", ").join(value_words(field, one) for one in value)
    if isinstance(value, dict):
        return words.mask(value) if "action" in value else str(value.get("title_zh") or value.get("name") or "")
    if field is not None and field.codes is not None and value:
        return words.code_name(field.codes, value)
    return "" if value is None else str(value)


def kind_badge(kind: str) -> Badge:
    kinds = {
        "added": Badge(_("added"), "good"),
        "changed": Badge(_("changed"), "wait"),
        "removed": Badge(_("removed"), "bad"),
    }
    return kinds[kind]


def _row(one: Difference) -> Differing:
    field = _field(one)
    return Differing(
        label=_label(one, field),
        item=one.item if one.item != "items" else "",
        kind=kind_badge(one.kind),
        before=value_words(field, one.before),
        after=value_words(field, one.after),
    )


def _field(one: Difference) -> Field | None:
    if one.field in RESOURCE_FIELDS:
        return RESOURCE_FIELDS[one.field]
    return ITEM_FIELDS.get(one.field.rpartition(".")[2]) if "." in one.field else None


def _label(one: Difference, field: Field | None) -> str:
    if field is not None:
        return field_label(field)
    if one.field == "items":
        return _("Order of the items")
    return _("Type") if one.field.endswith(".type") else _("Item")
