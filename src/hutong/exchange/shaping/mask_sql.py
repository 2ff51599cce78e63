"""Masks as DuckDB SQL, for bulk: one vectorised expression per item, fused with the scan."""

from __future__ import annotations

import pyarrow as pa
from sqlglot import exp

from hutong.exchange.shaping import masks
from hutong.exchange.shaping.masks import Mask
from hutong.exchange.shaping.values import Kind, kind_of

BLOCK_BYTES = 64  # of SHA-256, for HMAC


def masked(item: exp.Expr, mask: Mask, type_: pa.DataType, key: bytes | None) -> exp.Expr:
    """The value that leaves. The mask has been checked against the type (Mask.output_type)."""
    kind = kind_of(type_)
    if mask.action == "keep":
        return item
    if mask.action == "null":
        return exp.cast(exp.null(), exp.DataType.build(_duckdb_type(type_), dialect="duckdb"))
    if mask.action in ("year", "month") and kind is not Kind.TEXT:
        return _truncated(item, mask.action, type_)
    text = item if kind is Kind.TEXT else exp.cast(item, "VARCHAR")
    if mask.action == "pseudonym":
        return pseudonym(text, key or b"")
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


def _truncated(item: exp.Expr, unit: str, type_: pa.DataType) -> exp.Expr:
    start = _call("date_trunc", exp.Literal.string(unit), item)
    return exp.cast(start, exp.DataType.build(_duckdb_type(type_), dialect="duckdb"))


def _first(text: exp.Expr, n: int) -> exp.Expr:
    return _joined(_call("left", text, _integer(n)), _stars(text, n))


def _last(text: exp.Expr, n: int) -> exp.Expr:
    return _joined(_stars(text, n), _call("right", text, _integer(n)))


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


_TEXT_MASKS = {
    "first": _first,
    "last": _last,
    "name": _name,
    "identity_number": _identity_number,
    "phone": _phone,
    "year": _year,
    "month": _month,
}


def _call(name: str, *arguments: exp.Expr) -> exp.Expr:
    # Anonymous, so that no translation between dialects changes what a mask computes.
    return exp.Anonymous(this=name, expressions=[argument.copy() for argument in arguments])


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
