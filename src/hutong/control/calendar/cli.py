"""`hutong calendar`: the working days that statutory clocks count."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

import click

from hutong.control.identity.cli import AS, AS_OPERATOR, account_of, acting
from hutong.node.settings import setup
from hutong.terminal import AS_JSON, FOLDER, print_json

if TYPE_CHECKING:
    from hutong.control.calendar.models import CalendarProposal


@click.group()
def calendar() -> None:
    """Working days: the State Council's holidays, with make-up Saturdays and Sundays."""


@calendar.command("load")
@FOLDER
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--year", type=click.IntRange(2000, 2100), help="Of a notice that is saved without its title.")
@AS_OPERATOR
def load(folder: Path, file: Path, year: int | None, username: str | None) -> None:
    """Propose the State Council's notice of a year's holidays, saved as plain text, or a table (date, kind).

    Example: hutong calendar load /srv/js notice-2027.txt

    Every weekday and count of days in it is checked; a notice that arranges a part of a year is refused. Keeps what was
    read and one audit record with the file's digest. It has no effect until a supervisor approves it.
    """
    setup(folder)
    from hutong.control.calendar import actions, queries
    from hutong.control.calendar.rules import SameCalendar

    by = acting(username)
    try:
        made = actions.propose(by, file.read_bytes(), file_name=file.name, year=year)
    except SameCalendar as same:
        click.echo(same.say("en"))
        return
    for one in queries.effects(queries.reading_of(made)):
        click.echo(f"{one.year}: {one.off} days off, {one.made_up} make-up working days are read.")
        if one.changed:
            _print_days(one.changed, "now ")
    click.echo(f"{made.id} is proposed. Next: hutong calendar approve {folder} {made.id} --as SUPERVISOR")


@calendar.command("approve")
@FOLDER
@click.argument("identifiers", nargs=-1)
@click.option("--all", "every", is_flag=True, help="Whatever waits.")
@AS
def approve(folder: Path, identifiers: tuple[str, ...], *, every: bool, username: str) -> None:
    """Put proposed working days in force, as a supervisor who did not propose them.

    Example: hutong calendar approve /srv/js --all --as chen

    Adds one version of each year and its audit record. Due days that were already computed stay.
    """
    setup(folder)
    from hutong.control.calendar import actions, queries

    by = account_of(username)
    for identifier in [one.id for one in queries.proposals()] if every else identifiers:
        made = actions.approve(by, identifier)
        click.echo(f"{_years(made)}: the working days of {made.file_name} are in force.")


@calendar.command("decline")
@FOLDER
@click.argument("identifier")
@click.option("--reason", required=True, help="Who proposed them is told.")
@AS
def decline(folder: Path, identifier: str, *, reason: str, username: str) -> None:
    """Send proposed working days back, with a reason."""
    setup(folder)
    from hutong.control.calendar import actions

    made = actions.decline(account_of(username), identifier, reason)
    click.echo(f"{_years(made)}: the working days of {made.file_name} are sent back.")


@calendar.command("show")
@FOLDER
@click.argument("year", type=click.IntRange(2000, 2100), required=False)
@AS_JSON
def show(folder: Path, year: int | None, as_json: bool) -> None:
    """Show which years are known, what was loaded and what waits; with YEAR its days off and make-up days.

    Changes nothing.
    """
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
            "approved_by": one.approved_by,
            "counts": one.pk in standing,
        }
        for one in rows
    ]
    days = {day: works for day, works in sorted(known.exceptions.items()) if day.year == year}
    waiting = [one for one in queries.proposals() if year is None or year in one.year_numbers]
    if as_json:
        shown = {day.isoformat(): "makeup_workday" if works else "holiday" for day, works in days.items()}
        waits = [{"id": one.id, "years": one.year_numbers, "file": one.file_name} for one in waiting]
        document = {"years": sorted(known.years), "days": shown, "loads": loaded, "proposed": waits}
        print_json(document)
        return
    click.echo(f"known: {min(known.years)} to {max(known.years)}")
    _print_days(days)
    for row in loaded:
        replaced = "" if row["counts"] else "  replaced by a later one"
        by = f"{row['by']} → {row['approved_by'] or '-'}"
        click.echo(f"{row['year']} {row['kind']} {row['file']}  {row['at']}  {by}  {row['digest']}{replaced}")
    for one in waiting:
        click.echo(f"{_years(one)} {one.kind} {one.file_name}  {one.proposed_by}  waits for approval: {one.id}")


def _years(one: CalendarProposal) -> str:
    return ", ".join(map(str, one.year_numbers))


def _print_days(days: Mapping[date, bool], prefix: str = "") -> None:
    for day, works in days.items():
        click.echo(f"{day.isoformat()} {day:%a}  {prefix}{'works' if works else 'off'}")
