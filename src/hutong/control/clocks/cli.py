"""`hutong clock`: what is due, and its extension."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from hutong.control.identity.cli import AS, account_of, acting
from hutong.node.settings import setup
from hutong.terminal import AS_JSON, FOLDER, print_json

MOST = 500  # lines; the earliest days come first


@click.group()
def clock() -> None:
    """Statutory terms: what is due, by whom and when."""


@clock.command("list")
@FOLDER
@click.option("--as", "username", envvar="HUTONG_ACCOUNT", help="Show what this account sees; all when not given.")
@AS_JSON
def list_clocks(folder: Path, username: str | None, as_json: bool) -> None:
    """List the terms that run, the earliest day first. Changes nothing.

    Example: hutong clock list /srv/js --as wang
    """
    setup(folder)
    from hutong.control.clocks import queries

    left = queries.DaysLeft()
    seen = queries.running(acting(username))
    rows = [_document(one, left(one)) for one in seen[:MOST]]
    if as_json:
        print_json(rows)
        return
    for row in rows:
        days = "no calendar" if row["days_left"] is None else f"{row['days_left']} days left"
        click.echo(f"{row['id']}  {row['due'] or '-':<10}  {days:<14}  {row['rule']}  {row['title']}")


@clock.command("extend")
@FOLDER
@click.argument("clock_id")
@click.option("--reason", required=True, help="Why the term is not enough; the supervisor and the other side read it.")
@AS
def extend(folder: Path, clock_id: str, *, reason: str, username: str) -> None:
    """Ask the supervisor to extend a term, once.

    Example: hutong clock extend /srv/js CLOCK --reason 数据量大，需分批核对 --as wang
    """
    setup(folder)
    from hutong.control.clocks import actions

    found = actions.ask_extension(account_of(username), clock_id, reason)
    click.echo(f"the extension of {found.id} is asked for. Next: hutong clock consent {folder} {found.id}")


@clock.command("consent")
@FOLDER
@click.argument("clock_id")
@click.option("--refuse", is_flag=True, help="Refuse the extension instead.")
@AS
def consent(folder: Path, clock_id: str, *, refuse: bool, username: str) -> None:
    """Consent to an extension that was asked for, or refuse it, as the supervisor."""
    setup(folder)
    from hutong.control.clocks import actions

    found = actions.decide_extension(account_of(username), clock_id, consent=not refuse)
    due = found.due_on.isoformat() if found.due_on else "not known without the calendar"
    click.echo(f"the extension of {found.id} is {found.extension_state}; due: {due}.")


def _document(one: Any, left: int | None) -> dict[str, Any]:
    return {
        "id": one.id,
        "rule": one.rule,
        "title": one.title_zh,
        "title_en": one.title_en,
        "subject": one.subject,
        "department": one.department,
        "received": one.received_on.isoformat(),
        "due": one.due_on.isoformat() if one.due_on else "",
        "days_left": left,
        "extension": one.extension_state,
    }
