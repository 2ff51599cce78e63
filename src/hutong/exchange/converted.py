"""Rows of a grant that converts codes: conditions to local codes, rows to regional ones, masks after that."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import pyarrow as pa

from hutong.exchange.grants.book import Opened
from hutong.exchange.grants.rules import Allowed
from hutong.exchange.query import Query
from hutong.exchange.shaping.codes import CodeMap, localised
from hutong.exchange.shaping.converting import Converter, Withheld
from hutong.exchange.shaping.mask_vector import mask_table
from hutong.exchange.shaping.masks import MaskedItem
from hutong.exchange.shaping.predicate import Predicate
from hutong.exchange.shaping.shape import shape
from hutong.exchange.shaping.values import Scalar
from hutong.exchange.sources import Source
from hutong.exchange.sources.source import guarded
from hutong.exchange.withheld import Replay
from hutong.vocabulary.errors import Refused


@dataclass(frozen=True)
class Conversion:
    """One query under a grant that converts: what to read of the source, and what becomes of it."""

    source: Source
    maps: dict[str, CodeMap]  # of the items asked for or tested
    leaving: list[MaskedItem]
    where: Predicate | None  # in local codes
    key: bytes  # for pseudonyms

    @property
    def columns(self) -> list[str]:
        return list(dict.fromkeys([*(item.name for item in self.leaving), *self.maps]))

    def converter(self) -> Converter:
        return Converter(self.source.fields(self.columns), self.maps, [item.name for item in self.leaving])


def conversion(opened: Opened, allowed: Allowed, query: Query, replay: Replay | None = None) -> Conversion:
    """raises   BadPredicate, BadConversion, what the source refuses"""
    if isinstance(opened.source, Refused):
        raise opened.source
    # All of it speaks regional codes: the agreement's own condition was written for what the agreement gives.
    asked = Predicate.all_of(opened.terms.where, query.where, query.by_key)
    touched = {item.name for item in allowed.items} | (asked.items() if asked else set())
    maps = {item: codes for item, codes in opened.terms.codes.items() if item in touched}
    where = localised(asked, maps, opened.source.types())
    return Conversion(
        opened.source,
        maps,
        [opened.terms.masked[item.name] for item in allowed.items],
        Predicate.all_of(where, replay.only if replay else None),
        opened.terms.pseudonym_key,
    )


def open_converted(one: Conversion, limit: int | None) -> tuple[pa.RecordBatchReader, Withheld]:
    """The rows as a stream in constant memory, and what stays behind, complete when the stream has ended.

    limit   of rows that leave
    """
    converter = one.converter()
    rows = guarded(converter.schema, converter.stream(one.source.read(one.columns, one.where), limit))
    return shape(rows, one.leaving, one.key), converter.withheld


def read_converted(one: Conversion, query: Query, most: int) -> tuple[pa.Table, Withheld]:
    """At most `most` rows. A key that is not converted itself is looked up; every other condition is read for."""
    if query.key is not None and query.where is None and query.key.item not in one.maps:
        converter = one.converter()
        found = one.source.lookup(one.columns, query.key.item, [query.key.value], one.where)
        return mask_table(converter.table(found), one.leaving, one.key).slice(0, most), converter.withheld
    rows, withheld = open_converted(one, most if query.limit is None else min(query.limit, most))
    return rows.read_all(), withheld


def whole_converted(opened: Opened, only: Predicate | None = None) -> pa.RecordBatchReader:
    """Everything a grant gives: all its rows and items, as its consumer would be served them.

    only   a condition of our own, on the source's values, for a part of them
    """
    whole = _whole(opened, Allowed(opened.grant.items, None))
    return open_converted(replace(whole, where=Predicate.all_of(whole.where, only)), None)[0]


def rows_of_local_key(opened: Opened, allowed: Allowed, key: str, values: Sequence[Scalar]) -> pa.Table:
    """The rows whose key the source holds as one of these local values, as the grant's consumer is served them.

    For the provider's own eyes: nobody outside may test a local code.
    """
    whole = _whole(opened, allowed)
    one = replace(whole, where=Predicate.all_of(whole.where, Predicate("in", key, tuple(values))))
    return open_converted(one, None)[0].read_all()


def _whole(opened: Opened, allowed: Allowed) -> Conversion:
    nothing_asked = Query(
        exchange="",
        agreement=opened.grant.agreement,
        purpose="",
        case="",
        items=None,
        where=None,
        limit=None,
        key=None,
        digest="",
    )
    return conversion(opened, allowed, nothing_asked)
