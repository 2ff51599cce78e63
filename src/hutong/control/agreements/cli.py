"""`hutong agreement`: the provider's inbox, and agreements in force on either side."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import click

from hutong.control.identity.cli import AS, account_of, operator
from hutong.control.replies import cli as replies
from hutong.node.settings import setup
from hutong.terminal import AS_JSON, FOLDER, print_json, print_rows, print_with_timeline
from hutong.vocabulary.ids import urn

REASON = click.option("--reason", required=True, help="Why; the other side reads it.")


@click.group()
def agreement() -> None:
    """Agreements: answer requests, and suspend, resume or end what was agreed."""


@agreement.command("inbox")
@FOLDER
@click.option("--all", "everything", is_flag=True, help="Answered requests too.")
@AS_JSON
def inbox(folder: Path, *, everything: bool, as_json: bool) -> None:
    """List requests from other nodes, those due first. Changes nothing.

    Example: hutong agreement inbox /srv/js
    """
    setup(folder)
    from hutong.control.agreements import queries

    rows = [_request(one) for one in queries.inbox(operator(), everything=everything)]
    if as_json:
        print_json(rows)
        return
    for one in rows:
        due = f"due {one['due']}" if one["due"] else "no clock"
        click.echo(f"{one['pid']}  {one['state']}  from {one['peer']}  {due}  {one['purpose']}  {one['title']}")


@agreement.command("offer")
@FOLDER
@click.argument("resource")
@click.option("--to", required=True, help="A member's jurisdiction, or a participant id from: hutong peer list")
@click.option("--address", default="", help="Which of its addresses, where a connector outside has several.")
@AS
def offer(folder: Path, resource: str, *, to: str, address: str, username: str) -> None:
    """Offer a published resource to somebody who has not asked for it.

    Example: hutong agreement offer /srv/js RESOURCE --to 340000 --as wang

    Begins a negotiation; nothing can be read until the other side accepts and both conclude an agreement.
    """
    setup(folder)
    from hutong.control.agreements import actions

    made = actions.offer(account_of(username), resource, to, address=address)
    click.echo(f"offer {made.pid} is on its way to {made.peer}.")


@agreement.command("list")
@FOLDER
@AS_JSON
def listing(folder: Path, *, as_json: bool) -> None:
    """List agreements on both sides, the newest first. Changes nothing."""
    setup(folder)
    from hutong.control.agreements import queries

    rows = [_summary(one) for one in queries.agreements(operator())]
    print_rows(rows, as_json, "{id}  {state}  {role}  {peer}  {resource}".format_map)


@agreement.command("show")
@FOLDER
@click.argument("agreement_id")
@AS_JSON
def show(folder: Path, agreement_id: str, *, as_json: bool) -> None:
    """Show an agreement: what was signed, by whom, and what has happened. Changes nothing."""
    setup(folder)
    from hutong.control.agreements import queries

    page = queries.agreement_page(urn(agreement_id))
    one = page.agreement
    document = _summary(one) | {
        "title": page.title.zh or page.title.en,
        "digest": one.digest,
        "provider_signature": one.provider_signature or page.unsigned_by("provider"),
        "consumer_signature": one.consumer_signature or page.unsigned_by("consumer"),
        "items": {item.name: item.mask for item in page.items},
    }
    if as_json:
        document["document"] = one.document
    print_with_timeline(document, page.timeline, as_json)


@agreement.command("suspend")
@FOLDER
@click.argument("agreement_id")
@click.option("--cause", default="misuse", show_default=True, help="misuse, incident, secrecy, or own_pause.")
@REASON
@AS
def suspend(folder: Path, agreement_id: str, *, cause: str, reason: str, username: str) -> None:
    """Stop an agreement's data: the very next request is refused (decree 809, article 27).

    For misuse and incidents the other side gets a day by which it must put things right.
    """
    _change("suspend", folder, agreement_id, reason, username, cause=cause)


@agreement.command("resume")
@FOLDER
@click.argument("agreement_id")
@REASON
@AS
def resume(folder: Path, agreement_id: str, *, reason: str, username: str) -> None:
    """Let the data flow again after rectification; only the side that suspended may."""
    _change("resume", folder, agreement_id, reason, username)


@agreement.command("end")
@FOLDER
@click.argument("agreement_id")
@click.option("--cause", default="", help="A provider's: misuse, secrecy, or announced_stop.")
@REASON
@AS
def end(folder: Path, agreement_id: str, *, cause: str, reason: str, username: str) -> None:
    """End an agreement for good, on either side. The consumer then disposes of the data and files the proof."""
    _change("end", folder, agreement_id, reason, username, cause=cause)


@agreement.command("complete")
@FOLDER
@click.argument("agreement_id")
@AS
def complete(folder: Path, agreement_id: str, *, username: str) -> None:
    """Say, as consumer, that what was delivered is enough for now.

    Nothing is read under the agreement until delivery is asked for again; the agreement stays, and so does what it says
    of the data you have.
    """
    _deliver("complete_delivery", folder, agreement_id, username)


@agreement.command("ask-delivery")
@FOLDER
@click.argument("agreement_id")
@AS
def ask_delivery(folder: Path, agreement_id: str, *, username: str) -> None:
    """Ask, as consumer, for delivery once more, after one was completed or could not begin."""
    _deliver("ask_delivery", folder, agreement_id, username)


@agreement.command("reidentify")
@FOLDER
@click.argument("agreement_id")
@click.option("--item", required=True, help="An item that leaves encrypted.")
@click.option("--reason", required=True, help="Why; it stands in the audit record.")
@AS
def reidentify(folder: Path, agreement_id: str, *, item: str, reason: str, username: str) -> None:
    """Turn encrypted identifiers of an agreement back, as the head of its department: one a line on standard input.

    Example: hutong agreement reidentify /srv/js ID --item id --reason 案件 --as li < numbers.txt

    Adds one audit record with the reason, and no identifier.
    """
    setup(folder)
    from hutong.control.agreements.reidentify import reidentify as turn_back

    values = [line.strip() for line in sys.stdin if line.strip()]
    found = turn_back(account_of(username), urn(agreement_id), item, values, reason)
    click.echo("\n".join(one or "-" for one in found))


for command in (replies.agree, replies.refuse, replies.supplement, replies.sign, replies.send_back):
    agreement.add_command(command)


def _change(verb: str, folder: Path, agreement_id: str, reason: str, username: str, *, cause: str = "") -> None:
    setup(folder)
    from hutong.control.agreements import actions

    given = {"cause": cause} if cause else {}
    changed = getattr(actions, verb)(account_of(username), urn(agreement_id), reason, **given)
    click.echo(f"agreement {changed.id} is {changed.state}.")


def _deliver(verb: str, folder: Path, agreement_id: str, username: str) -> None:
    setup(folder)
    from hutong.control.agreements import actions

    transfer = getattr(actions, verb)(account_of(username), urn(agreement_id))
    click.echo(f"delivery under agreement {transfer.agreement_id} is {transfer.state}.")


def _request(one: Any) -> dict[str, Any]:
    terms = one.terms
    return {
        "pid": one.pid,
        "state": one.state,
        "peer": one.peer,
        "resource": one.resource_id,
        "title": one.title.zh or one.title.en,
        "due": one.due_at.isoformat() if one.due_at else "",
        "working_days_left": one.working_days_left,
        "purpose": terms.purpose if terms else "",
        "department": terms.department_name if terms else "",
        "items": list(terms.items) if terms else [],
        "where": terms.where if terms else None,
        "basis": terms.basis if terms else "",
        "scenario": terms.scenario if terms else "",
        "scope": terms.scope if terms else "",
        "term_days": terms.term_days if terms else None,
        "supplement": [point.document() for point in one.supplement],
        "refusal_code": one.refusal_code,
        "refusal_reason": one.refusal_reason,
        "refusal_citation": one.refusal_citation,
    }


def _summary(one: Any) -> dict[str, Any]:
    return {
        "id": one.id,
        "state": one.state,
        "role": one.role,
        "peer": one.peer,
        "resource": one.resource_id,
        "starts_at": one.starts_at.isoformat(),
        "ends_at": one.ends_at.isoformat() if one.ends_at else "",
    }
