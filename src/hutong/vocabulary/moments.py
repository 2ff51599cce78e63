"""Moments as they travel and stand in documents: RFC 3339, in UTC, to the millisecond."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import overload


@overload
def rfc3339(moment: datetime) -> str: ...
@overload
def rfc3339(moment: None) -> None: ...
def rfc3339(moment: datetime | None) -> str | None:
    """`2026-11-30T08:00:00.000Z`; what is finer than a millisecond is cut off. None for no moment.

    moment   with a zone, any
    """
    if moment is None:
        return None
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def to_the_millisecond(moment: datetime) -> datetime:
    """As the other side reads it from the text, so that both make the same digest of it."""
    return moment.replace(microsecond=moment.microsecond // 1000 * 1000)
