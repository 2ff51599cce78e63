"""Which rows went and which came between two editions: bags of masked rows compared, a share of them at a time."""

from __future__ import annotations

import math
from collections.abc import Iterator

import pyarrow as pa
import pyarrow.dataset
from sqlglot import exp

from hutong.exchange.editions.edition import Edition
from hutong.exchange.shaping.engine import spilling

CHANGE = "_change_type"  # delete or insert; without keys a changed row is both
ROWS_AT_ONCE = 200_000  # compared at a time, so that memory stays bounded whatever the editions hold
BATCH_ROWS = 16_384


def difference(before: Edition, after: Edition) -> pa.RecordBatchReader:
    """The items of `after` and CHANGE. Two editions of one policy have one schema.

    Rows equal in every item are told apart by their number alone: of three where there were two, one came.
    """
    schema = pa.schema([*after.schema, pa.field(CHANGE, pa.string())])
    return pa.RecordBatchReader.from_batches(schema, _batches(before, after, schema))


def _batches(before: Edition, after: Edition, schema: pa.Schema) -> Iterator[pa.RecordBatch]:
    shares = max(1, math.ceil(max(before.rows, after.rows) / ROWS_AT_ONCE))
    connection = spilling(after.folder)
    try:
        for name, edition in (("before", before), ("after", after)):
            connection.register(name, pyarrow.dataset.dataset(edition.file, format="parquet"))
        for share in range(shares):
            for change, one, other in (("delete", "before", "after"), ("insert", "after", "before")):
                sql = _only_in(one, other, shares, share).sql(dialect="duckdb")
                for batch in connection.sql(sql).to_arrow_reader(BATCH_ROWS):
                    column = pa.repeat(pa.scalar(change), batch.num_rows)
                    columns = [*batch.columns, column]
                    cast = [one.cast(to.type) for one, to in zip(columns, schema, strict=True)]
                    yield pa.RecordBatch.from_arrays(cast, schema=schema)
    finally:
        connection.close()


def _only_in(one: str, other: str, shares: int, share: int) -> exp.Expr:
    """The rows of one table beyond those of the other, of the rows whose hash falls to this share."""
    return exp.except_(_share(one, shares, share), _share(other, shares, share), distinct=False)


def _share(table: str, shares: int, share: int) -> exp.Select:
    hashed = exp.Anonymous(this="hash", expressions=[exp.column(table)])  # of the whole row
    place = exp.Mod(this=hashed, expression=exp.Literal.number(shares))
    return exp.select("*").from_(table).where(exp.EQ(this=place, expression=exp.Literal.number(share)))
