"""Nodes that join a region, know each other, and go on while the region is away."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import orjson
import pytest

from tests.nodes import CommandFailed, Region, until


@pytest.fixture(scope="module")
def region(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Region]:
    with Region(tmp_path_factory.mktemp("region")) as region:
        yield region.start("yrd", "320000", "340000", arguments=("--part", "control"))


def _named(region: Region, jurisdiction: str) -> set[str]:
    listed = region[jurisdiction].json("members", str(region[jurisdiction].home))
    return {one["jurisdiction"] for one in listed["members"]}


def test_every_member_has_the_whole_directory(region: Region) -> None:
    assert _named(region, "320000") == {"yrd", "320000", "340000"}
    assert _named(region, "340000") == {"yrd", "320000", "340000"}


def test_two_members_ping_each_other_with_signatures_both_ways(region: Region) -> None:
    answer = region.ask("340000", "320000", "GET", "/hutong/ping")
    assert (answer.status, answer.signed) == (200, True)
    assert answer.object()["you"] == "340000"


def test_doctor_finds_nothing_wrong_and_then_finds_open_keys(region: Region) -> None:
    node = region["320000"]
    findings = node.json("doctor", str(node.home))
    assert {finding["state"] for finding in findings} <= {"ok", "warn"}
    assert {"peer yrd", "peer 340000", "keys", "ledger", "disk", "database"} <= {one["check"] for one in findings}
    (node.home / "keys" / "log.pem").chmod(0o644)
    try:
        with pytest.raises(CommandFailed) as caught:
            node.json("doctor", str(node.home))
    finally:
        (node.home / "keys" / "log.pem").chmod(0o600)
    assert caught.value.code == 1
    assert "others can read log.pem" in caught.value.output


def test_an_invitation_works_once_and_for_one_node_only(region: Region) -> None:
    invitation = region["yrd"].hutong("invite", str(region["yrd"].home), "--jurisdiction", "330000").strip()
    with pytest.raises(CommandFailed, match="it is for 330000, this node is 320000"):
        region["320000"].hutong("join", str(region["320000"].home), invitation)
    new = region.make("330000")
    new.hutong("join", str(new.home), invitation)
    new.hutong("join", str(new.home), invitation)  # the same node again, after a lost answer
    thief = Region(region.folder / "elsewhere").make("330000")
    with pytest.raises(CommandFailed, match="already used"):
        thief.hutong("join", str(thief.home), invitation)
    until(lambda: "330000" in _named(region, "340000"), what="the new member everywhere, by push")


def test_a_damaged_invitation_is_refused_in_words(region: Region) -> None:
    with pytest.raises(CommandFailed) as caught:
        region["320000"].hutong("join", str(region["320000"].home), "hutong-invitation-1.AAAA")
    assert caught.value.code == 1
    assert caught.value.error.startswith("error: The invitation was not accepted")


def test_members_work_on_while_the_region_is_down_and_rotate_when_it_is_back(region: Region) -> None:
    region["yrd"].stop()
    assert region.ask("340000", "320000", "GET", "/hutong/ping").status == 200
    before = region.directory_version("340000")
    new_key = (
        region["320000"].hutong("keys", "rotate", str(region["320000"].home), "--overlap", "1h").split()[2].rstrip(";")
    )
    assert orjson.loads(region["320000"].hutong("outbox", str(region["320000"].home), "--json"))
    region["yrd"].start("--part", "control")
    until(lambda: region.directory_version("340000") > before, within_s=60, what="the directory with the new key")
    assert new_key in region.ring("340000").public
    assert region.ask("320000", "340000", "GET", "/hutong/ping").status == 200  # the old key, in its overlap


def test_a_second_node_on_the_same_address_is_refused(region: Region, tmp_path: Path) -> None:
    listen = region["320000"].settings.listen
    other = Region(tmp_path).make("310000")
    text = (other.home / "hutong.toml").read_text(encoding="utf-8")
    (other.home / "hutong.toml").write_text(text.replace(other.settings.listen, listen), encoding="utf-8")
    with pytest.raises(CommandFailed, match="already listens"):
        other.hutong("serve", str(other.home), "--part", "control")
