"""`hutong resource`, `search` and `harvest`: from a department's data to an entry others find."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click

from hutong.control.identity.cli import AS, account_of
from hutong.control.replies.cli import simulate_resource
from hutong.node.settings import setup
from hutong.terminal import AS_JSON, FOLDER, print_json, print_rows


@click.group()
def resource() -> None:
    """Resources: descriptions of data to share."""


@resource.command("draft")
@FOLDER
@click.argument("source_id")
@click.option("--out", type=click.Path(path_type=Path, dir_okay=False), help="Also write the description to a file.")
@AS
def resource_draft(folder: Path, source_id: str, *, out: Path | None, username: str) -> None:
    """Infer a description from a source.

    Example: hutong resource draft /srv/js SOURCE --out companies.toml --as wang

    Adds one draft; shows who is the lead source of the same data. Edit the file; read it by `hutong resource describe`.
    """
    setup(folder)
    from hutong.control.catalogue import actions, description_file, queries
    from hutong.control.demands.cli import show_lead_sources
    from hutong.control.demands.repeating import collected

    made = actions.draft_resource(account_of(username), source_id)
    items = queries.items_of(made)
    if out is not None:
        description_file.write(out, made, items)
    click.echo(f"resource {made.id}: draft with {len(items)} items{f', written to {out}' if out else ''}.")
    show_lead_sources(collected(items), made.area_code, besides=made.department_id)


@resource.command("describe")
@FOLDER
@click.argument("resource_id")
@click.option("--file", "file", type=click.Path(path_type=Path), help="A description in TOML or JSON.")
@click.option("--set", "pairs", multiple=True, metavar="FIELD=VALUE", help="One text field; may be repeated.")
@AS
def resource_describe(
    folder: Path, resource_id: str, *, file: Path | None, pairs: tuple[str, ...], username: str
) -> None:
    """Change a description, from a file or field by field.

    Example: hutong resource describe /srv/js ID --file companies.toml --as wang

    Changes the description alone: others see it when it is published.
    """
    setup(folder)
    from hutong.control.catalogue import description_file
    from hutong.control.catalogue.actions import describe

    given, items = description_file.read(file) if file else ({}, None)
    changed = describe(account_of(username), resource_id, given | dict(map(_pair, pairs)), items)
    click.echo(f"resource {changed.id} was described.")


@resource.command("sign-off")
@FOLDER
@click.argument("resource_id")
@AS
def resource_sign_off(folder: Path, resource_id: str, *, username: str) -> None:
    """Sign off the assessment of secrecy and personal information (decree 809, article 12). Heads only."""
    setup(folder)
    from hutong.control.catalogue.actions import sign_off

    sign_off(account_of(username), resource_id)
    click.echo(f"resource {resource_id} was signed off.")


@resource.command("submit")
@FOLDER
@click.argument("resource_id")
@AS
def resource_submit(folder: Path, resource_id: str, *, username: str) -> None:
    """Put a description before the supervisor. Refused, naming all that is missing, unless it is complete.

    Example: hutong resource submit /srv/js ID --as wang

    The source is asked at that moment. Nobody changes the description while the supervisor reads it.
    """
    setup(folder)
    from hutong.control.catalogue.actions import submit

    made = submit(account_of(username), resource_id)
    click.echo(f"submission {made.id}: version {made.version} of resource {resource_id} is before the supervisor.")


@resource.command("take-back")
@FOLDER
@click.argument("resource_id")
@AS
def resource_take_back(folder: Path, resource_id: str, *, username: str) -> None:
    """Take a description back from the supervisor, to change it."""
    setup(folder)
    from hutong.control.catalogue.actions import take_back

    made = take_back(account_of(username), resource_id)
    click.echo(f"submission {made.id} was taken back.")


@resource.command("submissions")
@FOLDER
@AS_JSON
def resource_submissions(folder: Path, *, as_json: bool) -> None:
    """List what is before the supervisor, the earliest first. Changes nothing."""
    setup(folder)
    from hutong.control.catalogue.queries import to_review

    rows = [
        {
            "id": one.id,
            "resource": one.resource_id,
            "version": one.version,
            "title": one.content["title_zh"],
            "submitted_by": one.submitted_by,
            "submitted_at": one.submitted_at.isoformat(),
        }
        for one in to_review()
    ]
    show(rows, as_json, ("id", "version", "submitted_by", "title"))


@resource.command("review")
@FOLDER
@click.argument("submission_id")
@click.option("--return", "reason", help="Send it back, for this reason; then every point at once.")
@click.option("--point", "points", multiple=True, metavar="FIELD=TEXT", help="A point of the return; may be repeated.")
@AS
def resource_review(
    folder: Path, submission_id: str, *, reason: str | None, points: tuple[str, ...], username: str
) -> None:
    """Publish what was submitted to all members, or send it back with every point. Supervisors only.

    Example: hutong resource review /srv/js SUBMISSION --as supervisor

    Example: hutong resource review /srv/js SUBMISSION --return 用途不清 --point conditions=请列明部门 --as supervisor

    Published: the source is asked once more, the entry is signed, kept, sent to the region and recorded in the ledger.
    """
    setup(folder)
    from hutong.control.catalogue import actions

    by = account_of(username)
    if reason is not None or points:
        made = actions.send_back(by, submission_id, reason=reason or "", points=[_point(one) for one in points])
        click.echo(f"submission {made.id} was sent back with {len(made.points)} points.")
        return
    entry = actions.review(by, submission_id)
    click.echo(f"entry {entry.id} version {entry.version} was published: {entry.title_zh} ({entry.attribute}).")


@resource.command("versions")
@FOLDER
@click.argument("resource_id")
@AS_JSON
def resource_versions(folder: Path, resource_id: str, *, as_json: bool) -> None:
    """List what was issued of a resource, with digest and signature. Changes nothing."""
    setup(folder)
    from hutong.control.catalogue import queries

    rows = [
        {
            "version": one.number,
            "state": one.state,
            "issued_at": one.issued_at.isoformat(),
            "issued_by": one.issued_by,
            "digest": one.digest,
            "keyid": one.keyid,
            "signature": one.signature,
        }
        for one in queries.versions(queries.resource(resource_id))
    ]
    show(rows, as_json, ("version", "state", "issued_at", "issued_by", "digest"))


@resource.command("diff")
@FOLDER
@click.argument("resource_id")
@click.argument("before", type=int)
@click.argument("after", type=int)
@AS_JSON
def resource_diff(folder: Path, resource_id: str, *, before: int, after: int, as_json: bool) -> None:
    """Show what differs between two versions. Changes nothing.

    Example: hutong resource diff /srv/js ID 1 2
    """
    setup(folder)
    from hutong.control.catalogue import queries
    from hutong.control.catalogue.versions import differences

    one = queries.resource(resource_id)
    contents = [queries.version(one, number).content for number in (before, after)]
    rows = [vars(found) for found in differences(*contents)]
    print_rows(rows, as_json, lambda row: f"{row['field']}: {_said(row['before'])} -> {_said(row['after'])}")


@resource.command("attach")
@FOLDER
@click.argument("resource_id")
@click.argument("source_id")
@AS
def resource_attach(folder: Path, resource_id: str, source_id: str, *, username: str) -> None:
    """Attach a source to a resource, for example to one that was imported."""
    setup(folder)
    from hutong.control.catalogue.actions import attach

    made = attach(account_of(username), resource_id, source_id)
    click.echo(f"resource {made.id} has source {source_id}.")


@resource.command("import")
@FOLDER
@click.argument("workbook", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@AS
def resource_import(folder: Path, workbook: Path, *, username: str) -> None:
    """Take the resources of a workbook of the national template in, as drafts or as changes of what is here.

    Example: hutong resource import /srv/js catalogue.xlsx --as wang

    Each resource is taken whole or not at all; what was refused is named by its row. Nothing is published.
    """
    setup(folder)
    from hutong.control.catalogue.template.actions import STATES, import_workbook

    made = import_workbook(account_of(username), workbook)
    for one in made.taken:
        if one.refusal is not None:
            click.echo(f"row {one.row}: {one.title}: {one.refusal.say('en')}")
    if made.ignored:
        click.echo(f"columns passed over: {', '.join(made.ignored)}")
    click.echo(", ".join(f"{made.count(state)} {state}" for state in STATES))


@resource.command("export")
@FOLDER
@click.argument("workbook", type=click.Path(path_type=Path, dir_okay=False))
@click.option("--department", help="Only of this department (unified social credit code).")
def resource_export(folder: Path, workbook: Path, *, department: str | None) -> None:
    """Write the catalogue to a workbook of the national template. Changes nothing here."""
    setup(folder)
    from hutong.control.catalogue.template.actions import export_workbook

    click.echo(f"{export_workbook(workbook, department)} resources were written to {workbook.name}.")


@resource.command("withdraw")
@FOLDER
@click.argument("resource_id")
@click.option("--emergency", default="", help="Why secrecy demands it at once, although consumers were not told.")
@AS
def resource_withdraw(folder: Path, resource_id: str, *, emergency: str, username: str) -> None:
    """Take an entry out of every catalogue. With consumers in force, an announced stop must have run."""
    setup(folder)
    from hutong.control.catalogue.actions import withdraw

    entry = withdraw(account_of(username), resource_id, emergency=emergency)
    click.echo(f"entry {entry.id} version {entry.version} was withdrawn.")


@resource.command("show")
@FOLDER
@click.argument("resource_id")
@AS_JSON
def resourceshow(folder: Path, resource_id: str, *, as_json: bool) -> None:
    """Show a description, and what still stands between it and publication. Changes nothing."""
    setup(folder)
    from hutong.control.catalogue import description_file, queries, rules
    from hutong.control.demands import barring

    one = queries.resource(resource_id)
    items = queries.items_of(one)
    missing = [finding.say("en") for finding in rules.findings(one, items, listed=barring.findings(one, items))]
    shown = {"id": one.id, "state": one.state, "version": one.version, "missing": missing}
    if as_json:
        whole = shown | description_file.document(one, items)
        print_json(whole)
        return
    click.echo(f"{one.id}  {one.state}  version {one.version}  {one.title_zh}  {one.title_en}".rstrip())
    for item in items:
        click.echo(f"  {item.name}  {item.type}  {item.element}  grade {item.grade}  {item.title_zh}")
    for sentence in missing:
        click.echo(f"missing: {sentence}")


@resource.command("list")
@FOLDER
@AS_JSON
def resource_list(folder: Path, *, as_json: bool) -> None:
    """List our own resources. Changes nothing."""
    setup(folder)
    from hutong.control.catalogue.queries import resources

    rows = [
        {"id": one.id, "state": one.state, "version": one.version, "title": one.title_zh, "code": one.code}
        for one in resources()
    ]
    show(rows, as_json, ("id", "state", "title"))


@click.command("search")
@FOLDER
@click.argument("text", default="")
@click.option("--origin", help="Only of this jurisdiction.")
@click.option("--attribute", type=click.Choice(["unconditional", "conditional", "refused"]))
@click.option("--theme", help="Only of this theme.")
@click.option("--page", type=click.IntRange(1), default=1, show_default=True)
@AS_JSON
def search(
    folder: Path, text: str, *, origin: str | None, attribute: str | None, theme: str | None, page: int, as_json: bool
) -> None:
    """Search the catalogue of all members, in Chinese or English. Changes nothing.

    Example: hutong search /srv/ah 企业登记 --attribute conditional
    """
    setup(folder)
    from hutong.control.catalogue.finding import search as find

    filters = {"origin": origin, "attribute": attribute, "theme": theme}
    found = find(text, {name: value for name, value in filters.items() if value}, page)
    rows = [
        {
            "id": one.id,
            "origin": one.origin,
            "attribute": one.attribute,
            "title_zh": one.title_zh,
            "title_en": one.title_en,
            "department": one.department_name,
        }
        for one in found.entries
    ]
    show(rows, as_json, ("id", "origin", "attribute", "title_zh", "title_en", "department"))
    if not as_json:
        nearest = "" if found.every_word else "; none has every word, these come nearest"
        more = "more than " if found.more else ""
        click.echo(f"{more}{found.total} found, page {found.page} of {found.pages}{nearest}")


@click.command("harvest")
@FOLDER
@click.option("--from", "peer", default="", help="A member to ask for its own entries; the directory's keeper for all.")
@click.option("--again", is_flag=True, help="From the very beginning, not from where the last reading ended.")
def harvest(folder: Path, *, peer: str, again: bool) -> None:
    """Fetch what changed in the catalogue and did not arrive. A serving node does so by itself every 15 minutes.

    Example: hutong harvest /srv/ah --from 320000

    Takes entries that are new or newer, by their origin's signature; everything else stays as it is.
    """
    setup(folder)
    from hutong.control.catalogue.harvest import read
    from hutong.node.directory import keeper

    reading = read(peer or keeper(), again=again)
    if reading.failure is not None:
        raise reading.failure
    click.echo(f"{reading.peer}: {reading.taken} taken, {reading.refused} refused.")


def show(rows: list[dict[str, Any]], as_json: bool, columns: tuple[str, ...]) -> None:
    print_rows(rows, as_json, lambda row: "  ".join(str(row[name]) for name in columns if row[name] != ""))


def _pair(text: str) -> tuple[str, Any]:
    name, equals, value = text.partition("=")
    if not equals:
        raise click.UsageError(f"--set takes FIELD=VALUE, not {text[:60]!r}")
    return name.strip(), _list_or_text(name.strip(), value)


def _point(text: str) -> dict[str, str]:
    name, equals, said = text.partition("=")
    return {"field": name.strip(), "text": said} if equals else {"field": "", "text": text}


def _said(value: Any) -> str:
    return value if isinstance(value, str) and value else json.dumps(value, ensure_ascii=False)


def _list_or_text(name: str, value: str) -> Any:
    from hutong.control.catalogue.fields import RESOURCE_FIELDS, ListField

    many = isinstance(RESOURCE_FIELDS.get(name), ListField)
    return [one.strip() for one in value.split(",") if one.strip()] if many else value


resource.add_command(simulate_resource)
