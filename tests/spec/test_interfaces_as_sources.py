"""Existing HTTP interfaces: pages in every way, what is asked of them, keys, bad days, and where they may lead."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from urllib.parse import parse_qs, urlsplit

import pytest

from hutong.exchange.shaping.predicate import parse_text
from hutong.exchange.sources import Source, SourceSpec, calling, open_source
from hutong.exchange.sources.spec import (
    AddressOutside,
    BadSourceSetting,
    SourceDrifted,
    SourceFailed,
    SourceOutside,
    SourceUnreadable,
)
from tests.http_source import Served
from tests.spec.five_sources import interface, interface_spec

SECRET = "key-4f81-secret"


@pytest.fixture
def served() -> Iterator[Served]:
    with Served(interface()) as running:
        yield running


def opened(served: Served, **more: str) -> Source:
    return open_source(interface_spec(served.address, **more))


def numbers(source: Source, text: str = "") -> list[int]:
    found = source.read(["number"], parse_text(text) if text else None).read_all().column(0)
    return list(found.to_pylist())


def queries(served: Served) -> list[dict[str, list[str]]]:
    return [parse_qs(urlsplit(one).query) for one in served.interface.asked if one.startswith("/v1")]


@pytest.mark.parametrize(
    "paging",
    [
        {"paging": "page", "page_size": "7"},
        {"paging": "page", "page_size": "100000"},  # more than it gives: its own pages are smaller
        {"paging": "offset", "page_parameter": "offset", "page_size": "60"},
        {"paging": "cursor", "page_parameter": "cursor", "next_cursor": "data.next"},
        {"paging": "link", "parameters": "way = link"},
        {"paging": "none"},
    ],
)
def test_every_way_of_turning_pages_gives_every_row_once(served: Served, paging: dict[str, str]) -> None:
    source = opened(served, **paging)
    assert numbers(source) == list(range(150))
    assert source.count() == 150
    assert source.read(["number"], limit=65).read_all().num_rows == 65
    source.close()


def test_what_the_interface_can_test_is_asked_of_it_and_all_is_tested_again(served: Served) -> None:
    source = opened(served)
    for text, asked in (
        ("number = 7 AND size > 1", {"n": ["7"]}),
        ("day > '2000-01-01' AND day <= '2024-02-29'", {"dayFrom": ["2000-01-01"], "dayTo": ["2024-02-29"]}),
        ("day BETWEEN '1999-01-01' AND '2000-01-01'", {"dayFrom": ["1999-01-01"], "dayTo": ["2000-01-01"]}),
        ("number = 7 OR number = 8", {}),
        ("NOT number = 7", {}),
    ):
        expected = [row["number"] for row in everything(source) if holds(row, text)]
        served.interface.asked.clear()
        assert numbers(source, text) == expected, text
        assert {name: one for name, one in queries(served)[0].items() if name not in ("page", "size")} == asked, text
    served.interface.tests = {**served.interface.tests, "n": lambda _row, _value: True}  # it ignores what we ask
    assert numbers(source, "number = 7") == [7]
    served.interface.asked.clear()
    assert source.lookup(["number"], "number", [3, "3", 140]).column(0).to_pylist() == [3, 140]
    source.close()


def everything(source: Source) -> list[dict[str, object]]:
    rows: list[dict[str, object]] = source.read(source.schema.names).read_all().to_pylist()
    return rows


def holds(row: dict[str, object], text: str) -> bool:
    from tests.spec.five_sources import truth

    return truth(parse_text(text).to_document(), row) is True


@pytest.mark.parametrize(
    ("authentication", "expects"),
    [
        ({"authentication": "header", "key_name": "X-Api-Key", "secret": SECRET}, {"X-Api-Key": SECRET}),
        ({"authentication": "query", "key_name": "key", "secret": SECRET}, {"key": SECRET}),
        (
            {"authentication": "basic", "user": "hutong", "secret": SECRET},
            {"Authorization": "Basic aHV0b25nOmtleS00ZjgxLXNlY3JldA=="},
        ),
    ],
)
def test_credentials_are_sent_as_the_interface_wants_them_and_stand_nowhere_else(
    served: Served, caplog: pytest.LogCaptureFixture, authentication: dict[str, str], expects: dict[str, str]
) -> None:
    served.interface.expects = expects
    with caplog.at_level(logging.DEBUG):
        source = opened(served, **authentication)
        assert numbers(source, "number < 3") == [0, 1, 2]
        served.interface.expects = dict.fromkeys(expects, "another")
        with pytest.raises(SourceUnreadable, match="refuses our credentials") as refused:
            numbers(source)
    spec = interface_spec(served.address, **authentication)
    assert SECRET not in caplog.text + str(refused.value) + repr(refused.value) + repr(spec)
    assert SourceSpec.kept("openapi", spec.text()) == spec
    source.close()


def test_a_token_is_fetched_once_and_again_when_it_is_refused(served: Served) -> None:
    given = {"authentication": "oauth", "user": "hutong", "secret": SECRET, "token_address": f"{served.address}/token"}
    served.interface.token = "none yet"
    source = opened(served, **given)
    assert numbers(source, "number < 2") == [0, 1]
    assert served.interface.tokens == 1
    served.interface.token = "ended"
    assert numbers(source, "number < 2") == [0, 1]
    assert served.interface.tokens == 2
    with pytest.raises(AddressOutside):
        opened(served, **{**given, "token_address": "http://127.0.0.1:1/token"})
    source.close()


def test_a_busy_interface_is_asked_again_and_a_broken_one_is_given_up(
    served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(calling, "PAUSES_S", (0.0, 0.0))
    source = opened(served)
    served.interface.fail = [503, 429]
    assert numbers(source, "number < 2") == [0, 1]
    served.interface.fail = [502, 503, 504]
    with pytest.raises(SourceFailed):
        numbers(source)
    served.interface.fail = [418]
    with pytest.raises(SourceUnreadable, match="418"):
        numbers(source)
    monkeypatch.setattr(calling, "LARGEST_ANSWER", 100)
    with pytest.raises(SourceUnreadable, match="smaller pages"):
        numbers(source)
    source.close()


def test_an_interface_leads_nowhere_else_and_does_not_turn_in_circles(served: Served) -> None:
    source = opened(served, paging="none", parameters="way = link")
    with Served(interface()) as other:
        served.interface.leads_to = f"{other.address}/v1/rows"
        with pytest.raises(SourceUnreadable, match="302"):
            numbers(source)
        assert other.interface.asked == []
    served.interface.leads_to = ""
    linked = opened(served, paging="link", parameters="way = link")
    served.interface.rows = [*served.interface.rows]
    paged = opened(served, page_size="20")
    served.interface.stuck = True
    with pytest.raises(SourceUnreadable, match="same page"):
        numbers(paged)
    for one in (source, linked, paged):
        one.close()


@pytest.mark.parametrize("address", ["http://10.0.0.1:80", "http://127.0.0.1:1", "file:///etc/passwd"])
def test_no_address_is_asked_that_the_operator_has_not_named(served: Served, address: str) -> None:
    for spec in (interface_spec(address), interface_spec(served.address, document=f"{address}/openapi.json")):
        with pytest.raises((AddressOutside, SourceOutside)):
            open_source(spec)


def test_a_row_that_breaks_its_description_stops_the_read_and_is_told(served: Served) -> None:
    source, heard = opened(served), []
    source.on_drift = heard.append
    rows = served.interface.rows
    served.interface.rows = [*rows[:100], {**rows[100], "size": "SECRET"}, *rows[101:]]
    with pytest.raises(SourceDrifted, match="size") as drifted:
        source.read(["size"]).read_all()
    assert "SECRET" not in str(drifted.value)
    assert numbers(source, "number < 2") == [0, 1]  # nobody asked for it
    served.interface.rows = [{name: value for name, value in row.items() if name != "number"} for row in rows]
    with pytest.raises(SourceDrifted, match="number"):
        numbers(source)
    assert heard == [("size",), ("number",)]
    served.interface.rows = rows
    properties = {name: one for name, one in served.interface.properties.items() if name != "word"}
    served.interface.properties = {**properties, "size": {"type": "string"}, "more": {"type": "string"}}
    assert opened(served).differing({"word": "string", "size": "int64", "number": "int64"}) == ("word", "size")
    source.close()


def test_a_document_that_does_not_describe_the_rows_is_refused(served: Served) -> None:
    for more, said in (
        ({"operation": "none"}, "no GET operation"),
        ({"rows": "data"}, "no rows"),
        ({"rows": "data.none"}, "no rows"),
    ):
        with pytest.raises(SourceUnreadable, match=said):
            opened(served, **more)
    for filters in ("none = n", "number = none", "number", "= n"):
        with pytest.raises(BadSourceSetting):
            opened(served, filters=filters)
    for name, value in (("page_size", "many"), ("first_page", "-1"), ("parameters", "x")):
        with pytest.raises(BadSourceSetting):
            opened(served, **{name: value})
