"""`hutong subscription`: changes under agreements of that mode, where they go, and asking for them again."""

from __future__ import annotations

from pathlib import Path

import click

from hutong.control.identity.cli import operator
from hutong.node.settings import setup
from hutong.terminal import AS_JSON, FOLDER, print_json
from hutong.vocabulary.ids import urn


@click.group()
def subscription() -> None:
    """Subscriptions: changes of a source, sent on as they happen (数据订阅)."""


@subscription.command("list")
@FOLDER
@AS_JSON
def listing(folder: Path, *, as_json: bool) -> None:
    """List the subscriptions this node feeds and takes, how far each is, and why one waits. Changes nothing."""
    setup(folder)
    from hutong.control.subscriptions import queries

    fed, taken = queries.fed(), queries.taken()
    if as_json:
        hooks = [{"id": one.id, "agreement": one.agreement_id, "url": one.url, "state": one.state,
                  "position": one.position, "trouble": one.trouble} for one in queries.webhooks()]  # fmt: skip
        out = {
            "fed": [{**vars(one), "acknowledged": one.done} for one in fed],
            "taken": [{**vars(one), "received": one.position, "taken": one.done} for one in taken],
            "webhooks": hooks,
        }
        print_json(out)
        return
    for one in (*fed, *taken):
        way = "to" if one.role == "provider" else "from"
        click.echo(f"{one.agreement}  {way} {one.peer}  {one.state}  at {one.position}, {one.waiting} waiting")
        if one.trouble:
            click.echo(f"    {one.trouble}")
    for hook in queries.webhooks():
        click.echo(f"{hook.id}  {hook.url}  {hook.state}  at {hook.position}  {hook.trouble}")


@subscription.command("webhook")
@FOLDER
@click.argument("agreement")
@click.argument("url")
def webhook(folder: Path, agreement: str, url: str) -> None:
    """Have the changes under an agreement sent to an application. Adds one audit record.

    Example: hutong subscription webhook /srv/ah urn:uuid:... https://apps.example/changes

    The address must begin as one of webhook_addresses in hutong.toml does. What no application has taken yet is sent
    first. A 2xx answer acknowledges a batch; 410 ends the sending.
    """
    setup(folder)
    from hutong.exchange.subscriptions import hooks

    made = hooks.add(urn(agreement), url, operator().username)
    click.echo(f"webhook {made.id}: changes after position {made.position} go to {made.url}")


@subscription.command("unhook")
@FOLDER
@click.argument("webhook_id")
def unhook(folder: Path, webhook_id: str) -> None:
    """Send changes to that address no more, named by the id in `list`. Adds one audit record."""
    setup(folder)
    from hutong.exchange.subscriptions import hooks

    hooks.remove(webhook_id, operator().username)
    click.echo(f"webhook {webhook_id} is removed.")


@subscription.command("replay")
@FOLDER
@click.argument("agreement")
@click.option("--after", type=click.IntRange(min=0), required=True, help="The last position that is safe.")
def replay(folder: Path, agreement: str, *, after: int) -> None:
    """Ask the provider for the changes after a position once more, when they were lost here.

    Example: hutong subscription replay /srv/ah urn:uuid:... --after 1200

    An application that lost something itself asks its own node with that position: nothing need be sent again.
    """
    setup(folder)
    from django.db import transaction

    from hutong.exchange.subscriptions import feeds

    with transaction.atomic():
        made = feeds.replay(urn(agreement), after, operator().username)
    click.echo(f"asked {made.provider} for the changes after {after}; they come by themselves.")


@subscription.command("tell")
@FOLDER
@click.argument("source_id")
@click.argument("item", default="")
def tell(folder: Path, source_id: str, item: str) -> None:
    """Name the column of a source that says when a row last changed, or a number that grows with each change.

    Example: hutong subscription tell /srv/js SOURCE updated_at

    Then only the rows after it are read for changes, and all of them every twentieth time, which is when rows that are
    gone are seen. Without ITEM every row is read each time again. Adds one audit record.
    """
    setup(folder)
    from hutong.control.subscriptions import actions

    actions.tell_by(source_id, item, operator().username)
    click.echo(f"changes of {source_id} are told by {item or 'comparing every row'}.")
