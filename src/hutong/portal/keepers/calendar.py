"""The room of working days: what is known of each year, what a file says, and who puts it in force."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta

from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as lazy

from hutong.control.calendar import queries
from hutong.control.calendar.models import CalendarLoad, CalendarProposal
from hutong.control.calendar.reading import Days, Reading
from hutong.control.calendar.rules import CalendarYearSoon, check_four_eyes
from hutong.control.identity.models import Account
from hutong.control.identity.rules import Action
from hutong.control.statute import day as law_day
from hutong.portal.components import access, words
from hutong.portal.components.form import SendBackForm
from hutong.portal.components.page import Page, Refusal, shell_for
from hutong.portal.components.parts import Badge, Choice, Fact, May, no
from hutong.portal.components.peers import Names
from hutong.portal.components.timelines import who
from hutong.portal.keepers.forms import HolidaysForm, ReadForm
from hutong.vocabulary.errors import Refused

SHOWN_BEFORE = 2  # years before this one that are always listed; the others stand behind them
KINDS: words.Words = {"notice": lazy("the State Council's notice"), "table": lazy("table of days")}
STATES: words.Stated = {
    "proposed": (lazy("awaiting approval"), "wait"),
    "approved": (lazy("approved"), "good"),
    "declined": (lazy("sent back"), "bad"),
}


@dataclass(frozen=True)
class Span:
    """Days one after another that are alike."""

    first: date
    last: date
    days: int
    kind: Badge


@dataclass(frozen=True)
class YearRow:
    url: str
    year: int
    off: int
    made_up: int
    version: int  # how many times it was loaded here; 0 for a year that comes with the program
    source: str
    loaded_by: str
    approved_by: str
    chosen: bool


@dataclass(frozen=True)
class LoadRow:
    version: int
    file: str
    kind: str
    url: str
    digest: str
    loaded_by: str
    approved_by: str
    loaded_at: datetime
    state: Badge


@dataclass(frozen=True)
class ProposalRow:
    url: str
    years: str
    file: str
    kind: str
    proposed_by: str
    proposed_at: datetime


@dataclass(frozen=True)
class YearRead:
    """What a file says of one year."""

    year: int
    off: int
    made_up: int
    spans: tuple[Span, ...]
    changed: tuple[Span, ...]  # days of a known year that become worked, or days off
    known: bool
    again: bool


@dataclass(frozen=True, kw_only=True)
class CalendarPage(Page):
    missing: tuple[str, ...]
    waiting: tuple[ProposalRow, ...]
    years: tuple[YearRow, ...]
    earlier: tuple[Choice, ...]
    year: int
    spans: tuple[Span, ...]
    loads: tuple[LoadRow, ...]
    form: HolidaysForm
    may_load: May


@dataclass(frozen=True, kw_only=True)
class ReadPage(Page):
    file: str
    kind: str
    years: tuple[YearRead, ...]
    form: ReadForm
    may_load: May


@dataclass(frozen=True, kw_only=True)
class ProposalPage(Page):
    title: str
    state: Badge
    open: bool
    facts: tuple[Fact, ...]
    years: tuple[YearRead, ...]
    text: str
    form: SendBackForm
    may_approve: May
    may_decline: May
    approve_url: str
    decline_url: str


def calendar_page(
    account: Account, chosen: str = "", form: HolidaysForm | None = None, refusal: Refusal | None = None
) -> CalendarPage:
    """chosen   the year whose days are shown; this one where none is known under it"""
    known, on, names = queries.in_force(), law_day.today(), Names()
    listed = sorted(known.years, reverse=True)
    year = int(chosen) if chosen in map(str, listed) else min(listed, key=lambda one: abs(one - on.year))
    loads = queries.loads()
    loaded: dict[int, list[CalendarLoad]] = {}
    for one in loads:
        loaded.setdefault(one.year, []).append(one)
    shown = [one for one in listed if one in loaded or one == year or one >= on.year - SHOWN_BEFORE]
    standing = {one.pk for one in queries.standing(loads)}
    return CalendarPage(
        shell=shell_for(account, "calendar"),
        refusal=refusal,
        missing=tuple(CalendarYearSoon(year=one).say(words.language()) for one in queries.missing_years(on)),
        waiting=tuple(_proposal_row(one, names) for one in queries.proposals()),
        years=tuple(_year_row(one, known.exceptions, loaded.get(one, []), names, chosen=one == year) for one in shown),
        earlier=tuple(Choice(str(one), str(one), False) for one in listed if one not in shown),
        year=year,
        spans=spans({day: works for day, works in known.exceptions.items() if day.year == year}),
        loads=tuple(
            _load_row(number, one, names, stands=one.pk in standing)
            for number, one in enumerate(loaded.get(year, []), 1)
        )[::-1],
        form=form or HolidaysForm(),
        may_load=access.may(account, Action.LOAD_CALENDAR),
    )


def read_page(account: Account, reading: Reading, form: ReadForm) -> ReadPage:
    return ReadPage(
        shell=shell_for(account, "calendar"),
        file=reading.file_name,
        kind=words.word(KINDS, reading.kind),
        years=_years_read(reading),
        form=form,
        may_load=access.may(account, Action.LOAD_CALENDAR),
    )


def proposal_page(
    account: Account, one: CalendarProposal, form: SendBackForm | None = None, refusal: Refusal | None = None
) -> ProposalPage:
    names = Names()
    return ProposalPage(
        shell=shell_for(account, "calendar"),
        refusal=refusal,
        title=_("Working days of {years}").format(years=_listed(one)),
        state=words.state(STATES, one.state),
        open=one.state == "proposed",
        facts=_facts(one, names),
        years=_years_read(queries.reading_of(one), proposed=one.state == "proposed"),
        text=one.text,
        form=form or SendBackForm(),
        may_approve=_may_approve(account, one),
        may_decline=access.may(account, Action.APPROVE_CALENDAR),
        approve_url=reverse("calendar_approve", args=[one.id]),
        decline_url=reverse("calendar_decline", args=[one.id]),
    )


def spans(days: Days) -> tuple[Span, ...]:
    """Days one after another that are alike, in their order."""
    found: list[tuple[date, date, bool]] = []
    for day, works in sorted(days.items()):
        if found and found[-1][1:] == (day - timedelta(days=1), works):
            found[-1] = (found[-1][0], day, works)
        else:
            found.append((day, day, works))
    return tuple(Span(first, last, (last - first).days + 1, _kind(works)) for first, last, works in found)


def _kind(works: bool) -> Badge:
    return Badge(_("worked"), "wait") if works else Badge(_("off"), "good")


def _years_read(reading: Reading, *, proposed: bool = True) -> tuple[YearRead, ...]:
    if not proposed:  # what was decided is history: what it would change today says nothing
        return tuple(_decided(year, days) for year, days in reading.years.items())
    known = queries.in_force().years
    return tuple(
        YearRead(
            one.year,
            one.off,
            one.made_up,
            spans(reading.years[one.year]),
            spans(one.changed),
            one.year in known,
            one.again,
        )
        for one in queries.effects(reading)
    )


def _decided(year: int, days: Days) -> YearRead:
    off = sum(not works for works in days.values())
    return YearRead(year, off, queries.made_up(days), spans(days), (), known=True, again=False)


def _year_row(year: int, days: Days, loads: list[CalendarLoad], names: Names, *, chosen: bool) -> YearRow:
    mine = {day: works for day, works in days.items() if day.year == year}
    last = loads[-1] if loads else None
    return YearRow(
        url=f"{reverse('calendar')}?year={year}",
        year=year,
        off=sum(not works for works in mine.values()),
        made_up=queries.made_up(mine),
        version=len(loads),
        source=last.file_name if last else _("comes with the program"),
        loaded_by=who(last.loaded_by, names, {}) if last else "",
        approved_by=who(last.approved_by, names, {}) if last else "",
        chosen=chosen,
    )


def _load_row(number: int, one: CalendarLoad, names: Names, *, stands: bool) -> LoadRow:
    return LoadRow(
        version=number,
        file=one.file_name,
        kind=words.word(KINDS, one.kind),
        url=reverse("calendar_proposal", args=[one.proposal_id]) if one.proposal_id else "",
        digest=one.digest,
        loaded_by=who(one.loaded_by, names, {}),
        approved_by=who(one.approved_by, names, {}),
        loaded_at=one.loaded_at,
        state=Badge(_("in force"), "good") if stands else Badge(_("replaced"), "calm"),
    )


def _proposal_row(one: CalendarProposal, names: Names) -> ProposalRow:
    return ProposalRow(
        url=reverse("calendar_proposal", args=[one.id]),
        years=_listed(one),
        file=one.file_name,
        kind=words.word(KINDS, one.kind),
        proposed_by=who(one.proposed_by, names, {}),
        proposed_at=one.proposed_at,
    )


def _facts(one: CalendarProposal, names: Names) -> tuple[Fact, ...]:
    decided = f"{who(one.decided_by, names, {})}, {words.moment(one.decided_at)}" if one.decided_at else ""
    said = (
        Fact(_("File"), one.file_name),
        Fact(_("Kind"), words.word(KINDS, one.kind)),
        Fact(_("Proposed by"), f"{who(one.proposed_by, names, {})}, {words.moment(one.proposed_at)}"),
        Fact(_("Decided by"), decided),
        Fact(_("Reason"), one.reason),
        Fact(_("Digest"), one.digest, mono=True),
    )
    return tuple(fact for fact in said if fact.value)


def _may_approve(account: Account, one: CalendarProposal) -> May:
    allowed = access.may(account, Action.APPROVE_CALENDAR)
    try:
        check_four_eyes(one.proposed_by, account.username)
    except Refused as refused:
        return no(refused.say(words.language())) if allowed else allowed
    return allowed


def _listed(one: CalendarProposal) -> str:
    return _(", ").join(map(str, one.year_numbers))
