"""What commands share at the terminal: the folder they name, who sits there, and lines for people or JSON."""

from __future__ import annotations

import getpass
import json
import os
from collections.abc import Callable, Sequence
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


def print_json(value: Any) -> None:
    click.echo(json_text(value))


def json_text(value: Any) -> str:
    """Moments in ISO 8601; whatever else JSON has no word for, as its text."""

    def plain(one: object) -> str:
        return one.isoformat() if isinstance(one, datetime) else str(one)

    return json.dumps(value, ensure_ascii=False, indent=2, default=plain)
