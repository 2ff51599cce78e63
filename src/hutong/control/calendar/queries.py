from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import lru_cache
from operator import itemgetter

from django.db.models import QuerySet

from hutong.control.calendar.models import CalendarLoad, CalendarProposal
from hutong.control.calendar.reading import Days, Reading
from hutong.vocabulary.calendar import PUBLISHED, WorkCalendar
from hutong.vocabulary.errors import NotFound

WARN_FROM_MONTH = 10  # a quarter before the year begins; the notice is usually out in November


@dataclass(frozen=True)
class Effect:
    """What one file does to one year once it is in force."""

    year: int
    off: int  # days off that it names
    made_up: int  # Saturdays and Sundays that it makes working days
    changed: Mapping[date, bool]  # days of known years that become worked, or days off
    again: bool  # the very same was loaded last already: it adds nothing


def in_force() -> WorkCalendar:
    """The calendar of this node: the package's, under everything that was loaded."""
    newest = CalendarLoad.objects.order_by("-id").values_list("id", "digest", "loaded_at").first()
    return PUBLISHED if newest is None else _with_loads(newest)


def loads(year: int | None = None) -> list[CalendarLoad]:
    """What was loaded, oldest first."""
    rows = CalendarLoad.objects.select_related("proposal").order_by("id")
    return list(rows if year is None else rows.filter(year=year))


def standing(rows: Iterable[CalendarLoad]) -> list[CalendarLoad]:
    """Those of the loads that still count: of each year its newest whole one, and what came after it."""
    kept: dict[int, list[tuple[int, CalendarLoad]]] = {}
    for at, one in enumerate(rows):
        kept[one.year] = [(at, one)] if one.whole else [*kept.get(one.year, ()), (at, one)]
    return [one for _, one in sorted((one for of_year in kept.values() for one in of_year), key=itemgetter(0))]


def missing_years(today: date) -> list[int]:
    """Years that clocks run in, or reach within a quarter, and whose holidays are not known."""
    reached = [today.year] + ([today.year + 1] if today.month >= WARN_FROM_MONTH else [])
    return [year for year in reached if year not in in_force().years]


def effects(reading: Reading) -> list[Effect]:
    """What a file would change, or changes, year by year, the earliest first.

    raises   BadInput when it lists a year in part that is not known otherwise
    """
    before, made = in_force(), loads_of(reading)
    if reading.kind == "table":
        before.with_days({day: works for of_year in reading.years.values() for day, works in of_year.items()})
    after = _calendar([*loads(), *made])
    return [_effect(one, before, after) for one in made]


def loads_of(reading: Reading) -> list[CalendarLoad]:
    """One for each year of a file, the earliest first, as it would be kept; nothing is."""
    return [
        CalendarLoad(
            year=year,
            whole=reading.is_whole(year),
            days={day.isoformat(): works for day, works in sorted(days.items())},
            kind=reading.kind,
            file_name=reading.file_name,
            digest=reading.digest,
        )
        for year, days in sorted(reading.years.items())
    ]


def proposals() -> QuerySet[CalendarProposal]:
    """What waits for a second person, the oldest first."""
    return CalendarProposal.objects.filter(state="proposed").order_by("proposed_at", "id")


def proposal(proposal_id: str) -> CalendarProposal:
    """raises   NotFound"""
    found = CalendarProposal.objects.filter(id=proposal_id).first()
    if found is None:
        raise NotFound(what="calendar", what_zh="工作日历版本", name=proposal_id[:36])
    return found


def reading_of(one: CalendarProposal) -> Reading:
    """A proposed file as it was read."""
    years = {int(year): _days(days) for year, days in one.years.items()}
    return Reading(one.kind, one.file_name, one.text, one.digest, years)


def days_of(load: CalendarLoad) -> dict[date, bool]:
    return _days(load.days)


def made_up(days: Days) -> int:
    """How many Saturdays and Sundays are worked."""
    return sum(works and day.weekday() >= 5 for day, works in days.items())


def _days(days: Mapping[str, bool]) -> dict[date, bool]:
    return {date.fromisoformat(day): works for day, works in days.items()}


def _effect(made: CalendarLoad, before: WorkCalendar, after: WorkCalendar) -> Effect:
    days = days_of(made)
    whole_year = (date(made.year, 1, 1) + timedelta(days=step) for step in range(366))
    looked_at = sorted(day for day in {*days, *whole_year} if day.year in before.years)
    newest = CalendarLoad.objects.filter(year=made.year).order_by("-id").first()
    return Effect(
        made.year,
        off=sum(not works for works in days.values()),
        made_up=made_up(days),
        changed={day: after.works(day) for day in looked_at if before.works(day) != after.works(day)},
        again=newest is not None and (newest.digest, newest.days) == (made.digest, made.days),
    )


def _calendar(rows: Iterable[CalendarLoad]) -> WorkCalendar:
    calendar = PUBLISHED
    for one in standing(rows):
        calendar = calendar.over(days_of(one), [one.year] if one.whole else [])
    return calendar


@lru_cache(maxsize=4)
def _with_loads(_newest: tuple[int, str, datetime]) -> WorkCalendar:
    # Asked for with every due day: the rows are read again only when one was added.
    return _calendar(loads())
