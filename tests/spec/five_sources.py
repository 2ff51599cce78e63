"""The same small register as every kind of source, and what its conditions should find."""

from __future__ import annotations

import csv
import datetime
import operator
import sqlite3
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape

import psycopg
import pyarrow as pa
import pyarrow.parquet as pq
from pyiceberg.catalog.sql import SqlCatalog
from pyiceberg.table import Table

from hutong.exchange.sources import Source, SourceSpec, open_source, take_in
from tests import mariadb
from tests.http_source import Interface

KINDS = (
    "csv",
    "excel",
    "parquet",
    "sqlite",
    "postgresql",
    "mysql",
    "parquet_folder",
    "csv_folder",
    "iceberg",
    "openapi",
)
SQL_CATALOGUE = (("catalogue", "sql"), ("catalogue_name", "made"))
ITEMS = ("number", "word", "size", "share", "ok", "day", "at")
WORDS = (
    *("南京", "南京市", "nanjing", "NANJING", "Nanjing", "o'brien'; DROP TABLE register; --", "a%b_c", "axbyc"),
    *("\\back\\", " lead", "a ", "a", 'say "yes"', "caf\u00e9", "cafe\u0301", "\U00020bb7野家", "Ω", "Z", "_", "%"),
    *("two\nlines", "$1 ? %s {x}", "é", None, None),
)
SIZES = (0, -1, 5, 2**53 + 1, 10**17, -(10**17), 7, None, 42, 5)
SHARES = (0.1, 0.30000000000000004, 0.3, -5.5, 1e300, 2.5, None, 3.25, 1e-7)
DAYS = ("2000-01-01", "1999-12-31", "2024-02-29", None, "1978-06-05")
TIMES = ("2000-01-01 00:00:00", "2024-02-29 23:59:59", None, "1978-06-05 08:30:00")


def _row(number: int) -> dict[str, Any]:
    day, at = DAYS[number % len(DAYS)], TIMES[number % len(TIMES)]
    return {
        "number": number,
        "word": WORDS[number % len(WORDS)],
        "size": SIZES[number % len(SIZES)],
        "share": SHARES[number % len(SHARES)],
        "ok": (True, False, None)[number % 3],
        "day": datetime.date.fromisoformat(day) if day else None,
        "at": datetime.datetime.fromisoformat(at) if at else None,
    }


ROWS = [_row(number) for number in range(150)]
# The same rows as SQLite shows them: booleans are numbers, dates and times are text.
PLAIN_ROWS = [
    row
    | {
        "ok": None if row["ok"] is None else int(row["ok"]),
        "day": row["day"] and row["day"].isoformat(),
        "at": row["at"] and row["at"].isoformat(sep=" "),
    }
    for row in ROWS
]
# An interface that writes times as it likes: they are text.
SAID_ROWS = [row | {"at": plain["at"]} for row, plain in zip(ROWS, PLAIN_ROWS, strict=True)]
SCHEMA = pa.schema(
    [
        ("number", pa.int64()),
        ("word", pa.string()),
        ("size", pa.int64()),
        ("share", pa.float64()),
        ("ok", pa.bool_()),
        ("day", pa.date32()),
        ("at", pa.timestamp("us")),
    ]
)


def rows_of(kind: str) -> list[dict[str, Any]]:
    """What a source of this kind holds."""
    return {"sqlite": PLAIN_ROWS, "openapi": SAID_ROWS}.get(kind, ROWS)


def opened(kind: str, folder: Path, address: str = "") -> Source:
    """The register as a source of one kind, freshly made."""
    path = folder / f"register.{kind}"
    if kind == "csv":
        _write_csv(path)
    elif kind == "excel":
        write_workbook(path, [list(ITEMS), *([_cell(row[item]) for item in ITEMS] for row in ROWS)])
    elif kind == "parquet":
        pq.write_table(pa.Table.from_pylist(ROWS, schema=SCHEMA), path, row_group_size=40)
    elif kind == "sqlite":
        _write_sqlite(path)
    elif kind == "parquet_folder":
        write_parquet_folder(path)
    elif kind == "csv_folder":
        _write_csv_folder(path)
    elif kind == "iceberg":
        return open_source(write_iceberg(folder))
    elif kind == "openapi":
        return open_source(interface_spec(address))
    elif kind == "mysql":
        _write_mysql(address)
        return open_source(SourceSpec(kind, address, "register"))
    else:
        _write_postgresql(address)
        return open_source(SourceSpec(kind, address, "register"))
    spec = SourceSpec(kind, str(path), "register" if kind == "sqlite" else "")
    if not spec.reads_snapshot:
        return open_source(spec, index_folder=folder / "index")
    taken = take_in(spec, folder / "snapshots", "register")
    assert (taken.row_count, taken.quarantined) == (len(ROWS), 0)
    assert taken.schema == SCHEMA, taken.schema
    return open_source(SourceSpec(kind, str(path), "", str(taken.snapshot)))


def _cell(value: Any) -> Any:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int) and abs(value) > 2**53:
        return str(value)  # a sheet's numbers are doubles, so whoever keeps such a number keeps it as text
    return str(value) if isinstance(value, (datetime.date, datetime.datetime)) else value


def _write_csv(path: Path, rows: Sequence[Mapping[str, Any]] = ROWS) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(ITEMS)
        writer.writerows(["" if row[item] is None else _cell(row[item]) for item in ITEMS] for row in rows)


def _write_sqlite(path: Path) -> None:
    connection = sqlite3.connect(path)
    connection.execute(
        "CREATE TABLE register (number INTEGER, word TEXT, size INTEGER, share REAL, ok, day TEXT, at TEXT)"
    )
    connection.executemany(
        "INSERT INTO register VALUES (?, ?, ?, ?, ?, ?, ?)", [[row[item] for item in ITEMS] for row in PLAIN_ROWS]
    )
    connection.execute("CREATE INDEX by_word ON register (word)")
    connection.commit()
    connection.close()


def _write_postgresql(url: str) -> None:
    with psycopg.connect(url) as connection:
        connection.execute("DROP TABLE IF EXISTS register")
        connection.execute(
            "CREATE TABLE register (number int8, word text, size int8, share float8, ok bool, day date, at timestamp)"
        )
        with connection.cursor() as cursor:
            cursor.executemany(
                "INSERT INTO register VALUES (%s, %s, %s, %s, %s, %s, %s)",
                [[row[item] for item in ITEMS] for row in ROWS],
            )


def _write_mysql(address: str) -> None:
    """With the collation people have by default: it ignores case, accents, and blanks at the end."""
    with mariadb.connect(address, "register") as connection, connection.cursor() as cursor:
        cursor.execute(
            "CREATE TABLE register (number bigint PRIMARY KEY, word varchar(200) COLLATE utf8mb4_general_ci,"
            " size bigint, share double, ok bit(1), day date, at datetime(6), KEY (word), KEY (day), KEY (at))"
        )
        cursor.executemany(
            "INSERT INTO register VALUES (%s, %s, %s, %s, %s, %s, %s)", [[row[item] for item in ITEMS] for row in ROWS]
        )


def write_parquet_folder(path: Path) -> None:
    """In partitions whose names are a code, and with a file that a writer has not finished."""
    for number, start in enumerate(range(0, len(ROWS), 60), 1):
        (path / f"area=0{number}").mkdir(parents=True)
        table = pa.Table.from_pylist(ROWS[start : start + 60], schema=SCHEMA)
        pq.write_table(table, path / f"area=0{number}" / "rows.parquet", row_group_size=20)
    (path / "_unfinished.parquet").write_bytes(b"PAR1")


def _write_csv_folder(path: Path) -> None:
    path.mkdir()
    for number, start in enumerate(range(0, len(ROWS), 60)):
        _write_csv(path / f"{number}.csv", ROWS[start : start + 60])


def write_iceberg(folder: Path) -> SourceSpec:
    """In two appends and a deletion, by an SQL catalogue in a file."""
    catalogue = _iceberg_catalogue(folder)
    catalogue.create_namespace("civil")
    table = catalogue.create_table("civil.register", schema=SCHEMA)
    table.append(pa.Table.from_pylist([ROWS[0] | {"number": 1_000 + number} for number in range(5)], schema=SCHEMA))
    table.append(pa.Table.from_pylist(ROWS, schema=SCHEMA))
    table.delete("number >= 1000")
    catalogue.close()
    return SourceSpec("iceberg", f"sqlite:///{folder / 'catalogue.db'}", "civil.register", settings=SQL_CATALOGUE)


@contextmanager
def iceberg_table(folder: Path) -> Iterator[Table]:
    """The table that write_iceberg made, for whoever writes to it."""
    catalogue = _iceberg_catalogue(folder)
    yield catalogue.load_table("civil.register")
    catalogue.close()


def _iceberg_catalogue(folder: Path) -> SqlCatalog:
    return SqlCatalog("made", uri=f"sqlite:///{folder / 'catalogue.db'}", warehouse=f"file://{folder / 'lake'}")


def interface() -> Interface:
    """The register behind an interface that takes a code, and days from and to."""
    properties: dict[str, Any] = {"number": {"type": "integer"}, "word": {"type": ["string", "null"]}}
    properties |= {"size": {"type": ["integer", "null"]}, "share": {"type": ["number", "null"]}}
    properties |= {"ok": {"type": ["boolean", "null"]}, "day": {"type": ["string", "null"], "format": "date"}}
    properties |= {"at": {"type": ["string", "null"]}, "parts": {"type": "array", "items": {}}}
    rows = [row | {"day": row["day"] and row["day"].isoformat(), "parts": []} for row in SAID_ROWS]
    return Interface(
        rows,
        properties,
        ["number"],
        {
            "n": lambda row, value: row["number"] == int(value),
            "dayFrom": lambda row, value: row["day"] is not None and row["day"] >= value,
            "dayTo": lambda row, value: row["day"] is not None and row["day"] <= value,
        },
    )


def interface_spec(address: str, **more: str) -> SourceSpec:
    given = {"document": f"{address}/openapi.json", "operation": "listRows", "rows": "data.items"}
    given |= {"filters": "number = n\nday >= dayFrom\nday <= dayTo"}
    given |= {"paging": "page", "page_parameter": "page", "size_parameter": "size", "page_size": "1000"}
    return SourceSpec("openapi", address, settings=tuple(sorted((given | more).items())))


def write_workbook(path: Path, rows: Sequence[Sequence[Any]], *, blank_first: int = 0) -> None:
    """The smallest workbook there is: one sheet, text inline, numbers as numbers."""
    lines = []
    for number, row in enumerate(rows, 1 + blank_first):
        cells = []
        for column, value in enumerate(row):
            place = f"{chr(ord('A') + column)}{number}"
            if isinstance(value, str):
                cells.append(f'<c r="{place}" t="inlineStr"><is><t xml:space="preserve">{escape(value)}</t></is></c>')
            elif value is not None:
                cells.append(f'<c r="{place}"><v>{value!r}</v></c>')
        lines.append(f'<row r="{number}">{"".join(cells)}</row>')
    main = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
    relations = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
    package = "http://schemas.openxmlformats.org/package/2006"
    parts = {
        "[Content_Types].xml": f'<Types xmlns="{package}/content-types"><Default Extension="rels" '
        'ContentType="application/vnd.openxmlformats-package.relationships+xml"/><Default Extension="xml" '
        'ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.sheet.main+xml"/></Types>',
        "_rels/.rels": f'<Relationships xmlns="{package}/relationships"><Relationship Id="r1" '
        f'Type="{relations}/officeDocument" Target="xl/workbook.xml"/></Relationships>',
        "xl/workbook.xml": f'<workbook xmlns="{main}" xmlns:r="{relations}"><sheets><sheet name="register" '
        'sheetId="1" r:id="r1"/></sheets></workbook>',
        "xl/_rels/workbook.xml.rels": f'<Relationships xmlns="{package}/relationships"><Relationship Id="r1" '
        f'Type="{relations}/worksheet" Target="worksheets/sheet1.xml"/></Relationships>',
        "xl/worksheets/sheet1.xml": f'<worksheet xmlns="{main}"><sheetData>{"".join(lines)}</sheetData></worksheet>',
    }
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in parts.items():
            archive.writestr(name, '<?xml version="1.0" encoding="UTF-8"?>' + text)


COMPARE = {
    "eq": operator.eq,
    "ne": operator.ne,
    "lt": operator.lt,
    "le": operator.le,
    "gt": operator.gt,
    "ge": operator.ge,
    "starts_with": lambda value, start: value.startswith(start),
    "contains": lambda value, part: part in value,
}


def truth(document: Mapping[str, Any], row: Mapping[str, Any]) -> bool | None:
    """What a condition says of a row: true, false, or nothing. Plain Python, shares no code with the product."""
    op = document["op"]
    if op in ("and", "or"):
        found = [truth(arg, row) for arg in document["args"]]
        decides = op == "or"
        return decides if decides in found else (None if None in found else not decides)
    if op == "not":
        inner = truth(document["arg"], row)
        return None if inner is None else not inner
    value = row[document["item"]]
    if op in ("is_null", "not_null"):
        return (value is None) == (op == "is_null")
    if value is None:
        return None
    if op == "in":
        return any(value == _like(value, one) for one in document["values"])
    if op == "between":
        return bool(_like(value, document["low"]) <= value <= _like(value, document["high"]))
    return bool(COMPARE[op](value, _like(value, document["value"])))


def _like(value: Any, written: Any) -> Any:
    """A condition's value as what the row holds."""
    if isinstance(value, datetime.datetime):
        return datetime.datetime.fromisoformat(written)
    if isinstance(value, datetime.date):
        return datetime.date.fromisoformat(written)
    if isinstance(value, float):
        return float(written)
    return int(written) if isinstance(value, int) and not isinstance(value, bool) else written


def found_by(document: Mapping[str, Any], rows: Sequence[Mapping[str, Any]]) -> list[int]:
    return sorted(row["number"] for row in rows if truth(document, row) is True)
