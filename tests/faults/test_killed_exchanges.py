"""kill -9 of any process of two nodes at random points of a hundred exchanges: nothing lost, nothing counted twice.

Once with applications that take an error for an answer, eight at once; once with one that insists, under one
Idempotency-Key, until it has the whole answer.
"""

from __future__ import annotations

import contextlib
import random
import sqlite3
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta

import duckdb
import psutil
import pytest
import urllib3

import hutong
from hutong.ledger import pages
from hutong.ledger.folder_log import FolderLog
from hutong.ledger.reconcile import Reconciliation, reconcile
from hutong.ledger.shelf import Shelf
from tests.nodes import Node, until
from tests.pair import CONSUMER, PROVIDER, PURPOSE, Pair, pair, query

RECORDS = "urn:uuid:0192f0c1-0000-7000-8000-000000000001"
LARGE = "urn:uuid:0192f0c1-0000-7000-8000-000000000002"
INSISTED = "urn:uuid:0192f0c1-0000-7000-8000-000000000003"  # on the records too, for the application that insists
KEEP = {"action": "keep"}
EXCHANGES = 100
KILLS = 6


@pytest.fixture(scope="module")
def nodes(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pair]:
    tmp_path = tmp_path_factory.mktemp("killed")
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
    grants = {
        RECORDS: {"source": "s1", "items": items},
        LARGE: {"source": "s2", "items": items},
        INSISTED: {"source": "s1", "items": items},
    }
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


class Insisting(threading.Thread):
    """One that asks for a hundred exchanges, each under one Idempotency-Key until it has the whole answer."""

    def __init__(self, nodes: Pair) -> None:
        super().__init__(name="insisting")
        self.nodes = nodes
        self.done: dict[str, int] = {}  # exchange: rows

    def run(self) -> None:
        with self.nodes.connect() as connection:
            for number in range(EXCHANGES):
                self._insist(connection, number)

    def _insist(self, connection: hutong.Connection, number: int) -> None:
        while len(self.done) <= number:
            # The node is away, or ended in the middle.
            with contextlib.suppress(hutong.Refused, urllib3.exceptions.HTTPError):
                self._ask(connection, number)

    def _ask(self, connection: hutong.Connection, number: int) -> None:
        """Every fourth one streams Arrow; the others are record queries, which travel in one message."""
        key, case = f"read {number}", f"case {number}"
        if number % 4 == 0:
            reading = connection.read(INSISTED, where="n < 500", purpose=PURPOSE, case=case, idempotency_key=key)
            self.done[reading.exchange] = reading.to_arrow().num_rows
            return
        answer = urllib3.request(
            "POST",
            f"{self.nodes.consumer.base_url}/exchange/v1/agreements/{INSISTED}/read",
            json={"key": {"item": "n", "value": number}},
            headers={
                "Authorization": f"Bearer {self.nodes.key}",
                "Hutong-Purpose": PURPOSE,
                "Hutong-Case": case,
                "Idempotency-Key": key,
            },
            retries=False,
        )
        if answer.status == 200:
            self.done[answer.headers["Hutong-Exchange"]] = len(answer.json())


def kill_one(node: Node, chance: random.Random) -> None:
    """Any one of the node's processes. A node that ends with it (two workers lost within seconds) is started again,
    as an operator's service manager would."""
    assert node.process is not None
    family = [psutil.Process(node.process.pid), *psutil.Process(node.process.pid).children(recursive=True)]
    victim = chance.choice(family)
    if victim.pid == node.process.pid:
        node.kill()
    else:
        victim.kill()
        psutil.wait_procs([victim], timeout=10)
        with contextlib.suppress(RuntimeError):
            until(node._serves, within_s=60, what="a new worker")
            return
        node.stop()
    node.start()


def kill_on_the_way(nodes: Pair, progress: Callable[[], int], chance: random.Random) -> None:
    """Kill now one node's process, now the other's, at even steps of the exchanges' progress."""
    for kill in range(KILLS):
        reached = (kill + 1) * EXCHANGES // (KILLS + 2)
        until(lambda reached=reached: progress() >= reached, within_s=120, what="the next exchanges")
        kill_one(nodes.region[chance.choice((PROVIDER, CONSUMER))], chance)


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
    return reconcile(PROVIDER, pages.reader(ours, PROVIDER), log, now=later)


@pytest.mark.timeout(900)
def test_after_kills_at_random_points_both_ledgers_reconcile_and_nothing_is_counted_twice(nodes):
    applications = Applications(nodes)
    applications.start()
    kill_on_the_way(nodes, lambda: applications.begun, random.Random(20260302))
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


@pytest.mark.timeout(900)
def test_an_application_that_insists_gets_every_exchange_once_whatever_is_killed(nodes):
    application = Insisting(nodes)
    application.start()
    kill_on_the_way(nodes, lambda: len(application.done), random.Random(809))
    application.join(300)
    assert len(application.done) == EXCHANGES
    until(lambda: settled(nodes), within_s=120, what="the recovery of both registers")
    for side in (nodes.provider, nodes.consumer):
        mine = [row for row in nodes.register(side) if row["agreement_id"] == INSISTED]
        assert {row["exchange_id"]: row["rows"] for row in mine if row["outcome"] == "served"} == application.done
    (grant,) = query(nodes.provider, f"SELECT calls_used FROM exchange_grant WHERE agreement_id = '{INSISTED}'")
    assert grant["calls_used"] == EXCHANGES

    def agreed() -> bool:
        return all(
            not one.json("ledger", "reconcile", str(one.home), other.jurisdiction)["differences"]
            for one, other in ((nodes.consumer, nodes.provider), (nodes.provider, nodes.consumer))
        )

    until(agreed, within_s=60, what="two ledgers that agree")
    for side in (nodes.provider, nodes.consumer):
        side.hutong("ledger", "verify", str(side.home))
