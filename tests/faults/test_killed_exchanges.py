"""kill -9 of either node at random points of a hundred exchanges: nothing lost, nothing counted twice."""

from __future__ import annotations

import random
import sqlite3
import threading
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import duckdb
import pytest

import hutong
from hutong.ledger import pages
from hutong.ledger.folder_log import FolderLog
from hutong.ledger.reconcile import Reconciliation, reconcile
from hutong.ledger.shelf import Shelf
from tests.nodes import Node, until
from tests.pair import CONSUMER, PROVIDER, PURPOSE, Pair, pair, query

RECORDS = "urn:uuid:0192f0c1-0000-7000-8000-000000000001"
LARGE = "urn:uuid:0192f0c1-0000-7000-8000-000000000002"
KEEP = {"action": "keep"}
EXCHANGES = 100
KILLS = 6


@pytest.fixture
def nodes(tmp_path) -> Iterator[Pair]:
    with sqlite3.connect(tmp_path / "records.db") as file:
        file.execute("CREATE TABLE records (n INTEGER PRIMARY KEY, t TEXT)")
        file.executemany("INSERT INTO records VALUES (?, ?)", ((n, f"row {n}") for n in range(1000)))
    file.close()
    large = tmp_path / "large.parquet"
    with duckdb.connect() as engine:
        engine.execute(f"COPY (SELECT range AS n, 'row ' || range AS t FROM range(1_000_000)) TO '{large}'")
    sources = {
        "s1": {"kind": "sqlite", "location": str(tmp_path / "records.db"), "table": "records"},
        "s2": {"kind": "parquet", "location": str(large)},
    }
    items = {"n": KEEP, "t": KEEP}
    grants = {RECORDS: {"source": "s1", "items": items}, LARGE: {"source": "s2", "items": items}}
    with pair(tmp_path, sources, grants) as made:
        yield made


class Applications(threading.Thread):
    """Eight at once ask for a hundred exchanges in all; a refused or broken one is not asked again."""

    def __init__(self, nodes: Pair) -> None:
        super().__init__(name="applications")
        self.nodes = nodes
        self.numbers = iter(range(EXCHANGES))
        self.lock = threading.Lock()
        self.begun = 0
        self.whole: list[str] = []  # exchange ids of answers that were received whole

    def run(self) -> None:
        threads = [threading.Thread(target=self._ask_all) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    def _ask_all(self) -> None:
        with self.nodes.connect() as node:
            while True:
                with self.lock:
                    number = next(self.numbers, None)
                    self.begun += 1
                if number is None:
                    return
                try:
                    exchange = self._ask(node, number)
                except hutong.Refused:
                    continue  # one of the nodes was down; the application sees an error, never half an answer
                with self.lock:
                    self.whole.append(exchange)

    def _ask(self, node: hutong.Connection, number: int) -> str:
        case = f"case {number}"
        if number % 4 == 0:
            answer = node.read(LARGE, purpose=PURPOSE, case=case)
            assert answer.to_arrow().num_rows == 1_000_000
        else:
            answer = node.download(RECORDS, "application/json", limit=1 + number % 7, purpose=PURPOSE, case=case)
            assert b"".join(answer.chunks()).count(b"row ") == 1 + number % 7
        return answer.exchange


def settled(nodes: Pair) -> bool:
    """No stream is open any more, and the consumer knows of all that the provider has on record."""
    ours, theirs = nodes.register(nodes.consumer), nodes.register(nodes.provider)
    known = {row["exchange_id"] for row in ours}
    ends = {row["exchange_id"]: row["outcome"] for row in theirs}
    return (
        all(row["outcome"] != "open" for row in (*ours, *theirs))
        and known >= ends.keys()
        and not any(row["outcome"] == "cut" and ends.get(row["exchange_id"]) == "served" for row in ours)
    )


def sequenced(node: Node) -> bool:
    """The log's files hold every entry."""
    (waiting,) = query(node, "SELECT COUNT(*) AS n FROM ledger_entry WHERE leaf_index IS NULL")
    return waiting["n"] == 0


def reconciled(nodes: Pair) -> Reconciliation:
    ours, theirs = nodes.consumer.home / "ledger", nodes.provider.home / "ledger"
    log = FolderLog(theirs, CONSUMER, tuple(Shelf(theirs).log_keys()))
    later = datetime.now(UTC) + timedelta(minutes=5)
    return reconcile(PROVIDER, pages.pages(ours, PROVIDER), log, now=later)


@pytest.mark.timeout(900)
def test_after_kills_at_random_points_both_ledgers_reconcile_and_nothing_is_counted_twice(nodes):
    chance = random.Random(20260302)
    applications = Applications(nodes)
    applications.start()
    for kill in range(KILLS):
        reached = (kill + 1) * EXCHANGES // (KILLS + 2)
        until(lambda reached=reached: applications.begun >= reached, within_s=120, what="the next exchanges")
        victim = nodes.region[chance.choice((PROVIDER, CONSUMER))]
        victim.kill()
        victim.start()
    applications.join(300)
    assert not applications.is_alive()
    until(lambda: settled(nodes), within_s=120, what="the recovery of both registers")
    for side in (nodes.provider, nodes.consumer):
        until(lambda side=side: sequenced(side), within_s=60, what="the log")

    ours = {row["exchange_id"]: row for row in nodes.register(nodes.consumer)}
    theirs = {row["exchange_id"]: row for row in nodes.register(nodes.provider)}
    # Whatever an application received whole is on record on both sides, as the same bytes.
    assert applications.whole
    for exchange in applications.whole:
        assert ours[exchange]["response_digest"] == theirs[exchange]["response_digest"] != ""
    # Every exchange stands once on each side, and the counters are the sums of the register.
    assert len(ours) == len(nodes.register(nodes.consumer))
    assert len(theirs) == len(nodes.register(nodes.provider))
    counted = Counter(row["agreement_id"] for row in theirs.values() if row["outcome"] != "refused")
    for use in query(nodes.provider, "SELECT agreement_id, calls_used, rows_used FROM exchange_grant"):
        rows = [row["rows"] for row in theirs.values() if row["agreement_id"] == use["agreement_id"]]
        assert use["calls_used"] == counted[use["agreement_id"]]
        assert use["rows_used"] == sum(rows)
    for side in (nodes.provider, nodes.consumer):
        side.hutong("ledger", "verify", str(side.home))
    found = reconciled(nodes)
    assert found.holds, found.differences
    assert found.agreed >= len(applications.whole)
