"""`hutong source`: where a department's data lies."""

from __future__ import annotations

from pathlib import Path

import click

from hutong.control.catalogue.cli import show
from hutong.control.identity.cli import AS, account_of
from hutong.node.settings import setup
from hutong.terminal import AS_JSON, FOLDER

# As spec.KINDS, whose import costs a second.
KINDS = (
    *("csv", "excel", "csv_folder", "parquet", "sqlite", "postgresql", "mysql", "parquet_folder"),
    *("iceberg", "openapi"),
)
ADDRESSES = {
    "postgresql": ("postgresql://", "postgres://"),
    "mysql": ("mysql://", "mariadb://"),
    "parquet_folder": ("s3://",),
    "iceberg": (),
    "openapi": ("http://", "https://"),
}
SUFFIXES = {".parquet": "parquet", ".xlsx": "excel", ".xls": "excel", ".sqlite": "sqlite", ".db": "sqlite"}


@click.group()
def source() -> None:
    """Sources: where a department's data lies."""


@source.command("add")
@FOLDER
@click.argument("location")
@click.option("--name", required=True, help="What people call it.")
@click.option("--kind", type=click.Choice(KINDS), help="Guessed from the file's name where not given.")
@click.option("--table", default="", help="Table (schema.table, database.table), or sheet of a workbook.")
@click.option(
    "--settings",
    "file",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="A TOML file of what the kind needs besides, credentials among it: hutong source settings KIND.",
)
@click.option("--department", "department_code", help="Unified social credit code; an officer's own where not given.")
@AS
def source_add(
    folder: Path,
    location: str,
    *,
    name: str,
    kind: str | None,
    table: str,
    file: Path | None,
    department_code: str | None,
    username: str,
) -> None:
    """Register a source; it is read, or probed, at once.

    Example: hutong source add /srv/js companies.csv.xz --name 企业登记 --as wang

    Example: hutong source add /srv/js s3://exports/insured --settings s3.toml --name 参保 --as wang

    LOCATION is a file, a folder, an address, or the connection string of a database. Adds one source, sealed with the
    node's key, and for CSV and Excel a snapshot of it. Malformed rows are set aside and counted.
    """
    setup(folder)
    from hutong.control.catalogue.sources import register_source

    kind = kind or _kind(location)
    address = kind in ADDRESSES and (kind != "parquet_folder" or location.startswith("s3://"))
    place = location if address or location.startswith("s3://") else str(Path(location).expanduser().absolute())
    made = register_source(
        account_of(username),
        name=name,
        kind=kind,
        location=place,
        table=table,
        settings=_settings(file),
        department_code=department_code,
    )
    click.echo(f"source {made.id}: {made.row_count} rows, {len(made.schema)} columns, {made.quarantined} set aside.")


@source.command("settings")
@click.argument("kind", type=click.Choice(KINDS))
def source_settings(kind: str) -> None:
    """Print the settings of a kind of source as a file to fill in. Changes nothing.

    Example: hutong source settings openapi > companies.toml; chmod 600 companies.toml
    """
    from hutong.exchange.sources.settings import SETTINGS

    for one in SETTINGS.get(kind, ()):
        click.echo(f"# {one.zh} / {one.en}{' (required)' if one.required else ''}")
        if one.hint_en:
            click.echo(f"#   {one.hint_en}")
        if one.choices:
            click.echo(f"#   one of {', '.join(one.choices)}")
        click.echo(f'{one.name} = ""\n')


@source.command("refresh")
@FOLDER
@click.argument("source_id")
@AS
def source_refresh(folder: Path, source_id: str, *, username: str) -> None:
    """Read a source again. The old snapshot stays in use unless all goes well."""
    setup(folder)
    from hutong.control.catalogue.sources import refresh_source

    made = refresh_source(account_of(username), source_id)
    click.echo(f"source {made.id}: {made.row_count} rows, {made.quarantined} set aside.")


@source.command("list")
@FOLDER
@AS_JSON
def source_list(folder: Path, *, as_json: bool) -> None:
    """List the sources. Changes nothing; shows no location."""
    setup(folder)
    from hutong.control.catalogue.sources import sources

    rows = [
        {
            "id": one.id,
            "name": one.name,
            "kind": one.kind,
            "department": one.department,
            "rows": one.row_count,
            "answers": one.check_ok,
        }
        for one in sources()
    ]
    show(rows, as_json, ("id", "kind", "rows", "name"))


def _settings(file: Path | None) -> dict[str, str]:
    """What a TOML file says, every value a text. raises   BadInput"""
    if file is None:
        return {}
    from hutong.control.catalogue.description_file import read

    given, _ = read(file)
    return {name: str(value) for name, value in given.items()}


def _kind(location: str) -> str:
    if not location.startswith("s3://") and Path(location).expanduser().is_dir():
        held = [one.suffix.lower() for one in Path(location).expanduser().rglob("*")]
        return "parquet_folder" if ".parquet" in held else "csv_folder"
    for kind, starts in ADDRESSES.items():
        if location.startswith(starts):
            return kind
    return SUFFIXES.get(Path(location).suffix.lower(), "csv")
