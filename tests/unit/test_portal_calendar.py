"""The room of working days: read a file, propose it, put it in force, and what a refusal keeps."""

from __future__ import annotations

import base64
import re
from datetime import date

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from hutong.control.calendar import queries
from hutong.control.calendar.models import CalendarLoad, CalendarProposal
from hutong.control.identity.models import Account
from hutong.ledger.models import AuditRecord
from tests.publication import supervisor
from tests.unit.test_calendar_loads import NOTICE, TABLE
from tests.visiting import text, visitor

pytestmark = pytest.mark.django_db
ROOM = "/working-days/"


@pytest.fixture
def steward() -> Client:
    return visitor(Account.objects.create(username="sun", role="steward"))


def carried(page: str) -> dict[str, str]:
    """The hidden fields that carry a read file on, as the browser sends them."""
    found = dict(re.findall(r'<input type="hidden" name="(\w+)"(?: value="([^"]*)")?', page))
    return {name: found[name] for name in ("content", "file_name", "year")}


def upload(client: Client, content: bytes, name: str = "notice-2031.txt"):
    return client.post(ROOM + "read/", {"notice": SimpleUploadedFile(name, content), "text": "", "year": ""})


def test_a_notice_is_shown_before_anything_is_kept_then_proposed_then_approved_by_another(steward):
    shown = upload(steward, NOTICE)
    page = text(shown)
    assert "22 days off" in page
    assert "6 make-up working days" in page
    assert "This year was not known before." in page
    assert not CalendarProposal.objects.exists()
    assert not AuditRecord.objects.filter(kind__startswith="calendar.").exists()
    given = carried(page)
    assert base64.b64decode(given["content"]) == NOTICE
    answer = steward.post(ROOM + "propose/", given)
    made = CalendarProposal.objects.get()
    assert answer.url == f"{ROOM}{made.id}/"
    assert 2031 not in queries.in_force().years
    assert 'aria-describedby="why-approve"' in text(steward.get(answer.url))
    assert steward.post(answer.url + "approve/").status_code == 403
    chief = visitor(supervisor())
    assert '<span class="visually-hidden">waiting: </span>1</span>' in text(chief.get("/"))
    assert "一、元旦：1月1日（周三）放假1天，不调休。" in text(chief.get(answer.url))
    assert chief.post(answer.url + "approve/").status_code == 302
    assert queries.in_force().due(date(2031, 1, 17), 5) == date(2031, 1, 30)
    year = text(steward.get(ROOM + "?year=2031"))
    for said in ("notice-2031.txt", "sun", "supervisor", "Versions of 2031", "22 Jan 2031", "in force"):
        assert said in year, said


def test_pasted_text_is_read_as_a_file_is_and_a_year_without_its_title_is_named(steward):
    pasted = NOTICE.decode()[NOTICE.decode().index("一、") :].replace("\n", "\r\n")
    refused = steward.post(ROOM + "read/", {"text": pasted, "year": ""})
    assert (refused.status_code, b"notice_year_unknown" in refused.content) == (400, True)
    steward.post(ROOM + "propose/", carried(text(steward.post(ROOM + "read/", {"text": pasted, "year": "2031"}))))
    made = CalendarProposal.objects.get()
    assert (made.file_name, made.year_numbers) == ("pasted.txt", [2031])
    assert "One field needs attention" in text(steward.post(ROOM + "read/", {"text": "", "year": ""}))


WRONG = {
    "a count": (NOTICE.decode().replace("共7天", "共6天").encode(), "Line 3", "第 3 行"),
    "a sentence": (NOTICE.decode().replace("6月24日（周二）放假1天", "6月24日另行安排").encode(), "Line 6", "第 6 行"),
    "a day of a table": (TABLE.replace(b"2032-05-01", b"2032-05-32"), "line 4", "第 4 行"),
}


@pytest.mark.parametrize(("content", "english", "chinese"), WRONG.values(), ids=WRONG)
def test_a_refused_upload_says_which_line_and_why_and_keeps_nothing(steward, content, english, chinese):
    answer = upload(steward, content)
    assert (answer.status_code, english in text(answer), "Nothing was changed." in text(answer)) == (400, True, True)
    assert chinese in text(upload(visitor(Account.objects.get(), "zh-hans"), content))
    smuggled = {"content": base64.b64encode(content).decode(), "file_name": "notice.txt", "year": ""}
    assert steward.post(ROOM + "propose/", smuggled).status_code == 400
    assert not CalendarProposal.objects.exists()
    assert not CalendarLoad.objects.exists()


def test_what_a_table_changes_of_a_known_year_is_shown(steward):
    page = text(upload(steward, b"date,kind\n2025-09-23,holiday\n2025-10-01,holiday\n", "typhoon.csv"))
    assert "It changes:" in page
    assert "<li>23 Sept 2025: off</li>" in page or "23 Sep 2025: off" in page
    assert "1 Oct 2025: off" not in page


def test_a_supervisor_does_not_approve_what_is_theirs_and_sends_back_with_a_reason(steward):
    chief = visitor(supervisor())
    own = chief.post(ROOM + "propose/", carried(text(upload(chief, TABLE, "2032.csv")))).url
    assert "another person must put them in force" in text(chief.get(own))
    assert b"own_calendar" in chief.post(own + "approve/").content
    steward.post(ROOM + "propose/", carried(text(upload(steward, NOTICE))))
    theirs = f"{ROOM}{CalendarProposal.objects.get(proposed_by='sun').id}/"
    assert "One field needs attention" in text(chief.post(theirs + "decline/", {"reason": ""}))
    assert chief.post(theirs + "decline/", {"reason": "与原文不符"}).status_code == 302
    assert "与原文不符" in text(steward.get(theirs))
    assert not CalendarLoad.objects.exists()


@pytest.mark.parametrize(("language", "said"), [("en", "The holidays of 2027"), ("zh-hans", "尚未载入 2027 年")])
def test_a_missing_year_is_warned_of_and_only_readers_have_no_button(at, language, said):
    at("2026-11-01")
    auditor = visitor(Account.objects.create(username="qian", role="auditor"), language)
    page = text(auditor.get(ROOM))
    assert said in page
    assert 'aria-disabled="true" aria-describedby="why-read"' in page
    assert upload(auditor, NOTICE).status_code == 403
