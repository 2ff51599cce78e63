"""Guesses sent to several processes at once are counted one by one, in either database."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from hutong.control.identity.sign_in import FAILURES_OF_NAME

ROOT = Path(__file__).resolve().parents[2]


def test_several_processes_let_through_no_more_guesses_than_one(home: Path):
    command = [sys.executable, "-m", "tests.spec.guesser", str(home), "8"]
    processes = [subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) for _ in range(2)]
    told = [process.communicate(timeout=120)[0] for process in processes]
    assert [process.returncode for process in processes] == [0, 0]
    assert sum(map(int, told)) == FAILURES_OF_NAME
