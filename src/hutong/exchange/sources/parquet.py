"""Parquet files, snapshots among them, read by DuckDB: scan, condition and masks are one query.

Each file has its own DuckDB instance, locked so that it can open this one file and nothing else.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
from sqlglot import exp

from hutong.exchange.shaping.engine import sealed
from hutong.exchange.shaping.masks import Keys, MaskedItem, output_schema
from hutong.exchange.shaping.predicate import Predicate
from hutong.exchange.shaping.shape import finished, select_masked
from hutong.exchange.shaping.values import Scalar
from hutong.exchange.shaping.vector import kept
from hutong.exchange.sources.lookup import RowIndex
from hutong.exchange.sources.source import (
    BATCH_ROWS,
    LOOKUP_ROWS,
    Source,
    described,
    differing,
    guarded,
    shareable,
)
from hutong.exchange.sources.spec import SourceFailed, SourceUnreadable
from hutong.exchange.sources.unpacking import Stamp
from hutong.vocabulary.errors import Refused


class ParquetSource(Source):
    """A Parquet file in place, or a snapshot."""

    def __init__(self, path: Path, *, index_folder: Path | None = None) -> None:
        """index_folder   where lookup indexes may be kept; None to look keys up by scanning

        raises   SourceUnreadable
        """
        self._path = path
        self._stamp = _stamp(path)
        self.schema, self.left_out = _schema(path)
        self.field_ids = _field_ids(path)
        self._connection = sealed(path)
        self._index = RowIndex(path, self.schema, index_folder) if index_folder else None
        self._compiled = lru_cache(maxsize=256)(self._compile)

    def count(self) -> int:
        self._check_same()
        try:
            return int(pq.read_metadata(self._path).num_rows)
        except (OSError, pa.ArrowException):
            raise SourceFailed() from None

    def _rows(self, schema: pa.Schema, where: Predicate | None, limit: int | None) -> Iterator[pa.RecordBatch]:
        return self._masked_rows([MaskedItem(item) for item in schema.names], where, limit, None)

    def read_masked(
        self,
        items: Sequence[MaskedItem],
        where: Predicate | None = None,
        limit: int | None = None,
        key: bytes | None = None,
    ) -> pa.RecordBatchReader:
        self.fields([item.name for item in items])
        schema = output_schema(self.schema, items)
        return guarded(schema, self._masked_rows(items, where, limit, key), self)

    def lookup(
        self,
        items: Sequence[str],
        key: str,
        values: Sequence[Scalar],
        where: Predicate | None = None,
        limit: int = LOOKUP_ROWS,
    ) -> pa.Table:
        schema = self.fields(items)
        wanted = self.key_values(key, values)
        if where is not None:
            where.check(self.types())
        self._check_same()
        if not wanted:
            return schema.empty_table()
        if self._index is not None and self._index.serves(key):
            needed = list(dict.fromkeys([*items, *sorted(where.items() if where else ())]))
            try:
                found = self._index.rows(needed, key, wanted, limit)
            except Refused:
                raise
            except Exception:
                raise SourceFailed() from None
            return (kept(found, where) if where else found).select(list(items))
        return super().lookup(items, key, values, where, limit)

    def prepare_lookup(self, key: str) -> None:
        super().prepare_lookup(key)
        if self._index is not None and self._index.serves(key):
            try:
                self._index.prepare(key)
            except (OSError, pa.ArrowException):
                raise SourceFailed() from None

    def look(self) -> pa.Schema:
        return _schema(self._path)[0]

    def close(self) -> None:
        self._connection.close()
        if self._index is not None:
            self._index.close()

    def _masked_rows(
        self, items: Sequence[MaskedItem], where: Predicate | None, limit: int | None, key: bytes | None
    ) -> Iterator[pa.RecordBatch]:
        schema = output_schema(self.schema, items)
        keys = Keys.of(items, key)
        # What was drawn for one answer is of no use to another, so it is not kept.
        compiled = self._compile if keys.answer else self._compiled
        sql = compiled(tuple(items), where, limit, keys)
        self._check_same()
        return finished(self._batches(sql), schema, items, keys)

    def _compile(self, items: tuple[MaskedItem, ...], where: Predicate | None, limit: int | None, keys: Keys) -> str:
        query = select_masked(self.schema, items, keys).from_(_scan(self._path))
        if where is not None:
            query = query.where(where.to_sql(self.types(), "duckdb"), copy=False)
        if limit is not None:
            query = query.limit(limit, copy=False)
        return query.sql(dialect="duckdb")

    def _batches(self, sql: str) -> Iterator[pa.RecordBatch]:
        # A cursor of its own, kept until the stream ends: a result owns its connection until drained.
        cursor = self._connection.cursor()
        try:
            yield from cursor.sql(sql).to_arrow_reader(BATCH_ROWS)
        finally:
            cursor.close()

    def _check_same(self) -> None:
        """A file replaced under us is read again only if it still has what was described."""
        now = _stamp(self._path)
        if now == self._stamp:
            return
        changed, ids = differing(described(self.schema), self.look()), _field_ids(self._path)
        moved = [name for name in self.schema.names if ids.get(name) != self.field_ids.get(name)]
        if changed or moved:
            raise self.drifted(changed or moved)
        if self._index is not None:
            self._index.forget()
        self._stamp = now


def _stamp(path: Path) -> Stamp:
    try:
        return Stamp.of(path.stat())
    except OSError:
        raise SourceFailed() from None


def _schema(path: Path) -> tuple[pa.Schema, tuple[str, ...]]:
    """What DuckDB makes of the file's columns."""
    if any(sign in str(path) for sign in "*?["):
        raise SourceUnreadable(kind="parquet", reason="its name holds *, ? or [", reason_zh="文件名含 *、? 或 [")
    try:
        names = pq.read_schema(path).names
        if len({name.casefold() for name in names}) != len(names):
            raise SourceUnreadable(
                kind="parquet", reason="two columns differ only in case", reason_zh="有两列仅大小写不同"
            )
        connection = sealed(path)
        query = exp.select("*").from_(_scan(path)).limit(0)
        found: Any = connection.sql(query.sql(dialect="duckdb")).to_arrow_reader(1).schema
        connection.close()
    except (duckdb.Error, pa.ArrowException, OSError):
        raise SourceUnreadable(
            kind="parquet", reason="it is no Parquet file, or is damaged", reason_zh="不是 Parquet 文件，或已损坏"
        ) from None
    return shareable(found)


def _field_ids(path: Path) -> dict[str, int]:
    """The ids of the file's columns, as Iceberg's writers give them; {} unless every column has one of its own."""
    try:
        columns = pq.read_schema(path)
    except (pa.ArrowException, OSError):
        raise SourceFailed() from None
    told = {one.name: (one.metadata or {}).get(b"PARQUET:field_id", b"-1") for one in columns}
    ids = {name: int(one) for name, one in told.items()}
    return ids if len(set(ids.values())) == len(ids) and min(ids.values(), default=-1) >= 0 else {}


def _scan(path: Path) -> exp.Expr:
    # Partition names in the folder's path are not columns of this file.
    arguments: list[exp.Expr] = [
        exp.Literal.string(str(path)),
        exp.EQ(this=exp.var("hive_partitioning"), expression=exp.false()),
    ]
    return exp.Anonymous(this="read_parquet", expressions=arguments)
