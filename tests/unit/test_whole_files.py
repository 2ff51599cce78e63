"""What the node keeps in files is whole or not there, and secrets are for their owner from the first byte on."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from hutong.ledger.whole import PRIVATE, place, put_secret, put_whole


def test_a_file_is_replaced_whole_and_nothing_lies_beside_it(tmp_path: Path) -> None:
    file = tmp_path / "settings"
    put_whole(file, b"before", mode=PRIVATE)
    put_whole(file, b"after", mode=PRIVATE)
    assert file.read_bytes() == b"after"
    assert file.stat().st_mode & 0o777 == PRIVATE
    assert list(tmp_path.iterdir()) == [file]


def test_a_secret_is_never_written_over(tmp_path: Path) -> None:
    file = tmp_path / "key"
    put_secret(file, b"first")
    with pytest.raises(FileExistsError):
        put_secret(file, b"second")
    assert file.read_bytes() == b"first"
    assert file.stat().st_mode & 0o777 == PRIVATE
    assert list(tmp_path.iterdir()) == [file]


def test_nothing_is_left_of_a_secret_that_could_not_be_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_descriptor: int) -> None:
        raise OSError(errno.ENOSPC, "no space")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="no space"):
        put_secret(tmp_path / "key", b"first")
    assert list(tmp_path.iterdir()) == []


def test_a_written_file_takes_the_place_of_the_one_before(tmp_path: Path) -> None:
    made, file = tmp_path / "rows.part", tmp_path / "rows"
    file.write_bytes(b"before")
    made.write_bytes(b"after")
    place(made, file)
    assert file.read_bytes() == b"after"
    assert not made.exists()
