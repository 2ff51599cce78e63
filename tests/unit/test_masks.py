"""Every mask on every kind of value: the same by SQL, by Arrow, and by the plain Python written here."""

from __future__ import annotations

import datetime
import hashlib
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hutong.exchange.shaping import mask_vector
from hutong.exchange.shaping.mask_vector import mask_table
from hutong.exchange.shaping.masks import (
    ACTIONS,
    COUNTED,
    ENCRYPTED,
    KEYED,
    BadMask,
    Mask,
    MaskedItem,
    code_of,
    document_of,
    output_schema,
)
from hutong.exchange.shaping.shape import shape
from hutong.exchange.sources.parquet import ParquetSource
from tests.leaks.naive import KEY, value_of

TEXTS = [
    None, "", "王", "王明", "王小明", "欧阳娜娜", "310115199003070017", "11010519491231002X", "13800001234",
    "+86 138-0000-1234", "021-12345678", "1992-07-06", "1992/07/06 08:00", "1992", "19920706", "1992-7", "1992年7月",
    "江苏省南京市玄武区", "\U00020bb7野家", "a\nb", "2001-05-17\n", "12345", "e\u0301", " " * 20, "1992x",
]  # fmt: skip
TABLE = {
    "text": (TEXTS, pa.string()),
    "whole": ([None, 0, -5, 13800001234, 310115199003070017, 2**63 - 1], pa.int64()),
    "small": ([None, 0, -5, 127], pa.int8()),
    "share": ([None, 0.5, float("nan")], pa.float64()),
    "money": ([None, Decimal("1.50"), Decimal("-99999999.99")], pa.decimal128(10, 2)),
    "flag": ([None, True, False], pa.bool_()),
    "day": ([None, datetime.date(2001, 5, 17), datetime.date(1, 1, 1), datetime.date(9999, 12, 31)], pa.date32()),
    "at": ([None, datetime.datetime(2001, 5, 17, 23, 59, 59, 999999)], pa.timestamp("us")),
    "at_utc": ([None, datetime.datetime(2001, 1, 1, 0, 30, tzinfo=datetime.UTC)], pa.timestamp("us", tz="UTC")),
}
# Encrypted identifiers have tests of their own (test_encrypted_identifiers.py), and so has sha256_query, below.
MASKS = [
    Mask(action, n)
    for action in ACTIONS
    if action not in (*ENCRYPTED, "sha256_query")
    for n in ((1, 3, 40) if action in COUNTED else (0,))
] + [Mask("pseudonym", suite="sm")]
SMALLEST = 127  # what `fixed` gives where the standard's number does not fit


def plainly(item: str, mask: Mask, value: Any) -> Any:
    """What the mask should give, in words of plain Python."""
    if item == "small" and mask.action == "fixed" and value is not None:
        return SMALLEST
    return value_of(value, mask.to_document())


def shown(value: Any) -> str:
    """NaN equals itself, and one spelling of UTC another."""
    return value.isoformat() if isinstance(value, datetime.datetime) else repr(value)


def fitting(item: str) -> list[Mask]:
    type_ = TABLE[item][1]
    fits = []
    for mask in MASKS:
        try:
            mask.output_type(type_, item)
        except BadMask:
            continue
        fits.append(mask)
    return fits


@pytest.mark.parametrize("item", TABLE)
def test_each_mask_is_the_same_by_sql_by_arrow_and_in_plain_python(item: str, tmp_path: Any) -> None:
    values, type_ = TABLE[item]
    table = pa.table({item: pa.array(values, type_)})
    pq.write_table(table, tmp_path / "x.parquet")
    source = ParquetSource(tmp_path / "x.parquet")
    for mask in fitting(item):
        items = [MaskedItem(item, mask)]
        expected = [shown(plainly(item, mask, value)) for value in values]
        by_stream = shape(table.to_reader(), items, KEY).read_all()
        for way in (by_stream, mask_table(table, items, KEY), source.read_masked(items, key=KEY).read_all()):
            assert [shown(value) for value in way.column(0).to_pylist()] == expected, mask
            assert way.schema == output_schema(table.schema, items)


@settings(max_examples=40)
@given(
    st.lists(st.one_of(st.none(), st.text(st.characters(exclude_categories=["Cs"])), st.from_regex(r"[0-9X -]{8,20}")))
)
def test_masks_of_any_text_are_the_same_in_every_way(values: list[str | None]) -> None:
    table = pa.table({"text": pa.array(values, pa.string())})
    names = [MaskedItem("text", mask) for mask in fitting("text")]
    wide = pa.table({f"{number}": table.column(0) for number in range(len(names))})
    items = [MaskedItem(f"{number}", one.mask) for number, one in enumerate(names)]
    expected = [[plainly("text", one.mask, value) for value in values] for one in names]
    assert [column.to_pylist() for column in shape(wide.to_reader(), items, KEY).read_all().columns] == expected
    assert [column.to_pylist() for column in mask_table(wide, items, KEY).columns] == expected


@pytest.mark.parametrize(
    "document",
    [
        None, "keep", {}, {"action": "KEEP"}, {"action": "sha1"}, {"action": ["keep"]}, {"action": "first"},
        {"action": "first", "n": 0}, {"action": "first", "n": -1}, {"action": "first", "n": True},
        {"action": "first", "n": "3"}, {"action": "first", "n": 1.5}, {"action": "last", "n": 10**9},
        {"action": "keep", "n": 1}, {"action": "null", "sql": "1"}, {"action": "pseudonym", "suite": "md5"},
        {"action": "pseudonym", "suite": ""}, {"action": "sha256", "suite": "sm"}, {"action": "mask-alphanum"},
        {"action": "encrypt_identity_number"}, {"action": "encrypt_identity_number", "keeps": "name"},
        {"action": "encrypt_identity_number", "keeps": ["area"]}, {"action": "encrypt_credit_code", "keeps": "area"},
        {"action": "apply-expression", "expression": "x"},
    ],
)  # fmt: skip
def test_an_unknown_mask_fails_closed(document: Any) -> None:
    with pytest.raises(BadMask):
        Mask.from_document(document, "item")


def test_every_mask_document_comes_back() -> None:
    encrypting = [
        Mask("encrypt_identity_number", keeps=keeps, suite=suite)
        for keeps in ("area", "province", "nothing")
        for suite in ("", "sm")
    ]
    for mask in [*MASKS, *encrypting, Mask("encrypt_credit_code", suite="sm"), Mask("sha256_query")]:
        document = mask.to_document()
        assert Mask.from_document(document) == mask
        assert document_of(code_of(document)) == document


@pytest.mark.parametrize(
    ("action", "item"),
    [
        ("year", "whole"),
        ("pseudonym", "share"),
        ("name", "whole"),
        ("phone", "day"),
        ("first", "flag"),
        ("month", "money"),
    ],
)
def test_a_mask_that_does_not_fit_the_type_is_refused(action: str, item: str) -> None:
    values, type_ = TABLE[item]
    table = pa.table({item: pa.array(values, type_)})
    items = [MaskedItem(item, Mask(action, 1 if action == "first" else 0))]
    with pytest.raises(BadMask):
        shape(table.to_reader(), items, KEY)
    with pytest.raises(BadMask):
        mask_table(table, items, KEY)


def test_a_made_up_action_cannot_be_slipped_past_from_document() -> None:
    table = pa.table({"text": ["x"]})
    with pytest.raises(BadMask):
        shape(table.to_reader(), [MaskedItem("text", Mask("reveal"))], KEY)


@pytest.mark.parametrize("action", KEYED)
@pytest.mark.parametrize("key", [None, b"", b"short"])
def test_a_keyed_mask_needs_the_grants_own_key(key: bytes | None, action: str) -> None:
    table = pa.table({"text": ["x"]})
    items = [MaskedItem("text", Mask(action, keeps="area" if action == "encrypt_identity_number" else ""))]
    with pytest.raises(BadMask):
        shape(table.to_reader(), items, key)
    with pytest.raises(BadMask):
        mask_table(table, items, key)


def test_sm3_is_the_same_without_the_systems_own(monkeypatch: pytest.MonkeyPatch) -> None:
    made = [mask_vector.hmac_sm3(KEY, text.encode()) for text in TEXTS if text is not None]
    monkeypatch.setattr(mask_vector, "SYSTEM_HAS_SM3", not mask_vector.SYSTEM_HAS_SM3)
    assert [mask_vector.hmac_sm3(KEY, text.encode()) for text in TEXTS if text is not None] == made


def test_two_grants_cannot_join_their_pseudonyms() -> None:
    table = pa.table({"text": ["310115199003070017"]})
    items = [MaskedItem("text", Mask("pseudonym"))]
    seen = {mask_table(table, items, bytes([number]) * 32).column(0)[0].as_py() for number in range(3)}
    assert len(seen) == 3


def test_the_condition_looks_at_values_before_masks(tmp_path: Any) -> None:
    from hutong.exchange.shaping.predicate import parse_text

    pq.write_table(pa.table({"name": ["王小明", "李四"], "city": ["南京", "苏州"]}), tmp_path / "x.parquet")
    source = ParquetSource(tmp_path / "x.parquet")
    items = [MaskedItem("name", Mask("name")), MaskedItem("city", Mask("null"))]
    found = source.read_masked(items, parse_text("city = '南京' AND name = '王小明'")).read_all()
    assert found.to_pylist() == [{"name": "王**", "city": None}]
    assert source.read_masked(items, parse_text("name = '王**'")).read_all().num_rows == 0


def test_the_hash_of_one_answer_joins_its_rows_and_no_other_answers(tmp_path: Any) -> None:
    table = pa.table({"a": ["x", "y", "x", None], "b": ["y", "x", "x", None]})
    pq.write_table(table, tmp_path / "x.parquet")
    source = ParquetSource(tmp_path / "x.parquet")
    items = [MaskedItem("a", Mask("sha256_query")), MaskedItem("b", Mask("sha256_query"))]
    seen = set()
    for _ in range(2):
        for way in (
            source.read_masked(items).read_all(),
            shape(table.to_reader(), items).read_all(),
            mask_table(table, items, None),
        ):
            a, b = (column.to_pylist() for column in way.columns)
            assert a[0] == a[2] == b[1] != a[1] == b[0]
            assert a[3] is b[3] is None
            assert len(a[0]) == 64
            seen.add(a[0])
    assert len(seen) == 6
    assert hashlib.sha256(b"x").hexdigest() not in seen


def test_what_the_standard_says_of_show_first_4_and_mask_alphanum() -> None:
    mail = pa.table({"text": ["prashant010696@gmail.com", "abc"]})
    for action, n, expected in (
        ("alphanum", 0, ["xxxxxxxxnnnnnn@xxxxx.xxx", "xxx"]),
        ("show_first", 4, ["prasxxxxnnnnnn@xxxxx.xxx", "abc"]),
        ("show_last", 4, ["xxxxxxxxnnnnnn@xxxxx.com", "abc"]),
    ):
        assert mask_table(mail, [MaskedItem("text", Mask(action, n))], None).column(0).to_pylist() == expected


def test_values_that_are_still_to_be_masked_go_nowhere() -> None:
    """What is masked after the engine has a name and a schema that no reader takes until then."""
    from hutong.exchange.shaping.masks import Keys
    from hutong.exchange.shaping.shape import select_masked

    items = [MaskedItem("text", Mask("pseudonym", suite="sm"))]
    names = select_masked(pa.schema([("text", pa.string())]), items, Keys.of(items, KEY)).named_selects
    assert names == ["unmasked:text"]


def test_the_page_of_masks_names_each_of_the_list_and_no_other() -> None:
    page = (Path(__file__).parents[2] / "docs" / "masks.md").read_text(encoding="utf-8")
    rows = page.split("<!-- masks -->")[1].split("<!-- end -->")[0].strip().splitlines()[2:]
    assert {row.split("`")[1] for row in rows} == set(ACTIONS)
    assert len(rows) == len(ACTIONS)
