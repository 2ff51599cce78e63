"""Tables and views of a MySQL or MariaDB database, read in place, in read-only sessions.

Streams go through an unbuffered cursor; point reads through a few kept connections. Values come as the text the server
writes and become Arrow by whole columns. Both see the same expressions for every column:

- text compares as its UTF-8 bytes, because every collation here folds something: case, accents, blanks at the end;
- float is widened to a double by the server, which else rounds it to six digits when it writes it;
- a date or time with a zero in its year, month or day is missing; bit(1) is true or false, tinyint(1) is a number;
- bigint unsigned is a decimal; decimals wider than 38 digits are doubles; time, year as text or number, enum, set,
  json, uuid and inet are their text;
- bytes, wider bits and geometries are left out.

No value is ever written as text into a statement: text goes as hexadecimal, which no mode of the server reads
otherwise, and all else as typed literals.
"""

from __future__ import annotations

import queue
import ssl
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import lru_cache
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

import pyarrow as pa
import pymysql
from pymysql.cursors import SSCursor
from sqlglot import exp

from hutong.exchange.shaping.predicate import COMPARISONS, Predicate
from hutong.exchange.shaping.sql import BINARY, column, sql_literal
from hutong.exchange.shaping.values import Kind, Scalar, kind_of, literal
from hutong.exchange.sources.source import BATCH_ROWS, LOOKUP_ROWS, LookupTooWide, Source
from hutong.exchange.sources.spec import SourceFailed, SourceUnreadable

CONNECT_S = 10
STATEMENT_S = 600  # a stream may take this long; owner: this module
SESSION = (
    "SET SESSION TRANSACTION READ ONLY",
    "SET SESSION time_zone = '+00:00', sql_mode = 'STRICT_ALL_TABLES', net_write_timeout = 3600",
)
COLUMNS = """
SELECT column_name, LOWER(data_type), LOWER(column_type), numeric_precision, numeric_scale, character_set_name
FROM information_schema.columns WHERE table_schema = {} AND table_name = {} ORDER BY ordinal_position
"""
CHANGED = "SELECT update_time FROM information_schema.tables WHERE table_schema = {} AND table_name = {}"
INTEGERS = {
    "tinyint": pa.int16(),
    "smallint": pa.int32(),
    "mediumint": pa.int32(),
    "int": pa.int64(),
    "bigint": pa.int64(),
    "year": pa.int16(),
}
MOMENTS: dict[str, pa.DataType] = {
    "date": pa.date32(),
    "datetime": pa.timestamp("us"),
    "timestamp": pa.timestamp("us", tz="UTC"),
}
TEXTS = ("char", "varchar", "tinytext", "text", "mediumtext", "longtext", "enum", "set")
WRITTEN = ("time", "json", "uuid", "inet4", "inet6")  # read as the text the server writes
UNICODE = ("utf8mb4", "utf8mb3", "utf8", "ascii")


@dataclass(frozen=True)
class Column:
    """How one column is read."""

    type: pa.DataType
    way: str  # plain, double, decimal, bit, moment, text, written
    unicode: bool = False  # its own character set compares with any text, so its index serves an equality


class MysqlSource(Source):
    """One table or view."""

    def __init__(self, location: str, table: str) -> None:
        """raises   SourceUnreadable, SourceFailed"""
        self._options = _options(location)
        place, _, name = table.rpartition(".")
        self._place, self._name = place or str(self._options.get("database") or ""), name
        if not self._place:
            raise SourceUnreadable(kind="mysql", reason="it names no database", reason_zh="未指明数据库")
        self._table = exp.table_(name, db=self._place, quoted=True)
        self._kept: queue.LifoQueue[Any] = queue.LifoQueue()
        self._columns, self.left_out = self._probe()
        self.schema = pa.schema([(name, one.type) for name, one in self._columns.items()])
        self._sent = self._types_sent()
        self._point = lru_cache(maxsize=256)(self._point_sql)

    def look(self) -> pa.Schema:
        return pa.schema([(name, one.type) for name, one in self._probe()[0].items()])

    def changes(self) -> str:
        """When the server last wrote the table, in UTC, as far as it remembers; "" where it does not."""
        rows, _ = self._fetch(self._about(CHANGED))
        return str(rows[0][0]) if rows and rows[0][0] is not None else ""

    def count(self) -> int:
        query = exp.select(exp.Count(this=exp.Star())).from_(self._table)
        return int(self._fetch(query.sql(dialect="mysql"))[0][0][0])

    def _rows(self, schema: pa.Schema, where: Predicate | None, limit: int | None) -> Iterator[pa.RecordBatch]:
        query = self._select(schema.names, where)
        if limit is not None:
            query = query.limit(limit, copy=False)
        return self._stream(query.sql(dialect="mysql"), schema)

    def lookup(
        self,
        items: Sequence[str],
        key: str,
        values: Sequence[Scalar],
        where: Predicate | None = None,
        limit: int = LOOKUP_ROWS,
    ) -> pa.Table:
        schema = self.fields(items)
        if not self.key_values(key, values):
            return schema.empty_table()
        sql = self._point(tuple(items), key, tuple(values), where)
        rows, sent = self._fetch(f"{sql} LIMIT {int(limit) + 1}", read=True)
        if sent != [self._sent[item] for item in items]:
            raise self.broken()
        if len(rows) > limit:
            raise LookupTooWide(limit=limit)
        try:
            return pa.Table.from_batches([_batch(rows, schema)], schema=schema)
        except (pa.ArrowException, TypeError, ValueError):
            raise self.broken() from None

    def close(self) -> None:
        while not self._kept.empty():
            with suppress(pymysql.Error, OSError):
                self._kept.get_nowait().close()

    def _probe(self) -> tuple[dict[str, Column], tuple[str, ...]]:
        rows, _ = self._fetch(self._about(COLUMNS))
        if not rows:
            raise SourceUnreadable(
                kind="mysql", reason="it has no table or view of that name", reason_zh="没有该名称的表或视图"
            )
        described = [[one.decode() if isinstance(one, bytes) else one for one in row] for row in rows]
        columns = {row[0]: found for row in described if (found := _column(row[1:]))}
        return columns, tuple(row[0] for row in described if row[0] not in columns)

    def _about(self, statement: str) -> str:
        names = [exp.HexString(this=one.encode().hex()) for one in (self._place, self._name)]
        return statement.format(*(exp.cast(_utf8(one), "CHAR").sql(dialect="mysql") for one in names))

    def _types_sent(self) -> dict[str, tuple[Any, ...]]:
        if not self._columns:
            return {}
        _, sent = self._fetch(self._select(list(self._columns), None).limit(0).sql(dialect="mysql"))
        return dict(zip(self._columns, sent, strict=True))

    def _select(self, items: Sequence[str], where: Predicate | None) -> exp.Select:
        query = exp.select(*(exp.alias_(self._shown(item), item, quoted=True) for item in items)).from_(self._table)
        if where is not None:
            columns = {item: self._compared(item) for item in where.items() if item in self._columns}
            query = query.where(where.to_sql(self.types(), "mysql", columns), *self._served(where), copy=False)
        return query

    def _point_sql(self, items: tuple[str, ...], key: str, values: tuple[Scalar, ...], where: Predicate | None) -> str:
        wanted = Predicate.all_of(Predicate("in", key, values), where)
        return self._select(items, wanted).sql(dialect="mysql")

    def _shown(self, item: str) -> exp.Expr:
        one = self._columns[item]
        value: exp.Expr = column(item)
        if one.way == "double":
            return exp.Add(this=value, expression=exp.Literal.number("0e0"))
        if one.way == "bit":
            return exp.Add(this=value, expression=exp.Literal.number(0))
        if one.way == "decimal":
            return exp.cast(value, exp.DataType.build("DECIMAL(20, 0)"))
        if one.way == "written":
            return exp.cast(value, exp.DataType.build("CHAR", dialect="mysql"))
        if one.way != "moment":
            return value
        parts = [exp.Anonymous(this=part, expressions=[value.copy()]) for part in ("YEAR", "MONTH", "DAYOFMONTH")]
        there = [exp.GT(this=part, expression=exp.Literal.number(0)) for part in parts]
        return exp.Case(ifs=[exp.If(this=exp.and_(*there, copy=False), true=value)])

    def _compared(self, item: str) -> exp.Expr:
        if self._columns[item].way not in ("text", "written"):
            return exp.paren(self._shown(item), copy=False)
        text = exp.Cast(this=column(item), to=exp.DataType(this=exp.DType.CHARACTER_SET, kind=exp.var("utf8mb4")))
        return exp.cast(text, exp.DataType.build("BINARY", dialect="mysql"))

    def _served(self, where: Predicate) -> Iterator[exp.Expr]:
        """What an index can serve: wider than what must hold of a condition, in the column's own terms."""
        parts = where.args if where.op == "and" else (where,)
        for part in parts:
            one = self._columns.get(part.item)
            if one is None or part.op not in (*COMPARISONS, "in") or part.op == "ne":
                continue
            text = one.way == "text" and one.unicode and part.op in ("eq", "in")
            if not text and one.way != "moment":
                continue
            values = [sql_literal(literal(value, one.type, part.item), one.type, "mysql") for value in part.values]
            written = [_utf8(value) for value in values] if text else values
            if part.op == "in":
                yield exp.In(this=column(part.item), expressions=written)
            else:
                yield BINARY[part.op](this=column(part.item), expression=written[0])

    def _fetch(self, sql: str, *, read: bool = False) -> tuple[list[Any], list[tuple[Any, ...]]]:
        """The rows, and what types they came as. A kept connection that the server has ended is replaced once.

        read   whether it reads rows, so that a failure may be a change of the table
        """
        while True:
            connection, fresh = self._take()
            try:
                with connection.cursor() as cursor:
                    cursor.execute(sql)
                    rows, sent = list(cursor.fetchall()), _sent(cursor)
            except (pymysql.Error, OSError, ValueError) as error:
                _drop(connection)
                if not fresh and isinstance(error, pymysql.OperationalError):
                    continue
                raise (self.broken() if read else SourceFailed()) from None
            self._kept.put(connection)
            return rows, sent

    def _take(self) -> tuple[Any, bool]:
        with suppress(queue.Empty):
            return self._kept.get_nowait(), False
        return self._connect(), True

    def _connect(self) -> Any:
        try:
            connection: Any = pymysql.connect(**self._options)
            try:
                with connection.cursor() as cursor:
                    for statement in (*SESSION, _limit(connection.get_server_info())):
                        cursor.execute(statement)
            except BaseException:
                _drop(connection)
                raise
        except (pymysql.Error, OSError, ValueError):
            raise SourceFailed() from None
        return connection

    def _stream(self, sql: str, schema: pa.Schema) -> Iterator[pa.RecordBatch]:
        connection, cursor = self._executed(sql)
        ended = False
        try:
            if _sent(cursor) != [self._sent[name] for name in schema.names]:
                raise self.broken()
            while rows := cursor.fetchmany(BATCH_ROWS):
                yield _batch(rows, schema)
            ended = True
        finally:
            if ended:
                cursor.close()
                self._kept.put(connection)
            else:
                # Closing an unbuffered cursor reads what is left of its rows, which may be all of a large table.
                if (result := cursor._result) is not None:
                    result.unbuffered_active, result.connection = False, None
                cursor.connection = None
                _drop(connection)

    def _executed(self, sql: str) -> tuple[Any, Any]:
        """A connection that is about to send the rows. One kept that the server has ended is replaced."""
        while True:
            connection, fresh = self._take()
            try:
                cursor = connection.cursor(SSCursor)
                cursor.execute(sql)
            except pymysql.OperationalError:
                _drop(connection)
                if fresh:
                    raise
            except BaseException:
                _drop(connection)
                raise
            else:
                return connection, cursor


def _options(location: str) -> dict[str, Any]:
    """mysql://user:password@host:3306/database, with ?tls=verify, ?tls=require or ?socket=/path.

    raises   SourceUnreadable
    """
    try:
        parts = urlsplit(location)
        asked = dict(parse_qsl(parts.query, strict_parsing=True)) if parts.query else {}
        port = parts.port or 3306
    except ValueError:
        parts, asked, port = urlsplit(""), {"?": ""}, 0
    tls, socket = asked.pop("tls", ""), asked.pop("socket", "")
    if parts.scheme not in ("mysql", "mariadb") or asked or tls not in ("", "require", "verify"):
        raise SourceUnreadable(
            kind="mysql",
            reason="its location is not mysql://user:password@host:port/database",
            reason_zh="位置不是 mysql://用户:口令@主机:端口/数据库",
        )
    options: dict[str, Any] = {
        "host": parts.hostname or "127.0.0.1",
        "port": port,
        "user": unquote(parts.username or ""),
        "password": unquote(parts.password or ""),
        "database": unquote(parts.path.lstrip("/")) or None,
        "charset": "utf8mb4",
        "autocommit": True,
        "connect_timeout": CONNECT_S,
        "read_timeout": STATEMENT_S,
        "use_unicode": False,
        "conv": {},
        "program_name": "hutong",
    }
    if socket:
        options["unix_socket"] = socket
    if tls:
        context = ssl.create_default_context()
        if tls == "require":
            context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        options["ssl"] = context
    return options


def _column(described: Sequence[Any]) -> Column | None:
    kind, whole, precision, scale, charset = described
    if kind == "bigint" and "unsigned" in whole:
        return Column(pa.decimal128(20, 0), "decimal")
    if kind in INTEGERS:
        return Column(INTEGERS[kind], "plain")
    if kind in ("float", "double"):
        return Column(pa.float32() if kind == "float" else pa.float64(), "double")
    if kind == "decimal":
        if int(precision) > 38:
            return Column(pa.float64(), "double")
        return Column(pa.decimal128(int(precision), int(scale)), "plain")
    if kind in MOMENTS:
        return Column(MOMENTS[kind], "moment")
    if kind == "bit" and whole == "bit(1)":
        return Column(pa.bool_(), "bit")
    if kind in TEXTS:
        return Column(pa.string(), "text", unicode=charset in UNICODE)
    return Column(pa.string(), "written") if kind in WRITTEN else None


def _batch(rows: Sequence[Sequence[Any]], schema: pa.Schema) -> pa.RecordBatch:
    """raises   pa.ArrowException where a value is not of its column's type"""
    columns = zip(*rows, strict=True) if rows else [()] * len(schema)
    arrays = [_array(values, field.type) for values, field in zip(columns, schema, strict=True)]
    return pa.RecordBatch.from_arrays(arrays, schema=schema)


def _array(values: Sequence[Any], type_: pa.DataType) -> Any:
    kind = kind_of(type_)
    if kind is Kind.TEXT:
        return pa.array(values, pa.binary()).cast(type_)
    written: Any = pa.array(values, pa.string())
    if kind is Kind.BOOL:
        return written.cast(pa.int8()).cast(type_)
    if kind is Kind.TIMESTAMP:
        return written.cast(pa.timestamp("us")).cast(type_)
    if pa.types.is_float32(type_):
        return written.cast(pa.float64()).cast(type_)
    return written.cast(type_)


def _utf8(text: exp.Expr) -> exp.Expr:
    return exp.Introducer(this=exp.var("_utf8mb4"), expression=text)


def _sent(cursor: Any) -> list[tuple[Any, ...]]:
    """Type and scale of each column, as the server has just sent them."""
    return [(one[1], one[5]) for one in cursor.description or ()]


def _limit(version: str) -> str:
    if "mariadb" in version.lower():
        return f"SET SESSION max_statement_time = {STATEMENT_S}"
    return f"SET SESSION max_execution_time = {STATEMENT_S * 1000}"


def _drop(connection: Any) -> None:
    with suppress(pymysql.Error, OSError):
        connection._force_close()
