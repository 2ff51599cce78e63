"""Masks as one choice of a list: the code of a choice is the action, with its count where it has one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from hutong.portal.components import words

_TEXT = (
    "keep", "null", "name", "identity_number", "phone", "first:1", "first:3", "first:6", "last:4", "year", "month",
    "pseudonym",
)  # fmt: skip
_WHOLE = ("keep", "null", "identity_number", "phone", "first:3", "first:6", "last:4", "pseudonym")
_BY_TYPE = {
    "string": _TEXT,
    "int64": _WHOLE,
    "int32": _WHOLE,
    "date": ("keep", "null", "year", "month", "pseudonym"),
    "timestamp": ("keep", "null", "year", "month"),
}
_OTHERS = ("keep", "null")


def code_of(document: Mapping[str, Any] | None) -> str:
    """`first:4` for {"action": "first", "n": 4}."""
    action = str((document or {}).get("action", "keep"))
    return f"{action}:{document['n']}" if document and "n" in document else action


def document_of(code: str) -> dict[str, Any]:
    """The mask document of a choice. What it means, and whether it fits the item, the data plane decides."""
    action, _, count = code.partition(":")
    return {"action": action, "n": int(count)} if count.isdecimal() else {"action": action}


def choices(type_name: str, present: str = "keep") -> list[tuple[str, str]]:
    """The masks that fit a type, and the present one whatever it is."""
    fitting = _BY_TYPE.get(type_name, _OTHERS)
    codes = fitting if present in fitting else (*fitting, present)
    return [(code, words.mask(document_of(code))) for code in codes]
