"""Statutory clocks: started, met, late, extended once; people told."""

from __future__ import annotations

from datetime import date

import pytest

from hutong.control.clocks import hooks
from hutong.control.clocks.actions import ask_extension, decide_extension, drop, look, meet, start
from hutong.control.clocks.models import Clock
from hutong.control.clocks.queries import days_left, of, overdue, running
from hutong.control.clocks.rules import ExtensionTwice, ExtensionWithoutReason, NoExtension
from hutong.control.identity.models import Account
from hutong.control.identity.rules import OtherDepartment
from hutong.control.notices.models import Notice
from hutong.control.notices.queries import notices, unread
from hutong.control.organisations.models import Department
from hutong.control.statute import day
from hutong.control.statute.book import rulebook
from hutong.ledger.models import AuditRecord
from hutong.vocabulary.errors import NotAllowed, WrongState
from hutong.vocabulary.rulebook import ClockRule, working_days
from tests.calendars import load as load_calendar
from tests.dsp_peer import HEALTH, department
from tests.region import ourselves

RECEIVED = date(2025, 9, 22)


class Ten(ClockRule):
    """{title} was due on {due}, within {days} working days of {received}."""

    rule = "T-2"
    code = "ten"
    declares = (working_days(10, 21), working_days(10, 21, name="extension_days"))


class One(ClockRule):
    """{title} was due on {due}."""

    rule = "T-3"
    code = "one"
    declares = (working_days(1, 21),)


rulebook.cache_clear()


@pytest.fixture
def at(monkeypatch):
    def set_day(text: str) -> None:
        monkeypatch.setattr(day, "today", lambda: date.fromisoformat(text))

    set_day(RECEIVED.isoformat())
    return set_day


@pytest.fixture
def office(db) -> Department:
    ourselves()
    return department()


@pytest.fixture
def people(office) -> dict[str, Account]:
    made = {role: Account.objects.create(username=role, role=role) for role in ("supervisor", "auditor")}
    return made | {
        role: Account.objects.create(username=role, role=role, department=office) for role in ("officer", "head")
    }


def begun(office, rule=Ten, subject="negotiation:1", **more):
    return start(rule, subject, department=office.code, title_zh="申请", title_en="Request", **more)


@pytest.mark.parametrize(
    ("rule", "received", "due"),
    [(Ten, "2025-09-22", "2025-10-11"), (One, "2025-09-26", "2025-09-28"), (One, "2026-04-30", "2026-05-06")],
)
def test_a_term_counts_working_days_with_make_up_weekends(office, at, rule, received, due):
    clock = begun(office, rule, received=date.fromisoformat(received))
    assert clock.due_on == date.fromisoformat(due)


def test_a_clock_that_runs_is_not_started_twice_and_runs_anew_after_its_end(office, at):
    first = begun(office)
    assert begun(office).id == first.id
    meet(Ten, "negotiation:1")
    assert begun(office).id != first.id
    assert [one.state for one in of("negotiation:1")] == ["met", "running"]


def test_a_clock_met_after_its_day_is_kept_as_late(office, at):
    begun(office)
    at("2025-10-13")
    meet(Ten, "negotiation:1")
    meet(Ten, "negotiation:1")
    assert Clock.objects.get().state == "late"
    assert Clock.objects.get().met_on == date(2025, 10, 13)


def test_a_duty_that_fell_away_is_dropped(office, at):
    begun(office)
    drop(Ten, "negotiation:1", "withdrawn")
    assert Clock.objects.get().state == "dropped"
    look()
    assert not Notice.objects.exists()


def test_a_late_clock_is_found_once_and_those_concerned_are_told(office, people, at):
    stranger = Account.objects.create(username="o", role="head", department=department(HEALTH, "卫健委"))
    clock = begun(office)
    at("2025-10-11")
    look()
    assert not overdue().exists()
    at("2025-10-13")
    look()
    look()
    assert list(overdue()) == [clock]
    assert AuditRecord.objects.filter(kind="clock.overdue").count() == 1
    told = [one.notice for one in notices(people["supervisor"])]
    assert [one.code for one in told] == ["ten"]
    assert told[0].said_en == "Request was due on 2025-10-11, within 10 working days of 2025-09-22."
    assert unread(people["officer"]) == unread(people["head"]) == 1
    assert unread(stranger) == unread(people["auditor"]) == 0
    assert days_left(Clock.objects.get()) == -1


@pytest.mark.parametrize(("today", "told"), [("2025-09-30", 1), ("2025-10-09", 0), ("2025-10-10", 1)])
def test_who_must_act_is_reminded_when_one_or_three_working_days_are_left(office, people, at, today, told):
    begun(office)
    at(today)
    look()
    look()
    assert unread(people["officer"]) == told
    assert unread(people["supervisor"]) == 0


def test_an_extension_needs_the_supervisors_consent_and_moves_the_day_once(office, people, at, monkeypatch):
    heard = []
    monkeypatch.setattr(hooks, "_extended", hooks.defaultdict(list))
    hooks.on_extended(Ten)(lambda clock: heard.append(clock.due_on))
    clock = begun(office)
    with pytest.raises(ExtensionWithoutReason):
        ask_extension(people["officer"], clock.id, " ")
    ask_extension(people["officer"], clock.id, "需要核对档案")
    assert Clock.objects.get().due_on == date(2025, 10, 11), "asking moves nothing"
    with pytest.raises(NotAllowed):
        decide_extension(people["head"], clock.id, consent=True)
    assert unread(people["supervisor"]) == 1
    decide_extension(people["supervisor"], clock.id, consent=True)
    assert Clock.objects.get().due_on == date(2025, 10, 24)
    assert heard == [date(2025, 10, 24)]
    assert "2025-10-24" in notices(people["officer"])[0].notice.said_zh
    with pytest.raises(ExtensionTwice):
        ask_extension(people["officer"], clock.id, "再延")
    with pytest.raises(WrongState):
        decide_extension(people["supervisor"], clock.id, consent=True)


def test_c_1_no_extension_where_the_law_knows_none(office, people, at):
    with pytest.raises(NoExtension):
        ask_extension(people["officer"], begun(office, One).id, "来不及")


def test_c_2_extension_twice_is_refused_even_after_a_refusal(office, people, at):
    clock = begun(office)
    ask_extension(people["officer"], clock.id, "来不及")
    decide_extension(people["supervisor"], clock.id, consent=False)
    assert Clock.objects.get().due_on == date(2025, 10, 11)
    with pytest.raises(ExtensionTwice):
        ask_extension(people["officer"], clock.id, "来不及")


def test_c_3_extension_without_reason_is_refused(office, people, at):
    with pytest.raises(ExtensionWithoutReason):
        ask_extension(people["officer"], begun(office).id, "")


def test_only_the_department_itself_asks_for_an_extension(office, people, at):
    other = Account.objects.create(username="o", role="officer", department=department(HEALTH, "卫健委"))
    with pytest.raises(OtherDepartment):
        ask_extension(other, begun(office).id, "来不及")


def test_a_department_sees_its_own_clocks_and_the_supervisor_all(office, people, at):
    begun(office)
    other = department(HEALTH, "卫健委")
    start(Ten, "negotiation:2", department=other.code)
    assert running(people["officer"]).count() == 1
    assert running(people["supervisor"]).count() == 2


def test_without_the_calendar_of_its_year_a_clock_has_no_day_until_the_year_is_loaded(office, people, at):
    at("2033-12-30")
    clock = begun(office)
    assert clock.due_on is None
    look()
    assert Clock.objects.get().due_on is None
    lines = ["date,kind"]
    lines += [f"{year}-{month:02}-01,holiday" for year in (2033, 2034) for month in (1, 5, 10)]
    load_calendar("\n".join(lines).encode(), "2034.csv")
    look()
    assert Clock.objects.get().due_on == date(2034, 1, 13)
