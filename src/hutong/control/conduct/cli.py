"""`hutong agreement rectify, dispose, accept, object, incident, announce-stop, papers`, and `hutong use`."""

from __future__ import annotations

import hashlib
from datetime import date
from pathlib import Path
from typing import Any

import click

from hutong.control.agreements.cli import agreement
from hutong.control.identity.cli import AS, account_of, operator
from hutong.node.settings import setup
from hutong.terminal import AS_JSON, FOLDER, print_rows
from hutong.vocabulary.ids import urn

__all__ = ["agreement", "use"]
AGREEMENT = click.argument("agreement_id")
FILING = click.argument("filing")
EVIDENCE = click.option(
    "--evidence",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    required=True,
    help="The file that proves it; it stays here, its digest travels.",
)
BY = click.option("--by", required=True, help="Who did it: name and post.")


@agreement.command("rectify")
@FOLDER
@AGREEMENT
@click.option("--done", required=True, help="What was put right.")
@BY
@EVIDENCE
@AS
def rectify(folder: Path, agreement_id: str, *, evidence: Path, username: str, **given: str) -> None:
    """File what was put right after a suspension; then the side that suspended may resume (article 27).

    Example: hutong agreement rectify /srv/ah AGREEMENT --done 已停用越权查询 --by 李某
    --evidence 整改报告.pdf --as li
    """
    _file("rectify", folder, agreement_id, username, given | {"evidence": digest_of(evidence)})


@agreement.command("dispose")
@FOLDER
@AGREEMENT
@click.option("--copies", required=True, help="Which copies there were, and where.")
@click.option("--how", required=True, help="How they were destroyed.")
@click.option("--on", required=True, help="When: 2026-11-30.")
@BY
@EVIDENCE
@AS
def dispose(folder: Path, agreement_id: str, *, evidence: Path, username: str, **given: str) -> None:
    """File the proof that the data of an ended agreement was disposed of (article 27).

    Example: hutong agreement dispose /srv/ah AGREEMENT --copies 业务库一份 --how 多次覆写
    --on 2026-11-30 --by 李某 --evidence 销毁记录.pdf --as li
    """
    _file("dispose", folder, agreement_id, username, given | {"evidence": digest_of(evidence)})


@agreement.command("incident")
@FOLDER
@AGREEMENT
@click.option("--what", required=True, help="What happened; no personal data.")
@click.option("--found-on", required=True, help="When it was found: 2026-11-30.")
@click.option("--affected", required=True, help="What is affected: items, numbers of records and people.")
@click.option("--measures", required=True, help="What was done at once.")
@AS
def incident(folder: Path, agreement_id: str, *, username: str, **given: str) -> None:
    """Report a security incident to the other side and to our supervisor (articles 34 and 35)."""
    _file("report_incident", folder, agreement_id, username, given)


@agreement.command("accept")
@FOLDER
@FILING
@AS
def accept(folder: Path, filing: str, *, username: str) -> None:
    """Accept a rectification or a proof of disposal of the other side."""
    _answer(folder, filing, username, accept=True)


@agreement.command("object")
@FOLDER
@FILING
@click.option("--reason", required=True, help="What is missing; the other side reads it.")
@AS
def object_to(folder: Path, filing: str, *, reason: str, username: str) -> None:
    """Object to a rectification or a proof of disposal of the other side."""
    _answer(folder, filing, username, accept=False, reason=reason)


@agreement.command("papers")
@FOLDER
@click.option("--kind", default="", help="suspension, rectification, disposal, incident, stop, use.")
@AS_JSON
def listing(folder: Path, *, kind: str, as_json: bool) -> None:
    """List what both sides have filed, the newest first. Changes nothing."""
    setup(folder)
    from hutong.control.conduct import queries

    _show([_paper(one) for one in queries.filings(operator(), kind)[:500]], as_json)


@agreement.command("announce-stop")
@FOLDER
@click.argument("resource")
@click.option("--change", type=click.Choice(["stop", "change"]), default="stop", show_default=True)
@click.option("--from", "starts_on", type=click.DateTime(["%Y-%m-%d"]), required=True, help="First day without it.")
@click.option("--reason", required=True, help="Why; every consumer and the supervisor read it.")
@AS
def announce_stop(folder: Path, resource: str, *, change: str, starts_on: Any, reason: str, username: str) -> None:
    """Announce that a resource's service stops or changes: filed with the supervisor, told to every consumer.

    Example: hutong agreement announce-stop /srv/js RESOURCE --from 2027-01-15 --reason 系统下线 --as wang
    """
    setup(folder)
    from hutong.control.conduct import stopping

    made = stopping.announce(account_of(username), resource, change=change, starts_on=starts_on.date(), reason=reason)
    click.echo(f"notice {made.id} is filed with the supervisor and told to {made.told} consumers.")


@click.group()
def use() -> None:
    """The register of use: what was done with the data, kept three years at least (article 29)."""


@use.command("record")
@FOLDER
@AGREEMENT
@click.option("--year", required=True, help="The year it tells of.")
@click.option("--scenario", required=True, help="使用场景")
@click.option("--process", required=True, help="使用过程")
@click.option("--effect", required=True, help="使用成效")
@click.option("--storage", required=True, help="存储情况")
@click.option("--destruction", required=True, help="销毁情况")
@AS
def record(folder: Path, agreement_id: str, *, username: str, **given: str) -> None:
    """File a record of a year's use; the provider and the supervisors may read it.

    Example: hutong use record /srv/ah AGREEMENT --year 2026 --scenario 开办核验 --process 逐件核验
    --effect 减少材料两份 --storage 不落库 --destruction 无副本 --as li
    """
    _file("record_use", folder, agreement_id, username, given)


@use.command("report")
@FOLDER
@click.option("--agreement", "agreement_id", default="", help="Of one agreement only.")
@AS_JSON
def report(folder: Path, *, agreement_id: str, as_json: bool) -> None:
    """Show use by agreement and year: counted by the exchange, and told by the consumer. Changes nothing."""
    setup(folder)
    from hutong.control.conduct import use as uses

    agreements = uses.of_account(operator(), urn(agreement_id) if agreement_id else "")
    rows = [one.document() for one in uses.by_year(agreements)]
    _show(rows, as_json)


@use.command("purge")
@FOLDER
@click.option("--before", type=click.DateTime(["%Y-%m-%d"]), required=True, help="Records of earlier days go.")
@click.option("--agreement", "agreement_id", default="", help="Of one agreement only.")
def purge(folder: Path, *, before: Any, agreement_id: str) -> None:
    """Delete records of use whose time is over. Younger ones are refused; what goes leaves its proof in the ledger.

    Example: hutong use purge /srv/ah --before 2023-11-01
    """
    setup(folder)
    from hutong.control.conduct import retention

    day: date = before.date()
    done = retention.purge(operator(), day, agreement_id=urn(agreement_id) if agreement_id else "")
    click.echo(f"{done.rows} records purged; proofs in the ledger: {', '.join(done.proofs) or 'none'}")


def digest_of(file: Path) -> str:
    """SHA-256 of a file, as it travels in place of the file."""
    with file.open("rb") as content:
        return "sha256:" + hashlib.file_digest(content, "sha256").hexdigest()


def _file(verb: str, folder: Path, agreement_id: str, username: str, given: dict[str, str]) -> None:
    setup(folder)
    from hutong.control.conduct import actions

    paper = getattr(actions, verb)(account_of(username), urn(agreement_id), given)
    click.echo(f"{paper.kind} {paper.id} is filed and on its way to {paper.agreement.peer}.")


def _answer(folder: Path, filing: str, username: str, *, accept: bool, reason: str = "") -> None:
    setup(folder)
    from hutong.control.conduct import actions

    paper = actions.answer(account_of(username), filing, accept=accept, reason=reason)
    click.echo(f"{paper.kind} {paper.id} is {paper.state}.")


def _paper(one: Any) -> dict[str, Any]:
    return {
        "id": one.id,
        "kind": one.kind,
        "state": one.state,
        "author": one.author,
        "agreement": one.agreement_id,
        "due": one.due_on.isoformat() if one.due_on else "",
        "refers_to": one.refers_to,
        "content": one.content,
        "digest": one.digest,
        "answer": one.answer,
    }


def _show(rows: list[dict[str, Any]], as_json: bool) -> None:
    print_rows(rows, as_json, lambda row: "  ".join(str(one) for one in row.values() if not isinstance(one, dict)))
