"""Loading a year with four eyes: one person proposes what was read, another puts it in force."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime

from django.db import transaction

from hutong.control.calendar import queries
from hutong.control.calendar.models import CalendarLoad, CalendarProposal
from hutong.control.calendar.queries import Effect
from hutong.control.calendar.reading import Reading, read
from hutong.control.calendar.rules import (
    CalendarProposed,
    CalendarSentBack,
    SameCalendar,
    check_four_eyes,
)
from hutong.control.identity.models import Role
from hutong.control.identity.rules import Action, Actor, check
from hutong.control.notices.actions import tell
from hutong.ledger.record import record
from hutong.vocabulary.errors import WrongState
from hutong.vocabulary.ids import new_id
from hutong.vocabulary.text import checked


@transaction.atomic
def propose(by: Actor, content: bytes, *, file_name: str, year: int | None = None) -> CalendarProposal:
    """Propose the days of a notice's text, or of a table. Nothing is kept when anything is wrong with it.

    year     of a notice without its title
    raises   NotAllowed, SameCalendar, BadInput, NoticeYearUnknown, NoticePartial, NoticeNotUnderstood,
             NoticeContradicts
    """
    check(by, Action.LOAD_CALENDAR)
    reading = read(content, file_name=file_name, year=year)
    effects = queries.effects(reading)
    made = CalendarProposal(
        id=new_id(),
        kind=reading.kind,
        file_name=reading.file_name,
        text=reading.text,
        digest=reading.digest,
        years={str(of_year.year): of_year.days for of_year in queries.loads_of(reading)},
        proposed_by=by.username,
        proposed_at=datetime.now(UTC),
    )
    _check_new(made, reading, effects)
    made.save()
    record("calendar.proposed", _subject(made), by.username, _detail(made), commitment={"file": made.digest})
    tell(
        CalendarProposed(by=by.username, years=sorted(reading.years)),
        role=Role.SUPERVISOR,
        subject=_subject(made),
        page=("calendar_proposal", made.id),
    )
    return made


@transaction.atomic
def approve(by: Actor, proposal_id: str) -> CalendarProposal:
    """Put the proposed days in force. Due days that were already computed stay.

    raises   NotFound, NotAllowed, WrongState, OwnCalendar, BadInput
    """
    one = _locked(by, proposal_id)
    check_four_eyes(one.proposed_by, by.username)
    reading = queries.reading_of(one)
    for effect, made in zip(queries.effects(reading), queries.loads_of(reading), strict=True):
        if not effect.again:
            _load(one, made, effect, by.username)
    _decide(one, by.username, "approved")
    return one


@transaction.atomic
def decline(by: Actor, proposal_id: str, reason: str) -> CalendarProposal:
    """Send proposed days back, with a reason.

    raises   NotFound, NotAllowed, WrongState, WrongText
    """
    one = _locked(by, proposal_id)
    one.reason = checked("reason", reason, limit=300, required=True)
    _decide(one, by.username, "declined")
    record("calendar.declined", _subject(one), by.username, _detail(one), commitment={"file": one.digest})
    tell(
        CalendarSentBack(by=by.username, years=one.year_numbers, reason=one.reason),
        account=one.proposed_by,
        subject=_subject(one),
        page=("calendar_proposal", one.id),
    )
    return one


def _check_new(made: CalendarProposal, reading: Reading, effects: Iterable[Effect]) -> None:
    """raises   SameCalendar"""
    years = sorted(reading.years)
    if all(one.again for one in effects):
        raise SameCalendar(years=years, reason="in force", reason_zh="生效")
    waiting = CalendarProposal.objects.select_for_update().filter(state="proposed", digest=made.digest)
    if any(one.years == made.years for one in waiting):
        raise SameCalendar(years=years, reason="proposed", reason_zh="提出，待批准")


def _load(one: CalendarProposal, made: CalendarLoad, effect: Effect, approver: str) -> None:
    made.proposal, made.loaded_by, made.loaded_at = one, one.proposed_by, datetime.now(UTC)
    made.save()
    detail = {"year": effect.year, "kind": one.kind, "file": one.file_name, "off": effect.off}
    detail |= {"made_up": effect.made_up, "changed": [day.isoformat() for day in effect.changed]}
    detail |= {"proposal": one.id, "proposed_by": one.proposed_by}
    commitment = {"file": one.digest, "load": made.pk}
    record("calendar.loaded", f"calendar:{effect.year}", approver, detail, commitment=commitment)


def _locked(by: Actor, proposal_id: str) -> CalendarProposal:
    check(by, Action.APPROVE_CALENDAR)
    queries.proposal(proposal_id)
    one = CalendarProposal.objects.select_for_update().get(id=proposal_id)
    if one.state != "proposed":
        raise WrongState(what="calendar", what_zh="工作日历版本", state=one.state, possible=["proposed"])
    return one


def _decide(one: CalendarProposal, username: str, state: str) -> None:
    one.state, one.decided_by, one.decided_at = state, username, datetime.now(UTC)
    one.save()


def _subject(one: CalendarProposal) -> str:
    return f"calendar:{one.id}"


def _detail(one: CalendarProposal) -> dict[str, object]:
    return {"years": one.year_numbers, "kind": one.kind, "file": one.file_name}
