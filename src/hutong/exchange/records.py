"""Rows of a granted source: cut to the grant's rows and items, masked, ready to leave."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial

import orjson
import pyarrow as pa

from hutong.exchange.converted import whole_converted
from hutong.exchange.formats.encoding import json_columns
from hutong.exchange.grants.book import Opened
from hutong.exchange.grants.rules import Allowed
from hutong.exchange.query import Query
from hutong.exchange.shaping.canaries import as_they_leave, sown
from hutong.exchange.shaping.mask_vector import mask_table
from hutong.exchange.shaping.masks import MaskedItem
from hutong.exchange.shaping.predicate import Predicate
from hutong.exchange.shaping.values import Scalar
from hutong.exchange.sources import Source
from hutong.vocabulary.errors import Refused

Rows = Sequence[bytes]  # one JSON object each


def lookup_rows(
    opened: Opened, allowed: Allowed, key: str, values: Sequence[Scalar], where: Predicate | None = None
) -> dict[tuple[type, Scalar], list[bytes]]:
    """The rows of many keys in one read of the source, by type and value as asked. A key without rows is left out.

    where   of the consumer, besides the grant's own
    """
    source, names = _source(opened), [item.name for item in allowed.items]
    asked = names if key in names else [*names, key]
    # As asked, "7" and "007" may be one key of a column of numbers: rows are told apart by what the source holds.
    wanted = {(type(value), value): held for value, held in zip(values, source.key_values(key, values), strict=True)}
    condition = Predicate.all_of(opened.terms.where, where)
    table = source.lookup(asked, key, list(dict.fromkeys(values)), condition)
    rows = json_rows_of(mask_table(table, _masked(opened, allowed), opened.terms.pseudonym_key))
    by_held: dict[object, list[bytes]] = {}
    for held, row in zip(table.column(key).to_pylist(), rows, strict=True):
        by_held.setdefault(held, []).append(row)
    return {asked_as: by_held[held] for asked_as, held in wanted.items() if held in by_held}


def read_rows(opened: Opened, allowed: Allowed, query: Query, most: int) -> Rows:
    """The rows of one query, at most `most` of them."""
    limit = most if query.limit is None else min(query.limit, most)
    reader = _source(opened).read_masked(
        _masked(opened, allowed), _condition(opened, query), limit, opened.terms.pseudonym_key
    )
    return json_rows_of(reader.read_all())


def open_rows(opened: Opened, allowed: Allowed, query: Query) -> pa.RecordBatchReader:
    """The rows of one query as a stream in constant memory."""
    return _source(opened).read_masked(
        _masked(opened, allowed), _condition(opened, query), query.limit, opened.terms.pseudonym_key
    )


def sowing(
    opened: Opened, query: Query, schema: pa.Schema
) -> Callable[[Iterator[pa.RecordBatch]], Iterator[pa.RecordBatch]] | None:
    """Adds the agreement's canaries to a stream; they count as rows. None where there are none.

    A query with a limit asks for a look, and a replay for what stayed behind: neither gets canaries.
    """
    tracing = opened.grant.tracing
    if tracing is None or tracing.canaries is None or query.limit is not None or query.replay:
        return None
    if tracing.canaries.item not in schema.names:
        return None
    one, key = tracing.canaries, opened.terms.pseudonym_key
    type_ = _source(opened).types()[one.item]
    return partial(
        sown, canaries=one, identifiers=as_they_leave(one, opened.terms.masked[one.item], type_, key), grant_key=key
    )


def granted_rows(opened: Opened, only: Predicate | None = None) -> pa.RecordBatchReader:
    """Everything a grant gives: all its rows and items, masked, as its consumer would be served them.

    only   a condition of our own, on the source's values, for a part of them
    """
    if opened.terms.codes:
        return whole_converted(opened, only)
    masked = [opened.terms.masked[item.name] for item in opened.grant.items]
    where = Predicate.all_of(opened.terms.where, only)
    return _source(opened).read_masked(masked, where, None, opened.terms.pseudonym_key)


def json_rows_of(table: pa.Table) -> list[bytes]:
    names = table.column_names
    return [orjson.dumps(dict(zip(names, row, strict=True))) for row in zip(*json_columns(table), strict=True)]


def _source(opened: Opened) -> Source:
    if isinstance(opened.source, Refused):
        raise opened.source
    return opened.source


def _masked(opened: Opened, allowed: Allowed) -> list[MaskedItem]:
    return [opened.terms.masked[item.name] for item in allowed.items]


def _condition(opened: Opened, query: Query) -> Predicate | None:
    """The grant's own condition and the consumer's: both must hold."""
    return Predicate.all_of(opened.terms.where, query.where, query.by_key)
