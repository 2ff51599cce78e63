"""Engines that are no database: folders of Parquet files, Iceberg tables, HTTP interfaces. See engines.py."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from pyiceberg.catalog.sql import SqlCatalog
from pyiceberg.table import Table
from pyiceberg.transforms import IdentityTransform
from pyiceberg.types import StringType

from hutong.exchange.sources import Source, SourceSpec, open_source
from hutong.exchange.sources.bound import bound
from tests.http_source import Interface
from tests.iceberg_deletes import delete_positions
from tests.leaks.engines import SPOILED, engine, without_nan
from tests.leaks.naive import Row
from tests.leaks.tables import DOOMED, NOTE, SCHEMA, TABLE
from tests.spec.five_sources import SQL_CATALOGUE, interface_spec


def _table(rows: Sequence[Row]) -> pa.Table:
    return pa.Table.from_pylist(list(rows), SCHEMA)


def _spoil_folder(folder: Path, _: str) -> None:
    table = _table(TABLE[:30])
    spoiled = table.set_column(table.schema.names.index("size"), "size", pa.array([SPOILED] * 30))
    pq.write_table(spoiled, folder / "x" / "a.parquet")


@engine("parquet_folder", spoil=_spoil_folder)
def parquet_folder(history: str, folder: Path, _: str) -> Source:
    place = folder / "x"
    place.mkdir()
    if history == "partitioned":
        for number, start in enumerate(range(0, len(TABLE), 25)):
            (place / f"part=0{number}").mkdir()
            pq.write_table(_table(TABLE[start : start + 25]), place / f"part=0{number}" / "rows.parquet")
        return open_source(SourceSpec("parquet_folder", str(place)))
    first, second = _table(TABLE[:30]), _table(TABLE[30:])
    if history == "evolved":
        second = second.select(list(reversed(SCHEMA.names))).append_column("note", pa.array([NOTE] * len(second)))
    pq.write_table(first, place / "a.parquet", row_group_size=7)
    pq.write_table(second, place / "b.parquet")
    if history == "deleted":
        pq.write_table(_table(DOOMED), place / "c.parquet")
    source = open_source(SourceSpec("parquet_folder", str(place)))
    (place / "c.parquet").unlink(missing_ok=True)
    return source


def _register(folder: Path) -> tuple[SqlCatalog, SourceSpec]:
    address = f"sqlite:///{folder / 'catalogue.db'}"
    spec = SourceSpec("iceberg", address, "civil.register", settings=SQL_CATALOGUE)
    return SqlCatalog("made", uri=address, warehouse=f"file://{folder / 'lake'}"), spec


def _spoil_iceberg(folder: Path, _: str) -> None:
    """Another column, of text, takes the name of the one that was granted."""
    catalogue, _spec = _register(folder)
    table = catalogue.load_table("civil.register")
    with table.update_schema(allow_incompatible_changes=True) as update:
        update.delete_column("size")
    with table.update_schema() as update:
        update.add_column("size", StringType())
    spoiled = _table(TABLE[:1]).set_column(SCHEMA.names.index("size"), "size", pa.array([SPOILED]))
    table.append(spoiled.append_column("note", pa.array([NOTE])).select(list(table.schema().column_names)))
    catalogue.close()


@engine("iceberg", spoil=_spoil_iceberg)
def iceberg(history: str, folder: Path, _: str) -> Source:
    """Deletions lie in files beside the data, as other writers leave them."""
    catalogue, spec = _register(folder)
    catalogue.create_namespace("civil")
    table = _created(catalogue, history)
    if history == "deleted":
        delete_positions(table, "number", [row["number"] for row in DOOMED])
    catalogue.close()
    return open_source(spec)


@engine("iceberg_renamed", histories=("evolved",))
def iceberg_renamed(_: str, folder: Path, __: str) -> Source:
    """Every column has another name than when the grant was made, and is found by its id."""
    source = iceberg("fresh", folder, "")
    ids = dict(source.field_ids)
    source.close()
    catalogue, spec = _register(folder)
    with catalogue.load_table("civil.register").update_schema() as update:
        for name in SCHEMA.names:
            update.rename_column(name, f"{name}_now")
    catalogue.close()
    return bound(open_source(spec), ids)


def _created(catalogue: SqlCatalog, history: str) -> Table:
    if history == "evolved":
        old = pa.schema([field.with_name(f"{field.name}_old") for field in reversed(SCHEMA) if field.name != "city"])
        table = catalogue.create_table("civil.register", schema=old)
        with table.update_schema() as update:
            update.add_column("city", StringType())
            for name in old.names:
                update.rename_column(name, name.removesuffix("_old"))
        now = table.schema().column_names
        table.append(_table(TABLE[:30]).select(list(now)))
        with table.update_schema() as update:
            update.add_column("note", StringType())
        noted = _table(TABLE[30:]).select(list(now))
        table.append(noted.append_column("note", pa.array([NOTE] * len(noted))))
        return table
    table = catalogue.create_table("civil.register", schema=SCHEMA)
    if history == "partitioned":
        with table.update_spec() as update:
            update.add_field("city", IdentityTransform(), "city")
    rows = TABLE + DOOMED if history == "deleted" else TABLE
    table.append(_table(rows[:30]))
    table.append(_table(rows[30:]))
    return table


def _said(row: Row) -> Row:
    """As JSON: decimals become doubles, times text; no NaN."""
    return {
        **without_nan(row),
        "money": None if row["money"] is None else float(row["money"]),
        "at": None if row["at"] is None else row["at"].isoformat(sep=" "),
    }


INTERFACE = Interface([], {}, ["number"])  # served by whoever tests with it
SAID = pa.schema(
    [pa.field(one.name, {"money": pa.float64(), "at": pa.string()}.get(one.name, one.type)) for one in SCHEMA]
)
KINDS: dict[str, dict[str, Any]] = {
    "int64": {"type": ["integer", "null"]},
    "string": {"type": ["string", "null"]},
    "double": {"type": ["number", "null"]},
    "bool": {"type": ["boolean", "null"]},
    "date32[day]": {"type": ["string", "null"], "format": "date"},
}


def _answered(rows: Sequence[Row], **more: Any) -> list[Row]:
    return [{**_said(row), "day": row["day"] and row["day"].isoformat(), **more} for row in rows]


def _spoil_interface(_: Path, __: str) -> None:
    INTERFACE.rows = _answered(TABLE, size=SPOILED)


@engine(
    "openapi",
    needs="interface",
    held=_said,
    schema=SAID,
    histories=("fresh", "evolved", "deleted"),
    spoil=_spoil_interface,
)
def interface(history: str, _: Path, address: str) -> Source:
    """An authority's interface, which tests `number` itself and answers in pages."""
    order = list(reversed(SCHEMA.names)) if history == "evolved" else SCHEMA.names
    INTERFACE.properties = {name: KINDS[str(SAID.field(name).type)] for name in order}
    INTERFACE.properties["number"] = {"type": "integer"}
    INTERFACE.tests = {"n": lambda row, value: row["number"] == int(value)}
    INTERFACE.rows = _answered(TABLE + DOOMED if history == "deleted" else TABLE)
    source = open_source(interface_spec(address, filters="number = n"))
    INTERFACE.rows = _answered(TABLE, **({"note": NOTE} if history == "evolved" else {}))
    return source
