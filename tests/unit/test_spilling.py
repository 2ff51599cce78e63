"""Where DuckDB may put what its memory does not hold: rows of persons lie in no folder that nobody meant."""

from __future__ import annotations

from pathlib import Path

import duckdb
import pytest

from hutong.exchange.shaping.engine import sealed, spilling

SOURCES = Path(__file__).parents[2] / "src"
LARGE = "SELECT md5(i::VARCHAR) AS a, repeat('x', 800) AS b FROM range(400000) AS t(i) ORDER BY a"


def test_what_memory_does_not_hold_lies_in_the_folder_named_and_goes_with_the_connection(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    folder = tmp_path / "flow"
    folder.mkdir()
    connection = spilling(folder)
    rows = connection.sql(LARGE).to_arrow_reader(65_536)
    rows.read_next_batch()
    assert any((folder / "spill").iterdir())
    del rows
    connection.close()
    assert [one for one in tmp_path.rglob("*") if one.is_file()] == []
    assert list(tmp_path.iterdir()) == [folder]


def test_an_engine_for_streams_writes_no_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(duckdb.OutOfMemoryException):
        sealed().sql(LARGE).to_arrow_reader(65_536).read_all()
    assert list(tmp_path.iterdir()) == []


def test_duckdb_is_opened_in_one_place() -> None:
    opening = [one.name for one in SOURCES.rglob("*.py") if "duckdb.connect(" in one.read_text(encoding="utf-8")]
    assert opening == ["engine.py"]
