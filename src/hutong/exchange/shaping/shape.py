"""Masking any stream of batches: the way of sources that DuckDB does not read itself."""

from __future__ import annotations

from collections.abc import Sequence

import pyarrow as pa
from sqlglot import exp

from hutong.exchange.shaping.engine import sealed
from hutong.exchange.shaping.mask_sql import masked
from hutong.exchange.shaping.masks import MaskedItem, check_key, output_schema
from hutong.exchange.shaping.sql import column

BATCH_ROWS = 16_384


def select_masked(schema: pa.Schema, items: Sequence[MaskedItem], key: bytes | None) -> exp.Select:
    """SELECT of the masked items, still without FROM.

    raises   BadMask
    """
    check_key(items, key)
    output_schema(schema, items)
    return exp.select(
        *(
            exp.alias_(masked(column(item.name), item.mask, schema.field(item.name).type, key), item.name, quoted=True)
            for item in items
        )
    )


def shape(reader: pa.RecordBatchReader, items: Sequence[MaskedItem], key: bytes | None = None) -> pa.RecordBatchReader:
    """The items of a stream, in order, each under its mask.

    key      the grant's own key, at least 32 bytes; needed for pseudonyms
    raises   BadMask; KeyError for an item the stream lacks
    """
    schema = output_schema(reader.schema, items)
    query = select_masked(reader.schema, items, key)
    if all(item.mask.action == "keep" for item in items) and schema.equals(reader.schema):
        return reader
    connection = sealed()
    connection.register("source_rows", reader)
    sql = query.from_(exp.to_identifier("source_rows", quoted=True)).sql(dialect="duckdb")
    masked_rows: pa.RecordBatchReader = connection.sql(sql).to_arrow_reader(BATCH_ROWS)
    return masked_rows
