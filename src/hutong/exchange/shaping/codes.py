"""Code maps in the data plane: local codes to regional ones as vectors, and conditions the other way round.

1. A value the map does not hold is never guessed: its row does not leave, and is counted as withheld.
2. A missing value stays missing. A code is compared exactly; whole numbers by their decimal digits.
3. Conditions on a converted item speak regional codes. They are answered in the map, code by code, and become a list
   of local codes for the source; so a local code can never be tested from outside.
4. A row with an unmapped value counts as withheld only where it could belong to the answer: every test of the unmapped
   item is taken as passed, all others as they are.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import pyarrow as pa
import pyarrow.compute

from hutong.exchange.shaping.predicate import JUNCTIONS, NULL_TESTS, Predicate
from hutong.exchange.shaping.values import Kind, kind_of
from hutong.vocabulary.errors import Refused

pc: Any = pyarrow.compute  # its stubs know only some of the types it takes

CONVERTIBLE = frozenset({Kind.TEXT, Kind.INTEGER})


class BadConversion(Refused):
    """Item {item} cannot be converted by its code map: {reason}."""

    zh = "信息项 {item} 无法按其代码映射转换：{reason}。"
    code = "bad_conversion"
    status = 500
    next_en = "The provider's steward must correct the code map."
    next_zh = "请提供方数据管家更正代码映射。"


@dataclass(frozen=True)
class CodeMap:
    """One approved version of a code map. `pairs`: local code to regional code, both as text."""

    id: str
    pairs: Mapping[str, str]

    @cached_property
    def _locals(self) -> Any:
        return pa.array(list(self.pairs), pa.string())

    @cached_property
    def _regionals(self) -> Any:
        return pa.array(list(self.pairs.values()), pa.string())

    def places(self, values: Any) -> Any:
        """Per value its place in the map; null for a missing value and for one the map does not hold."""
        return pc.index_in(as_text(values), value_set=self._locals)

    def converted(self, places: Any) -> Any:
        """Regional codes, as text."""
        return self._regionals.take(places)

    def locals_for(self, passes: Callable[[str], bool], type_: pa.DataType) -> tuple[str, ...]:
        """The local codes that a column of this type can hold and whose regional code passes."""
        whole = kind_of(type_) is Kind.INTEGER
        return tuple(
            local for local, regional in self.pairs.items() if passes(regional) and (not whole or is_whole(local))
        )


def as_text(values: Any) -> Any:
    """A column's codes as text."""
    return values if pa.types.is_string(values.type) else pc.cast(values, pa.string())


def is_whole(code: str) -> bool:
    """True for a code that is a whole number as a column of whole numbers writes it."""
    digits = code.removeprefix("-")
    return digits.isascii() and digits.isdigit() and len(digits) <= 18 and code == str(int(code))


def check_convertible(item: str, type_: pa.DataType) -> None:
    """raises   BadConversion for a type that has no codes"""
    if kind_of(type_) not in CONVERTIBLE:
        raise BadConversion(
            item=item, reason="only text and whole numbers have codes", reason_zh="只有文本和整数可作代码"
        )


def localised(
    where: Predicate | None, maps: Mapping[str, CodeMap], types: Mapping[str, pa.DataType]
) -> Predicate | None:
    """The condition in local codes, which every row that leaves or is withheld satisfies.

    where    speaks regional codes for the items of `maps`
    raises   BadPredicate
    """
    if where is None:
        return None
    where.check({**types, **dict.fromkeys(maps, pa.string())})
    return _pushed(where, maps, types, negated=False)


def _pushed(
    node: Predicate, maps: Mapping[str, CodeMap], types: Mapping[str, pa.DataType], *, negated: bool
) -> Predicate:
    """Negation is carried to the leaves, so that "could be true" can be said at each leaf alone."""
    if node.op == "not":
        return _pushed(node.args[0], maps, types, negated=not negated)
    if node.op in JUNCTIONS:
        op = node.op if not negated else ("or" if node.op == "and" else "and")
        return Predicate(op, args=tuple(_pushed(arg, maps, types, negated=negated) for arg in node.args))
    if node.item not in maps:
        return Predicate("not", args=(node,)) if negated else node
    if node.op in NULL_TESTS:
        opposite = "not_null" if node.op == "is_null" else "is_null"
        return Predicate(opposite if negated else node.op, node.item)
    return _coded(node, maps[node.item], types[node.item], negated)


def _coded(node: Predicate, codes: CodeMap, type_: pa.DataType, negated: bool) -> Predicate:
    """The local codes whose regional code passes the test, or any local code the map does not hold."""
    passes = TESTS[node.op]
    values = tuple(str(value) for value in node.values)  # texts: localised() has checked
    among = codes.locals_for(lambda regional: passes(regional, values) is not negated, type_)
    known = codes.locals_for(lambda _: True, type_)
    unknown = Predicate("not", args=(Predicate("in", node.item, known),)) if known else Predicate("not_null", node.item)
    return Predicate("or", args=(Predicate("in", node.item, among), unknown)) if among else unknown


TESTS: dict[str, Callable[[str, tuple[str, ...]], bool]] = {
    "eq": lambda code, values: code == values[0],
    "ne": lambda code, values: code != values[0],
    "lt": lambda code, values: code < values[0],
    "le": lambda code, values: code <= values[0],
    "gt": lambda code, values: code > values[0],
    "ge": lambda code, values: code >= values[0],
    "in": lambda code, values: code in values,
    "between": lambda code, values: values[0] <= code <= values[1],
    "starts_with": lambda code, values: code.startswith(values[0]),
    "contains": lambda code, values: values[0] in code,
}
