"""Every comparison, in every kind of source, finds the rows that plain Python finds."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hutong.exchange.shaping.predicate import Predicate
from hutong.exchange.shaping.values import BadPredicate
from hutong.exchange.shaping.vector import kept
from hutong.exchange.sources import Source
from hutong.exchange.sources.spec import UnknownItem
from tests.spec.five_sources import DAYS, ITEMS, SHARES, SIZES, TIMES, WORDS, found_by, rows_of

VALUES = {
    "word": [word for word in WORDS if word is not None] + ["南", "nan", "%", "a_", "'", "", "\U00020bb7", "b' OR 1=1"],
    "size": [size for size in SIZES if size is not None] + [-(2**63), 2**63 - 1, 6, "7"],
    "share": [repr(share) for share in SHARES if share is not None] + ["0.2", "-1e-320", 3, "1e308"],
    "ok": [True, False],
    "day": [day for day in DAYS if day] + ["0001-01-01", "9999-12-31", "2000-01-02"],
    "at": [at for at in TIMES if at] + ["1999-12-31 23:59:59.999999", "2000-01-01T00:00:00"],
}
# SQLite keeps no booleans, dates or times, so there these are numbers and text.
SQLITE_VALUES = VALUES | {"ok": [0, 1], "at": [at for at in TIMES if at]}
SAID_VALUES = VALUES | {"at": SQLITE_VALUES["at"]}
# Reads of these cost ten times those of a file: every such value is tried with them, beside the drawn conditions.
STEP = {"iceberg": 3, "openapi": 3}
COMPARISONS = ("eq", "ne", "lt", "le", "gt", "ge")


def values_of(kind: str) -> dict[str, list[object]]:
    return {"sqlite": SQLITE_VALUES, "openapi": SAID_VALUES}.get(kind, VALUES)  # type: ignore[return-value]


def ids(source: Source, document: dict[str, object]) -> list[int]:
    table = source.read(["number"], Predicate.from_document(document)).read_all()
    return sorted(table.column("number").to_pylist())


def check_everywhere(kind: str, source: Source, document: dict[str, object]) -> None:
    """By a stream, by a point read, and on a table in memory."""
    expected = found_by(document, rows_of(kind))
    predicate = Predicate.from_document(document)
    assert ids(source, document) == expected
    every = [row["number"] for row in rows_of(kind)]
    assert sorted(source.lookup(["number"], "number", every, predicate).column("number").to_pylist()) == expected
    assert sorted(kept(source.read(ITEMS).read_all(), predicate).column("number").to_pylist()) == expected


def test_a_source_shows_exactly_the_rows_it_holds(register: tuple[str, Source]) -> None:
    kind, source = register
    assert source.read(ITEMS).read_all().to_pylist() == rows_of(kind)
    assert source.count() == len(rows_of(kind))


@pytest.mark.parametrize("item", ["word", "size", "share", "ok", "day", "at"])
def test_every_comparison_with_every_value_finds_what_python_finds(register: tuple[str, Source], item: str) -> None:
    kind, source = register
    ordered = COMPARISONS[:2] if (item == "ok" and kind != "sqlite") else COMPARISONS
    for op in ordered:
        for value in values_of(kind)[item][:: STEP.get(kind, 1)]:
            document = {"op": op, "item": item, "value": value}
            assert ids(source, document) == found_by(document, rows_of(kind)), (op, value)


@pytest.mark.parametrize("item", ["word", "size", "share", "ok", "day", "at"])
def test_lists_ranges_and_missing_values_find_what_python_finds(register: tuple[str, Source], item: str) -> None:
    kind, source = register
    values = values_of(kind)[item]
    documents: list[dict[str, object]] = [
        {"op": "is_null", "item": item},
        {"op": "not_null", "item": item},
        {"op": "in", "item": item, "values": values},
        {"op": "in", "item": item, "values": values[:1]},
        {"op": "not", "arg": {"op": "in", "item": item, "values": values[:2]}},
    ]
    if item != "ok":
        step = STEP.get(kind, 1)
        pairs = [(low, high) for low in values[:: 3 * step] for high in values[:: 2 * step]]
        documents += [{"op": "between", "item": item, "low": low, "high": high} for low, high in pairs]
    for document in documents:
        assert ids(source, document) == found_by(document, rows_of(kind)), document


@pytest.mark.parametrize("op", ["starts_with", "contains"])
def test_text_tests_take_every_sign_as_itself(register: tuple[str, Source], op: str) -> None:
    kind, source = register
    for value in values_of(kind)["word"]:
        document = {"op": op, "item": "word", "value": value}
        assert ids(source, document) == found_by(document, rows_of(kind)), value


def leaves(kind: str) -> st.SearchStrategy[dict[str, object]]:
    def leaf(item: str) -> st.SearchStrategy[dict[str, object]]:
        value = st.sampled_from(values_of(kind)[item])
        ordered = item != "ok" or kind == "sqlite"
        kinds = [
            st.fixed_dictionaries({"op": st.sampled_from(["is_null", "not_null"]), "item": st.just(item)}),
            st.fixed_dictionaries(
                {
                    "op": st.sampled_from(COMPARISONS if ordered else COMPARISONS[:2]),
                    "item": st.just(item),
                    "value": value,
                }
            ),
            st.fixed_dictionaries(
                {"op": st.just("in"), "item": st.just(item), "values": st.lists(value, min_size=1, max_size=4)}
            ),
        ]
        if ordered:
            between = {"op": st.just("between"), "item": st.just(item), "low": value, "high": value}
            kinds.append(st.fixed_dictionaries(between))
        if item == "word":
            tests = {"op": st.sampled_from(["starts_with", "contains"]), "item": st.just(item), "value": value}
            kinds.append(st.fixed_dictionaries(tests))
        return st.one_of(kinds)

    return st.one_of([leaf(item) for item in values_of(kind)])


def conditions(kind: str) -> st.SearchStrategy[dict[str, object]]:
    return st.recursive(
        leaves(kind),
        lambda inner: st.one_of(
            st.fixed_dictionaries({"op": st.just("not"), "arg": inner}),
            st.fixed_dictionaries(
                {"op": st.sampled_from(["and", "or"]), "args": st.lists(inner, min_size=1, max_size=3)}
            ),
        ),
        max_leaves=8,
    )


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(data=st.data())
def test_any_condition_finds_what_python_finds_by_stream_by_key_and_in_memory(
    register: tuple[str, Source], data: st.DataObject
) -> None:
    kind, source = register
    document = data.draw(conditions(kind))
    try:
        Predicate.from_document(document)
    except BadPredicate:
        return  # nested deeper than the language allows
    check_everywhere(kind, source, document)


@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(text=st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=30))
def test_any_text_is_only_ever_a_value(register: tuple[str, Source], text: str) -> None:
    kind, source = register
    for op in ("eq", "lt", "starts_with", "contains"):
        document = {"op": op, "item": "word", "value": text}
        assert ids(source, document) == found_by(document, rows_of(kind))
    expected = sorted(row["number"] for row in rows_of(kind) if row["word"] == text)
    assert sorted(source.lookup(["number"], "word", [text]).column("number").to_pylist()) == expected


def test_keys_are_found_by_every_type_of_key_that_a_row_has(register: tuple[str, Source]) -> None:
    kind, source = register
    for item, values in values_of(kind).items():
        expected = found_by({"op": "in", "item": item, "values": values}, rows_of(kind))
        table = source.lookup(["number", item], item, values)
        assert sorted(table.column("number").to_pylist()) == expected, item
        assert table.schema.field(item).type == source.schema.field(item).type


def test_a_limit_cuts_a_stream_and_an_unknown_item_is_refused(register: tuple[str, Source]) -> None:
    _, source = register
    assert source.read(["word"], limit=7).read_all().num_rows == 7
    assert source.read(["word"], limit=0).read_all().num_rows == 0
    for items in (["nobody"], ["word", "word"], [], ['word" FROM register; --'], ["WORD"]):
        with pytest.raises(UnknownItem):
            source.read(items)
    with pytest.raises(BadPredicate):
        source.read(["word"], Predicate.from_document({"op": "eq", "item": "nobody", "value": 1}))
