"""`hutong zone`: members that treat each other's departments as local ones."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Any

import click

from hutong.control.identity.cli import AS, account_of
from hutong.node.settings import setup
from hutong.terminal import AS_JSON, FOLDER, print_json

DAY = click.DateTime(formats=["%Y-%m-%d"])


@click.group()
def zone() -> None:
    """Zones: members that treat each other's departments as local ones (无差别)."""


@zone.command("propose")
@FOLDER
@click.argument("name_zh")
@click.option("--members", required=True, help="Jurisdictions, separated by commas.")
@click.option("--reference", required=True, help="The agreement its members signed.")
@click.option("--from", "valid_from", type=DAY, required=True, help="First day, as 2026-01-31.")
@click.option("--to", "valid_to", type=DAY, help="Last day; without it there is no end.")
@click.option("--name-en", default="", help="English name.")
@AS
def propose(
    folder: Path, name_zh: str, *, members: str, valid_from: datetime, valid_to: datetime | None, **words: Any
) -> None:
    """Describe a zone. It has no effect until another person puts it in force.

    Example: hutong zone propose /srv/yrd 生态绿色一体化发展示范区 --members 310118,320509,330421
    --reference 示范区“无差别”共享协议（2022-01-18） --from 2022-01-18 --as steward
    """
    setup(folder)
    from hutong.control.zones import actions

    named = [one.strip() for one in members.split(",") if one.strip()]
    by = account_of(words.pop("username"))
    last = valid_to.date() if valid_to else None
    made = actions.propose(by, name_zh=name_zh, members=named, valid_from=valid_from.date(), valid_to=last, **words)
    click.echo(f"zone {made.id} is proposed. Next, by somebody else: hutong zone approve {folder} {made.id} --as NAME")


@zone.command("approve")
@FOLDER
@click.argument("zone_id")
@AS
def approve(folder: Path, zone_id: str, *, username: str) -> None:
    """Put a proposed zone in force here, as another person than the one who proposed it.

    Example: hutong zone approve /srv/js ZONE --as supervisor

    On the region's node it is sent to every member, each of whom approves it for itself.
    """
    setup(folder)
    from hutong.control.zones import actions

    made = actions.put_in_force(account_of(username), zone_id)
    click.echo(f"zone {made.id} is in force from {made.valid_from}.")


@zone.command("change")
@FOLDER
@click.argument("zone_id")
@click.option("--members", required=True, help="All its members from now on, separated by commas.")
@click.option("--reference", required=True, help="The agreement that says so.")
@AS
def change(folder: Path, zone_id: str, *, members: str, reference: str, username: str) -> None:
    """Give a zone we keep other members. It holds again once another person puts it in force.

    Example: hutong zone change /srv/yrd ZONE --members 310118,320509,330421,330483 --reference 扩区协议 --as steward

    Until then nothing is agreed under it by rule; one that is not wanted is corrected by another one, since turning
    it down ends the zone. What an offering gave to a member that leaves ends after a notice.
    """
    setup(folder)
    from hutong.control.zones import actions

    named = [one.strip() for one in members.split(",") if one.strip()]
    made = actions.change_members(account_of(username), zone_id, named, reference)
    click.echo(
        f"zone {made.id} is proposed anew. Next, by somebody else: hutong zone approve {folder} {made.id} --as NAME"
    )


@zone.command("end")
@FOLDER
@click.argument("zone_id")
@click.option("--reason", required=True, help="Why.")
@AS
def end(folder: Path, zone_id: str, *, reason: str, username: str) -> None:
    """End a zone, or turn a proposed one down. Agreements made under it stay."""
    setup(folder)
    from hutong.control.zones import actions

    made = actions.end(account_of(username), zone_id, reason)
    click.echo(f"zone {made.id} is ended.")


@zone.command("list")
@FOLDER
@AS_JSON
def listing(folder: Path, *, as_json: bool) -> None:
    """List the zones known here. Changes nothing."""
    setup(folder)
    from hutong.control.zones import queries

    rows = [_document(one) for one in queries.zones()]
    if as_json:
        print_json(rows)
        return
    for one in rows:
        click.echo(f"{one['id']}  {one['state']}  {one['name_zh']}  {','.join(one['members'])}  from {one['from']}")


def _document(one: Any) -> dict[str, Any]:
    plain = ("id", "state", "origin", "version", "name_zh", "name_en", "members", "reference", "proposed_by")
    return {
        **{name: getattr(one, name) for name in plain},
        "decided_by": one.decided_by,
        "from": one.valid_from.isoformat(),
        "to": one.valid_to.isoformat() if one.valid_to else "",
    }
