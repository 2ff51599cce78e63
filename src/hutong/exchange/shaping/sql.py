"""Conditions as SQL trees. Four engines disagree on collation, LIKE and literals; here is where that ends.

- Text: SQLite compares by the column's collation, which may ignore case, so BINARY is forced. PostgreSQL
  orders by locale, so orderings force "C"; equality there is exact for every collation we admit.
  MySQL's collations all fold something: its source hands text over as bytes, and text is compared with bytes there.
- LIKE is not used: SQLite's ignores case, and patterns need escaping.
- NaN is made missing first: PostgreSQL and DuckDB order it last, Arrow not at all, and statistics omit it.
- Literals carry their type, so that no engine guesses one.
"""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

import pyarrow as pa
from sqlglot import exp

from hutong.exchange.shaping.predicate import JUNCTIONS, NULL_TESTS, TEXT_TESTS, Predicate
from hutong.exchange.shaping.values import Kind, Literal, kind_of, literal, zone_of

BINARY: dict[str, type[exp.Expr]] = {
    "eq": exp.EQ,
    "ne": exp.NEQ,
    "lt": exp.LT,
    "le": exp.LTE,
    "gt": exp.GT,
    "ge": exp.GTE,
}
DOUBLE_NAMES = {"duckdb": "DOUBLE", "sqlite": "REAL", "postgres": "DOUBLE PRECISION"}


def column(name: str) -> exp.Expr:
    return exp.column(exp.to_identifier(name, quoted=True))


def compile_predicate(
    predicate: Predicate, types: Mapping[str, pa.DataType], dialect: str, columns: Mapping[str, Any]
) -> exp.Expr:
    """One condition that check() has passed, as a tree."""
    if predicate.op in JUNCTIONS:
        parts: list[exp.Expr] = [
            exp.paren(compile_predicate(arg, types, dialect, columns), copy=False) for arg in predicate.args
        ]
        joined = parts[0]
        for part in parts[1:]:
            joined = (exp.And if predicate.op == "and" else exp.Or)(this=joined, expression=part)
        return joined
    if predicate.op == "not":
        return exp.Not(this=exp.paren(compile_predicate(predicate.args[0], types, dialect, columns), copy=False))
    item = columns[predicate.item].copy() if predicate.item in columns else column(predicate.item)
    return _leaf(predicate, item, types[predicate.item], dialect)


def _leaf(node: Predicate, item: exp.Expr, type_: pa.DataType, dialect: str) -> exp.Expr:
    item = _without_nan(item, type_, dialect)
    if node.op in NULL_TESTS:
        test = exp.Is(this=item, expression=exp.null())
        return exp.Not(this=test) if node.op == "not_null" else test
    values = [sql_literal(literal(value, type_, node.item), type_, dialect) for value in node.values]
    if node.op in TEXT_TESTS:
        return _text_test(node, item, values[0], dialect)
    item = _collated(node.op, item, type_, dialect)
    if node.op == "in":
        return exp.In(this=item, expressions=values)
    if node.op == "between":
        low, high = values
        return exp.and_(exp.GTE(this=item, expression=low), exp.LTE(this=item.copy(), expression=high), copy=False)
    return BINARY[node.op](this=item, expression=values[0])


def _without_nan(item: exp.Expr, type_: pa.DataType, dialect: str) -> exp.Expr:
    kind = kind_of(type_)
    if kind is Kind.DOUBLE and dialect == "duckdb":
        unordered = exp.Anonymous(this="isnan", expressions=[item.copy()])
        return exp.Case(ifs=[exp.If(this=unordered, true=exp.null())], default=item)
    if kind in (Kind.DOUBLE, Kind.DECIMAL) and dialect == "postgres":
        return exp.Nullif(this=item, expression=exp.Literal.string("NaN"))
    return item  # SQLite keeps no NaN, and DuckDB's decimals have none


def _collated(op: str, item: exp.Expr, type_: pa.DataType, dialect: str) -> exp.Expr:
    if kind_of(type_) is not Kind.TEXT:
        return item
    if dialect == "sqlite":
        return exp.Collate(this=item, expression=exp.var("BINARY"))
    if dialect == "postgres" and op not in ("eq", "ne", "in"):
        return exp.Collate(this=item, expression=exp.to_identifier("C", quoted=True))
    return item


def _text_test(node: Predicate, item: exp.Expr, value: exp.Expr, dialect: str) -> exp.Expr:
    if dialect == "duckdb":
        return exp.func(node.op, item, value, dialect=dialect)
    if node.op == "contains":
        position = "strpos" if dialect == "postgres" else "instr"
        return exp.GT(this=exp.Anonymous(this=position, expressions=[item, value]), expression=exp.Literal.number(0))
    start_of = str(node.values[0])
    length = exp.Literal.number(len(start_of.encode() if dialect == "mysql" else start_of))
    start: exp.Expr = exp.Anonymous(this="substr", expressions=[item, exp.Literal.number(1), length])
    if dialect == "sqlite":
        start = exp.Collate(this=start, expression=exp.var("BINARY"))
    return exp.EQ(this=start, expression=value)


def sql_literal(value: Literal, type_: pa.DataType, dialect: str) -> exp.Expr:
    """A typed literal; text is escaped by the generator of the dialect, never by us."""
    if isinstance(value, bool):
        return exp.Boolean(this=value) if dialect not in ("sqlite", "mysql") else exp.Literal.number(int(value))
    if isinstance(value, int):
        return _number(str(value))
    if isinstance(value, float) and dialect == "mysql":
        return _exponent(value)
    if isinstance(value, float):
        return exp.cast(exp.Literal.string(repr(value)), exp.DataType.build(DOUBLE_NAMES[dialect], dialect=dialect))
    if isinstance(value, Decimal):
        return _decimal(value) if dialect != "mysql" else exp.Literal.number(f"{value:f}")
    if isinstance(value, datetime.datetime):
        if dialect == "mysql":
            written = value.replace(tzinfo=None).isoformat(sep=" ", timespec="microseconds")
            return exp.cast(exp.Literal.string(written), exp.DataType.build("DATETIME(6)", dialect=dialect))
        name = "TIMESTAMPTZ" if zone_of(type_) else "TIMESTAMP"
        return exp.cast(exp.Literal.string(value.isoformat(sep=" ")), name)
    if isinstance(value, datetime.date):
        return exp.cast(exp.Literal.string(value.isoformat()), "DATE")
    return exp.HexString(this=value.encode().hex()) if dialect == "mysql" else exp.Literal.string(value)


def _exponent(value: float) -> exp.Expr:
    # With an exponent MySQL reads a double, and rounds it right; without one, an exact decimal.
    written = repr(abs(value))
    number = exp.Literal.number(written if "e" in written else written + "e0")
    return exp.Neg(this=number) if value < 0 else number


def _number(digits: str) -> exp.Expr:
    # -9223372036854775808 written as a negated literal overflows in some engines; as a cast text it does not.
    return exp.cast(exp.Literal.string(digits), "BIGINT")


def _decimal(value: Decimal) -> exp.Expr:
    fraction = max(-int(value.as_tuple().exponent), 0)
    digits = max(value.adjusted() + 1, 1) + fraction
    return exp.cast(exp.Literal.string(f"{value:f}"), f"DECIMAL({digits}, {fraction})")
