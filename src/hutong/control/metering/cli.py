"""`hutong meter`: daily files of use per partner, and whether one holds."""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path

import click

from hutong.node.settings import setup
from hutong.terminal import AS_JSON, FOLDER, print_json
from hutong.vocabulary.errors import NotFound

DAY = click.DateTime(formats=["%Y-%m-%d"])


@click.group()
def meter() -> None:
    """Meters: what was served and used, per partner and day (计量)."""


@meter.command("make")
@FOLDER
@click.option("--day", type=DAY, help="One day, as 2026-11-20, also today's so far; all that are due without it.")
def make(folder: Path, *, day: datetime | None) -> None:
    """Make the files of days that are over, and a further version where the register has changed since.

    The node does so every hour. Each file is signed, stands in the ledger and is sent to the partner.
    """
    setup(folder)
    from hutong.control.metering import actions, measuring

    if day is None:
        actions.make_due()
        click.echo("every file that was due is made.")
        return
    for peer in measuring.peers(day.date()):
        made = actions.make(day.date(), peer)
        said = f"version {made.version}" if made else "as it was"
        click.echo(f"{day.date()} with {peer}: {said}")


@meter.command("list")
@FOLDER
@AS_JSON
def listing(folder: Path, *, as_json: bool) -> None:
    """List the days, whether both sides tell the same, and what differs. Changes nothing."""
    setup(folder)
    from hutong.control.metering.models import MeterComparison

    rows = [
        {"day": one.day.isoformat(), "peer": one.peer, "state": one.state, "ours": one.ours, "theirs": one.theirs,
         "differences": one.differences}
        for one in MeterComparison.objects.order_by("-day", "peer")
    ]  # fmt: skip
    if as_json:
        print_json(rows)
        return
    for one in rows:
        click.echo(f"{one['day']}  {one['peer']}  {one['state']}  versions {one['ours']} and {one['theirs']}")
        for found in one["differences"]:
            click.echo(f"    {found['agreement']} {found['purpose']} {found['outcome']}: {found['what']} "
                       f"{found['ours']} here, {found['theirs']} there")  # fmt: skip


@meter.command("save")
@FOLDER
@click.argument("author")
@click.argument("peer")
@click.option("--day", type=DAY, required=True)
@click.option("--out", "-o", type=click.Path(path_type=Path), required=True)
def save(folder: Path, author: str, peer: str, *, day: datetime, out: Path) -> None:
    """Save the newest file that AUTHOR made of a day with PEER, to keep or to hand on.

    Example: hutong meter save /srv/js 320000 340000 --day 2026-11-20 -o js-ah-1120.json
    """
    setup(folder)
    from hutong.control.metering import actions
    from hutong.vocabulary.canonical import canonical_bytes

    found = actions.newest_of(author, peer, day.date())
    if found is None:
        raise NotFound(what="meter file", what_zh="计量文件", name=f"{author} {peer} {day.date()}")
    out.write_bytes(canonical_bytes(actions.wire(found)))
    click.echo(f"version {found.version} in {out}, {found.digest}")


@meter.command("verify")
@FOLDER
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@AS_JSON
def verify(folder: Path, file: Path, *, as_json: bool) -> None:
    """Check a meter file: its author's signature, its digest in our ledger, and our register counted again.

    Example: hutong meter verify /srv/ah js-ah-1120.json

    Exit code 1 when it does not hold. Changes nothing.
    """
    setup(folder)
    from hutong.control.metering import verifying
    from hutong.control.metering.rules import BadMeter, MeterDiffers

    try:
        given = json.loads(file.read_bytes())
    except ValueError as error:
        raise BadMeter(reason="it is not JSON", reason_zh="不是 JSON") from error
    found = verifying.verify(given if isinstance(given, dict) else {})
    if as_json:
        print_json({**vars(found), "day": found.day.isoformat(), "holds": found.holds})
    else:
        click.echo(f"signed by {found.author}, {found.day} with {found.peer}, version {found.version}")
        click.echo("its digest stands in our ledger" if found.in_ledger else "its digest is NOT in our ledger")
        if not found.recounted:
            click.echo("it is not about this node: nothing could be counted again")
    if found.differences:
        raise MeterDiffers(day=found.day.isoformat(), count=len(found.differences))
    if not found.in_ledger:
        raise BadMeter(reason="its digest is not in our ledger", reason_zh="其摘要不在本节点账本中")
    if found.recounted and not as_json:
        click.echo("our register says the same.")
