"""The demonstration's data is invented, valid where it must be, and the same everywhere."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from hutong.demo.seed.companies import companies
from hutong.demo.seed.files import write_demonstration_calendar
from hutong.demo.seed.people import people
from hutong.vocabulary.calendar import PUBLISHED, read_days
from hutong.vocabulary.identifiers import ImpossibleBirthDate, read_credit_code, read_identity_number


def test_no_invented_person_can_have_been_born():
    numbers = [person.identity_number for person in people(2_000)]
    assert len(set(numbers)) == 2_000
    for number in numbers:
        with pytest.raises(ImpossibleBirthDate):  # the check character is right: only the date is wrong
            read_identity_number(number)


def test_every_invented_company_has_a_valid_code_of_nobodys_block():
    codes = [company.uscc for company in companies(2_000)]
    assert len(set(codes)) == 2_000
    for code in codes:
        assert read_credit_code(code).doubts == ()
        assert code[8:13] == "HTDEM"


def test_the_seed_is_the_same_on_every_machine():
    assert list(people(50)) == list(people(50))
    last = list(people(3))[-1]
    assert (last.identity_number, last.city) == ("320302195002300012", "徐州市")


def test_the_demonstration_has_a_working_day_clock_in_any_year(tmp_path: Path):
    table = tmp_path / "calendar.csv"
    assert write_demonstration_calendar(table, date(2031, 12, 20))
    calendar = PUBLISHED.with_days(read_days(table.read_text(encoding="utf-8").splitlines()))
    assert calendar.due(date(2031, 12, 20), 10) == date(2032, 1, 5)  # 1 January is a fixed holiday
    assert not write_demonstration_calendar(tmp_path / "none.csv", date(2025, 12, 20))
