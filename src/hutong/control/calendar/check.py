"""What `hutong doctor` finds about the calendar."""

from __future__ import annotations

from collections.abc import Iterator

from hutong.control.calendar.queries import in_force, missing_years
from hutong.control.statute import day
from hutong.node.checkup import Finding
from hutong.node.settings import Settings
from hutong.vocabulary.calendar import CalendarYearMissing


def years(_settings: Settings) -> Iterator[Finding]:
    today = day.today()
    missing = missing_years(today)
    for year in missing:
        said = CalendarYearMissing(year=year)
        yield Finding("calendar", "fail" if year == today.year else "warn", f"{said.say('en')} {said.next_step('en')}")
    if not missing:
        yield Finding("calendar", "ok", f"working days are known to the end of {max(in_force().years)}")
