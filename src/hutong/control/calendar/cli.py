"""`hutong calendar`: the working days that statutory clocks count."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path

import click

from hutong.control.identity.cli import FOLDER, operator
from hutong.node.settings import setup


@click.group()
def calendar() -> None:
    """Working days: the State Council's holidays, with make-up Saturdays and Sundays."""


@calendar.command("load")
@FOLDER
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--year", type=click.IntRange(2000, 2100), help="Of a notice that is saved without its title.")
def load(folder: Path, file: Path, year: int | None) -> None:
    """Load the State Council's notice of a year's holidays, saved as plain text, or a table (date, kind).

    Example: hutong calendar load /srv/js notice-2027.txt

    Every weekday and count of days in it is checked; a notice that arranges a part of a year is refused. Adds one
    version of that year and one audit record with the file's digest. Due days that were already computed stay.
    """
    setup(folder)
    from hutong.control.calendar import actions

    for one in actions.load(operator(), file.read_bytes(), file_name=file.name, year=year):
        loaded = "were loaded already" if one.again else "are loaded"
        click.echo(f"{one.year}: {one.off} days off, {one.made_up} make-up working days {loaded}.")
        if one.changed:
            click.echo(f"{one.year}: thought otherwise before: {', '.join(day.isoformat() for day in one.changed)}")


@calendar.command("show")
@FOLDER
@click.argument("year", type=click.IntRange(2000, 2100), required=False)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def show(folder: Path, year: int | None, as_json: bool) -> None:
    """Show which years are known and what was loaded; with YEAR its days off and make-up days. Changes nothing."""
    setup(folder)
    from hutong.control.calendar import queries
    from hutong.vocabulary.calendar import CalendarYearMissing

    known = queries.in_force()
    if year is not None and year not in known.years:
        raise CalendarYearMissing(year=year)
    rows = queries.loads(year)
    standing = {one.pk for one in queries.standing(rows)}
    loaded = [
        {
            "year": one.year,
            "kind": one.kind,
            "file": one.file_name,
            "digest": one.digest,
            "at": one.loaded_at.isoformat(timespec="seconds"),
            "by": one.loaded_by,
            "counts": one.pk in standing,
        }
        for one in rows
    ]
    days = {day: works for day, works in sorted(known.exceptions.items()) if day.year == year}
    if as_json:
        shown = {day.isoformat(): "makeup_workday" if works else "holiday" for day, works in days.items()}
        click.echo(json.dumps({"years": sorted(known.years), "days": shown, "loads": loaded}, indent=2))
        return
    click.echo(f"known: {min(known.years)} to {max(known.years)}")
    _print_days(days)
    for row in loaded:
        replaced = "" if row["counts"] else "  replaced by a later one"
        click.echo(f"{row['year']} {row['kind']} {row['file']}  {row['at']}  {row['by']}  {row['digest']}{replaced}")


def _print_days(days: dict[date, bool]) -> None:
    for day, works in days.items():
        click.echo(f"{day.isoformat()} {day:%a}  {'works' if works else 'off'}")
