"""A row condition in plain words, so that an officer signs what she reads."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as lazy

Document = Mapping[str, Any]

COMPARISONS = {
    "eq": lazy("{item} is {value}"),
    "ne": lazy("{item} is not {value}"),
    "lt": lazy("{item} is below {value}"),
    "le": lazy("{item} is at most {value}"),
    "gt": lazy("{item} is above {value}"),
    "ge": lazy("{item} is at least {value}"),
    "starts_with": lazy("{item} begins with {value}"),
    "contains": lazy("{item} contains {value}"),
    "is_null": lazy("{item} is empty"),
    "not_null": lazy("{item} is not empty"),
}
WHOLE = re.compile(r"-?[0-9]{1,18}")
YES, NO = frozenset({"true", "yes", "是"}), frozenset({"false", "no", "否"})
# What the builder on the request form offers, in this order.
OPERATORS = {
    "eq": lazy("is"),
    "ne": lazy("is not"),
    "ge": lazy("is at least"),
    "le": lazy("is at most"),
    "gt": lazy("is above"),
    "lt": lazy("is below"),
    "in": lazy("is one of (separate by commas)"),
    "starts_with": lazy("begins with"),
    "contains": lazy("contains"),
    "is_null": lazy("is empty"),
    "not_null": lazy("is not empty"),
}


def sentences(document: Document | None, titles: Mapping[str, str]) -> tuple[str, ...]:
    """The condition as sentences that must all hold; none for no condition (every row)."""
    if not document:
        return ()
    if document.get("op") == "and":
        return tuple(_say(one, titles, inside=False) for one in document["args"])
    return (_say(document, titles, inside=False),)


def _say(document: Document, titles: Mapping[str, str], *, inside: bool) -> str:
    op = str(document.get("op", ""))
    if op in ("and", "or"):
        joint = _(" and ") if op == "and" else _(" or ")
        text = joint.join(_say(one, titles, inside=True) for one in document["args"])
        return _("({text})").format(text=text) if inside else text
    if op == "not":
        return _("not so: {text}").format(text=_say(document["arg"], titles, inside=True))
    item = titles.get(str(document.get("item")), str(document.get("item")))
    if op == "in":
        return _("{item} is one of {values}").format(item=item, values=_list(document["values"]))
    if op == "between":
        low, high = _quoted(document["low"]), _quoted(document["high"])
        return _("{item} is from {low} to {high}").format(item=item, low=low, high=high)
    pattern = str(COMPARISONS.get(op, "{item} " + op + " {value}"))
    return pattern.format(item=item, value=_quoted(document.get("value")))


def _list(values: Sequence[Any]) -> str:
    return _(", ").join(_quoted(value) for value in values)


def _quoted(value: Any) -> str:
    return _("“{text}”").format(text=value) if isinstance(value, str) else str(value)


def build(rows: Sequence[tuple[str, str, str]], joint: str, types: Mapping[str, str]) -> dict[str, Any] | None:
    """The condition document of the builder's rows (item, operator, value); rows without an item are skipped.

    joint    "and" or "or"
    types    item -> type name; values of whole-number items become numbers where they read as such
    """
    parts = [_part(item, op, value, types.get(item, "string")) for item, op, value in rows if item and op]
    if not parts:
        return None
    return parts[0] if len(parts) == 1 else {"op": joint, "args": parts}


def _part(item: str, op: str, value: str, type_name: str) -> dict[str, Any]:
    if op in ("is_null", "not_null"):
        return {"op": op, "item": item}
    if op == "in":
        values = [one.strip() for one in value.replace("，", ",").replace("、", ",").split(",") if one.strip()]
        return {"op": "in", "item": item, "values": [_typed(one, type_name) for one in values]}
    return {"op": op, "item": item, "value": _typed(value.strip(), type_name)}


def _typed(value: str, type_name: str) -> str | int | bool:
    """The value as the wire has it: whole numbers and yes or no by the item's type, everything else as text.

    Decimals stay text: a condition is signed, and floats have no canonical form.
    """
    if type_name.startswith(("int", "uint")) and WHOLE.fullmatch(value):
        return int(value)
    if type_name == "bool" and value.lower() in YES | NO:
        return value.lower() in YES
    return value
