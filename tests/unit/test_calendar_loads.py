"""Loading a year's holidays: versions, the ledger, and the warning before a year is reached."""

from __future__ import annotations

import json
from datetime import date, timedelta
from hashlib import sha256

import pytest
from click.testing import CliRunner
from django.db.models import F
from django.test import Client

from hutong.control.calendar import actions, check, duty, queries
from hutong.control.calendar.cli import calendar as command
from hutong.control.calendar.models import CalendarLoad
from hutong.control.identity.models import Account
from hutong.control.identity.rules import Operator
from hutong.control.notices.models import Notice, Told
from hutong.control.statute import day
from hutong.ledger.models import AuditRecord
from hutong.node.settings import current
from hutong.vocabulary.calendar import PUBLISHED, CalendarYearMissing
from hutong.vocabulary.errors import BadInput, NotAllowed
from hutong.vocabulary.holiday_notice import NoticeContradicts

pytestmark = pytest.mark.django_db
OPERATOR = Operator("operator:root")

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
    (loaded,) = actions.load(OPERATOR, NOTICE, file_name="notice-2031.txt")
    assert (loaded.year, loaded.off, loaded.made_up, loaded.changed) == (2031, 22, 6, ())
    known = queries.in_force()
    assert known.due(date(2031, 1, 17), 5) == date(2031, 1, 30)  # Sunday the 19th works, 22 to 28 are off
    assert known.due(date(2025, 9, 22), 10) == date(2025, 10, 11)
    with pytest.raises(CalendarYearMissing, match="2032"):
        known.due(date(2031, 12, 30), 2)
    with pytest.raises(CalendarYearMissing, match="2030"):
        known.works(date(2030, 12, 28))  # one named day of 2030 makes no known year of it


def test_loading_is_recorded_with_the_files_digest_and_who_did_it():
    actions.load(OPERATOR, NOTICE, file_name="notice-2031.txt")
    kept = CalendarLoad.objects.get()
    assert kept.digest == "sha256:" + sha256(NOTICE).hexdigest()
    assert (kept.loaded_by, kept.file_name, kept.kind, kept.whole) == (
        "operator:root",
        "notice-2031.txt",
        "notice",
        True,
    )
    told = AuditRecord.objects.get(kind="calendar.loaded")
    assert (told.subject, told.actor, told.detail["off"]) == ("calendar:2031", "operator:root", 22)


def test_a_table_of_days_is_loaded_too_and_half_a_year_is_not():
    actions.load(OPERATOR, TABLE, file_name="2032.csv")
    assert queries.in_force().due(date(2032, 1, 1), 2) == date(2032, 1, 3)
    with pytest.raises(BadInput, match="2033 in part"):
        actions.load(OPERATOR, b"date,kind\n2033-01-01,holiday\n", file_name="2033.csv")
    with pytest.raises(BadInput, match="neither a notice"):
        actions.load(OPERATOR, b"holidays of 2033\n", file_name="2033.csv")
    with pytest.raises(BadInput, match="not text"):
        actions.load(OPERATOR, b"\xff\xfe\xff", file_name="2033.pdf")
    assert CalendarLoad.objects.count() == 1


def test_single_days_of_a_known_year_change_and_the_difference_is_told():
    (loaded,) = actions.load(OPERATOR, b"date,kind\n2025-09-23,holiday\n2025-10-01,holiday\n", file_name="typhoon.csv")
    assert loaded.changed == (date(2025, 9, 23),)
    assert queries.in_force().due(date(2025, 9, 22), 1) == date(2025, 9, 24)


def test_a_later_whole_year_replaces_what_was_loaded_for_it_before():
    actions.load(OPERATOR, NOTICE, file_name="wrong.txt")
    actions.load(OPERATOR, b"date,kind\n2031-03-03,holiday\n", file_name="typhoon.csv")
    assert not queries.in_force().works(date(2031, 3, 3))
    corrected = NOTICE.decode().replace("6月24日（周二）", "6月25日（周三）").encode()
    actions.load(OPERATOR, corrected, file_name="right.txt")
    known = queries.in_force()
    assert known.works(date(2031, 6, 24))
    assert known.works(date(2031, 3, 3))
    assert [one.file_name for one in queries.standing(queries.loads(2031))] == ["right.txt"]
    assert CalendarLoad.objects.count() == 3  # every version stays


def test_the_same_file_twice_is_one_version():
    actions.load(OPERATOR, NOTICE, file_name="notice.txt")
    (loaded,) = actions.load(OPERATOR, NOTICE, file_name="notice.txt")
    assert loaded.again
    assert CalendarLoad.objects.count() == 1
    assert AuditRecord.objects.filter(kind="calendar.loaded").count() == 1


def test_a_notice_that_contradicts_itself_loads_nothing():
    with pytest.raises(NoticeContradicts):
        actions.load(OPERATOR, NOTICE.decode().replace("共7天", "共6天").encode(), file_name="notice.txt")
    assert not CalendarLoad.objects.exists()
    assert not AuditRecord.objects.filter(kind="calendar.loaded").exists()
    assert queries.in_force() is PUBLISHED


def test_only_the_operator_and_the_steward_load_a_calendar():
    for role in ("officer", "head", "supervisor", "auditor"):
        with pytest.raises(NotAllowed):
            actions.load(Operator("x", role=role), NOTICE, file_name="notice.txt")
    actions.load(Operator("x", role="steward"), NOTICE, file_name="notice.txt")


def test_a_notice_in_gb18030_is_read():
    (loaded,) = actions.load(OPERATOR, NOTICE.decode().encode("gb18030"), file_name="notice.txt")
    assert loaded.year == 2031


def test_a_missing_year_is_warned_of_a_quarter_ahead():
    actions.load(OPERATOR, NOTICE, file_name="notice.txt")
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
    actions.load(OPERATOR, NOTICE, file_name="notice.txt")
    for role in ("steward", "supervisor", "auditor"):
        Account.objects.create(username=role, role=role)
    at(2031, 9, 30)
    duty.warn()
    assert not Notice.objects.exists()
    at(2031, 10, 1)
    duty.warn()
    duty.warn()
    told = Told.objects.values_list("account__username", "notice__subject")
    assert sorted(told) == [("steward", "calendar:2032"), ("supervisor", "calendar:2032")]
    Notice.objects.update(at=F("at") - timedelta(days=8))
    duty.warn()
    assert Told.objects.count() == 4
    actions.load(OPERATOR, TABLE, file_name="2032.csv")
    Notice.objects.update(at=F("at") - timedelta(days=8))
    duty.warn()
    assert Told.objects.count() == 4


def test_the_nodes_page_shows_what_was_loaded_and_what_is_missing(at):
    at(2031, 10, 1)
    actions.load(OPERATOR, NOTICE, file_name="notice-2031.txt")
    client = Client(headers={"accept-language": "en"})
    client.force_login(Account.objects.create(username="sun", role="steward"))
    page = client.get("/node/").content.decode()
    assert "The holidays of 2032 are not loaded" in page
    assert "2031 · notice-2031.txt" in page


def test_the_command_line_loads_and_shows(tmp_path):
    home, file, runner = str(current().home), tmp_path / "notice.txt", CliRunner()
    file.write_bytes(NOTICE[NOTICE.index("一、".encode()) :])
    done = runner.invoke(command, ["load", home, str(file), "--year", "2031"])
    assert done.output == "2031: 22 days off, 6 make-up working days are loaded.\n"
    shown = runner.invoke(command, ["show", home, "2031"]).output
    assert "2031-01-19 Sun  works" in shown
    assert "2031-01-22 Wed  off" in shown
    assert "2031 notice notice.txt" in shown
    listed = json.loads(runner.invoke(command, ["show", home, "2031", "--json"]).output)
    assert listed["days"]["2031-10-11"] == "makeup_workday"
    assert listed["loads"][0]["counts"] is True
    missing = runner.invoke(command, ["show", home, "2032"])
    assert isinstance(missing.exception, CalendarYearMissing)
