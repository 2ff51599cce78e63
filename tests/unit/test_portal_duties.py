"""Deadlines, notices, the calendar feed, and the rule book on pages."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from django.test import Client
from django.urls import reverse
from icalendar import Calendar

from hutong.control.clocks.actions import ask_extension, look, meet, start
from hutong.control.clocks.models import CalendarFeed, Clock
from hutong.control.identity.models import Account
from hutong.control.notices.models import Told
from hutong.control.statute import day
from hutong.control.statute.actions import decide_version, propose
from hutong.control.statute.models import Decision, ParameterVersion, RefusalCount
from hutong.control.statute.queries import rule
from hutong.exchange.models import ExchangeRecord
from hutong.ledger.models import AuditRecord
from tests.dsp_peer import HEALTH, department
from tests.region import ourselves
from tests.visiting import visitor

pytestmark = pytest.mark.django_db
CHANGE, REVIEW = "D809-17/change_filing", "D809-17/review"


@pytest.fixture
def at(monkeypatch):
    def set_day(text: str) -> None:
        monkeypatch.setattr(day, "today", lambda: date.fromisoformat(text))

    set_day("2025-09-22")
    return set_day


@pytest.fixture
def people(at) -> dict[str, Account]:
    ourselves()
    office, other = department(), department(HEALTH, "卫生健康委员会")
    make = Account.objects.create
    return {
        "wang": make(username="wang", role="officer", department=office),
        "li": make(username="li", role="officer", department=other),
        "chen": make(username="chen", role="supervisor"),
        "zhao": make(username="zhao", role="supervisor"),
        "qian": make(username="qian", role="auditor"),
    }


@pytest.fixture
def term(people) -> Clock:
    office = people["wang"].department_id
    return start(rule(CHANGE), "resource:1", department=office, title_zh="企业目录变更", title_en="Change of companies")


def text(answer) -> str:
    return answer.content.decode()


def test_a_department_sees_its_own_deadlines_and_the_supervisor_all(people, term, at):
    start(rule(REVIEW), "resource:2", title_zh="审核", title_en="Review of the entry")
    mine = text(visitor(people["wang"]).get("/clocks/"))
    assert "Change of companies" in mine
    assert "10 working days left" in mine
    assert "Review of the entry" not in mine
    assert "Change of companies" not in text(visitor(people["li"]).get("/clocks/"))
    assert visitor(people["li"]).get(reverse("clock", args=[term.id])).status_code == 404
    everything = text(visitor(people["chen"]).get("/clocks/"))
    assert everything.index("Review of the entry") < everything.index("Change of companies"), "the earliest day first"
    assert "企业目录变更" in text(visitor(people["wang"], "zh-hans").get("/clocks/"))


def test_a_late_one_is_counted_beside_the_room_and_named_overdue(people, term, at):
    at("2025-10-14")
    look()
    page = text(visitor(people["wang"]).get("/clocks/?show=overdue"))
    assert "2 working days overdue" in page
    assert '<span class="count"><span class="visually-hidden">waiting: </span>1</span>' in page
    meet(rule(CHANGE), "resource:1")
    assert "Nothing is due" in text(visitor(people["wang"]).get("/clocks/"))
    assert "done late" in text(visitor(people["wang"]).get("/clocks/?show=ended"))


def test_an_extension_is_asked_for_on_the_page_and_the_supervisor_consents(people, term):
    page = reverse("clock", args=[term.id])
    officer, supervisor = visitor(people["wang"]), visitor(people["chen"])
    assert "One field needs attention" in text(officer.post(page + "extend/", {"reason": ""}))
    assert officer.post(page + "extend/", {"reason": "数据量大"}).status_code == 302
    assert "数据量大" in text(supervisor.get(page))
    assert officer.post(page + "decide/", {"do": "consent"}).status_code == 403
    assert supervisor.post(page + "decide/", {"do": "consent"}).status_code == 302
    assert Clock.objects.get().due_on == date(2025, 10, 17)
    shown = text(officer.get(page))
    assert "The supervisor consented to the extension" in shown
    assert "An extension is asked for once; this one was." in shown
    assert officer.post(page + "extend/", {"reason": "再延"}).status_code == 409


def test_the_supervisor_refuses_an_extension_and_the_day_stays(people, term):
    ask_extension(people["wang"], term.id, "数据量大")
    visitor(people["chen"]).post(reverse("clock_decide", args=[term.id]), {"do": "refuse"})
    assert Clock.objects.get().due_on == term.due_on
    assert "extension refused" in text(visitor(people["wang"]).get("/clocks/"))


def test_notices_are_unread_until_opened_and_lead_to_their_page(people, term, at):
    at("2025-10-14")
    look()
    client = visitor(people["chen"])
    assert "unread" in text(client.get("/notices/"))
    told = Told.objects.get(account=people["chen"])
    opened = client.get(reverse("notice", args=[told.notice_id]))
    assert opened["Location"] == reverse("clock", args=[term.id])
    assert "You have read them all." in text(client.get("/notices/"))
    assert visitor(people["li"]).get(reverse("notice", args=[told.notice_id])).status_code == 404


def test_all_notices_are_marked_as_read_at_once(people, term, at):
    at("2025-10-14")
    look()
    visitor(people["wang"]).post("/notices/read/")
    assert not Told.objects.filter(account=people["wang"], read_at=None).exists()
    assert Told.objects.filter(account=people["chen"], read_at=None).exists()


def test_people_set_their_own_address_and_no_record_holds_it(people):
    client = visitor(people["wang"])
    assert "Enter a valid email" in text(client.post("/notices/address/", {"address": "nowhere"}))
    client.post("/notices/address/", {"address": "wang@example.org"})
    assert Account.objects.get(username="wang").email == "wang@example.org"
    told = AuditRecord.objects.get(kind="account.email_changed")
    assert told.detail == {"username": "wang", "mailed": True}


def feed_address(client: Client) -> str:
    page = text(client.post("/notices/calendar/", {"do": "make"}))
    return page.partition('<p class="once" tabindex="0">')[2].partition("</p>")[0].partition("8399")[2]


def events(address: str) -> list:
    answer = Client().get(address)
    assert answer["Content-Type"] == "text/calendar; charset=utf-8"
    assert "no-store" in answer["Cache-Control"]
    return Calendar.from_ical(answer.content).walk("VEVENT")


def test_deadlines_are_a_calendar_under_a_secret_address(people, term):
    start(rule(REVIEW), "resource:2", title_zh="审核")
    address = feed_address(visitor(people["wang"]))
    (event,) = events(address)
    assert (event["UID"], event["SEQUENCE"]) == (f"{term.id}@320000.hutong", 0)
    assert event.decoded("DTSTART") == date(2025, 10, 11)
    assert event.decoded("DTEND") == date(2025, 10, 12)
    assert event["SUMMARY"] == "截止：企业目录变更"
    (english,) = events(address + "?language=en")
    assert english["SUMMARY"] == "Due: Change of companies"
    assert CalendarFeed.objects.get().digest not in address


def test_an_extension_moves_the_same_event_with_a_higher_sequence(people, term):
    address = feed_address(visitor(people["wang"]))
    (before,) = events(address)
    ask_extension(people["wang"], term.id, "数据量大")
    visitor(people["chen"]).post(reverse("clock_decide", args=[term.id]), {"do": "consent"})
    (after,) = events(address)
    assert (after["UID"], after["SEQUENCE"]) == (before["UID"], 1)
    assert after.decoded("DTSTART") == date(2025, 10, 17)
    meet(rule(CHANGE), "resource:1")
    assert events(address) == []


def test_a_calendars_address_is_replaced_revoked_and_ends_with_its_account(people, term):
    client = visitor(people["wang"])
    first, second = feed_address(client), feed_address(client)
    assert Client().get(first).status_code == 404
    assert len(events(second)) == 1
    Account.objects.filter(username="wang").update(is_active=False)
    assert Client().get(second).status_code == 404
    Account.objects.filter(username="wang").update(is_active=True)
    client.post("/notices/calendar/", {"do": "revoke"})
    assert Client().get(second).status_code == 404
    assert AuditRecord.objects.filter(kind="feed.revoked").count() == 1
    assert Client().get("/calendar/guess.ics").status_code == 404


def test_the_rule_book_counts_where_a_rule_applied_today(people, term):
    RefusalCount.objects.create(rule="D809-21/supplement_twice", day=day.today(), refused=3)
    refused_by_the_exchange()
    page = text(visitor(people["qian"]).get("/rules/?show=today"))
    assert "change_filing" in page
    assert "supplement_twice" in page
    assert "purpose_not_granted" in page
    assert "own_sign_off" not in page
    assert "Decree 809" in page
    assert "国务院令第809号" in text(visitor(people["qian"], "zh-hans").get("/rules/?show=D809"))


def refused_by_the_exchange() -> None:
    from datetime import UTC, datetime

    ExchangeRecord.objects.create(
        exchange_id="1", role="provider", peer="340000", agreement_id="a", purpose="p", case_digest="d",
        outcome="refused", code="purpose_not_granted", form="json", request_digest="d", entry_digest="d",
        at=datetime(2025, 9, 22, 3, tzinfo=UTC),
    )  # fmt: skip


def test_a_rules_page_says_it_in_both_languages_with_its_parameters_and_decisions(people, term):
    address = reverse("rule", args=CHANGE.split("/"))
    page = text(visitor(people["qian"]).get(address))
    assert "10 working days" in page
    assert "个工作日" in page
    made = Decision.objects.get(subject="resource:1")
    assert reverse("decision", args=[made.id]) in page
    officer = text(visitor(people["wang"]).get(address))
    assert reverse("decision", args=[made.id]) not in officer
    assert "As data officer you may not see all exchanges." in officer
    assert visitor(people["qian"]).get("/rules/D809-99/none/").status_code == 404


def test_four_eyes_change_a_parameter_on_its_page(people):
    address = reverse("rule", args=CHANGE.split("/"))
    client = visitor(people["chen"])
    said = {
        "version-parameter": "days", "version-value": "12", "version-level": "local",
        "version-since": "2025-09-23", "version-source": "省数据条例第二十条",
    }  # fmt: skip
    assert "only lower or equal" in text(client.post(address + "propose/", said))
    assert client.post(address + "propose/", said | {"version-value": "7"}).status_code == 302
    version = ParameterVersion.objects.get()
    assert "another person decides on it" in text(client.get(address))
    decide = reverse("rule_decide", args=[version.id])
    assert client.post(decide, {"do": "approve"}).status_code == 403
    assert visitor(people["wang"]).post(decide, {"do": "approve"}).status_code == 403
    assert visitor(people["zhao"]).post(decide, {"do": "approve"}).status_code == 302
    assert ParameterVersion.objects.get().state == "approved"


def test_the_room_shows_a_changed_value_and_asks_for_the_others_once(people, django_assert_max_num_queries):
    version = propose(people["chen"], CHANGE, "days", level="local", value=7, since=day.today(), source="省数据条例")
    decide_version(people["zhao"], version.id, approve=True)
    client = visitor(people["qian"])
    with django_assert_max_num_queries(40):
        page = text(client.get("/rules/?show=terms"))
    assert '<span class="tag">7 working days</span>' in page
    assert '<span class="tag">2 working days</span>' in page


def test_a_proposed_version_waits_in_the_room_and_may_be_declined(people):
    propose(
        people["chen"], CHANGE, "days", level="local", value=7, since=day.today() + timedelta(1), source="省数据条例"
    )
    client = visitor(people["zhao"])
    assert "Proposed versions" in text(client.get("/rules/"))
    client.post(reverse("rule_decide", args=[ParameterVersion.objects.get().id]), {"do": "decline"})
    assert "Proposed versions" not in text(client.get("/rules/"))


def test_a_decision_shows_what_it_was_made_from_and_decides_again(people, term):
    made = Decision.objects.get(subject="resource:1")
    address = reverse("decision", args=[made.id])
    page = text(visitor(people["wang"]).get(address))
    for said in (
        "22 Sep 2025",
        "11 Oct 2025",
        "Days of the term: 10",
        CHANGE,
        "Make-up working days",
        "28 Sep 2025",
        "1 Oct 2025",
    ):
        assert said in page, said
    assert "the outcome is the same" not in page
    assert "the outcome is the same" in text(visitor(people["wang"]).get(address + "?again=yes"))
    Decision.objects.update(outcome={"due": "2025-10-12"})
    assert "the outcome is another one" in text(visitor(people["wang"]).get(address + "?again=yes"))


def test_the_history_of_decisions_is_for_those_who_oversee(people, term):
    assert "Data set · 1" in text(visitor(people["qian"]).get("/decisions/"))
    assert "Data set · 1" not in text(visitor(people["qian"]).get("/decisions/?subject=resource:9"))
    assert visitor(people["wang"]).get("/decisions/").status_code == 403
