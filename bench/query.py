"""Record queries through two nodes, signed both ways and durable on both, beside the same source served directly.

The source is an SQLite file of as many companies as the real register holds (138,339), with an indexed key. The load
generator, the two nodes and the bare server share the machine's cores; each is asked by GET while the others rest. What
the bare server reaches with one worker or with two is the limit, whichever is more.
"""

from __future__ import annotations

import os
import random
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from statistics import median

import tests.conftest  # noqa: F401 - gives this process a node of its own to be settings of
from bench.figure import Figure
from bench.load import Request, Run, closed_loop, open_loop
from tests.nodes import ROOT, free_port
from tests.pair import Pair, pair

COMPANIES = 138_339
AGREEMENT = "urn:uuid:0192f0c1-0000-7000-8000-000000000001"
ITEMS = ("code", "name", "type", "industry", "province", "city", "district", "registered_on", "address", "phone")
CONNECTIONS = 256
ROUNDS, ROUND_S, WARM_UP_S, HALF_LOAD_S = 3, 4.0, 2.0, 8.0
GOAL_PER_S, GOAL_RATIO, GOAL_P99_MS = 1_000, 0.25, 50


def figures() -> Iterator[Figure]:
    folder = Path(tempfile.mkdtemp(prefix="hutong-bench-"))
    sources = {"s1": {"kind": "sqlite", "location": str(folder / "companies.db"), "table": "companies"}}
    grants = {AGREEMENT: {"source": "s1", "items": {name: {"action": "keep"} for name in ITEMS}}}
    try:
        source = make_source(folder / "companies.db")
        with (
            serving_directly(source, 1) as one,
            serving_directly(source, 2) as two,
            pair(folder, sources, grants) as nodes,
        ):
            full = full_load(nodes, one, two)
            half = half_load(nodes, full["nodes"] / 2)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    limit, limit_name = max(full["one"], full["two"]), "the same source served directly"
    yield Figure("query: record queries", full["nodes"], "/s", GOAL_PER_S, limit, limit_name)
    yield Figure("query: share of direct", full["nodes"], "/s", GOAL_RATIO, limit, limit_name, judged="ratio")
    yield Figure("query: p99 at half load", half.percentile_ms(0.99), "ms", GOAL_P99_MS, better="less")


def full_load(nodes: Pair, one: int, two: int) -> dict[str, float]:
    """Queries a second, the median of ROUNDS: through the nodes, and directly with one worker and with two.

    Each in turn, so that whatever else the machine does falls on all alike. While one is measured the others rest.
    """
    host, port = nodes.consumer_address
    asked: dict[str, tuple[str, int, Request]] = {
        "nodes": (host, port, lambda _: through(nodes)),
        "one": ("127.0.0.1", one, lambda _: directly()),
        "two": ("127.0.0.1", two, lambda _: directly()),
    }
    found: dict[str, list[float]] = {name: [] for name in asked}
    for seconds in (WARM_UP_S, *[ROUND_S] * ROUNDS):
        for name, (to_host, to_port, request) in asked.items():
            run = closed_loop(to_host, to_port, request, connections=CONNECTIONS, duration_s=seconds)
            found[name].append(checked(run).per_s)
    return {name: median(rates[1:]) for name, rates in found.items()}


def half_load(nodes: Pair, per_s: float) -> Run:
    time.sleep(3)  # the ledger's files catch up with the full load; at half load they keep up
    host, port = nodes.consumer_address
    run = open_loop(host, port, lambda _: through(nodes), connections=CONNECTIONS, duration_s=HALF_LOAD_S, per_s=per_s)
    return checked(run)


def through(nodes: Pair) -> bytes:
    return nodes.lookup(AGREEMENT, "code", code(random.randrange(COMPANIES)))


def directly() -> bytes:
    return f"GET /companies/{code(random.randrange(COMPANIES))} HTTP/1.1\r\nHost: node\r\n\r\n".encode("ascii")


def make_source(file: Path) -> Path:
    """Companies as large as real ones: ten columns of Chinese text, an indexed code."""
    chance = random.Random(1)
    cities = ["南京市", "苏州市", "无锡市", "常州市", "南通市"]
    rows = (
        (
            code(number),
            f"江苏长江{number}号信息科技有限公司",
            "有限责任公司(自然人投资或控股)",
            "信息传输、软件和信息技术服务业",
            "江苏省",
            chance.choice(cities),
            "玄武区",
            f"{1978 + number % 27}-{1 + number % 12:02d}-{1 + number % 28:02d}",
            f"中山路{number % 900}号{number % 30}室",
            f"025{80000000 + number}",
        )
        for number in range(COMPANIES)
    )
    with closing(sqlite3.connect(file)) as connection, connection:
        columns = ", ".join(f"{name} TEXT" for name in ITEMS)
        connection.execute(f"CREATE TABLE companies ({columns}, PRIMARY KEY (code))")
        connection.executemany(f"INSERT INTO companies VALUES ({', '.join('?' * len(ITEMS))})", rows)
    return file


def code(number: int) -> str:
    return f"91320000{number:010d}"


@contextmanager
def serving_directly(source: Path, workers: int) -> Iterator[int]:
    port = free_port()
    command = [str(Path(sys.executable).with_name("granian")), "--interface", "asgi", "--no-ws", "--workers"]
    command += [str(workers), "--port", str(port), "--log-level", "error", "bench.direct:app"]
    environment = os.environ | {"BENCH_SOURCE": str(source)}
    with subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.DEVNULL) as server:
        try:
            _until_served(f"http://127.0.0.1:{port}/companies/{code(1)}")
            yield port
        finally:
            server.terminate()


def _until_served(url: str) -> None:
    for _ in range(600):
        try:
            with urllib.request.urlopen(url, timeout=5):
                return
        except OSError:
            time.sleep(0.1)
    raise RuntimeError("the bare server did not start")


def checked(run: Run) -> Run:
    """raises   RuntimeError when any request failed: a fast error is no throughput"""
    if run.failed:
        raise RuntimeError(f"{run.failed} requests failed, the first with: {run.first_failure!r}")
    return run
