"""The use register and its evidence, written by one thread: what leaves this node is on disk before it leaves.

Every door hands its lines here and waits. The thread takes all that wait, and commits them in one transaction:
ledger entries, register rows, counters and the nonces of the signed requests. So a thousand queries share one
fsync (group commit), and a crash leaves either all of a line or nothing of it. Raw SQL on Django's connection, the
same statements on SQLite and PostgreSQL.
"""

from __future__ import annotations

import asyncio
import logging
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any, Protocol
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db import DatabaseError, IntegrityError, connections, transaction

from hutong.exchange.database import moment, select_in
from hutong.exchange.withheld import NOTHING_KEPT
from hutong.ledger.receipt import Receipt
from hutong.ledger.record import enter
from hutong.ledger.table import Table
from hutong.node import metrics
from hutong.node.replay import Replayed
from hutong.vocabulary.canonical import digest
from hutong.vocabulary.errors import Refused, Unavailable

LINES_PER_GROUP = 4_096  # bounds a transaction's size, and so how long a second writer waits for its turn
ATTEMPTS = 4  # a group that another worker collided with, or whose connection broke, is written again
REPEAT_WINDOW = timedelta(hours=1)  # how long the same exchange id may be asked again without counting; owner: the wire

log = logging.getLogger(__name__)


class ExchangeReused(Refused):
    """The exchange id {exchange} was already used for another query, or too long ago."""

    zh = "交换编号 {exchange} 已用于其他查询，或使用时间过久。"
    code = "exchange_reused"
    status = 409
    next_en = "Give each exchange an id of its own."
    next_zh = "请为每次交换使用新的编号。"


class Beside(Protocol):
    """What becomes durable in the commit of a line, beside it."""

    def write(self, cursor: Any, receipt: Receipt, at: Any) -> None:
        """raises   Refused, then nothing was written; the line's job is refused with it"""


class Line:
    """One exchange as it stands now, in the role we play.

    application, case_number   consumer's side only; the case number is never in the receipt
    age_s                      how old the source's data was, provider's side, where the source can tell
    calls                      what it counts in a quota of calls: a batch counts each of its keys
    once                       where the exchange stands so already, the line adds nothing: a further piece
    entry, entry_digest        the ledger entry's bytes, and their digest; of a line that added nothing, the one there
    """

    __slots__ = (
        "age_s",
        "application",
        "calls",
        "case_number",
        "entry",
        "entry_digest",
        "keeping",
        "once",
        "receipt",
        "took_ms",
    )

    def __init__(
        self,
        receipt: Receipt,
        took_ms: int = 0,
        *,
        application: str = "",
        case_number: str = "",
        keeping: Beside = NOTHING_KEPT,
        calls: int = 1,
        once: bool = False,
        age_s: int | None = None,
    ) -> None:
        self.receipt = receipt
        self.took_ms = took_ms
        self.calls = calls
        self.once = once
        self.application = application
        self.case_number = case_number
        self.age_s = age_s
        self.keeping = keeping  # rows that stay behind, a batch of changes; mostly nothing
        self.entry = receipt.to_entry()
        self.entry_digest = digest(self.entry)


@dataclass(slots=True, eq=False)
class Job:
    """Lines that are committed together or not at all."""

    lines: Sequence[Line]
    nonce: tuple[str, str] | None = None  # (key id, nonce) of the signed request, provider's side
    done: Callable[[], None] = lambda: None  # called in the writer's thread, after the commit or the refusal
    refusal: Refused | None = None
    loop: asyncio.AbstractEventLoop | None = None


@dataclass(slots=True)
class _Known:
    """What the register already holds of one exchange and role."""

    outcome: str
    request: str
    rows: int
    at: datetime
    entry_digest: str


@dataclass(slots=True)
class _Counts:
    calls: int = 0
    refused: int = 0
    rows: int = 0


@dataclass(slots=True)
class _Group:
    """What one transaction will write."""

    entries: list[tuple[str, bytes]] = field(default_factory=list)  # kind, leaf
    added: list[tuple[Any, ...]] = field(default_factory=list)
    changed: list[tuple[Any, ...]] = field(default_factory=list)
    nonces: list[tuple[Any, ...]] = field(default_factory=list)
    counts: dict[str, _Counts] = field(default_factory=dict)


class Register:
    """One writer thread per process. Start it once; `commit` waits until the lines are durable."""

    def __init__(self, clock: Callable[[], float] = time.time) -> None:
        self._clock = clock
        self._waiting: deque[Job] = deque()
        self._wake = threading.Condition()
        self._stopping = False
        self._thread: threading.Thread | None = None
        self._zone = ZoneInfo(settings.TIME_ZONE)

    def start(self) -> None:
        with self._wake:
            if self._thread is None:
                self._stopping = False
                self._thread = threading.Thread(target=self._run, name="hutong-register", daemon=True)
                self._thread.start()

    def stop(self) -> None:
        """Write what waits, then end the thread."""
        with self._wake:
            self._stopping = True
            self._wake.notify()
        if self._thread is not None:
            self._thread.join()
            self._thread = None

    def submit(self, job: Job) -> None:
        """Queue a job from any thread; `job.done` is called when it is durable, or refused (job.refusal)."""
        with self._wake:
            self._waiting.append(job)
            self._wake.notify()

    async def commit(self, lines: Sequence[Line], nonce: tuple[str, str] | None = None) -> None:
        """raises Replayed, ExchangeReused, Unavailable; then nothing of the lines was written"""
        loop = asyncio.get_running_loop()
        durable = loop.create_future()

        def settle() -> None:
            if not durable.done():
                durable.set_result(None)

        job = Job(lines, nonce, settle, loop=loop)
        self.submit(job)
        await asyncio.shield(durable)
        if job.refusal is not None:
            raise job.refusal

    def commit_now(self, lines: Sequence[Line]) -> None:
        """The same for a caller that may block: commands and recovery."""
        durable = threading.Event()
        job = Job(lines, done=durable.set)
        self.submit(job)
        durable.wait()
        if job.refusal is not None:
            raise job.refusal

    def today(self) -> date:
        """The calendar day that daily quotas are counted by."""
        return datetime.fromtimestamp(self._clock(), self._zone).date()

    def _run(self) -> None:
        while jobs := self._next_group():
            self._write(jobs)
            _tell(jobs)
            metrics.count_exchanges(line for job in jobs if job.refusal is None for line in job.lines)
        connections.close_all()

    def _next_group(self) -> list[Job]:
        """Everything that waits, up to a group's size; empty when stopped."""
        with self._wake:
            while not self._waiting and not self._stopping:
                self._wake.wait()
            jobs, lines = [], 0
            while self._waiting and lines < LINES_PER_GROUP:
                jobs.append(self._waiting.popleft())
                lines += len(jobs[-1].lines)
            return jobs

    def _write(self, jobs: list[Job]) -> None:
        """Commit the group; a job that may not be written is refused alone, the others are written."""
        for attempt in range(1, ATTEMPTS + 1):
            try:
                with transaction.atomic():
                    self._write_once(jobs)
                return
            except IntegrityError:
                # Another worker wrote the same exchange or nonce between our look and our insert. Look again.
                log.info("register: collided with another worker, attempt %d", attempt)
            except DatabaseError as error:
                log.warning("register: %s, attempt %d", type(error).__name__, attempt)
                connections["default"].close()
                time.sleep(0.05 * attempt)
            except Exception:
                # Fail closed: whoever waits is refused, and nothing leaves that is not on record.
                log.exception("register: a group could not be written")
                break
        for job in jobs:
            job.refusal = Unavailable(what="the use register")

    def _write_once(self, jobs: list[Job]) -> None:
        connection = connections["default"]
        now = datetime.fromtimestamp(self._clock(), UTC)
        with connection.cursor() as cursor:
            used = _used_nonces(cursor, jobs)
            known = _known_exchanges(cursor, jobs)
            group = _Group()
            for job in jobs:
                job.refusal = _refuse_job(job, used, known, now)
                if job.refusal is None:
                    job.refusal = _keep(cursor, job, connection.ops.adapt_datetimefield_value(now))
                if job.refusal is None:
                    _gather(job, known, group, now, connection.ops.adapt_datetimefield_value)
            _NONCES.insert(cursor, group.nonces)
            _RECORDS.insert(cursor, group.added)
            enter(group.entries)
            if group.changed:
                cursor.executemany(_UPDATE_RECORD, group.changed)
            self._count(cursor, group.counts)

    def _count(self, cursor: Any, counts: dict[str, _Counts]) -> None:
        day = self.today()
        # In one order always, so that two workers cannot wait for each other's rows.
        for agreement, count in sorted(counts.items()):
            cursor.execute(_COUNT_DAY, (agreement, str(day), count.calls, count.refused, count.rows))
            if count.calls or count.rows:
                cursor.execute(_COUNT_GRANT, (count.calls, count.rows, agreement))


_NONCES = Table("seen_nonce", ("keyid", "nonce", "seen_at"))
_RECORDS = Table(
    "exchange_record",
    (
        "exchange_id",
        "role",
        "peer",
        "agreement_id",
        "purpose",
        "case_digest",
        "case_number",
        "application",
        "outcome",
        "code",
        "form",
        "rows",
        "bytes",
        "request_digest",
        "response_digest",
        "entry_digest",
        "at",
        "took_ms",
        "age_s",
    ),
)
_UPDATE_RECORD = (
    'UPDATE exchange_record SET outcome = %s, code = %s, "rows" = %s, "bytes" = %s, response_digest = %s,'
    " entry_digest = %s, took_ms = %s WHERE exchange_id = %s AND role = %s"
)
_COUNT_DAY = (
    'INSERT INTO exchange_daily_use (agreement_id, day, calls, refused, "rows") VALUES (%s, %s, %s, %s, %s)'
    " ON CONFLICT (agreement_id, day) DO UPDATE SET calls = exchange_daily_use.calls + excluded.calls,"
    ' refused = exchange_daily_use.refused + excluded.refused, "rows" = exchange_daily_use."rows" + excluded."rows"'
)
_COUNT_GRANT = (
    "UPDATE exchange_grant SET calls_used = calls_used + %s, rows_used = rows_used + %s WHERE agreement_id = %s"
)


def _used_nonces(cursor: Any, jobs: list[Job]) -> set[tuple[Any, ...]]:
    nonces = [job.nonce[1] for job in jobs if job.nonce]
    return set(select_in(cursor, "SELECT keyid, nonce FROM seen_nonce WHERE nonce IN", nonces))


def _known_exchanges(cursor: Any, jobs: list[Job]) -> dict[tuple[str, str], _Known]:
    exchanges = [line.receipt.exchange for job in jobs for line in job.lines]
    found = select_in(
        cursor,
        'SELECT exchange_id, role, outcome, request_digest, "rows", at, entry_digest FROM exchange_record'
        " WHERE exchange_id IN",
        exchanges,
    )
    return {(row[0], row[1]): _Known(row[2], row[3], row[4], moment(row[5]), row[6]) for row in found}


def _refuse_job(
    job: Job, used: set[tuple[Any, ...]], known: dict[tuple[str, str], _Known], now: datetime
) -> Refused | None:
    """A replayed request, or an exchange id that stands for something else already."""
    if job.nonce is not None:
        if job.nonce in used:
            return Replayed()
        used.add(job.nonce)
    for line in job.lines:
        before = known.get((line.receipt.exchange, line.receipt.role))
        if before is None or line.receipt.role != "provider":
            continue
        if line.once and before.request == line.receipt.request:
            continue
        asked_again = before.outcome in ("served", "cut") and now - before.at > REPEAT_WINDOW
        if before.request != line.receipt.request or asked_again:
            return ExchangeReused(exchange=line.receipt.exchange)
    return None


def _keep(cursor: Any, job: Job, at: Any) -> Refused | None:
    """Write what stands beside the lines."""
    try:
        for line in job.lines:
            if line.receipt.withheld or line.keeping is not NOTHING_KEPT:
                line.keeping.write(cursor, line.receipt, at)
    except Refused as refused:
        return refused
    return None


def _gather(
    job: Job,
    known: dict[tuple[str, str], _Known],
    group: _Group,
    now: datetime,
    adapt: Callable[[datetime], Any],
) -> None:
    written_at = adapt(now)
    if job.nonce is not None:
        group.nonces.append((*job.nonce, written_at))
    for line in job.lines:
        receipt = line.receipt
        before = known.get((receipt.exchange, receipt.role))
        if before is not None and receipt.outcome == "recovered" and before.outcome not in ("open", "cut"):
            continue  # it was not lost after all
        if line.once and before is not None and before.outcome == receipt.outcome:
            line.entry_digest = before.entry_digest
            continue
        group.entries.append(("exchange", line.entry))
        rows = max(receipt.rows, before.rows) if before is not None and receipt.outcome == "open" else receipt.rows
        if before is None:
            group.added.append(_record(line, written_at))
        else:
            group.changed.append(_change(line, rows))
        if receipt.role == "provider":
            _add(group.counts.setdefault(receipt.agreement, _Counts()), line, rows, before)
        known[receipt.exchange, receipt.role] = _Known(
            receipt.outcome, receipt.request, rows, before.at if before is not None else now, line.entry_digest
        )


def _add(counts: _Counts, line: Line, rows: int, before: _Known | None) -> None:
    """A repeat counts no second call, and only the rows it has beyond those already counted."""
    if line.receipt.outcome == "refused":
        counts.refused += 1 if before is None else 0
        return
    counts.calls += line.calls if before is None or before.outcome == "refused" else 0
    counts.rows += max(0, rows - (before.rows if before is not None else 0))


def _record(line: Line, at: Any) -> tuple[Any, ...]:
    one = line.receipt
    peer = one.consumer if one.role == "provider" else one.provider
    return (
        one.exchange,
        one.role,
        peer,
        one.agreement,
        one.purpose,
        one.case,
        line.case_number,
        line.application,
        one.outcome,
        one.code,
        one.form,
        one.rows,
        one.bytes,
        one.request,
        one.response,
        line.entry_digest,
        at,
        line.took_ms,
        line.age_s,
    )


def _change(line: Line, rows: int) -> tuple[Any, ...]:
    one = line.receipt
    return (
        one.outcome,
        one.code,
        rows,
        one.bytes,
        one.response,
        line.entry_digest,
        line.took_ms,
        one.exchange,
        one.role,
    )


def _tell(jobs: list[Job]) -> None:
    """Wake whoever waits: once per event loop, not once per job."""
    by_loop: dict[asyncio.AbstractEventLoop | None, list[Job]] = {}
    for job in jobs:
        by_loop.setdefault(job.loop, []).append(job)
    for loop, told in by_loop.items():
        if loop is None:
            _call_done(told)
        elif not loop.is_closed():
            loop.call_soon_threadsafe(_call_done, told)


def _call_done(jobs: list[Job]) -> None:
    for job in jobs:
        job.done()
