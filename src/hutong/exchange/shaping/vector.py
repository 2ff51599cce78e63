"""Conditions on Arrow tables in memory, for the few rows a point read finds. Same meaning as the SQL."""

from __future__ import annotations

from collections.abc import Callable
from functools import reduce
from typing import Any

import pyarrow as pa
import pyarrow.compute

from hutong.exchange.shaping.predicate import Predicate
from hutong.exchange.shaping.values import Kind, kind_of, literal

pc: Any = pyarrow.compute  # its stubs know only some of the types it takes

COMPARE: dict[str, Callable[[Any, Any], Any]] = {
    "eq": pc.equal,
    "ne": pc.not_equal,
    "lt": pc.less,
    "le": pc.less_equal,
    "gt": pc.greater,
    "ge": pc.greater_equal,
}


def kept(table: pa.Table, predicate: Predicate) -> pa.Table:
    """The rows for which the condition is true.

    raises   BadPredicate
    """
    predicate.check({field.name: field.type for field in table.schema})
    return table.filter(pc.fill_null(_truth(table, predicate), False))


def _truth(table: pa.Table, node: Predicate) -> Any:
    if node.op == "and":
        return reduce(pc.and_kleene, (_truth(table, arg) for arg in node.args))
    if node.op == "or":
        return reduce(pc.or_kleene, (_truth(table, arg) for arg in node.args))
    if node.op == "not":
        return pc.invert(_truth(table, node.args[0]))
    return _leaf(table.column(node.item), node)


def _leaf(column: Any, node: Predicate) -> Any:
    if kind_of(column.type) is Kind.DOUBLE:
        column = pc.if_else(pc.is_nan(column), pa.scalar(None, column.type), column)
    if node.op == "is_null":
        return pc.is_null(column)
    if node.op == "not_null":
        return pc.is_valid(column)
    values = [literal(value, column.type, node.item) for value in node.values]
    if node.op == "starts_with":
        return pc.starts_with(column, str(values[0]))
    if node.op == "contains":
        return pc.match_substring(column, str(values[0]))
    if node.op == "in":
        if kind_of(column.type) in (Kind.TEXT, Kind.DATE):
            found = pc.is_in(column, value_set=pa.array(values, column.type))
            return pc.if_else(pc.is_null(column), pa.scalar(None, pa.bool_()), found)
        return reduce(pc.or_kleene, (_compared(column, "eq", value) for value in values))
    if node.op == "between":
        return pc.and_kleene(_compared(column, "ge", values[0]), _compared(column, "le", values[1]))
    return _compared(column, node.op, values[0])


def _compared(column: Any, op: str, value: Any) -> Any:
    kind = kind_of(column.type)
    scalar: Any
    if kind is Kind.TIMESTAMP:
        scalar = pa.scalar(value, pa.timestamp("us", tz=column.type.tz))
    elif kind is Kind.DECIMAL:
        scalar = pa.scalar(value)
    elif kind is Kind.DOUBLE:
        scalar = pa.scalar(value, pa.float64())
    elif kind is Kind.INTEGER:
        scalar = pa.scalar(value, pa.int64())
    else:
        scalar = pa.scalar(value, column.type)
    if pa.types.is_uint64(column.type):  # beside a signed number it would be made one, and may not fit
        column, scalar = column.cast(pa.decimal128(20, 0)), scalar.cast(pa.decimal128(20, 0))
    return COMPARE[op](column, scalar)
