"""`hutong department`: who provides and consumes data here."""

from __future__ import annotations

from pathlib import Path

import click

from hutong.control.identity.cli import operator
from hutong.node.settings import setup
from hutong.terminal import AS_JSON, FOLDER, print_rows


@click.group()
def department() -> None:
    """Departments of this jurisdiction."""


@department.command("add")
@FOLDER
@click.argument("code")
@click.argument("name_zh")
@click.option("--name-en", default="", help="English name.")
def add(folder: Path, code: str, name_zh: str, name_en: str) -> None:
    """Register a department by its unified social credit code.

    Example: hutong department add /srv/js 11370800MB28559184 江苏省市场监督管理局

    Adds one department and one audit record.
    """
    setup(folder)
    from hutong.control.organisations.actions import register_department

    made = register_department(operator(), code=code, name_zh=name_zh, name_en=name_en)
    click.echo(f"department {made.code} {made.name_zh} was registered.")


@department.command("succeed")
@FOLDER
@click.argument("old")
@click.argument("new")
@click.option("--reason", required=True, help="The decision it rests on.")
def succeed(folder: Path, old: str, new: str, *, reason: str) -> None:
    """After a merger: give what department OLD offers and still owes to department NEW.

    Example: hutong department succeed /srv/js 11320000014000000X 11320000014000001Y --reason 苏编办〔2026〕3 号

    Resources, sources, information systems, running terms and what it provides under agreements go over. Published
    entries still name the old department: submit each within ten working days. What it received stays with it.
    """
    setup(folder)
    from hutong.control.organisations.succession import succeed as hand_over

    made = hand_over(operator(), old, new, reason=reason)
    moved = ", ".join(f"{number} {name}" for name, number in made.moved.items())
    click.echo(f"department {new} follows {old}: {moved}.")


@department.command("list")
@FOLDER
@AS_JSON
def listing(folder: Path, as_json: bool) -> None:
    """List the departments. Changes nothing."""
    setup(folder)
    from hutong.control.organisations.queries import departments

    rows = [{"code": one.code, "name_zh": one.name_zh, "name_en": one.name_en} for one in departments()]
    print_rows(rows, as_json, lambda row: f"{row['code']}  {row['name_zh']}  {row['name_en']}".rstrip())
