"""The working-day clock: the State Council's holidays, with make-up working Saturdays and Sundays.

The day of receipt is day 0. A year whose holidays are not known is refused, never guessed: the
holidays of a year are announced in the November before it, and no rule predicts them.

An operator loads what the package does not know yet as `calendar.csv` in the node's folder, with the
columns date, kind; kind is holiday, makeup_workday, workday or weekend. The file wins over the package. It must
know a whole year: a year counts as known once its three fixed holidays are listed.
"""

from __future__ import annotations

import csv
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from functools import lru_cache
from pathlib import Path

from chinese_calendar import constants  # type: ignore[import-untyped]

from hutong.vocabulary.errors import BadInput, Refused

FILE_NAME = "calendar.csv"
FIXED_HOLIDAYS = ((1, 1), (5, 1), (10, 1))  # New Year, Labour Day, National Day: in every year's announcement
WORKS = {"holiday": False, "weekend": False, "makeup_workday": True, "workday": True}
MOST_DAYS = 1000  # working days in one step; the longest statutory clock is 20


class CalendarYearMissing(Refused):
    """The holidays of {year} are not known here, so no working day of it can be computed."""

    zh = "本节点尚无 {year} 年的节假日安排，无法计算该年的工作日。"
    code = "calendar_year_missing"
    status = 503
    next_en = "Load the announced holidays of {year} as calendar.csv in the node's folder."
    next_zh = "请将 {year} 年的节假日安排以 calendar.csv 载入节点目录。"


def _published() -> dict[date, bool]:
    days = dict.fromkeys(constants.holidays, False)
    days.update(dict.fromkeys(constants.workdays, True))
    return days


@dataclass(frozen=True)
class WorkCalendar:
    """Which days are worked. `exceptions` are the days that differ from Monday-to-Friday."""

    exceptions: Mapping[date, bool] = field(default_factory=_published)
    years: frozenset[int] = frozenset(day.year for day in constants.holidays)

    def works(self, day: date) -> bool:
        """True when offices work on this day.

        raises   CalendarYearMissing
        """
        if day.year not in self.years:
            raise CalendarYearMissing(year=day.year)
        exception = self.exceptions.get(day)
        return day.weekday() < 5 if exception is None else exception

    def due(self, received: date, working_days: int) -> date:
        """The last day of a clock that starts on the day of receipt (day 0).

        raises   CalendarYearMissing, ValueError when working_days is not between 0 and 1,000
        """
        if not 0 <= working_days <= MOST_DAYS:
            raise ValueError("working_days is between 0 and 1,000")
        day = received
        while working_days:
            day += timedelta(days=1)
            working_days -= self.works(day)
        return day

    def left(self, today: date, due: date) -> int:
        """Working days from today (not counted) to the due day (counted); negative when overdue.

        raises   CalendarYearMissing
        """
        first, last, sign = (today, due, 1) if today <= due else (due, today, -1)
        span = (last - first).days
        return sign * sum(self.works(first + timedelta(days=step)) for step in range(1, span + 1))

    def with_days(self, days: Mapping[date, bool]) -> WorkCalendar:
        """This calendar with an operator's days over it.

        raises   BadInput when a year is only partly listed and not known otherwise
        """
        years = {day.year for day in days}
        for year in sorted(years - self.years):
            if any(days.get(date(year, month, day), True) for month, day in FIXED_HOLIDAYS):
                raise BadInput(
                    reason=f"the calendar lists {year} in part: its fixed holidays are missing",
                    reason_zh=f"日历中 {year} 年不完整：缺少固定节假日",
                )
        return WorkCalendar({**self.exceptions, **days}, self.years | years)


PUBLISHED = WorkCalendar()


def read_days(lines: Iterable[str]) -> dict[date, bool]:
    """The days of a calendar file, true where worked.

    raises   BadInput naming the line
    """
    days: dict[date, bool] = {}
    for number, row in enumerate(csv.DictReader(lines), 2):
        try:
            days[date.fromisoformat(row["date"].strip())] = WORKS[row["kind"].strip()]
        except (KeyError, ValueError, AttributeError):
            raise BadInput(
                reason=f"line {number} of the calendar has no date, or a kind that is none",
                reason_zh=f"日历第 {number} 行没有日期，或类别无效",
            ) from None
    return days


def calendar_of(folder: Path) -> WorkCalendar:
    """The calendar of the node in a folder: the published one, under the folder's calendar.csv if it has one.

    raises   BadInput
    """
    file = folder / FILE_NAME
    try:
        changed_ns = file.stat().st_mtime_ns
    except FileNotFoundError:
        return PUBLISHED
    return _loaded(file, changed_ns)


@lru_cache(maxsize=8)
def _loaded(file: Path, changed_ns: int) -> WorkCalendar:  # noqa: ARG001 - a changed file is read anew
    with file.open(encoding="utf-8-sig", newline="") as lines:
        return PUBLISHED.with_days(read_days(lines))
