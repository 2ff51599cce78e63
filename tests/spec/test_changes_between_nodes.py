"""A subscription between two real nodes: changes reach the application once and in order, whatever is killed."""

from __future__ import annotations

import http.client
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import orjson
import pytest

from tests.pair import Pair, pair, query
from tests.subscribing import begin, take
from tests.this_machine import free_port, until
from tests.web import Heard, Web

CHANGES = "urn:uuid:0192f0c1-0000-7000-8000-000000000011"
FEW = "urn:uuid:0192f0c1-0000-7000-8000-000000000012"
KEEP = {"action": "keep"}
ROWS = 3_000
PORT = free_port()  # where the application listens


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("changes")


@pytest.fixture(scope="module")
def nodes(folder: Path) -> Iterator[Pair]:
    with closing(sqlite3.connect(folder / "people.db")) as file, file:
        file.execute("CREATE TABLE people (code TEXT PRIMARY KEY, name TEXT, city TEXT, n INTEGER)")
        rows = [(f"p{n:05d}", f"王{n}", "南京" if n % 2 else "苏州", 0) for n in range(2 * ROWS)]
        file.executemany("INSERT INTO people VALUES (?, ?, ?, ?)", rows)
    sources = {"s1": {"kind": "sqlite", "location": str(folder / "people.db"), "table": "people"}}
    grants: dict[str, dict[str, Any]] = {
        CHANGES: {
            "source": "s1",
            "items": {"code": KEEP, "name": {"action": "name"}, "n": KEEP},
            "where": {"op": "eq", "item": "city", "value": "南京"},
        },
        FEW: {"source": "s1", "items": {"code": KEEP}, "quota_rows": 10},
    }
    with pair(folder, sources, grants) as made:
        made.consumer.environment["HUTONG_WEBHOOK_ADDRESSES"] = f"http://127.0.0.1:{PORT}/"
        begin(made, CHANGES, keys=["code"])
        begin(made, FEW, keys=["code"])
        yield made


def change(folder: Path, statement: str) -> None:
    with closing(sqlite3.connect(folder / "people.db")) as file, file:
        file.execute(statement)


def all_taken(nodes: Pair, at_least: int, after: int = 0) -> list[dict[str, Any]]:
    """Every event after a position, when there are so many."""
    events: list[dict[str, Any]] = []
    ends_at = time.monotonic() + 120
    while len(events) < at_least and time.monotonic() < ends_at:
        place = int(events[-1]["sequence"]) if events else after
        try:
            events += take(nodes, CHANGES, place, wait=5).get("events", [])
        except OSError:
            time.sleep(0.5)  # the node is being started again
    return events


def position(nodes: Pair) -> int:
    found = query(nodes.consumer, f"SELECT received FROM exchange_subscribed WHERE agreement_id = '{CHANGES}'")
    return int(found[0]["received"])


def test_an_application_takes_the_agreed_masked_rows_and_both_sides_have_each_batch_on_record(nodes):
    events = all_taken(nodes, ROWS)
    assert [int(one["sequence"]) for one in events] == list(range(1, ROWS + 1))
    assert {one["type"] for one in events} == {"hutong.row.inserted"}
    codes = {one["data"]["code"] for one in events}
    assert codes == {f"p{n:05d}" for n in range(1, 2 * ROWS, 2)}  # rows outside the agreement's condition never leave
    assert {one["data"]["name"][0] for one in events} == {"王"}
    assert not [one for one in events if one["data"]["name"][1:].strip("*")]
    ours, theirs = (
        {row["exchange_id"]: (row["rows"], row["response_digest"], row["request_digest"], row["form"])
         for row in nodes.register(side) if row["agreement_id"] == CHANGES}
        for side in (nodes.provider, nodes.consumer)
    )  # fmt: skip
    assert ours == theirs
    assert sum(one[0] for one in ours.values()) == ROWS
    used = query(nodes.provider, f"SELECT calls_used, rows_used FROM exchange_grant WHERE agreement_id = '{CHANGES}'")
    assert used == [{"calls_used": 0, "rows_used": ROWS}]


def test_a_batch_beyond_the_quota_of_rows_does_not_leave(nodes):
    trouble = f"SELECT trouble, acknowledged FROM exchange_change_feed WHERE agreement_id = '{FEW}'"
    until(lambda: query(nodes.provider, trouble)[0]["trouble"], what="the refusal")
    assert query(nodes.provider, trouble)[0]["trouble"].startswith("quota_spent")
    assert query(nodes.provider, trouble)[0]["acknowledged"] == 0


def test_a_suspension_stops_the_next_batch_and_what_waited_comes_in_order(nodes, folder):
    before = position(nodes)
    nodes.set_state(CHANGES, "suspended")
    change(folder, "UPDATE people SET n = 1 WHERE code = 'p00001'")
    assert take(nodes, CHANGES, before, wait=5)["events"] == []
    nodes.set_state(CHANGES, "active")
    change(folder, "DELETE FROM people WHERE code = 'p00003'")
    events = all_taken(nodes, 2, before)
    assert sorted((one["type"], one["data"]["code"]) for one in events) == [
        ("hutong.row.deleted", "p00003"),
        ("hutong.row.updated", "p00001"),
    ]


def test_nodes_killed_again_and_again_lose_and_double_nothing(nodes, folder):
    before = position(nodes)
    state = {
        one["data"]["code"]: one["data"]["n"] for one in all_taken(nodes, ROWS + 2) if "deleted" not in one["type"]
    }
    for number, victim in enumerate((nodes.provider, nodes.consumer), 2):
        at = position(nodes)
        change(folder, f"UPDATE people SET n = {number} WHERE city = '南京'")
        until(lambda at=at: position(nodes) > at, within_s=60, what="the first of the changes")
        victim.kill()
        victim.start()
    change(folder, "UPDATE people SET n = 9 WHERE code = 'p00005'")
    until(lambda: position(nodes) >= before + 2 * (ROWS - 1) + 1, within_s=120, what="all changes")
    events = all_taken(nodes, 2 * (ROWS - 1) + 1, before)
    assert [int(one["sequence"]) for one in events] == list(range(before + 1, position(nodes) + 1))
    state |= {one["data"]["code"]: one["data"]["n"] for one in events}
    del state["p00003"]
    with closing(sqlite3.connect(folder / "people.db")) as file:
        assert state == dict(file.execute("SELECT code, n FROM people WHERE city = '南京'"))
    twice = (
        "SELECT exchange_id FROM exchange_record WHERE form = 'events' GROUP BY exchange_id, role HAVING COUNT(*) > 1"
    )
    assert not query(nodes.provider, twice)
    assert not query(nodes.consumer, twice)


def test_an_application_may_listen_or_have_them_sent(nodes, folder):
    before = position(nodes)
    received: list[dict[str, Any]] = []

    def answer(heard: Heard) -> tuple[int, dict[str, Any]]:
        if len(received) == 0 and not refused:
            refused.append(heard)
            return 503, {}
        received.extend(orjson.loads(heard.body))
        return 200, {}

    refused: list[Heard] = []
    with Web(PORT) as web:
        web.answer = answer
        home = str(nodes.consumer.home)
        take(nodes, CHANGES, before)  # what came before is taken
        nodes.consumer.hutong("subscription", "webhook", home, CHANGES, f"{web.address}/changes")
        host, port = nodes.consumer_address
        listening = http.client.HTTPConnection(host, port, timeout=60)
        path = f"/exchange/v1/agreements/{CHANGES}/events?after={before}"
        headers = {"Authorization": f"Bearer {nodes.key}", "Accept": "application/x-ndjson"}
        listening.request("GET", path, headers=headers)
        change(folder, "UPDATE people SET n = 77 WHERE code = 'p00007'")
        stream = listening.getresponse()
        line = next(one for one in stream if one.strip())
        assert (orjson.loads(line)["data"]["n"], orjson.loads(line)["sequence"]) == (77, str(before + 1))
        listening.close()
        until(lambda: received, within_s=60, what="the webhook")
    assert [one["data"]["n"] for one in received] == [77]
    assert refused[0].headers["Content-Type"] == "application/cloudevents-batch+json"
    assert 'keyid="340000#' in refused[0].headers["Signature-Input"]
    listed = nodes.consumer.json("subscription", "list", home)
    assert {one["agreement"]: one["received"] for one in listed["taken"]}[CHANGES] == before + 1
