"""What the operator's metrics read of the exchange: how the sources stand."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

from hutong.exchange.models import Source
from hutong.node.metrics import Reading
from hutong.node.settings import Settings


def sources(_settings: Settings) -> Iterator[Reading]:
    """By kind, never by name: a source's name is the department's own."""
    now = datetime.now(UTC)
    counts: dict[tuple[str, str], int] = {}
    oldest = 0.0
    for kind, checked_at, ok in Source.objects.values_list("kind", "checked_at", "check_ok"):
        state = "never" if checked_at is None else "answers" if ok else "fails"
        counts[kind, state] = counts.get((kind, state), 0) + 1
        if checked_at is not None:
            oldest = max(oldest, (now - checked_at).total_seconds())
    for (kind, state), count in sorted(counts.items()):
        yield Reading("hutong_sources", count, "Registered sources, by kind and state.", {"kind": kind, "state": state})
    yield Reading("hutong_source_oldest_check_seconds", oldest, "Since the source looked at longest ago was looked at.")
