"""`hutong rule` and `hutong replay`: the rules in force, and decisions decided again."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Any

import click

from hutong.control.identity.cli import AS_OPERATOR, acting
from hutong.node.settings import setup
from hutong.terminal import AS_JSON, FOLDER, json_text, print_json

DAY = click.DateTime(["%Y-%m-%d"])


@click.group()
def rule() -> None:
    """The rule book: each rule, its parameters, and their versions."""


@rule.command("list")
@FOLDER
@AS_JSON
def list_rules(folder: Path, as_json: bool) -> None:
    """List every rule with its parameters as they are in force today. Changes nothing."""
    setup(folder)
    from hutong.control.statute.book import rulebook

    rows = [_document(one) for one in rulebook()]
    if as_json:
        print_json(rows)
        return
    for row in rows:
        values = ", ".join(f"{one['name']} {one['value']} {one['unit']}" for one in row["parameters"])
        click.echo(f"{row['name']}  {row['says']}{'  [' + values + ']' if values else ''}")


@rule.command("show")
@FOLDER
@click.argument("name")
@AS_JSON
def show_rule(folder: Path, name: str, as_json: bool) -> None:
    """Show a rule by its name (D809-21/supplement_twice), with all versions of its parameters. Changes nothing."""
    setup(folder)
    from hutong.control.statute import queries

    found = queries.rule(name)
    document = _document(found) | {"versions": [_version(one) for one in queries.versions(name)]}
    if as_json:
        print_json(document)
        return
    click.echo(f"{document['name']}  since {document['since']}\n{document['says']}\n{document['says_zh']}")
    for one in document["parameters"]:
        click.echo(f"  {one['name']}: {one['value']} {one['unit']} (declared {one['declared']}; {one['source']})")
    for one in document["versions"]:
        click.echo(
            f"  {one['id']}  {one['state']}  {one['name']} {one['value']} {one['level']} from {one['since']}"
            f"  {one['proposed_by']} → {one['decided_by'] or '-'}  {one['source']}"
        )


@rule.command("propose")
@FOLDER
@click.argument("name")
@click.argument("parameter")
@click.argument("value", type=int)
@click.option("--level", type=click.Choice(["local", "national"]), default="local", show_default=True)
@click.option("--since", type=DAY, required=True, help="The first day it is in force; today or later.")
@click.option("--source", required=True, help="The document that says so, and its article.")
@AS_OPERATOR
def propose(
    folder: Path,
    name: str,
    parameter: str,
    value: int,
    *,
    level: str,
    since: datetime,
    source: str,
    username: str | None,
) -> None:
    """Propose a version of a parameter. It has no effect until another person approves it.

    Example: hutong rule propose /srv/js D809-21/reply_conditional days 5 --since 2027-01-01 --source 省数据条例第二十条
    """
    setup(folder)
    from hutong.control.statute import actions

    made = actions.propose(
        acting(username), name, parameter, level=level, value=value, since=since.date(), source=source
    )
    click.echo(f"version {made.id} is proposed. Next: hutong rule approve {folder} {made.id} --as SUPERVISOR")


@rule.command("approve")
@FOLDER
@click.argument("version_id")
@AS_OPERATOR
def approve(folder: Path, version_id: str, username: str | None) -> None:
    """Approve a proposed version, as a supervisor who did not propose it."""
    _decide(folder, version_id, username, approve=True)


@rule.command("decline")
@FOLDER
@click.argument("version_id")
@AS_OPERATOR
def decline(folder: Path, version_id: str, username: str | None) -> None:
    """Decline a proposed version, as a supervisor who did not propose it."""
    _decide(folder, version_id, username, approve=False)


@click.command()
@FOLDER
@click.argument("decision_id")
@AS_JSON
def replay(folder: Path, decision_id: str, as_json: bool) -> None:
    """Decide again from what a decision kept: its inputs, the versions of its rules, the calendar of its day.

    Exit code 1 when the outcome is not the one that was stored. Changes nothing.
    """
    setup(folder)
    from hutong.control.statute import decisions, queries

    again = decisions.replay(queries.decision(decision_id))
    document = replayed(again)
    if as_json:
        print_json(document)
    else:
        for name, value in document.items():
            click.echo(f"{name}: {json_text(value) if isinstance(value, dict | list) else value}")
    if not again.same:
        raise SystemExit(1)


def replayed(again: Any) -> dict[str, Any]:
    """A replay as a document: decisions.Replay in, JSON out."""
    made = again.decision
    return {
        "decision": made.id,
        "decider": made.name,
        "subject": made.subject,
        "made_at": made.made_at.isoformat(timespec="seconds"),
        "program": made.program,
        "inputs": made.facts,
        "rules": list(again.rules),
        "parameters": made.parameters,
        "calendar": made.days,
        "outcome": made.outcome,
        "outcome_again": again.outcome,
        "reproduced": again.same,
        "trouble": again.trouble,
    }


def _decide(folder: Path, version_id: str, username: str | None, *, approve: bool) -> None:
    setup(folder)
    from hutong.control.statute import actions

    found = actions.decide_version(acting(username), version_id, approve=approve)
    click.echo(f"version {found.id} is {found.state}.")


def _document(found: Any) -> dict[str, Any]:
    from hutong.control.statute import day, queries

    values = {one.name: queries.in_force(found, one.name, day.today()) for one in found.declares}
    return {
        "name": found.name(),
        "says": found.sentence("en"),
        "says_zh": found.sentence("zh"),
        "since": found.since.isoformat(),
        "until": found.until.isoformat() if found.until else "",
        "parameters": [
            {
                "name": one.name,
                "value": values[one.name].value,
                "unit": one.unit,
                "declared": one.value,
                "source": one.source,
                "owner": one.owner,
                "versions": list(values[one.name].versions),
            }
            for one in found.declares
        ],
    }


def _version(one: Any) -> dict[str, Any]:
    return {
        "id": one.id,
        "state": one.state,
        "name": one.name,
        "value": one.value,
        "level": one.level,
        "since": one.since.isoformat(),
        "source": one.source,
        "proposed_by": one.proposed_by,
        "decided_by": one.decided_by,
    }
