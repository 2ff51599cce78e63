"""`hutong duties` and `hutong negative-list`; and the publication of all three lists, demands among them."""

from __future__ import annotations

from pathlib import Path

import click

from hutong.control.identity.cli import AS, account_of
from hutong.node.settings import setup
from hutong.terminal import AS_JSON, FOLDER, json_text, print_json, print_rows

ELEMENTS = click.option("--elements", default="", help="Data elements, separated by commas.")
KIND = click.Choice(["demand", "duty", "barred"])


@click.group()
def duties() -> None:
    """Duties (责任清单): what each department is to provide, and which is the lead source of what."""


@duties.command("add")
@FOLDER
@click.argument("department")
@click.argument("title_zh")
@click.option("--title-en", default="")
@click.option("--words", default="", help="What else it is found by.")
@ELEMENTS
@click.option("--area", "area_code", default="", help="Area code; this node's where not given.")
@click.option("--cycle", "update_cycle", default="", help="Update cycle: 3 daily, 4 weekly, 5 monthly ...")
@click.option("--basis", default="", help="The provision that makes it a duty.")
@click.option("--lead", is_flag=True, help="As the lead source; the supervisor alone.")
@click.option("--resource", "resource_id", default="", help="The published resource that meets it.")
@AS
def add(folder: Path, department: str, title_zh: str, *, elements: str, lead: bool, username: str, **more: str) -> None:
    """Register a duty.

    Example: hutong duties add /srv/js 11370800MB28559184 食品生产许可 --elements uscc,date --lead --as director
    """
    setup(folder)
    from hutong.control.demands import duties as actions

    named = {"department": department, "title_zh": title_zh} | more
    made = actions.add(account_of(username), elements=_names(elements), lead=lead, **named)
    click.echo(f"duty {made.id} is registered.")


@duties.command("end")
@FOLDER
@click.argument("duty_id")
@click.option("--reason", required=True)
@AS
def end(folder: Path, duty_id: str, *, reason: str, username: str) -> None:
    """End a duty, with the reason."""
    setup(folder)
    from hutong.control.demands import duties as actions

    click.echo(f"duty {actions.end(account_of(username), duty_id, reason).id} has ended.")


@duties.command("link")
@FOLDER
@click.argument("duty_id")
@click.argument("resource_id")
@AS
def link(folder: Path, duty_id: str, resource_id: str, *, username: str) -> None:
    """Name the published resource that meets a duty."""
    setup(folder)
    from hutong.control.demands import duties as actions

    click.echo(f"duty {actions.link(account_of(username), duty_id, resource_id).id} is met by {resource_id}.")


@duties.command("list")
@FOLDER
@click.option("--of", "origin", default="", help="Of another jurisdiction.")
@AS_JSON
def list_duties(folder: Path, *, origin: str, as_json: bool) -> None:
    """List the duties (at most 1,000, the newest first). Changes nothing."""
    setup(folder)
    from hutong.control.demands import queries

    names = ("id", "origin", "department_code", "department_name", "title_zh", "elements", "area_code", "lead")
    more = ("resource_id", "demand_id")
    found = [{name: getattr(one, name) for name in (*names, *more)} for one in queries.duties(origin)[:1000]]
    if as_json:
        print_json(found)
        return
    for one in found:
        mark = "lead source" if one["lead"] else ""
        shown = (one["id"], one["department_name"], one["title_zh"], ",".join(one["elements"]), mark)
        click.echo("  ".join(part for part in shown if part))


@duties.command("check")
@FOLDER
@ELEMENTS
@click.option("--area", "area_code", default="")
def check(folder: Path, *, elements: str, area_code: str) -> None:
    """Before collecting: which lead source of these data elements exists already (D809-19). Changes nothing."""
    setup(folder)
    from hutong.control.demands.candidates import lead_sources
    from hutong.control.demands.cli import candidate_line

    found = lead_sources([one.strip() for one in elements.split(",")], area_code)
    for one in found:
        click.echo(candidate_line(one))
    if not found:
        click.echo("no lead source is registered for these data elements.")


@click.group("negative-list")
def negative_list() -> None:
    """The negative list (负面清单): what may not be shared, each with its express provision."""


@negative_list.command("propose")
@FOLDER
@click.argument("department")
@click.argument("title_zh")
@click.option("--title-en", default="")
@click.option("--resource", "resource_id", default="", help="One of the department's resources.")
@click.option("--items", default="", help="Items of that resource, separated by commas; the whole where not given.")
@ELEMENTS
@click.option("--kind", type=click.Choice(["law", "regulation", "decision"]), required=True)
@click.option("--instrument", required=True, help="Name of the law, administrative regulation or decision.")
@click.option("--article", required=True)
@click.option("--reason", default="")
@AS
def propose(
    folder: Path, department: str, title_zh: str, *, items: str, elements: str, username: str, **more: str
) -> None:
    """Propose an entry; it bars nothing before the supervisor has reviewed it."""
    setup(folder)
    from hutong.control.demands import barring

    named = {"department": department, "title_zh": title_zh} | more
    made = barring.propose(account_of(username), items=_names(items), elements=_names(elements), **named)
    click.echo(f"entry {made.id} is proposed. Next: hutong negative-list review {folder} {made.id} --accept --as NAME")


@negative_list.command("review")
@FOLDER
@click.argument("entry_id")
@click.option("--accept/--reject", required=True)
@click.option("--note", default="", help="Why it is rejected.")
@AS
def review(folder: Path, entry_id: str, *, accept: bool, note: str, username: str) -> None:
    """Take a proposed entry into the list or reject it, as the supervisor."""
    setup(folder)
    from hutong.control.demands import barring

    made = barring.review(account_of(username), entry_id, accept=accept, note=note)
    click.echo(f"entry {made.id} is {made.state}.")


@negative_list.command("end")
@FOLDER
@click.argument("entry_id")
@click.option("--reason", required=True)
@AS
def end_entry(folder: Path, entry_id: str, *, reason: str, username: str) -> None:
    """Take an entry off the list, as the supervisor."""
    setup(folder)
    from hutong.control.demands import barring

    click.echo(f"entry {barring.end(account_of(username), entry_id, reason).id} is off the list.")


@negative_list.command("list")
@FOLDER
@click.option("--state", default="", help="proposed, listed, rejected or ended; every one where not given.")
@AS_JSON
def list_barred(folder: Path, *, state: str, as_json: bool) -> None:
    """List the entries (at most 1,000, the newest first). Changes nothing."""
    setup(folder)
    from hutong.control.demands import queries

    names = ("id", "state", "title_zh", "department_id", "resource_id", "items", "elements", "citation")
    found = [{name: getattr(one, name) for name in names} for one in queries.barred(state)[:1000]]
    print_rows(found, as_json, "{id}  {state}  {department_id}  {title_zh}  {citation}".format_map)


@click.group()
def lists() -> None:
    """The three lists (三张清单) as they are published: demand, duty, barred."""


@lists.command("publish")
@FOLDER
@click.argument("kind", type=KIND)
@AS
def publish(folder: Path, kind: str, *, username: str) -> None:
    """Publish a list as it stands now, as its next version. Duties go to every member."""
    setup(folder)
    from hutong.control.demands import lists as actions

    made = actions.publish(account_of(username), kind)
    said = f"{len(made.lines)} lines: {made.added} new, {made.gone} gone, {made.changed} changed"
    click.echo(f"version {made.version} of the list is published. {said}.")


@lists.command("show")
@FOLDER
@click.argument("kind", type=KIND)
@click.option("--version", "number", type=int, help="The last one where not given.")
@click.option("--csv", "as_csv", is_flag=True, help="Print CSV.")
def show(folder: Path, kind: str, *, number: int | None, as_csv: bool) -> None:
    """Print a published list as JSON or CSV. Changes nothing."""
    setup(folder)
    from hutong.control.demands import listing
    from hutong.control.demands import lists as published

    made = published.version(kind, number)
    click.echo(listing.as_csv(made) if as_csv else json_text(listing.as_json(made)))


def _names(given: str) -> list[str]:
    return [one.strip() for one in given.split(",") if one.strip()]
