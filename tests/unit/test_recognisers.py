from __future__ import annotations

import csv
import lzma

import pyarrow as pa
import pytest

from hutong.vocabulary.identifiers import WrongIdentifier, credit_check, identity_check, read_credit_code
from hutong.vocabulary.recognisers import recognise, valid_share

IMPOSSIBLE = [f"3101151{850 + year}0230{sequence:03d}" for year in range(5) for sequence in range(10)]  # 30 February
PEOPLE = [body + identity_check(body) for body in IMPOSSIBLE]
BODIES = [f"91320509MA{number:07d}" for number in range(50)]
COMPANIES = [body + credit_check(body) for body in BODIES]


@pytest.mark.parametrize(
    ("values", "element"),
    [
        (PEOPLE, "person_id"),
        (COMPANIES, "uscc"),
        ([code.lower() for code in COMPANIES], "uscc"),
        (["M000100Y-4"] * 30, "organisation_code"),
        ([f"138{number:08d}" for number in range(30)], "phone"),
        (["320509", "310118", "330421"] * 10, "area_code"),
        ([f"officer{number}@js.example.org" for number in range(30)], "email"),
    ],
)
def test_a_column_is_recognised_by_its_values(values, element):
    recognised = recognise(pa.array(values))
    assert recognised is not None
    assert (recognised.element, recognised.share) == (element, 1.0)
    assert recognise(pa.chunked_array([values, [None, "", "  "]], pa.large_string())) == recognised


@pytest.mark.parametrize(
    "values",
    [["南京"] * 50, ["1"] * 50, PEOPLE[:19], [], [None] * 50, [one[:-1] + "?" for one in COMPANIES], ["中" * 18] * 50],
)
def test_other_columns_stay_unrecognised(values):
    assert recognise(pa.array(values, pa.string())) is None


def test_numbers_are_no_identifiers():
    assert recognise(pa.array(range(100))) is None
    assert valid_share(pa.array([1, 2]), "uscc") == 0.0


def test_the_share_counts_only_values_that_are_there():
    wrong = [code[:-1] + ("0" if code[-1] != "0" else "1") for code in COMPANIES[:10]]
    assert valid_share(pa.array([*COMPANIES[:30], *wrong, None, ""]), "uscc") == 0.75


def test_the_column_agrees_with_the_single_check_on_real_companies(real_data):
    with lzma.open(real_data / "entities" / "yrd_enterprises_1978_2004.csv.xz", "rt", encoding="utf-8") as lines:
        codes = [row["uscc"] for _, row in zip(range(5000), csv.DictReader(lines), strict=False)]

    def valid(code: str) -> bool:
        try:
            return bool(read_credit_code(code))
        except WrongIdentifier:
            return False

    present = [code for code in codes if code.strip()]
    assert valid_share(pa.array(codes), "uscc") == pytest.approx(sum(map(valid, present)) / len(present))
    assert recognise(pa.array(codes)).element == "uscc"
