"""Counting a period: cases in, figures out. The same cases give the same figures and the same digest."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import Any

from django.db import transaction

from hutong.control.oversight.measures import Case, Measure, measures
from hutong.control.oversight.models import Figure
from hutong.control.oversight.periods import Period


@dataclass
class Count:
    """What a department has in one measure."""

    counted: int = 0
    of: int = 0
    days: Counter[str] = field(default_factory=Counter)
    parts: Counter[str] = field(default_factory=Counter)
    rows: Any = field(default_factory=hashlib.sha256)

    def add(self, case: Case) -> None:
        self.of += case.many
        self.counted += case.many if case.counted else 0
        if case.days is not None:
            self.days[str(case.days)] += case.many
        if case.part:
            self.parts[case.part] += case.many
        self.rows.update(f"{case.key}\t{case.counted:d}\t{case.many}\n".encode())

    @property
    def digest(self) -> str:
        return "sha256:" + str(self.rows.hexdigest())


def count(cases: Iterable[Case]) -> dict[str, Count]:
    """By department."""
    found: dict[str, Count] = {}
    for case in cases:
        found.setdefault(case.department, Count()).add(case)
    return found


def count_month(month: Period, today: date) -> None:
    """Count a month anew, one transaction a measure. A year's figures are sums of its months; nothing is read twice."""
    for one in measures():
        if one.ground.present():
            keep(one, month, today, count(one.ground.cases(month, today)))


@transaction.atomic
def keep(measure: Measure, period: Period, today: date, counts: dict[str, Count]) -> None:
    """Put the figures of one measure and period in the place of the older ones."""
    now = datetime.now(UTC)
    Figure.objects.filter(grain=period.grain, since=period.since, measure=measure.name).exclude(
        department__in=list(counts)
    ).delete()
    counts.setdefault("", Count())  # the node's own line stands also where nothing happened
    for department, found in counts.items():
        Figure.objects.update_or_create(
            grain=period.grain,
            since=period.since,
            measure=measure.name,
            department=department,
            defaults={
                "until": period.until,
                "as_of": today,
                "counted": found.counted,
                "of": found.of,
                "days": dict(sorted(found.days.items(), key=lambda one: int(one[0]))),
                "parts": dict(sorted(found.parts.items())),
                "rows_digest": found.digest,
                "counted_at": now,
            },
        )


def sum_up(period: Period, today: date) -> None:
    """A quarter or a year from its months. What is a snapshot is taken from the last month that has it."""
    months = [one.since for one in period.months]
    for one in measures():
        kept = Figure.objects.filter(grain="month", measure=one.name, since__in=months).order_by("since", "department")
        rows = list(kept)
        if not rows:
            continue
        if one.ground.snapshot:
            rows = [row for row in rows if row.since == rows[-1].since]
        keep(one, period, today, _summed(rows))


def _summed(rows: Iterable[Figure]) -> dict[str, Count]:
    found: dict[str, Count] = {}
    for row in rows:
        sums = found.setdefault(row.department, Count())
        sums.counted += row.counted
        sums.of += row.of
        sums.days.update(row.days)
        sums.parts.update(row.parts)
        sums.rows.update(f"{row.since}\t{row.rows_digest}\n".encode())
    return found
