"""Reading the node's database without the ORM: what SQLite and PostgreSQL say differently, said once."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

from django.db import DatabaseError, connections

from hutong.vocabulary.errors import Unavailable

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


def moment(value: Any) -> datetime:
    """A stored time. SQLite gives text in UTC, PostgreSQL a datetime."""
    found = value if isinstance(value, datetime) else datetime.fromisoformat(value)
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def json_value(value: Any) -> Any:
    """A stored JSON document. SQLite gives text, PostgreSQL text or the value."""
    return json.loads(value) if isinstance(value, (str, bytes)) else value
