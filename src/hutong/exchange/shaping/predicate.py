"""Row conditions: a closed language, kept as a tree, compiled to each engine's SQL, never handled as text.

    {"op": "and", "args": [{"op": "eq", "item": "city", "value": "南京"},
                           {"op": "ge", "item": "registration_date", "value": "2000-01-01"}]}

Meaning, equal for every source: it looks at original values, before masks. Comparing a missing value is
neither true nor false, so such a row is left out, also under "not" (SQL's three values). Text compares by
code point, exactly, with no folding of case or blanks. NaN counts as missing: engines disagree on its order,
and DuckDB skips row groups by statistics that leave it out.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pyarrow as pa

from hutong.exchange.shaping.values import BadPredicate, Kind, Scalar, kind_of, literal

COMPARISONS = ("eq", "ne", "lt", "le", "gt", "ge")
ORDERINGS = ("lt", "le", "gt", "ge", "between")
NULL_TESTS = ("is_null", "not_null")
TEXT_TESTS = ("starts_with", "contains")
JUNCTIONS = ("and", "or")
# Limits of one condition, so that no message can make an engine's parser or planner suffer.
MAX_DEPTH = 8
MAX_NODES = 200
MAX_VALUES = 1_000
MAX_TEXT = 1_000  # characters of one value

_KEYS: dict[str, frozenset[str]] = {
    **dict.fromkeys(COMPARISONS + TEXT_TESTS, frozenset({"op", "item", "value"})),
    **dict.fromkeys(NULL_TESTS, frozenset({"op", "item"})),
    **dict.fromkeys(JUNCTIONS, frozenset({"op", "args"})),
    "in": frozenset({"op", "item", "values"}),
    "between": frozenset({"op", "item", "low", "high"}),
    "not": frozenset({"op", "arg"}),
}


@dataclass(frozen=True)
class Predicate:
    """One node of a condition, with what hangs below it. Make it with from_document, parse_text or all_of."""

    op: str
    item: str = ""
    values: tuple[Scalar, ...] = ()
    args: tuple[Predicate, ...] = ()

    @classmethod
    def from_document(cls, document: Any) -> Predicate:
        """raises   BadPredicate for anything unknown, too deep, too large, or not of the language"""
        predicate = _node(document, 1)
        _check_size(predicate)
        return predicate

    @staticmethod
    def all_of(*parts: Predicate | None) -> Predicate | None:
        """Every part must hold; None parts ask nothing. None when nothing is asked."""
        asked = [part for part in parts if part is not None]
        return Predicate("and", args=tuple(asked)) if len(asked) > 1 else next(iter(asked), None)

    def to_document(self) -> dict[str, Any]:
        if self.op in JUNCTIONS:
            return {"op": self.op, "args": [arg.to_document() for arg in self.args]}
        if self.op == "not":
            return {"op": "not", "arg": self.args[0].to_document()}
        if self.op in NULL_TESTS:
            return {"op": self.op, "item": self.item}
        if self.op == "in":
            return {"op": "in", "item": self.item, "values": list(self.values)}
        if self.op == "between":
            return {"op": "between", "item": self.item, "low": self.values[0], "high": self.values[1]}
        return {"op": self.op, "item": self.item, "value": self.values[0]}

    def items(self) -> frozenset[str]:
        """The items it looks at."""
        return frozenset(node.item for node in self.nodes() if node.item)

    def nodes(self) -> Iterator[Predicate]:
        yield self
        for arg in self.args:
            yield from arg.nodes()

    def check(self, types: Mapping[str, pa.DataType]) -> None:
        """Every item known, every comparison possible for its type, every value of that type.

        raises   BadPredicate
        """
        for node in self.nodes():
            if node.item:
                _check_leaf(node, types)

    def to_sql(self, types: Mapping[str, pa.DataType], dialect: str, columns: Mapping[str, Any] | None = None) -> Any:
        """The condition as a sqlglot expression with typed literals.

        dialect  duckdb, sqlite or postgres
        columns  what stands for an item in this source; by default the quoted column of its name
        raises   BadPredicate, as check()
        """
        from hutong.exchange.shaping.sql import compile_predicate

        self.check(types)
        return compile_predicate(self, types, dialect, columns or {})

    def to_text(self) -> str:
        """As people write it: city = '南京' AND capital > 5."""
        from hutong.exchange.shaping.text import to_text

        return to_text(self)


def parse_text(text: str) -> Predicate:
    """A condition as people write it, in the words of SQL.

    raises   BadPredicate
    """
    from hutong.exchange.shaping.text import from_text

    predicate = from_text(text)
    return Predicate.from_document(predicate.to_document())


def _node(document: Any, depth: int) -> Predicate:
    if depth > MAX_DEPTH:
        raise BadPredicate(reason=f"it is nested more than {MAX_DEPTH} deep", reason_zh=f"嵌套超过 {MAX_DEPTH} 层")
    op = document.get("op") if isinstance(document, Mapping) else None
    keys = _KEYS.get(op) if isinstance(op, str) else None
    if keys is None or not isinstance(op, str):
        raise BadPredicate(reason="it holds an unknown operation", reason_zh="含有未知的运算")
    if set(document) != keys:
        raise BadPredicate(
            reason=f"the operation {op} needs exactly: {', '.join(sorted(keys))}",
            reason_zh=f"运算 {op} 应恰有：{'、'.join(sorted(keys))}",
        )
    if op in JUNCTIONS:
        parts = _list(document["args"], op)
        return Predicate(op, args=tuple(_node(part, depth + 1) for part in parts))
    if op == "not":
        return Predicate(op, args=(_node(document["arg"], depth + 1),))
    return Predicate(op, item=_item(document["item"]), values=_values(op, document))


def _values(op: str, document: Mapping[str, Any]) -> tuple[Scalar, ...]:
    if op in NULL_TESTS:
        return ()
    if op == "in":
        return tuple(_scalar(value) for value in _list(document["values"], op))
    if op == "between":
        return (_scalar(document["low"]), _scalar(document["high"]))
    return (_scalar(document["value"]),)


def _list(value: Any, op: str) -> Sequence[Any]:
    if not isinstance(value, (list, tuple)) or not value:
        raise BadPredicate(
            reason=f"the operation {op} needs a list that is not empty", reason_zh=f"运算 {op} 需要非空列表"
        )
    if len(value) > MAX_VALUES:
        raise BadPredicate(reason=f"it holds more than {MAX_VALUES} values", reason_zh=f"所含的值超过 {MAX_VALUES} 个")
    return value


def _item(value: Any) -> str:
    if not isinstance(value, str) or not value or len(value) > 120 or not value.isprintable():
        raise BadPredicate(reason="an item's name is missing or not a name", reason_zh="信息项名称缺失或不是名称")
    return value


def _scalar(value: Any) -> Scalar:
    if isinstance(value, float):
        if not math.isfinite(value):
            raise BadPredicate(reason="a value is not a number", reason_zh="有的值不是有效数字")
        return repr(value)
    if isinstance(value, int):
        return value
    if not isinstance(value, str):
        raise BadPredicate(
            reason="a value is neither text nor number nor boolean", reason_zh="有的值不是文本、数字或布尔值"
        )
    if len(value) > MAX_TEXT:
        raise BadPredicate(
            reason=f"a value is longer than {MAX_TEXT} characters", reason_zh=f"有的值超过 {MAX_TEXT} 个字符"
        )
    if "\0" in value or any("\ud800" <= character <= "\udfff" for character in value):
        raise BadPredicate(reason="a value holds a character that is no text", reason_zh="有的值含非文本字符")
    return value


def _check_size(predicate: Predicate) -> None:
    nodes = list(predicate.nodes())
    if len(nodes) > MAX_NODES:
        raise BadPredicate(reason=f"it has more than {MAX_NODES} parts", reason_zh=f"组成部分超过 {MAX_NODES} 个")
    if sum(len(node.values) for node in nodes) > MAX_VALUES:
        raise BadPredicate(reason=f"it holds more than {MAX_VALUES} values", reason_zh=f"所含的值超过 {MAX_VALUES} 个")


def _check_leaf(node: Predicate, types: Mapping[str, pa.DataType]) -> None:
    type_ = types.get(node.item)
    if type_ is None:
        raise BadPredicate(reason=f"there is no item {node.item}", reason_zh=f"没有信息项 {node.item}")
    kind = kind_of(type_)
    if kind is None:
        raise BadPredicate(
            reason=f"item {node.item} has a type that cannot be compared",
            reason_zh=f"信息项 {node.item} 的类型不能比较",
        )
    if node.op in TEXT_TESTS and kind is not Kind.TEXT:
        raise BadPredicate(reason=f"item {node.item} is not text", reason_zh=f"信息项 {node.item} 不是文本")
    if node.op in ORDERINGS and kind is Kind.BOOL:
        raise BadPredicate(
            reason=f"item {node.item} is true or false, which has no order",
            reason_zh=f"信息项 {node.item} 为真假值，没有大小顺序",
        )
    for value in node.values:
        literal(value, type_, node.item)
