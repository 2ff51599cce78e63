"""What must hold for every identifier, not only for the published ones."""

from __future__ import annotations

import contextlib
from datetime import date

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hutong.vocabulary import identifiers as i
from hutong.vocabulary.recognisers import valid_share

areas = st.sampled_from(["310115", "320509", "330421", "340103"])
births = st.dates(date(1800, 1, 1), date(2099, 12, 31))
sequences = st.integers(0, 999).map("{:03d}".format)
credit_bodies = st.text(i.CREDIT_ALPHABET, min_size=17, max_size=17)


@st.composite
def identity_bodies(draw):
    return draw(areas) + draw(births).strftime("%Y%m%d").zfill(8) + draw(sequences)


@given(identity_bodies())
def test_every_number_with_its_check_character_is_read_back(body):
    number = i.read_identity_number((body + i.identity_check(body)).lower())
    assert number.text[:17] == body
    assert number.birth.strftime("%Y%m%d").zfill(8) == body[6:14]
    assert number.sex == (1 if int(body[16]) % 2 else 2)


@given(identity_bodies(), st.integers(0, 16), st.integers(1, 9))
def test_one_wrong_digit_is_always_found(body, position, shift):
    wrong = body[:position] + str((int(body[position]) + shift) % 10) + body[position + 1 :]
    with pytest.raises(i.WrongIdentifier):
        i.read_identity_number(wrong + i.identity_check(body))


@given(identity_bodies(), st.integers(0, 15))
def test_two_neighbours_swapped_are_always_found(body, position):
    swapped = body[:position] + body[position + 1] + body[position] + body[position + 2 :]
    if swapped != body:
        with pytest.raises(i.WrongIdentifier):
            i.read_identity_number(swapped + i.identity_check(body))


@given(credit_bodies, st.integers(0, 16), st.sampled_from(i.CREDIT_ALPHABET))
def test_one_wrong_character_of_a_credit_code_is_always_found(body, position, other):
    assert i.read_credit_code(body + i.credit_check(body)).text[:17] == body
    if other != body[position]:
        with pytest.raises(i.WrongCheckCharacter):
            i.read_credit_code(body[:position] + other + body[position + 1 :] + i.credit_check(body))


@given(st.text(max_size=25))
def test_any_text_is_read_or_refused_and_never_breaks(text):
    for read in (i.read_identity_number, i.read_credit_code, i.read_organisation_code):
        with contextlib.suppress(i.WrongIdentifier):
            read(text)


@given(st.lists(st.one_of(st.none(), st.text(max_size=20), credit_bodies.map(lambda b: b + i.credit_check(b)))))
def test_the_column_check_agrees_with_the_single_check(values):
    def valid(text: str) -> bool:
        with contextlib.suppress(i.WrongIdentifier):
            return bool(i.read_credit_code(text))
        return False

    column = pa.array(values, pa.string())
    present = [text for text in values if text and text.isascii() and text.strip()]
    if len(present) == len([text for text in values if text]):  # NFKC belongs to the single check alone
        expected = sum(map(valid, present)) / len(present) if present else 0.0
        assert valid_share(column, "uscc") == pytest.approx(expected)
