"""What a node counts, for Prometheus: GET /metrics with the operator's token.

Labels are closed lists (doors, outcomes, forms, classes of agreements), or members of the directory. Never a case
number, a key, an agreement or a value. A server with several workers counts in files that they share
(PROMETHEUS_MULTIPROC_DIR, which server.py sets): any worker answers for all. What is not counted but looked at, such
as queues and clocks, is read from the database when it is asked for; parts above the node add their readers.
"""

from __future__ import annotations

import logging
import os
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Final

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


@dataclass(frozen=True, slots=True)
class Exchanged:
    """One line of the register, as it is counted."""

    role: str
    outcome: str
    form: str
    agreement: str
    took_ms: int
    rows: int
    bytes: int


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
    """One request at a door; status 0 when it was never answered."""
    _requests(name, status // 100).inc()
    _request_s(name).observe(took_s)


def count_exchanges(lines: Iterable[Exchanged]) -> None:
    """Lines that have just become durable."""
    counts: dict[tuple[str, str, str, str], int] = {}
    served: dict[str, tuple[int, int]] = {}
    for one in lines:
        labels = (one.role, one.outcome, one.form, _classes.get(one.agreement) or _look_up(one.agreement))
        counts[labels] = counts.get(labels, 0) + 1
        if one.outcome == "open":
            continue
        _exchange_s(one.role).observe(one.took_ms / 1000)
        if one.outcome == "served":
            rows, size = served.get(one.role, (0, 0))
            served[one.role] = (rows + one.rows, size + one.bytes)
    for labels, count in counts.items():
        _EXCHANGES.labels(*labels).inc(count)
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


# `labels()` takes a lock and a lookup by text for each call: a third of what counting costs.
@lru_cache(maxsize=256)
def _requests(name: str, hundreds: int) -> Counter:
    return _REQUESTS.labels(name, STATUSES[hundreds - 1])


@lru_cache(maxsize=64)
def _request_s(name: str) -> Histogram:
    return _REQUEST_S.labels(name)


@lru_cache(maxsize=8)
def _exchange_s(role: str) -> Histogram:
    return _EXCHANGE_S.labels(role)


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
