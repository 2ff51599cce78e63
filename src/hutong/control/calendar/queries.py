from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime
from functools import lru_cache

from hutong.control.calendar.models import CalendarLoad
from hutong.vocabulary.calendar import PUBLISHED, WorkCalendar

WARN_FROM_MONTH = 10  # a quarter before the year begins; the notice is usually out in November


def in_force() -> WorkCalendar:
    """The calendar of this node: the package's, under everything that was loaded."""
    newest = CalendarLoad.objects.order_by("-id").values_list("id", "digest", "loaded_at").first()
    return PUBLISHED if newest is None else _with_loads(newest)


def loads(year: int | None = None) -> list[CalendarLoad]:
    """What was loaded, oldest first."""
    rows = CalendarLoad.objects.order_by("id")
    return list(rows if year is None else rows.filter(year=year))


def standing(rows: Iterable[CalendarLoad]) -> list[CalendarLoad]:
    """Those of the loads that still count: of each year its newest whole one, and what came after it."""
    kept: dict[int, list[CalendarLoad]] = {}
    for one in rows:
        kept[one.year] = [one] if one.whole else [*kept.get(one.year, ()), one]
    return sorted((one for of_year in kept.values() for one in of_year), key=lambda one: one.pk)


def missing_years(today: date) -> list[int]:
    """Years that clocks run in, or reach within a quarter, and whose holidays are not known."""
    reached = [today.year] + ([today.year + 1] if today.month >= WARN_FROM_MONTH else [])
    return [year for year in reached if year not in in_force().years]


def days_of(load: CalendarLoad) -> dict[date, bool]:
    return {date.fromisoformat(day): works for day, works in load.days.items()}


@lru_cache(maxsize=4)
def _with_loads(_newest: tuple[int, str, datetime]) -> WorkCalendar:
    # Asked for with every due day: the rows are read again only when one was added.
    calendar = PUBLISHED
    for one in standing(loads()):
        calendar = calendar.over(days_of(one), [one.year] if one.whole else [])
    return calendar
