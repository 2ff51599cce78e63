"""Reminding those who can see to it that a year's holidays are not loaded, from a quarter ahead and every week."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from django.db import transaction

from hutong.control.calendar.queries import missing_years
from hutong.control.calendar.rules import CalendarYearSoon
from hutong.control.notices.actions import tell
from hutong.control.notices.models import Notice
from hutong.control.statute import day

TOLD_ROLES = (
    "steward",
    "supervisor",
)  # one loads it, the other approves; the operator has no account and asks the doctor
AGAIN_AFTER = timedelta(days=7)


def warn() -> None:
    """Tell of each missing year, at most once a week. Safe to run again."""
    for year in missing_years(day.today()):
        _tell_of(year)


@transaction.atomic
def _tell_of(year: int) -> None:
    since = datetime.now(UTC) - AGAIN_AFTER
    if Notice.objects.filter(subject=f"calendar:{year}", code=CalendarYearSoon.code, at__gt=since).exists():
        return
    for role in TOLD_ROLES:
        tell(CalendarYearSoon(year=year), role=role, subject=f"calendar:{year}", page=("calendar",))
