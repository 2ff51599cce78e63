"""`hutong oversight`: scorecards, the signed statements of months, and checking them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from hutong.control.identity.cli import operator
from hutong.node.settings import setup
from hutong.terminal import AS_JSON, FOLDER, print_json


@click.group()
def oversight() -> None:
    """Supervision by articles 39 to 41 of decree 809: figures, and signed statements of them."""


@oversight.command()
@FOLDER
@click.argument("period", default="")
@click.option("--department", default=None, help="Code of one department; the whole node when not given.")
@AS_JSON
def report(folder: Path, period: str, department: str | None, *, as_json: bool) -> None:
    """Count what is open and print the scorecards of a PERIOD: 2026-11, 2026-Q4 or 2026; this month when not given.

    \b
    hutong oversight report ./jiangsu 2026-Q4 --department 11320000MB0123456X
    """
    setup(folder)
    from hutong.control.oversight import queries
    from hutong.control.oversight.actions import keep_up
    from hutong.control.oversight.measures import SIDES
    from hutong.control.oversight.periods import period_of, read
    from hutong.control.statute.day import today

    chosen = read(period) if period else period_of("month", today())
    keep_up()
    lines = [(side, line) for side in SIDES for line in queries.card(chosen, side, department)]
    if as_json:
        print_json([_document(side, line) for side, line in lines])
        return
    for side, line in lines:
        figure = f"{line.counted} of {line.of}" if line.state == "measured" else line.state.replace("_", " ")
        article = f"art. {line.measure.article}" if line.measure.article else ""
        click.echo(f"{side:<10} {article:<10} {line.measure.title('en'):<32} {figure}")


@oversight.command()
@FOLDER
@click.argument("month")
@AS_JSON
def statement(folder: Path, month: str, *, as_json: bool) -> None:
    """Print the signed statement of a MONTH (2026-10); a month that is over and has none is closed first.

    Writes: the statement, once, and its digest into the ledger.
    """
    setup(folder)
    from hutong.control.oversight import actions, checking
    from hutong.control.oversight.models import Statement
    from hutong.control.oversight.periods import read

    chosen = read(month).months[0]
    if not Statement.objects.filter(month=chosen.since).exists():
        actions.counted_and_closed(chosen, operator().username)
    found = checking.statement(chosen)
    if as_json:
        said = {"document": found.document, "digest": found.digest, "keyid": found.keyid, "signature": found.signature}
        print_json(said)
        return
    click.echo(f"{chosen}  {len(found.document['figures'])} figures  {found.digest}")
    click.echo(f"signed by {found.keyid} at {found.made_at:%Y-%m-%d %H:%M} UTC, ledger entry {found.entry_digest}")


@oversight.command()
@FOLDER
@click.argument("month")
@AS_JSON
def verify(folder: Path, month: str, *, as_json: bool) -> None:
    """Check a month's statement: digest, signature, ledger, and a recount from the records. Changes nothing.

    Exit code 1 when something does not hold or a recount differs.
    """
    setup(folder)
    from hutong.control.oversight import checking
    from hutong.control.oversight.periods import read

    found = checking.check(checking.statement(read(month).months[0]))
    differences = [vars(one) for one in found.differences]
    said: dict[str, Any] = {
        "digest_holds": found.digest_holds,
        "signature_holds": found.signature_holds,
        "in_ledger": found.in_ledger,
        "differences": differences,
    }
    if as_json:
        print_json(said)
    else:
        for name in ("digest_holds", "signature_holds", "in_ledger"):
            click.echo(f"{name.replace('_', ' '):<16} {'yes' if said[name] else 'NO'}")
        for one in found.differences:
            stated, again = f"{one.stated} of {one.stated_of}", f"{one.found} of {one.found_of}"
            click.echo(f"{one.measure} {one.department or '-'}: stated {stated}, a recount gives {again}")
    if not found.holds or differences:
        raise SystemExit(1)


@oversight.command()
@FOLDER
@AS_JSON
def compare(folder: Path, *, as_json: bool) -> None:
    """Compare our ledger with that of each member that is due today, as the node does by itself once a day.

    Writes: each outcome, with its entry in our ledger; supervisor and auditor are told of differences.
    `hutong ledger reconcile` compares with one member at any time and writes nothing.
    """
    setup(folder)
    from hutong.control.oversight.reconciling import reconcile_due

    for row in reconcile_due():
        said = {"peer": row.peer, "state": row.state, "agreed": row.agreed, "differences": len(row.differences)}
        if as_json:
            print_json(said)
        else:
            click.echo(f"{row.peer:<8} {row.state:<12} {row.agreed} agree, {len(row.differences)} differ")


def _document(side: str, line: Any) -> dict[str, Any]:
    return {
        "side": side,
        "measure": line.measure.name,
        "article": line.measure.article,
        "definition": line.measure.definition("en"),
        "state": line.state,
        "counted": line.counted,
        "of": line.of,
        "median_days": line.median_days,
        "parts": line.parts,
    }
