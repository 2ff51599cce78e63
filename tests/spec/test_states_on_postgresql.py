"""What meets in one moment, and every legal move, once more with this node's records in PostgreSQL.

SQLite lets one writer in at a time; here two transactions really run beside each other.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.postgres import new_database

ROOT = Path(__file__).resolve().parent.parent.parent
TESTS = (
    "tests/spec/test_two_at_once.py",
    "tests/generative/test_both_state_machines.py::test_every_legal_move_can_be_made_by_either_side",
    "tests/unit/test_correcting.py",
    "tests/unit/test_conduct.py",
)


@pytest.mark.parametrize("tests", TESTS)
def test_the_same_tests_pass_on_postgresql(postgres_url: str, tests: str) -> None:
    environment = {**os.environ, "DATABASE_URL": new_database(postgres_url, "states")}
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", tests]
    done = subprocess.run(command, env=environment, cwd=ROOT, capture_output=True, text=True, check=False, timeout=280)
    assert done.returncode == 0, done.stdout[-5000:]
