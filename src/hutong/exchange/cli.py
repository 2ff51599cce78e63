"""`hutong key` and `hutong read`: an application's key, and reading with it."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any, TextIO

import click

from hutong.client import Connection, Reading
from hutong.exchange.query import KEYS_PER_QUERY
from hutong.ledger.whole import place, put_whole
from hutong.terminal import AS_JSON, FOLDER, operator_name, print_json
from hutong.vocabulary.errors import BadInput

MEDIA_TYPES = {
    ".arrow": "application/vnd.apache.arrow.stream",
    ".arrows": "application/vnd.apache.arrow.stream",
    ".csv": "text/csv",
    ".parquet": "application/vnd.apache.parquet",
    ".json": "application/json",
}


@click.group()
def key() -> None:
    """API keys of the applications that read through this node."""


@key.command("create")
@FOLDER
@click.option("--department", required=True, help="Unified social credit code: whose agreements the key may read.")
@click.option("--application", required=True, help="The application's name, kept with every exchange.")
@click.option("--days", type=click.IntRange(1, 3650), default=365, show_default=True, help="How long it is valid.")
@AS_JSON
def create(folder: Path, department: str, application: str, days: int, as_json: bool) -> None:
    """Make a key and print it, this once. Adds one key and one audit record.

    Example: hutong key create /srv/ah --department 11340000002986078E --application licences
    """
    from hutong.node.settings import setup

    setup(folder)
    from hutong.exchange.keys import create_key

    made = create_key(operator_name(), department, application, days=days)
    click.echo(json.dumps({"key": made}) if as_json else made)


@key.command("list")
@FOLDER
@AS_JSON
def listing(folder: Path, as_json: bool) -> None:
    """List the keys by their first characters. Changes nothing."""
    from hutong.node.settings import setup

    setup(folder)
    from hutong.exchange.keys import keys

    rows = keys()
    if as_json:
        print_json({"keys": rows})
        return
    for row in rows:
        state = f"revoked {row['revoked_at']}" if row["revoked_at"] else f"until {row['expires_at'] or 'revoked'}"
        click.echo(f"{row['prefix']}  {row['department']}  {row['application']}  {state}")


@key.command("revoke")
@FOLDER
@click.argument("prefix")
def revoke(folder: Path, prefix: str) -> None:
    """Revoke a key, named by its first characters: it stops with the next request. Adds one audit record.

    Example: hutong key revoke /srv/ah hk_Vx3mQ0a
    """
    from hutong.node.settings import setup

    setup(folder)
    from hutong.exchange.keys import revoke_key

    revoke_key(operator_name(), prefix)
    click.echo(f"key {prefix} is revoked.")


@click.command("read")
@click.argument("node", metavar="DIR|URL")
@click.argument("agreement")
@click.option("--out", "-o", type=click.Path(path_type=Path), required=True, help="File: .arrow .csv .parquet .json")
@click.option("--key", envvar="HUTONG_KEY", required=True, help="API key; or in the environment as HUTONG_KEY.")
@click.option("--purpose", required=True, help="The agreed purpose's code.")
@click.option("--case", required=True, help="Your case number; the provider sees a keyed digest of it.")
@click.option("--items", default="", help="Names with commas between; all of the agreement when not given.")
@click.option("--where", default=None, help="Condition, for example: city = '南京' and founded >= '2000-01-01'")
@click.option("--limit", type=click.IntRange(min=1), default=None, help="Most rows.")
@click.option("--by", default="", help="Item that --keys are values of.")
@click.option("--keys", type=click.File(encoding="utf-8"), default=None, help="File with a key a line; into .json.")
@click.option("--replay", default="", help="An earlier exchange: those of its withheld rows that can be sent by now.")
def read(
    node: str,
    agreement: str,
    *,
    out: Path,
    key: str,
    purpose: str,
    case: str,
    items: str,
    where: str | None,
    limit: int | None,
    by: str,
    keys: TextIO | None,
    replay: str,
) -> None:
    """Read under an agreement into a file, through your own node. Both nodes put the exchange on record.

    \b
    hutong read ./anhui urn:uuid:... -o companies.csv --purpose P01 --case 2026-0417
    hutong read ./anhui urn:uuid:... -o found.json --by code --keys codes.txt --purpose P01 --case 2026-0417
    """
    import hutong

    media_type = MEDIA_TYPES.get(out.suffix.lower())
    if media_type is None:
        raise BadInput(
            reason="the file's ending is none of " + ", ".join(MEDIA_TYPES),
            reason_zh="文件扩展名不在其中：" + "、".join(MEDIA_TYPES),
        )
    wanted: dict[str, Any] = {"items": [one.strip() for one in re.split("[,，]", items) if one.strip()] or None}
    wanted |= {"where": where, "purpose": purpose, "case": case}
    _check_keys(by, keys, out, also=bool(limit or replay))
    place, authority = address(node)
    with hutong.connect(place, key, authority=authority) as connection:
        if keys is not None:
            _look_up(connection, agreement, by, keys, out, **wanted)
            return
        if replay:
            reading = connection.replay(agreement, replay, media_type=media_type, purpose=purpose, case=case)
        else:
            reading = connection.download(agreement, media_type, limit=limit, **wanted)
        _save(reading, out)
        _say(connection.exchange(reading.exchange), out)


def _say(stands: dict[str, Any], out: Path) -> None:
    click.echo(f"{stands['rows']} rows, {stands['bytes']} bytes in {out}")
    click.echo(f"exchange {stands['exchange']}, receipt {stands['receipt']}")
    for item, rows in stands.get("withheld", {}).items():
        click.echo(
            f"{rows} rows stayed behind: {item} has a value without a regional code. You are told when it has one."
        )


def _check_keys(by: str, keys: TextIO | None, out: Path, *, also: bool) -> None:
    """raises BadInput"""
    if (keys is None) != (not by) or (keys is not None and (out.suffix.lower() != ".json" or also)):
        raise BadInput(
            reason="--by and --keys stand together, with a file that ends in .json, without --limit and --replay",
            reason_zh="--by 与 --keys 须同时使用，文件扩展名为 .json，且不能与 --limit 或 --replay 同时使用",
        )


def _look_up(connection: Connection, agreement: str, by: str, lines: TextIO, out: Path, **wanted: Any) -> None:
    """As many exchanges as the keys need; each gives all of its keys or is refused whole."""
    keys = list(dict.fromkeys(line.strip() for line in lines if line.strip()))
    found: dict[str | int, list[dict[str, Any]]] = {}
    for at in range(0, len(keys), KEYS_PER_QUERY):
        found |= connection.lookup(agreement, by, keys[at : at + KEYS_PER_QUERY], **wanted)
    answers = [{"key": key, "rows": rows} for key, rows in found.items()]
    put_whole(out, (json.dumps(answers, ensure_ascii=False) + "\n").encode())
    without = sum(not rows for rows in found.values())
    click.echo(f"{sum(map(len, found.values()))} rows of {len(found)} keys in {out}; {without} keys have none")


def address(node: str) -> tuple[str, str]:
    """Where applications reach a node, and whose certificates to believe there: a URL as it is, a folder's settings."""
    if node.startswith(("http://", "https://")):
        return node, ""
    from hutong.node.settings import load

    own = load(node)
    return own.applications_url, own.tls_authority


def _save(reading: Reading, out: Path) -> None:
    """The whole answer or no file: written beside it, checked against the register, then renamed."""
    partial = out.with_name(out.name + ".part")
    try:
        with partial.open("wb") as file:
            for chunk in reading.chunks():
                file.write(chunk)
        place(partial, out)
    finally:
        partial.unlink(missing_ok=True)


@click.group()
def watermark() -> None:
    """Trace a file back to the agreement its rows left under."""


@watermark.command("detect")
@FOLDER
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@AS_JSON
def detect(folder: Path, file: Path, as_json: bool) -> None:
    """Look for the marks and canaries of this node's agreements in a file. Changes nothing, prints no value.

    Example: hutong watermark detect /srv/js found-on-the-net.csv
    """
    from hutong.node.settings import setup

    setup(folder)
    from hutong.exchange import tracing

    found = tracing.detect(file)
    if as_json:
        rows = [
            {
                "agreement": one.agreement,
                "consumer": one.consumer,
                "kind": one.kind,
                "column": one.column,
                "matched": one.matched,
                "of": one.of,
                "log10_p": round(one.log10_p, 2),
                "named": one.named,
            }
            for one in found
        ]
        print_json({"findings": rows})
        return
    for one in found:
        verdict = "NAMED" if one.named else "no evidence" if one.log10_p > -1 else "not enough"
        click.echo(
            f"{verdict}: {one.consumer} under {one.agreement}, {one.kind} in column {one.column}:"
            f" {one.matched} of {one.of}, by chance less often than 10^{one.log10_p:.1f}"
        )
    if not any(one.named for one in found):
        click.echo("Nobody is named: chance would do as much more often than once in a million.")
