"""A source whose columns are found by their identity, so that a rename neither disarms a mask nor stops a grant.

Columns of some sources have an id that stays when they are renamed (field ids of Parquet and Iceberg, PostgreSQL's
attnum). A grant keeps the ids its items had when it was made. Then:

1. A column with the granted id and another name is the item; the answer keeps the item's name.
2. A column that has the item's name and another id is somebody else's data. It is never served for the item; where both
   are there, or the id is gone, nothing is served until the provider has looked.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import pyarrow as pa

from hutong.exchange.shaping.predicate import Predicate
from hutong.exchange.shaping.values import Scalar
from hutong.exchange.sources.source import LOOKUP_ROWS, Source
from hutong.exchange.sources.spec import SourceDrifted


def bound(source: Source, fields: Mapping[str, int]) -> Source:
    """The source with its columns under the items' names; itself where nothing was renamed.

    fields   item: its column's id. Items without one are found by name, as in sources that have no ids
    raises   SourceDrifted where a granted id is gone, or its item's name is another column's now
    """
    ids = source.field_ids
    if not fields or not ids:
        return source
    if all(ids.get(item) == id_ for item, id_ in fields.items()):
        return source
    names = {id_: name for name, id_ in ids.items()}
    renamed: dict[str, str] = {}
    for item, id_ in fields.items():
        column = names.get(id_)
        if column is None or (column != item and item in ids):
            raise SourceDrifted(items=[item])
        renamed[item] = column
    return _Renamed(source, {item: column for item, column in renamed.items() if item != column})


class _Renamed(Source):
    """Items have the names of the grant, columns those of the source."""

    def __init__(self, source: Source, columns: Mapping[str, str]) -> None:
        """columns   of the items that have another name in the source"""
        self._source = source
        self._columns = columns
        self._items = {column: item for item, column in columns.items()}
        self.schema = self._as_granted(source.schema)
        self.left_out = source.left_out

    def look(self) -> pa.Schema:
        return self._as_granted(self._source.look())

    def count(self) -> int:
        return self._source.count()

    def _rows(self, schema: pa.Schema, where: Predicate | None, limit: int | None) -> Iterator[pa.RecordBatch]:
        rows = self._source.read(self._named(schema.names), self._condition(where), limit)
        return _renamed(rows, schema)

    def lookup(
        self,
        items: Sequence[str],
        key: str,
        values: Sequence[Scalar],
        where: Predicate | None = None,
        limit: int = LOOKUP_ROWS,
    ) -> pa.Table:
        schema = self.fields(items)
        found = self._source.lookup(self._named(items), self.column_of(key), values, self._condition(where), limit)
        return pa.Table.from_arrays(found.columns, schema=schema)

    def prepare_lookup(self, key: str) -> None:
        self._source.prepare_lookup(self.column_of(key))

    def close(self) -> None:
        """The source is not ours: others read it under its own names."""

    def column_of(self, item: str) -> str:
        return self._columns.get(item, item)

    def _as_granted(self, schema: pa.Schema) -> pa.Schema:
        return pa.schema([pa.field(self._items.get(one.name, one.name), one.type) for one in schema])

    def _named(self, items: Sequence[str]) -> list[str]:
        return [self.column_of(item) for item in items]

    def _condition(self, where: Predicate | None) -> Predicate | None:
        if where is None:
            return None
        args = tuple(one for one in map(self._condition, where.args) if one is not None)
        return Predicate(where.op, self.column_of(where.item), where.values, args)


def _renamed(rows: pa.RecordBatchReader, schema: pa.Schema) -> Iterator[pa.RecordBatch]:
    try:
        for batch in rows:
            yield pa.RecordBatch.from_arrays(batch.columns, schema=schema)
    finally:
        rows.close()
