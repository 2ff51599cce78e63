"""Published vectors of GB 11643, GB 32100 and GB 11714. Every person here is a public example or impossible."""

from __future__ import annotations

import csv
import gzip
import json
import lzma
from datetime import date

import pytest

from hutong.vocabulary.areas import AreaTable, load_areas
from hutong.vocabulary.errors import BadInput
from hutong.vocabulary.identifiers import (
    Doubt,
    ImpossibleBirthDate,
    WrongCharacter,
    WrongCheckCharacter,
    WrongIdentifier,
    WrongLength,
    read_credit_code,
    read_identity_number,
    read_organisation_code,
    upgrade,
)

IDENTITY_NUMBERS = """
11010519491231002X | 2
440524188001010014 | 1
310115199003070017 | 1
330421198511200028 | 2
340103199210010164 | 2
32050919850615234X | 2
32058419850615234X | 2
310229196505050016 | 1
"""

CREDIT_CODES = """
91350100M000100Y43
11430000006122244L
113700000045030270
11330105002500287C
11110000000021135M
11370800MB28559184
123100004250000064
"""


@pytest.mark.parametrize("line", IDENTITY_NUMBERS.split("\n")[1:-1])
def test_published_identity_numbers_are_valid(line):
    text, sex = line.split(" | ")
    number = read_identity_number(text)
    assert (number.text, number.sex, number.doubts) == (text, int(sex), ())


@pytest.mark.parametrize(
    ("text", "refusal"),
    [
        ("310115199003070018", WrongCheckCharacter),
        ("320509197802290013", ImpossibleBirthDate),  # 29 February 1978
        ("310115199013070010", ImpossibleBirthDate),  # month 13
        ("31011519900307001", WrongLength),
        ("3101151990030700177", WrongLength),
        ("", WrongLength),
        ("31011519900307001A", WrongCharacter),
        ("X10115199003070017", WrongCharacter),
        ("1101051949123100２'", WrongCharacter),
        ("' OR 1=1 --       ", WrongLength),
    ],
)
def test_broken_identity_numbers_are_refused(text, refusal):
    with pytest.raises(refusal):
        read_identity_number(text)


def test_lower_case_x_and_full_width_digits_are_normalised():
    assert read_identity_number("11010519491231002x").text == "11010519491231002X"
    assert read_identity_number(" １１０１０５１９４９１２３１００２ｘ ").text == "11010519491231002X"


def test_fifteen_digits_are_upgraded_into_the_twentieth_century():
    assert upgrade("110105491231002") == "11010519491231002X"
    assert read_identity_number("110105491231002").birth == date(1949, 12, 31)
    with pytest.raises(WrongCharacter):
        upgrade("11010549123100X")
    with pytest.raises(WrongLength):
        upgrade("1101054912310")


def test_an_unknown_area_only_raises_a_doubt():
    assert read_identity_number("990115199003070013").doubts == (Doubt.UNKNOWN_AREA,)


def test_a_refusal_and_a_repr_never_show_the_number():
    with pytest.raises(WrongIdentifier) as refused:
        read_identity_number("310115199003070018")
    assert "3101" not in json.dumps(refused.value.problem())
    assert "3101" not in repr(read_identity_number("310115199003070017"))


def test_parts_of_an_identity_number():
    number = read_identity_number("310115199003070017")
    assert (number.area, number.birth) == ("310115", date(1990, 3, 7))


@pytest.mark.parametrize("text", CREDIT_CODES.split())
def test_published_credit_codes_are_valid_without_doubt(text):
    assert read_credit_code(text).doubts == ()
    assert read_credit_code(text.lower()).text == text


@pytest.mark.parametrize(
    ("text", "refusal"),
    [
        ("91350100M000100Y44", WrongCheckCharacter),
        ("91320509MA1NTEST0A", WrongCharacter),
        ("91350100M000100Y4", WrongLength),
        ("91350100M000100Y4中", WrongCharacter),
    ],
)
def test_broken_credit_codes_are_refused(text, refusal):
    with pytest.raises(refusal):
        read_credit_code(text)


def test_a_wrong_inner_check_only_raises_a_doubt():
    code = read_credit_code("12310000425000000H")
    assert code.doubts == (Doubt.INNER_CHECK,)
    assert (code.area, code.organisation_code) == ("310000", "425000000")


def test_an_organisation_code_may_carry_its_hyphen():
    assert read_organisation_code("M000100Y-4") == read_organisation_code("m000100y4") == "M000100Y4"
    for text, refusal in [("M000100Y5", WrongCheckCharacter), ("M00", WrongLength), ("M0001*0Y4", WrongCharacter)]:
        with pytest.raises(refusal):
            read_organisation_code(text)


def test_an_area_table_knows_a_code_only_in_its_time(tmp_path):
    file = tmp_path / "areas.csv"
    file.write_text("code,valid_from,valid_to\n320584,,2012-09-01\n320509,2012-09-01,\n", encoding="utf-8")
    areas = load_areas(file)
    assert areas.knows("320584", date(2010, 1, 1))
    assert areas.knows("320584")
    assert not areas.knows("320584", date(2020, 1, 1))
    assert not areas.knows("320509", date(2010, 1, 1))
    assert not areas.knows("999999")
    assert AreaTable().knows("100000")
    assert read_identity_number("310115199003070017", areas=areas).doubts == (Doubt.UNKNOWN_AREA,)


def test_a_broken_area_table_is_refused_by_line(tmp_path):
    file = tmp_path / "areas.csv"
    file.write_text("code,valid_from\n320584,\n320509,yesterday\n", encoding="utf-8")
    with pytest.raises(BadInput, match="line 3"):
        load_areas(file)


def test_codes_of_real_companies_are_read_and_their_dirt_is_counted(real_data):
    with lzma.open(real_data / "entities" / "yrd_enterprises_1978_2004.csv.xz", "rt", encoding="utf-8") as lines:
        codes = [row["uscc"] for _, row in zip(range(3000), csv.DictReader(lines), strict=False)]
    valid = refused = 0
    for code in codes:
        try:
            read_credit_code(code)
            valid += 1
        except WrongIdentifier:
            refused += 1
    assert valid + refused == len(codes)
    assert valid > 1000


def test_every_current_county_lies_in_a_known_province(real_data):
    with (real_data / "divisions" / "divisions_2026.csv").open(encoding="utf-8") as lines:
        codes = [row["code12"][:6] for row in csv.DictReader(lines)]
    assert all(AreaTable().knows(code) for code in codes)
    with gzip.open(real_data / "divisions" / "historical_changes_1981_2015.json.gz", "rt", encoding="utf-8") as text:
        assert json.load(text)
