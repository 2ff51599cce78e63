"""What every open source can do, whatever lies behind it."""

from __future__ import annotations

import contextlib
import logging
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

import pyarrow as pa

from hutong.exchange.shaping.masks import Keys, MaskedItem, output_schema
from hutong.exchange.shaping.predicate import Predicate
from hutong.exchange.shaping.shape import shape
from hutong.exchange.shaping.values import Scalar, kind_of, literal
from hutong.exchange.shaping.vector import kept
from hutong.exchange.sources.spec import SourceDrifted, SourceFailed, SourceRefused, UnknownItem
from hutong.vocabulary.errors import Refused

log = logging.getLogger(__name__)

BATCH_ROWS = 16_384  # a bulk batch: about a mebibyte; larger ones were slower over HTTP
LOOKUP_ROWS = 10_000  # a point read that finds more is a bulk read


class LookupTooWide(SourceRefused):
    """The keys have more than {limit} rows; a point read is not meant for that."""

    zh = "所查键对应的行超过 {limit} 行，不适合逐条查询。"
    code = "lookup_too_wide"
    status = 413
    next_en = "Read them as a stream with a condition instead."
    next_zh = "请改用带条件的流式读取。"


class Source(ABC):
    """An open source. Safe to use from several threads at once; close() when it is no longer needed."""

    schema: pa.Schema  # what can be shared, in the source's order; columns of other types are left out
    left_out: tuple[str, ...] = ()  # names of columns whose type cannot be shared
    field_ids: Mapping[str, int] = {}  # by column, an id that stays when it is renamed; empty where there are none
    # Called, from the thread that reads, with the items that were found gone or of another type.
    on_drift: Callable[[Sequence[str]], None] = staticmethod(lambda _items: None)

    @abstractmethod
    def count(self) -> int:
        """How many rows there are now. raises   SourceFailed"""

    def read(
        self, items: Sequence[str], where: Predicate | None = None, limit: int | None = None
    ) -> pa.RecordBatchReader:
        """Rows for which the condition is true, as a stream of batches in constant memory.

        items    in the order wanted; the stream has exactly this schema
        raises   UnknownItem, BadPredicate, SourceFailed, SourceDrifted; the last two also while streaming
        """
        schema = self.fields(items)
        if where is not None:
            where.check(self.types())
        return guarded(schema, self._rows(schema, where, limit), self)

    @abstractmethod
    def _rows(self, schema: pa.Schema, where: Predicate | None, limit: int | None) -> Iterable[pa.RecordBatch]:
        """What read() guards: its items are known and its condition fits them. What can be seen without reading a row
        is refused when this is called, not in the middle of the stream.
        """

    def lookup(
        self,
        items: Sequence[str],
        key: str,
        values: Sequence[Scalar],
        where: Predicate | None = None,
        limit: int = LOOKUP_ROWS,
    ) -> pa.Table:
        """The rows whose key is one of the values and for which the condition is true, in one query, in no order.

        items    ask for the key too where the rows must be told apart
        raises   UnknownItem, BadPredicate, LookupTooWide, SourceFailed, SourceDrifted
        """
        schema = self.fields(items)
        if not self.key_values(key, values):
            return schema.empty_table()
        among = Predicate.all_of(Predicate("in", key, tuple(values)), where)
        table = self.read(items, among, limit + 1).read_all()
        if table.num_rows > limit:
            raise LookupTooWide(limit=limit)
        return table

    def prepare_lookup(self, key: str) -> None:
        """Make ready what the first lookup by this key would have to wait for. A database has its own indexes.

        raises   UnknownItem, SourceFailed
        """
        self.fields([key])

    @abstractmethod
    def look(self) -> pa.Schema:
        """The schema as it is at this moment. raises   SourceFailed, SourceUnreadable"""

    def changes(self) -> str:
        """A text of at most 40 characters that is another one after every change of the rows; "" where none can tell.

        raises   SourceFailed
        """
        return ""

    @abstractmethod
    def close(self) -> None: ...

    def differing(self, described: Mapping[str, str]) -> tuple[str, ...]:
        """Of the items described (name: Arrow type), those that this source lacks or has with another type."""
        return differing(described, self.schema)

    def broken(self) -> Refused:
        """Why a read broke off: the source changed under us, and whoever listens is told; or it failed."""
        with contextlib.suppress(Refused):
            if changed := differing(described(self.schema), self.look()):
                return self.drifted(changed)
        return SourceFailed()

    def drifted(self, items: Sequence[str]) -> SourceDrifted:
        self.on_drift(items)
        return SourceDrifted(items=list(items))

    def __del__(self) -> None:
        with contextlib.suppress(Exception):  # opening may have failed half way
            self.close()

    def read_masked(
        self,
        items: Sequence[MaskedItem],
        where: Predicate | None = None,
        limit: int | None = None,
        key: bytes | None = None,
    ) -> pa.RecordBatchReader:
        """As read(), each item under its mask; the condition looks at values before masks.

        key      the grant's pseudonym key, 32 bytes or more; needed only for keyed masks
        raises   BadMask besides what read() raises
        """
        names = [item.name for item in items]
        schema = output_schema(self.fields(names), items)
        Keys.of(items, key)  # refused here, not in the middle of a stream
        return guarded(schema, _masked(self.read(names, where, limit), items, key), self)

    def fields(self, items: Sequence[str]) -> pa.Schema:
        """The schema of some items. raises   UnknownItem"""
        names = set(self.schema.names)
        if not items:
            raise UnknownItem(item="(none)", item_zh="（未指定）")
        for number, item in enumerate(items):
            if item not in names or item in items[:number]:
                raise UnknownItem(item=item)
        return pa.schema([self.schema.field(item) for item in items])

    def column_of(self, item: str) -> str:
        """The name an item has where it lies."""
        return item

    def types(self) -> dict[str, pa.DataType]:
        return {field.name: field.type for field in self.schema}

    def key_values(self, key: str, values: Sequence[Scalar]) -> list[Any]:
        """The keys, read by the key's type. raises   UnknownItem, BadPredicate"""
        type_ = self.fields([key]).field(0).type
        return [literal(value, type_, key) for value in values]


def shareable(schema: pa.Schema) -> tuple[pa.Schema, tuple[str, ...]]:
    """The columns whose type can be shared, and the names of the others."""
    kept = [pa.field(field.name, field.type) for field in schema if kind_of(field.type)]
    return pa.schema(kept), tuple(field.name for field in schema if not kind_of(field.type))


def described(schema: pa.Schema) -> dict[str, str]:
    """A schema as it is kept with a source: each item's name and Arrow type."""
    return {field.name: str(field.type) for field in schema}


def differing(described: Mapping[str, str], there: pa.Schema) -> tuple[str, ...]:
    """The items described that are not there, or there with another type. One that was added differs from nothing."""
    types = {field.name: str(field.type) for field in there}
    return tuple(name for name, type_ in described.items() if types.get(name) != type_)


def guarded(schema: pa.Schema, batches: Iterable[pa.RecordBatch], source: Source | None = None) -> pa.RecordBatchReader:
    """A stream that keeps to its schema and whose failures say nothing about the data.

    Engines put cell values into their error texts, so no text of theirs is passed on, nor chained.

    source   is asked why, when its stream breaks off; None for what is made of a stream that is guarded itself
    """
    return pa.RecordBatchReader.from_batches(schema, _checked(schema, iter(batches), source))


def needed(schema: pa.Schema, where: Predicate | None) -> list[str]:
    """The items of a read and those that its condition looks at."""
    return list(dict.fromkeys([*schema.names, *sorted(where.items() if where else ())]))


def cut(
    batches: Iterable[pa.RecordBatch], schema: pa.Schema, where: Predicate | None, limit: int | None
) -> Iterator[pa.RecordBatch]:
    """Of batches that have the items needed, at least: the rows for which the condition is true, the items of the
    schema, up to the limit; then no further batch is asked for.
    """
    left = limit
    for batch in batches:
        table = pa.Table.from_batches([batch])
        table = (kept(table, where) if where is not None else table).select(schema.names)
        if left is not None:
            table = table.slice(0, left)
            left -= table.num_rows
        yield from table.combine_chunks().to_batches()
        if left == 0:
            return


def looked_up(rows: Sequence[Sequence[Any]], schema: pa.Schema, limit: int, source: Source) -> pa.Table:
    """What a database's driver found for a lookup, asked for one row more than the limit.

    raises   LookupTooWide; SourceDrifted or SourceFailed when a value is not of its column's type
    """
    if len(rows) > limit:
        raise LookupTooWide(limit=limit)
    if not rows:
        return schema.empty_table()
    try:
        columns = [pa.array(values, field.type) for values, field in zip(zip(*rows, strict=True), schema, strict=True)]
    except (pa.ArrowException, TypeError, ValueError):
        raise source.broken() from None
    return pa.Table.from_arrays(columns, schema=schema)


def _masked(reader: pa.RecordBatchReader, items: Sequence[MaskedItem], key: bytes | None) -> Iterator[pa.RecordBatch]:
    # A generator, because the engine reads ahead when it starts: what fails then must pass the guard too.
    yield from shape(reader, items, key)


def _checked(schema: pa.Schema, batches: Iterator[pa.RecordBatch], source: Source | None) -> Iterator[pa.RecordBatch]:
    while True:
        try:
            batch = next(batches, None)
        except Refused:
            raise
        except Exception as error:
            log.error("exchange: a source broke off with %s", type(error).__name__)
            raise (source.broken() if source else SourceFailed()) from None
        if batch is None:
            return
        if not batch.schema.equals(schema):
            raise source.broken() if source else SourceFailed()
        if batch.num_rows:
            yield batch
