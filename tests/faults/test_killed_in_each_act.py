"""kill -9 at every statement of every act of the statute: the act is done whole or not at all, and once."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from tests.faults.acts import ACTS

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def told():
    """What became of each act, by its name; in memory where there is such a folder."""
    memory = Path("/dev/shm")
    given = {name: value for name, value in os.environ.items() if not name.startswith(("HUTONG_", "DJANGO_"))}
    given["PYTHONPATH"] = os.pathsep.join([str(ROOT / "src"), str(ROOT)])
    with tempfile.TemporaryDirectory(prefix="hutong-", dir=memory if os.access(memory, os.W_OK) else None) as home:
        command = [sys.executable, "-m", "tests.faults.dying", home, *ACTS]
        ran = subprocess.run(command, env=given, capture_output=True, text=True, check=False, cwd=ROOT)
        assert ran.returncode == 0, ran.stderr[-3000:]
        yield {one["act"]: one | {"errors": ran.stderr[-2000:]} for one in map(json.loads, ran.stdout.splitlines())}


@pytest.mark.parametrize("name", ACTS)
def test_a_death_at_any_statement_leaves_the_act_done_whole_or_not_at_all(told, name):
    one = told[name]
    assert one["changes"], "an act changes something"
    assert one["points"] > 3
    assert one["wrong"] == [], one["errors"]
    if one["steps"] == 1:
        assert one["halves"] == 0
