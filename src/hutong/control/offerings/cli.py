"""`hutong offering`: one act that offers a resource to a zone, to all members, or into a superior's node."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from hutong.control.identity.cli import AS, account_of, operator
from hutong.control.requests.cli import MODES
from hutong.node.settings import setup
from hutong.terminal import AS_JSON, FOLDER, print_json, print_rows

REASON = click.option("--reason", required=True, help="Why; the members read it.")


@click.group()
def offering() -> None:
    """Offerings: a resource offered to a whole area on the same terms, one agreement for each member."""


@offering.command("propose")
@FOLDER
@click.argument("resource")
@click.option("--zone", default="", help="To the members of this zone (its id, from: hutong zone list).")
@click.option("--all-members", is_flag=True, help="To every member of the directory.")
@click.option(
    "--central", default="", metavar="JURISDICTION", help="Into the node of this superior, kept current there."
)
@click.option("--items", default="", help="Items, separated by commas; every one that may be shared where not given.")
@click.option("--purposes", default="", help="Purpose codes; every published one where not given.")
@click.option("--mode", type=MODES, default=None, help="共享方式; the first published one where not given.")
@click.option("--term-days", type=int, default=365, show_default=True, help="Term of each agreement.")
@click.option("--calls-per-day", type=int, default=100_000, show_default=True)
@click.option("--answer-days", type=int, default=30, show_default=True, help="How long an offer can be taken up.")
@AS
def propose(folder: Path, resource: str, *, zone: str, all_members: bool, central: str, **words: Any) -> None:
    """Propose to offer a published resource to an area. Nobody is told before the head signs.

    Example: hutong offering propose /srv/js RESOURCE --zone ZONE --as wang

    Name one of --zone, --all-members, --central. Every member gets the catalogue's masks, as a local department does.
    """
    if sum((bool(zone), all_members, bool(central))) != 1:
        raise click.UsageError("name one of --zone, --all-members and --central")
    setup(folder)
    from hutong.control.offerings import actions

    area = "zone" if zone else "central" if central else "members"
    by = account_of(words.pop("username"))
    for name in ("items", "purposes"):
        words[name] = [one.strip() for one in words[name].split(",") if one.strip()]
    words["quota_calls_per_day"] = words.pop("calls_per_day")
    words["mode"] = words["mode"] or ""
    made = actions.propose(by, resource, area=area, target=zone or central, **words)
    click.echo(f"offering {made.id} is proposed. Next, by the head: hutong offering sign {folder} {made.id} --as HEAD")


@offering.command("sign")
@FOLDER
@click.argument("offering_id")
@AS
def sign(folder: Path, offering_id: str, *, username: str) -> None:
    """Put a proposed offering in force, as the head of the sharing body: this one act offers it to every member.

    Example: hutong offering sign /srv/js OFFERING --as zhang

    Each member that takes it up gets an agreement of its own. Who joins the area later is offered it by itself, who
    leaves loses it after a notice.
    """
    setup(folder)
    from hutong.control.offerings import actions

    made = actions.sign(account_of(username), offering_id)
    click.echo(f"offering {made.id} is in force; its members are told by the running node.")


@offering.command("refuse")
@FOLDER
@click.argument("offering_id")
@click.option("--reason", required=True, help="Why; whoever proposed it reads this.")
@AS
def refuse(folder: Path, offering_id: str, *, reason: str, username: str) -> None:
    """Turn a proposed offering down, as the head."""
    setup(folder)
    from hutong.control.offerings import actions

    made = actions.refuse(account_of(username), offering_id, reason)
    click.echo(f"offering {made.id} is refused.")


@offering.command("withdraw")
@FOLDER
@click.argument("offering_id")
@REASON
@AS
def withdraw(folder: Path, offering_id: str, *, reason: str, username: str) -> None:
    """Withdraw an offering from its whole area, as the head.

    Open offers end at once. Agreements end after the notice that decree 809 article 27 wants; each member is told.
    """
    setup(folder)
    from hutong.control.offerings import actions

    made = actions.withdraw(account_of(username), offering_id, reason)
    click.echo(f"offering {made.id} is withdrawn; its members are told by the running node.")


@offering.command("list")
@FOLDER
@AS_JSON
def listing(folder: Path, *, as_json: bool) -> None:
    """List the offerings of this node, the newest first. Changes nothing."""
    setup(folder)
    from hutong.control.offerings import queries

    rows = [_row(one) for one in queries.offerings(operator())]
    print_rows(rows, as_json, "{id}  {state}  {area} {target}  {resource}  {title}".format_map)


@offering.command("show")
@FOLDER
@click.argument("offering_id")
@AS_JSON
def show(folder: Path, offering_id: str, *, as_json: bool) -> None:
    """Show how each member stands: offered, agreed, refused, never answered. Changes nothing."""
    setup(folder)
    from hutong.control.offerings import queries

    found = queries.offering(operator(), offering_id)
    standings = queries.standings(found)
    whole = _row(found) | found.content | {"reason": found.reason, "counts": queries.counted(standings)}
    whole["members"] = [_standing(one) for one in standings]
    if as_json:
        print_json(whole)
        return
    click.echo(f"{found.title_zh}: {found.area} {found.target}, {found.state}")
    click.echo(", ".join(f"{count} {state}" for state, count in whole["counts"].items()))
    for one in standings:
        click.echo(f"{one.peer}  {one.state}  {one.agreement or one.negotiation}  {one.reason}".rstrip())


def _row(one: Any) -> dict[str, Any]:
    names = ("id", "state", "area", "target", "department", "proposed_by", "decided_by")
    plain = {name: getattr(one, name) for name in names}
    return plain | {"resource": one.resource_id, "title": one.title_zh}


def _standing(one: Any) -> dict[str, Any]:
    moments = {
        name: getattr(one, name).isoformat() if getattr(one, name) else "" for name in ("since", "answer_by", "ends_on")
    }
    return {name: getattr(one, name) for name in ("peer", "state", "negotiation", "agreement", "reason")} | moments
