"""The language of conditions: what it takes, what it refuses, how it is written."""

from __future__ import annotations

import json
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hutong.exchange.shaping.predicate import MAX_DEPTH, MAX_NODES, MAX_VALUES, Predicate, parse_text
from hutong.exchange.shaping.values import BadPredicate
from hutong.vocabulary.canonical import canonical_bytes

TYPES = {
    "city": pa.string(),
    "size": pa.int64(),
    "share": pa.float64(),
    "money": pa.decimal128(18, 2),
    "ok": pa.bool_(),
    "day": pa.date32(),
    "at": pa.timestamp("us"),
    "at_utc": pa.timestamp("us", tz="UTC"),
    "parts": pa.list_(pa.string()),
}


def deep(levels: int) -> dict[str, Any]:
    document: dict[str, Any] = {"op": "is_null", "item": "a"}
    for _ in range(levels - 1):
        document = {"op": "not", "arg": document}
    return document


@pytest.mark.parametrize(
    "document",
    [
        None, [], "a = 1", {}, {"op": "like", "item": "a", "value": "x"}, {"op": "eq", "item": "a"},
        {"op": "eq", "item": "a", "value": 1, "sql": "1"}, {"op": "eq", "item": "a", "value": None},
        {"op": "eq", "item": "a", "value": [1]}, {"op": "eq", "item": "a", "value": float("nan")},
        {"op": "eq", "item": "a", "value": float("inf")}, {"op": "eq", "item": "a", "value": "x\0y"},
        {"op": "eq", "item": "a", "value": "\ud800"}, {"op": "eq", "item": "a", "value": "x" * 1_001},
        {"op": "eq", "item": "", "value": 1}, {"op": "eq", "item": 1, "value": 1},
        {"op": "eq", "item": "a\n", "value": 1},
        {"op": "in", "item": "a", "values": []}, {"op": "in", "item": "a", "values": "abc"},
        {"op": "in", "item": "a", "values": [None]}, {"op": "and", "args": []}, {"op": "and", "args": [{}]},
        {"op": "not", "arg": None}, {"op": ["eq"], "item": "a", "value": 1}, {"op": "between", "item": "a", "low": 1},
        {"op": "in", "item": "a", "values": list(range(MAX_VALUES + 1))}, deep(MAX_DEPTH + 1), deep(5_000),
        {"op": "and", "args": [{"op": "is_null", "item": "a"}] * MAX_NODES},
        {"op": "or", "args": [{"op": "in", "item": "a", "values": list(range(600))}] * 2},
    ],
)  # fmt: skip
def test_anything_outside_the_language_is_refused(document: Any) -> None:
    with pytest.raises(BadPredicate):
        Predicate.from_document(document)


@pytest.mark.parametrize(
    "text",
    [
        "1 = 1", "a = b", "city = 'x'; DROP TABLE t", "city = 'x' UNION SELECT 1", "city IN (SELECT 1)",
        "city = 'x' LIMIT 1",
        "city = 'x' ORDER BY 1", "lower(city) = 'x'", "t.city = 'x'", "EXISTS (SELECT 1)", "city = $1", "city = ?",
        "city LIKE 'a_b%'", "city LIKE 'a%b'", "city LIKE '%'", "city ILIKE 'a%'", "city LIKE 'a%' ESCAPE '\\'",
        "", "(",
        "city = 'x", "city", "NOT", "city = NULL", "city = read_text('/etc/passwd')", "city = 1 + 1", "city ~ 'x'",
        "'x' = city", "city = 'x' GROUP BY 1", "CAST(city AS INT) = 1", "city = 'x' QUALIFY 1", "(" * 3_000, "\0",
        "city = 'x' OR (SELECT 1)", "city = ANY(['x'])", "city BETWEEN 1 AND b", "city IS TRUE", "a = 1, b = 2",
    ],
)  # fmt: skip
def test_text_outside_the_language_is_refused(text: str) -> None:
    with pytest.raises(BadPredicate):
        parse_text(text)


def test_text_is_read_as_people_write_it() -> None:
    text = "city = '南京' and (size >= -5 or day between '2000-01-01' and date '2001-01-01') and not ok = true"
    assert parse_text(text).to_document() == {
        "op": "and",
        "args": [
            {"op": "eq", "item": "city", "value": "南京"},
            {
                "op": "or",
                "args": [
                    {"op": "ge", "item": "size", "value": -5},
                    {"op": "between", "item": "day", "low": "2000-01-01", "high": "2001-01-01"},
                ],
            },
            {"op": "not", "arg": {"op": "eq", "item": "ok", "value": True}},
        ],
    }
    assert parse_text("city LIKE '南%'") == parse_text("starts_with(city, '南')")
    assert parse_text("city LIKE '%京%'") == parse_text("contains(city, '京')")
    assert parse_text('"select" IS NOT NULL').item == "select"
    assert parse_text("share > 1.5").values == ("1.5",)


def test_floats_become_text_so_that_a_condition_can_be_signed() -> None:
    predicate = Predicate.from_document({"op": "gt", "item": "share", "value": 0.1})
    assert canonical_bytes(predicate.to_document()) == b'{"item":"share","op":"gt","value":"0.1"}'


NAMES = st.sampled_from(["city", "select", 'say "x"', "城市", "PM2.5", "a b", "date", "true", "Order", "x--", "case"])
SCALARS = st.one_of(
    st.booleans(),
    st.integers(-(2**70), 2**70),
    st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=12),
)
LEAVES = st.one_of(
    st.builds(
        lambda op, item, value: {"op": op, "item": item, "value": value},
        st.sampled_from(["eq", "ne", "lt", "le", "gt", "ge", "starts_with", "contains"]),
        NAMES,
        SCALARS,
    ),
    st.builds(lambda op, item: {"op": op, "item": item}, st.sampled_from(["is_null", "not_null"]), NAMES),
    st.builds(
        lambda item, values: {"op": "in", "item": item, "values": values},
        NAMES,
        st.lists(SCALARS, min_size=1, max_size=4),
    ),
    st.builds(
        lambda item, low, high: {"op": "between", "item": item, "low": low, "high": high}, NAMES, SCALARS, SCALARS
    ),
)
DOCUMENTS = st.recursive(
    LEAVES,
    lambda inner: st.one_of(
        st.builds(lambda arg: {"op": "not", "arg": arg}, inner),
        st.builds(
            lambda op, args: {"op": op, "args": args},
            st.sampled_from(["and", "or"]),
            st.lists(inner, min_size=1, max_size=3),
        ),
    ),
    max_leaves=6,
)


@given(DOCUMENTS)
def test_a_condition_comes_back_from_its_document_and_from_its_text(document: dict[str, Any]) -> None:
    try:
        predicate = Predicate.from_document(json.loads(json.dumps(document)))
    except BadPredicate:
        return
    assert predicate.to_document() == document
    assert flat(parse_text(predicate.to_text())) == flat(predicate)


def flat(predicate: Predicate) -> Predicate:
    """Without brackets that change nothing: (a AND b) AND c is a AND b AND c, and a single part is itself."""
    args = [flat(arg) for arg in predicate.args]
    if predicate.op == "not" and args[0].op == "is_null":
        return Predicate("not_null", item=args[0].item)
    if predicate.op in ("and", "or"):
        merged = [part for arg in args for part in (arg.args if arg.op == predicate.op else (arg,))]
        return merged[0] if len(merged) == 1 else Predicate(predicate.op, args=tuple(merged))
    return Predicate(predicate.op, predicate.item, predicate.values, tuple(args))


@pytest.mark.parametrize(
    ("item", "value"),
    [
        ("city", 1), ("city", True), ("size", "x"), ("size", True), ("size", "1.5"), ("size", 2**63), ("share", "x"),
        ("share", True), ("share", "1e999"), ("money", "1e50"), ("money", "nan"), ("ok", 1), ("ok", "true"),
        ("day", "2023-02-29"), ("day", "20230101"), ("day", 1), ("at", "2023-01-01T00:00:00Z"), ("at", "25:00"),
        ("at_utc", "2023-01-01 00:00:00"), ("parts", "x"), ("nobody", 1), ("size", " 1"), ("size", "１"),
    ],
)  # fmt: skip
def test_a_value_of_the_wrong_type_is_refused_and_never_shown(item: str, value: Any) -> None:
    predicate = Predicate.from_document({"op": "eq", "item": item, "value": value})
    with pytest.raises(BadPredicate) as refused:
        predicate.to_sql(TYPES, "duckdb")
    if isinstance(value, str) and len(value) > 3:
        assert value not in str(refused.value)


def test_booleans_have_no_order_and_only_text_starts_with_something() -> None:
    for document in ({"op": "lt", "item": "ok", "value": True}, {"op": "contains", "item": "size", "value": "1"}):
        with pytest.raises(BadPredicate):
            Predicate.from_document(document).check(TYPES)


def test_all_of_joins_what_is_asked() -> None:
    one, two = parse_text("a = 1"), parse_text("b = 2")
    assert Predicate.all_of(None, None) is None
    assert Predicate.all_of(one, None) is one
    joined = Predicate.all_of(one, two)
    assert joined is not None
    assert joined.items() == {"a", "b"}
    assert joined.to_text() == "a = 1 AND b = 2"
