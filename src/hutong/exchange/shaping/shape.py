"""Masking any stream of batches: the way of sources that DuckDB does not read itself."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import pyarrow as pa
from sqlglot import exp

from hutong.exchange.shaping import mask_vector
from hutong.exchange.shaping.engine import sealed
from hutong.exchange.shaping.mask_sql import in_sql, masked
from hutong.exchange.shaping.masks import KEEP, Keys, Mask, MaskedItem, output_schema
from hutong.exchange.shaping.sql import column
from hutong.exchange.shaping.watermark import marked_sql

BATCH_ROWS = 16_384
UNMASKED = "unmasked:"  # before the name of a column that is still to be masked


def select_masked(schema: pa.Schema, items: Sequence[MaskedItem], keys: Keys) -> exp.Select:
    """SELECT of the items, still without FROM: masked, but for those that finished() masks afterwards.

    Those have another name until then, so that what was not finished has the wrong schema and goes nowhere.

    raises   BadMask
    """
    output_schema(schema, items)
    columns = []
    for item in items:
        done = in_sql(item.mask)
        value = masked(column(item.name), item.mask if done else KEEP, schema.field(item.name).type, keys)
        if item.marked:
            value = marked_sql(value, keys.marks)
        columns.append(exp.alias_(value, item.name if done else UNMASKED + item.name, quoted=True))
    return exp.select(*columns)


def finished(
    batches: Iterator[pa.RecordBatch], schema: pa.Schema, items: Sequence[MaskedItem], keys: Keys
) -> Iterator[pa.RecordBatch]:
    """What select_masked gave, with the masks that SQL has none for. Until then such values are as they are.

    schema   as output_schema gives it
    """
    late = {place: item.mask for place, item in enumerate(items) if not in_sql(item.mask)}
    if not late:
        return batches
    return (_finished(batch, schema, late, keys) for batch in batches)


def _finished(batch: pa.RecordBatch, schema: pa.Schema, late: dict[int, Mask], keys: Keys) -> pa.RecordBatch:
    columns = [
        mask_vector.masked(values, late[place], keys) if place in late else values
        for place, values in enumerate(batch.columns)
    ]
    return pa.RecordBatch.from_arrays(columns, schema=schema)


def shape(reader: pa.RecordBatchReader, items: Sequence[MaskedItem], key: bytes | None = None) -> pa.RecordBatchReader:
    """The items of a stream, in order, each under its mask.

    key      the grant's own key, at least 32 bytes; needed for keyed masks
    raises   BadMask; KeyError for an item the stream lacks
    """
    keys = Keys.of(items, key)
    schema = output_schema(reader.schema, items)
    query = select_masked(reader.schema, items, keys)
    if all(item.as_it_is for item in items) and schema.equals(reader.schema):
        return reader
    connection = sealed()
    connection.register("source_rows", reader)
    sql = query.from_(exp.to_identifier("source_rows", quoted=True)).sql(dialect="duckdb")
    rows: pa.RecordBatchReader = connection.sql(sql).to_arrow_reader(BATCH_ROWS)
    if all(in_sql(item.mask) for item in items):
        return rows
    return pa.RecordBatchReader.from_batches(schema, finished(iter(rows), schema, items, keys))
