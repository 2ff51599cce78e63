"""kill -9 at any line of the ledger's writing, and writers at once: nothing lost, doubled, or signed in two ways."""

from __future__ import annotations

import json
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from hutong.ledger.checkpoint import parse
from hutong.ledger.shelf import Shelf
from hutong.ledger.tiles import TileFolder
from hutong.ledger.trust import TrustedTiles
from hutong.ledger.verify import verify_files
from tests.ledger_keys import log_key
from tests.postgres import new_database

ROOT = Path(__file__).resolve().parents[2]
SCRIPT = ROOT / "tests" / "faults" / "ledger_node.py"


@pytest.fixture(params=["sqlite", "postgresql"])
def environment(request):
    """What the node's processes are started with."""
    given = {name: value for name, value in os.environ.items() if not name.startswith(("HUTONG_", "DJANGO_"))}
    given["PYTHONPATH"] = os.pathsep.join([str(ROOT / "src"), str(ROOT)])
    if request.param == "postgresql":
        given["DATABASE_URL"] = new_database(request.getfixturevalue("postgres_url"), f"ledger_{os.getpid()}")
    return given


@pytest.fixture
def home():
    """In memory where there is such a folder: SIGKILL leaves the page cache alone, so a disk would only be slower."""
    memory = Path("/dev/shm")
    folder = Path(tempfile.mkdtemp(prefix="hutong-", dir=memory if os.access(memory, os.W_OK) else None))
    yield folder / "node"
    shutil.rmtree(folder, ignore_errors=True)


def command(mode: str, home: Path, *more: str) -> list[str]:
    return [sys.executable, str(SCRIPT), mode, str(home), *more]


def test_a_death_at_every_line_of_a_round_is_repaired_by_the_next(home, environment):
    every = 3 if "DATABASE_URL" in environment else 1
    ran = subprocess.run(
        command("crash", home, str(every)), env=environment, capture_output=True, text=True, check=False
    )
    assert ran.returncode == 0, ran.stderr[-3000:]
    told = json.loads(ran.stdout)
    assert told["points"] > 150 / every
    # A few lines are passed in a ledger's very first round only.
    assert told["deaths"] >= told["points"] - 8


def test_a_node_killed_again_and_again_keeps_every_committed_entry_once(home, environment):
    dice = random.Random(809)
    said: list[tuple[int, int]] = []
    seen = []
    for life in range(6):
        with subprocess.Popen(
            command("live", home, str(life * 1_000_000)), env=environment, stdout=subprocess.PIPE, text=True
        ) as node:
            assert node.stdout is not None
            for _ in range(dice.randint(1, 12)):
                first, count = map(int, node.stdout.readline().split())
                said.append((first, count))
            node.send_signal(signal.SIGKILL)
            said += [tuple(map(int, line.split())) for line in node.stdout if len(line.split()) == 2]  # type: ignore[misc]
        if note := Shelf(home / "ledger").checkpoint():
            seen.append(parse(note.text))
    ran = subprocess.run(command("repair", home), env=environment, capture_output=True, text=True, check=True)
    told = json.loads(ran.stdout)
    entries = told["entries"]
    assert told["size"] == len(entries) == len(set(entries))
    committed = {f"entry {number}" for first, count in said for number in range(first, first + count)}
    assert committed <= set(entries)
    audit = verify_files(home / "ledger", [log_key("hutong/320000").vkey])
    assert audit.holds
    assert audit.checkpoint is not None
    tiles = TrustedTiles(audit.checkpoint, TileFolder(home / "ledger").read)
    assert [tiles.root_at(one.size) for one in seen] == [one.root for one in seen]


def test_first_checkpoints_at_the_same_moment_never_roll_a_witnesss_memory_back(home, environment):
    ran = subprocess.run(command("witness", home), env=environment, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stderr[-3000:]
    told = json.loads(ran.stdout)
    assert sorted(status for status, _ in told["answers"]) == [200, 409, 409, 409, 409, 409]
    assert {body for status, body in told["answers"] if status == 409} == {f"{told['size']}\n"}
    assert told["answers"][told["size"] - 1][0] == 200
