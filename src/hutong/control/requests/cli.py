"""`hutong request`: a department's wish for data, from filing to the provider's answer."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from hutong.control.identity.cli import AS, account_of, operator
from hutong.node.settings import setup
from hutong.terminal import AS_JSON, FOLDER, print_json, print_rows, print_with_timeline
from hutong.vocabulary.codes import SHARING_MODES
from hutong.vocabulary.ids import urn

REQUESTERS = click.Choice(["local", "zone", "member", "outside"])
MODES = click.Choice(list(SHARING_MODES.codes))


@click.group()
def request() -> None:
    """Requests: what our departments ask others for (decree 809, article 20)."""


@request.command("file")
@FOLDER
@click.argument("resource_id")
@click.option("--items", required=True, help="Items asked for, separated by commas.")
@click.option("--purpose", required=True, help="Purpose code, for example licensing or supervision.")
@click.option("--basis", required=True, help="使用依据: the law or duty it rests on.")
@click.option("--scenario", required=True, help="使用场景: in which work it is used.")
@click.option("--scope", required=True, help="使用范围: by whom it is used.")
@click.option("--term-days", type=int, required=True, help="使用时限, in days from the agreement.")
@click.option("--where", "condition", help="Rows wanted, for example \"city = '南京'\"; every row where not given.")
@click.option("--mode", type=MODES, default="interface", show_default=True, help="共享方式.")
@click.option("--calls-per-day", type=int, default=100_000, show_default=True)
@AS
def file_request(folder: Path, resource_id: str, *, condition: str | None, username: str, **words: Any) -> None:
    """File a request; the head of the department signs it off.

    Example: hutong request file /srv/ah RESOURCE --items uscc,name --purpose licensing --basis 行政许可法第三十一条
    --scenario 企业开办 --scope 登记窗口 --term-days 365 --as li

    Adds one request. Nothing leaves the node yet.
    """
    setup(folder)
    from hutong.control.requests.actions import file
    from hutong.exchange.shaping.predicate import parse_text

    items = [name.strip() for name in words.pop("items").split(",") if name.strip()]
    where = parse_text(condition).to_document() if condition else None
    words["quota_calls_per_day"] = words.pop("calls_per_day")
    made = file(account_of(username), resource_id=resource_id, items=items, row_condition=where, **words)
    click.echo(f"request {made.id} is filed. Next: hutong request sign-off {folder} {made.id} --as HEAD")


@request.command("sign-off")
@FOLDER
@click.argument("request_id")
@AS
def sign_off_request(folder: Path, request_id: str, *, username: str) -> None:
    """Sign a request off and send it to its provider, as the head of the sharing body.

    Example: hutong request sign-off /srv/ah REQUEST --as zhang
    """
    setup(folder)
    from hutong.control.requests.actions import sign_off

    made = sign_off(account_of(username), request_id)
    click.echo(f"request {made.id} is signed off and on its way to {made.provider} as {made.negotiation_id}.")


@request.command("withdraw")
@FOLDER
@click.argument("request_id")
@click.option("--reason", default="", help="Why; the provider reads it.")
@AS
def withdraw_request(folder: Path, request_id: str, *, reason: str, username: str) -> None:
    """Take a request back before it is agreed."""
    setup(folder)
    from hutong.control.requests.actions import withdraw

    made = withdraw(account_of(username), request_id, reason)
    click.echo(f"request {made.id} is withdrawn.")


@request.command("offers")
@FOLDER
@AS_JSON
def offers(folder: Path, *, as_json: bool) -> None:
    """List what providers offer to us without being asked. Changes nothing.

    To take one up, file a request for its resource: once signed off, what stays within the offer is agreed to at once.
    """
    setup(folder)
    from hutong.control.agreements.offered import read_offered
    from hutong.control.agreements.queries import title_of
    from hutong.control.offerings.queries import offered_to_us

    rows: list[dict[str, Any]] = []
    for one in offered_to_us():
        offered, title = read_offered(one.offer), title_of(one.dataset_id)
        about = {"pid": one.pid, "peer": one.peer, "resource": one.dataset_id, "title": title.zh or title.en}
        rows.append(about | {"offering": offered.document() if offered else None})
    if as_json:
        print_json(rows)
        return
    for row in rows:
        within = row["offering"] or {}
        until = f"until {within['answer_by']}" if within.get("answer_by") else ""
        click.echo(f"{row['pid']}  {row['peer']}  {row['resource']}  {row['title']}  {within.get('area', '')}  {until}")


@request.command("decline")
@FOLDER
@click.argument("pid")
@click.option("--reason", required=True, help="Why; the provider reads it.")
@AS
def decline(folder: Path, pid: str, *, reason: str, username: str) -> None:
    """Decline what a provider offered without being asked, as a head. It may still be asked for later."""
    setup(folder)
    from hutong.control.requests.actions import decline_offer

    made = decline_offer(account_of(username), pid, reason)
    click.echo(f"offer {made.pid} of {made.peer} is declined.")


@request.command("complete")
@FOLDER
@click.argument("request_id")
@click.option("--answer", "answers", multiple=True, required=True, help="One for each point, in their order.")
@AS
def complete_request(folder: Path, request_id: str, *, answers: tuple[str, ...], username: str) -> None:
    """Answer what the provider said is missing, point by point, and send the request again, as the head.

    Example: hutong request complete /srv/ah REQUEST --answer 行政许可法第三十一条 --answer 登记窗口 --as zhang
    """
    setup(folder)
    from hutong.control.requests.actions import complete

    made = complete(account_of(username), request_id, answers)
    click.echo(f"request {made.id} is completed and on its way to {made.provider}.")


@request.command("simulate")
@FOLDER
@click.argument("pid")
@click.option(
    "--sample", "sample_as", type=click.Choice(["local", "zone", "member", "outside"]), help="Read rows as it."
)
@AS_JSON
@AS
def simulate_request(folder: Path, pid: str, *, sample_as: Any, as_json: bool, username: str) -> None:
    """Show who could read what under a request to us, by which rule; with --sample, up to 20 rows as they would leave.

    Example: hutong request simulate /srv/js PID --sample zone --as wang

    Keeps nothing but a record that you looked.
    """
    setup(folder)
    from hutong.control.replies import simulation
    from hutong.control.replies.cli import print_simulation

    print_simulation(simulation.of_request(account_of(username), urn(pid), sample_as=sample_as), as_json=as_json)


@request.command("list")
@FOLDER
@AS_JSON
def list_requests(folder: Path, *, as_json: bool) -> None:
    """List the requests of this node's departments, the newest first. Changes nothing."""
    setup(folder)
    from hutong.control.requests.queries import requests

    rows = [_document(one) for one in requests(operator())]
    print_rows(rows, as_json, "{id}  {state}  {provider}  {purpose}  {resource}".format_map)


@request.command("show")
@FOLDER
@click.argument("request_id")
@AS_JSON
def show_request(folder: Path, request_id: str, *, as_json: bool) -> None:
    """Show a request and what has happened to it. Changes nothing."""
    setup(folder)
    from hutong.control.agreements.models import Agreement
    from hutong.control.requests import queries

    found = queries.request(request_id)
    agreement = Agreement.objects.filter(negotiation_id=found.negotiation_id or "-").first()
    document = _document(found) | {"agreement": agreement.id if agreement else ""}
    document |= {"agreement_state": agreement.state if agreement else ""}
    document |= queries.with_the_provider(found)
    print_with_timeline(document, queries.timeline(request_id), as_json)


def _document(one: Any) -> dict[str, Any]:
    return {
        "id": one.id,
        "state": one.state,
        "resource": one.resource_id,
        "provider": one.provider,
        "department": one.department_id,
        "filed_by": one.filed_by,
        "signed_off_by": one.signed_off_by,
        "purpose": one.purpose,
        "items": one.items,
        "where": one.row_condition,
        "term_days": one.term_days,
        "refusal_code": one.refusal_code,
        "refusal_reason": one.refusal_reason,
        "refusal_citation": one.refusal_citation,
        "negotiation": one.negotiation_id,
    }
