"""DuckDB, sealed: no extension is fetched, no file but the one named is opened, no Python variable is a table."""

from __future__ import annotations

from pathlib import Path

import duckdb
from sqlglot import exp

MEMORY_LIMIT = "200MB"  # of one instance; a stream needs a fraction of it
SORTING_MEMORY_LIMIT = "256MB"  # of one that sorts and joins; more spills
THREADS = 2


def sealed(file: Path | None = None) -> duckdb.DuckDBPyConnection:
    """An instance of its own, in memory, for streams: it writes no file at all, and fails beyond its memory.

    file     the only one that it may read
    raises   duckdb.Error
    """
    connection = _opened(MEMORY_LIMIT, "")
    if file is not None:
        connection.execute(f"SET allowed_paths = [{exp.Literal.string(str(file)).sql(dialect='duckdb')}]").fetchall()
    return _locked(connection)


def spilling(folder: Path) -> duckdb.DuckDBPyConnection:
    """An instance for what must see all rows before it gives one. What its memory does not hold lies in the folder's
    `spill` until it is closed. The folder MUST be one where the rows themselves may lie.

    raises   duckdb.Error
    """
    return _locked(_opened(SORTING_MEMORY_LIMIT, str(folder / "spill")))


def _opened(memory_limit: str, spill: str) -> duckdb.DuckDBPyConnection:
    """spill   "" for none; left out, DuckDB would take the folder .tmp of the working one"""
    return duckdb.connect(
        ":memory:",
        config={
            "autoinstall_known_extensions": "false",
            "autoload_known_extensions": "false",
            "allow_community_extensions": "false",
            "python_enable_replacements": "false",
            "memory_limit": memory_limit,
            "threads": str(THREADS),
            "temp_directory": spill,
        },
    )


def _locked(connection: duckdb.DuckDBPyConnection) -> duckdb.DuckDBPyConnection:
    # GLOBAL, because every cursor is a session of its own.
    for setting in (
        "SET GLOBAL TimeZone = 'UTC'",
        "SET enable_external_access = false",
        "SET lock_configuration = true",
    ):
        connection.execute(setting).fetchall()
    return connection
