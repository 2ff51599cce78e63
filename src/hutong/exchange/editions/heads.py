"""The newest edition of each set of terms, as the database has it: so that versions never start anew."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from hutong.exchange.database import moment, reading
from hutong.exchange.editions.edition import Edition
from hutong.exchange.editions.terms import SourceState

_SELECT = "SELECT version, digest, mark, sure, checked_at FROM exchange_edition WHERE terms = %s"
_NEWEST = "SELECT MAX(version) FROM exchange_edition WHERE agreement_id = %s"
_WRITE = (
    "INSERT INTO exchange_edition (terms, agreement_id, version, digest, mark, sure, checked_at)"
    " VALUES (%s, %s, %s, %s, %s, %s, %s) ON CONFLICT (terms) DO UPDATE SET version = excluded.version,"
    " digest = excluded.digest, mark = excluded.mark, sure = excluded.sure, checked_at = excluded.checked_at"
)


@dataclass(frozen=True)
class Head:
    version: int
    digest: str
    mark: str
    sure: bool
    checked_at: datetime


def read(terms: str) -> Head | None:
    """raises   Unavailable"""
    with reading("the node's database") as cursor:
        cursor.execute(_SELECT, (terms,))
        row = cursor.fetchone()
    return Head(row[0], row[1], row[2], bool(row[3]), moment(row[4])) if row else None


def next_version(agreement: str) -> int:
    """For the first edition of new terms: beyond every version of the agreement, so that none comes again."""
    with reading("the node's database") as cursor:
        cursor.execute(_NEWEST, (agreement,))
        newest = cursor.fetchone()[0]
    return 0 if newest is None else int(newest) + 1


def write(agreement: str, terms: str, edition: Edition, state: SourceState) -> None:
    with reading("the node's database") as cursor:
        at = cursor.db.ops.adapt_datetimefield_value(state.at)
        cursor.execute(_WRITE, (terms, agreement, edition.version, edition.digest, state.mark, state.sure, at))
