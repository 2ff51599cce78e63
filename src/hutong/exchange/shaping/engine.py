"""DuckDB, sealed: no extension is fetched, no file but the one named is opened, no Python variable is a table."""

from __future__ import annotations

from pathlib import Path

import duckdb
from sqlglot import exp

MEMORY_LIMIT = "200MB"  # of one instance; a stream needs a fraction of it
THREADS = 2


def sealed(file: Path | None = None) -> duckdb.DuckDBPyConnection:
    """An instance of its own, in memory. raises   duckdb.Error"""
    connection = duckdb.connect(
        ":memory:",
        config={
            "autoinstall_known_extensions": "false",
            "autoload_known_extensions": "false",
            "allow_community_extensions": "false",
            "python_enable_replacements": "false",
            "memory_limit": MEMORY_LIMIT,
            "threads": str(THREADS),
        },
    )
    # GLOBAL, because every cursor is a session of its own.
    settings = ["SET GLOBAL TimeZone = 'UTC'", "SET enable_external_access = false", "SET lock_configuration = true"]
    if file is not None:
        settings.insert(0, f"SET allowed_paths = [{exp.Literal.string(str(file)).sql(dialect='duckdb')}]")
    for setting in settings:
        connection.execute(setting).fetchall()
    return connection
