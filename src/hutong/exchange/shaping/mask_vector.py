"""Masks on Arrow arrays: all of them for small tables, where there is no engine to start, and for streams those that
DuckDB has no functions for (mask_sql.in_sql).
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable, Sequence
from typing import Any

import pyarrow as pa
import pyarrow.compute
from cryptography.hazmat.primitives.hashes import SM3
from cryptography.hazmat.primitives.hmac import HMAC

from hutong.exchange.shaping import masks
from hutong.exchange.shaping.encrypt import encrypted
from hutong.exchange.shaping.masks import Keys, Mask, MaskedItem, output_schema
from hutong.exchange.shaping.values import Kind, kind_of
from hutong.exchange.shaping.watermark import marked

pc: Any = pyarrow.compute  # its stubs know only some of the types it takes

SYSTEM_HAS_SM3 = "sm3" in hashlib.algorithms_available
NOTHING = pa.scalar(None, pa.string())
STAR = pa.scalar("*", pa.string())
JOINER = pa.scalar("", pa.string())


def mask_table(table: pa.Table, items: Sequence[MaskedItem], key: bytes | None) -> pa.Table:
    """The items of a table in order, each under its mask.

    raises   BadMask; KeyError for an item the table lacks
    """
    keys = Keys.of(items, key)
    schema = output_schema(table.schema, items)
    columns = [leaving(table.column(item.name), item, keys) for item in items]
    return pa.Table.from_arrays(columns, schema=schema)


def leaving(values: Any, item: MaskedItem, keys: Keys) -> Any:
    """A column as it leaves: under its mask, and with its mark where it bears one."""
    shown = masked(values, item.mask, keys)
    return marked(shown, keys.marks) if item.marked else shown


def masked(values: Any, mask: Mask, keys: Keys) -> Any:
    """values   an array or chunked array; the mask has been checked against its type"""
    if mask.action == "keep":
        return values
    if mask.action == "null":
        return pa.nulls(len(values), values.type)
    kind = kind_of(values.type)
    if mask.action == "fixed":
        fixed = pa.scalar(masks.fixed_value(kind, values.type)).cast(values.type)
        return pc.if_else(pc.is_valid(values), fixed, pa.scalar(None, values.type))
    if mask.action in ("year", "month") and kind is not Kind.TEXT:
        return pc.floor_temporal(values, unit=mask.action).cast(values.type)
    text = values if kind is Kind.TEXT else pc.cast(values, pa.string())
    if mask.action in masks.ENCRYPTED:
        return encrypted(text, mask, keys.grant)
    if mask.action in ("pseudonym", *masks.HASHED):
        return _digests(text, mask, keys)
    return _TEXT_MASKS[mask.action](text, mask.n).cast(pa.string())


def _digests(text: Any, mask: Mask, keys: Keys) -> Any:
    """One digest for each different value."""
    known = pc.unique(text)
    made = [None if value is None else _digest(value.encode("utf-8"), mask, keys) for value in known.to_pylist()]
    return pa.array(made, pa.string()).take(pc.index_in(text, value_set=known))


def _digest(value: bytes, mask: Mask, keys: Keys) -> str:
    if mask.action == "pseudonym":
        made = hmac_sm3(keys.grant, value) if mask.suite == "sm" else hmac.digest(keys.grant, value, "sha256")
        return made.hex()[: masks.PSEUDONYM_DIGITS]
    salt = keys.answer if mask.action == "sha256_query" else b""
    return hashlib.sha256(salt + value).hexdigest()


def hmac_sm3(key: bytes, value: bytes) -> bytes:
    """By the system's library, twice as fast; by the one that `cryptography` brings where that lacks SM3."""
    if SYSTEM_HAS_SM3:
        return hmac.digest(key, value, "sm3")
    made = HMAC(key, SM3())
    made.update(value)
    return made.finalize()


def _first(text: Any, n: int) -> Any:
    return _joined(pc.utf8_slice_codeunits(text, 0, n), _stars(text, n))


def _last(text: Any, n: int) -> Any:
    return _joined(_stars(text, n), pc.utf8_slice_codeunits(text, -n))


def _alphanum(text: Any, _: int = 0) -> Any:
    others = pc.replace_substring_regex(text, pattern=masks.NEITHER_DIGIT_NOR_KEPT, replacement="x")
    return pc.replace_substring_regex(others, pattern=masks.DIGIT, replacement="n")


def _show_first(text: Any, n: int) -> Any:
    return _joined(pc.utf8_slice_codeunits(text, 0, n), _alphanum(pc.utf8_slice_codeunits(text, n)))


def _show_last(text: Any, n: int) -> Any:
    return _joined(_alphanum(pc.utf8_slice_codeunits(text, 0, -n)), pc.utf8_slice_codeunits(text, -n))


def _name(text: Any, _: int) -> Any:
    return pc.if_else(pc.less_equal(pc.utf8_length(text), 1), _stars(text, 0), _first(text, 1))


def _identity_number(text: Any, _: int) -> Any:
    shown = _joined(pc.utf8_slice_codeunits(text, 0, 3), _stars(text, 7), pc.utf8_slice_codeunits(text, -4))
    return pc.if_else(pc.match_substring_regex(text, masks.IDENTITY_SHAPE), shown, _stars(text, 0))


def _phone(text: Any, _: int) -> Any:
    hidden = pa.scalar("****", pa.string())
    shown = _joined(pc.utf8_slice_codeunits(text, 0, 3), hidden, pc.utf8_slice_codeunits(text, -4))
    return pc.if_else(pc.match_substring_regex(text, masks.PHONE_SHAPE), shown, hidden)


def _year(text: Any, _: int) -> Any:
    return pc.if_else(pc.match_substring_regex(text, masks.YEAR_SHAPE), pc.utf8_slice_codeunits(text, 0, 4), NOTHING)


def _month(text: Any, _: int) -> Any:
    return pc.if_else(pc.match_substring_regex(text, masks.MONTH_SHAPE), pc.utf8_slice_codeunits(text, 0, 7), NOTHING)


_TEXT_MASKS: dict[str, Callable[[Any, int], Any]] = {
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


def _joined(*parts: Any) -> Any:
    return pc.binary_join_element_wise(*parts, JOINER)


def _stars(text: Any, beyond: int) -> Any:
    return pc.binary_repeat(STAR, pc.max_element_wise(pc.subtract(pc.utf8_length(text), beyond), 0, skip_nulls=False))
