"""Tables of an SQLite file, read in place and read-only.

SQLite types values, not columns, so the schema says what the values are when probed:
whole numbers only is int64, numbers is double, everything else is text; a column with bytes is left out.
A value that later breaks this stops a read where it would be shown, and never satisfies a condition.

Streams go through ADBC, which makes Arrow in C; point reads through a few kept connections of the
standard library, whose prepared statements answer in tens of microseconds. Connections are kept until
close(): two SQLite libraries in one process share the file's POSIX locks, and closing a file drops them.
"""

from __future__ import annotations

import json
import queue
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pyarrow as pa
from sqlglot import exp

from hutong.exchange.shaping.predicate import Predicate
from hutong.exchange.shaping.sql import column
from hutong.exchange.shaping.values import Scalar
from hutong.exchange.sources.source import (
    BATCH_ROWS,
    LOOKUP_ROWS,
    Source,
    described,
    differing,
    looked_up,
)
from hutong.exchange.sources.spec import SourceFailed, SourceUnreadable

BUSY_S = 5.0
# What a column described as one type may hold without being another.
WIDER = {"int64": ("int64",), "double": ("int64", "double"), "string": ("int64", "double", "string")}
STORED = {"int64": ("integer",), "double": ("integer", "real"), "string": ("text", "integer", "real")}
FIRST = {"int64": "0", "double": "0.0"}  # the row that tells ADBC each column's type; never leaves
RAISES = "ABS(-9223372036854775807 - 1)"  # overflows, which is SQLite's only way to fail inside a query


class SqliteSource(Source):
    """One table or view of an SQLite file."""

    def __init__(self, path: Path, table: str, schema: pa.Schema | None = None) -> None:
        """schema   as probed before; None to look at every value now

        raises   SourceUnreadable
        """
        self._uri = f"file:{quote(str(path))}?mode=ro"
        self._table = table
        self._small: queue.LifoQueue[sqlite3.Connection] = queue.LifoQueue()
        self._bulk: queue.LifoQueue[Any] = queue.LifoQueue()
        self._affinity_text: frozenset[str] = frozenset()
        self._untyped: frozenset[str] = frozenset()  # columns without a value
        self._version = -1
        self._probe(schema)
        self._point = lru_cache(maxsize=256)(self._point_sql)

    def _probe(self, schema: pa.Schema | None) -> None:
        connection = self._take_small()
        try:
            name = _quoted(self._table)
            self._version = _version(connection)
            declared = connection.execute(f"PRAGMA table_xinfo({name})").fetchall()
            if not declared:
                raise SourceUnreadable(
                    kind="sqlite", reason="it has no table or view of that name", reason_zh="没有该名称的表或视图"
                )
            self._affinity_text = frozenset(row[1] for row in declared if _has_text_affinity(row[2]))
            names = [row[1] for row in declared]
            found = schema
            if found is None:
                found, self._untyped = _look(connection, name, names)
            if not set(found.names) <= set(names):
                raise SourceUnreadable(
                    kind="sqlite", reason="an item of the description is gone", reason_zh="目录描述中的信息项已不存在"
                )
        except sqlite3.Error:
            raise SourceUnreadable(
                kind="sqlite", reason="it is no SQLite file, or is damaged", reason_zh="不是 SQLite 文件，或已损坏"
            ) from None
        finally:
            self._small.put(connection)
        self.schema = found
        self.left_out = tuple(one for one in names if one not in found.names)

    def differing(self, described: Mapping[str, str]) -> tuple[str, ...]:
        """Values say the type, so a column is of another only when it holds what the described one could not."""
        types = {field.name: str(field.type) for field in self.schema}
        return tuple(
            name
            for name, type_ in described.items()
            if name not in types or (name not in self._untyped and types[name] not in WIDER.get(type_, ()))
        )

    def look(self) -> pa.Schema:
        """The columns that are still there; what type they hold only a pass over all values can tell."""
        rows = self._fetch(f"PRAGMA table_xinfo({_quoted(self._table)})", ())
        there = {row[1] for row in rows}
        return pa.schema([field for field in self.schema if field.name in there])

    def count(self) -> int:
        self._check_same()
        return int(self._fetch(f"SELECT COUNT(*) FROM {_quoted(self._table)}", ())[0][0])  # noqa: S608

    def _rows(self, schema: pa.Schema, where: Predicate | None, limit: int | None) -> Iterator[pa.RecordBatch]:
        self._check_same()
        query = self._select(schema.names, where)
        if limit is not None:
            query = query.limit(limit, copy=False)
        first = ", ".join(FIRST.get(str(field.type), "''") for field in schema)
        # A subquery, because LIMIT would else count the type row too.
        sql = f"SELECT {first} UNION ALL SELECT * FROM ({query.sql(dialect='sqlite')})"  # noqa: S608
        return self._stream(sql, schema)

    def lookup(
        self,
        items: Sequence[str],
        key: str,
        values: Sequence[Scalar],
        where: Predicate | None = None,
        limit: int = LOOKUP_ROWS,
    ) -> pa.Table:
        schema = self.fields(items)
        self._check_same()
        keys = json.dumps(self.key_values(key, values))
        rows = self._fetch(self._point(tuple(items), key, where), (keys, limit + 1))
        return looked_up(rows, schema, limit, self)

    def close(self) -> None:
        for pool in (self._small, self._bulk):
            while not pool.empty():
                pool.get_nowait().close()

    def _check_same(self) -> None:
        """SQLite takes the quoted name of a column that is gone for a text, and would answer with it."""
        connection = self._take_small()
        try:
            version = _version(connection)
        except sqlite3.Error:
            raise SourceFailed() from None
        finally:
            self._small.put(connection)
        if version == self._version:
            return
        if changed := differing(described(self.schema), self.look()):
            raise self.drifted(changed)
        self._version = version

    def _select(self, items: Sequence[str], where: Predicate | None) -> exp.Select:
        shown = [exp.alias_(self._shown(item), item, quoted=True) for item in items]
        query = exp.select(*shown).from_(exp.to_identifier(self._table, quoted=True))
        if where is None:
            return query
        columns = {item: self._compared(item) for item in where.items() if item in self.schema.names}
        condition = where.to_sql(self.types(), "sqlite", columns)
        return query.where(condition, *(self._of_type(item) for item in sorted(where.items())), copy=False)

    def _point_sql(self, items: tuple[str, ...], key: str, where: Predicate | None) -> str:
        # One statement for any number of keys, so it is prepared once per connection. The key's index serves it.
        among: exp.Expr = exp.maybe_parse("(SELECT value FROM json_each(?))", dialect="sqlite")
        compared = self._compared(key)
        if pa.types.is_string(self.schema.field(key).type):
            compared = exp.Collate(this=compared, expression=exp.var("BINARY"))
        found = exp.In(this=compared, query=among)
        query = self._select(items, where).where(found, self._of_type(key), copy=False)
        return query.sql(dialect="sqlite") + " LIMIT ?"

    def _shown(self, item: str) -> exp.Expr:
        """The value, or a failure where it is no longer of the probed type."""
        type_ = str(self.schema.field(item).type)
        value: exp.Expr = column(item)
        if type_ == "double":
            value = exp.cast(value, "REAL")
        elif type_ == "string":
            value = self._compared(item)
        raises: exp.Expr = exp.maybe_parse(RAISES, dialect="sqlite")
        cases = [exp.If(this=self._of_type(item), true=value)]
        return exp.Case(ifs=cases, default=raises)

    def _compared(self, item: str) -> exp.Expr:
        """The value in a condition. Text affinity already makes text of numbers, and lets an index serve."""
        if str(self.schema.field(item).type) != "string" or item in self._affinity_text:
            return column(item)
        return exp.cast(column(item), "TEXT")

    def _of_type(self, item: str) -> exp.Expr:
        stored = (*STORED[str(self.schema.field(item).type)], "null")
        kind = exp.Anonymous(this="TYPEOF", expressions=[column(item)])
        return exp.In(this=kind, expressions=[exp.Literal.string(one) for one in stored])

    def _fetch(self, sql: str, parameters: tuple[Any, ...]) -> list[Any]:
        connection = self._take_small()
        try:
            return connection.execute(sql, parameters).fetchall()
        except (sqlite3.Error, UnicodeDecodeError):
            raise SourceFailed() from None
        finally:
            self._small.put(connection)

    def _stream(self, sql: str, schema: pa.Schema) -> Iterator[pa.RecordBatch]:
        try:
            connection = self._bulk.get_nowait()
        except queue.Empty:
            connection = _adbc_connection(self._uri)
        cursor = connection.cursor(adbc_stmt_kwargs={"adbc.sqlite.query.batch_rows": str(BATCH_ROWS)})
        try:
            cursor.execute(sql)
            skip = 1
            for batch in cursor.fetch_record_batch():
                made = pa.RecordBatch.from_arrays(batch.columns, schema=schema).slice(skip)
                # SQLite keeps any bytes as text; Arrow's readers trust text to be UTF-8.
                made.validate(full=True)
                skip = 0
                yield made
        finally:
            cursor.close()
            self._bulk.put(connection)

    def _take_small(self) -> sqlite3.Connection:
        try:
            return self._small.get_nowait()
        except queue.Empty:
            pass
        try:
            connection = sqlite3.connect(
                self._uri, uri=True, check_same_thread=False, timeout=BUSY_S, isolation_level=None
            )
            connection.execute("PRAGMA query_only = ON")
            connection.execute("PRAGMA trusted_schema = OFF")
        except sqlite3.Error:
            raise SourceFailed() from None
        return connection


def _adbc_connection(uri: str) -> Any:
    # Imported when first needed: it brings whatever data frame libraries are installed, 65 MB and over a second.
    import adbc_driver_sqlite.dbapi

    # Without autocommit it would stay in the transaction of its first read, and give that moment's rows for ever.
    return adbc_driver_sqlite.dbapi.connect(uri, autocommit=True)


def _version(connection: sqlite3.Connection) -> int:
    """Another one after every change of any table's columns."""
    return int(connection.execute("PRAGMA schema_version").fetchone()[0])


def _look(connection: sqlite3.Connection, table: str, names: Sequence[str]) -> tuple[pa.Schema, frozenset[str]]:
    """The schema by what is stored, and the columns without a value: one pass over the table."""
    counts = ", ".join(
        f"SUM(TYPEOF({_quoted(name)}) = '{stored}')" for name in names for stored in ("integer", "real", "text", "blob")
    )
    found = connection.execute(f"SELECT {counts} FROM {table}").fetchone()  # noqa: S608
    fields: list[pa.Field[Any]] = []
    untyped: list[str] = []
    for number, name in enumerate(names):
        integers, reals, texts, blobs = ((one or 0) for one in found[4 * number : 4 * number + 4])
        if blobs:
            continue
        if not (texts or integers or reals):
            untyped.append(name)
        if texts or not (integers or reals):
            fields.append(pa.field(name, pa.string()))
        else:
            fields.append(pa.field(name, pa.float64() if reals else pa.int64()))
    return pa.schema(fields), frozenset(untyped)


def _has_text_affinity(declared: str) -> bool:
    """SQLite's own rule (datatype3, section 3.1)."""
    upper = declared.upper()
    return "INT" not in upper and any(part in upper for part in ("CHAR", "CLOB", "TEXT"))


def _quoted(name: str) -> str:
    return exp.to_identifier(name, quoted=True).sql(dialect="sqlite")
