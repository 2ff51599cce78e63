"""`hutong peer`: connectors outside the directory that may negotiate with this node."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import click

from hutong.control.identity.cli import operator
from hutong.node.settings import setup
from hutong.terminal import AS_JSON, FOLDER, print_json

ADDRESS = click.option("--address", "addresses", multiple=True, help="Where its protocol is; may be given again.")
AUTHORIZATION = click.option(
    "--authorization-stdin", is_flag=True, help="Read the Authorization header we present to it from standard input."
)


@click.group()
def peer() -> None:
    """Connectors outside the directory: let them in, change what was agreed with them, shut them out."""


@peer.command("add")
@FOLDER
@click.argument("participant")
@click.option("--name", default="", help="The name people see.")
@ADDRESS
@AUTHORIZATION
def add(folder: Path, participant: str, *, name: str, addresses: tuple[str, ...], authorization_stdin: bool) -> None:
    """Let a connector in and print the token it presents to this node, this once.

    \b
    hutong peer add /srv/js did:web:partner.example --address https://partner.example/dsp --authorization-stdin

    PARTICIPANT is the id it takes part under, as it writes it. Messages to it go below its addresses and nowhere else.
    The token is kept as a digest, the Authorization header sealed.
    """
    setup(folder)
    from hutong.control.agreements import peers

    given = _presented(authorization_stdin) or ""
    token = peers.let_in(operator(), participant, name=name, addresses=addresses, authorization=given)
    click.echo(f"{participant} is let in. It sends: Authorization: Bearer {token}")
    click.echo("The token is not shown again. Give it to whoever runs the connector by a safe way.")


@peer.command("change")
@FOLDER
@click.argument("participant")
@ADDRESS
@AUTHORIZATION
@click.option("--new-token", is_flag=True, help="Print a new token; the old one ends at once.")
def change(
    folder: Path, participant: str, *, addresses: tuple[str, ...], authorization_stdin: bool, new_token: bool
) -> None:
    """Change a connector's addresses (all of them), what we present to it, or its token.

    Example: hutong peer change /srv/js did:web:partner.example --new-token
    """
    setup(folder)
    from hutong.control.agreements import peers

    token = peers.change(
        operator(),
        participant,
        addresses=addresses or None,
        authorization=_presented(authorization_stdin),
        new_token=new_token,
    )
    click.echo(f"{participant} is changed." + (f" It sends: Authorization: Bearer {token}" if token else ""))


@peer.command("list")
@FOLDER
@AS_JSON
def listing(folder: Path, *, as_json: bool) -> None:
    """List the connectors that are let in. Changes nothing, and shows no token."""
    setup(folder)
    from hutong.control.agreements import peers

    rows = [_row(one) for one in peers.listed(operator())]
    if as_json:
        print_json(rows)
        return
    for one in rows:
        presented = "we present a credential" if one["authorization"] else "we present nothing"
        click.echo(f"{one['participant']}  {one['name']}  {' '.join(one['addresses'])}  {presented}")
    click.echo(f"{len(rows)} connectors")


@peer.command("remove")
@FOLDER
@click.argument("participant")
def remove(folder: Path, participant: str) -> None:
    """Shut a connector out: its token is refused from the next message on. End what runs with it first."""
    setup(folder)
    from hutong.control.agreements import peers

    peers.shut_out(operator(), participant)
    click.echo(f"{participant} is shut out.")


def _presented(from_stdin: bool) -> str | None:
    return sys.stdin.readline().strip() if from_stdin else None


def _row(one: Any) -> dict[str, Any]:
    return {
        "participant": one.participant,
        "name": one.name,
        "addresses": one.addresses,
        "authorization": bool(one.authorization),
        "added_at": one.added_at.isoformat(),
    }
