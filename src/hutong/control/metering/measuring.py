"""Meter lines out of the use register: its own rows, each counted once, however often it is counted again.

The day of an exchange is the day it was first put on record, in China; how it ended may be written later, which is why
a day may have a further version.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from django.db.models import Count, Max, Q, Sum
from django.db.models.functions import Coalesce

from hutong.control.metering.rules import COUNTS, WORDS
from hutong.control.statute.day import CHINA
from hutong.exchange.models import ExchangeRecord


def bounds(day: date) -> tuple[datetime, datetime]:
    """The first moment of a day, and of the next."""
    start = datetime.combine(day, time(), CHINA).astimezone(UTC)
    return start, start + timedelta(days=1)


def peers(day: date) -> list[str]:
    """Whom anything was exchanged with."""
    since, until = bounds(day)
    rows = ExchangeRecord.objects.filter(at__gte=since, at__lt=until).order_by()
    return sorted(rows.values_list("peer", flat=True).distinct())


def lines(day: date, peer: str) -> list[dict[str, Any]]:
    """What was exchanged with a partner on a day, in one order.

    calls       exchanges         hits        those with at least one row
    rows, bytes                   took_ms     of all together; slowest_ms of the slowest
    aged, age_s  how many of them tell how old the source's data was, and the sum of those ages in seconds
    """
    since, until = bounds(day)
    found = ExchangeRecord.objects.filter(at__gte=since, at__lt=until, peer=peer).order_by()
    grouped = found.values("role", "agreement_id", "purpose", "outcome", "code", "form").annotate(
        n_calls=Count("id"),
        n_hits=Count("id", filter=Q(rows__gt=0)),
        n_rows=Coalesce(Sum("rows"), 0),
        n_bytes=Coalesce(Sum("bytes"), 0),
        n_took_ms=Coalesce(Sum("took_ms"), 0),
        n_slowest_ms=Coalesce(Max("took_ms"), 0),
        n_aged=Count("age_s"),
        n_age_s=Coalesce(Sum("age_s"), 0),
    )
    made = [_line(dict(one)) for one in grouped]
    return sorted(made, key=lambda line: tuple(line[name] for name in WORDS))


def _line(one: dict[str, Any]) -> dict[str, Any]:
    words = {**one, "agreement": one["agreement_id"]}
    return {**{name: words[name] for name in WORDS}, **{name: int(one[f"n_{name}"]) for name in COUNTS}}
