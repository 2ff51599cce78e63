"""A region on a closed network: nodes show one another certificates of its own authority, and others stay outside."""

from __future__ import annotations

import asyncio
import signal
import socket
import ssl
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from cryptography import x509

from hutong.node import authority, settings, tls
from hutong.node.client import NoAnswer, NodeClient
from hutong.node.settings import Settings
from tests.nodes import Node, Region
from tests.this_machine import free_port, until


class ClosedRegion(Region):
    """Every node has a door for nodes alone; people and applications come by another."""

    def make(self, jurisdiction: str) -> Node:
        port = free_port()
        self.base_urls[jurisdiction] = f"https://127.0.0.1:{port}"
        node = super().make(jurisdiction)
        issue(node.home, self.folder / "ca")
        own = node.settings
        settings.change(node.home / "hutong.toml", listen_nodes=f"127.0.0.1:{port}", portal_url=f"http://{own.listen}")
        return node


def issue(home: Path, ca: Path, *, days: int = 397) -> Settings:
    node = settings.load(home)
    issued = authority.issue(ca, tls.request(node, ()), node.jurisdiction, days=days)
    tls.install(node, issued.pem.encode(), (ca / "ca.pem").read_bytes())
    return settings.load(home)


@pytest.fixture(scope="module")
def region(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Region]:
    folder = tmp_path_factory.mktemp("closed")
    authority.make(folder / "ca", "Delta CA")
    with ClosedRegion(folder) as made:
        # Jiangsu's own door is not asked for anything here: it calls, by its commands.
        made.make("yrd").start()
        made.make("320000")
        made.join("320000", "yrd")
        yield made


def ping(region: Region, monkeypatch: pytest.MonkeyPatch, own: Settings) -> int:
    """A signed call of Jiangsu's to the region's door, with the TLS of these settings."""
    monkeypatch.setattr(tls.settings, "current", lambda: own)

    async def call() -> int:
        async with NodeClient(region.ring("320000")) as client:
            address = region["yrd"].settings.base_url + "/hutong/ping"
            return (await client.call("GET", address, peer="yrd")).status

    return asyncio.run(call())


def stranger(region: Region, name: str, **changed: str) -> Settings:
    """Jiangsu's settings with a certificate of somebody else's authority."""
    home = region.folder / name
    (home / "keys").mkdir(parents=True)
    settings.write(home / "hutong.toml", {"jurisdiction": "320000", "base_url": "https://127.0.0.1"})
    authority.make(home / "ca", "Stranger")
    return replace(issue(home, home / "ca"), **changed)


def test_nodes_join_and_speak_by_certificate(region: Region):
    findings = region["320000"].json("doctor", str(region["320000"].home))
    states = {(one["check"], one["state"]) for one in findings}
    assert ("peer yrd", "ok") in states
    assert ("tls", "ok") in states


def test_who_shows_no_certificate_is_told_so_and_heard_nothing_else(region: Region, monkeypatch):
    trusted = region["320000"].settings.tls_authority
    own = replace(region["320000"].settings, listen_nodes="", tls_certificate="", tls_key="")
    assert own.tls_authority == trusted
    with pytest.raises(NoAnswer, match="wants to see this node's certificate"):
        ping(region, monkeypatch, own)


def test_who_comes_from_another_authority_is_told_so(region: Region, monkeypatch):
    trusted = region["320000"].settings.tls_authority
    with pytest.raises(NoAnswer, match="does not trust the authority of this node's certificate"):
        ping(region, monkeypatch, stranger(region, "stranger", tls_authority=trusted))


def test_a_door_of_another_authority_is_not_believed(region: Region, monkeypatch):
    with pytest.raises(NoAnswer, match="its authority is not one this node trusts"):
        ping(region, monkeypatch, stranger(region, "elsewhere"))


def test_nodes_are_not_heard_where_people_are(region: Region):
    assert region["yrd"].get("/hutong/ping")[0] == 421
    assert region["yrd"].get("/hutong/health")[0] == 200
    assert region["yrd"].get("/sign-in/")[0] == 200


def test_a_renewed_authority_overlaps_with_the_old_one(region: Region, monkeypatch):
    ca, keeper, member = region.folder / "ca", region["yrd"], region["320000"]
    old_home = region.folder / "before"  # Jiangsu as it is before it has renewed
    (old_home / "keys").mkdir(parents=True)
    settings.write(old_home / "hutong.toml", {"jurisdiction": "320000", "base_url": "https://127.0.0.1"})
    old = issue(old_home, ca)
    authority.renew(ca)
    for home in (keeper.home, old_home):
        tls.trust(settings.load(home), (ca / "ca.pem").read_bytes())
    new = issue(keeper.home, ca)
    assert keeper.process is not None
    renewed = authority.certificates(Path(new.tls_certificate).read_bytes())[0].serial_number
    assert serial(keeper) != renewed
    keeper.process.send_signal(signal.SIGHUP)
    # For a while old and new workers share the door.
    until(lambda: {serial(keeper) for _ in range(8)} == {renewed}, within_s=90, what="the new certificate at the door")
    assert ping(region, monkeypatch, settings.load(old.home)) == 200  # the old one is still let in
    assert ping(region, monkeypatch, replace(issue(member.home, ca), listen_nodes="")) == 200


def serial(node: Node) -> int:
    """Of the certificate that the node's own door shows now."""
    host, _, port = node.settings.listen_nodes.rpartition(":")
    context = ssl.create_default_context(cafile=node.settings.tls_authority)
    context.load_cert_chain(node.settings.tls_certificate, node.settings.tls_key)
    with (
        socket.create_connection((host, int(port)), timeout=5) as raw,
        context.wrap_socket(raw, server_hostname=host) as door,
    ):
        shown = door.getpeercert(binary_form=True)
    assert shown is not None
    return x509.load_der_x509_certificate(shown).serial_number
