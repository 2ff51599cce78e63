"""The small parts of pages: conditions in words, charts, pagers, masks, a yes or a no with its reason."""

from __future__ import annotations

from datetime import date

import pytest
from django.utils import translation

from hutong.exchange.shaping.masks import Mask
from hutong.exchange.shaping.predicate import Predicate
from hutong.portal.components import charts, conditions, masks, words
from hutong.portal.components.paging import page_number, pager
from hutong.portal.components.parts import YES, May, no
from hutong.portal.templatetags.hutong import bytesize, number, short_digest

TITLES = {"city": "城市", "founded": "成立日期", "capital": "注册资本"}
CONDITION = {
    "op": "and",
    "args": [
        {"op": "eq", "item": "city", "value": "南京"},
        {"op": "or", "args": [{"op": "ge", "item": "capital", "value": 100}, {"op": "is_null", "item": "capital"}]},
        {"op": "not", "arg": {"op": "in", "item": "city", "values": ["a", "b"]}},
        {"op": "between", "item": "founded", "low": "2000-01-01", "high": "2001-01-01"},
    ],
}


def test_a_condition_reads_as_a_sentence_in_each_language():
    with translation.override("zh-hans"):
        assert conditions.sentences(CONDITION, TITLES) == (
            "城市为“南京”",
            "注册资本不小于（不早于）100，或注册资本为空",
            "排除：城市属于“a”、“b”",
            "成立日期在“2000-01-01”至“2001-01-01”之间",
        )
    with translation.override("en"):
        assert conditions.sentences(CONDITION, {})[:2] == (
            "city is “南京”",
            "capital is at least 100 or capital is empty",
        )
    assert conditions.sentences(None, TITLES) == ()


@pytest.mark.parametrize("op", conditions.OPERATORS)
def test_every_comparison_the_form_offers_is_one_of_the_language(op: str):
    document = conditions.build([("city", op, "南京, 苏州"), ("", "eq", "")], "and", {"city": "string"})
    assert document is not None
    assert Predicate.from_document(document).to_document() == document
    with translation.override("zh-hans"):
        (sentence,) = conditions.sentences(document, TITLES)
    assert sentence.startswith("城市")


def test_the_builder_types_whole_numbers_and_leaves_decimals_as_text():
    rows = [("a", "eq", "12"), ("b", "eq", "1.5"), ("c", "eq", "是"), ("d", "in", "1，2、x")]
    built = conditions.build(rows, "or", {"a": "int64", "b": "double", "c": "bool", "d": "int64"})
    assert built == {
        "op": "or",
        "args": [
            {"op": "eq", "item": "a", "value": 12},
            {"op": "eq", "item": "b", "value": "1.5"},
            {"op": "eq", "item": "c", "value": True},
            {"op": "in", "item": "d", "values": [1, 2, "x"]},
        ],
    }
    assert conditions.build([("", "eq", "x")], "and", {}) is None


@pytest.mark.parametrize("type_name", ["string", "int64", "date", "timestamp", "bool"])
def test_every_mask_offered_is_one_the_data_plane_knows(type_name: str):
    for code, _word in masks.choices(type_name):
        document = masks.document_of(code)
        assert Mask.from_document(document).to_document() == document
        assert masks.code_of(document) == code


def test_a_mask_chosen_elsewhere_stays_among_the_choices():
    assert ("first:9", words.mask({"action": "first", "n": 9})) in masks.choices("date", "first:9")


def test_a_no_needs_its_reason():
    assert YES
    assert not no("because")
    with pytest.raises(ValueError, match="reason"):
        May(False)


@pytest.mark.parametrize(
    ("page", "size", "total", "shown", "previous", "following"),
    [(1, 20, 0, (0, 0), False, False), (1, 20, 21, (1, 20), False, True), (9, 20, 21, (21, 21), True, False)],
)
def test_a_pager_stays_within_its_list(page, size, total, shown, previous, following):
    made = pager("/x/", {"q": "企业", "page": "7"}, page=page, size=size, total=total)
    assert (made.first, made.last) == shown
    assert (bool(made.previous_url), bool(made.next_url)) == (previous, following)
    for url in (made.previous_url, made.next_url):
        assert not url or url.startswith("/x/?q=%E4%BC%81%E4%B8%9A&page=")


@pytest.mark.parametrize(("text", "page"), [(None, 1), ("", 1), ("3", 3), ("-1", 1), ("x", 1), ("9" * 30, 1)])
def test_an_odd_page_number_means_the_first(text, page):
    assert page_number(text) == page


def test_bars_stack_refusals_on_what_was_served_and_stay_inside():
    days = [charts.Day(day, served, refused) for day, served, refused in zip(
        charts.last_days(date(2026, 3, 1), 3), (0, 6, 3), (0, 2, 0), strict=True
    )]  # fmt: skip
    made = charts.bars(days)
    assert (made.total_served, made.total_refused) == (9, 2)
    for plot in made.plots:
        assert [mark.kind for mark in plot.marks] == ["", "bad", ""]
        served, refused, _ = plot.marks
        assert float(refused.y) + float(refused.height) == pytest.approx(float(served.y), abs=0.2)
        assert plot.levels[-1].value == 8
        for mark in plot.marks:
            assert 0 <= float(mark.y) <= plot.frame.height
            assert plot.frame.left <= float(mark.x) <= plot.frame.right - float(mark.width)


@pytest.mark.parametrize("values", [[0], [0, 0, 5], [7, 130_000, 138_339]])
def test_a_curve_ends_at_its_last_value(values):
    made = charts.curve(list(zip(charts.last_days(date(2026, 3, 1), len(values)), values, strict=True)))
    assert (made.first, made.last) == (values[0], values[-1])
    assert all(plot.points.count(",") == len(values) for plot in made.plots)


def test_numbers_are_grouped_and_digests_shortened():
    with translation.override("zh-hans"):
        assert number(138339) == "138,339"
    assert number(None) == ""
    assert [bytesize(size) for size in (0, 999, 1400, 2_500_000_000)] == ["0 B", "999 B", "1.4 kB", "2.5 GB"]
    assert "sha256:" + "a" * 64 in short_digest("sha256:" + "a" * 64)
    assert short_digest("") == ""
