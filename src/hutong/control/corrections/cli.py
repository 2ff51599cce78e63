"""`hutong correction`: a wrong record is reported, verified, corrected, and every subscriber hears of it."""

from __future__ import annotations

from pathlib import Path
from typing import IO, Any

import click

from hutong.control.identity.cli import AS, account_of, operator
from hutong.node.settings import setup
from hutong.terminal import AS_JSON, FOLDER, print_json
from hutong.vocabulary.ids import urn

NUMBER = click.argument("number", type=int)
REASON = click.option("--reason", required=True, help="What was verified and how; no personal data.")


@click.group()
def correction() -> None:
    """Corrections 校核: wrong records reported, verified within 10 working days, corrected everywhere (article 26)."""


@correction.command("report")
@FOLDER
@click.argument("agreement")
@click.option("--items", required=True, help="Items that are wrong, separated by commas.")
@click.option("--key", "key_item", required=True, help="The item that tells records apart.")
@click.option("--value-file", type=click.File("r"), required=True, help="File with the key's value; - reads it here.")
@click.option("--fault", required=True, help="What is wrong: wrong_value, missing_value, out_of_date, wrong_form ...")
@click.option("--evidence", required=True, help="What it rests on, for example a document and its number.")
@AS
def report(folder: Path, agreement: str, *, items: str, value_file: IO[str], username: str, **given: str) -> None:
    """Report that a record received under an agreement is wrong. The key's value is sealed for the provider alone.

    Example: echo 91320100... | hutong correction report /srv/ah AGREEMENT --items name --key uscc --value-file -
    --fault wrong_value --evidence 营业执照复印件 --as li

    Adds a report and sends it; the provider's clock of 10 working days runs from its receipt.
    """
    setup(folder)
    from hutong.control.corrections import actions

    named = [name.strip() for name in items.split(",") if name.strip()]
    value = value_file.read().strip()
    made = actions.report(account_of(username), urn(agreement), items=named, value=value, **given)
    click.echo(f"report {made.pk} (ticket {made.ticket}) is on its way to {made.peer}.")


@correction.command("list")
@FOLDER
@click.option("--open", "only_open", is_flag=True, help="Only reports that wait for our answer.")
@AS_JSON
def listing(folder: Path, *, only_open: bool, as_json: bool) -> None:
    """List reports on either side, the newest first. Changes nothing."""
    setup(folder)
    from hutong.control.corrections import queries

    found = queries.to_answer(operator()) if only_open else queries.reported(operator())
    rows = [_report(one) for one in found[:500]]
    if as_json:
        print_json(rows)
        return
    for one in rows:
        due = f"due {one['due']}" if one["due"] else "no clock"
        click.echo(f"{one['number']}  {one['state']}  {one['role']}  {one['peer']}  {due}  {','.join(one['items'])}")


@correction.command("show")
@FOLDER
@NUMBER
@AS_JSON
def show(folder: Path, number: int, *, as_json: bool) -> None:
    """Show a report's trace: old to new by digest, and who has been told. Never the key. Changes nothing."""
    setup(folder)
    from hutong.control.corrections import queries

    one = queries.correction(operator(), number)
    told = [{"node": row.peer, "state": row.state} for row in one.told.order_by("peer")] or one.subscribers
    chain = {"report": one.report_digest, "answer": one.answer_digest, "before": one.before, "changes": one.changes}
    history = [
        {"at": step.at.isoformat(), "kind": step.kind, "actor": step.actor} for step in queries.timeline(one.ticket)
    ]
    document = {**_report(one), **chain, "subscribers": told, "timeline": history}
    if as_json:
        print_json(document)
        return
    for name, value in document.items():
        click.echo(f"{name}: {value}")


@correction.command("look")
@FOLDER
@NUMBER
@AS
def look(folder: Path, number: int, *, username: str) -> None:
    """Read the record from the source now, where that failed when the report came. Keeps digests only."""
    setup(folder)
    from hutong.control.corrections import actions

    one = actions.look(account_of(username), number)
    click.echo(f"report {number}: {'the record was read' if one.looked_at else 'not read: ' + one.look_failed}.")


@correction.command("corrected")
@FOLDER
@NUMBER
@AS
def corrected(folder: Path, number: int, *, username: str) -> None:
    """Answer that the record is corrected; the source is read again, and every subscriber is told.

    Example: hutong correction corrected /srv/js 12 --as wang
    """
    setup(folder)
    from hutong.control.corrections import actions

    one = actions.answer_corrected(account_of(username), number)
    changed, told = ", ".join(change["item"] for change in one.changes), one.told.exclude(state="waiting").count()
    click.echo(f"report {number} is answered: {changed} corrected; {told} subscribers are told.")


@correction.command("not-wrong")
@FOLDER
@NUMBER
@REASON
@AS
def not_wrong(folder: Path, number: int, *, reason: str, username: str) -> None:
    """Answer that the record was verified and is not wrong."""
    setup(folder)
    from hutong.control.corrections import actions

    actions.answer_not_wrong(account_of(username), number, reason)
    click.echo(f"report {number} is answered: not wrong.")


@correction.command("forward")
@FOLDER
@NUMBER
@click.option("--to", "source", required=True, help="The department that holds the true source.")
@REASON
@AS
def forward(folder: Path, number: int, *, source: str, reason: str, username: str) -> None:
    """Answer that another department holds the true source."""
    setup(folder)
    from hutong.control.corrections import actions

    actions.answer_forwarded(account_of(username), number, source, reason)
    click.echo(f"report {number} is answered: forwarded to {source}.")


@correction.command("heard")
@FOLDER
@AS_JSON
def heard(folder: Path, *, as_json: bool) -> None:
    """List corrections of records we have read, the newest first. Changes nothing."""
    setup(folder)
    from hutong.control.corrections import queries

    rows = [_heard(one) for one in queries.heard(operator())[:500]]
    if as_json:
        print_json(rows)
        return
    for one in rows:
        click.echo(f"{one['number']}  {one['state']}  {one['peer']}  {','.join(one['items'])}  {one['agreement']}")


@correction.command("acknowledge")
@FOLDER
@NUMBER
@AS
def acknowledge(folder: Path, number: int, *, username: str) -> None:
    """Confirm that a correction was taken over into what we hold."""
    setup(folder)
    from hutong.control.corrections import actions

    one = actions.acknowledge(account_of(username), number)
    click.echo(f"correction {number} is acknowledged to {one.peer}.")


def _report(one: Any) -> dict[str, Any]:
    return {
        "number": one.pk,
        "ticket": one.ticket,
        "role": one.role,
        "peer": one.peer,
        "agreement": one.agreement_id,
        "items": one.items,
        "key_item": one.key_item,
        "fault": one.fault,
        "state": one.state,
        "looked": one.looked_at is not None,
        "due": one.due_on.isoformat() if one.due_on else "",
    }


def _heard(one: Any) -> dict[str, Any]:
    return {
        "number": one.pk,
        "ticket": one.ticket,
        "peer": one.peer,
        "agreement": one.agreement_id,
        "items": one.items,
        "state": "acknowledged" if one.acknowledged_at else "told",
        "changes": one.changes,
        "answer": one.answer_digest,
    }
