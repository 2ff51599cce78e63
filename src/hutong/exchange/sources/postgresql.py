"""Tables and views of a PostgreSQL database, read in place, in read-only sessions.

Streams go through ADBC (binary COPY, Arrow made in C); point reads through a few kept psycopg connections
with prepared statements. Both see the same expressions for every column:

- int, float, bool, date, timestamp and text are themselves; an infinite date or time is missing;
- numeric(p,s) is a decimal; numeric without precision is a double, also where it is compared;
- char(n), citext, uuid, enum, json and what else has a text form is its text, also where it is compared;
- bytes, arrays and rows are left out.
"""

from __future__ import annotations

import queue
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import psycopg
import pyarrow as pa
from psycopg.conninfo import make_conninfo
from sqlglot import exp

from hutong.exchange.shaping.predicate import Predicate
from hutong.exchange.shaping.sql import column
from hutong.exchange.shaping.values import Kind, Scalar, kind_of, zone_of
from hutong.exchange.sources.source import LOOKUP_ROWS, Source, described, differing, looked_up
from hutong.exchange.sources.spec import SourceFailed, SourceUnreadable

CONNECT_S = 10
COLUMNS_SEEN_S = 1.0  # how long columns that were looked at are taken for the same; owner: this module
STATEMENT_MS = 600_000  # a stream may take this long; owner: this module
SESSION = (
    f"-c default_transaction_read_only=on -c statement_timeout={STATEMENT_MS} -c timezone=UTC -c datestyle=ISO "
    "-c extra_float_digits=1 -c standard_conforming_strings=on"
)
BATCH_BYTES = 4 << 20  # of one ADBC batch; its default of 16 MiB costs memory and gains nothing
PLAIN: dict[str, pa.DataType] = {
    "int2": pa.int16(),
    "int4": pa.int32(),
    "int8": pa.int64(),
    "float4": pa.float32(),
    "float8": pa.float64(),
    "bool": pa.bool_(),
    "date": pa.date32(),
    "timestamp": pa.timestamp("us"),
    "timestamptz": pa.timestamp("us", tz="UTC"),
    "text": pa.string(),
    "varchar": pa.string(),
}
DOUBLE_OID, TEXT_OID = 701, 25
FINITE = ("date", "timestamp", "timestamptz")
ARRAYS = {"string": "text[]", "int16": "int8[]", "int32": "int8[]", "int64": "int8[]", "bool": "bool[]"}
COLUMNS = """
SELECT a.attname, a.attnum, t.oid, t.typname, a.atttypmod,
  t.typtype = 'c' OR t.typcategory IN ('A', 'C'), COALESCE(c.collisdeterministic, true)
FROM pg_attribute a JOIN pg_type t ON t.oid = a.atttypid LEFT JOIN pg_collation c ON c.oid = a.attcollation
WHERE a.attrelid = to_regclass($1) AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attnum
"""
WRITTEN = """
SELECT n_tup_ins + n_tup_upd + n_tup_del FROM pg_stat_all_tables WHERE relid = to_regclass($1)
"""


@dataclass(frozen=True)
class Column:
    """How one column is shown and compared."""

    type: pa.DataType
    sent: int  # the oid of the type its values come as
    cast: str = ""  # the PostgreSQL type its original value is read as; "" for as it is
    finite: bool = False
    collate: bool = False  # its collation may call different texts equal, so "C" is forced


class PostgresqlSource(Source):
    """One table or view."""

    def __init__(self, location: str, table: str) -> None:
        """raises   SourceUnreadable, SourceFailed"""
        try:
            options: dict[str, Any] = {"options": SESSION, "connect_timeout": CONNECT_S, "application_name": "hutong"}
            self._conninfo = make_conninfo(location, **options)
        except psycopg.Error:
            raise SourceUnreadable(
                kind="postgresql", reason="its location is no connection string", reason_zh="位置不是连接串"
            ) from None
        place, _, name = table.rpartition(".")
        self._table = exp.table_(name, db=place or None, quoted=True)
        self._small: queue.LifoQueue[psycopg.Connection[Any]] = queue.LifoQueue()
        self._bulk: queue.LifoQueue[Any] = queue.LifoQueue()
        self._seen = self._columns, self.field_ids = self._probe()
        self._seen_at = time.monotonic()
        self.left_out = tuple(name for name in self.field_ids if name not in self._columns)
        self.schema = _schema(self._columns)
        self._point = lru_cache(maxsize=256)(self._point_sql)

    def _probe(self) -> tuple[dict[str, Column], dict[str, int]]:
        rows = self._fetch(COLUMNS, (self._sql(self._table),))
        if not rows:
            raise SourceUnreadable(
                kind="postgresql", reason="it has no table or view of that name", reason_zh="没有该名称的表或视图"
            )
        columns = {name: found for name, _number, *described in rows if (found := _column(*described))}
        return columns, {row[0]: row[1] for row in rows}

    def look(self) -> pa.Schema:
        return _schema(self._probe()[0])

    def _check_same(self, items: Iterable[str], where: Predicate | None, seen_s: float = 0.0) -> None:
        """A column renamed into another's place keeps every type, so the columns' own numbers are compared too. Columns
        that a read does not touch may change.

        seen_s   how long what was seen of the columns is taken for the same
        raises   SourceDrifted
        """
        if time.monotonic() - self._seen_at >= seen_s:
            try:
                self._seen = self._probe()
            except SourceUnreadable:  # the table is gone
                self._seen = {}, {}
            self._seen_at = time.monotonic()
        columns, ids = self._seen
        if columns is self._columns:
            return
        differs = differing(described(self.schema), _schema(columns))
        moved = [name for name in self.schema.names if ids.get(name) != self.field_ids[name]]
        if not {*items, *(where.items() if where else ())}.isdisjoint({*differs, *moved}):
            raise self.drifted(differs or moved)

    def changes(self) -> str:
        """How many rows were ever written or removed, as the server counts them; "" for a view."""
        rows = self._fetch(WRITTEN, (self._sql(self._table),))
        return "" if not rows or rows[0][0] is None else str(rows[0][0])

    def count(self) -> int:
        query = exp.select(exp.Count(this=exp.Star())).from_(self._table)
        return int(self._fetch(self._sql(query), ())[0][0])

    def _rows(self, schema: pa.Schema, where: Predicate | None, limit: int | None) -> Iterator[pa.RecordBatch]:
        query = self._select(schema.names, where, as_text=True)
        self._check_same(schema.names, where)
        if limit is not None:
            query = query.limit(limit, copy=False)
        return self._stream(self._sql(query), schema)

    def lookup(
        self,
        items: Sequence[str],
        key: str,
        values: Sequence[Scalar],
        where: Predicate | None = None,
        limit: int = LOOKUP_ROWS,
    ) -> pa.Table:
        schema = self.fields(items)
        keys = self.key_values(key, values)
        sent = [self._columns[item].sent for item in items]
        point = self._point(tuple(items), key, where)
        self._check_same((*items, key), where, COLUMNS_SEEN_S)
        rows = self._fetch(point, (keys, limit + 1), sent)
        return looked_up(rows, schema, limit, self)

    def close(self) -> None:
        for pool in (self._small, self._bulk):
            while not pool.empty():
                pool.get_nowait().close()

    def _select(self, items: Sequence[str], where: Predicate | None, *, as_text: bool) -> exp.Select:
        shown = [exp.alias_(self._shown(item, as_text=as_text), item, quoted=True) for item in items]
        query = exp.select(*shown).from_(self._table)
        if where is not None:
            columns = {item: self._compared(item) for item in where.items() if item in self._columns}
            query = query.where(where.to_sql(self.types(), "postgres", columns), copy=False)
        return query

    def _point_sql(self, items: tuple[str, ...], key: str, where: Predicate | None) -> str:
        type_ = self.schema.field(key).type
        wanted = exp.DataType.build(ARRAYS.get(str(type_)) or _array_type(type_), dialect="postgres")
        keys = exp.cast(exp.Parameter(this=exp.Literal.number(1)), wanted)
        among = exp.EQ(this=self._compared(key), expression=exp.Anonymous(this="ANY", expressions=[keys]))
        query = self._select(items, where, as_text=False).where(among, copy=False)
        return self._sql(query) + " LIMIT $2"

    def _shown(self, item: str, *, as_text: bool) -> exp.Expr:
        """as_text   decimals as text, because ADBC has no decimal and gives up their precision"""
        value = self._original(item)
        described = self._columns[item]
        if described.finite:
            finite = exp.Anonymous(this="ISFINITE", expressions=[value.copy()])
            return exp.Case(ifs=[exp.If(this=finite, true=value)])
        if pa.types.is_decimal128(described.type):
            value = exp.Nullif(this=value, expression=exp.Literal.string("NaN"))
            return exp.cast(value, "TEXT") if as_text else value
        return value

    def _compared(self, item: str) -> exp.Expr:
        value = self._original(item)
        if self._columns[item].collate:
            return exp.Collate(this=value, expression=exp.to_identifier("C", quoted=True))
        return value

    def _original(self, item: str) -> exp.Expr:
        wanted = self._columns[item].cast
        return exp.cast(column(item), exp.DataType.build(wanted, dialect="postgres")) if wanted else column(item)

    @staticmethod
    def _sql(tree: exp.Expr) -> str:
        return tree.sql(dialect="postgres")

    def _fetch(self, sql: str, parameters: tuple[Any, ...], sent: Sequence[int] = ()) -> list[Any]:
        """sent   the types its columns must come as; () for as they come"""
        connection = self._take_small()
        try:
            cursor = connection.execute(sql, parameters, prepare=True)
            rows = cursor.fetchall()
        except (psycopg.Error, UnicodeError, ValueError):
            connection.close()
            raise (self.broken() if sent else SourceFailed()) from None
        self._small.put(connection)
        if sent and [one.type_code for one in cursor.description or ()] != list(sent):
            raise self.broken()
        return rows

    def _take_small(self) -> psycopg.Connection[Any]:
        try:
            return self._small.get_nowait()
        except queue.Empty:
            pass
        try:
            # Raw cursors send the statement as it is: no sign in a literal is taken for a parameter.
            return psycopg.connect(self._conninfo, autocommit=True, cursor_factory=psycopg.RawCursor)
        except psycopg.Error:
            raise SourceFailed() from None

    def _stream(self, sql: str, schema: pa.Schema) -> Iterator[pa.RecordBatch]:
        try:
            connection = self._bulk.get_nowait()
        except queue.Empty:
            connection = _adbc_connection(self._conninfo)
        cursor = connection.cursor(adbc_stmt_kwargs={"adbc.postgresql.batch_size_hint_bytes": str(BATCH_BYTES)})
        ended = False
        try:
            cursor.execute(sql)
            for batch in cursor.fetch_record_batch():
                columns = [_as_described(one, field.type) for one, field in zip(batch.columns, schema, strict=True)]
                yield pa.RecordBatch.from_arrays(columns, schema=schema)
            ended = True
        finally:
            cursor.close()
            if ended:
                self._bulk.put(connection)
            else:  # a COPY may still be under way on it
                connection.close()


def _adbc_connection(conninfo: str) -> Any:
    # Imported when first needed: it brings whatever data frame libraries are installed, 65 MB and over a second.
    import adbc_driver_postgresql.dbapi  # type: ignore[import-untyped]

    return adbc_driver_postgresql.dbapi.connect(conninfo, autocommit=True)


def _schema(columns: Mapping[str, Column]) -> pa.Schema:
    return pa.schema([(name, column.type) for name, column in columns.items()])


def _column(oid: int, type_name: str, modifier: int, compound: bool, deterministic: bool) -> Column | None:
    collate = not deterministic
    if plain := PLAIN.get(type_name):
        return Column(plain, oid, finite=type_name in FINITE, collate=collate)
    if type_name == "numeric":
        precision, scale = ((modifier - 4) >> 16) & 0xFFFF, (modifier - 4) & 0x7FF
        if modifier < 4 or not 1 <= precision <= 38 or scale > precision:
            return Column(pa.float64(), DOUBLE_OID, cast="double precision")
        return Column(pa.decimal128(precision, scale), oid)
    if compound or type_name in ("bytea", "record"):
        return None
    return Column(pa.string(), TEXT_OID, cast="text", collate=collate)


def _as_described(values: Any, type_: pa.DataType) -> Any:
    return values if values.type.equals(type_) else values.cast(type_)


def _array_type(type_: pa.DataType) -> str:
    kind = kind_of(type_)
    if kind is Kind.TIMESTAMP:
        return "timestamptz[]" if zone_of(type_) else "timestamp[]"
    return {Kind.DOUBLE: "float8[]", Kind.DECIMAL: "numeric[]", Kind.DATE: "date[]"}[kind or Kind.TEXT]
