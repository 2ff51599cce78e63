"""Queries and answers as they travel: what is read back, and what is refused."""

from __future__ import annotations

import hashlib

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hutong.exchange.asking import NoKey, NoPurpose, read_ask
from hutong.exchange.query import BadQuery, decode, document_digest
from hutong.exchange.shaping.predicate import Predicate
from hutong.exchange.shaping.values import BadPredicate
from hutong.exchange.wire import Answer, BadAnswer, pack, unpack
from hutong.vocabulary.canonical import canonical_digest, digest
from hutong.vocabulary.errors import NotFound, Refused

EXCHANGE = "0192f0c1-7d35-7c3e-8a11-5f2d3c4b5a69"
OTHER = "0192f0c1-7d35-7c3e-8a11-5f2d3c4b5a70"
AGREEMENT = "urn:uuid:" + EXCHANGE
QUERY = {
    "exchange": EXCHANGE,
    "agreement": AGREEMENT,
    "purpose": "licensing",
    "case": "hmac-sha256:" + "0" * 64,
    "items": ["name"],
    "where": {"op": "eq", "item": "city", "value": "南京"},
    "limit": 5,
    "key": {"item": "code", "value": "91"},
}
HEADERS = {
    "authorization": "Bearer hk_0123456789abcdefghij",
    "hutong-purpose": "licensing",
    "hutong-case": "2026-1",
    "accept": "application/json",
}
PATH = f"/exchange/v1/agreements/{AGREEMENT}/read"


def answer(body: bytes = b"[]", exchange: str = EXCHANGE) -> Answer:
    return Answer(exchange, 200, 0, body, digest(body), None, "sha256:00")


def refused(exchange: str = EXCHANGE) -> Answer:
    return Answer(exchange, 403, 0, b"", "", {"code": "no_grant"}, "sha256:00")


@given(st.lists(st.binary(max_size=200), min_size=1, max_size=6))
def test_answers_of_any_bytes_are_read_back(bodies):
    ids = [EXCHANGE[:-2] + f"{number:02d}" for number in range(len(bodies))]
    answers = [answer(body, one) for body, one in zip(bodies, ids, strict=True)]
    assert unpack(pack(answers), ids) == answers


def test_a_refusal_travels_among_answers():
    answers = [answer(b"[1]"), refused(OTHER)]
    assert unpack(pack(answers), [EXCHANGE, OTHER]) == answers


@pytest.mark.parametrize(
    "spoiled",
    [
        lambda message: message[:-1],
        lambda message: message + b"x",
        lambda message: message.replace(b"[1]", b"[2]"),
        lambda message: b"",
        lambda message: b"\xff\xff\xff\xff" + message[4:],
        lambda message: message.replace(b'"rows":0', b'"rows":-1'),
        lambda message: message.replace(b'"rows":0', b'"cows":0'),
        lambda message: message.replace(EXCHANGE.encode(), OTHER.encode()),
    ],
)
def test_a_message_that_does_not_hold_together_is_refused_whole(spoiled):
    with pytest.raises(BadAnswer):
        unpack(spoiled(pack([answer(b"[1]")])), [EXCHANGE])


def test_answers_to_other_exchanges_are_refused():
    with pytest.raises(BadAnswer):
        unpack(pack([answer()]), [OTHER])
    with pytest.raises(BadAnswer):
        unpack(pack([answer(), answer(exchange=OTHER)]), [EXCHANGE])


def test_a_query_is_read_and_its_digest_is_that_of_its_canonical_json():
    query = decode(QUERY)
    assert query.items == ("name",)
    assert query.where == Predicate("eq", "city", ("南京",))
    assert query.tested_items == ("city", "code")
    assert query.digest == canonical_digest(QUERY) == document_digest(dict(reversed(QUERY.items())))


@pytest.mark.parametrize(
    "change",
    [
        {"exchange": "1"},
        {"exchange": EXCHANGE.upper()},
        {"agreement": EXCHANGE},
        {"agreement": AGREEMENT + "\n"},
        {"purpose": ""},
        {"purpose": "a b"},
        {"case": "2026-1"},
        {"items": []},
        {"items": ["a", "a"]},
        {"items": "name"},
        {"items": [1]},
        {"limit": 0},
        {"limit": True},
        {"limit": 1.5},
        {"key": {"item": "code"}},
        {"key": {"item": "code", "value": 1.5}},
        {"key": {"item": "code", "value": True}},
        {"key": ["code", "1"]},
        {"where": "city = '南京'"},
        {"where": {"op": "eq", "item": "city", "value": "x", "more": 1}},
        {"sql": "SELECT 1"},
    ],
)
def test_a_query_that_is_not_of_the_form_is_refused(change):
    with pytest.raises((BadQuery, BadPredicate)):
        decode({**QUERY, **change})


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(),
        lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    )
)
def test_any_json_at_all_is_either_a_query_or_refused(document):
    with pytest.raises(Refused):
        decode(document)
    spoiled = {**QUERY, "where": document, "items": document if isinstance(document, list) else None}
    try:
        decode(spoiled)
    except Refused:
        return
    assert document is None or not isinstance(document, list)


def test_an_application_asks_by_body_or_by_address_alike():
    body = {"items": ["name"], "where": "city = '南京'", "limit": 5, "key": None}
    by_body = read_ask(PATH, b"", HEADERS, orjson.dumps(body))
    by_address = read_ask(PATH, b"items=name&where=city+%3D+%27%E5%8D%97%E4%BA%AC%27&limit=5", HEADERS, b"")
    assert by_body.wanted == by_address.wanted
    assert by_body.wanted["where"] == {"op": "eq", "item": "city", "value": "南京"}
    assert by_body.is_record_query
    assert by_body.key_digest == "sha256:" + hashlib.sha256(b"hk_0123456789abcdefghij").hexdigest()


@pytest.mark.parametrize(
    ("body", "accept", "small"),
    [
        ({"key": {"item": "code", "value": "1"}}, "application/json", True),
        ({"limit": 1000}, "*/*", True),
        ({"limit": 1001}, "application/json", False),
        ({}, "application/json", False),
        ({"key": {"item": "code", "value": "1"}, "limit": 5000}, "application/json", False),
        ({"limit": 1}, "text/csv", False),
    ],
)
def test_a_small_json_read_travels_with_others_and_everything_else_streams(body, accept, small):
    assert read_ask(PATH, b"", HEADERS | {"accept": accept}, orjson.dumps(body)).is_record_query is small


@pytest.mark.parametrize(
    ("headers", "refusal"),
    [
        ({"authorization": ""}, NoKey),
        ({"authorization": "Basic aGs="}, NoKey),
        ({"authorization": "Bearer short"}, NoKey),
        ({"hutong-purpose": ""}, NoPurpose),
        ({"hutong-purpose": "a b"}, NoPurpose),
        ({"hutong-case": ""}, NoPurpose),
        ({"hutong-case": "x" * 121}, NoPurpose),
        ({"hutong-case": "a\tb"}, NoPurpose),
    ],
)
def test_d809_25_no_purpose_no_key_or_no_case_and_nothing_goes_out(headers, refusal):
    with pytest.raises(refusal):
        read_ask(PATH, b"", HEADERS | headers, b"{}")


def test_a_chinese_case_number_arrives_as_it_was_sent():
    headers = HEADERS | {"hutong-case": "沪〔2026〕1号".encode().decode("latin-1")}
    assert read_ask(PATH, b"", headers, b"{}").case_number == "沪〔2026〕1号"


@pytest.mark.parametrize(
    ("path", "query", "body"),
    [
        ("/exchange/v1/agreements/x/read", b"", b"{}"),
        ("/exchange/v1/agreements/../keys/read", b"", b"{}"),
        (PATH, b"limit=ten", b""),
        (PATH, b"items=name&drop=1", b""),
        (PATH, b"", b"[]"),
        (PATH, b"", b"{"),
        (PATH, b"", b'{"where":"1=1; DROP TABLE x"}'),
        (PATH, b"", b'{"where":{"op":"sql"}}'),
    ],
)
def test_a_request_that_cannot_be_read_is_refused_before_it_leaves(path, query, body):
    with pytest.raises((BadQuery, BadPredicate, NotFound)):
        read_ask(path, query, HEADERS, body)
