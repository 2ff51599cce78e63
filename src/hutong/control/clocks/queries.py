"""What is due, by whom and when."""

from __future__ import annotations

from datetime import date

from django.db.models import F, QuerySet

from hutong.control.calendar import queries as calendars
from hutong.control.clocks.models import Clock
from hutong.control.identity.rules import ACROSS_DEPARTMENTS, Actor
from hutong.control.statute import day
from hutong.vocabulary.calendar import CalendarYearMissing
from hutong.vocabulary.errors import NotFound


def running(account: Actor) -> QuerySet[Clock]:
    """The clocks an account may see that still run, the earliest day first; those without a day at the end."""
    return visible(account).filter(state="running").order_by(F("due_on").asc(nulls_last=True), "id")


def visible(account: Actor) -> QuerySet[Clock]:
    """The clocks of an account's department; all for those who stand above departments."""
    if account.role in ACROSS_DEPARTMENTS:
        return Clock.objects.all()
    return Clock.objects.filter(department=account.department_id or "-")


def of(subject: str) -> QuerySet[Clock]:
    """Every clock about one thing, the oldest first."""
    return Clock.objects.filter(subject=subject).order_by("created_at", "id")


def overdue(on: date | None = None) -> QuerySet[Clock]:
    """Running clocks whose last day has passed, the latest first."""
    return Clock.objects.filter(state="running", due_on__lt=on or day.today()).order_by("due_on", "id")


def clock(clock_id: str) -> Clock:
    """raises   NotFound"""
    found = Clock.objects.filter(id=clock_id).first()
    if found is None:
        raise NotFound(what="clock", what_zh="期限", name=clock_id[:60])
    return found


def days_left(found: Clock) -> int | None:
    """Working days to its last day, negative when late; None without a day, or without the calendar."""
    return DaysLeft()(found)


class DaysLeft:
    """The working days left of many clocks, with the calendar read once."""

    def __init__(self) -> None:
        self._calendar, self._today = calendars.in_force(), day.today()

    def __call__(self, found: Clock) -> int | None:
        if found.due_on is None or found.state != "running":
            return None
        try:
            return self._calendar.left(self._today, found.due_on)
        except CalendarYearMissing:
            return None
