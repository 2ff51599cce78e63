"""Masks: what becomes of a value before it leaves. A closed list; anything else fails closed.

Missing stays missing. Lengths are in characters (code points). `*` stands for a hidden character. Those with a second
name are, to the letter, that action of the Read Restrictions of Apache Iceberg's REST catalogue (docs/masks.md).

keep             everything        as it is
null             everything        missing: replace-with-null
fixed            everything        one value for the type, XXXXXXXX for text: mask-to-fixed-value
first, n         text, integers    the first n characters, then a * for each of the rest: 王**
last, n          text, integers    the other way round: **明
alphanum         text              digits to n, all else but ( ) , . - @ to x: mask-alphanum
show_first, n    text              the first n characters, the rest by alphanum: show-first-4
show_last, n     text              the other way round: show-last-4
name             text              as first 1, but a name of one character is *
identity_number  text, integers    310***********0017; all * unless it is 15 or more letters and digits
phone            text, integers    138****1234; **** unless it is 11 or more digits, + ( ) - and spaces
year             dates, times      the first day of the year, of the same type: truncate-to-year
                 text              its four digits; missing where the text does not start as a date
month            dates, times      the first day of the month, of the same type: truncate-to-month
                 text              as 2001-05; missing where the text does not start as a date
sha256           text              64 hex digits that everybody can compute who guesses the value: sha-256-global
sha256_query     text              the same with a secret of this one answer: sha-256-query-local
pseudonym        text, integers,   32 hex digits of an HMAC under the grant's own key, with SHA-256 or SM3
                 dates
encrypt_identity_number            another valid identity number, keyed by the grant (encrypt.py); FF1 on AES or SM4
                 text, integers
encrypt_credit_code                another valid credit code, likewise
                 text

Values of the wrong shape (a name in the column of phones) are hidden whole: real registers have shifted columns.
"""

from __future__ import annotations

import hmac
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pyarrow as pa

from hutong.exchange.shaping.values import Kind, kind_of
from hutong.vocabulary.errors import Refused

COUNTED = ("first", "last", "show_first", "show_last")
ENCRYPTED = ("encrypt_identity_number", "encrypt_credit_code")
KEYED = ("pseudonym", *ENCRYPTED)  # by the grant's own key
HASHED = ("sha256", "sha256_query")
ACTIONS = (
    "keep", "null", "fixed", *COUNTED, "alphanum", "name", "identity_number", "phone", "year", "month", *HASHED, *KEYED,
)  # fmt: skip
# Masks that leave text as text, so that it can bear a mark (watermark.py).
MARKABLE = ("keep", "first", "last", "show_first", "show_last", "alphanum", "name", "identity_number", "phone")
KEEPS = ("area", "province", "nothing")  # what stays of an encrypted identity number's area code
SUITES = ("sm",)  # SM3 and SM4 where it would be SHA-256 and AES
MAX_SHOWN = 1_000  # characters first and last may show
KEY_BYTES = 32
PSEUDONYM_DIGITS = 32

_TEXT = frozenset({Kind.TEXT})
_WRITTEN = frozenset({Kind.TEXT, Kind.INTEGER})
_DATED = frozenset({Kind.DATE, Kind.TIMESTAMP, Kind.TEXT})
FITTING: dict[str, frozenset[Kind]] = {
    "keep": frozenset(Kind),
    "null": frozenset(Kind),
    "fixed": frozenset(Kind),
    "first": _WRITTEN,
    "last": _WRITTEN,
    "alphanum": _TEXT,
    "show_first": _TEXT,
    "show_last": _TEXT,
    "name": _TEXT,
    "identity_number": _WRITTEN,
    "phone": _WRITTEN,
    "year": _DATED,
    "month": _DATED,
    "sha256": _TEXT,
    "sha256_query": _TEXT,
    "pseudonym": frozenset({Kind.TEXT, Kind.INTEGER, Kind.DATE}),
    "encrypt_identity_number": _WRITTEN,
    "encrypt_credit_code": _TEXT,
}
# Besides the action: the fields a document must have, and those it may have.
_FIELDS: dict[str, tuple[frozenset[str], frozenset[str]]] = {
    **dict.fromkeys(COUNTED, (frozenset({"n"}), frozenset[str]())),
    "pseudonym": (frozenset(), frozenset({"suite"})),
    "encrypt_identity_number": (frozenset({"keeps"}), frozenset({"suite"})),
    "encrypt_credit_code": (frozenset(), frozenset({"suite"})),
}
_NO_FIELDS = (frozenset[str](), frozenset[str]())
# Shapes, for engines with RE2 (DuckDB, Arrow).
IDENTITY_SHAPE = r"^[0-9A-Za-z]{15,}$"
PHONE_SHAPE = r"^[0-9+() -]{11,}$"
YEAR_SHAPE = r"^[0-9]{4}([-/.年]|[0-9]{4}$|$)"
MONTH_SHAPE = r"^[0-9]{4}[-/.][0-9]{2}([^0-9]|$)"
DIGIT, NEITHER_DIGIT_NOR_KEPT = r"[0-9]", r"[^0-9(),.@-]"  # of alphanum
# What `fixed` gives, by kind, as text; dates and times in nanoseconds end in 2262.
FIXED: dict[Kind, str] = {
    Kind.TEXT: "XXXXXXXX",
    Kind.INTEGER: "999999999",
    Kind.DOUBLE: "0",
    Kind.DECIMAL: "0",
    Kind.BOOL: "false",
    Kind.DATE: "9999-12-31",
    Kind.TIMESTAMP: "9999-12-31 00:00:00",
}
FIXED_NANOSECONDS = "2261-12-31 00:00:00"
_MOST = {"int8": "127", "uint8": "255", "int16": "32767", "uint16": "65535"}


class BadMask(Refused):
    """The mask of item {item} cannot be used: {reason}."""

    zh = "信息项 {item} 的脱敏方式不可用：{reason}。"
    code = "bad_mask"
    status = 400
    next_en = "Choose a mask from the list that fits the item's type."
    next_zh = "请从列表中选择与信息项类型相符的脱敏方式。"


@dataclass(frozen=True)
class Mask:
    """One action with its parameters.

    n       characters shown, for first, last, show_first and show_last
    keeps   one of KEEPS, for encrypt_identity_number
    suite   one of SUITES, or "" for SHA-256 and AES
    """

    action: str = "keep"
    n: int = 0
    keeps: str = ""
    suite: str = ""

    @classmethod
    def from_document(cls, document: Any, item: str = "") -> Mask:
        """raises   BadMask for anything but exactly {"action": ...} with the fields of that action"""
        action = document.get("action") if isinstance(document, Mapping) else None
        if not isinstance(action, str) or action not in ACTIONS:
            raise BadMask(item=item, reason="there is no such action", reason_zh="没有这种方式")
        needed, possible = _FIELDS.get(action, _NO_FIELDS)
        if not needed <= set(document) - {"action"} <= needed | possible:
            raise BadMask(
                item=item, reason=f"{action} is written with other fields", reason_zh=f"{action} 应使用其他字段书写"
            )
        n, keeps, suite = document.get("n", 0), document.get("keeps", ""), document.get("suite", "")
        if not isinstance(n, int) or isinstance(n, bool) or not 0 <= n <= MAX_SHOWN or (action in COUNTED and n < 1):
            raise BadMask(
                item=item,
                reason=f"n must be a number from 1 to {MAX_SHOWN}",
                reason_zh=f"n 应为 1 至 {MAX_SHOWN} 的整数",
            )
        for name, value, known in (("keeps", keeps, KEEPS), ("suite", suite, SUITES)):
            if name in document and (not isinstance(value, str) or value not in known):
                raise BadMask(
                    item=item,
                    reason=f"{name} is one of: {', '.join(known)}",
                    reason_zh=f"{name} 应为：{'、'.join(known)}",
                )
        return cls(action, n, keeps, suite)

    def to_document(self) -> dict[str, Any]:
        said = {"n": self.n or None, "keeps": self.keeps, "suite": self.suite}
        return {"action": self.action, **{name: value for name, value in said.items() if value}}

    def output_type(self, type_: pa.DataType, item: str) -> pa.DataType:
        """The type of a masked value.

        raises   BadMask where the mask does not fit the type
        """
        kind = kind_of(type_)
        if kind is None or kind not in FITTING.get(self.action, ()):
            raise BadMask(
                item=item, reason=f"{self.action} does not fit its type", reason_zh=f"{self.action} 不适用于该类型"
            )
        if self.action in ("keep", "null", "fixed", "year", "month"):
            return type_
        return pa.string()


def fixed_value(kind: Kind | None, type_: pa.DataType) -> str:
    """What `fixed` gives for a type, as text; the largest value where the type cannot hold the standard's."""
    if kind is None:
        raise ValueError("no mask fits this type")
    if isinstance(type_, pa.TimestampType):
        return (FIXED_NANOSECONDS if type_.unit == "ns" else FIXED[kind]) + ("Z" if type_.tz else "")
    return _MOST.get(str(type_), FIXED[kind])


KEEP = Mask()


@dataclass(frozen=True)
class MaskedItem:
    """An item as it leaves.

    marked   its texts bear the recipient's mark (watermark.py)
    """

    name: str
    mask: Mask = KEEP
    marked: bool = False

    @property
    def as_it_is(self) -> bool:
        return self.mask.action == "keep" and not self.marked

    def output_type(self, type_: pa.DataType) -> pa.DataType:
        """raises   BadMask where the mask does not fit the type, or what it leaves cannot be marked"""
        leaving = self.mask.output_type(type_, self.name)
        if self.marked and (self.mask.action not in MARKABLE or kind_of(leaving) is not Kind.TEXT):
            raise BadMask(item=self.name, reason="it leaves no text to mark", reason_zh="脱敏后不是可加水印的文本")
        return pa.string() if self.marked else leaving


def output_schema(schema: pa.Schema, items: Sequence[MaskedItem]) -> pa.Schema:
    """The schema of what leaves, in the order of the items.

    raises   BadMask; KeyError for an item the schema lacks
    """
    fields = []
    for item in items:
        given = schema.field(item.name)
        fields.append(pa.field(item.name, item.output_type(given.type)))
    return pa.schema(fields)


@dataclass(frozen=True)
class Keys:
    """What keyed masks work with. Make it with of(), once for each answer."""

    grant: bytes = field(default=b"", repr=False)
    answer: bytes = field(default=b"", repr=False)  # drawn for this answer, kept nowhere
    marks: bytes = field(default=b"", repr=False)

    @classmethod
    def of(cls, items: Sequence[MaskedItem], key: bytes | None) -> Keys:
        """key   the grant's own, at least 32 bytes; needed for keyed masks

        raises   BadMask where it is needed and missing
        """
        for item in items:
            if (item.mask.action in KEYED or item.marked) and (key is None or len(key) < KEY_BYTES):
                raise BadMask(item=item.name, reason="the grant has no key for it", reason_zh="授权中没有相应的密钥")
        fresh = any(item.mask.action == "sha256_query" for item in items)
        marks = mark_key(key) if key and any(item.marked for item in items) else b""
        return cls(key or b"", secrets.token_bytes(KEY_BYTES) if fresh else b"", marks)


def mark_key(grant_key: bytes) -> bytes:
    """What decides the marks of one grant's consumer."""
    return hmac.digest(grant_key, b"hutong watermark v1", "sha256")


def code_of(document: Mapping[str, Any] | None) -> str:
    """A mask as one word, as people choose and type it: first:4, pseudonym:sm, encrypt_identity_number:area."""
    given = document or {}
    said = (str(given[name]) for name in ("n", "keeps", "suite") if name in given)
    return ":".join((str(given.get("action", "keep")), *said))


def document_of(code: str) -> dict[str, Any]:
    """The document of such a word. Whether it is a mask, Mask.from_document says."""
    action, *said = code.split(":")
    document: dict[str, Any] = {"action": action}
    for part in said:
        name = "n" if part.isdecimal() else "keeps" if part in KEEPS else "suite"
        document[name] = int(part) if name == "n" else part
    return document
