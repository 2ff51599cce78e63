"""`hutong return`: an area's rows back from the superior that holds them, compared, and passed on below."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from hutong.control.identity.cli import AS, account_of, operator
from hutong.node.settings import setup
from hutong.terminal import AS_JSON, FOLDER, print_json

FLOW = click.argument("flow_id", metavar="RETURN")


@click.group("return")
def return_flow() -> None:
    """Return flow (回流): what a superior holds about an area, back to that area (decree 809, article 24)."""


@return_flow.command("ask")
@FOLDER
@click.argument("resource")
@click.option("--area", default="", help="Code of ours or of a part of ours; ours as a whole when not given.")
@click.option("--purpose", default="government_service", show_default=True, help="Purpose code.")
@click.option("--changed-item", default="", help="The item that says when a row last changed.")
@AS
def ask(folder: Path, resource: str, *, area: str, purpose: str, changed_item: str, username: str) -> None:
    """Ask a superior for the rows of our area. The law grants it: an agreement follows by rule.

    Example: hutong return ask /srv/jiashan RESOURCE --as wang

    Begins a return that fetches by itself, by the resource's update cycle, into the node's data/returns folder.
    """
    setup(folder)
    from hutong.control.returns import actions

    made = actions.ask(account_of(username), resource, area=area, purpose=purpose, changed_item=changed_item)
    click.echo(f"return {made.id} of area {made.area} is asked for at {made.peer}.")


@return_flow.command("offer")
@FOLDER
@click.argument("resource")
@AS
def offer(folder: Path, resource: str, *, username: str) -> None:
    """Offer a published resource to every node right below this one, each for its own area."""
    setup(folder)
    from hutong.control.returns import actions

    told = actions.offer_down(account_of(username), resource)
    click.echo(f"offered to {len(told)} nodes: {', '.join(told)}")


@return_flow.command("pass-on")
@FOLDER
@FLOW
@AS
def pass_on(folder: Path, flow_id: str, *, username: str) -> None:
    """Draft a resource of ours from what was returned; publish it as any other, then offer it."""
    setup(folder)
    from hutong.control.returns import onward

    made = onward.pass_on(account_of(username), flow_id)
    click.echo(f"resource {made.id} is drafted from return {flow_id}.")


@return_flow.command("list")
@FOLDER
@AS_JSON
def listing(folder: Path, *, as_json: bool) -> None:
    """List returns in both roles, and what is offered from above. Changes nothing."""
    setup(folder)
    from hutong.control.returns import queries

    rows = [_row(one) for one in queries.flows(operator())]
    offered = [
        {"resource": one.resource_id, "peer": one.peer, "area": one.area, "title": one.title_zh}
        for one in queries.offers()
    ]
    if as_json:
        print_json({"returns": rows, "offers": offered})
        return
    for one in rows:
        click.echo(f"{one['id']}  {one['role']}  {one['peer']}  {one['area']}  {one['state']}  {one['title']}")
    for one in offered:
        click.echo(f"offered by {one['peer']}: {one['resource']}  {one['area']}  {one['title']}")


@return_flow.command("show")
@FOLDER
@FLOW
@AS_JSON
def show(folder: Path, flow_id: str, *, as_json: bool) -> None:
    """Show one return with its newest batches and what differs. Changes nothing."""
    setup(folder)
    from hutong.control.returns import queries

    found = queries.flow(operator(), flow_id)
    whole = _row(found) | {"batches": [_batch(one) for one in queries.batches(found)]}
    if as_json:
        print_json(whole)
        return
    click.echo(f"{whole['title']}: {whole['area']} at {whole['peer']}, {whole['state']} {whole['trouble']}".rstrip())
    for one in whole["batches"]:
        counts = f"missing {one['missing']}, extra {one['extra']}, changed {one['changed']}"
        click.echo(f"batch {one['number']}  {one['kind']}  {one['state']}  {one['rows']} rows  {counts}")
        for row in one["differences"]:
            click.echo(f"  {row['kind']}  {row['key']}")


@return_flow.command("fetch")
@FOLDER
@FLOW
@AS
def fetch(folder: Path, flow_id: str, *, username: str) -> None:
    """Have the next batch fetched now, whole: the repair of one that differs. The running node does it."""
    setup(folder)
    from hutong.control.returns import actions

    actions.fetch_now(account_of(username), flow_id)
    click.echo(f"return {flow_id} is due now.")


@return_flow.command("compare")
@FOLDER
@FLOW
def compare(folder: Path, flow_id: str) -> None:
    """Digest the newest stored batch as it lies on disk, and compare it with the superior now."""
    setup(folder)
    from hutong.control.returns import queries, reconciling

    found = queries.flow(operator(), flow_id)
    newest = next((one for one in queries.batches(found) if one.state != "fetching"), None)
    if newest is None or found.role != "consumer":
        raise click.UsageError("nothing is stored of this return here")
    reconciling.compare_now(newest)
    click.echo(f"batch {newest.number} is being compared.")


def _row(one: Any) -> dict[str, Any]:
    names = ("id", "role", "peer", "area", "state", "code", "agreement_id", "resource_id", "provenance", "trouble")
    return {name: getattr(one, name) for name in names} | {"title": one.title_zh}


def _batch(one: Any) -> dict[str, Any]:
    names = ("id", "number", "kind", "state", "rows", "root", "their_rows", "their_root", "receipt", "provenance")
    counts = {name: getattr(one, name) for name in ("missing", "extra", "changed")}
    named = list(one.differences.order_by("kind", "key").values("kind", "key"))
    return {name: getattr(one, name) for name in names} | counts | {"differences": named}
