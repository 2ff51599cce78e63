"""Commands of certificates: an authority for a closed network, and each node's own."""

from __future__ import annotations

from pathlib import Path

import click

from hutong.node import authority, settings, tls
from hutong.terminal import AS_JSON, FOLDER, print_json

CA_FOLDER = click.argument("folder", metavar="CA_DIR", type=click.Path(path_type=Path))
FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.group()
def ca() -> None:
    """A certificate authority for a closed network: a folder, on a machine apart."""


@ca.command("init")
@CA_FOLDER
@click.option("--name", default="Hutong CA", show_default=True, help="What its certificate is called.")
def ca_init(folder: Path, name: str) -> None:
    """Make an authority in CA_DIR: a key that only you can read, and ca.pem, which every node trusts.

    \b
    hutong ca init ./ca --name "Delta CA"
    """
    made = authority.make(folder, name)
    click.echo(f"Made {made.subject.rfc4514_string()} in {folder}; it ends on {made.not_valid_after_utc:%Y-%m-%d}")
    click.echo(f"Give every node {folder / 'ca.pem'}; keep {folder / 'ca.key'} off the network")


@ca.command("renew")
@CA_FOLDER
def ca_renew(folder: Path) -> None:
    """Make the authority a new key. ca.pem then holds new and old: give it to every node before the first is issued.

    \b
    hutong ca renew ./ca
    """
    made = authority.renew(folder)
    click.echo(f"Renewed {made.subject.rfc4514_string()}; it ends on {made.not_valid_after_utc:%Y-%m-%d}")
    click.echo(f"Next, at each node: hutong tls trust DIR {folder / 'ca.pem'}")


@ca.command("issue")
@CA_FOLDER
@click.argument("request", type=FILE)
@click.option("--jurisdiction", required=True, help="Whose request it is.")
@click.option("--days", type=click.IntRange(1, authority.LONGEST_DAYS), default=397, show_default=True)
@click.option("--out", type=click.Path(dir_okay=False, path_type=Path), required=True, help="Where to write it.")
def ca_issue(folder: Path, request: Path, jurisdiction: str, days: int, out: Path) -> None:
    """Sign a node's request.

    \b
    hutong ca issue ./ca jiangsu.csr --jurisdiction 320000 --out jiangsu.pem
    """
    made = authority.issue(folder, request.read_bytes(), jurisdiction, days=days)
    out.write_text(made.pem, encoding="ascii")
    click.echo(f"Issued {made.serial} for {jurisdiction} ({', '.join(made.names)}), until {made.until:%Y-%m-%d}")


@ca.command("list")
@CA_FOLDER
@AS_JSON
def ca_list(folder: Path, as_json: bool) -> None:
    """What the authority has issued, oldest first."""
    found = authority.issued(folder)
    if as_json:
        print_json(found)
        return
    for one in found:
        names = ", ".join(one["names"]) if isinstance(one["names"], list) else ""
        click.echo(f"{one['serial']}  {one['jurisdiction']}  until {one['until']}  {names}")


@click.group("tls")
def tls_group() -> None:
    """This node's certificate, shown to whoever calls it and to every node it calls."""


@tls_group.command("request")
@FOLDER
@click.option("--name", "names", multiple=True, help="A further host name or address, besides those in the settings.")
@click.option("--out", type=click.Path(dir_okay=False, path_type=Path), required=True, help="Where to write it.")
def tls_request(folder: Path, names: tuple[str, ...], out: Path) -> None:
    """Make a new key, beside the one in use, and a request that the authority signs.

    \b
    hutong tls request ./jiangsu --out jiangsu.csr
    """
    node = settings.load(folder)
    out.write_bytes(tls.request(node, names))
    click.echo(f"Wrote {out}. Next, at the authority: hutong ca issue CA_DIR {out} --jurisdiction {node.jurisdiction}")


@tls_group.command("install")
@FOLDER
@click.argument("certificate", type=FILE)
@click.option("--authority", "trusted", type=FILE, required=True, help="The authority's ca.pem.")
def tls_install(folder: Path, certificate: Path, trusted: Path) -> None:
    """Take an issued certificate into use, and trust its authority alone for other nodes.

    \b
    hutong tls install ./jiangsu jiangsu.pem --authority ca.pem
    """
    taken = tls.install(settings.load(folder), certificate.read_bytes(), trusted.read_bytes())
    click.echo(f"Installed {taken.name}, until {taken.until:%Y-%m-%d}")
    click.echo("A server that runs shows it after: kill -HUP, or a restart")


@tls_group.command("trust")
@FOLDER
@click.argument("trusted", metavar="CA_PEM", type=FILE)
def tls_trust(folder: Path, trusted: Path) -> None:
    """Trust the authorities in CA_PEM from now on, and no others: at a renewal, new and old together.

    \b
    hutong tls trust ./jiangsu ca.pem
    """
    many = tls.trust(settings.load(folder), trusted.read_bytes())
    click.echo(f"{many} authorities are trusted")
    click.echo("A server that runs asks callers for them after: kill -HUP, or a restart")
