"""An SQLite file that is read in place goes on belonging to the department's own system."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from hutong.exchange.sources.sqlite import SqliteSource


def rename(file: Path, name: str) -> None:
    with closing(sqlite3.connect(file, timeout=1)) as database, database:
        database.execute("UPDATE company SET name = ?", [name])


@pytest.mark.parametrize("mode", ["delete", "wal"])
def test_a_stream_leaves_the_file_free_and_the_next_one_gives_what_stands_there_now(tmp_path: Path, mode: str) -> None:
    file = tmp_path / "companies.sqlite"
    with closing(sqlite3.connect(file)) as database, database:
        database.execute(f"PRAGMA journal_mode = {mode}")
        database.execute("CREATE TABLE company (uscc TEXT PRIMARY KEY, name TEXT)")
        database.execute("INSERT INTO company VALUES ('c1', '长江一号')")
    source = SqliteSource(file, "company")
    assert source.read(["name"]).read_all().to_pylist() == [{"name": "长江一号"}]
    rename(file, "长江壹号")  # not locked
    assert source.read(["name"]).read_all().to_pylist() == [{"name": "长江壹号"}]
    assert source.lookup(["name"], "uscc", ["c1"]).to_pylist() == [{"name": "长江壹号"}]
    source.close()
