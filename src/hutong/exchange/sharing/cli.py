"""`hutong share`: agreements for the tools that read Delta Sharing."""

from __future__ import annotations

import json
import os
from pathlib import Path

import click

from hutong.terminal import FOLDER, operator_name


@click.group()
def share() -> None:
    """Agreements as Delta Sharing shares, for pandas, polars, DuckDB and other readers."""


@share.command("profile")
@FOLDER
@click.option("--department", required=True, help="Unified social credit code: whose agreements it may read.")
@click.option("--application", required=True, help="Who will read with it, kept with every exchange.")
@click.option("--purpose", required=True, help="The agreed purpose's code; the profile reads for no other.")
@click.option("--case", "case_number", required=True, help="The case or matter it reads for.")
@click.option("--days", type=click.IntRange(1, 730), default=90, show_default=True, help="How long it is valid.")
@click.option("--out", "-o", type=click.Path(path_type=Path), required=True, help="File, for example: team.share")
def profile(folder: Path, out: Path, **values: str | int) -> None:
    """Make a profile file with a key of its own, bound to one purpose and case. Adds one key and one audit record.

    \b
    hutong share profile /srv/ah --department 11340000002986078E --application analysts \\
        --purpose P01 --case 2026-0417 -o analysts.share
    """
    from hutong.node.settings import setup

    setup(folder)
    from hutong.exchange import keys

    days = int(values["days"])
    named = {name: str(values[name]) for name in ("purpose", "case_number")}
    key = keys.create_key(operator_name(), str(values["department"]), str(values["application"]), days=days, **named)
    descriptor = os.open(out, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        json.dump(keys.profile(key, days=days), file, indent=2)
        file.write("\n")
    click.echo(
        f"{out} reads the agreements of {values['department']} for {values['purpose']}; keep it like a password."
    )
    click.echo(f"To end it: hutong key revoke {folder} {key[:10]}")
