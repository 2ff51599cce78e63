"""`hutong dispute`: open a dispute, say something in it, settle, escalate, decide and carry out."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click

from hutong.control.identity.cli import FOLDER, operator
from hutong.control.requests.cli import AS, AS_JSON
from hutong.node.settings import setup
from hutong.vocabulary.ids import urn

EFFECTS = click.Choice(["agree", "suspend", "resume", "end", "correct", "none"])
DISPUTE = click.argument("dispute_id", metavar="DISPUTE")
TEXT = click.option("--text", required=True, help="What is said; everybody who takes part reads it.")
EFFECT = click.option("--effect", "do", type=EFFECTS, default="none", show_default=True, help="What follows from it.")
ITEMS = click.option("--items", default="", help="For agree: only these items, separated by commas.")
TERM = click.option("--term-days", type=click.IntRange(1, 3650), help="For agree: at most so many days.")


@click.group()
def dispute() -> None:
    """Disputes about sharing: negotiation, decision, coordination, execution (decree 809, article 28)."""


@dispute.command("list")
@FOLDER
@AS_JSON
def listing(folder: Path, *, as_json: bool) -> None:
    """List disputes, the newest movement first. Changes nothing."""
    setup(folder)
    from hutong.control.disputes import queries

    rows = [_row(one) for one in queries.disputes(operator())]
    if as_json:
        click.echo(json.dumps(rows, ensure_ascii=False, indent=2))
        return
    for one in rows:
        parties = f"{one['claimant']} / {one['respondent']}"
        click.echo(f"{one['id']}  level {one['level']}  {one['state']}  {parties}  {one['title']}")


@dispute.command("show")
@FOLDER
@DISPUTE
@AS_JSON
def show(folder: Path, dispute_id: str, *, as_json: bool) -> None:
    """Show one dispute with its signed papers. Changes nothing."""
    setup(folder)
    from hutong.control.disputes import queries

    found = queries.docket(operator(), urn(dispute_id))
    papers = [{"digest": one.digest, **one.envelope()} for one in found.papers]
    duties = [{"position": one.position, "do": one.do, "state": one.state, "code": one.code} for one in found.mandates]
    whole = _row(found.dispute) | {"papers": papers, "duties": duties}
    if as_json:
        click.echo(json.dumps(whole, ensure_ascii=False, indent=2))
        return
    click.echo(f"{whole['title']}: level {whole['level']}, {whole['state']}")
    for paper in found.papers:
        click.echo(f"{paper.at}  {paper.kind}  {paper.by} ({paper.side})  {paper.text}  {paper.digest}")
    for one in duties:
        click.echo(f"duty {one['position']}: {one['do']} {one['state']} {one['code']}".rstrip())


@dispute.command("open")
@FOLDER
@click.option("--request", "pid", help="Process id of the request it is about.")
@click.option("--agreement", help="Id of the agreement it is about.")
@click.option("--ticket", default="", help="With --agreement: the correction whose answer is disputed.")
@click.option("--with", "respondent", help="Or the other side's jurisdiction, for anything else.")
@click.option("--department", default="", help="With --with: ours, by its unified social credit code.")
@click.option("--title", required=True, help="One line that says what it is about.")
@TEXT
@AS
def open_(folder: Path, *, title: str, text: str, username: str, **about: Any) -> None:
    """Open a dispute with another node. The other side reads what you say; its clock of negotiation runs.

    Example: hutong dispute open /srv/js --request PID --title 逾期未答复 --text 已逾期三日 --as wang
    """
    setup(folder)
    from hutong.control.disputes import actions
    from hutong.control.identity.queries import account

    made = actions.open_dispute(account(username), _subject(**about), title, text)
    click.echo(f"dispute {made.id} is open with {made.respondent}.")


@dispute.command("state")
@FOLDER
@DISPUTE
@TEXT
@AS
def state(folder: Path, dispute_id: str, *, text: str, username: str) -> None:
    """Say something as a party. Signs one paper and sends it to everybody who takes part."""
    _say(folder, username, "state", dispute_id, text)


@dispute.command("minutes")
@FOLDER
@DISPUTE
@TEXT
@AS
def minutes(folder: Path, dispute_id: str, *, text: str, username: str) -> None:
    """Keep the minutes of a meeting, a mediation or a hearing."""
    _say(folder, username, "keep_minutes", dispute_id, text)


@dispute.command("propose")
@FOLDER
@DISPUTE
@TEXT
@EFFECT
@ITEMS
@TERM
@AS
def propose(folder: Path, dispute_id: str, *, text: str, username: str, **effect: Any) -> None:
    """Propose a settlement. What it says is done by the nodes once the other side accepts."""
    _say(folder, username, "propose", dispute_id, text, **effect)


@dispute.command("accept")
@FOLDER
@DISPUTE
@AS
def accept(folder: Path, dispute_id: str, *, username: str) -> None:
    """Accept the other side's newest proposal."""
    _say(folder, username, "accept", dispute_id)


@dispute.command("escalate")
@FOLDER
@DISPUTE
@TEXT
@AS
def escalate(folder: Path, dispute_id: str, *, text: str, username: str) -> None:
    """Bring it to the nearest common superior; from there to that level's government."""
    _say(folder, username, "escalate", dispute_id, text)


@dispute.command("decide")
@FOLDER
@DISPUTE
@TEXT
@click.option("--citation", required=True, help="The provision it rests on, with its article.")
@EFFECT
@ITEMS
@TERM
@AS
def decide(folder: Path, dispute_id: str, *, text: str, citation: str, username: str, **effect: Any) -> None:
    """Decide, as the common superior's supervisor. The node that is bound carries it out as it takes it in.

    Example: hutong dispute decide /srv/cn DISPUTE --text 应当共享 --citation 条例第二十一条 --effect agree --as zhao
    """
    _say(folder, username, "decide", dispute_id, text, citation, **effect)


@dispute.command("close")
@FOLDER
@DISPUTE
@TEXT
@AS
def close(folder: Path, dispute_id: str, *, text: str, username: str) -> None:
    """Confirm, as the common superior, that the decision was carried out."""
    _say(folder, username, "close", dispute_id, text)


@dispute.command("withdraw")
@FOLDER
@DISPUTE
@TEXT
@AS
def withdraw(folder: Path, dispute_id: str, *, text: str, username: str) -> None:
    """Take it back, as the head of the side that opened it."""
    _say(folder, username, "withdraw", dispute_id, text)


@dispute.command("done")
@FOLDER
@DISPUTE
@click.argument("position", type=int)
@click.option("--note", required=True, help="How it was done.")
@AS
def done(folder: Path, dispute_id: str, position: int, *, note: str, username: str) -> None:
    """Say that our side has done one thing it is bound to. With the last one the others are told."""
    _say(folder, username, "carried_out", dispute_id, position, note)


@dispute.command("retry")
@FOLDER
@DISPUTE
@AS
def retry(folder: Path, dispute_id: str, *, username: str) -> None:
    """Try again what could not be done."""
    _say(folder, username, "try_again", dispute_id)


def _say(folder: Path, username: str, verb: str, dispute_id: str, *said: Any, **effect: Any) -> None:
    setup(folder)
    from hutong.control.disputes import actions, queries
    from hutong.control.identity.queries import account

    who = account(username)
    found = queries.docket(who, urn(dispute_id)).dispute
    effects = []
    if effect:
        items = [one.strip() for one in effect["items"].split(",") if one.strip()]
        effects = [actions.effect_of(found, effect["do"], items=items, term_days=effect["term_days"])]
    after = getattr(actions, verb)(who, found.id, *said, *([effects] if effect else []))
    click.echo(f"dispute {after.id}: level {after.level}, {after.state}.")


def _subject(*, pid: str | None, agreement: str | None, ticket: str, respondent: str | None, department: str) -> Any:
    from hutong.control.disputes import actions

    if pid:
        return actions.about_request(urn(pid))
    if agreement:
        return actions.about_correction(ticket, urn(agreement)) if ticket else actions.about_agreement(urn(agreement))
    if respondent:
        return actions.about_nothing_here(respondent, department)
    raise click.UsageError("say what it is about: --request, --agreement or --with")


def _row(one: Any) -> dict[str, Any]:
    names = ("id", "title", "level", "state", "claimant", "respondent", "mediator", "forum", "about")
    return {name: getattr(one, name) for name in names}
