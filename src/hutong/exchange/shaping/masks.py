"""Masks: what becomes of a value before it leaves. A closed list; anything else fails closed.

Missing stays missing. Lengths are in characters (code points). `*` stands for a hidden character.

keep             everything        as it is
null             everything        missing
first, n         text, integers    the first n characters, then a * for each of the rest: 王**
last, n          text, integers    the other way round: **明
name             text              as first 1, but a name of one character is *
identity_number  text, integers    310***********0017; all * unless it is 15 or more letters and digits
phone            text, integers    138****1234; **** unless it is 11 or more digits, + ( ) - and spaces
year             dates, times      the first day of the year, of the same type
                 text              its four digits; missing where the text does not start as a date
month            dates, times      the first day of the month, of the same type
                 text              as 2001-05; missing where the text does not start as a date
pseudonym        text, integers,   32 hex digits of HMAC-SHA256 under the grant's own key
                 dates

Values of the wrong shape (a name in the column of phones) are hidden whole: real registers have shifted columns.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pyarrow as pa

from hutong.exchange.shaping.values import Kind, kind_of
from hutong.vocabulary.errors import Refused

COUNTED = ("first", "last")
ACTIONS = ("keep", "null", *COUNTED, "name", "identity_number", "phone", "year", "month", "pseudonym")
MAX_SHOWN = 1_000  # characters first and last may show
KEY_BYTES = 32
PSEUDONYM_DIGITS = 32

_TEXT = frozenset({Kind.TEXT})
_WRITTEN = frozenset({Kind.TEXT, Kind.INTEGER})
_DATED = frozenset({Kind.DATE, Kind.TIMESTAMP, Kind.TEXT})
FITTING: dict[str, frozenset[Kind]] = {
    "keep": frozenset(Kind),
    "null": frozenset(Kind),
    "first": _WRITTEN,
    "last": _WRITTEN,
    "name": _TEXT,
    "identity_number": _WRITTEN,
    "phone": _WRITTEN,
    "year": _DATED,
    "month": _DATED,
    "pseudonym": frozenset({Kind.TEXT, Kind.INTEGER, Kind.DATE}),
}
# Shapes, for engines with RE2 (DuckDB, Arrow).
IDENTITY_SHAPE = r"^[0-9A-Za-z]{15,}$"
PHONE_SHAPE = r"^[0-9+() -]{11,}$"
YEAR_SHAPE = r"^[0-9]{4}([-/.年]|[0-9]{4}$|$)"
MONTH_SHAPE = r"^[0-9]{4}[-/.][0-9]{2}([^0-9]|$)"


class BadMask(Refused):
    """The mask of item {item} cannot be used: {reason}."""

    zh = "信息项 {item} 的脱敏方式不可用：{reason}。"
    code = "bad_mask"
    status = 400
    next_en = "Choose a mask from the list that fits the item's type."
    next_zh = "请从列表中选择与信息项类型相符的脱敏方式。"


@dataclass(frozen=True)
class Mask:
    """One action; n counts the characters shown, for first and last."""

    action: str = "keep"
    n: int = 0

    @classmethod
    def from_document(cls, document: Any, item: str = "") -> Mask:
        """raises   BadMask for anything but exactly {"action": ...}, with "n" for first and last"""
        action = document.get("action") if isinstance(document, Mapping) else None
        if not isinstance(action, str) or action not in ACTIONS:
            raise BadMask(item=item, reason="there is no such action", reason_zh="没有这种方式")
        if set(document) != ({"action", "n"} if action in COUNTED else {"action"}):
            raise BadMask(
                item=item, reason=f"{action} is written with other fields", reason_zh=f"{action} 应使用其他字段书写"
            )
        n = document.get("n", 0)
        if not isinstance(n, int) or isinstance(n, bool) or not 0 <= n <= MAX_SHOWN or (action in COUNTED and n < 1):
            raise BadMask(
                item=item,
                reason=f"n must be a number from 1 to {MAX_SHOWN}",
                reason_zh=f"n 应为 1 至 {MAX_SHOWN} 的整数",
            )
        return cls(action, n)

    def to_document(self) -> dict[str, Any]:
        return {"action": self.action, "n": self.n} if self.action in COUNTED else {"action": self.action}

    def output_type(self, type_: pa.DataType, item: str) -> pa.DataType:
        """The type of a masked value.

        raises   BadMask where the mask does not fit the type
        """
        kind = kind_of(type_)
        if kind is None or kind not in FITTING.get(self.action, ()):
            raise BadMask(
                item=item, reason=f"{self.action} does not fit its type", reason_zh=f"{self.action} 不适用于该类型"
            )
        if self.action in ("keep", "null", "year", "month"):
            return type_
        return pa.string()


KEEP = Mask()


@dataclass(frozen=True)
class MaskedItem:
    """An item as it leaves."""

    name: str
    mask: Mask = KEEP


def output_schema(schema: pa.Schema, items: Sequence[MaskedItem]) -> pa.Schema:
    """The schema of what leaves, in the order of the items.

    raises   BadMask; KeyError for an item the schema lacks
    """
    fields = []
    for item in items:
        given = schema.field(item.name)
        fields.append(pa.field(item.name, item.mask.output_type(given.type, item.name)))
    return pa.schema(fields)


def check_key(items: Sequence[MaskedItem], key: bytes | None) -> None:
    """raises   BadMask where a pseudonym is asked for without the grant's key"""
    for item in items:
        if item.mask.action == "pseudonym" and (key is None or len(key) < KEY_BYTES):
            raise BadMask(item=item.name, reason="the grant has no key for pseudonyms", reason_zh="授权中没有假名密钥")
