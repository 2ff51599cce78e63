"""A province is cut off in the middle of its exchanges: the others go on, and when it is back everything agrees.

Its processes are stopped, so that connections to it stand open and nobody answers: worse than a refused connection. An
hour of it differs from these seconds in nothing but the queue's length: pauses between attempts end at half a minute.
"""

from __future__ import annotations

import contextlib
import signal
import sqlite3
import statistics
import threading
import time
from collections.abc import Iterator

import orjson
import psutil
import pytest
import urllib3

from tests.nodes import Node
from tests.pair import _SUBSCRIBE, DEPARTMENT, PROVIDER, PURPOSE, Pair, inside, pair, query
from tests.this_machine import until

CUT_OFF = "330000"
OTHERS = "urn:uuid:0192f0c1-0000-7000-8000-000000000001"  # Anhui's agreement with Jiangsu
ITS_OWN = "urn:uuid:0192f0c1-0000-7000-8000-000000000002"  # Zhejiang's agreement with Jiangsu
MESSAGES = 12
AWAY_S = 6.0
ROTATE = f"""
import orjson
from hutong.node import rotation
from hutong.node.settings import current
print(orjson.dumps([rotation.rotate(current(), overlap_s=86400) for _ in range({MESSAGES})]).decode())
"""


@pytest.fixture(scope="module")
def nodes(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pair]:
    folder = tmp_path_factory.mktemp("cut")
    with sqlite3.connect(folder / "records.db") as file:
        file.execute("CREATE TABLE records (n INTEGER PRIMARY KEY, t TEXT)")
        file.executemany("INSERT INTO records VALUES (?, ?)", ((n, f"row {n}") for n in range(1000)))
    file.close()
    sources = {"s1": {"kind": "sqlite", "location": str(folder / "records.db"), "table": "records"}}
    terms = {"source": "s1", "items": {"n": {"action": "keep"}, "t": {"action": "keep"}}}
    with pair(folder, sources, {OTHERS: terms, ITS_OWN: {**terms, "consumer": CUT_OFF}}) as made:
        region = made.region
        region["yrd"].start()
        region.make(CUT_OFF).start()
        region.join(CUT_OFF, "yrd")
        given = {"key": made.key, "department": DEPARTMENT, "agreements": [ITS_OWN]}
        inside(region[CUT_OFF], _SUBSCRIBE, given)
        until(lambda: len({region.directory_version(one) for one in region.nodes}) == 1, what="one directory")
        yield made


class Application(threading.Thread):
    """Reads at one node without a pause; keeps what was answered and how long each answer took."""

    def __init__(self, node: Node, key: str, agreement: str) -> None:
        super().__init__(name=f"application-{node.jurisdiction}")
        self.address = f"{node.base_url}/exchange/v1/agreements/{agreement}/read"
        self.headers = {"Authorization": f"Bearer {key}", "Hutong-Purpose": PURPOSE, "Hutong-Case": "1"}
        self.answered: list[str] = []
        self.took_s: list[float] = []
        self.refused: list[int] = []
        self.enough = threading.Event()

    def run(self) -> None:
        with urllib3.PoolManager(timeout=90) as pool:
            number = 0
            while not self.enough.is_set():
                number = (number + 1) % 1000
                began = time.monotonic()
                body = {"key": {"item": "n", "value": number}}
                answer = pool.request("POST", self.address, json=body, headers=self.headers, retries=False)
                if answer.status == 200:
                    self.answered.append(answer.headers["Hutong-Exchange"])
                    self.took_s.append(time.monotonic() - began)
                else:
                    self.refused.append(answer.status)
                time.sleep(0.01)


@contextlib.contextmanager
def reading(*applications: Application) -> Iterator[None]:
    for one in applications:
        one.start()
    try:
        yield
    finally:
        for one in applications:
            one.enough.set()
        for one in applications:
            one.join(120)


def family(node: Node) -> list[psutil.Process]:
    assert node.process is not None
    first = psutil.Process(node.process.pid)
    return [first, *first.children(recursive=True)]


def cut_off(node: Node) -> None:
    """Stop every process, at a moment when none of them holds the database."""
    for _ in range(200):
        for one in family(node):
            one.send_signal(signal.SIGSTOP)
        with contextlib.suppress(sqlite3.OperationalError), contextlib.closing(_database(node)) as look:
            look.execute("BEGIN IMMEDIATE")
            look.rollback()
            return
        bring_back(node)
    raise TimeoutError("the database was never free")


def _database(node: Node) -> sqlite3.Connection:
    return sqlite3.connect(node.home / "node.db", timeout=0)


def bring_back(node: Node) -> None:
    for one in family(node):
        one.send_signal(signal.SIGCONT)


def listed(node: Node) -> list[str]:
    """The keys the keeper has listed for the province, in the order in which it did."""
    kept = query(node, "SELECT kind, subject, detail FROM audit_record ORDER BY id")
    own = [one for one in kept if (one["kind"], one["subject"]) == ("member.key_listed", f"member:{CUT_OFF}")]
    return [orjson.loads(str(one["detail"]))["keyid"] for one in own]


@pytest.mark.timeout(300)
def test_the_others_go_on_and_when_it_is_back_all_agree(nodes: Pair):
    region, province = nodes.region, nodes.region[CUT_OFF]
    theirs = Application(nodes.consumer, nodes.key, OTHERS)
    its_own = Application(province, nodes.key, ITS_OWN)
    with reading(theirs, its_own):
        until(lambda: len(theirs.answered) > 30 and len(its_own.answered) > 30, what="exchanges of both")
        before = len(theirs.took_s)
        cut_off(province)
        try:
            sent = province.python(ROTATE)  # people go on deciding there; what they decide waits to be told
            region[PROVIDER].hutong("keys", "rotate", str(region[PROVIDER].home))  # told to everybody
            time.sleep(AWAY_S)
            answered_meanwhile = len(theirs.took_s) - before
            assert not listed(region["yrd"])
        finally:
            bring_back(province)
        until(lambda: len(listed(region["yrd"])) == MESSAGES, within_s=90, what="the drained queue")
        so_far = len(its_own.answered)
        until(lambda: len(its_own.answered) > so_far + 10, within_s=60, what="its exchanges")
    # The others: no refusal, and no slower.
    assert not theirs.refused
    assert answered_meanwhile > 50
    slow = statistics.quantiles(theirs.took_s[before : before + answered_meanwhile], n=20)[-1]
    assert slow < max(1.0, 10 * statistics.quantiles(theirs.took_s[:before], n=20)[-1])
    # Its queue: in order, each once.
    assert listed(region["yrd"]) == sent
    _the_same_directory_everywhere(nodes)
    _meters_and_ledgers_agree(nodes, its_own)


def _the_same_directory_everywhere(nodes: Pair) -> None:
    region = nodes.region
    until(
        lambda: len({region.directory_version(one) for one in region.nodes}) == 1,
        within_s=90,
        what="one directory everywhere",
    )


def _meters_and_ledgers_agree(nodes: Pair, its_own: Application) -> None:
    province = nodes.region[CUT_OFF]

    def registers() -> tuple[dict[str, str], dict[str, str]]:
        rows = [one for one in nodes.register(nodes.provider) if one["agreement_id"] == ITS_OWN]
        ours = {row["exchange_id"]: row["response_digest"] for row in nodes.register(province)}
        return {row["exchange_id"]: row["response_digest"] for row in rows if row["outcome"] == "served"}, ours

    until(lambda: registers()[0].keys() <= registers()[1].keys(), within_s=90, what="the recovery of its register")
    served, known = registers()
    assert set(its_own.answered) <= served.keys()
    assert {one: known[one] for one in its_own.answered} == {one: served[one] for one in its_own.answered}
    (grant,) = query(nodes.provider, f"SELECT calls_used FROM exchange_grant WHERE agreement_id = '{ITS_OWN}'")
    assert grant["calls_used"] == len(served)

    def agreed() -> bool:
        found = province.json("ledger", "reconcile", str(province.home), PROVIDER)
        return not found["differences"] and found["agreed"] >= len(its_own.answered)

    until(agreed, within_s=90, what="two ledgers that agree")
