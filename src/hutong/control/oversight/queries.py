"""Reads of supervision: scorecards, the rows behind a figure, whose feed is stale, what is overdue."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Literal

from django.db.models import Count, Max

from hutong.control.oversight.measures import SIDES, Measure, stale, with_cycle
from hutong.control.oversight.models import Figure
from hutong.control.oversight.periods import Period
from hutong.control.statute import day

State = Literal["measured", "stale", "not_measured", "not_counted"]
FRESH_FOR = timedelta(hours=2)  # a figure of the running month is counted every ten minutes


@dataclass(frozen=True)
class Feed:
    """Whether a department's sources bring data. `since`: the last day one of them was within its cycle, if any was."""

    stale: bool = False
    since: date | None = None


@dataclass(frozen=True)
class Line:
    """One measure of a card: its figure, or why there is none."""

    measure: Measure
    state: State
    counted: int = 0
    of: int = 0
    median_days: int | None = None
    parts: dict[str, int] = field(default_factory=dict)
    counted_at: datetime | None = None
    stale_since: date | None = None
    without: tuple[str, ...] = ()  # departments whose part is stale and is not in the sum

    @property
    def percent(self) -> float | None:
        return 100 * self.counted / self.of if self.of else None


def card(period: Period, side: str, department: str | None) -> list[Line]:
    """The scorecard of one department, or of the whole node with None."""
    names = [one.name for one in SIDES[side]]
    found = Figure.objects.filter(grain=period.grain, since=period.since, measure__in=names)
    if department is not None:
        found = found.filter(department=department)
    by_measure: dict[str, list[Figure]] = {name: [] for name in names}
    for figure in found.order_by("department"):
        by_measure[figure.measure].append(figure)
    fed = feeds()
    return [_line(one, by_measure[one.name], fed, period, department) for one in SIDES[side]]


def _line(
    measure: Measure, figures: Sequence[Figure], fed: dict[str, Feed], period: Period, department: str | None
) -> Line:
    """A stale feed is said, never counted as nothing."""
    if not measure.ground.present():
        return Line(measure, "not_measured")
    running = period.since <= day.today() < period.until
    counted_at = max((one.counted_at for one in figures), default=None)
    if counted_at is not None and running and datetime.now(UTC) - counted_at > FRESH_FOR:
        return Line(measure, "stale", counted_at=counted_at, stale_since=counted_at.date())
    out = {code for code, one in fed.items() if one.stale} if measure.of_data and running else set()
    if department is not None and department in out:
        return Line(measure, "stale", counted_at=counted_at, stale_since=fed[department].since)
    if not figures and department is None:
        return Line(measure, "not_counted")
    kept = [one for one in figures if one.department not in out]
    days, parts = Counter[str](), Counter[str]()
    for one in kept:
        days.update(one.days)
        parts.update(one.parts)
    return Line(
        measure,
        "measured",
        counted=sum(one.counted for one in kept),
        of=sum(one.of for one in kept),
        median_days=median(days),
        parts=dict(parts),
        counted_at=counted_at,
        without=tuple(sorted(out)),
    )


def median(days: dict[str, int] | Counter[str]) -> int | None:
    """The middle of so many cases by their days; the lower of two middles. None without a case."""
    total = sum(days.values())
    seen = 0
    for length in sorted(days, key=int):
        seen += days[length]
        if 2 * seen >= total:
            return int(length)
    return None


def feeds(today: date | None = None) -> dict[str, Feed]:
    """By department with published resources: stale when none of those with a cycle is within it."""
    late = stale(today or day.today())
    rows = (
        with_cycle()
        .select_related(None)
        .order_by()
        .values_list("department_id")
        .annotate(many=Count("pk"), late=Count("pk", filter=late), since=Max("freshness__fresh_until"))
    )
    return {code: Feed(stale=many == without, since=since) for code, many, without, since in rows}


def ranking(period: Period, measure: Measure) -> list[Figure]:
    """A measure by department, the most failures first."""
    found = Figure.objects.filter(grain=period.grain, since=period.since, measure=measure.name, of__gt=0)
    return list(found.order_by("-counted", "-of", "department"))


def history(measure: Measure, period: Period, department: str | None, many: int = 12) -> list[tuple[Period, int, int]]:
    """The last periods, the oldest first: (period, counted, of)."""
    periods = [period]
    while len(periods) < many:
        periods.append(periods[-1].before)
    found = Figure.objects.filter(grain=period.grain, measure=measure.name, since__in=[one.since for one in periods])
    if department is not None:
        found = found.filter(department=department)
    sums: dict[date, list[int]] = {}
    for one in found:
        both = sums.setdefault(one.since, [0, 0])
        both[0] += one.counted
        both[1] += one.of
    return [(one, *sums.get(one.since, [0, 0])) for one in reversed(periods)]  # type: ignore[misc]


def periods_held() -> list[Period]:
    """The months there are figures of, the newest first."""
    months = Figure.objects.filter(grain="month").order_by("-since").values_list("since", flat=True).distinct()
    return [Period("month", since) for since in months]


def hidden(count: int, fewest: int) -> bool:
    """True for a number of cases too small to publish; none at all tells of nobody."""
    return 0 < count < fewest


def publishable(parts: dict[str, int], fewest: int) -> dict[str, int | None]:
    """The parts of a published total, None where hidden. A single hidden part could be had by subtraction, so the
    next smallest goes with it."""
    out: dict[str, int | None] = {code: None if hidden(many, fewest) else many for code, many in parts.items()}
    gone = [code for code, many in out.items() if many is None]
    if len(gone) == 1:
        rest = [(many, code) for code, many in out.items() if many]
        if rest:
            out[min(rest)[1]] = None
    return out
