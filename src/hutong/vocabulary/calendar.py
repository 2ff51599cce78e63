"""The working-day clock: the State Council's holidays, with make-up working Saturdays and Sundays.

The day of receipt is day 0. A year whose holidays are not known is refused, never guessed: the
holidays of a year are announced in the November before it, and no rule predicts them.

An operator loads what the package does not know yet: the notice itself (holiday_notice.py), or a table with the
columns date, kind; kind is holiday, makeup_workday, workday or weekend. What was loaded wins over the package. A
year counts as known once its three fixed holidays are listed; for a known year a table may change single days.
"""

from __future__ import annotations

import csv
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta

from chinese_calendar import constants  # type: ignore[import-untyped]

from hutong.vocabulary.errors import BadInput, Refused

FIXED_HOLIDAYS = ((1, 1), (5, 1), (10, 1))  # New Year, Labour Day, National Day: in every year's announcement
WORKS = {"holiday": False, "weekend": False, "makeup_workday": True, "workday": True}
MOST_DAYS = 1000  # working days in one step; the longest statutory clock is 20


class CalendarYearMissing(Refused):
    """The holidays of {year} are not known here, so no working day of it can be computed."""

    zh = "本节点尚无 {year} 年的节假日安排，无法计算该年的工作日。"
    code = "calendar_year_missing"
    status = 503
    next_en = (
        "Load the State Council's notice for {year} in the room Working days, or by: hutong calendar load DIR FILE."
    )
    next_zh = (
        "请在“工作日历”中载入国务院办公厅关于 {year} 年节假日安排的通知，或使用命令：hutong calendar load DIR FILE。"
    )


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
        """This calendar with the days of a table over it.

        raises   BadInput when a year is only partly listed and not known otherwise
        """
        years = {day.year for day in days}
        for year in sorted(years - self.years):
            if not is_whole(year, days):
                raise BadInput(
                    reason=f"the calendar lists {year} in part: its fixed holidays are missing",
                    reason_zh=f"日历中 {year} 年不完整：缺少固定节假日",
                )
        return self.over(days, years)

    def over(self, days: Mapping[date, bool], years: Iterable[int]) -> WorkCalendar:
        """This calendar with other days over it; `years` are known from now on."""
        return WorkCalendar({**self.exceptions, **days}, self.years | set(years))


def is_whole(year: int, days: Mapping[date, bool]) -> bool:
    """True when these days arrange the whole year: its three fixed holidays are among them, as days off."""
    return not any(days.get(date(year, month, day), True) for month, day in FIXED_HOLIDAYS)


PUBLISHED = WorkCalendar()


def read_days(lines: Iterable[str]) -> dict[date, bool]:
    """The days of a calendar file, true where worked.

    raises   BadInput naming the line
    """
    days: dict[date, bool] = {}
    reader = csv.DictReader(lines)
    try:
        for row in reader:
            days[date.fromisoformat(row["date"].strip())] = WORKS[row["kind"].strip()]
    except (KeyError, ValueError, AttributeError, csv.Error):
        raise BadInput(
            reason=f"line {reader.line_num} of the calendar has no date, or a kind that is none",
            reason_zh=f"日历第 {reader.line_num} 行没有日期，或类别无效",
        ) from None
    return days
