"""A version as somebody wants it, checked and whole, before it is kept.

element   {"type", "unit", "table", "check", "standard", "aliases"}: table is a code table's name, check one of CHECKS;
          where there is something to say also "length", the most characters of a text, "definition", and
          "replaced_by", the element that is used in its place from now on
table     {"standard"}
map       {"table", "local", "items"}: the region's table it leads to, what the local table is called, and the items it
          is for, as [resource id, item name] each
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from hutong.control.standards.rules import MOST_CODES, MOST_PAIRS, BadDefinition
from hutong.exchange.shaping.values import Kind
from hutong.vocabulary.canonical import canonical_digest
from hutong.vocabulary.recognisers import RECOGNISERS
from hutong.vocabulary.text import checked

KINDS = ("element", "table", "map")
NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,58}[a-z0-9]\Z")
CHECKS = ("", *RECOGNISERS)  # what of a value can prove itself
TYPES = tuple(kind.value for kind in Kind)
LONGEST_VALUE = 10_000  # characters an element can allow a text
_MEMBERS = {
    "element": {"type", "unit", "table", "check", "standard", "aliases"},
    "table": {"standard"},
    "map": {"table", "local", "items"},
}
# Absent where nothing is said, so that older digests stay.
_MAY_HAVE = {"element": {"length", "definition", "replaced_by"}}
_LONGEST_TEXT = {"definition": 1000}  # characters; of the others 200


@dataclass(frozen=True)
class Row:
    """One code, or one pair of a map (code is the local one, target the regional one)."""

    code: str
    title_zh: str = ""
    title_en: str = ""
    target: str = ""
    valid_from: date | None = None
    valid_to: date | None = None

    def columns(self) -> list[str]:
        """As it travels, and as a line of CSV."""
        return [self.code, self.title_zh, self.title_en, self.target, _day(self.valid_from), _day(self.valid_to)]


@dataclass(frozen=True)
class Proposal:
    """raises   BadDefinition, WrongText"""

    kind: str
    name: str
    title_zh: str
    title_en: str = ""
    document: Mapping[str, Any] = field(default_factory=dict)
    rows: Sequence[Row] = ()
    valid_from: date | None = None
    valid_to: date | None = None

    def __post_init__(self) -> None:
        _require(self.kind in KINDS, f"its kind is not one of {', '.join(KINDS)}", "类别未知")
        _require(
            bool(NAME.match(self.name)),
            "its name is not 2 to 60 small letters, digits, dots and hyphens",
            "名称应为 2 至 60 个小写字母、数字、点或连字符",
        )
        checked("title_zh", self.title_zh, limit=200, required=True)
        checked("title_en", self.title_en, limit=200)
        _check_span(self.valid_from, self.valid_to)
        _require(
            _MEMBERS[self.kind] <= set(self.document) <= _MEMBERS[self.kind] | _MAY_HAVE.get(self.kind, set()),
            f"{self.name} has other members than {', '.join(sorted(_MEMBERS[self.kind]))}",
            f"{self.name} 的成员不符",
        )
        _check_document(self.kind, self.name, self.document)
        _check_rows(self)

    @property
    def digest(self) -> str:
        return canonical_digest(self.whole())

    def whole(self) -> dict[str, Any]:
        return {**self.head(), "rows": [row.columns() for row in self.rows]}

    def head(self) -> dict[str, Any]:
        texts = {name: getattr(self, name) for name in ("kind", "name", "title_zh", "title_en")}
        days = {"valid_from": _day(self.valid_from), "valid_to": _day(self.valid_to)}
        return {**texts, **days, "document": dict(self.document)}


def element_document(said: Mapping[str, Any], aliases: Sequence[str]) -> dict[str, Any]:
    """What an element says beyond its names, from texts under the members' names; what is empty may be left out.

    raises   BadDefinition for a length that is no number
    """
    document: dict[str, Any] = {name: said.get(name) or "" for name in ("type", "unit", "table", "check", "standard")}
    document["aliases"] = [one for one in aliases if one]
    document |= {name: said[name] for name in ("definition", "replaced_by") if said.get(name)}
    if length := said.get("length"):
        _require(str(length).isdecimal(), "a length is no whole number", "长度不是整数")
        document["length"] = int(length)
    return document


def read_row(given: Any) -> Row:
    """A row as it travels. raises   BadDefinition, WrongText"""
    if not isinstance(given, list) or len(given) != 6 or not all(isinstance(one, str) for one in given):
        raise BadDefinition(reason="a row is not six texts", reason_zh="行应为六个文本")
    code, title_zh, title_en, target, first, last = given
    return Row(code, title_zh, title_en, target, day(first), day(last))


def day(text: str) -> date | None:
    """raises   BadDefinition"""
    try:
        return date.fromisoformat(text) if text else None
    except ValueError as error:
        raise BadDefinition(reason="a day is not written as 2026-01-31", reason_zh="日期应写成 2026-01-31") from error


def _day(value: date | None) -> str:
    return "" if value is None else value.isoformat()


def _check_document(kind: str, name: str, document: Mapping[str, Any]) -> None:
    for member, value in document.items():
        if member not in ("aliases", "items", "length"):
            limit = _LONGEST_TEXT.get(member, 200)
            checked(f"{name}.{member}", value, limit=limit, required=member in _MAY_HAVE.get(kind, ()))
    if kind == "element":
        _require(document["type"] in TYPES, f"the type of {name} is not one of {', '.join(TYPES)}", f"{name} 类型未知")
        _require(document["check"] in CHECKS, f"the check of {name} is unknown", f"{name} 的校验方式未知")
        successor = document.get("replaced_by")
        other = successor is None or (bool(NAME.match(successor)) and successor != name)
        _require(other, f"the successor of {name} is no other element", f"{name} 的后继数据元无效")
        _check_length(name, document)
        for alias in document["aliases"]:
            checked(f"{name}.aliases", alias, limit=60)
    if kind == "map":
        _require(bool(document["table"]), "a map leads to a table of the region", "映射须指向区域代码表")
        pairs = [tuple(one) for one in document["items"]]
        _require(all(len(one) == 2 for one in pairs), "an item is a resource and a name", "信息项应为资源和名称")


def _check_length(name: str, document: Mapping[str, Any]) -> None:
    if "length" not in document:
        return
    _require(document["type"] == "string", f"{name} has a length and is no text", f"{name} 不是文本，不设长度")
    length = document["length"]
    _require(
        type(length) is int and 1 <= length <= LONGEST_VALUE,
        f"the length of {name} is not a whole number from 1 to {LONGEST_VALUE}",
        f"{name} 的长度应为 1 至 {LONGEST_VALUE} 的整数",
    )


def _check_rows(proposal: Proposal) -> None:
    rows, kind = proposal.rows, proposal.kind
    _require(bool(rows) or kind == "element", f"{proposal.name} has no codes", f"{proposal.name} 没有代码")
    _require(not rows or kind != "element", "an element has no codes of its own", "数据元自身没有代码")
    most = MOST_PAIRS if kind == "map" else MOST_CODES
    _require(len(rows) <= most, f"it has more than {most} codes", f"代码超过 {most} 个")
    seen: set[tuple[str, date | None]] = set()
    for number, row in enumerate(rows, 1):
        checked(f"codes[{number}].code", row.code, limit=60, required=True)
        checked(f"codes[{number}].title_zh", row.title_zh, limit=200)
        checked(f"codes[{number}].title_en", row.title_en, limit=200)
        checked(f"codes[{number}].target", row.target, limit=60, required=kind == "map")
        _check_span(row.valid_from, row.valid_to)
        key = (row.code, None if kind == "map" else row.valid_from)
        _require(key not in seen, f"code number {number} stands there twice", f"第 {number} 个代码重复")
        seen.add(key)


def _check_span(first: date | None, last: date | None) -> None:
    ordered = first is None or last is None or first <= last
    _require(ordered, "a validity ends before it begins", "有效期的终止早于起始")


def _require(holds: bool, reason: str, reason_zh: str) -> None:
    if not holds:
        raise BadDefinition(reason=reason, reason_zh=reason_zh)
