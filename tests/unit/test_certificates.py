"""An authority for a closed network: whom it signs for, what it refuses, and how a renewal overlaps."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner
from cryptography.hazmat.primitives.serialization import Encoding

from hutong.node import authority, settings, tls
from hutong.node.cli import hutong
from hutong.node.settings import Settings


@pytest.fixture
def node(tmp_path: Path) -> Settings:
    return make_node(tmp_path / "jiangsu", "320000", "https://jiangsu.example")


@pytest.fixture
def ca(tmp_path: Path) -> Path:
    authority.make(tmp_path / "ca", "Delta CA")
    return tmp_path / "ca"


def make_node(home: Path, jurisdiction: str, base_url: str) -> Settings:
    (home / "keys").mkdir(parents=True)
    settings.write(home / "hutong.toml", {"jurisdiction": jurisdiction, "base_url": base_url})
    return settings.load(home)


def certified(node: Settings, ca: Path, *, days: int = 397) -> Settings:
    issued = authority.issue(ca, tls.request(node, ()), node.jurisdiction, days=days)
    tls.install(node, issued.pem.encode(), (ca / "ca.pem").read_bytes())
    return settings.load(node.home)


def test_a_node_asks_is_issued_and_installs_by_the_commands(node: Settings, tmp_path: Path):
    def run(*arguments: str) -> str:
        done = CliRunner().invoke(hutong, arguments, catch_exceptions=False)
        assert done.exit_code == 0, done.output
        return done.output

    ca, asked, made = tmp_path / "ca", tmp_path / "asked.csr", tmp_path / "made.pem"
    run("ca", "init", str(ca))
    run("tls", "request", str(node.home), "--name", "10.1.2.3", "--out", str(asked))
    run("ca", "issue", str(ca), str(asked), "--jurisdiction", "320000", "--out", str(made))
    run("tls", "install", str(node.home), str(made), "--authority", str(ca / "ca.pem"))
    taken = settings.load(node.home)
    assert (taken.tls_certificate, taken.tls_authority) == (
        str(node.home / "tls.pem"),
        str(node.home / "authority.pem"),
    )
    assert "jiangsu.example, 10.1.2.3" in run("ca", "list", str(ca))
    assert [finding.state for finding in tls.check(taken)] == ["ok", "ok"]


@pytest.mark.parametrize("name", ["ca/ca.key", "jiangsu/keys/tls.key"])
def test_keys_are_their_owners_alone(node: Settings, ca: Path, tmp_path: Path, name: str):
    certified(node, ca)
    assert (tmp_path / name).stat().st_mode & 0o077 == 0


def test_a_request_is_signed_only_for_the_node_it_names(node: Settings, ca: Path):
    with pytest.raises(authority.BadRequestFile, match="320000, not of 330000"):
        authority.issue(ca, tls.request(node, ()), "330000", days=1)


def test_a_name_in_a_running_certificate_of_another_is_not_issued(node: Settings, ca: Path, tmp_path: Path):
    certified(node, ca)
    other = make_node(tmp_path / "zhejiang", "330000", "https://jiangsu.example")
    with pytest.raises(authority.BadRequestFile, match="running certificate of 320000"):
        certified(other, ca)


@pytest.mark.parametrize("name", ["*.example", "*"])
def test_no_wildcard_is_issued(node: Settings, ca: Path, name: str):
    with pytest.raises(authority.BadRequestFile, match="more than host names"):
        authority.issue(ca, tls.request(node, (name,)), "320000", days=1)


def test_a_certificate_of_another_authority_or_key_is_not_installed(node: Settings, ca: Path, tmp_path: Path):
    authority.make(tmp_path / "stranger", "Stranger")
    issued = authority.issue(tmp_path / "stranger", tls.request(node, ()), "320000", days=1)
    with pytest.raises(tls.BadCertificate, match="did not issue it"):
        tls.install(node, issued.pem.encode(), (ca / "ca.pem").read_bytes())
    asked = tls.request(node, ())
    tls.request(node, ())  # a newer key; the older request's certificate is of no use any more
    with pytest.raises(tls.BadCertificate, match="not for a key"):
        tls.install(node, authority.issue(ca, asked, "320000", days=1).pem.encode(), (ca / "ca.pem").read_bytes())
    assert not settings.load(node.home).tls_certificate


def test_after_a_renewal_both_authorities_are_trusted_until_all_have_changed(node: Settings, ca: Path, tmp_path: Path):
    first = certified(node, ca)
    authority.renew(ca)
    both = (ca / "ca.pem").read_bytes()
    assert tls.trust(first, both) == 2
    second = certified(first, ca)
    new, old = authority.certificates(both)
    own = authority.certificates(Path(second.tls_certificate).read_bytes())[0]
    assert authority.signed_by(own, [new])
    assert not authority.signed_by(own, [old])
    with pytest.raises(tls.BadCertificate, match="none of the authorities"):
        tls.trust(second, old.public_bytes(Encoding.PEM))


def test_an_expiry_is_said_a_month_ahead(node: Settings, ca: Path, monkeypatch: pytest.MonkeyPatch):
    soon = certified(node, ca, days=29)
    assert [finding.state for finding in tls.check(soon)] == ["warn", "ok"]
    own = next(one for one in tls.read(soon) if one.labels == {"which": "own"})
    assert 28 * 86400 < own.value < 29 * 86400
    monkeypatch.setattr(tls, "datetime", _In(timedelta(days=30)))
    assert [finding.state for finding in tls.check(soon)] == ["fail", "ok"]


def test_the_nodes_own_door_needs_a_certificate_to_show_and_an_authority_to_ask_for(node: Settings):
    with pytest.raises(settings.BadSetting, match="listen_nodes"):
        replace(node, listen_nodes="127.0.0.1:8443")


class _In:
    """The clock, so much later."""

    def __init__(self, later: timedelta) -> None:
        self.later = later

    def now(self, zone: object) -> datetime:
        return datetime.now(UTC) + self.later
