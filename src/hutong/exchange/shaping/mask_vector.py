"""Masks on Arrow arrays, for small tables: no engine to start, some tens of microseconds an item."""

from __future__ import annotations

import hmac
from collections.abc import Callable, Sequence
from typing import Any

import pyarrow as pa
import pyarrow.compute

from hutong.exchange.shaping import masks
from hutong.exchange.shaping.masks import Mask, MaskedItem, check_key, output_schema
from hutong.exchange.shaping.values import Kind, kind_of

pc: Any = pyarrow.compute  # its stubs know only some of the types it takes

NOTHING = pa.scalar(None, pa.string())
STAR = pa.scalar("*", pa.string())
JOINER = pa.scalar("", pa.string())


def mask_table(table: pa.Table, items: Sequence[MaskedItem], key: bytes | None) -> pa.Table:
    """The items of a table in order, each under its mask.

    raises   BadMask; KeyError for an item the table lacks
    """
    check_key(items, key)
    schema = output_schema(table.schema, items)
    columns = [masked(table.column(item.name), item.mask, key or b"") for item in items]
    return pa.Table.from_arrays(columns, schema=schema)


def masked(values: Any, mask: Mask, key: bytes) -> Any:
    """values   an array or chunked array; the mask has been checked against its type"""
    if mask.action == "keep":
        return values
    if mask.action == "null":
        return pa.nulls(len(values), values.type)
    kind = kind_of(values.type)
    if mask.action in ("year", "month") and kind is not Kind.TEXT:
        return pc.floor_temporal(values, unit=mask.action).cast(values.type)
    text = values if kind is Kind.TEXT else pc.cast(values, pa.string())
    if mask.action == "pseudonym":
        return _pseudonyms(text, key)
    return _TEXT_MASKS[mask.action](text, mask.n).cast(pa.string())


def _pseudonyms(text: Any, key: bytes) -> Any:
    """One HMAC per value in Python: for small tables only."""
    digits = masks.PSEUDONYM_DIGITS
    return pa.array(
        [
            None if value is None else hmac.digest(key, value.encode("utf-8"), "sha256").hex()[:digits]
            for value in text.to_pylist()
        ],
        pa.string(),
    )


def _first(text: Any, n: int) -> Any:
    return _joined(pc.utf8_slice_codeunits(text, 0, n), _stars(text, n))


def _last(text: Any, n: int) -> Any:
    return _joined(_stars(text, n), pc.utf8_slice_codeunits(text, -n))


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
