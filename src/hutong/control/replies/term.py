"""The term to reply: when it starts, whether a supplement stops it, and where it goes on."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any, Final

from hutong.control.agreements.consent import Asked
from hutong.control.agreements.models import Negotiation
from hutong.control.catalogue.models import Attribute
from hutong.control.clocks import actions as clocks
from hutong.control.clocks.models import Clock
from hutong.control.replies.rules import ConditionalReplyLate, SupplementAndClock, UnconditionalReplyLate
from hutong.control.statute import day
from hutong.control.statute.decisions import Facts, Law, Outcome, decide, decider
from hutong.vocabulary.calendar import CalendarYearMissing
from hutong.vocabulary.ids import uuid_of
from hutong.vocabulary.rulebook import ClockRule

REPLIES: Final[tuple[type[ClockRule], ...]] = (UnconditionalReplyLate, ConditionalReplyLate)


def begin_reply(negotiation: Negotiation, asked: Asked) -> date | None:
    """Start the term to reply on receipt; one that runs goes on, as after a supplement (SupplementAndClock).

    returns   the last day, None where the calendar of its year is not loaded
    """
    rule = UnconditionalReplyLate if asked.attribute == Attribute.UNCONDITIONAL else ConditionalReplyLate
    page = ("negotiation", uuid_of(negotiation.pid))
    titles = {"title_zh": asked.resource.title_zh, "title_en": asked.resource.title_en}
    received = _received_as(negotiation)
    clock = clocks.start(
        rule, subject_of(negotiation), department=negotiation.department, received=received, page=page, **titles
    )
    return clock.due_on


@decider("supplement.clock")
def supplement_clock(facts: Facts, law: Law) -> Outcome:  # noqa: ARG001 - the facts are kept for whoever asks why
    """D809-21 is silent on it: by default the clock runs on."""
    return {"stops": bool(law.parameter(SupplementAndClock, "stops_clock"))}


@decider("supplement.resumed")
def resumed(facts: Facts, law: Law) -> Outcome:
    """The day of receipt that leaves as many working days as were left when the clock stopped."""
    law.applied(SupplementAndClock)
    received, stopped, on = (date.fromisoformat(facts[name]) for name in ("received", "stopped", "resumed"))
    try:
        used = law.calendar.left(received, stopped)
        counted = on
        while used > 0:
            used -= law.calendar.works(counted)
            counted -= timedelta(days=1)
    except CalendarYearMissing:
        return {"received_as": on.isoformat()}
    return {"received_as": counted.isoformat()}


def subject_of(negotiation: Negotiation) -> str:
    return f"negotiation:{negotiation.pid}"


def _received_as(negotiation: Negotiation) -> date | None:
    """Day 0 of the clock: today, unless one was stopped by a supplement and goes on now."""
    stopped: dict[str, Any] = {}
    for clock in Clock.objects.filter(subject=subject_of(negotiation), state="dropped").order_by("created_at"):
        stopped = {"received": clock.received_on.isoformat(), "stopped": day.china_date(clock.changed_at).isoformat()}
    if not stopped:
        return None
    outcome = decide("supplement.resumed", subject_of(negotiation), {**stopped, "resumed": day.today().isoformat()})
    return date.fromisoformat(outcome["received_as"])
