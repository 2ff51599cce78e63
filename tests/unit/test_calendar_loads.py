"""Loading a year's holidays: four eyes, versions, the ledger, and the warning before a year is reached."""

from __future__ import annotations

import json
from datetime import date, timedelta
from hashlib import sha256

import pytest
from click.testing import CliRunner
from django.db.models import F
from django.test import Client

from hutong.control.calendar import actions, check, duty, queries, reading
from hutong.control.calendar.cli import calendar as command
from hutong.control.calendar.models import CalendarLoad, CalendarProposal
from hutong.control.calendar.rules import OwnCalendar, SameCalendar
from hutong.control.identity.models import Account
from hutong.control.notices.models import Notice, Told
from hutong.control.statute import day
from hutong.ledger.models import AuditRecord
from hutong.node.settings import current
from hutong.vocabulary.calendar import PUBLISHED, CalendarYearMissing
from hutong.vocabulary.errors import BadInput, NotAllowed, WrongState
from hutong.vocabulary.holiday_notice import NoticeContradicts
from tests.calendars import OPERATOR, load
from tests.publication import supervisor

pytestmark = pytest.mark.django_db

# Invented: the notice of 2031 is far from being written. 1 January 2031 is a Wednesday.
NOTICE = """国务院办公厅关于2031年部分节假日安排的通知
一、元旦：1月1日（周三）放假1天，不调休。
二、春节：1月22日（农历除夕、周三）至28日（周二）放假调休，共7天。1月19日（周日）、2月1日（周六）上班。
三、清明节：4月5日（周六）放假，与周末连休。
四、劳动节：5月1日（周四）至5日（周一）放假调休，共5天。4月27日（周日）、2030年12月28日（周六）上班。
五、端午节：6月24日（周二）放假1天。
六、中秋节、国庆节：10月1日（周三）至7日（周二）放假调休，共7天。9月28日（周日）、10月11日（周六）上班。
""".encode()
TABLE = b"""date,kind
2032-01-01,holiday
2032-01-03,makeup_workday
2032-05-01,holiday
2032-10-01,holiday
"""


def test_a_loaded_notice_lets_the_clocks_run_in_its_year():
    with pytest.raises(CalendarYearMissing, match="2031"):
        queries.in_force().due(date(2031, 1, 17), 5)
    made = actions.propose(OPERATOR, NOTICE, file_name="notice-2031.txt")
    (read,) = queries.effects(queries.reading_of(made))
    assert (read.year, read.off, read.made_up, read.changed) == (2031, 22, 6, {})
    with pytest.raises(CalendarYearMissing, match="2031"):
        queries.in_force().due(date(2031, 1, 17), 5)
    actions.approve(supervisor(), made.id)
    known = queries.in_force()
    assert known.due(date(2031, 1, 17), 5) == date(2031, 1, 30)  # Sunday the 19th works, 22 to 28 are off
    assert known.due(date(2025, 9, 22), 10) == date(2025, 10, 11)
    with pytest.raises(CalendarYearMissing, match="2032"):
        known.due(date(2031, 12, 30), 2)
    with pytest.raises(CalendarYearMissing, match="2030"):
        known.works(date(2030, 12, 28))  # one named day of 2030 makes no known year of it


def test_loading_is_recorded_with_the_files_digest_and_who_did_it():
    load(NOTICE, "notice-2031.txt")
    kept = CalendarLoad.objects.get()
    assert kept.digest == "sha256:" + sha256(NOTICE).hexdigest()
    assert (kept.loaded_by, kept.approved_by, kept.file_name, kept.kind, kept.whole) == (
        "operator:root",
        "supervisor",
        "notice-2031.txt",
        "notice",
        True,
    )
    told = AuditRecord.objects.get(kind="calendar.loaded")
    assert (told.subject, told.actor, told.detail["off"]) == ("calendar:2031", "supervisor", 22)
    assert told.detail["proposed_by"] == "operator:root"
    asked = AuditRecord.objects.get(kind="calendar.proposed")
    assert (asked.actor, asked.detail["years"]) == ("operator:root", [2031])


def test_c_4_own_calendar_is_put_in_force_by_somebody_else():
    mine = supervisor()
    made = actions.propose(mine, NOTICE, file_name="notice.txt")
    with pytest.raises(OwnCalendar):
        actions.approve(mine, made.id)
    assert not CalendarLoad.objects.exists()
    assert queries.proposal(made.id).state == "proposed"
    actions.approve(Account.objects.create(username="zhao", role="supervisor"), made.id)
    assert CalendarLoad.objects.get().approved_by == "zhao"
    with pytest.raises(WrongState):
        actions.approve(Account.objects.get(username="zhao"), made.id)
    assert CalendarLoad.objects.count() == 1


def test_days_that_are_sent_back_load_nothing_and_who_proposed_them_is_told_why():
    sun = Account.objects.create(username="sun", role="steward")
    chief = supervisor()
    made = actions.propose(sun, NOTICE, file_name="notice.txt")
    assert Told.objects.get().account == chief
    with pytest.raises(NotAllowed):
        actions.decline(sun, made.id, "误传")
    actions.decline(chief, made.id, "与原文不符")
    told = Told.objects.get(account=sun).notice
    assert (told.code, told.page, "与原文不符" in told.said_zh) == (
        "calendar_sent_back",
        ["calendar_proposal", made.id],
        True,
    )
    assert queries.in_force() is PUBLISHED
    assert AuditRecord.objects.get(kind="calendar.declined").actor == "supervisor"
    again = actions.propose(sun, NOTICE, file_name="notice.txt")
    assert actions.approve(chief, again.id).state == "approved"


def test_a_table_of_days_is_loaded_too_and_half_a_year_is_not():
    load(TABLE, "2032.csv")
    assert queries.in_force().due(date(2032, 1, 1), 2) == date(2032, 1, 3)
    with pytest.raises(BadInput, match="2033 in part"):
        actions.propose(OPERATOR, b"date,kind\n2033-01-01,holiday\n", file_name="2033.csv")
    with pytest.raises(BadInput, match="neither a notice"):
        actions.propose(OPERATOR, b"holidays of 2033\n", file_name="2033.csv")
    with pytest.raises(BadInput, match="line 6"):
        actions.propose(OPERATOR, TABLE + b"2032-13-01,holiday\n", file_name="2032.csv")
    with pytest.raises(BadInput, match="not text"):
        actions.propose(OPERATOR, b"\xff\xfe\xff", file_name="2033.pdf")
    assert CalendarLoad.objects.count() == 1


def test_single_days_of_a_known_year_change_and_the_difference_is_told():
    table = b"date,kind\n2025-09-23,holiday\n2025-10-01,holiday\n"
    (read,) = queries.effects(reading.read(table, file_name="typhoon.csv"))
    assert read.changed == {date(2025, 9, 23): False}
    load(table, "typhoon.csv")
    assert queries.in_force().due(date(2025, 9, 22), 1) == date(2025, 9, 24)


def test_a_later_whole_year_replaces_what_was_loaded_for_it_before():
    load(NOTICE, "wrong.txt")
    load(b"date,kind\n2031-03-03,holiday\n", "typhoon.csv")
    assert not queries.in_force().works(date(2031, 3, 3))
    corrected = NOTICE.decode().replace("6月24日（周二）", "6月25日（周三）").encode()
    (effect,) = queries.effects(reading.read(corrected, file_name="right.txt"))
    assert effect.changed == {date(2031, 3, 3): True, date(2031, 6, 24): True, date(2031, 6, 25): False}
    load(corrected, "right.txt")
    known = queries.in_force()
    assert known.works(date(2031, 6, 24))
    assert known.works(date(2031, 3, 3))
    assert [one.file_name for one in queries.standing(queries.loads(2031))] == ["right.txt"]
    assert CalendarLoad.objects.count() == 3  # every version stays


def test_the_same_file_twice_is_one_version():
    load(NOTICE, "notice.txt")
    with pytest.raises(SameCalendar, match="in force"):
        actions.propose(OPERATOR, NOTICE, file_name="notice.txt")
    actions.propose(OPERATOR, TABLE, file_name="2032.csv")
    with pytest.raises(SameCalendar, match="proposed"):
        actions.propose(OPERATOR, TABLE, file_name="2032.csv")
    assert CalendarLoad.objects.count() == 1
    assert AuditRecord.objects.filter(kind="calendar.loaded").count() == 1


def test_a_notice_that_contradicts_itself_loads_nothing():
    with pytest.raises(NoticeContradicts, match="Line 3"):
        actions.propose(OPERATOR, NOTICE.decode().replace("共7天", "共6天").encode(), file_name="notice.txt")
    assert not CalendarProposal.objects.exists()
    assert not AuditRecord.objects.filter(kind__startswith="calendar.").exists()
    assert queries.in_force() is PUBLISHED


def test_a_notice_in_gb18030_is_read():
    assert list(reading.read(NOTICE.decode().encode("gb18030"), file_name="notice.txt").years) == [2031]


def test_a_missing_year_is_warned_of_a_quarter_ahead():
    load(NOTICE, "notice.txt")
    assert queries.missing_years(date(2031, 9, 30)) == []
    assert queries.missing_years(date(2031, 10, 1)) == [2032]
    assert queries.missing_years(date(2032, 1, 1)) == [2032]
    assert queries.missing_years(date(2032, 11, 1)) == [2032, 2033]


@pytest.fixture
def at(monkeypatch):
    return lambda year, month, of_month: monkeypatch.setattr(day, "today", lambda: date(year, month, of_month))


def test_the_doctor_finds_the_missing_year(at):
    last = max(PUBLISHED.years)
    at(last, 9, 30)
    assert [one.state for one in check.years(current())] == ["ok"]
    at(last, 10, 1)
    (found,) = check.years(current())
    assert (found.state, str(last + 1) in found.said, "hutong calendar load" in found.said) == ("warn", True, True)
    at(last + 1, 1, 2)
    assert [one.state for one in check.years(current())] == ["fail"]


def test_stewards_and_supervisors_are_told_once_a_week_until_the_year_is_loaded(at):
    load(NOTICE, "notice.txt")
    for role in ("steward", "auditor"):
        Account.objects.create(username=role, role=role)
    missing = Told.objects.filter(notice__code="calendar_year_soon")
    at(2031, 9, 30)
    duty.warn()
    assert not missing.exists()
    at(2031, 10, 1)
    duty.warn()
    duty.warn()
    told = missing.values_list("account__username", "notice__subject")
    assert sorted(told) == [("steward", "calendar:2032"), ("supervisor", "calendar:2032")]
    assert Notice.objects.filter(code="calendar_year_soon").values_list("page", flat=True).first() == ["calendar"]
    Notice.objects.update(at=F("at") - timedelta(days=8))
    duty.warn()
    assert missing.count() == 4
    load(TABLE, "2032.csv")
    Notice.objects.update(at=F("at") - timedelta(days=8))
    duty.warn()
    assert missing.count() == 4


def test_the_nodes_page_shows_what_was_loaded_and_what_is_missing(at):
    at(2031, 10, 1)
    load(NOTICE, "notice-2031.txt")
    client = Client(headers={"accept-language": "en"})
    client.force_login(Account.objects.create(username="sun", role="steward"))
    page = client.get("/node/").content.decode()
    assert "The holidays of 2032 are not loaded" in page
    assert "2031 · notice-2031.txt" in page


def test_the_command_line_proposes_approves_and_shows(tmp_path):
    home, file, runner = str(current().home), tmp_path / "notice.txt", CliRunner()
    file.write_bytes(NOTICE[NOTICE.index("一、".encode()) :])
    supervisor()
    done = runner.invoke(command, ["load", home, str(file), "--year", "2031"])
    assert "2031: 22 days off, 6 make-up working days are read.\n" in done.output
    assert "waits for approval" in runner.invoke(command, ["show", home]).output
    assert "proposed already" in runner.invoke(command, ["load", home, str(file), "--year", "2031"]).output
    done = runner.invoke(command, ["approve", home, "--all", "--as", "supervisor"])
    assert done.output == "2031: the working days of notice.txt are in force.\n"
    shown = runner.invoke(command, ["show", home, "2031"]).output
    assert "2031-01-19 Sun  works" in shown
    assert "2031-01-22 Wed  off" in shown
    assert "2031 notice notice.txt" in shown
    listed = json.loads(runner.invoke(command, ["show", home, "2031", "--json"]).output)
    assert listed["days"]["2031-10-11"] == "makeup_workday"
    assert listed["loads"][0]["counts"] is True
    table = tmp_path / "2032.csv"
    table.write_bytes(TABLE)
    proposed = runner.invoke(command, ["load", home, str(table)]).output
    identifier = proposed.split(" is proposed")[0].split()[-1]
    assert identifier == CalendarProposal.objects.get(state="proposed").id
    back = runner.invoke(command, ["decline", home, identifier, "--reason", "不完整", "--as", "supervisor"])
    assert back.output == "2032: the working days of 2032.csv are sent back.\n"
    missing = runner.invoke(command, ["show", home, "2032"])
    assert isinstance(missing.exception, CalendarYearMissing)
