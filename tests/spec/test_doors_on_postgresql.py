"""The doors with both nodes on PostgreSQL: the same statements, the same evidence, nothing else changed."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from contextlib import closing

import orjson
import psycopg
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import hutong
from hutong.exchange.wire import unpack
from hutong.vocabulary.ids import new_id
from tests.pair import CONSUMER, PROVIDER, PURPOSE, Pair, pair
from tests.postgres import new_database

AGREEMENT = "urn:uuid:0192f0c1-0000-7000-8000-000000000001"
KEEP = {"action": "keep"}


@pytest.fixture(scope="module")
def nodes(tmp_path_factory: pytest.TempPathFactory, postgres_url: str) -> Iterator[Pair]:
    source = new_database(postgres_url, "doors_source")
    with closing(psycopg.connect(source)) as connection, connection:
        connection.execute("CREATE TABLE companies (code text PRIMARY KEY, city text, phone text)")
        connection.execute(
            "INSERT INTO companies SELECT 'c' || n, CASE n % 2 WHEN 0 THEN '南京' ELSE '苏州' END,"
            " '1380000' || 1000 + n FROM generate_series(1, 2000) AS n"
        )
    grants = {
        AGREEMENT: {
            "source": "s1",
            "items": {"code": KEEP, "phone": {"action": "phone"}},
            "where": {"op": "eq", "item": "city", "value": "南京"},
            "quota_rows": 5000,
        }
    }
    sources = {"s1": {"kind": "postgresql", "location": source, "table": "public.companies"}}
    folder = tmp_path_factory.mktemp("doors-pg")
    databases = {one: new_database(postgres_url, f"doors_{one}") for one in ("yrd", PROVIDER, CONSUMER)}
    with pair(folder, sources, grants, databases=databases.__getitem__) as made:
        yield made


def rows(nodes: Pair, side: str, statement: str) -> list[tuple[object, ...]]:
    with closing(psycopg.connect(nodes.region[side].environment["DATABASE_URL"])) as connection:
        return connection.execute(statement.encode()).fetchall()


def test_queries_and_streams_are_served_and_on_record_on_both_sides(nodes):
    node = nodes.connect()
    stream = node.read(AGREEMENT, where="code in ('c1', 'c2', 'c4')", purpose=PURPOSE, case="1")
    assert stream.to_arrow().to_pydict() == {"code": ["c2", "c4"], "phone": ["138****1002", "138****1004"]}
    text = node.download(AGREEMENT, "text/csv", purpose=PURPOSE, case="1")
    assert len(list(csv.reader(io.StringIO(b"".join(text.chunks()).decode())))) == 1001
    for exchange in (stream.exchange, text.exchange):
        found = [
            rows(
                nodes,
                side,
                f"SELECT outcome, rows, response_digest FROM exchange_record WHERE exchange_id = '{exchange}'",
            )
            for side in (PROVIDER, CONSUMER)
        ]
        assert found[0] == found[1]
        assert found[0][0][0] == "served"


def test_repeats_and_refusals_count_as_they_should(nodes):
    query = {
        "exchange": new_id(),
        "agreement": AGREEMENT,
        "purpose": PURPOSE,
        "case": "hmac-sha256:" + "0" * 64,
        "items": None,
        "where": None,
        "limit": None,
        "key": {"item": "code", "value": "c2"},
    }
    refused = query | {"exchange": new_id(), "purpose": "marketing"}
    before = rows(nodes, PROVIDER, "SELECT calls_used, rows_used FROM exchange_grant")[0]
    for _ in range(2):
        answer = nodes.region.ask(CONSUMER, PROVIDER, "POST", "/exchange/queries", {"queries": [query, refused]})
        served, denied = unpack(answer.body, [query["exchange"], refused["exchange"]])
        assert orjson.loads(served.body) == [{"code": "c2", "phone": "138****1002"}]
        assert denied.status == 403
    assert rows(nodes, PROVIDER, "SELECT calls_used, rows_used FROM exchange_grant")[0] == (
        before[0] + 1,
        before[1] + 1,
    )
    assert rows(nodes, PROVIDER, "SELECT sum(refused) FROM exchange_daily_use") == [(1,)]


def test_files_are_fetched_and_on_record_once_and_a_batch_says_which_keys_have_no_row(nodes):
    node = nodes.connect()
    reading = node.files(AGREEMENT, "application/vnd.apache.parquet", purpose=PURPOSE, case="1")
    table = pq.read_table(pa.BufferReader(b"".join(reading.chunks())))
    assert (table.num_rows, reading.opened["version"]) == (1000, 0)
    again = node.files(AGREEMENT, "application/vnd.apache.parquet", purpose=PURPOSE, case="1")
    assert again.file["digest"] == reading.file["digest"]  # one edition for both
    for side in (PROVIDER, CONSUMER):
        found = rows(nodes, side, f"SELECT outcome, rows FROM exchange_record WHERE exchange_id = '{reading.exchange}'")
        assert found == [("served", 1000)]
    assert node.lookup(AGREEMENT, "code", ["c1", "c2"], items=["code"], purpose=PURPOSE, case="1") == {
        "c1": [],
        "c2": [{"code": "c2"}],
    }


def test_a_suspension_stops_the_very_next_request(nodes):
    nodes.set_state(AGREEMENT, "suspended")
    try:
        with pytest.raises(hutong.RefusedByNode) as found:
            nodes.connect().read(AGREEMENT, purpose=PURPOSE, case="1")
        assert found.value.rule == "D809-27"
    finally:
        nodes.set_state(AGREEMENT, "active")
