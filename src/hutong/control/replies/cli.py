"""`hutong agreement agree, refuse, supplement, sign, send-back`: answers to requests, proposed and signed."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click

from hutong.control.identity.cli import AS, account_of
from hutong.node.settings import setup
from hutong.terminal import AS_JSON, FOLDER, print_json
from hutong.vocabulary.ids import urn


@click.command("agree")
@FOLDER
@click.argument("pid")
@click.option("--mask", "masks", multiple=True, metavar="ITEM=ACTION", help="For example phone=phone or name=first:1.")
@click.option("--items", help="Only these of the items asked for, separated by commas.")
@click.option("--term-days", type=int, help="Fewer days than asked for.")
@click.option("--watermark", multiple=True, metavar="ITEM", help="An item whose texts bear the recipient's mark.")
@click.option("--canaries", metavar="ITEM=KIND:COUNT", help="Rows of nobody, for example id=identity_number:20.")
@AS
def agree(
    folder: Path,
    pid: str,
    *,
    masks: tuple[str, ...],
    items: str | None,
    term_days: int | None,
    watermark: tuple[str, ...],
    canaries: str | None,
    username: str,
) -> None:
    """Propose to agree to a request. Items not named keep the mask of the catalogue.

    Example: hutong agreement agree /srv/js PID --mask name=name --mask id=pseudonym --watermark name --as wang

    Nothing leaves the node until the head of the sharing body signs it: hutong agreement sign
    """
    setup(folder)
    from hutong.control.replies import actions

    chosen = dict(mask_of(one) for one in masks)
    named = [name.strip() for name in items.split(",")] if items else None
    tracing: dict[str, Any] = {"watermark": list(watermark)} if watermark else {}
    if canaries:
        tracing["canaries"] = canaries_of(canaries)
    actions.propose_agreement(
        account_of(username), urn(pid), masks=chosen, items=named, term_days=term_days, tracing=tracing
    )
    click.echo(f"agreeing to {pid} is proposed. Next: hutong agreement sign {folder} {pid} --as HEAD")


@click.command("refuse")
@FOLDER
@click.argument("pid")
@click.option("--code", required=True, help="Reason code; a wrong one lists them.")
@click.option("--citation", required=True, help="The law and its article, for example 《政务数据共享条例》第十五条.")
@click.option("--reason", required=True, help="Why; the other side reads it.")
@AS
def refuse(folder: Path, pid: str, *, code: str, citation: str, reason: str, username: str) -> None:
    """Propose to refuse a request, with reason and citation (decree 809, articles 15 and 21).

    Example: hutong agreement refuse /srv/js PID --code not_held --reason 非本部门采集
    --citation 《政务数据共享条例》第十九条 --as wang

    Nothing leaves the node until the head of the sharing body signs it: hutong agreement sign
    """
    setup(folder)
    from hutong.control.replies import actions

    actions.propose_refusal(account_of(username), urn(pid), code, reason, citation)
    click.echo(f"refusing {pid} is proposed. Next: hutong agreement sign {folder} {pid} --as HEAD")


@click.command("supplement")
@FOLDER
@click.argument("pid")
@click.option("--point", "points", multiple=True, required=True, metavar="FIELD=WANTED", help="For example basis=文号.")
@AS
def supplement(folder: Path, pid: str, *, points: tuple[str, ...], username: str) -> None:
    """Tell the applicant once, completely, what is missing (decree 809, article 21).

    Example: hutong agreement supplement /srv/js PID --point basis=文号 --point material=授权文件 --as wang

    A point names a field of the request, or material, and what is wanted. It can be done once for a request.
    """
    setup(folder)
    from hutong.control.replies import actions

    named = [(field.strip(), wanted) for field, _, wanted in (one.partition("=") for one in points)]
    actions.ask_supplement(account_of(username), urn(pid), named)
    click.echo(f"the applicant of {pid} is told what is missing.")


@click.command("sign")
@FOLDER
@click.argument("pid")
@AS
def sign(folder: Path, pid: str, *, username: str) -> None:
    """Sign the proposed reply to a request, as the head of the sharing body (decree 809, article 20), and send it.

    Example: hutong agreement sign /srv/js PID --as zhao
    """
    setup(folder)
    from hutong.control.agreements.models import Agreement
    from hutong.control.replies import actions, queries

    done = actions.sign(account_of(username), queries.proposed_for(urn(pid)).id)
    if isinstance(done, Agreement):
        click.echo(f"agreement {done.id} is signed and on its way to {done.peer}.")
    else:
        click.echo(f"request {pid} is refused; the reason is on its way.")


@click.command("send-back")
@FOLDER
@click.argument("pid")
@click.option("--note", required=True, help="Why; the officer reads it.")
@AS
def send_back(folder: Path, pid: str, *, note: str, username: str) -> None:
    """Send the proposed reply to a request back to its officer. Nothing leaves the node."""
    setup(folder)
    from hutong.control.replies import actions, queries

    actions.send_back(account_of(username), queries.proposed_for(urn(pid)).id, note)
    click.echo(f"the reply to {pid} is sent back.")


@click.command("simulate")
@FOLDER
@click.argument("resource_id")
@click.option(
    "--sample", "sample_as", type=click.Choice(["local", "zone", "member", "outside"]), help="Read rows as it."
)
@AS_JSON
@AS
def simulate_resource(folder: Path, resource_id: str, *, sample_as: Any, as_json: bool, username: str) -> None:
    """Show who could read what of a resource, a draft too, and by which rule; with --sample, up to 20 rows.

    Example: hutong resource simulate /srv/js RESOURCE --sample member --as wang

    Keeps nothing but a record that you looked.
    """
    setup(folder)
    from hutong.control.replies import simulation

    print_simulation(simulation.of_resource(account_of(username), resource_id, sample_as=sample_as), as_json=as_json)


def canaries_of(text: str) -> dict[str, Any]:
    """raises   click.BadParameter"""
    item, _, rest = text.partition("=")
    kind, _, count = rest.partition(":")
    if not item or not count.isdecimal():
        raise click.BadParameter(f"{text!r} is not ITEM=KIND:COUNT", param_hint="--canaries")
    return {"item": item, "kind": kind, "count": int(count)}


def mask_of(text: str) -> tuple[str, dict[str, Any]]:
    """raises   click.BadParameter"""
    from hutong.exchange.shaping.masks import document_of

    name, _, action = text.partition("=")
    if not name or not action:
        raise click.BadParameter(f"{text!r} is not ITEM=ACTION", param_hint="--mask")
    return name, document_of(action)


def print_simulation(found: Any, *, as_json: bool) -> None:
    """A simulation on the terminal: each kind of requester against each item, then the rows asked for."""
    standings = [
        {
            "requester": one.kind,
            "answer": one.verdict.answer,
            "why": one.verdict.why,
            "rule": one.verdict.rule,
            "head_signs": one.verdict.head,
            "items": {item.name: item.mask for item in one.items},
        }
        for one in found.standings
    ]
    if as_json:
        rows = [dict(row) for row in found.rows]
        print_json({"standings": standings, "rows": rows})
        return
    for one in standings:
        click.echo(f"{one['requester']}: {one['answer']} ({one['why']}, {one['rule']})")
        for name, mask in one["items"].items():
            click.echo(f"  {name}: {mask['action'] if mask else 'does not leave'}")
    for row in found.rows:
        click.echo(json.dumps(row, ensure_ascii=False, default=str))
