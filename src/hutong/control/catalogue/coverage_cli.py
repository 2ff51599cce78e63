"""`hutong system` and `coverage`: the information systems, and what of them is in the catalogue."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

import click

from hutong.control.identity.cli import AS, account_of
from hutong.node.settings import setup
from hutong.terminal import AS_JSON, FOLDER, print_json, print_rows


@click.group()
def system() -> None:
    """Information systems of the departments: what the catalogue is counted against."""


@system.command("add")
@FOLDER
@click.argument("code")
@click.argument("name")
@click.option("--department", "department_code", help="Unified social credit code; an officer's own where not given.")
@AS
def system_add(folder: Path, code: str, name: str, *, department_code: str | None, username: str) -> None:
    """Register a system. Resources that name it as their source system belong to it from then on.

    Example: hutong system add /srv/js SB-01 社会保险核心系统 --as wang
    """
    setup(folder)
    from hutong.control.catalogue.systems import register_system

    made = register_system(account_of(username), code=code, name=name, department_code=department_code)
    click.echo(f"system {made.id}: {made.name}, {made.resources.count()} resources.")


@system.command("retire")
@FOLDER
@click.argument("system_id")
@AS
def system_retire(folder: Path, system_id: str, *, username: str) -> None:
    """A system is no longer used and needs no catalogue. Its resources stay."""
    setup(folder)
    from hutong.control.catalogue.systems import retire_system

    click.echo(f"system {retire_system(account_of(username), system_id).id} is no longer counted.")


@system.command("list")
@FOLDER
@AS_JSON
def system_list(folder: Path, *, as_json: bool) -> None:
    """List the systems in use. Changes nothing."""
    setup(folder)
    from hutong.control.catalogue.systems import systems

    rows = [{"id": one.id, "department": one.department_id, "code": one.code, "name": one.name} for one in systems()]
    print_rows(rows, as_json, lambda row: "  ".join(row.values()))


@click.command("coverage")
@FOLDER
@click.option("--department", help="Only of this department (unified social credit code).")
@click.option("--look", is_flag=True, help="First ask the sources that are due when they last changed.")
@AS_JSON
def coverage(folder: Path, *, department: str | None, look: bool, as_json: bool) -> None:
    """Which systems are in the catalogue, which resources are live and fresh, and what an audit would find.

    Example: hutong coverage /srv/js

    Changes nothing without --look. The portal's coverage page also gives it as a CSV file.
    """
    setup(folder)
    from hutong.control.catalogue import coverage as covered
    from hutong.control.catalogue.freshness import look_around

    if look:
        look_around()
    rows = covered.report(department)
    if as_json:
        print_json([{"department": one.department.code, **asdict(one.counts)} for one in rows])
        return
    for one in rows:
        counts = one.counts
        found = ", ".join(f"{covered.FINDINGS.name(code)} {n}" for code, n in counts.findings.items() if n)
        click.echo(
            f"{one.department.code}  {one.department.name_zh}  systems {counts.systems_with_catalogue}/{counts.systems}"
            f"  resources {counts.resources}  published {counts.published}  live {counts.live}"
            + (f"  findings: {found}" if found else "")
        )
