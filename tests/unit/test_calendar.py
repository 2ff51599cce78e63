"""The working-day clock. Vectors computed from the published holidays of 2025 and 2026."""

from __future__ import annotations

import csv
from datetime import date

import pytest

from hutong.vocabulary.calendar import PUBLISHED, CalendarYearMissing, read_days
from hutong.vocabulary.errors import BadInput

CLOCKS = """
received   | days | due
2025-09-22 | 10   | 2025-10-11
2025-09-26 | 1    | 2025-09-28
2025-09-22 | 20   | 2025-10-24
2025-09-30 | 2    | 2025-10-10
2026-02-09 | 10   | 2026-02-28
2026-04-30 | 1    | 2026-05-06
"""


@pytest.mark.parametrize("line", CLOCKS.split("\n")[2:-1])
def test_clocks_count_make_up_working_days_and_skip_holidays(line):
    received, days, due = (part.strip() for part in line.split("|"))
    assert PUBLISHED.due(date.fromisoformat(received), int(days)) == date.fromisoformat(due)


def test_day_zero_is_the_day_of_receipt_even_on_a_holiday():
    assert PUBLISHED.due(date(2025, 10, 1), 0) == date(2025, 10, 1)
    assert PUBLISHED.due(date(2025, 10, 1), 1) == date(2025, 10, 9)


def test_a_year_nobody_announced_is_refused_not_guessed():
    with pytest.raises(CalendarYearMissing, match="2027") as refused:
        PUBLISHED.due(date(2026, 12, 28), 10)
    assert "hutong calendar load" in refused.value.next_step("en")
    with pytest.raises(CalendarYearMissing):
        PUBLISHED.works(date(2003, 6, 2))


def test_half_a_year_is_refused():
    with pytest.raises(BadInput, match="2027 in part"):
        PUBLISHED.with_days(read_days(["date,kind", "2027-01-01,holiday"]))


@pytest.mark.parametrize("line", ["2027-13-01,holiday", "2027-01-01,feast", "2027-01-01"])
def test_a_broken_calendar_line_is_named(line):
    with pytest.raises(BadInput, match="line 2"):
        read_days(["date,kind", line])


def test_working_days_left_are_negative_when_overdue():
    assert PUBLISHED.left(date(2025, 9, 22), date(2025, 10, 11)) == 10
    assert PUBLISHED.left(date(2025, 9, 26), date(2025, 9, 26)) == 0
    assert PUBLISHED.left(date(2025, 9, 28), date(2025, 9, 26)) == -1


@pytest.mark.parametrize("days", [-1, 1001])
def test_an_absurd_clock_is_a_programming_error(days):
    with pytest.raises(ValueError, match="between 0 and 1,000"):
        PUBLISHED.due(date(2025, 9, 22), days)


def test_the_package_agrees_with_the_published_table_on_every_day(real_data):
    with (real_data / "calendar" / "cn_calendar_2004_2026.csv").open(encoding="utf-8") as lines:
        for row in csv.DictReader(lines):
            day = date.fromisoformat(row["date"])
            assert PUBLISHED.works(day) == (row["kind"] in ("workday", "makeup_workday")), day
