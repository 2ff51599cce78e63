"""Half an hour at 70 % of capacity: memory stays flat, latency stays what it was, both ledgers keep up.

Not among the benchmarks that run by default: `make bench BENCH=soak`. HUTONG_SOAK_S sets how long, in seconds. Capacity
is measured first, with as many connections. Memory is the resident size of every process of both nodes, taken each
second; the growth is the median of the last fifth over that of the second fifth: the first one fills caches.
"""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median

import psutil

import tests.conftest  # noqa: F401 - gives this process a node of its own to be settings of
from bench.figure import Figure
from bench.load import TELL_EVERY_S, Run, closed_loop, open_loop
from bench.query import AGREEMENT, ITEMS, checked, make_source, through
from tests.nodes import Node
from tests.pair import Pair, pair, query

SOAK_S = float(os.environ.get("HUTONG_SOAK_S", "1800"))
SHARE = 0.7
CONNECTIONS, CAPACITY_S = 256, 5.0
GOAL_GROWTH, GOAL_P99_MS = 1.05, 100
GOAL_LAG_S = 30.0  # how far behind the log's files may be when the load ends


@dataclass
class Memory:
    """Resident bytes of the nodes' processes, a reading each second."""

    nodes: tuple[Node, ...]
    readings: list[int] = field(default_factory=list)
    _done: threading.Event = field(default_factory=threading.Event)

    def __enter__(self) -> Memory:
        threading.Thread(target=self._watch, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._done.set()

    def _watch(self) -> None:
        while not self._done.wait(1.0):
            self.readings.append(sum(map(_resident_bytes, self._processes())))

    def _processes(self) -> Iterator[psutil.Process]:
        for node in self.nodes:
            assert node.process is not None
            first = psutil.Process(node.process.pid)
            yield from (first, *first.children(recursive=True))

    @property
    def growth(self) -> float:
        """The last fifth over the second fifth."""
        fifth = max(1, len(self.readings) // 5)
        return median(self.readings[-fifth:]) / median(self.readings[fifth : 2 * fifth] or self.readings)


def _resident_bytes(process: psutil.Process) -> int:
    with suppress(psutil.NoSuchProcess):  # a node's work apart has ended since it was listed
        return int(process.memory_info().rss)
    return 0


@dataclass
class _Told:
    """Says on standard error how it goes: one line for each half minute."""

    memory: Memory
    answered: int = 0

    def __call__(self, run: Run, waiting: int) -> None:
        lately = Run(
            TELL_EVERY_S, TELL_EVERY_S, run.answered - self.answered, latencies_s=run.latencies_s[self.answered :]
        )
        self.answered = run.answered
        memory_mb = (self.memory.readings or [0])[-1] / 1e6
        times = ", ".join(f"p{share * 100:.0f} {lately.percentile_ms(share):.0f} ms" for share in (0.5, 0.99))
        said = f"{lately.per_s:,.0f} /s, {waiting} waiting, {run.failed} failed, {times}, {memory_mb:,.0f} MB"
        print(f"{time.strftime('%H:%M:%S')}  {said}", file=sys.stderr, flush=True)


@dataclass(frozen=True)
class Soaked:
    """What one soak came to."""

    per_s: float
    capacity_per_s: float
    growth: float
    p99_ms: float
    lag_s: float


def figures() -> Iterator[Figure]:
    folder = Path(tempfile.mkdtemp(prefix="hutong-soak-"))
    sources = {"s1": {"kind": "sqlite", "location": str(folder / "companies.db"), "table": "companies"}}
    grants = {AGREEMENT: {"source": "s1", "items": {name: {"action": "keep"} for name in ITEMS}}}
    try:
        make_source(folder / "companies.db")
        with pair(folder, sources, grants) as nodes:
            found = soak(nodes, SOAK_S)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    limit_name = f"what the nodes carry at most; {SOAK_S:.0f} s"
    yield Figure(
        "soak: load carried", found.per_s, "/s", SHARE * 0.98, found.capacity_per_s, limit_name, judged="ratio"
    )
    yield Figure("soak: memory, last fifth to second", found.growth, "x", GOAL_GROWTH, better="less")
    yield Figure("soak: p99", found.p99_ms, "ms", GOAL_P99_MS, better="less")
    yield Figure("soak: until both logs hold all", found.lag_s, "s", GOAL_LAG_S, better="less")


def soak(nodes: Pair, duration_s: float, *, capacity_s: float = CAPACITY_S) -> Soaked:
    """raises   RuntimeError when any request failed"""
    host, port = nodes.consumer_address

    def full() -> Run:
        return checked(
            closed_loop(host, port, lambda _: through(nodes), connections=CONNECTIONS, duration_s=capacity_s)
        )

    full()  # warm
    capacity = full().per_s
    with Memory((nodes.provider, nodes.consumer)) as memory:
        run = open_loop(
            host,
            port,
            lambda _: through(nodes),
            connections=CONNECTIONS,
            duration_s=duration_s,
            per_s=capacity * SHARE,
            tell=_Told(memory),
        )
    checked(run)
    ended = time.monotonic()
    while any(_unsequenced(node) for node in (nodes.provider, nodes.consumer)) and time.monotonic() < ended + 300:
        time.sleep(0.2)
    return Soaked(run.per_s, capacity, memory.growth, run.percentile_ms(0.99), time.monotonic() - ended)


def _unsequenced(node: Node) -> int:
    (waiting,) = query(node, "SELECT COUNT(*) AS n FROM ledger_entry WHERE leaf_index IS NULL")
    return int(waiting["n"])
