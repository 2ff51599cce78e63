"""kill -9 at every statement of every act of the statute: the act is done whole or not at all, and once."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.faults import (  # noqa: F401 - they register their acts
    acts_of_offerings,
    acts_of_replies,
    acts_under_agreements,
)
from tests.faults.acts import ACTS

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def told(tmp_path_factory):
    """What became of each act, by its name."""
    given = {name: value for name, value in os.environ.items() if not name.startswith(("HUTONG_", "DJANGO_"))}
    given["PYTHONPATH"] = os.pathsep.join([str(ROOT / "src"), str(ROOT)])
    command = [sys.executable, "-m", "tests.faults.dying", str(tmp_path_factory.mktemp("dying")), *ACTS]
    ran = subprocess.run(command, env=given, capture_output=True, text=True, check=False, cwd=ROOT)
    assert ran.returncode == 0, ran.stderr[-3000:]
    return {one["act"]: one | {"errors": ran.stderr[-2000:]} for one in map(json.loads, ran.stdout.splitlines())}


@pytest.mark.parametrize("name", ACTS)
def test_a_death_at_any_statement_leaves_the_act_done_whole_or_not_at_all(told, name):
    one = told[name]
    assert one["changes"], "an act changes something"
    assert one["points"] > 3
    assert one["wrong"] == [], one["errors"]
    if one["steps"] == 1:
        assert one["halves"] == 0
