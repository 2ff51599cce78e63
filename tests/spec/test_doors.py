"""The two doors of the exchange, between two real nodes: what leaves, what is refused, what is on record."""

from __future__ import annotations

import asyncio
import socket
import sqlite3
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator
from typing import Any

import duckdb
import orjson
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet as pq
import pytest

import hutong
from hutong.exchange.entitlements import ENTITLED_FOR_S
from hutong.exchange.wire import unpack
from hutong.node.client import NodeClient, SignedAnswer
from hutong.vocabulary.canonical import digest
from hutong.vocabulary.ids import new_id
from tests.nodes import until
from tests.pair import CONSUMER, PROVIDER, PURPOSE, Pair, pair, query

PLAIN = "urn:uuid:0192f0c1-0000-7000-8000-000000000001"
MASKED = "urn:uuid:0192f0c1-0000-7000-8000-000000000002"
ROWS = "urn:uuid:0192f0c1-0000-7000-8000-000000000003"
CALLS = "urn:uuid:0192f0c1-0000-7000-8000-000000000004"
LARGE = "urn:uuid:0192f0c1-0000-7000-8000-000000000005"
GONE = "urn:uuid:0192f0c1-0000-7000-8000-000000000006"
LARGE_ROWS = "urn:uuid:0192f0c1-0000-7000-8000-000000000007"
ALL_CALLS = "urn:uuid:0192f0c1-0000-7000-8000-000000000008"
BATCHES = "urn:uuid:0192f0c1-0000-7000-8000-000000000009"
UNKNOWN = "urn:uuid:0192f0c1-0000-7000-8000-0000000000ff"
KEEP = {"action": "keep"}
COMPANIES = """
code | name     | city | phone       | capital
c1   | 长江一号 | 南京 | 13800000001 | 10
c2   | 长江二号 | 南京 | 13800000002 | 20
c3   | 太湖三号 | 苏州 | 13800000003 | 30
c4   | '; DROP TABLE companies; -- | 苏州 | 13800000004 | 40
"""


@pytest.fixture(scope="module")
def nodes(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pair]:
    folder = tmp_path_factory.mktemp("doors")
    _, *lines = [[cell.strip() for cell in line.split("|")] for line in COMPANIES.strip().splitlines()]
    with sqlite3.connect(folder / "companies.db") as file:
        file.execute(
            "CREATE TABLE companies (code TEXT PRIMARY KEY, name TEXT, city TEXT, phone TEXT, capital INTEGER)"
        )
        file.executemany("INSERT INTO companies VALUES (?, ?, ?, ?, ?)", lines)
    file.close()
    large = folder / "large.parquet"
    with duckdb.connect() as engine:
        engine.execute(f"COPY (SELECT range AS n, 'row ' || range AS t FROM range(2_000_000)) TO '{large}'")
    sources = {
        "s1": {"kind": "sqlite", "location": str(folder / "companies.db"), "table": "companies"},
        "s2": {"kind": "parquet", "location": str(large)},
    }
    all_items = dict.fromkeys(("code", "name", "city", "phone", "capital"), KEEP)
    both = {"n": KEEP, "t": KEEP}
    grants: dict[str, dict[str, Any]] = {
        PLAIN: {"source": "s1", "items": all_items},
        MASKED: {
            "source": "s1",
            "items": {"code": KEEP, "name": {"action": "name"}, "phone": {"action": "phone"}},
            "where": {"op": "eq", "item": "city", "value": "南京"},
        },
        ROWS: {"source": "s1", "items": all_items, "quota_rows": 5},
        CALLS: {"source": "s1", "items": all_items, "quota_calls_per_day": 2},
        ALL_CALLS: {"source": "s1", "items": all_items, "quota_calls": 2},
        BATCHES: {"source": "s1", "items": all_items, "quota_calls_per_day": 4},
        LARGE: {"source": "s2", "items": both},
        LARGE_ROWS: {"source": "s2", "items": both, "quota_rows": 1_000_000},
        GONE: {"source": "s1", "items": all_items, "consumer": "310000"},
    }
    with pair(folder, sources, grants) as made:
        yield made


@pytest.fixture
def node(nodes: Pair) -> hutong.Connection:
    return nodes.connect()


def ask(nodes: Pair, agreement: str, body: Any, **headers: str) -> tuple[int, dict[str, str], bytes]:
    """One request at the consumer's door."""
    given = {
        "Authorization": f"Bearer {nodes.key}",
        "Hutong-Purpose": PURPOSE,
        "Hutong-Case": "2026-1",
        **{name.replace("_", "-"): value for name, value in headers.items()},
    }
    raw = body if isinstance(body, bytes) else orjson.dumps(body)
    url = f"{nodes.consumer.base_url}/exchange/v1/agreements/{agreement}/read"
    try:
        with urllib.request.urlopen(urllib.request.Request(url, raw, given), timeout=30) as answer:
            return answer.status, dict(answer.headers), answer.read()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, dict(error.headers), error.read()


def wanted(agreement: str, **more: Any) -> dict[str, Any]:
    """One query as it travels between nodes."""
    return {
        "exchange": new_id(),
        "agreement": agreement,
        "purpose": PURPOSE,
        "case": "hmac-sha256:" + "0" * 64,
        "items": None,
        "where": None,
        "limit": 10,
        "key": None,
        **more,
    }


def as_consumer(nodes: Pair, *queries: dict[str, Any]) -> SignedAnswer:
    return nodes.region.ask(CONSUMER, PROVIDER, "POST", "/exchange/queries", {"queries": list(queries)})


def day_use(nodes: Pair, agreement: str) -> tuple[int, int, int]:
    rows = query(nodes.provider, f"SELECT * FROM exchange_daily_use WHERE agreement_id = '{agreement}'")
    return sum(r["calls"] for r in rows), sum(r["refused"] for r in rows), sum(r["rows"] for r in rows)


def test_a_record_query_gives_the_agreed_items_of_the_agreed_rows_under_their_masks(nodes):
    status, headers, body = ask(nodes, MASKED, {"key": {"item": "code", "value": "c1"}})
    assert status == 200
    assert orjson.loads(body) == [{"code": "c1", "name": "长***", "phone": "138****0001"}]
    assert headers["hutong-rows"] == "1"
    # c3 is in 苏州, outside the grant's rows.
    assert ask(nodes, MASKED, {"key": {"item": "code", "value": "c3"}})[2] == b"[]"


def test_both_sides_have_the_exchange_on_record_and_name_each_others_evidence(nodes):
    _, headers, body = ask(nodes, PLAIN, {"where": "city = '苏州'", "items": ["code"], "limit": 10})
    exchange = headers["hutong-exchange"]
    (theirs,) = nodes.register(nodes.provider, exchange)
    (ours,) = nodes.register(nodes.consumer, exchange)
    assert headers["hutong-receipt"] == ours["entry_digest"]
    assert theirs["response_digest"] == ours["response_digest"] == digest(body)
    assert theirs["request_digest"] == ours["request_digest"]
    assert (theirs["rows"], theirs["bytes"], theirs["outcome"]) == (2, len(body), "served")
    assert (ours["rows"], ours["bytes"], ours["outcome"]) == (2, len(body), "served")
    # The case number stays with the consumer.
    assert (ours["case_number"], theirs["case_number"]) == ("2026-1", "")
    assert theirs["case_digest"] == ours["case_digest"] != ""


@pytest.mark.parametrize(
    ("accept", "read"),
    [
        ("application/vnd.apache.arrow.stream", lambda raw: pa.ipc.open_stream(raw).read_all()),
        ("application/vnd.apache.parquet", lambda raw: pq.read_table(pa.BufferReader(raw))),
        ("text/csv", lambda raw: pyarrow.csv.read_csv(pa.BufferReader(raw))),
        ("application/json", lambda raw: pa.Table.from_pylist(orjson.loads(raw))),
    ],
)
def test_a_stream_gives_the_same_rows_in_every_form(nodes, accept, read):
    status, headers, raw = ask(nodes, PLAIN, {}, Accept=accept)
    assert status == 200
    table = read(raw)
    assert table.column("code").to_pylist() == ["c1", "c2", "c3", "c4"]
    assert table.column("capital").to_pylist() == [10, 20, 30, 40]
    for side in (nodes.provider, nodes.consumer):
        (row,) = nodes.register(side, headers["hutong-exchange"])
        assert (row["outcome"], row["rows"], row["bytes"]) == ("served", 4, len(raw))
        assert row["response_digest"] == digest(raw)


def test_the_client_reads_as_arrow_pandas_polars_and_duckdb(node):
    read = node.read(PLAIN, items=["code", "capital"], where="capital > 15", purpose=PURPOSE, case="沪2026-1")
    assert read.to_arrow().to_pydict() == {"code": ["c2", "c3", "c4"], "capital": [20, 30, 40]}
    assert list(read.to_pandas()["code"]) == ["c2", "c3", "c4"]
    assert read.to_polars()["capital"].sum() == 90
    assert read.to_duckdb().aggregate("sum(capital)").fetchall() == [(90,)]
    assert node.exchange(read.exchange)["rows"] == 3


def test_the_client_reads_a_large_answer_in_batches(node):
    rows = sum(batch.num_rows for batch in node.read(LARGE, purpose=PURPOSE, case="1").batches())
    assert rows == 2_000_000


def test_the_client_says_a_refusal_with_its_code_reason_rule_and_next_step(node):
    with pytest.raises(hutong.RefusedByNode) as found:
        node.read(PLAIN, items=["salary"], purpose=PURPOSE, case="1")
    assert isinstance(found.value, hutong.Refused)
    assert (found.value.code, found.value.rule, found.value.status) == ("item_not_granted", "G-6", 403)
    assert "salary" in found.value.reason
    assert found.value.next
    assert "信息项" in found.value.say("zh")


def test_the_client_lists_what_its_key_may_read(node):
    assert PLAIN in {one["agreement"] for one in node.agreements()}


@pytest.mark.parametrize("accept", ["application/json", "text/csv"])
def test_outside_the_grant_is_403_with_the_rule_on_record_on_both_sides_and_counted(nodes, accept):
    before = day_use(nodes, PLAIN)
    status, headers, body = ask(nodes, PLAIN, {"items": ["salary"], "limit": 5}, Accept=accept)
    problem = orjson.loads(body)
    assert (status, problem["rule"], problem["code"]) == (403, "G-6", "item_not_granted")
    for side in (nodes.provider, nodes.consumer):
        (row,) = nodes.register(side, headers["hutong-exchange"])
        assert (row["outcome"], row["code"]) == ("refused", "item_not_granted")
    assert day_use(nodes, PLAIN) == (before[0], before[1] + 1, before[2])


def test_d809_25_purpose_not_granted_is_refused(nodes):
    status, _, body = ask(nodes, PLAIN, {"limit": 5}, Hutong_Purpose="marketing")
    assert (status, orjson.loads(body)["rule"]) == (403, "D809-25")


def test_g_1_no_grant_or_one_for_somebody_else_gives_nothing(nodes):
    refused = [as_consumer(nodes, wanted(agreement)) for agreement in (GONE, UNKNOWN)]
    codes = [orjson.loads(one.body[4 : 4 + int.from_bytes(one.body[:4], "big")])["answers"][0] for one in refused]
    assert [one["refusal"]["code"] for one in codes] == ["wrong_consumer", "no_grant"]


@pytest.mark.parametrize("body", [{"limit": 5}, {}])
def test_a_suspended_agreement_stops_the_very_next_request_and_resumes(nodes, body):
    assert ask(nodes, PLAIN, body)[0] == 200
    nodes.set_state(PLAIN, "suspended")
    try:
        status, _, raw = ask(nodes, PLAIN, body)
        assert (status, orjson.loads(raw)["rule"]) == (403, "D809-27")
    finally:
        nodes.set_state(PLAIN, "active")
    assert ask(nodes, PLAIN, body)[0] == 200


def test_a_revoked_key_stops_once_what_is_known_of_it_is_read_anew(nodes):
    home = str(nodes.consumer.home)
    made = nodes.consumer.json("key", "create", home, "--department", "11370800MB28559184", "--application", "x")["key"]
    assert ask(nodes, PLAIN, {"limit": 1}, Authorization=f"Bearer {made}")[0] == 200
    nodes.consumer.hutong("key", "revoke", home, made[:10])

    def refused() -> bool:
        return ask(nodes, PLAIN, {"limit": 1}, Authorization=f"Bearer {made}")[0] == 401

    until(refused, within_s=10 * ENTITLED_FOR_S, what="the end of the key")
    assert ask(nodes, PLAIN, {}, Authorization=f"Bearer {made}")[0] == 401


def test_another_departments_key_reads_nothing_of_this_one(nodes):
    home = str(nodes.consumer.home)
    made = nodes.consumer.json("key", "create", home, "--department", "11330105002500287C", "--application", "x")["key"]
    status, _, body = ask(nodes, PLAIN, {"limit": 1}, Authorization=f"Bearer {made}")
    assert (status, orjson.loads(body)["code"]) == (403, "no_entitlement")


@pytest.mark.parametrize(
    ("body", "headers", "status"),
    [
        ({"limit": 5}, {"Authorization": "Bearer hk_0123456789012345678901234567890"}, 401),
        ({"limit": 5}, {"Authorization": ""}, 401),
        ({"limit": 5}, {"Hutong_Purpose": ""}, 400),
        ({"limit": 5}, {"Hutong_Case": ""}, 400),
        ({"limit": 5}, {"Accept": "image/png"}, 406),
        (b"{", {}, 400),
        ({"where": "city = '南京'; DROP TABLE companies"}, {}, 400),
        ({"where": "capital > (SELECT 1)"}, {}, 400),
        ({"where": {"op": "gt", "item": "capital", "value": "abc"}, "limit": 5}, {}, 400),
        (b'{"where":"' + b"x" * (1 << 20) + b'"}', {}, 413),
    ],
)
def test_a_wrong_request_gets_a_clear_4xx(nodes, body, headers, status):
    got, _, raw = ask(nodes, PLAIN, body, **headers)
    assert got == status
    assert orjson.loads(raw)["code"]


def test_sql_words_in_a_value_are_a_value(nodes):
    body = {"where": {"op": "eq", "item": "name", "value": "'; DROP TABLE companies; --"}, "limit": 5}
    assert [row["code"] for row in orjson.loads(ask(nodes, PLAIN, body)[2])] == ["c4"]
    assert len(orjson.loads(ask(nodes, PLAIN, {"limit": 10})[2])) == 4


def test_a_lookup_that_finds_more_than_an_answer_holds_is_refused_and_a_stream_is_not(nodes):
    status, _, body = ask(nodes, LARGE, {"where": "n >= 0", "key": {"item": "t", "value": "row 1"}})
    assert (status, len(orjson.loads(body))) == (200, 1)
    answer = as_consumer(nodes, wanted(LARGE, limit=None, where={"op": "lt", "item": "n", "value": 2000}))
    (head,) = orjson.loads(answer.body[4 : 4 + int.from_bytes(answer.body[:4], "big")])["answers"]
    assert head["refusal"]["code"] == "too_many_rows"


def test_a_days_quota_of_calls_is_kept_and_says_so(nodes):
    statuses = [ask(nodes, CALLS, {"limit": 1})[0] for _ in range(3)]
    assert statuses == [200, 200, 429]


def test_a_quota_of_calls_over_the_whole_term_is_kept_and_a_repeat_is_no_second_call(nodes):
    again = {"Idempotency_Key": "the first"}
    statuses = [ask(nodes, ALL_CALLS, {"limit": 1}, **headers)[0] for headers in (again, again, {}, {})]
    assert statuses == [200, 200, 200, 429]


def test_a_quota_of_rows_lets_no_answer_out_that_would_exceed_it(nodes):
    assert ask(nodes, ROWS, {"limit": 3})[0] == 200
    status, _, body = ask(nodes, ROWS, {"limit": 3})
    assert (status, orjson.loads(body)["code"]) == (429, "quota_spent")
    assert ask(nodes, ROWS, {"limit": 2})[0] == 200
    assert day_use(nodes, ROWS) == (2, 1, 5)


def test_a_stream_beyond_its_quota_of_rows_is_cut_and_the_client_knows(nodes, node):
    read = node.read(LARGE_ROWS, purpose=PURPOSE, case="1")
    with pytest.raises(hutong.BrokenAnswer):
        read.to_arrow()
    for side in (nodes.provider, nodes.consumer):
        (row,) = nodes.register(side, read.exchange)
        assert (row["outcome"], row["response_digest"]) == ("cut", "")


def test_when_the_application_goes_away_both_sides_record_the_stream_as_cut(nodes):
    with socket.create_connection(nodes.consumer_address) as application:
        application.sendall(nodes.request(LARGE, {}, "application/vnd.apache.arrow.stream"))
        head = application.recv(4096)
    exchange = head.partition(b"hutong-exchange: ")[2][:36].decode()
    for side in (nodes.provider, nodes.consumer):
        until(lambda side=side: nodes.register(side, exchange)[0]["outcome"] == "cut", what="the closing line")


def test_an_unsigned_message_is_refused(nodes):
    url = nodes.provider.base_url + "/exchange/queries"
    with pytest.raises(urllib.error.HTTPError) as found:
        urllib.request.urlopen(urllib.request.Request(url, b"{}"), timeout=10)
    with found.value as error:
        assert error.code == 401


def test_an_exchange_asked_again_is_served_again_and_counted_once(nodes):
    once = wanted(PLAIN, limit=2)
    before = day_use(nodes, PLAIN)
    first, second = as_consumer(nodes, once), as_consumer(nodes, once)
    assert unpack(first.body, [once["exchange"]])[0].body == unpack(second.body, [once["exchange"]])[0].body
    assert day_use(nodes, PLAIN) == (before[0] + 1, before[1], before[2] + 2)
    assert len(nodes.register(nodes.provider, once["exchange"])) == 1
    assert as_consumer(nodes, once | {"limit": 3}).status == 409


def test_the_same_signed_bytes_again_are_a_replay(nodes):
    async def twice() -> list[int]:
        body = orjson.dumps({"queries": [wanted(PLAIN)]})
        async with NodeClient(nodes.region.ring(CONSUMER)) as client:
            url = nodes.provider.base_url + "/exchange/queries"
            headers = client._sign("POST", url, body, "application/json", None)
            session = client._open()
            return [(await session.post(url, data=body, headers=headers)).status for _ in range(2)]

    assert asyncio.run(twice()) == [200, 409]


def test_many_queries_in_one_message_are_answered_each_by_itself(nodes):
    queries = [
        wanted(PLAIN, key={"item": "code", "value": "c1"}, limit=None),
        wanted(PLAIN, key={"item": "code", "value": "nobody"}, limit=None),
        wanted(PLAIN, purpose="marketing"),
        wanted(MASKED, where={"op": "starts_with", "item": "phone", "value": "138"}),
        wanted(PLAIN, where={"op": "gt", "item": "capital", "value": "x"}),
        wanted(PLAIN, items=["name", "name"]),
        wanted(PLAIN, key={"item": "code", "value": "c1"}, items=["capital"], limit=None),
        # Lookups by a number are one read; the one that is no number is refused alone.
        wanted(PLAIN, key={"item": "capital", "value": "10"}, items=["code"], limit=None),
        wanted(PLAIN, key={"item": "capital", "value": 20}, items=["code"], limit=None),
        wanted(PLAIN, key={"item": "capital", "value": "ten"}, items=["code"], limit=None),
        wanted(PLAIN, keys={"item": "capital", "values": [30, "40", "50"]}, items=["code"], limit=None),
        wanted(PLAIN, keys={"item": "capital", "values": [30, "forty"]}, limit=None),
    ]
    answers = unpack(as_consumer(nodes, *queries).body, [one["exchange"] for one in queries])
    assert [one.status for one in answers] == [200, 200, 403, 403, 400, 400, 200, 200, 200, 400, 200, 400]
    assert [one.rows for one in answers] == [1, 0, 0, 0, 0, 0, 1, 1, 1, 0, 2, 0]
    assert [one.body for one in answers[6:9]] == [b'[{"capital":10}]', b'[{"code":"c1"}]', b'[{"code":"c2"}]']
    for one in answers:
        assert nodes.register(nodes.provider, one.exchange)[0]["entry_digest"] == one.receipt


def test_a_batch_of_keys_is_one_exchange_that_keeps_the_order_and_says_which_keys_have_no_row(nodes):
    keys = ["c4", "nobody", "c1", "c1"]
    before = day_use(nodes, PLAIN)
    status, headers, body = ask(nodes, PLAIN, {"keys": {"item": "code", "values": keys}, "items": ["name"]})
    assert status == 200
    answers = orjson.loads(body)
    assert [one["key"] for one in answers] == keys
    assert [len(one["rows"]) for one in answers] == [1, 0, 1, 1]
    assert answers[2]["rows"] == [{"name": "长江一号"}]
    for side in (nodes.provider, nodes.consumer):
        (row,) = nodes.register(side, headers["hutong-exchange"])
        assert (row["rows"], row["bytes"], row["response_digest"]) == (3, len(body), digest(body))
    # One exchange on record; the quota counts a call for each key.
    assert day_use(nodes, PLAIN) == (before[0] + 4, before[1], before[2] + 3)


def test_a_batch_takes_a_thousand_keys_and_not_one_more(nodes, node):
    asked = [f"row {number}" for number in range(1_000)]
    found = node.lookup(LARGE, "t", asked, items=["n"], purpose=PURPOSE, case="1")
    assert list(found) == asked
    assert [rows[0]["n"] for rows in found.values()] == list(range(1_000))
    with pytest.raises(hutong.RefusedByNode, match="1 to 1000"):
        node.lookup(LARGE, "t", [*asked, "row 1000"], purpose=PURPOSE, case="1")


def test_a_batch_obeys_the_grants_rows_masks_and_quota(nodes, node):
    found = node.lookup(MASKED, "code", ["c1", "c3"], purpose=PURPOSE, case="1")
    assert found == {"c1": [{"code": "c1", "name": "长***", "phone": "138****0001"}], "c3": []}
    assert node.lookup(MASKED, "phone", ["13800000002"], items=["code"], purpose=PURPOSE, case="1") == {
        "13800000002": [{"code": "c2"}]
    }
    with pytest.raises(hutong.RefusedByNode) as found:
        node.lookup(BATCHES, "code", ["c1", "c2", "c3", "c4", "c5"], purpose=PURPOSE, case="1")
    assert (found.value.code, found.value.rule) == ("batch_over_quota", "G-8")
    again = {"purpose": PURPOSE, "case": "1", "idempotency_key": "these"}
    assert node.lookup(BATCHES, "code", ["c1", "c2"], **again) == node.lookup(BATCHES, "code", ["c1", "c2"], **again)
    assert day_use(nodes, BATCHES) == (2, 1, 2)


def test_the_command_reads_a_file_of_keys(nodes, tmp_path):
    (tmp_path / "codes.txt").write_text("c2\nnobody\n\nc3\n", encoding="utf-8")
    arguments = ("--by", "code", "--keys", str(tmp_path / "codes.txt"), "--purpose", PURPOSE, "--case", "1")
    into = ("-o", str(tmp_path / "found.json"), "--key", nodes.key)
    said = nodes.consumer.hutong("read", nodes.consumer.base_url, PLAIN, *into, "--items", "capital", *arguments)
    assert "1 keys have none" in said
    assert orjson.loads((tmp_path / "found.json").read_bytes()) == [
        {"key": "c2", "rows": [{"capital": 20}]},
        {"key": "nobody", "rows": []},
        {"key": "c3", "rows": [{"capital": 30}]},
    ]


@pytest.mark.parametrize("body", [{}, {"queries": []}, {"queries": [{}]}, {"queries": [1]}, {"queries": "all"}])
def test_a_message_that_cannot_be_read_changes_nothing(nodes, body):
    before = len(nodes.register(nodes.provider))
    assert nodes.region.ask(CONSUMER, PROVIDER, "POST", "/exchange/queries", body).status == 400
    assert len(nodes.register(nodes.provider)) == before


def test_a_receipt_is_told_to_the_other_side_of_its_exchange_only(nodes):
    _, headers, _ = ask(nodes, PLAIN, {"limit": 1})
    path = "/exchange/receipts/" + headers["hutong-exchange"]
    told = nodes.region.ask(CONSUMER, PROVIDER, "GET", path)
    assert told.object()["outcome"] == "served"
    assert nodes.region.ask("yrd", PROVIDER, "GET", path).status == 404
    assert nodes.region.ask(CONSUMER, PROVIDER, "GET", "/exchange/receipts/../keys").status in (400, 404)


def test_what_is_asked_for_by_get_is_answered_as_by_post(nodes):
    by_post = nodes.request(PLAIN, {"key": {"item": "code", "value": "c1"}})
    by_get = nodes.lookup(PLAIN, "code", "c1")
    # A body wins over the address's query, whatever the method.
    with_body = by_post.replace(b"POST ", b"GET ", 1).replace(b"/read ", b"/read?key=code&value=c3 ", 1)
    with socket.create_connection(nodes.consumer_address, timeout=30) as application:
        answers = []
        for request in (by_get, by_post, by_get, with_body, by_get):  # on one connection: nothing of one is left over
            application.sendall(request)
            answers.append(_whole_answer(application))
    assert [orjson.loads(answer)[0]["code"] for answer in answers] == ["c1"] * 5
    assert len(set(answers)) == 1


def test_rows_stream_by_get_too(nodes):
    condition = urllib.parse.quote("city = '南京'")
    request = nodes.lookup(PLAIN, "code", "c1").replace(b"key=code&value=c1", f"where={condition}".encode("ascii"))
    request = request.replace(b"application/json", b"text/csv")
    with socket.create_connection(nodes.consumer_address, timeout=30) as application:
        application.sendall(request)
        received = b""
        while not received.endswith(b"0\r\n\r\n"):
            received += application.recv(65536)
    assert received.startswith(b"HTTP/1.1 200")
    assert "长江二号" in received.decode("utf-8")
    assert "太湖三号" not in received.decode("utf-8")


def _whole_answer(application: socket.socket) -> bytes:
    received = b""
    while b"\r\n\r\n" not in received:
        received += application.recv(65536)
    head, _, body = received.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 200")
    length = int(head.lower().partition(b"content-length: ")[2].split(b"\r")[0])
    while len(body) < length:
        body += application.recv(65536)
    return body


def test_a_burst_of_queries_travels_in_few_messages(nodes):
    began = time.time()
    before = len(query(nodes.provider, "SELECT nonce FROM seen_nonce"))
    request = nodes.request(PLAIN, {"key": {"item": "code", "value": "c1"}})

    async def burst() -> None:
        async def one() -> None:
            reader, writer = await asyncio.open_connection(*nodes.consumer_address)
            for _ in range(5):
                writer.write(request)
                head = await reader.readuntil(b"\r\n\r\n")
                assert head.startswith(b"HTTP/1.1 200")
                await reader.readexactly(int(head.lower().partition(b"content-length: ")[2].split(b"\r")[0]))
            writer.close()
            await writer.wait_closed()

        await asyncio.gather(*(one() for _ in range(40)))

    asyncio.run(burst())
    assert time.time() - began < 60
    assert len(query(nodes.provider, "SELECT nonce FROM seen_nonce")) - before < 100
