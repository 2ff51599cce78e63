"""What commands share at the terminal: the folder they name, who sits there, and lines for people or JSON."""

from __future__ import annotations

import getpass
import json
import os
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any, TypeVar

import click

from hutong.vocabulary.errors import Language

Row = TypeVar("Row")

FOLDER = click.argument("folder", metavar="DIR", type=click.Path(path_type=Path))
AS_JSON = click.option("--json", "as_json", is_flag=True, help="Print JSON for programs.")


def operator_name() -> str:
    """The person at this command line, for the audit record; at most 150 characters."""
    try:
        return f"operator:{getpass.getuser()}"[:150]
    except (KeyError, OSError):  # a container's user without a name
        return "operator:unknown"


def language() -> Language:
    """The language of the terminal: Chinese when LC_ALL, LC_MESSAGES or LANG says so."""
    for name in ("LC_ALL", "LC_MESSAGES", "LANG"):
        if value := os.environ.get(name):
            return "zh" if value.lower().startswith("zh") else "en"
    return "en"


def print_rows(rows: Sequence[Row], as_json: bool, line: Callable[[Row], str]) -> None:
    """All rows as one JSON list, or a line of each."""
    if as_json:
        print_json(rows)
        return
    for row in rows:
        click.echo(line(row))


def print_with_timeline(document: dict[str, Any], records: Iterable[Any], as_json: bool) -> None:
    """A thing, a line for each name, and what happened to it.

    records   of the audit, the oldest first: at, kind and actor are printed
    """
    steps = [{"at": one.at.isoformat(), "kind": one.kind, "actor": one.actor} for one in records]
    if as_json:
        print_json(document | {"timeline": steps})
        return
    for name, value in document.items():
        click.echo(f"{name}: {value}")
    for step in steps:
        click.echo(f"  {step['at'][:19]}  {step['kind']}  {step['actor']}")


def print_json(value: Any) -> None:
    click.echo(json_text(value))


def json_text(value: Any) -> str:
    """Moments in ISO 8601; whatever else JSON has no word for, as its text."""

    def plain(one: object) -> str:
        return one.isoformat() if isinstance(one, datetime) else str(one)

    return json.dumps(value, ensure_ascii=False, indent=2, default=plain)
