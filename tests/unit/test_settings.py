"""Settings are read again when their file changes, and only then."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from hutong.node.settings import FILE_NAME, change, current
from tests.conftest import HOME

ONE_TICK = (10**18, 10**18)  # ns


def test_two_changes_within_one_tick_of_the_clock_are_both_seen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    file = tmp_path / FILE_NAME
    shutil.copyfile(HOME / FILE_NAME, file)
    monkeypatch.setenv("HUTONG_HOME", str(tmp_path))
    for said in ("yes", "", "yes"):
        change(file, public_catalogue=said)
        os.utime(file, ns=ONE_TICK)
        assert current().public_catalogue == said
