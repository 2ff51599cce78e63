"""The node's own commands: make it, run it, join, look after keys and messages, test it."""

from __future__ import annotations

import asyncio
import re
from pathlib import Path

import click

from hutong.node import settings
from hutong.terminal import AS_JSON, FOLDER, print_json
from hutong.vocabulary.errors import Refused

_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400}


class BadDuration(Refused):
    """{text} is not a time such as 7d, 12h, 30m or 0s."""

    zh = "{text} 不是有效时长，例如 7d、12h、30m 或 0s。"
    code = "bad_duration"
    status = 400
    next_en = "Write a whole number and a unit: d, h, m or s."
    next_zh = "请写整数加单位：d、h、m 或 s。"


@click.command()
@FOLDER
@click.option("--jurisdiction", required=True, help="GB/T 2260 code, or a region's short name such as yrd.")
@click.option("--name-zh", default="", help="Name in Chinese.")
@click.option("--name-en", default="", help="Name in English.")
@click.option("--place", type=click.Choice(settings.PLACES), default="province", show_default=True)
@click.option("--superior", default="", help="Jurisdiction of the superior node.")
@click.option("--base-url", default="", help="Where others reach this node; http:// and --listen when not given.")
@click.option("--listen", default="127.0.0.1:8310", show_default=True, help="host:port to serve on.")
@click.option("--exchange-url", default="", help="Where others reach the exchange, when it runs apart.")
@click.option("--listen-exchange", default="", help="host:port of the exchange, when it runs apart.")
@click.option("--database-url", default="", help="postgresql://...; SQLite in DIR when not given.")
@click.option("--language", default="", help="zh-hans (default) or en: the portal's first language.")
@click.option("--source-roots", default="", metavar="A:B", help="Folders sources may lie in, besides DIR/data.")
def init(folder: Path, **values: str) -> None:
    """Make a node in DIR: settings, keys only the owner can read, database, empty ledger.

    \b
    hutong init ./jiangsu --jurisdiction 320000 --name-zh 江苏省 --name-en Jiangsu --superior 100000
    """
    from hutong.node.making import make_node

    listen = values["listen"]
    values["base_url"] = values["base_url"] or f"http://{listen}"
    values["source_roots"] = ":".join(str(Path(one).expanduser().absolute()) for one in _roots(values["source_roots"]))
    node = make_node(folder, values)
    click.echo(f"Made node {node.jurisdiction} in {node.home}")
    click.echo(f"Next: hutong serve {folder}")


@click.command()
@FOLDER
@click.option("--part", type=click.Choice(settings.PARTS), default="all", show_default=True)
@click.option("--workers", type=click.IntRange(1, 64), default=1, show_default=True, help="Server processes.")
def serve(folder: Path, part: str, workers: int) -> None:
    """Run the node until Ctrl-C: all of it, or one part apart."""
    from hutong.node import server

    node = settings.load(folder)
    click.echo(f"Node {node.jurisdiction} serves at {node.base_url}", err=True)
    server.serve(folder, part=part, workers=workers)


@click.command()
@FOLDER
@click.option("--jurisdiction", required=True, help="Who is invited: one jurisdiction, once.")
@click.option("--days", type=click.IntRange(1, 90), default=7, show_default=True, help="How long it can be used.")
def invite(folder: Path, jurisdiction: str, days: int) -> None:
    """Print an invitation to this region, one string. Send it to the new member by a safe way.

    \b
    hutong invite ./yrd --jurisdiction 320000
    """
    settings.setup(folder)
    from hutong.node import membership

    click.echo(membership.invite(jurisdiction, days=days))


@click.command()
@FOLDER
@click.argument("invitation")
def join(folder: Path, invitation: str) -> None:
    """Join the region that sent INVITATION. Its node must be running; this one need not be."""
    node = settings.setup(folder)
    from hutong.node import membership

    answer, pinned = asyncio.run(membership.ask_to_join(node, invitation))
    version = membership.finish_joining(node, answer, pinned)
    click.echo(f"Joined {pinned.jurisdiction}; its directory has version {version}")


@click.command()
@FOLDER
@AS_JSON
def members(folder: Path, as_json: bool) -> None:
    """List the members as this node's copy of the directory has them."""
    settings.setup(folder)
    from hutong.node import directory
    from hutong.node.models import Member

    everyone = [directory.record(one) for one in Member.objects.order_by("jurisdiction")]
    copy = directory.copy()
    if as_json:
        print_json({"version": copy.version if copy else 0, "members": everyone})
        return
    for one in everyone:
        ended = f"  (until {one['valid_to']})" if one["valid_to"] else ""
        click.echo(f"{one['jurisdiction']:<10} {one['name_zh']} {one['name_en']}  {one['base_url']}{ended}")
        for key in one["keys"]:
            click.echo(f"{'':<10} key {key['id']}  {key['valid_from']} to {key['valid_to'] or 'open'}")
    click.echo(f"Directory version {copy.version if copy else 0}")


@click.group()
def keys() -> None:
    """The node's signing keys."""


@keys.command()
@FOLDER
@click.option("--overlap", default="7d", show_default=True, help="How long the old key stays valid; 0s if exposed.")
def rotate(folder: Path, overlap: str) -> None:
    """Make a new signing key and announce it; both keys are valid during the overlap.

    \b
    hutong keys rotate ./jiangsu --overlap 7d
    """
    node = settings.setup(folder)
    from hutong.node import rotation

    keyid = rotation.rotate(node, overlap_s=seconds(overlap))
    click.echo(f"New key {keyid}; it begins to sign when the directory lists it and it has settled")


@click.command()
@FOLDER
@AS_JSON
@click.option("--retry", is_flag=True, help="Send messages that were given up once more.")
def outbox(folder: Path, as_json: bool, retry: bool) -> None:
    """Messages to other nodes that are waiting or were given up."""
    settings.setup(folder)
    from hutong.node import messages

    if retry:
        click.echo(f"{messages.retry_given_up()} messages are sent again")
        return
    waiting = messages.undelivered()
    if as_json:
        print_json(waiting)
        return
    for one in waiting:
        state = "given up" if one["failed_at"] else f"attempt {one['attempts']}"
        click.echo(f"{one['message_id']}  {one['peer']:<8} {one['process']}  {state}  {one['last_error']}")
    click.echo(f"{len(waiting)} messages")


@click.command()
@FOLDER
@AS_JSON
def doctor(folder: Path, as_json: bool) -> None:
    """Test the real things: keys, clock, peers by a signed round trip, sources, ledger, disk, database.

    Exit code 1 when anything fails.
    """
    node = settings.setup(folder)
    from hutong.node import doctor as checks

    findings = checks.examine(node)
    if as_json:
        print_json([finding.as_object() for finding in findings])
    else:
        checks.show(findings)
    if any(finding.state == "fail" for finding in findings):
        raise SystemExit(1)


@click.command(hidden=True)
@FOLDER
def migrate(folder: Path) -> None:
    """Bring the node's database up to this version of Hutong. `hutong serve` does this by itself."""
    settings.setup(folder)
    from hutong.node import making

    making.migrate()


def seconds(text: str) -> int:
    """`7d` in seconds.

    raises   BadDuration
    """
    found = re.fullmatch(r"(\d{1,9})([smhd])", text)
    if found is None:
        raise BadDuration(text=text[:40])
    return int(found[1]) * _UNITS[found[2]]


def _roots(text: str) -> list[str]:
    return [one for one in text.split(":") if one]
