"""Masks as DuckDB SQL, for bulk: one vectorised expression per item, fused with the scan."""

from __future__ import annotations

from collections.abc import Callable

import pyarrow as pa
from sqlglot import exp

from hutong.exchange.shaping import masks
from hutong.exchange.shaping.masks import Keys, Mask
from hutong.exchange.shaping.values import Kind, kind_of

BLOCK_BYTES = 64  # of SHA-256, for HMAC


def in_sql(mask: Mask) -> bool:
    """False for masks that DuckDB has no functions for: FF1 and SM3. mask_vector.py does those, batch by batch."""
    return mask.action not in masks.ENCRYPTED and not mask.suite


def masked(item: exp.Expr, mask: Mask, type_: pa.DataType, keys: Keys) -> exp.Expr:
    """The value that leaves. The mask has been checked against the type (Mask.output_type), and is in_sql()."""
    kind = kind_of(type_)
    if mask.action == "keep":
        return item
    if mask.action in ("null", "fixed"):
        empty: exp.Expr = exp.cast(exp.null(), exp.DataType.build(_duckdb_type(type_), dialect="duckdb"))
        return empty if mask.action == "null" else _unless_missing(item, _fixed(kind, type_))
    if mask.action in ("year", "month") and kind is not Kind.TEXT:
        return _truncated(item, mask.action, type_)
    text = item if kind is Kind.TEXT else exp.cast(item, "VARCHAR")
    if mask.action == "pseudonym":
        return pseudonym(text, keys.grant)
    if mask.action in masks.HASHED:
        return _hashed(text, keys.answer if mask.action == "sha256_query" else b"")
    return _TEXT_MASKS[mask.action](text, mask.n)


def pseudonym(text: exp.Expr, key: bytes) -> exp.Expr:
    """HMAC-SHA256 (RFC 2104) written out with DuckDB's sha256, which has no keyed form."""
    if len(key) > BLOCK_BYTES:
        raise ValueError("a key longer than a block would have to be hashed first")
    block = key.ljust(BLOCK_BYTES, b"\0")
    inner = exp.DPipe(this=_blob(bytes(one ^ 0x36 for one in block)), expression=_call("encode", text))
    inner_hash = _call("unhex", _call("sha256", inner))
    outer = exp.DPipe(this=_blob(bytes(one ^ 0x5C for one in block)), expression=inner_hash)
    return _call("left", _call("sha256", outer), _integer(masks.PSEUDONYM_DIGITS))


def _hashed(text: exp.Expr, salt: bytes) -> exp.Expr:
    value = _call("encode", text)
    return _call("sha256", exp.DPipe(this=_blob(salt), expression=value) if salt else value)


def _fixed(kind: Kind | None, type_: pa.DataType) -> exp.Expr:
    return exp.cast(
        exp.Literal.string(masks.fixed_value(kind, type_)), exp.DataType.build(_duckdb_type(type_), dialect="duckdb")
    )


def _unless_missing(item: exp.Expr, value: exp.Expr) -> exp.Expr:
    return exp.Case(ifs=[exp.If(this=exp.Not(this=exp.Is(this=item, expression=exp.null())), true=value)])


def _truncated(item: exp.Expr, unit: str, type_: pa.DataType) -> exp.Expr:
    start = _call("date_trunc", exp.Literal.string(unit), item)
    return exp.cast(start, exp.DataType.build(_duckdb_type(type_), dialect="duckdb"))


def _first(text: exp.Expr, n: int) -> exp.Expr:
    return _joined(_call("left", text, _integer(n)), _stars(text, n))


def _last(text: exp.Expr, n: int) -> exp.Expr:
    return _joined(_stars(text, n), _call("right", text, _integer(n)))


def _alphanum(text: exp.Expr, _: int = 0) -> exp.Expr:
    others = _call("regexp_replace", text, exp.Literal.string(masks.NEITHER_DIGIT_NOR_KEPT), *_literals("x", "g"))
    return _call("regexp_replace", others, exp.Literal.string(masks.DIGIT), *_literals("n", "g"))


def _show_first(text: exp.Expr, n: int) -> exp.Expr:
    return _joined(_call("left", text, _integer(n)), _alphanum(_call("substr", text, _integer(n + 1))))


def _show_last(text: exp.Expr, n: int) -> exp.Expr:
    hidden = _call("greatest", exp.Sub(this=_call("length", text), expression=_integer(n)), _integer(0))
    return _joined(_alphanum(_call("left", text, hidden)), _call("right", text, _integer(n)))


def _name(text: exp.Expr, _: int) -> exp.Expr:
    single = exp.LTE(this=_call("length", text), expression=_integer(1))
    return exp.If(this=single, true=_stars(text, 0), false=_first(text, 1))


def _identity_number(text: exp.Expr, _: int) -> exp.Expr:
    shown = _joined(_call("left", text, _integer(3)), _stars(text, 7), _call("right", text, _integer(4)))
    return exp.If(this=_shaped(text, masks.IDENTITY_SHAPE), true=shown, false=_stars(text, 0))


def _phone(text: exp.Expr, _: int) -> exp.Expr:
    hidden = exp.Literal.string("****")
    shown = _joined(_call("left", text, _integer(3)), hidden, _call("right", text, _integer(4)))
    missing = exp.Is(this=text.copy(), expression=exp.null())
    return exp.Case(
        ifs=[
            exp.If(this=missing, true=exp.null()),
            exp.If(this=_shaped(text, masks.PHONE_SHAPE), true=shown),
        ],
        default=hidden.copy(),
    )


def _year(text: exp.Expr, _: int) -> exp.Expr:
    return exp.Case(ifs=[exp.If(this=_shaped(text, masks.YEAR_SHAPE), true=_call("left", text, _integer(4)))])


def _month(text: exp.Expr, _: int) -> exp.Expr:
    return exp.Case(ifs=[exp.If(this=_shaped(text, masks.MONTH_SHAPE), true=_call("left", text, _integer(7)))])


_TEXT_MASKS: dict[str, Callable[[exp.Expr, int], exp.Expr]] = {
    "first": _first,
    "last": _last,
    "alphanum": _alphanum,
    "show_first": _show_first,
    "show_last": _show_last,
    "name": _name,
    "identity_number": _identity_number,
    "phone": _phone,
    "year": _year,
    "month": _month,
}


def _call(name: str, *arguments: exp.Expr) -> exp.Expr:
    # Anonymous, so that no translation between dialects changes what a mask computes.
    return exp.Anonymous(this=name, expressions=[argument.copy() for argument in arguments])


def _literals(*texts: str) -> list[exp.Expr]:
    return [exp.Literal.string(text) for text in texts]


def _integer(number: int) -> exp.Expr:
    return exp.Literal.number(number)


def _joined(*parts: exp.Expr) -> exp.Expr:
    whole = parts[0]
    for part in parts[1:]:
        whole = exp.DPipe(this=whole, expression=part)
    return exp.paren(whole, copy=False)


def _stars(text: exp.Expr, beyond: int) -> exp.Expr:
    """One star per character after the first `beyond`."""
    length: exp.Expr = _call("length", text)
    if beyond:
        length = _call("greatest", exp.Sub(this=length, expression=_integer(beyond)), _integer(0))
    return _call("repeat", exp.Literal.string("*"), length)


def _shaped(text: exp.Expr, pattern: str) -> exp.Expr:
    return _call("regexp_matches", text, exp.Literal.string(pattern))


def _blob(value: bytes) -> exp.Expr:
    return _call("unhex", exp.Literal.string(value.hex()))


def _duckdb_type(type_: pa.DataType) -> str:
    if pa.types.is_timestamp(type_):
        return (
            "TIMESTAMPTZ"
            if type_.tz
            else {"s": "TIMESTAMP_S", "ms": "TIMESTAMP_MS", "ns": "TIMESTAMP_NS"}.get(type_.unit, "TIMESTAMP")
        )
    if pa.types.is_decimal128(type_):
        return f"DECIMAL({type_.precision}, {type_.scale})"
    return _NAMES[str(type_)]


_NAMES = {
    "string": "VARCHAR",
    "large_string": "VARCHAR",
    "bool": "BOOLEAN",
    "int8": "TINYINT",
    "int16": "SMALLINT",
    "int32": "INTEGER",
    "int64": "BIGINT",
    "uint8": "UTINYINT",
    "uint16": "USMALLINT",
    "uint32": "UINTEGER",
    "uint64": "UBIGINT",
    "float": "FLOAT",
    "double": "DOUBLE",
    "date32[day]": "DATE",
}
