"""A stream in local codes to the same stream in regional ones; rows the maps do not cover stay behind, counted."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import reduce
from typing import Any

import pyarrow as pa
import pyarrow.compute

from hutong.exchange.shaping.codes import CodeMap, as_text, check_convertible

pc: Any = pyarrow.compute  # its stubs know only some of the types it takes

MOST_VALUES = 1_000  # different unmapped values of one item kept of one exchange; more, and the map is not this item's


@dataclass
class Withheld:
    """What stayed behind in one exchange.

    rows     per item, how many rows had a value of it that the map does not hold; a row may count for two items
    values   per item, these values as text. They MUST NOT leave the provider, nor be logged
    """

    rows: dict[str, int] = field(default_factory=dict)
    values: dict[str, dict[str, None]] = field(default_factory=dict)

    def add(self, item: str, values: Any) -> None:
        self.rows[item] = self.rows.get(item, 0) + len(values)
        known = self.values.setdefault(item, {})
        if len(known) < MOST_VALUES:
            known.update(dict.fromkeys(pc.unique(values).to_pylist()[: MOST_VALUES - len(known)]))

    def join(self, other: Withheld) -> None:
        """Count what stayed behind in another part of the same exchange too."""
        for item, values in other.values.items():
            self.rows[item] = self.rows.get(item, 0) + other.rows[item]
            known = self.values.setdefault(item, {})
            known.update(dict.fromkeys(list(values)[: MOST_VALUES - len(known)]))


class Converter:
    """Converts batches that have all of `maps`' items among their columns, and keeps what stays behind.

    maps     by item: those asked for or tested
    leaving  the items that leave, in their order; tested ones beyond them are dropped
    """

    def __init__(self, schema: pa.Schema, maps: Mapping[str, CodeMap], leaving: Sequence[str]) -> None:
        for item in maps:
            check_convertible(item, schema.field(item).type)
        self.withheld = Withheld()
        self.schema = pa.schema(
            [pa.field(item, pa.string()) if item in maps else schema.field(item) for item in leaving]
        )
        self._maps = maps

    def stream(self, reader: pa.RecordBatchReader, limit: int | None = None) -> pa.RecordBatchReader:
        """limit   of rows that leave; beyond it the source is not read on"""
        return pa.RecordBatchReader.from_batches(self.schema, self._batches(reader, limit))

    def table(self, table: pa.Table) -> pa.Table:
        return pa.Table.from_batches([self.batch(one) for one in table.to_batches()], schema=self.schema)

    def batch(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        places = {item: codes.places(batch.column(item)) for item, codes in self._maps.items()}
        unmapped = {item: pc.and_(pc.is_valid(batch.column(item)), pc.is_null(found)) for item, found in places.items()}
        stays = {item: flags for item, flags in unmapped.items() if flags.true_count}
        for item, flags in stays.items():
            self.withheld.add(item, as_text(batch.column(item).filter(flags)))
        if stays:
            goes = pc.invert(reduce(pc.or_, stays.values()))
            batch, places = batch.filter(goes), {item: found.filter(goes) for item, found in places.items()}
        columns = [self._column(batch, places, item) for item in self.schema.names]
        return pa.RecordBatch.from_arrays(columns, schema=self.schema)

    def _column(self, batch: pa.RecordBatch, places: Mapping[str, Any], item: str) -> Any:
        return self._maps[item].converted(places[item]) if item in places else batch.column(item)

    def _batches(self, reader: pa.RecordBatchReader, limit: int | None) -> Iterator[pa.RecordBatch]:
        left = limit
        try:
            for batch in reader:
                made = self.batch(batch)
                if left is not None:
                    made = made.slice(0, left)
                    left -= made.num_rows
                if made.num_rows:
                    yield made
                if left == 0:
                    return
        finally:
            reader.close()
