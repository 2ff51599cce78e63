"""`hutong dispute`: open a dispute, say something in it, settle, escalate, decide and carry out."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from hutong.control.identity.cli import AS, account_of, operator
from hutong.node.settings import setup
from hutong.terminal import AS_JSON, FOLDER, print_json
from hutong.vocabulary.ids import urn

EFFECTS = click.Choice(["agree", "suspend", "resume", "end", "correct", "none"])
DISPUTE = click.argument("dispute_id", metavar="DISPUTE")
TEXT = click.option("--text", required=True, help="What is said; everybody who takes part reads it.")
EFFECT = (
    click.option("--effect", "do", type=EFFECTS, default="none", show_default=True, help="What follows from it."),
    click.option("--items", default="", help="For agree: only these items, separated by commas."),
    click.option("--term-days", type=click.IntRange(1, 3650), help="For agree: at most so many days."),
)


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
        print_json(rows)
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
        print_json(whole)
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

    made = actions.open_dispute(account_of(username), _subject(**about), title, text)
    click.echo(f"dispute {made.id} is open with {made.respondent}.")


def _verb(name: str, verb: str, text: str, *options: Callable[[Any], Any]) -> None:
    """Add the command that lets an account do one verb of the actions, with what its options say.

    name      of the command
    options   named as the arguments of the verb are; those of EFFECT become its effects
    """

    def run(folder: Path, dispute_id: str, *, username: str, **said: Any) -> None:
        setup(folder)
        from hutong.control.disputes import actions, queries

        who = account_of(username)
        found = queries.docket(who, urn(dispute_id)).dispute
        if "do" in said:
            items = [one.strip() for one in said.pop("items").split(",") if one.strip()]
            effect = actions.effect_of(found, said.pop("do"), items=items, term_days=said.pop("term_days"))
            said["effects_"] = [effect]
        after = getattr(actions, verb)(who, found.id, **said)
        click.echo(f"dispute {after.id}: level {after.level}, {after.state}.")

    for option in (AS, *reversed(options), DISPUTE, FOLDER):
        run = option(run)
    dispute.command(name, help=text)(run)


_verb("state", "state", "Say something as a party. Signs one paper and sends it to everybody who takes part.", TEXT)
_verb("minutes", "keep_minutes", "Keep the minutes of a meeting, a mediation or a hearing.", TEXT)
_verb(
    "propose",
    "propose",
    "Propose a settlement. What it says is done by the nodes once the other side accepts.",
    TEXT,
    *EFFECT,
)
_verb("accept", "accept", "Accept the other side's newest proposal.")
_verb("escalate", "escalate", "Bring it to the nearest common superior; from there to that level's government.", TEXT)
_verb(
    "decide",
    "decide",
    """Decide, as the common superior's supervisor. The node that is bound carries it out as it takes it in.

    Example: hutong dispute decide /srv/cn DISPUTE --text 应当共享 --citation 条例第二十一条 --effect agree --as zhao
    """,
    TEXT,
    click.option("--citation", required=True, help="The provision it rests on, with its article."),
    *EFFECT,
)
_verb("close", "close", "Confirm, as the common superior, that the decision was carried out.", TEXT)
_verb("withdraw", "withdraw", "Take it back, as the head of the side that opened it.", TEXT)
_verb(
    "done",
    "carried_out",
    "Say that our side has done one thing it is bound to. With the last one the others are told.",
    click.argument("position", type=int),
    click.option("--note", required=True, help="How it was done."),
)
_verb("retry", "try_again", "Try again what could not be done.")


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
