"""Starting, meeting, extending clocks, and finding the late ones."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from typing import Any

from django.db import transaction

from hutong.control.calendar import queries as calendars
from hutong.control.clocks import hooks
from hutong.control.clocks.models import Clock
from hutong.control.clocks.rules import (
    DueSoon,
    ExtensionAsked,
    ExtensionDecided,
    check_may_extend,
    clock_rule,
)
from hutong.control.identity.rules import Action, Actor, check
from hutong.control.notices.actions import tell
from hutong.control.statute import day, queries
from hutong.control.statute.decisions import decide
from hutong.ledger.record import record
from hutong.vocabulary.calendar import CalendarYearMissing
from hutong.vocabulary.errors import NotFound, WrongState
from hutong.vocabulary.ids import new_id
from hutong.vocabulary.rulebook import ClockRule
from hutong.vocabulary.text import checked

REMIND_LEFT = (3, 1)  # working days before the last day; owner: this node
BY_THE_CLOCK = "rule:clock"


@transaction.atomic
def start(
    rule: type[ClockRule],
    subject: str,
    *,
    department: str = "",
    title_zh: str = "",
    title_en: str = "",
    received: date | None = None,
    page: Sequence[str] = (),
) -> Clock:
    """Start a term, in the transaction of what starts it. One that runs already is left as it is, and returned.

    received   day 0, in China; today where it is not given
    page       name of the page's address and its arguments, where the duty is done
    """
    running = _running(rule, subject)
    if running is not None:
        return running
    received = received or day.today()
    outcome = decide("clock.due", subject, {"rule": rule.name(), "received": received.isoformat()})
    clock = Clock.objects.create(
        id=new_id(),
        rule=rule.name(),
        subject=subject,
        department=department,
        role=rule.role,
        title_zh=(title_zh or title_en)[:200],
        title_en=(title_en or title_zh)[:200],
        page=list(page),
        received_on=received,
        days=outcome["days"],
        due_on=_day(outcome["due"]),
    )
    _record(clock, "clock.started", BY_THE_CLOCK, {"received": received.isoformat(), "days": clock.days})
    return clock


def meet(rule: type[ClockRule], subject: str) -> None:
    """What was due is done: in time, or late, which is kept. Where no such clock runs, nothing happens."""
    _end(rule, subject, met=True)


def drop(rule: type[ClockRule], subject: str, reason: str = "") -> None:
    """The duty fell away. Where no such clock runs, nothing happens."""
    _end(rule, subject, met=False, reason=reason)


@transaction.atomic
def ask_extension(by: Actor, clock_id: str, reason: str) -> Clock:
    """Ask the supervisor to extend a term, once.

    raises   NotAllowed, OtherDepartment, NotFound, WrongState, NoExtension, ExtensionTwice, ExtensionWithoutReason
    """
    clock = _held(clock_id)
    check(by, Action.ASK_EXTENSION, clock.department or None)
    rule = clock_rule(clock.rule)
    check_may_extend(rule, clock.extension_state, reason)
    clock.extension_state, clock.extension_asked_by = "asked", by.username
    clock.extension_reason = checked("reason", reason, limit=500, lines=True)
    clock.save()
    days = queries.parameter(rule, "extension_days", day.today())
    _record(clock, "clock.extension_asked", by.username, {"reason": clock.extension_reason, "days": days})
    asked = ExtensionAsked(**_title(clock), days=days, reason=clock.extension_reason)
    tell(asked, role="supervisor", subject=clock.subject, page=("clock", clock.id))
    return clock


@transaction.atomic
def decide_extension(by: Actor, clock_id: str, *, consent: bool) -> Clock:
    """Consent to an extension that was asked for, or refuse it, as the supervisor.

    raises   NotAllowed, NotFound, WrongState
    """
    clock = _held(clock_id)
    check(by, Action.CONSENT_EXTENSION)
    if clock.extension_state != "asked":
        raise WrongState(
            what="extension", what_zh="期限延长", state=clock.extension_state or "none", possible=["asked"]
        )
    clock.extension_decided_by = by.username
    clock.extension_state = "consented" if consent else "refused"
    if consent:
        facts = {"rule": clock.rule, "received": clock.received_on.isoformat(), "extended": True}
        outcome = decide("clock.due", clock.subject, facts)
        clock.extended_days, clock.due_on = outcome["extension"], _day(outcome["due"])
        if clock.due_on is None or clock.due_on >= day.today():
            clock.overdue_since = None
    clock.save()
    _record(clock, f"clock.extension_{clock.extension_state}", by.username, {"days": clock.extended_days})
    words = ("consented to", "同意") if consent else ("refused", "不同意")
    decided = ExtensionDecided(**_title(clock), decided=words[0], decided_zh=words[1], due=_iso(clock.due_on))
    tell(decided, account=clock.extension_asked_by, subject=clock.subject, page=clock.page)
    if consent:
        hooks.extended(clock)
    return clock


def look() -> None:
    """Find the late clocks and tell those concerned; remind of the near ones; place those that had no day yet.

    A clock is dealt with in a transaction of its own, and once: safe to run again after any crash.
    """
    today = day.today()
    for found in Clock.objects.filter(state="running", due_on=None).values_list("id", flat=True):
        _place(found)
    late = Clock.objects.filter(state="running", due_on__lt=today, overdue_since=None)
    for found in late.values_list("id", flat=True):
        _find_late(found, today)
    for found, left in _near(today):
        _remind(found, left, today)


@transaction.atomic
def _find_late(clock_id: str, today: date) -> None:
    clock = _held(clock_id)
    if clock.overdue_since is not None or clock.due_on is None or clock.due_on >= today:
        return
    clock.overdue_since = today
    clock.save()
    _record(clock, "clock.overdue", BY_THE_CLOCK, {"due": _iso(clock.due_on)})
    for role in ("officer", "head"):
        if clock.department:
            tell(lateness(clock), role=role, department=clock.department, subject=clock.subject, page=clock.page)
    tell(lateness(clock), role="supervisor", subject=clock.subject, page=("clock", clock.id))


@transaction.atomic
def _remind(clock_id: str, left: int, today: date) -> None:
    clock = _held(clock_id)
    if clock.reminded_on == today:
        return
    clock.reminded_on = today
    clock.save()
    soon = DueSoon(**_title(clock), due=_iso(clock.due_on), left=left)
    tell(soon, role=clock.role, department=clock.department, subject=clock.subject, page=clock.page)


@transaction.atomic
def _place(clock_id: str) -> None:
    """Give a clock its day, once the calendar of its year is loaded."""
    clock = _held(clock_id)
    try:
        calendars.in_force().due(clock.received_on, clock.days + clock.extended_days)
    except CalendarYearMissing:
        return
    facts: dict[str, Any] = {"rule": clock.rule, "received": clock.received_on.isoformat()}
    if clock.extended_days:
        facts["extended"] = True
    outcome = decide("clock.due", clock.subject, facts)
    clock.due_on = _day(outcome["due"])
    clock.save()
    _record(clock, "clock.placed", BY_THE_CLOCK, {"due": _iso(clock.due_on)})


def lateness(clock: Clock) -> ClockRule:
    """The rule's sentence for a late clock: what people are told, and what every page shows."""
    rule = clock_rule(clock.rule)
    days = clock.days + clock.extended_days
    return rule(**_title(clock), due=_iso(clock.due_on), received=_iso(clock.received_on), days=days)


def _near(today: date) -> list[tuple[str, int]]:
    """The clocks to remind of today, with the working days left: those of the few last days that are so far off."""
    left = _last_days(today)
    found = Clock.objects.filter(state="running", due_on__in=left).exclude(reminded_on=today)
    dated = found.order_by("due_on", "id").values_list("id", "due_on")
    return [(clock_id, left[due_on]) for clock_id, due_on in dated if due_on is not None]


def _last_days(today: date) -> dict[date, int]:
    """The days that are as many working days away as one is reminded at; none in a year without a calendar."""
    calendar, on, left = calendars.in_force(), today, 0
    found = {}
    try:
        while left <= max(REMIND_LEFT):
            if left in REMIND_LEFT:
                found[on] = left
            on += timedelta(days=1)
            left += calendar.works(on)
    except CalendarYearMissing:
        pass  # `hutong doctor` and the calendar's own duty warn of it
    return found


@transaction.atomic
def _end(rule: type[ClockRule], subject: str, *, met: bool, reason: str = "") -> None:
    clock = _running(rule, subject)
    if clock is None:
        return
    today = day.today()
    late = met and clock.due_on is not None and today > clock.due_on
    clock.state = ("late" if late else "met") if met else "dropped"
    clock.met_on = today if met else None
    clock.save()
    _record(clock, f"clock.{clock.state}", BY_THE_CLOCK, {"due": _iso(clock.due_on), "reason": reason})


def _running(rule: type[ClockRule], subject: str) -> Clock | None:
    found = Clock.objects.select_for_update().filter(rule=rule.name(), subject=subject, state="running")
    return found.first()


def _held(clock_id: str) -> Clock:
    clock = Clock.objects.select_for_update().filter(id=clock_id).first()
    if clock is None:
        raise NotFound(what="clock", what_zh="期限", name=clock_id[:60])
    if clock.state != "running":
        raise WrongState(what="clock", what_zh="期限", state=clock.state, possible=["running"])
    return clock


def _title(clock: Clock) -> dict[str, str]:
    return {"title": clock.title_en or clock.subject, "title_zh": clock.title_zh or clock.subject}


def _record(clock: Clock, kind: str, actor: str, detail: dict[str, Any]) -> None:
    record(kind, clock.subject, actor, {"clock": clock.id, "rule": clock.rule, **detail})


def _day(text: str | None) -> date | None:
    return date.fromisoformat(text) if text else None


def _iso(value: date | None) -> str:
    return value.isoformat() if value else ""
