"""What a node counts, for Prometheus: GET /metrics with the operator's token.

Labels are closed lists (doors, outcomes, forms, classes of agreements), or members of the directory. Never a case
number, a key, an agreement or a value. A server with several workers counts in files that they share
(PROMETHEUS_MULTIPROC_DIR, which server.py sets): any worker answers for all. What is not counted but looked at, such
as queues and clocks, is read from the database when it is asked for; parts above the node add their readers.
"""

from __future__ import annotations

import asyncio
import logging
import os
import threading
import time
from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final, Protocol

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.metrics import MetricWrapperBase
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.registry import Collector

from hutong.node import parts
from hutong.node.settings import Settings

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
DOORS: Final = {  # by the beginning of the address; the first that fits
    "/exchange/v1/": "applications",
    "/exchange/queries": "queries",
    "/exchange/streams": "streams",
    "/exchange/receipts": "receipts",
    "/exchange/health": "health",
    "/exchange/": "exchange_other",
    "/hutong/health": "health",
    "/hutong/events": "events",
    "/hutong/": "node",
    "/dsp/": "dsp",
    "/.well-known/": "dsp",
    "/ledger/": "ledger",
    "/dcat-ap/": "catalogue",
    "/lists/": "catalogue",
    "/static/": "static",
}
PAGES = "pages"
STATUSES: Final = ("1xx", "2xx", "3xx", "4xx", "5xx", "none")  # none: the connection broke before an answer
QUICK_S: Final = (0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0, 60.0)
UNKNOWN_CLASS: Final = "unknown"
FLUSH_AFTER_S: Final = 0.25  # between a request and its place in the metrics, at most
LOOK_AGAIN_AFTER_S: Final = 60.0  # for the class of an agreement that was not held
MOST_CLASSES_KNOWN: Final = 10_000  # agreements whose class a process remembers

log = logging.getLogger("hutong.metrics")

_REQUESTS = Counter("hutong_requests", "Requests by door and class of status.", ["door", "status"], registry=None)
_REQUEST_S = Histogram(
    "hutong_request_seconds", "From a request to the end of its answer.", ["door"], buckets=QUICK_S, registry=None
)
_EXCHANGES = Counter(
    "hutong_exchanges",
    "Exchanges put on record by our role, outcome, form and class of agreement. A stream is open, then served or cut.",
    ["role", "outcome", "form", "agreement"],
    registry=None,
)
_EXCHANGE_S = Histogram(
    "hutong_exchange_seconds", "What exchanges took at this node.", ["role"], buckets=QUICK_S, registry=None
)
_ROWS = Counter("hutong_exchange_rows", "Rows served, by our role.", ["role"], registry=None)
_BYTES = Counter("hutong_exchange_bytes", "Bytes served, by our role.", ["role"], registry=None)
LANE_WAITING = Gauge(
    "hutong_lane_waiting",
    "Queries that wait for a message to their provider.",
    registry=None,
    multiprocess_mode="livesum",
)
_COUNTED: Final[tuple[MetricWrapperBase, ...]] = (
    *(_REQUESTS, _REQUEST_S, _EXCHANGES, _EXCHANGE_S, _ROWS, _BYTES),
    LANE_WAITING,
)


@dataclass(frozen=True, slots=True)
class Reading:
    """One number that is looked at. Two of one name have the same labels."""

    name: str  # "hutong_outbox_messages"
    value: float
    said: str  # what it is, one sentence
    labels: dict[str, str] = field(default_factory=dict)


class Counts(Protocol):
    """What is counted of a receipt."""

    @property
    def role(self) -> str: ...
    @property
    def outcome(self) -> str: ...
    @property
    def form(self) -> str: ...
    @property
    def agreement(self) -> str: ...
    @property
    def rows(self) -> int: ...
    @property
    def bytes(self) -> int: ...


class Line(Protocol):
    """A line of the register, as far as it is counted."""

    @property
    def receipt(self) -> Counts: ...
    @property
    def took_ms(self) -> int: ...


Reader = Callable[[Settings], Iterable[Reading]]
_readers: list[tuple[str, Reader]] = []
_class_of: list[Callable[[str], str]] = []
_classes: dict[str, str] = {}
_unknown: dict[str, float] = {}  # agreements that were not held: time.monotonic() until which nobody looks again


def add(name: str, reader: Reader) -> None:
    """Have every scrape read these numbers too. Called in a thread; one that breaks does not hide the others."""
    _readers.append((name, reader))


def classify(class_of: Callable[[str], str]) -> None:
    """Say how the class of an agreement is found, by its id: one of a closed list, "" where it is not held here."""
    _class_of.append(class_of)


def door(path: str) -> str:
    """The door an address belongs to; a person's page where it is none."""
    for beginning, name in DOORS.items():
        if path.startswith(beginning):
            return name
    return PAGES


def count_request(name: str, status: int, took_s: float) -> None:
    """One request at a door; status 0 when it was never answered. On the event loop; told within FLUSH_AFTER_S."""
    _tally.take(name, status, took_s)


def flush() -> None:
    """Tell what was counted. On the event loop."""
    _tally.flush()


def count_exchanges(lines: Iterable[Line]) -> None:
    """Lines that have just become durable."""
    outcomes: dict[tuple[str, str, str, str], int] = {}
    times: dict[tuple[str, int], int] = {}
    served: dict[str, list[int]] = {}
    for line in lines:
        one = line.receipt
        key = (one.role, one.outcome, one.form, one.agreement)
        outcomes[key] = outcomes.get(key, 0) + 1
        if one.outcome == "open":
            continue
        timed = (one.role, line.took_ms)
        times[timed] = times.get(timed, 0) + 1
        if one.outcome == "served":
            sums = served.setdefault(one.role, [0, 0])
            sums[0] += one.rows
            sums[1] += one.bytes
    for (role, outcome, form, agreement), count in outcomes.items():
        kind = _classes.get(agreement) or _look_up(agreement)
        _EXCHANGES.labels(role, outcome, form, kind).inc(count)
    for (role, took_ms), count in times.items():
        _observe(_EXCHANGE_S.labels(role), bisect_left(QUICK_S, took_ms / 1000), count, count * took_ms / 1000)
    for role, (rows, size) in served.items():
        _ROWS.labels(role).inc(rows)
        _BYTES.labels(role).inc(size)


def document(settings: Settings) -> bytes:
    """Everything, in Prometheus' text form. From a thread: it reads the database."""
    registry = CollectorRegistry()
    if os.environ.get("PROMETHEUS_MULTIPROC_DIR"):
        MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
    else:
        for counted in _COUNTED:
            registry.register(counted)
    registry.register(_Readings(settings))
    return generate_latest(registry)


def readings(settings: Settings) -> Iterator[Reading]:
    """What is looked at, from every reader, and which of them broke."""
    parts.load()
    for name, reader in _readers:
        broke = 0
        # The edge: a number that cannot be had is said to be missing, and the others are shown.
        try:
            yield from reader(settings)
        except Exception as error:
            log.warning("metrics: %s cannot be read: %s", name, type(error).__name__)
            broke = 1
        yield Reading("hutong_reading_failed", broke, "1 where numbers could not be read.", {"reader": name})


class _Readings(Collector):
    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    def collect(self) -> Iterator[GaugeMetricFamily]:
        families: dict[str, GaugeMetricFamily] = {}
        for one in readings(self._settings):
            family = families.get(one.name)
            if family is None:
                names: Sequence[str] = tuple(one.labels)
                family = families[one.name] = GaugeMetricFamily(one.name, one.said, labels=names)
            family.add_metric(list(one.labels.values()), one.value)
        yield from families.values()


def _look_up(agreement: str) -> str:
    if _unknown.get(agreement, 0.0) > time.monotonic():
        return UNKNOWN_CLASS
    # The edge: a class that cannot be found costs a label, never an exchange.
    try:
        parts.load()
        found = next((name for class_of in _class_of if (name := class_of(agreement))), UNKNOWN_CLASS)
    except Exception:
        found = UNKNOWN_CLASS
    if len(_classes) + len(_unknown) >= MOST_CLASSES_KNOWN:
        _classes.clear()
        _unknown.clear()
    if found == UNKNOWN_CLASS:
        _unknown[agreement] = time.monotonic() + LOOK_AGAIN_AFTER_S
    else:
        _classes[agreement] = found
    return found


class _Tally:
    """Requests since they were last told. Telling costs far more than counting, so it is done for many at once."""

    def __init__(self) -> None:
        self._requests: dict[tuple[str, int], int] = {}
        self._times: dict[tuple[str, int], int] = {}
        self._took_s: dict[str, float] = {}
        self._due = False

    def take(self, name: str, status: int, took_s: float) -> None:
        kind, timed = (name, status // 100), (name, bisect_left(QUICK_S, took_s))
        self._requests[kind] = self._requests.get(kind, 0) + 1
        self._times[timed] = self._times.get(timed, 0) + 1
        self._took_s[name] = self._took_s.get(name, 0.0) + took_s
        if not self._due:
            self._due = True
            try:
                asyncio.get_running_loop().call_later(FLUSH_AFTER_S, self.flush)
            except RuntimeError:  # no loop: a test, a command
                self.flush()

    def flush(self) -> None:
        requests, times, took_s = self._requests, self._times, self._took_s
        self._requests, self._times, self._took_s, self._due = {}, {}, {}, False
        for (name, hundreds), count in requests.items():
            _REQUESTS.labels(name, STATUSES[hundreds - 1]).inc(count)
        for (name, bucket), count in times.items():
            _observe(_REQUEST_S.labels(name), bucket, count, took_s.pop(name, 0.0))


_tally = _Tally()


def _observe(histogram: Histogram, bucket: int, count: int, sum_s: float) -> None:
    """Many observations of one bucket at once: the library takes them one by one."""
    histogram._sum.inc(sum_s)
    histogram._buckets[bucket].inc(count)


class Waiting:
    """One queue's share of the queries that wait: told in whole numbers, counted together with the others'."""

    _lock = threading.Lock()

    def __init__(self) -> None:
        self._told = 0

    def tell(self, waiting: int) -> None:
        if waiting != self._told:
            with self._lock:
                LANE_WAITING.inc(waiting - self._told)
            self._told = waiting
