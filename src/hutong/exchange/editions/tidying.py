"""What need not be kept: files of agreements that are over, and downloads whose time has passed."""

from __future__ import annotations

from datetime import UTC, datetime

from hutong.exchange.database import json_value, reading
from hutong.exchange.downloads import forget_old
from hutong.exchange.editions.shelf import Shelf
from hutong.exchange.grants.grant import Grant
from hutong.vocabulary.errors import Refused

EVERY_S = 3600.0
_GRANT = "SELECT state, document FROM exchange_grant WHERE agreement_id = %s"


def tidy(shelf: Shelf) -> None:
    """From a worker thread. Repeatable, and safe beside other processes that do it. raises   Unavailable"""
    forget_old()
    for agreement in shelf.agreements():
        if is_over(agreement):
            shelf.remove(agreement)


def is_over(agreement: str) -> bool:
    """Whether nothing leaves under an agreement of ours any more: it was ended, or its term has passed."""
    with reading("the grants' database") as cursor:
        cursor.execute(_GRANT, (agreement,))
        row = cursor.fetchone()
    if row is None or row[0] == "ended":
        return True
    try:
        last = Grant.from_document(json_value(row[1])).in_force.last
    except Refused:
        return True  # what cannot be read is not served either
    return last is not None and last <= datetime.now(UTC)
