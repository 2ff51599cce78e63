"""Every engine the rows can lie in, and every history there. Adding one is a function; see docs/leaks.md."""

from __future__ import annotations

import csv
import datetime
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import psycopg
import pyarrow as pa
import pyarrow.parquet as pq

from hutong.exchange.sources import Source, SourceSpec, open_source, take_in
from hutong.exchange.sources.bound import bound
from tests import mariadb
from tests.leaks.naive import Row
from tests.leaks.tables import DOOMED, NOTE, SCHEMA, TABLE

SPOILED = "秘密不是数字"
HISTORIES = ("fresh", "partitioned", "evolved", "deleted")


@dataclass(frozen=True)
class Engine:
    """How rows get into one kind of source.

    make       puts TABLE there with one of the histories, and opens it
    held       a row as this kind of source holds it; what it has no type for, it holds in another
    schema     what it should say of its items
    needs      a server whose address it is given: postgresql, mysql or interface
    spoil      makes a value of `size` into a text that may not be seen, behind the open source's back
    """

    name: str
    make: Callable[[str, Path, str], Source]
    held: Callable[[Row], Row]
    schema: pa.Schema
    histories: tuple[str, ...] = HISTORIES
    needs: str = ""
    spoil: Callable[[Path, str], None] | None = None

    def rows(self) -> list[Row]:
        return [self.held(row) for row in TABLE]


ENGINES: dict[str, Engine] = {}


def engine(
    name: str,
    *,
    held: Callable[[Row], Row] = dict,
    schema: pa.Schema = SCHEMA,
    histories: tuple[str, ...] = HISTORIES,
    needs: str = "",
    spoil: Callable[[Path, str], None] | None = None,
) -> Callable[[Callable[[str, Path, str], Source]], Callable[[str, Path, str], Source]]:
    def add(make: Callable[[str, Path, str], Source]) -> Callable[[str, Path, str], Source]:
        ENGINES[name] = Engine(name, make, held, schema, histories, needs, spoil)
        return make

    return add


def cases() -> Iterator[tuple[str, str]]:
    for one in ENGINES.values():
        yield from ((one.name, history) for history in one.histories)


def _spoil_parquet(folder: Path, _: str) -> None:
    table = pa.Table.from_pylist(TABLE, SCHEMA)
    spoiled = table.set_column(table.schema.names.index("size"), "size", pa.array([SPOILED] * len(TABLE)))
    pq.write_table(spoiled, folder / "spoiled.parquet")
    (folder / "spoiled.parquet").replace(folder / "x.parquet")


def _spoil_sqlite(folder: Path, _: str) -> None:
    with closing(sqlite3.connect(folder / "x.db")) as connection, connection:
        connection.execute("UPDATE register SET size = ? WHERE number = 5", [SPOILED])


def _spoil_postgresql(_: Path, url: str) -> None:
    with psycopg.connect(url) as connection:
        connection.execute(f"ALTER TABLE register ALTER COLUMN size TYPE text USING '{SPOILED}'")


@engine("parquet", spoil=_spoil_parquet)
def parquet(history: str, folder: Path, _: str) -> Source:
    """DuckDB's scan, and Arrow's vectors for point reads."""
    file = folder / "x.parquet"
    table = pa.Table.from_pylist(TABLE, SCHEMA)
    if history == "evolved":
        table = table.select(list(reversed(SCHEMA.names))).append_column("note", pa.array([NOTE] * len(TABLE)))
    if history == "deleted":
        pq.write_table(pa.concat_tables([table, pa.Table.from_pylist(DOOMED, SCHEMA)]), file)
        source = open_source(SourceSpec("parquet", str(file)), index_folder=folder / "index")
        source.prepare_lookup("number")  # an index of the file as it was
        (folder / "new.parquet").write_bytes(b"")
        pq.write_table(table, folder / "new.parquet")
        (folder / "new.parquet").replace(file)
        return source
    pq.write_table(table, file, row_group_size=7 if history == "partitioned" else None)
    return open_source(SourceSpec("parquet", str(file)), index_folder=folder / "index")


@engine("parquet_scanned", histories=("partitioned",))
def parquet_scanned(history: str, folder: Path, _: str) -> Source:
    """Without an index: point reads are scans."""
    parquet(history, folder, "").close()
    return open_source(SourceSpec("parquet", str(folder / "x.parquet")))


@engine("parquet_renamed", histories=("evolved",))
def parquet_renamed(_: str, folder: Path, __: str) -> Source:
    """Every column has another name than when the grant was made, and is found by its id."""
    ids = {name: number for number, name in enumerate(SCHEMA.names, 1)}
    fields = [
        pa.field(f"{one.name}_now", one.type, metadata={"PARQUET:field_id": str(ids[one.name])}) for one in SCHEMA
    ]
    table = pa.Table.from_pylist(TABLE, SCHEMA)
    pq.write_table(pa.Table.from_arrays(table.columns, schema=pa.schema(fields)), folder / "x.parquet")
    return bound(open_source(SourceSpec("parquet", str(folder / "x.parquet")), index_folder=folder / "index"), ids)


def without_nan(row: Row) -> Row:
    return {**row, "share": None if row["share"] != row["share"] else row["share"]}


def _as_sqlite(row: Row) -> Row:
    """Booleans are numbers, decimals doubles, dates and times text; no NaN."""
    return {
        **without_nan(row),
        "money": None if row["money"] is None else float(row["money"]),
        "ok": None if row["ok"] is None else int(row["ok"]),
        "day": None if row["day"] is None else row["day"].isoformat(),
        "at": None if row["at"] is None else row["at"].isoformat(sep=" "),
    }


SQLITE = pa.schema(
    [
        pa.field(field.name, {"money": pa.float64(), "ok": pa.int64()}.get(field.name, pa.string()))
        if field.name in ("money", "ok", "day", "at")
        else field
        for field in SCHEMA
    ]
)
SQLITE_TYPES = {"int64": "INTEGER", "string": "TEXT", "double": "REAL"}


@engine("sqlite", held=_as_sqlite, schema=SQLITE, spoil=_spoil_sqlite)
def sqlite(history: str, folder: Path, _: str) -> Source:
    with closing(sqlite3.connect(folder / "x.db")) as connection, connection:
        types = {field.name: SQLITE_TYPES[str(field.type)] for field in SQLITE}
        _lay(connection.execute, "?", history, types, _as_sqlite, ["{}, PRIMARY KEY (number)) WITHOUT ROWID"])
    return open_source(SourceSpec("sqlite", str(folder / "x.db"), "register"))


PG_PARTITIONS = [
    "{}) PARTITION BY LIST (city)",
    "CREATE TABLE register_nanjing PARTITION OF register FOR VALUES IN ('南京', '南京市')",
    "CREATE TABLE register_others PARTITION OF register DEFAULT",
]
PG_TYPES = {
    "int64": "int8", "string": "text", "double": "float8", "decimal128(12, 2)": "numeric(12,2)", "bool": "bool",
    "date32[day]": "date", "timestamp[us]": "timestamp",
}  # fmt: skip


@engine("postgresql", needs="postgresql", spoil=_spoil_postgresql)
def postgresql(history: str, _: Path, url: str) -> Source:
    with psycopg.connect(url) as connection:
        connection.execute("DROP TABLE IF EXISTS register")
        types = {field.name: PG_TYPES[str(field.type)] for field in SCHEMA}
        _lay(connection.execute, "%s", history, types, dict, PG_PARTITIONS)
    return open_source(SourceSpec("postgresql", url, "register"))


MYSQL_TYPES = {
    "int64": "bigint", "string": "varchar(200)", "double": "double", "decimal128(12, 2)": "decimal(12,2)",
    "bool": "bit(1)", "date32[day]": "date", "timestamp[us]": "datetime(6)",
}  # fmt: skip


def _spoil_mysql(_: Path, address: str) -> None:
    with mariadb.connect(address, "leaks") as connection, connection.cursor() as cursor:
        cursor.execute("ALTER TABLE register MODIFY size varchar(200)")
        cursor.execute("UPDATE register SET size = %s", [SPOILED])


@engine("mysql", needs="mysql", held=without_nan, spoil=_spoil_mysql)
def mysql(history: str, _: Path, address: str) -> Source:
    """Under the collation people have by default, for which nanjing and NANJING are one."""
    types = {field.name: MYSQL_TYPES[str(field.type)] for field in SCHEMA}
    parts = ["{}, PRIMARY KEY (number)) PARTITION BY HASH (number) PARTITIONS 3"]
    with mariadb.connect(address, "leaks") as connection, connection.cursor() as cursor:
        cursor.execute("SET NAMES utf8mb4 COLLATE utf8mb4_general_ci")
        _lay(cursor.execute, "%s", history, types, without_nan, parts)
    return open_source(SourceSpec("mysql", address, "register"))


def _lay(
    execute: Callable[..., Any],
    sign: str,
    history: str,
    types: dict[str, str],
    held: Callable[[Row], Row],
    partitioned: Sequence[str],
) -> None:
    """The rows in a database's table, by its history. `partitioned`: how a table in parts is made, {} its columns."""
    names = list(types)
    columns = ", ".join(f"{name} {type_}" for name, type_ in types.items())
    if history == "partitioned":
        for statement in partitioned:
            execute(statement.replace("{}", f"CREATE TABLE register ({columns}"))
    elif history == "evolved":
        # Other names, another order, a column less; then as it is now, with a column nobody may read.
        old = {f"{name}_old": types[name] for name in reversed(names) if name != "city"}
        execute(f"CREATE TABLE register ({', '.join(f'{name} {type_}' for name, type_ in old.items())})")
        execute(f"ALTER TABLE register ADD COLUMN city {types['city']}")
        for name in old:
            execute(f"ALTER TABLE register RENAME COLUMN {name} TO {name.removesuffix('_old')}")
        execute(f"ALTER TABLE register ADD COLUMN note {types['name']} DEFAULT '{NOTE}'")
    else:
        execute(f"CREATE TABLE register ({columns})")
    rows = [held(row) for row in (TABLE + DOOMED if history == "deleted" else TABLE)]
    signs = ", ".join([sign] * len(names))
    for row in rows:
        execute(f"INSERT INTO register ({', '.join(names)}) VALUES ({signs})", [row[name] for name in names])
    if history == "deleted":
        execute(f"DELETE FROM register WHERE number >= {len(TABLE)}")


def _as_csv(row: Row) -> Row:
    """A file of text: decimals become doubles; what it would read as something else is missing."""
    shown: Row = {}
    for name, value in row.items():
        if isinstance(value, Decimal):
            shown[name] = float(value)
        elif value in ("", None) or value != value or (name == "size" and abs(value) > 10**18):
            shown[name] = None
        else:
            shown[name] = value
    return shown


CSV = pa.schema([pa.field("money", pa.float64()) if field.name == "money" else field for field in SCHEMA])


@engine("csv", held=_as_csv, schema=CSV, histories=("fresh",))
def taken_in(_: str, folder: Path, __: str) -> Source:
    """A file of text, taken in as a snapshot."""
    _write_csv(folder / "x.csv", TABLE)
    return _snapshot(SourceSpec("csv", str(folder / "x.csv")), folder)


@engine("csv_folder", held=_as_csv, schema=CSV, histories=("partitioned",))
def csv_folder(_: str, folder: Path, __: str) -> Source:
    for number, start in enumerate(range(0, len(TABLE), 25)):
        (folder / "x" / f"part={number}").mkdir(parents=True)
        _write_csv(folder / "x" / f"part={number}" / "rows.csv", TABLE[start : start + 25])
    return _snapshot(SourceSpec("csv_folder", str(folder / "x")), folder)


def _snapshot(spec: SourceSpec, folder: Path) -> Source:
    return open_source(replace(spec, snapshot=str(take_in(spec, folder / "snapshots", "register").snapshot)))


def _write_csv(file: Path, rows: Sequence[Row]) -> None:
    with file.open("w", encoding="utf-8", newline="") as opened:
        writer = csv.writer(opened)
        writer.writerow(SCHEMA.names)
        for row in rows:
            writer.writerow([_written(value) for value in _as_csv(row).values()])


def _written(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, datetime.datetime):
        return value.isoformat(sep=" ")
    return "" if value is None else str(value)
