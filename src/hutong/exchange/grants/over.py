"""Whether a grant is over: what was kept under its agreement may then go."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from hutong.exchange.database import json_value, reading
from hutong.exchange.grants.grant import Grant
from hutong.vocabulary.errors import Refused

_GRANT = "SELECT state, document FROM exchange_grant WHERE agreement_id = %s"


def is_over(agreement: str) -> bool:
    """Whether nothing leaves under an agreement of ours now: its delivery or its term is over, or it was ended."""
    row = _granted(agreement)
    return row is None or row[0] == "ended" or _term_is_over(row[1])


def term_is_over(agreement: str) -> bool:
    """Whether nothing will leave under an agreement of ours any more, even if delivery were asked for again."""
    row = _granted(agreement)
    return row is None or _term_is_over(row[1])


def _granted(agreement: str) -> tuple[str, Any] | None:
    with reading("the grants' database") as cursor:
        cursor.execute(_GRANT, (agreement,))
        row: tuple[str, Any] | None = cursor.fetchone()
    return row


def _term_is_over(document: Any) -> bool:
    try:
        last = Grant.from_document(json_value(document)).in_force.last
    except Refused:
        return True  # what cannot be read is not served either
    return last is not None and last <= datetime.now(UTC)
