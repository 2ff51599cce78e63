"""Our log read by code that shares nothing with ours: Go's checksum-database packages, where Go is installed."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from hutong.ledger import checkpoint as checkpoints
from hutong.ledger.checkpoint import Checkpoint
from hutong.ledger.frontier import Frontier
from hutong.ledger.note import cosign
from hutong.ledger.shelf import Shelf
from hutong.ledger.tiles import TileFolder
from tests.ledger_keys import log_key

SOURCE = Path(__file__).parent / "outside_verifier" / "main.go"
KEY, WITNESS = log_key("hutong/320000"), log_key("hutong/yrd")


@pytest.fixture(scope="module")
def verifier(tmp_path_factory):
    """The built program. Go's own tree carries the packages, so nothing is fetched."""
    go = shutil.which("go") or next((str(path) for path in [Path("/usr/local/go/bin/go")] if path.exists()), None)
    if go is None:
        pytest.skip("no Go here")
    environment = dict(os.environ, GOFLAGS="-mod=mod", GOPROXY="off", GOTOOLCHAIN="local")
    root = subprocess.run([go, "env", "GOROOT"], env=environment, capture_output=True, text=True, check=True).stdout
    packages = Path(root.strip()) / "src" / "cmd" / "vendor" / "golang.org" / "x" / "mod" / "sumdb"
    if not packages.is_dir():
        pytest.skip("this Go carries no checksum-database packages")
    folder = tmp_path_factory.mktemp("go")
    for name in ("note", "tlog"):
        shutil.copytree(packages / name, folder / name)
    shutil.copy(SOURCE, folder / "main.go")
    (folder / "go.mod").write_text("module outside\n\ngo 1.22\n", encoding="utf-8")
    subprocess.run([go, "build", "-o", "verify", "."], cwd=folder, env=environment, check=True, capture_output=True)
    return folder / "verify"


@pytest.fixture(scope="module")
def ledger(tmp_path_factory):
    folder = tmp_path_factory.mktemp("ledger")
    frontier = Frontier(TileFolder(folder))
    for first in range(0, 70_000, 997):
        frontier.append([b'{"entry":%d}' % number for number in range(first, min(first + 997, 70_000))])
    note = checkpoints.sign(Checkpoint(KEY.keyid, frontier.size, frontier.root), KEY)
    note = note.with_signatures([cosign(note.text, WITNESS, time_s=1_700_000_000)])  # which Go must pass over
    Shelf(folder).publish(str(note))
    return folder


def test_seventy_thousand_entries_replay_to_the_signed_root(verifier, ledger):
    ran = subprocess.run([verifier, ledger, str(KEY.vkey)], capture_output=True, text=True, check=False)
    assert (ran.returncode, ran.stdout) == (0, "70000\n"), ran.stderr


def test_another_key_or_a_changed_entry_fails_there_too(verifier, ledger, tmp_path):
    assert subprocess.run([verifier, ledger, str(WITNESS.vkey)], capture_output=True, check=False).returncode == 1
    changed = shutil.copytree(ledger, tmp_path / "ledger")
    bundle = changed / "tile" / "entries" / "007"
    bundle.write_bytes(bundle.read_bytes().replace(b'"entry":1800', b'"entry":1801'))
    ran = subprocess.run([verifier, changed, str(KEY.vkey)], capture_output=True, text=True, check=False)
    assert ran.returncode == 1
    assert "entry 1800" in ran.stderr
