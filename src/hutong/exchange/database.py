"""Reading the node's database without the ORM: what SQLite and PostgreSQL say differently, said once."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

from django.db import DatabaseError, connections

from hutong.vocabulary.errors import Unavailable

ROWS_AT_ONCE = 256  # in one INSERT; times the columns, well under the 32,766 parameters of SQLite
VALUES_AT_ONCE = 500  # in one IN list; SQLite's older builds take 999 parameters


@contextmanager
def reading(what: str) -> Iterator[Any]:
    """A cursor on this thread's connection. From a worker thread, never from a coroutine.

    raises   Unavailable, naming `what`, when the database fails; the next use connects anew
    """
    connection = connections["default"]
    try:
        with connection.cursor() as cursor:
            yield cursor
    except DatabaseError as error:
        connection.close()
        raise Unavailable(what=what) from error


def select_in(
    cursor: Any, statement: str, values: Collection[str], before: tuple[Any, ...] = ()
) -> list[tuple[Any, ...]]:
    """The rows of a statement that ends in IN, for any number of values.

    before   parameters that stand before the list
    """
    rows: list[tuple[Any, ...]] = []
    wanted = list(values)
    for at in range(0, len(wanted), VALUES_AT_ONCE):
        part = wanted[at : at + VALUES_AT_ONCE]
        cursor.execute(f"{statement} ({', '.join(['%s'] * len(part))})", [*before, *part])
        rows.extend(cursor.fetchall())
    return rows


@dataclass(frozen=True)
class Table:
    """A table that many rows are inserted into by few statements.

    sqlite3 lets go of the interpreter's lock and takes it again for every row of an executemany; beside a busy event
    loop each taking can cost milliseconds. A statement of many rows does it once. Its lengths are powers of two, so
    that the few there are stay prepared.
    """

    name: str
    columns: tuple[str, ...]

    def insert(self, cursor: Any, rows: Sequence[tuple[Any, ...]]) -> None:
        """rows   values in the order of the columns"""
        at = 0
        while left := len(rows) - at:
            count = min(1 << (left.bit_length() - 1), ROWS_AT_ONCE)
            values = [value for row in rows[at : at + count] for value in row]
            cursor.execute(_insert_statement(self.name, self.columns, count), values)
            at += count


@lru_cache(maxsize=64)
def _insert_statement(table: str, columns: tuple[str, ...], rows: int) -> str:
    names = ", ".join(f'"{name}"' for name in columns)
    row = "(" + ", ".join(["%s"] * len(columns)) + ")"
    return f"INSERT INTO {table} ({names}) VALUES {', '.join([row] * rows)}"  # noqa: S608 - our own names


def moment(value: Any) -> datetime:
    """A stored time. SQLite gives text in UTC, PostgreSQL a datetime."""
    found = value if isinstance(value, datetime) else datetime.fromisoformat(value)
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def json_value(value: Any) -> Any:
    """A stored JSON document. SQLite gives text, PostgreSQL text or the value."""
    return json.loads(value) if isinstance(value, (str, bytes)) else value
