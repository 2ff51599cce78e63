"""The ledger over HTTP and by command, and what is refused there."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path

import pytest
from click.testing import CliRunner
from django.http import HttpResponse
from django.test import RequestFactory
from django.urls import include, path, resolve

from hutong.ledger import checkpoint as checkpoints
from hutong.ledger import host as hosts
from hutong.ledger import note as notes
from hutong.ledger import urls
from hutong.ledger.checkpoint import Checkpoint
from hutong.ledger.cli import ledger as command
from hutong.ledger.folder_log import FolderLog
from hutong.ledger.frontier import Frontier
from hutong.ledger.proof import NotInLog
from hutong.ledger.shelf import Shelf
from hutong.ledger.tiles import TileFolder
from hutong.ledger.trust import TrustedTiles
from hutong.ledger.witness import request as witness_request
from hutong.vocabulary.errors import NotFound, Refused, Unavailable
from tests.ledger_keys import log_key
from tests.unit.test_ledger_reconcile import SERVED, Ledger, consumers

JIANGSU, ANHUI = log_key("hutong/320000"), log_key("hutong/340000")
urlpatterns = [path("ledger/", include(urls))]


class TestHost:
    """A node whose members are told by a header; the real one checks signatures (tests/spec)."""

    __test__ = False

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def signer(self):
        return JIANGSU

    def log_keys(self, origin):
        return [ANHUI.vkey] if origin == ANHUI.keyid else []

    def for_members(self, handler):
        def view(request, **captured):
            if "X-Member" not in request.headers:
                return HttpResponse(status=401)
            try:
                body, content_type = handler(request, request.headers["X-Member"], **captured)
            except Refused as refused:
                return HttpResponse(json.dumps(refused.problem()), status=refused.status)
            return HttpResponse(body, content_type=content_type)

        return view

    @contextmanager
    def peer_log(self, jurisdiction) -> Iterator[FolderLog]:
        yield FolderLog(self.folder, jurisdiction)


@pytest.fixture
def jiangsu(tmp_path):
    (tmp_path / "320000").mkdir()
    made = Ledger(tmp_path / "320000" / "ledger", JIANGSU)
    made.add(*[b"entry %d" % number for number in range(299)], SERVED)
    before = hosts._host
    hosts.install(TestHost(made.folder))
    yield made
    hosts._host = before


def get(address: str, member: str = "", method: str = "get", **more):
    headers = {"X-Member": member} if member else {}
    asked = getattr(RequestFactory(), method)("/ledger/" + address, headers=headers, **more)
    match = resolve(asked.path_info, urlconf=__name__)
    return match.func(asked, *match.args, **match.kwargs)


def test_the_checkpoint_is_for_anyone_and_carries_cosignatures_when_it_has_them(jiangsu):
    answer = get("checkpoint")
    assert answer.status_code == 200
    assert answer["Content-Type"] == "text/plain; charset=utf-8"
    note = notes.parse(answer.content)
    assert checkpoints.opened(note, [JIANGSU.vkey]).size == 300
    assert get("checkpoint.witnessed").status_code == 404
    Shelf(jiangsu.folder).keep_witnessed(note.with_signatures([notes.cosign(note.text, ANHUI, time_s=1)]))
    assert len(notes.parse(get("checkpoint").content).signatures) == 2
    assert get("checkpoint.witnessed").content == get("checkpoint").content
    jiangsu.add(b"more")
    assert len(notes.parse(get("checkpoint").content).signatures) == 1


def test_hash_tiles_are_for_anyone_and_bundles_for_members_only(jiangsu):
    assert len(get("tile/0/000").content) == 8192
    assert len(get("tile/0/001.p/44").content) == 44 * 32
    assert "immutable" in get("tile/0/000")["Cache-Control"]
    assert get("tile/entries/000").status_code == 401
    assert b"entry 7" in get("tile/entries/000", "340000").content
    assert get("tile/entries/000", "340000")["Content-Type"] == "application/octet-stream"


@pytest.mark.parametrize(
    "name",
    [
        "tile/0/001",
        "tile/0/001.p/45",
        "tile/0/002.p/1",
        "tile/2/000",
        "tile/0/../../keys/log.pem",
        "tile/0/%2e%2e/checkpoint",
        "tile/0//000",
        "tile/0/000/",
        "tile//etc/passwd",
        "tile/entries/..%2f..%2fkeys",
        "tile/entries/0",
        "tile/0/000.p/1.tmp",
    ],
)
def test_a_tile_that_is_not_covered_or_not_named_so_is_not_found(jiangsu, name):
    assert get(name, "340000").status_code == 404


def test_an_older_partial_tile_is_served_from_the_full_one(jiangsu):
    assert get("tile/0/000.p/7").content == get("tile/0/000").content[: 7 * 32]


def test_a_member_gets_its_own_exchanges_and_nobody_elses(jiangsu):
    assert get("exchanges").status_code == 401
    page = json.loads(get("exchanges?with=340000&after=-1&limit=10", "340000").content)
    assert [one["index"] for one in page["entries"]] == [299]
    assert (page["size"], page["after"]) == (300, 299)
    assert json.loads(get("exchanges?after=299", "340000").content)["entries"] == []
    assert json.loads(get("exchanges", "330000").content)["entries"] == []
    assert get("exchanges?with=340000", "330000").status_code == 403
    for wrong in ("after=x", "after=1e9", "limit=--1", "after=" + "9" * 30):
        assert get(f"exchanges?{wrong}", "340000").status_code == 400


@pytest.mark.django_db(transaction=True)
def test_the_witnesss_door_cosigns_members_logs(jiangsu, tmp_path):
    frontier = Frontier(TileFolder(tmp_path / "log"))
    frontier.append([b"one", b"two"])
    checkpoint = Checkpoint(ANHUI.keyid, 2, frontier.root)
    note = checkpoints.sign(checkpoint, ANHUI)
    body = witness_request(note, TrustedTiles(checkpoint, frontier.files.read), 0)
    more = {"data": body, "content_type": "text/plain"}
    answer = get("witness/add-checkpoint", method="post", **more)
    assert answer.status_code == 200
    line = notes.parse_signature(answer.content.decode().strip())
    assert line.name == JIANGSU.keyid
    assert get(f"witness/{'f' * 64}/checkpoint").status_code == 404
    served = get(f"witness/{sha256(ANHUI.keyid.encode()).hexdigest()}/checkpoint")
    assert len(notes.parse(served.content).signatures) == 2
    assert (
        get("witness/add-checkpoint", method="post", data=b"x" * 300_000, content_type="text/plain").status_code == 413
    )
    assert get("witness/add-checkpoint").status_code == 405


def test_without_a_node_nothing_is_served(jiangsu):
    hosts._host = None
    assert get("checkpoint").status_code == 503
    with pytest.raises(Unavailable):
        get("exchanges", "340000")


def run(*arguments: str, language: str = "C"):
    return CliRunner(env={"LC_ALL": language}).invoke(command, [str(one) for one in arguments])


def test_verify_says_that_a_log_holds_or_where_it_does_not(jiangsu, tmp_path):
    done = run("verify", tmp_path / "320000", "--key", str(JIANGSU.vkey))
    assert done.exit_code == 0, done.output
    assert "hutong/320000: 300 entries" in done.output
    assert "every entry, tile and signature holds" in done.output
    assert "核验通过" in run("verify", jiangsu.folder, language="zh_CN.UTF-8").output
    bundle = jiangsu.folder / "tile" / "entries" / "000"
    bundle.write_bytes(bundle.read_bytes().replace(b"entry 123", b"entry 999"))
    done = run("verify", jiangsu.folder)
    assert done.exit_code == 1
    assert "tile/entries/000 [123]" in done.output
    assert "first bad entry: 123" in done.output
    told = json.loads(run("verify", jiangsu.folder, "--json").output)
    assert (told["holds"], told["first_bad_entry"], told["size"]) == (False, 123, 300)


def test_a_proof_is_made_by_place_digest_or_exchange_and_checked(jiangsu, tmp_path):
    out = tmp_path / "receipt.tlog-proof"
    assert run("prove", jiangsu.folder, "--exchange", SERVED.exchange, "--out", out).exit_code == 0
    made = out.read_text(encoding="utf-8")
    assert run("prove", jiangsu.folder, "--entry", "299").output == made
    assert run("prove", jiangsu.folder, "--digest", SERVED.digest()).output == made
    done = run("check", out, "--key", str(JIANGSU.vkey))
    assert done.exit_code == 0
    assert SERVED.to_entry().decode() in done.output
    assert "entry 299 of hutong/320000" in done.output
    assert isinstance(run("check", out, "--key", str(ANHUI.vkey)).exception, Refused)
    assert isinstance(run("prove", jiangsu.folder, "--exchange", "none").exception, NotInLog)
    assert run("prove", jiangsu.folder).exit_code == 2
    assert run("prove", jiangsu.folder, "--entry", "1", "--digest", "x").exit_code == 2


def test_the_checkpoint_is_printed_as_it_is_signed(jiangsu, tmp_path):
    assert run("checkpoint", jiangsu.folder).output == Shelf(jiangsu.folder).checkpoint_text()
    assert isinstance(run("checkpoint", jiangsu.folder, "--witnessed").exception, NotFound)
    assert isinstance(run("verify", tmp_path).exception, NotFound)


def test_two_copies_of_ledgers_are_reconciled_without_a_network(jiangsu, tmp_path):
    anhui = Ledger(tmp_path / "340000", ANHUI)
    anhui.add(consumers(SERVED))
    arguments = ("reconcile", anhui.folder, "320000", "--folder", jiangsu.folder, "--key", str(JIANGSU.vkey))
    done = run(*arguments)
    assert done.exit_code == 0, done.output
    assert "1 exchanges agree, 0 differ" in done.output
    anhui.add(consumers(SERVED, rows=4))
    done = run(*arguments)
    assert done.exit_code == 1
    assert f"{SERVED.exchange}  altered  [1 / 299]" in done.output
    told = json.loads(run(*arguments, "--json").output)
    assert told["differences"][0]["members"] == ["rows"]
    assert "1 笔有出入" in run(*arguments, language="zh_CN.UTF-8").output


def test_on_a_terminal_a_comparison_says_how_far_it_is(jiangsu, tmp_path):
    anhui = Ledger(tmp_path / "340000", ANHUI)
    anhui.add(consumers(SERVED))
    arguments = ("reconcile", jiangsu.folder, "340000", "--folder", anhui.folder, "--key", str(ANHUI.vkey))
    seen, terminal = os.openpty()
    subprocess.run(
        [sys.executable, "-m", "hutong", "ledger", *map(str, arguments)],
        stdout=subprocess.DEVNULL,
        stderr=terminal,
        check=True,
    )
    assert b"300 / 300" in os.read(seen, 1000)
    os.close(seen)
    os.close(terminal)
