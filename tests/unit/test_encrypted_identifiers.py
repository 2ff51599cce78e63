"""FF1 against NIST's own samples, and identifiers that stay identifiers, keyed by the agreement."""

from __future__ import annotations

import base64
import random
from datetime import date, timedelta
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from hutong.control.agreements.reidentify import reidentify
from hutong.control.agreements.rules import NotEncrypted
from hutong.control.identity.models import Account
from hutong.exchange.grants.store import load
from hutong.exchange.shaping.encrypt import PROVINCES, decrypted, encrypted
from hutong.exchange.shaping.ff1 import FF1, Permutation
from hutong.exchange.shaping.mask_vector import mask_table
from hutong.exchange.shaping.masks import Mask, MaskedItem
from hutong.exchange.shaping.shape import shape
from hutong.exchange.sources.parquet import ParquetSource
from hutong.ledger.models import AuditRecord
from hutong.node.keys import unseal
from hutong.vocabulary.errors import NotAllowed, NotFound
from hutong.vocabulary.identifiers import (
    CREDIT_ALPHABET,
    credit_check,
    identity_check,
    organisation_check,
    read_credit_code,
    read_identity_number,
)
from hutong.vocabulary.ids import urn
from hutong.vocabulary.text import TextMissing
from tests.concluded import provided
from tests.dsp_peer import DspPeer, head_of

KEY = bytes(range(32))
DIGITS = "0123456789abcdefghijklmnopqrstuvwxyz"
AES_KEY = "2B7E151628AED2A6ABF7158809CF4F3CEF4359D8D580AA4F7F036D6F04FC6A94"
SHORT, LONG = "39383736353433323130", "3737373770717273373737"
# csrc.nist.gov, Cryptographic Standards and Guidelines, Examples with Intermediate Values, FF1samples.pdf
SAMPLES = [
    (16, 10, "", "0123456789", "2433477484"),
    (16, 10, SHORT, "0123456789", "6124200773"),
    (16, 36, LONG, "0123456789abcdefghi", "a9tv40mll9kdu509eum"),
    (24, 10, "", "0123456789", "2830668132"),
    (24, 10, SHORT, "0123456789", "2496655549"),
    (24, 36, LONG, "0123456789abcdefghi", "xbj3kv35jrawxv32ysr"),
    (32, 10, "", "0123456789", "6657667009"),
    (32, 10, SHORT, "0123456789", "1001623463"),
    (32, 36, LONG, "0123456789abcdefghi", "xs8a0azh2avyalyzuwd"),
]
IDENTITY = [
    Mask("encrypt_identity_number", keeps=keeps, suite=suite)
    for keeps in ("area", "province", "nothing")
    for suite in ("", "sm")
]
CREDIT = [Mask("encrypt_credit_code", suite=suite) for suite in ("", "sm")]


def halves(text: str, radix: int) -> list[Any]:
    middle = len(text) // 2
    return [np.array([int(part, radix)], np.uint64) for part in (text[:middle], text[middle:])]


def written(left: Any, right: Any, radix: int, length: int) -> str:
    texts = []
    for half, width in ((int(left[0]), length // 2), (int(right[0]), length - length // 2)):
        digits = [DIGITS[half // radix**place % radix] for place in range(width)]
        texts.append("".join(reversed(digits)))
    return "".join(texts)


@pytest.mark.parametrize(("key_bytes", "radix", "tweak", "plain", "cipher"), SAMPLES)
def test_every_sample_of_nist_comes_out(key_bytes: int, radix: int, tweak: str, plain: str, cipher: str) -> None:
    ff1 = FF1(bytes.fromhex(AES_KEY)[:key_bytes], radix, len(plain), bytes.fromhex(tweak))
    assert written(*ff1.encrypt(*halves(plain, radix)), radix, len(plain)) == cipher
    assert written(*ff1.decrypt(*halves(cipher, radix)), radix, len(plain)) == plain


@pytest.mark.parametrize(("radix", "length"), [(10, 5), (1, 20), (1 << 17, 2), (10, 1), (36, 40)])
def test_a_format_that_the_standard_does_not_allow_is_refused(radix: int, length: int) -> None:
    with pytest.raises(ValueError, match="FF1"):
        FF1(KEY, radix, length)


def test_a_permutation_meets_every_number_once_and_comes_back() -> None:
    size = 1_000_003
    permutation = Permutation(size, KEY, b"test")
    numbers = np.arange(size, dtype=np.uint64)
    turned = permutation.encrypt(numbers)
    assert (np.sort(turned) == numbers).all()
    assert (permutation.decrypt(turned[:1_000]) == numbers[:1_000]).all()
    assert (turned == numbers).sum() < 20


def persons(count: int) -> list[str]:
    """Made up at random; only their form is right."""
    draw = random.Random(7)
    made = []
    for _ in range(count):
        born = date(1850, 1, 1) + timedelta(days=draw.randrange(73_049))
        body = f"{draw.choice(PROVINCES)}{draw.randrange(10_000):04d}{born:%Y%m%d}{draw.randrange(1_000):03d}"
        made.append(body + identity_check(body))
    return made


def bodies(count: int) -> list[str]:
    draw = random.Random(8)
    made = []
    for _ in range(count):
        inner = "".join(draw.choice(CREDIT_ALPHABET) for _ in range(8))
        body = f"91{draw.randrange(10**6):06d}{inner}{organisation_check(inner)}"
        made.append(body + credit_check(body))
    return made


@pytest.mark.parametrize("mask", IDENTITY, ids=str)
def test_an_identity_number_becomes_another_valid_one_and_back(mask: Mask) -> None:
    numbers = persons(2_000)
    column = encrypted(pa.array(numbers), mask, KEY)
    kept = {"area": 6, "province": 2, "nothing": 0}[mask.keeps]
    for before, after in zip(numbers, column.to_pylist(), strict=True):
        assert read_identity_number(after).text == after
        assert after[:kept] == before[:kept]
    assert len(set(column.to_pylist())) == len(set(numbers))
    assert sum(one == other for one, other in zip(numbers, column.to_pylist(), strict=True)) < 5
    assert decrypted(column, mask, KEY).to_pylist() == numbers
    if not kept:
        assert {one[:2] for one in column.to_pylist()} == {str(one) for one in PROVINCES}


@pytest.mark.parametrize("mask", CREDIT, ids=str)
def test_a_credit_code_becomes_another_valid_one_of_the_same_registry(mask: Mask) -> None:
    codes = bodies(2_000)
    column = encrypted(pa.array(codes), mask, KEY)
    for before, after in zip(codes, column.to_pylist(), strict=True):
        assert read_credit_code(after).text == after
        assert "inner_check" not in read_credit_code(after).doubts
        assert after[:8] == before[:8]
        assert after != before
    assert decrypted(column, mask, KEY).to_pylist() == codes


def test_what_is_no_such_identifier_is_hidden_whole() -> None:
    number, code = persons(1)[0], bodies(1)[0]
    wrong_day = "310115" + "20230230" + "001"
    odd = [
        None, "", "王小明", number[:17], number + "0", "3101151990030700",  number[:-1] + "Z",
        number[:-1] + ("0" if number[-1] != "0" else "1"), wrong_day + identity_check(wrong_day),
        "99" + number[2:17] + identity_check("99" + number[2:17]), "一" * 6, "１" * 18, " " * 18, "\0" * 18,
    ]  # fmt: skip
    for mask in (*IDENTITY, *CREDIT):
        column = encrypted(pa.array([*odd, number if mask in CREDIT else code]), mask, KEY)
        assert column.to_pylist() == [None if one is None else "*" * len(one) for one in [*odd, "x" * 18]]
    assert encrypted(pa.array([], pa.string()), IDENTITY[0], KEY).to_pylist() == []


def test_a_small_x_is_the_same_person() -> None:
    number = next(one for one in persons(200) if one.endswith("X"))
    column = encrypted(pa.array([number, number.lower()]), IDENTITY[0], KEY)
    assert column[0] == column[1]


def test_two_agreements_and_two_suites_give_different_numbers() -> None:
    numbers = persons(50)
    seen = [tuple(encrypted(pa.array(numbers), mask, key).to_pylist()) for mask in IDENTITY for key in (KEY, bytes(32))]
    assert len(set(seen)) == len(seen)
    other = decrypted(encrypted(pa.array(numbers), IDENTITY[0], KEY), IDENTITY[0], bytes(32)).to_pylist()
    assert all(one != number for one, number in zip(other, numbers, strict=True))


@pytest.mark.parametrize("mask", [*IDENTITY, *CREDIT, Mask("pseudonym", suite="sm")], ids=str)
def test_streams_point_reads_and_chunks_give_the_same(mask: Mask, tmp_path: Any) -> None:
    values = [*persons(40), None, "", "王小明", *bodies(40)]
    table = pa.table({"id": pa.chunked_array([values[:50], [], values[50:]], pa.string()), "n": range(len(values))})
    pq.write_table(table, tmp_path / "x.parquet")
    items = [MaskedItem("n"), MaskedItem("id", mask)]
    expected = mask_table(table, items, KEY).to_pylist()
    source = ParquetSource(tmp_path / "x.parquet")
    assert source.read_masked(items, key=KEY).read_all().to_pylist() == expected
    assert shape(table.to_reader(), items, KEY).read_all().to_pylist() == expected
    assert sum(one["id"] is None for one in expected) == 1


def test_whole_numbers_are_read_as_their_digits() -> None:
    numbers = [one for one in persons(20) if one.isdigit()]
    table = pa.table({"id": [int(one) for one in numbers]})
    found = mask_table(table, [MaskedItem("id", IDENTITY[0])], KEY).column(0).to_pylist()
    assert found == encrypted(pa.array(numbers), IDENTITY[0], KEY).to_pylist()


def test_only_the_providers_head_turns_identifiers_back_and_none_stands_on_record(
    anhui: DspPeer, officer: Account
) -> None:
    made, _ = provided(anhui, officer, masks={"uscc": {"action": "encrypt_credit_code"}})
    codes = bodies(3)
    key = unseal(base64.b64decode(load(made.id)[0].pseudonym_key))
    left = encrypted(pa.array(codes), Mask("encrypt_credit_code"), key).to_pylist()
    head = head_of(officer)
    assert reidentify(head, made.id, "uscc", [*left, "王小明"], "协查函〔2026〕1 号") == [*codes, None]
    record = AuditRecord.objects.get(kind="agreement.reidentified")
    assert record.actor == head.username
    assert record.detail == {"item": "uscc", "asked": 4, "found": 3, "reason": "协查函〔2026〕1 号"}
    with pytest.raises(NotAllowed):
        reidentify(officer, made.id, "uscc", left, "x")
    for item, values in (("name", left), ("uscc", []), ("uscc", left * 50)):
        with pytest.raises(NotEncrypted):
            reidentify(head, made.id, item, values, "x")
    with pytest.raises(TextMissing):
        reidentify(head, made.id, "uscc", left, " ")
    with pytest.raises(NotFound):
        reidentify(head, urn("0192f0c1-0000-7000-8000-000000000009"), "uscc", left, "x")
