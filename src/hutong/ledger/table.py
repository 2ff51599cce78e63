"""Inserting many rows without the ORM, for the writers that everything else waits for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

ROWS_AT_ONCE = 256  # in one INSERT; times the columns, well under the 32,766 parameters of SQLite


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
