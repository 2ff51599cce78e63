"""One way to open any source, and one to ask whether it is alive."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa

from hutong.exchange.sources.folder import FolderSource
from hutong.exchange.sources.intake import description
from hutong.exchange.sources.location import check_place, check_snapshot
from hutong.exchange.sources.mysql import MysqlSource
from hutong.exchange.sources.openapi import OpenapiSource
from hutong.exchange.sources.parquet import ParquetSource
from hutong.exchange.sources.postgresql import PostgresqlSource
from hutong.exchange.sources.source import Source
from hutong.exchange.sources.spec import Probe, SourceSpec
from hutong.exchange.sources.sqlite import SqliteSource

INDEXED_BYTES = 4 << 30  # a larger Parquet file read in place is scanned for keys: its index would be a second copy
STORED_TYPES = {"int64": pa.int64(), "double": pa.float64(), "string": pa.string()}  # all that SQLite sources have


def open_source(spec: SourceSpec, *, schema: pa.Schema | None = None, index_folder: Path | None = None) -> Source:
    """Open a source for reading. Opening costs tens of milliseconds, so keep it open; see SourceShelf.

    schema        as probed; spares SQLite sources a pass over the table
    index_folder  where lookup indexes of Parquet files read in place may lie; snapshots keep theirs beside them
    raises        SourceRefused and what is below it
    """
    if spec.kind == "postgresql":
        return PostgresqlSource(spec.location, spec.table)
    if spec.kind == "mysql":
        return MysqlSource(spec.location, spec.table)
    if spec.kind == "parquet_folder":
        return FolderSource(spec)
    if spec.kind == "openapi":
        return OpenapiSource(spec)
    if spec.kind == "iceberg":
        from hutong.exchange.sources.iceberg import IcebergSource

        return IcebergSource(spec)
    file = (check_snapshot if spec.reads_snapshot else check_place)(spec.data_file)
    if spec.kind == "sqlite":
        return SqliteSource(file, spec.table, schema)
    if spec.reads_snapshot:
        return ParquetSource(file, index_folder=file.parent)
    return ParquetSource(file, index_folder=index_folder if file.stat().st_size <= INDEXED_BYTES else None)


def stored_schema(columns: Sequence[Mapping[str, Any]]) -> pa.Schema | None:
    """The schema kept with a source when it was probed; None where it has none, or types that only a probe can tell."""
    if not columns or any(one["type"] not in STORED_TYPES for one in columns):
        return None
    return pa.schema([pa.field(one["name"], STORED_TYPES[one["type"]], one["nullable"]) for one in columns])


def probe(spec: SourceSpec, described: Mapping[str, str] | None = None) -> Probe:
    """Ask a source for its schema and number of rows. A file that must be taken in first is asked by its snapshot.

    described   what it was described with before, name and Arrow type
    raises   SourceRefused and what is below it
    """
    source = open_source(spec)
    try:
        rows = source.count()
        notes = (
            [f"left out, because the type cannot be shared: {', '.join(source.left_out)}"] if source.left_out else []
        )
        quarantined = 0
        if spec.reads_snapshot:
            about = description(spec.data_file)
            quarantined = int(about.get("quarantined", 0))
            notes += about.get("notes", [])
        sentence = f"It answered with {rows} rows and {len(source.schema)} items."
        message = " ".join([sentence, *(note + "." for note in notes)])
        return Probe(
            source.schema, rows, quarantined, message, source.field_ids, changed=source.differing(described or {})
        )
    finally:
        source.close()
