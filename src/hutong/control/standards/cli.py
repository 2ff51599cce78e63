"""`hutong standard`: data elements, code tables and code maps."""

from __future__ import annotations

from pathlib import Path

import click

from hutong.control.identity.cli import AS, account_of, operator
from hutong.node.settings import setup
from hutong.terminal import AS_JSON, FOLDER, print_rows

FILE = click.Path(path_type=Path, dir_okay=False, exists=True)


@click.group()
def standard() -> None:
    """Data elements, code tables and code maps, in versions approved by a second person."""


@standard.command("load")
@FOLDER
@click.argument("file", required=False, type=FILE)
@click.option("--shipped", is_flag=True, help="The small public tables and the elements that come with Hutong.")
@click.option("--name", default="", help="For a CSV of codes or of a map: its name, for example gbt2260.")
@click.option("--title-zh", default="", help="For a CSV: its Chinese title.")
@click.option("--title-en", default="", help="For a CSV: its English title.")
@click.option("--source", default="", help="For a CSV of codes: the standard, for example GB/T 2260-2007.")
@click.option("--table", default="", help="For a CSV of a map: the region's table it leads to.")
@click.option("--local", default="", help="For a CSV of a map: what the local table is called.")
@click.option("--item", "items", multiple=True, help="For a CSV of a map: RESOURCE/ITEM it converts; may be repeated.")
def load(
    folder: Path,
    file: Path | None,
    *,
    shipped: bool,
    name: str,
    title_zh: str,
    title_en: str,
    source: str,
    table: str,
    local: str,
    items: tuple[str, ...],
) -> None:
    """Propose what a file holds, one version of each; the supervisor approves.

    Example: hutong standard load /srv/yrd gbt2260.csv --name gbt2260 --title-zh 行政区划代码 --source "GB/T 2260-2007"

    JSON says all of itself; docs/standards.md describes the columns of a CSV. What is in force already is left out.
    """
    setup(folder)
    from hutong.control.standards.actions import propose
    from hutong.control.standards.files import proposals
    from hutong.control.standards.rules import NothingChanges
    from hutong.control.standards.shipped import shipped as with_product

    if shipped == (file is not None):
        raise click.UsageError("name a file, or give --shipped")
    described = {"name": name, "title_zh": title_zh, "title_en": title_en, "standard": source}
    bound = [one.split("/", 1) for one in items]
    given = with_product() if file is None else proposals(file, bound, **described, table=table, local=local)
    for proposal in given:
        try:
            made = propose(operator(), proposal)
        except NothingChanges as same:
            click.echo(same.say("en"))
            continue
        click.echo(f"{made.id}  {made.kind} {made.name} version {made.version}: {made.row_count} codes, proposed.")


@standard.command("divisions")
@FOLDER
@click.argument("current", type=FILE)
@click.argument("changes", type=FILE)
@click.option("--out", required=True, type=click.Path(path_type=Path, dir_okay=False), help="The CSV to write.")
def of_divisions(folder: Path, current: Path, changes: Path, *, out: Path) -> None:
    """Make GB/T 2260 with its history from today's divisions and a list of changes. Changes nothing but OUT.

    Example: hutong standard divisions /srv/yrd divisions_2026.csv changes.json.gz --out gbt2260.csv
    """
    setup(folder)
    from hutong.control.standards.divisions import divisions
    from hutong.control.standards.files import TABLE_HEADER, to_csv

    rows = divisions(current, changes)
    out.write_text(to_csv(TABLE_HEADER, (row.columns() for row in rows)), encoding="utf-8")
    click.echo(f"{out}: {len(rows)} codes, {sum(1 for row in rows if row.valid_to)} of them no longer in force.")


@standard.command("approve")
@FOLDER
@click.argument("identifiers", nargs=-1)
@click.option("--all", "every", is_flag=True, help="Whatever waits.")
@AS
def approve(folder: Path, identifiers: tuple[str, ...], *, every: bool, username: str) -> None:
    """Put proposed versions in force; from the region's node they travel to every member.

    Example: hutong standard approve /srv/yrd --all --as supervisor
    """
    setup(folder)
    from hutong.control.standards import actions, queries

    by = account_of(username)
    for identifier in [one.id for one in queries.waiting()] if every else identifiers:
        made = actions.approve(by, identifier)
        click.echo(f"{made.kind} {made.name} version {made.version} is in force.")


@standard.command("refuse")
@FOLDER
@click.argument("identifier")
@click.option("--reason", required=True)
@AS
def refuse(folder: Path, identifier: str, *, reason: str, username: str) -> None:
    """Refuse a proposed version, with a reason."""
    setup(folder)
    from hutong.control.standards import actions

    made = actions.refuse(account_of(username), identifier, reason)
    click.echo(f"{made.kind} {made.name} version {made.version} is refused.")


@standard.command("list")
@FOLDER
@click.option("--kind", type=click.Choice(["element", "table", "map"]))
@AS_JSON
def listing(folder: Path, *, kind: str | None, as_json: bool) -> None:
    """Every version, the newest of each first. Changes nothing."""
    setup(folder)
    from hutong.control.standards import queries

    rows = [queries.describe(one) for one in queries.versions(kind or "")]
    print_rows(rows, as_json, "{id}  {kind}  {name}  {version}  {state}  {codes}  {title_zh}".format_map)


@standard.command("score")
@FOLDER
@click.argument("resource_id")
@AS
def score(folder: Path, resource_id: str, *, username: str) -> None:
    """Measure a resource against its data elements, now and here; prints counts."""
    setup(folder)
    from hutong.control.standards.scoring import ask_for_score, measure

    run = measure(ask_for_score(account_of(username), resource_id))
    if run.state != "done":
        raise click.ClickException(run.refusal)
    click.echo(f"{run.items_mapped} of {run.items} items mapped; {run.conforming} of {run.checked} values conform.")
    for one in run.findings.all():
        click.echo(f"{one.item}  {one.element or '-'}  {one.held_to or '-'}  {one.conforming}/{one.present}")
