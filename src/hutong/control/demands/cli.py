"""`hutong demand`: data that no catalogue holds yet, from the wish to the resource or the reasoned refusal."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from hutong.control.identity.cli import AS, account_of
from hutong.node.settings import setup
from hutong.terminal import AS_JSON, FOLDER, language, print_json, print_rows, print_with_timeline

if TYPE_CHECKING:
    from hutong.control.demands.models import Demand
    from hutong.control.demands.ranking import Candidate

ITEM = click.option(
    "--item", "items", multiple=True, help="What is wished: words=element, words alone, or =element. Repeat it."
)
AREA = click.option("--area", "area_code", default="", help="Area code of 6 or 12 digits.")
CYCLE = click.option("--cycle", "update_cycle", default="", help="Update cycle: 3 daily, 4 weekly, 5 monthly ...")


@click.group()
def demand() -> None:
    """Demands (需求清单): what a department needs and no catalogue holds."""


@demand.command("file")
@FOLDER
@click.argument("title")
@ITEM
@click.option("--for", "what_for", required=True, help="使用场景: what the data is for.")
@click.option("--basis", required=True, help="使用依据: the law or duty it rests on.")
@click.option("--scope", required=True, help="使用范围: by whom it is used.")
@click.option("--purpose", required=True, help="Purpose code, for example licensing.")
@AREA
@CYCLE
@click.option("--from", "target", default="", help="Jurisdiction that should hold the data.")
@click.option("--why-not", default="", help="Why a resource that seems to have it does not do.")
@AS
def file_demand(folder: Path, title: str, *, items: tuple[str, ...], username: str, **words: str) -> None:
    """File a demand; the head of the department signs it off. Lead sources that exist already are shown.

    Example: hutong demand file /srv/ah 食品生产许可 --item 统一社会信用代码=uscc --item 有效期=date --for 企业开办核验
    --basis 《食品安全法》第三十五条 --scope 登记窗口 --purpose licensing --from 320000 --as li

    Adds one demand. Nothing leaves the node yet.
    """
    setup(folder)
    from hutong.control.demands import actions

    wished = read_items(items)
    made = actions.file(account_of(username), title=title, items=wished, **words)
    click.echo(f"demand {made.id} is filed. Next: hutong demand sign-off {folder} {made.id} --as HEAD")
    show_lead_sources(made.elements, made.area_code)


@demand.command("sign-off")
@FOLDER
@click.argument("demand_id")
@AS
def sign_off_demand(folder: Path, demand_id: str, *, username: str) -> None:
    """Sign a demand off, as the head: it goes to the node that should hold the data."""
    made = _acted(folder, "actions", "sign_off", username, demand_id)
    click.echo(f"demand {made.id} is {made.state} and lies with {made.holder}.")


@demand.command("withdraw")
@FOLDER
@click.argument("demand_id")
@click.option("--reason", required=True, help="Why; whoever holds it reads it.")
@AS
def withdraw_demand(folder: Path, demand_id: str, *, reason: str, username: str) -> None:
    """Withdraw a demand; where it lies with another node, that node is asked to end it."""
    made = _acted(folder, "actions", "withdraw", username, demand_id, reason)
    asked = f"; {made.holder} is asked to end it" if made.withdrawal else ""
    click.echo(f"demand {made.id} is {made.state}{asked}.")


@demand.command("request")
@FOLDER
@click.argument("demand_id")
@click.option("--term-days", type=int, default=365, show_default=True)
@AS
def request_demand(folder: Path, demand_id: str, *, term_days: int, username: str) -> None:
    """File the request that a met demand was for, with the demand's own words. Adds one request."""
    setup(folder)
    from hutong.control.demands.actions import request

    made = request(account_of(username), demand_id, term_days=term_days)
    click.echo(f"request {made.id} is filed. Next: hutong request sign-off {folder} {made.id} --as HEAD")


@demand.command("candidates")
@FOLDER
@click.argument("text", default="")
@ITEM
@AREA
@CYCLE
@click.option("--demand", "demand_id", default="", help="Of a demand, in place of words.")
@AS_JSON
def find_candidates(
    folder: Path, text: str, *, items: tuple[str, ...], demand_id: str, as_json: bool, **place: str
) -> None:
    """What could meet a wish: published resources and duties nothing is published for, with reasons. Changes nothing.

    Example: hutong demand candidates /srv/ah 食品生产许可 --item =uscc --area 320000
    """
    setup(folder)
    from hutong.control.demands import candidates, queries

    if demand_id:
        found = candidates.of(queries.demand(demand_id))
    else:
        found = candidates.candidates(candidates.wish(text, read_items(items), **place))
    if as_json:
        print_json([_candidate(one) for one in found])
        return
    for one in found:
        click.echo(candidate_line(one))


@demand.command("name-lead")
@FOLDER
@click.argument("demand_id")
@click.argument("department")
@AS
def name_lead(folder: Path, demand_id: str, *, department: str, username: str) -> None:
    """Name the lead source of a demand, as the supervisor; its clock starts."""
    made = _acted(folder, "holding", "name_lead", username, demand_id, department)
    click.echo(f"demand {made.id}: {made.lead_name} is the lead source, due on {made.due_on or 'no day yet'}.")


@demand.command("join")
@FOLDER
@click.argument("demand_id")
@click.argument("main_id")
@AS
def join(folder: Path, demand_id: str, *, main_id: str, username: str) -> None:
    """Let a demand end together with another one that means the same, as the supervisor."""
    made = _acted(folder, "holding", "join", username, demand_id, main_id)
    click.echo(f"demand {made.id} has joined {made.joined_to}.")


@demand.command("hand-up")
@FOLDER
@click.argument("demand_id")
@click.option("--note", required=True, help="Why; the common superior reads it.")
@AS
def hand_up(folder: Path, demand_id: str, *, note: str, username: str) -> None:
    """Ask the nearest common superior who holds the data, as the supervisor."""
    made = _acted(folder, "holding", "hand_up", username, demand_id, note)
    click.echo(f"demand {made.id} lies with {made.holder} now.")


@demand.command("assign")
@FOLDER
@click.argument("demand_id")
@click.argument("jurisdiction")
@click.option("--note", default="", help="What that node should know.")
@AS
def assign(folder: Path, demand_id: str, *, jurisdiction: str, note: str, username: str) -> None:
    """Say which node holds the data, as the supervisor of the common superior."""
    made = _acted(folder, "holding", "assign", username, demand_id, jurisdiction, note)
    click.echo(f"demand {made.id} lies with {made.holder} now.")


@demand.command("fulfil")
@FOLDER
@click.argument("demand_id")
@click.argument("resource_id")
@AS
def fulfil(folder: Path, demand_id: str, *, resource_id: str, username: str) -> None:
    """End a demand with a published resource. The demander is told, and can request it in one step."""
    made = _acted(folder, "holding", "fulfil", username, demand_id, resource_id)
    click.echo(f"demand {made.id} is fulfilled by {made.resource_id}.")


@demand.command("refuse")
@FOLDER
@click.argument("demand_id")
@click.option("--code", required=True, help="Reason code, for example no_statutory_duty.")
@click.option("--reason", required=True, help="The reason in words.")
@click.option("--citation", required=True, help="The provision, with its article.")
@AS
def refuse(folder: Path, demand_id: str, *, username: str, **given: str) -> None:
    """End a demand without a resource, as the supervisor or the head of its lead source."""
    setup(folder)
    from hutong.control.demands import holding

    made = holding.refuse(account_of(username), demand_id, **given)
    click.echo(f"demand {made.id} is refused.")


@demand.command("list")
@FOLDER
@click.option("--state", default="", help="Only those in this state.")
@AS_JSON
def list_demands(folder: Path, *, state: str, as_json: bool) -> None:
    """List the demands this node knows of, the newest first (at most 1,000). Changes nothing."""
    setup(folder)
    from hutong.control.demands.models import Demand

    rows = Demand.objects.order_by("-id")
    found = [_document(one) for one in (rows.filter(state=state) if state else rows)[:1000]]
    print_rows(found, as_json, "{id}  {state}  {home} -> {holder}  {title}  {lead}".format_map)


@demand.command("show")
@FOLDER
@click.argument("demand_id")
@AS_JSON
def show_demand(folder: Path, demand_id: str, *, as_json: bool) -> None:
    """Show a demand, who acts next, and what has happened to it here. Changes nothing."""
    setup(folder)
    from hutong.control.demands import queries
    from hutong.control.demands.document import build
    from hutong.control.demands.states import OWNERS

    found = queries.demand(demand_id)
    owner = OWNERS[found.state]
    co = [one.id for one in queries.co_demanders(found)]
    document = build(found) | {"acts_next": owner.role, "where": owner.where, "rule": owner.rule, "co_demanders": co}
    print_with_timeline(document, queries.timeline(demand_id), as_json)


def read_items(given: tuple[str, ...]) -> list[dict[str, str]]:
    """`words=element`, `words` and `=element` as the items of a demand."""
    return [{"words": one.partition("=")[0].strip(), "element": one.partition("=")[2].strip()} for one in given]


def show_lead_sources(elements: list[str], area_code: str, *, besides: str = "") -> None:
    """What would be collected a second time (D809-19), a line each; nothing where nobody is a source of it."""
    from hutong.control.demands.candidates import lead_sources

    for one in lead_sources(elements, area_code, besides=besides):
        click.echo(f"  a lead source exists: {candidate_line(one)}")


def _acted(folder: Path, module: str, verb: str, username: str, *arguments: str) -> Demand:
    """Do one verb of actions or holding as an account."""
    setup(folder)
    from hutong.control.demands import actions, holding

    done: Demand = getattr({"actions": actions, "holding": holding}[module], verb)(account_of(username), *arguments)
    return done


def _document(one: Demand) -> dict[str, Any]:
    names = ("id", "home", "title", "state", "holder", "purpose", "area_code", "joined_to", "resource_id")
    more = {"elements": one.elements, "lead": one.lead_name, "due_on": one.due_on.isoformat() if one.due_on else ""}
    return {name: getattr(one, name) for name in names} | more


def _candidate(one: Candidate) -> dict[str, Any]:
    known = one.known
    reasons = [{"code": r.code, "helps": r.helps, "en": r.en, "zh": r.zh} for r in one.reasons]
    names = ("kind", "id", "origin", "department_code", "department_name", "title_zh", "title_en", "lead")
    said = {name: getattr(known, name) for name in names}
    return said | {"score": one.score, "complete": one.complete, "reasons": reasons}


def candidate_line(one: Candidate) -> str:
    known, spoken = one.known, language()
    title = (known.title_zh or known.title_en) if spoken == "zh" else (known.title_en or known.title_zh)
    reasons = "; ".join(reason.say(spoken) for reason in one.reasons)
    return f"{one.score:>3}  {known.kind}  {known.id}  {known.origin}  {known.department_name}  {title}  ({reasons})"
