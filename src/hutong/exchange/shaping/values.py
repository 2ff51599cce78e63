"""Kinds of item values, and reading a condition's literal as one of them.

The wire has text, whole numbers and booleans only (canonical JSON has no floats), so decimals, dates and
times are written as text and read by the item's type.
"""

from __future__ import annotations

import datetime
import math
import re
from decimal import Decimal, InvalidOperation
from enum import StrEnum
from functools import lru_cache
from typing import Any

import pyarrow as pa

from hutong.vocabulary.errors import Refused

Scalar = str | int | bool
Literal = str | int | float | bool | Decimal | datetime.date | datetime.datetime

INT64_LEAST, INT64_MOST = -(2**63), 2**63 - 1
DECIMAL_DIGITS = 38  # what every engine's decimal holds
DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
TIME = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}[T ][0-9]{2}:[0-9]{2}(:[0-9]{2}(\.[0-9]{1,6})?)?(Z|[+-][0-9]{2}:[0-9]{2})?"
)
NUMBER = re.compile(r"[+-]?[0-9]{1,40}(\.[0-9]{1,40})?([eE][+-]?[0-9]{1,3})?")


class Kind(StrEnum):
    TEXT = "string"
    INTEGER = "int64"
    DOUBLE = "double"
    DECIMAL = "decimal"
    BOOL = "bool"
    DATE = "date"
    TIMESTAMP = "timestamp"


class BadPredicate(Refused):
    """The row condition cannot be used: {reason}."""

    zh = "行条件不可用：{reason}。"
    code = "bad_predicate"
    status = 400
    next_en = "Correct the condition; only items of the agreement and the listed comparisons are possible."
    next_zh = "请更正条件；只能使用协议中的信息项和列出的比较方式。"


@lru_cache(maxsize=1_000)
def kind_of(type_: pa.DataType) -> Kind | None:
    """The kind of an Arrow type, or None for a type that cannot be shared (lists, structs, bytes, durations)."""
    checks = (
        (Kind.TEXT, pa.types.is_string(type_) or pa.types.is_large_string(type_)),
        (Kind.BOOL, pa.types.is_boolean(type_)),
        (Kind.INTEGER, pa.types.is_integer(type_)),
        (Kind.DOUBLE, pa.types.is_float32(type_) or pa.types.is_float64(type_)),
        (Kind.DECIMAL, pa.types.is_decimal128(type_)),
        (Kind.DATE, pa.types.is_date32(type_)),
        (Kind.TIMESTAMP, pa.types.is_timestamp(type_)),
    )
    return next((kind for kind, fits in checks if fits), None)


def kind_named(name: str) -> Kind | None:
    """The kind of a type that is kept by its name, str() of an Arrow type; None as in kind_of."""
    plain = name.partition("[")[0].partition("(")[0]
    if plain.startswith(("int", "uint")):
        return Kind.INTEGER
    return {
        "string": Kind.TEXT,
        "large_string": Kind.TEXT,
        "bool": Kind.BOOL,
        "float": Kind.DOUBLE,
        "double": Kind.DOUBLE,
        "decimal128": Kind.DECIMAL,
        "date32": Kind.DATE,
        "timestamp": Kind.TIMESTAMP,
    }.get(plain)


def literal(value: Scalar, type_: pa.DataType, item: str) -> Literal:
    """A condition's value as the item's type has it.

    raises   BadPredicate where it is not one; the message names the item, never the value
    """
    kind = kind_of(type_)
    if kind is None:
        raise BadPredicate(
            reason=f"item {item} has a type that cannot be compared", reason_zh=f"信息项 {item} 的类型不能比较"
        )
    read = READERS[kind]
    try:
        found = read(value, type_)
    except (ValueError, InvalidOperation, OverflowError):
        found = None
    if found is None:
        raise BadPredicate(
            reason=f"the value for item {item} is not of type {kind.value}",
            reason_zh=f"信息项 {item} 的值不是 {kind.value} 类型",
        )
    return found


def _text(value: Scalar, _: pa.DataType) -> str | None:
    return value if isinstance(value, str) else None


def _bool(value: Scalar, _: pa.DataType) -> bool | None:
    return value if isinstance(value, bool) else None


def _integer(value: Scalar, _: pa.DataType) -> int | None:
    if isinstance(value, bool):
        return None
    if isinstance(value, str) and not re.fullmatch(r"-?[0-9]{1,20}", value):
        return None
    number = int(value)
    return number if INT64_LEAST <= number <= INT64_MOST else None


def _double(value: Scalar, _: pa.DataType) -> float | None:
    if isinstance(value, bool) or (isinstance(value, str) and not NUMBER.fullmatch(value)):
        return None
    number = float(value)
    return number if math.isfinite(number) else None


def _decimal(value: Scalar, _: pa.DataType) -> Decimal | None:
    if isinstance(value, bool) or (isinstance(value, str) and not NUMBER.fullmatch(value)):
        return None
    number = Decimal(value)
    whole, fraction = max(number.adjusted() + 1, 1), max(-int(number.as_tuple().exponent), 0)
    return number if whole + fraction <= DECIMAL_DIGITS else None


def _date(value: Scalar, _: pa.DataType) -> datetime.date | None:
    if not isinstance(value, str) or not DATE.fullmatch(value):
        return None
    return datetime.date.fromisoformat(value)


def zone_of(type_: Any) -> str | None:
    """The time zone of a timestamp type; None for times without one."""
    return type_.tz  # type: ignore[no-any-return]


def _timestamp(value: Scalar, type_: pa.DataType) -> datetime.datetime | None:
    if not isinstance(value, str):
        return None
    if DATE.fullmatch(value):
        value += "T00:00:00" + ("Z" if zone_of(type_) else "")
    if not TIME.fullmatch(value):
        return None
    moment = datetime.datetime.fromisoformat(value)
    if (moment.tzinfo is None) != (zone_of(type_) is None):
        return None  # a time of day without its zone, or a zone where the source has none, is a guess
    return moment.astimezone(datetime.UTC) if moment.tzinfo else moment


READERS = {
    Kind.TEXT: _text,
    Kind.INTEGER: _integer,
    Kind.DOUBLE: _double,
    Kind.DECIMAL: _decimal,
    Kind.BOOL: _bool,
    Kind.DATE: _date,
    Kind.TIMESTAMP: _timestamp,
}
