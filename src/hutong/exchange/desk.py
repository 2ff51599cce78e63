"""The provider's decisions on one message of queries: who asks, what may leave, the rows, the evidence. No network.

Runs in a worker thread; the door (provider.py) commits the lines it returns before a byte of the answer leaves.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import orjson

from hutong.exchange.batch import batch_body, batch_rows
from hutong.exchange.converted import conversion, read_converted
from hutong.exchange.downloads import Download
from hutong.exchange.grants.book import Book, Opened
from hutong.exchange.grants.rate import Rates
from hutong.exchange.grants.rules import Allowed, NoGrant, Standing, check, rows_spent
from hutong.exchange.query import QUERIES_PER_MESSAGE, ROWS_PER_ANSWER, BadQuery, Query, complete, envelope
from hutong.exchange.records import Rows, json_rows_of, lookup_rows, read_rows
from hutong.exchange.register import Line, Register
from hutong.exchange.shaping.converting import Withheld
from hutong.exchange.wire import Answer
from hutong.exchange.withheld import NOTHING_KEPT, Keeping, Kept, Replay, begin_replay
from hutong.ledger.receipt import Receipt
from hutong.node.signatures import Verified
from hutong.vocabulary.canonical import digest
from hutong.vocabulary.errors import Refused, Unavailable
from hutong.vocabulary.moments import rfc3339

BYTES_PER_ANSWER = 2 * 1024 * 1024  # of an answer that is not a stream; owner: the wire
BYTES_PER_BATCH = 16 * 1024 * 1024  # of the answer to many keys; owner: the wire
BYTES_PER_MESSAGE = 32 * 1024 * 1024  # of all answers in one message; owner: the wire

log = logging.getLogger(__name__)


class TooManyRows(Refused):
    """The answer has more than {limit} rows."""

    zh = "结果超过 {limit} 行。"
    code = "too_many_rows"
    status = 413
    next_en = "Give a limit, or read it as a stream: Arrow, Parquet or CSV."
    next_zh = "请指定行数上限，或以流方式读取（Arrow、Parquet 或 CSV）。"


class AnswerTooLarge(Refused):
    """The answer has more than {limit} bytes."""

    zh = "结果超过 {limit} 字节。"
    code = "answer_too_large"
    status = 413
    next_en = "Ask for fewer rows or items, or read it as a stream: Arrow, Parquet or CSV."
    next_zh = "请减少行数或信息项，或以流方式读取（Arrow、Parquet 或 CSV）。"


@dataclass(slots=True)
class Reserved:
    """What was promised under an agreement and is not yet counted in the database."""

    calls: int = 0
    rows: int = 0


@dataclass(slots=True)
class Case:
    """One query on its way through."""

    query: Query
    opened: Opened | None = None
    allowed: Allowed | None = None
    refused: Refused | None = None
    rows: int = 0
    body: bytes = b""
    withheld: Withheld | None = None  # rows that stayed behind, where the grant converts codes
    replay: Replay | None = None


@dataclass(slots=True)
class Outcome:
    """What a message comes to. `settled` MUST be called once, when the lines are committed or given up."""

    answers: list[Answer]
    lines: list[Line]
    settled: Callable[[], None]


@dataclass(slots=True)
class Admitted:
    """A stream that may begin."""

    query: Query
    opened: Opened
    allowed: Allowed
    settled: Callable[[], None] = field(default=lambda: None)
    replay: Replay | None = None
    withheld: Withheld | None = None  # filled while the stream runs

    def keeping(self) -> Keeping:
        """What the closing line does to the withheld rows."""
        if self.replay is not None:
            return Keeping(replay=self.replay)
        if self.withheld is not None and self.withheld.rows:
            return Keeping(sealed=Kept.of(self.query, self.withheld).sealed())
        return NOTHING_KEPT


class Desk:
    """One per process. Threads share it; the lock covers quotas and rates, nothing that reads data."""

    def __init__(self, register: Register, jurisdiction: str) -> None:
        self.jurisdiction = jurisdiction
        self._register = register
        self._book = Book()
        self._rates = Rates()
        self._reserved: dict[str, Reserved] = {}
        self._lock = threading.Lock()

    def answer(self, verified: Verified, body: bytes) -> Outcome:
        """Answer every query of a message; a refused one does not disturb the others.

        raises   BadQuery when the message itself cannot be read, Unavailable
        """
        began = time.perf_counter()
        cases = [self._case(one) for one in _queries(body)]
        opened = self._book.open({case.query.agreement for case in cases}, self._register.today())
        now = datetime.now(UTC)
        for case in cases:
            if case.refused is None and case.query.replay:
                case.refused = BadQuery(reason="a replay is read as a stream", reason_zh="补发应以流方式读取")
            if case.refused is None and case.query.edition is not None:
                case.refused = BadQuery(reason="an edition is read as files", reason_zh="版本应以文件方式读取")
            if case.refused is None:
                self._decide(case, opened.get(case.query.agreement), verified.jurisdiction, now)
        self._fetch([case for case in cases if case.refused is None])
        self._keep_small(cases)
        at = rfc3339(now)
        took_ms = int((time.perf_counter() - began) * 1000)
        lines = [
            Line(
                self._receipt(case, verified.jurisdiction, at),
                took_ms,
                keeping=_keeping(case),
                calls=case.query.calls,
                age_s=self.age_s(case.opened),
            )
            for case in cases
        ]
        answers = [_answer(case, line) for case, line in zip(cases, lines, strict=True)]
        return Outcome(answers, lines, lambda: self._release(cases))

    def admit(self, verified: Verified, document: Any, form: str) -> Admitted | tuple[Line, Refused]:
        """Decide on a stream.

        returns  what to read, or the line and the refusal to record and send
        raises   BadQuery when the message cannot be read, Unavailable
        """
        case = self._case(document)
        opened = self._book.open({case.query.agreement}, self._register.today())
        now = datetime.now(UTC)
        if case.refused is None:
            self._decide(case, opened.get(case.query.agreement), verified.jurisdiction, now)
        if case.refused is not None:
            receipt = self._receipt(case, verified.jurisdiction, rfc3339(now), form)
            return Line(receipt), case.refused
        if case.opened is None or case.allowed is None:
            raise Unavailable(what="the grant")
        return Admitted(case.query, case.opened, case.allowed, lambda: self._release([case]), case.replay)

    def begin_files(self, query: Query, consumer: str, files: Download, *, new: bool) -> Admitted:
        """Decide once more, as a piece of files leaves; when it is the first, the exchange counts from here on.

        raises   what an answer would be refused with
        """
        opened = self._book.open({query.agreement}, self._register.today()).get(query.agreement)
        if opened is None:
            raise NoGrant(agreement=query.agreement)
        case = Case(query)
        with self._lock:
            reserved = self._reserved.setdefault(query.agreement, Reserved())
            standing = _with(opened.standing, reserved)
            allowed = check(opened.grant, standing, query, consumer, datetime.now(UTC), counted=new)
            if new and allowed.rows_left is not None and files.agreed > allowed.rows_left:
                raise rows_spent(opened.grant, standing.rows_used)
            if new:
                reserved.calls += query.calls
                reserved.rows += files.rows
                case.opened, case.rows = opened, files.rows
        return Admitted(query, opened, allowed, lambda: self._release([case]))

    def stream_receipt(self, admitted: Admitted, consumer: str, form: str, **counts: Any) -> Receipt:
        """The receipt of a stream as it stands: open, served or cut."""
        return Receipt(**self._common(admitted.query, consumer, rfc3339(datetime.now(UTC))), form=form, **counts)

    def age_s(self, opened: Opened | None) -> int | None:
        """How old the data is that a query is served from."""
        return None if opened is None else self._book.age_s(opened)

    def rows_refusal(self, admitted: Admitted) -> Refused:
        return rows_spent(admitted.opened.grant, admitted.opened.standing.rows_used)

    def _case(self, document: Any) -> Case:
        query = envelope(document)
        try:
            return Case(complete(query, document))
        except Refused as refused:
            return Case(query, refused=refused)

    def _decide(self, case: Case, opened: Opened | None, consumer: str, now: datetime) -> None:
        """Check a query against its grant as it stands, counting what is promised but not yet written."""
        agreement = case.query.agreement
        try:
            if opened is None:
                raise NoGrant(agreement=agreement)
            if case.query.replay and opened.grant.consumer == consumer:
                case.replay = begin_replay(case.query, opened.terms.codes)
            with self._lock:
                reserved = self._reserved.setdefault(agreement, Reserved())
                standing = _with(opened.standing, reserved)
                case.allowed = check(opened.grant, standing, case.query, consumer, now)
                self._rates.take(opened.grant, time.monotonic())
                reserved.calls += case.query.calls
                case.opened = opened
        except Refused as refused:
            case.refused = refused

    def _fetch(self, cases: Sequence[Case]) -> None:
        """Read the rows. Lookups of the same items under one agreement are one read of the source."""
        together: dict[tuple[Any, ...], list[Case]] = {}
        for case in cases:
            query = case.query
            if query.key is not None and query.where is None and not _converts(case) and not _of_its_own(case):
                together.setdefault((query.agreement, query.items, query.key.item), []).append(case)
            else:
                together[(query.exchange,)] = [case]
        for alike in together.values():
            self._fetch_group(alike)

    def _fetch_group(self, alike: Sequence[Case]) -> None:
        try:
            self._fetch_alike(alike)
        except Refused as refused:
            if len(alike) > 1:
                # One key of the wrong type, or with too many rows, must not cost the others their answer.
                for case in alike:
                    self._fetch_group([case])
                return
            self._give_up(alike[0], refused)
        except Exception as error:
            # Fail closed, and say nothing of the error outside: engines put cell values into their messages.
            log.error("exchange: a source failed with %s", type(error).__name__)
            for case in alike:
                self._give_up(case, Unavailable(what="the source"))

    def _fetch_alike(self, alike: Sequence[Case]) -> None:
        """Cases that ask for the same items by the same key, or a single case of any kind."""
        first = alike[0]
        if first.opened is None or first.allowed is None:
            raise Unavailable(what="the grant")
        if (many := first.query.keys) is not None:
            answers, first.withheld = batch_rows(first.opened, first.allowed, first.query, many)
            self._accept(first, sum(map(len, answers)), batch_body(many, answers), BYTES_PER_BATCH)
            return
        if first.opened.terms.codes:
            converting = conversion(first.opened, first.allowed, first.query)
            table, first.withheld = read_converted(converting, first.query, ROWS_PER_ANSWER + 1)
            self._take(first, json_rows_of(table))
            return
        if first.query.key is None or first.query.where is not None:
            self._take(first, read_rows(first.opened, first.allowed, first.query, ROWS_PER_ANSWER + 1))
            return
        keys = [case.query.key for case in alike if case.query.key is not None]
        found = lookup_rows(first.opened, first.allowed, first.query.key.item, [key.value for key in keys])
        for case, key in zip(alike, keys, strict=True):
            self._take(case, found.get((type(key.value), key.value), []))

    def _take(self, case: Case, rows: Rows) -> None:
        """Accept a case's rows, unless they are too many or more than its quota has left."""
        limit = case.query.limit
        if limit is not None and limit <= ROWS_PER_ANSWER:
            rows = rows[:limit]
        if len(rows) > ROWS_PER_ANSWER:
            return self._give_up(case, TooManyRows(limit=ROWS_PER_ANSWER))
        return self._accept(case, len(rows), b"[" + b",".join(rows) + b"]", BYTES_PER_ANSWER)

    def _accept(self, case: Case, rows: int, body: bytes, most_bytes: int) -> None:
        if len(body) > most_bytes:
            return self._give_up(case, AnswerTooLarge(limit=most_bytes))
        if case.opened is None or case.allowed is None:
            raise Unavailable(what="the grant")
        quota = case.opened.grant.quota_rows
        with self._lock:
            reserved = self._reserved[case.query.agreement]
            used = case.opened.standing.rows_used + reserved.rows
            fits = quota is None or used + rows <= quota
            if fits:
                reserved.rows += rows
                case.rows = rows
        if not fits:
            return self._give_up(case, rows_spent(case.opened.grant, used))
        case.body = body
        return None

    def _keep_small(self, cases: Sequence[Case]) -> None:
        """Give up answers beyond what one message may hold."""
        size = 0
        for case in cases:
            if size + len(case.body) > BYTES_PER_MESSAGE:
                self._give_up(case, AnswerTooLarge(limit=BYTES_PER_MESSAGE))
            size += len(case.body)

    def _give_up(self, case: Case, refused: Refused) -> None:
        self._release([case])
        case.refused, case.opened, case.rows, case.body, case.withheld = refused, None, 0, b"", None

    def _release(self, cases: Sequence[Case]) -> None:
        """What was promised is now counted in the database, or will not be."""
        with self._lock:
            for case in cases:
                if case.opened is None:
                    continue
                reserved = self._reserved[case.query.agreement]
                reserved.calls -= case.query.calls
                reserved.rows -= case.rows
                case.opened = None

    def _receipt(self, case: Case, consumer: str, at: str, form: str = "json") -> Receipt:
        refused = case.refused
        return Receipt(
            **self._common(case.query, consumer, at),
            response="" if refused else digest(case.body),
            rows=case.rows,
            bytes=len(case.body),
            outcome="refused" if refused else "served",
            code=refused.code if refused else "",
            form=form,
            withheld=case.withheld.rows if case.withheld is not None else {},
        )

    def _common(self, query: Query, consumer: str, at: str) -> Mapping[str, Any]:
        return {
            "role": "provider",
            "exchange": query.exchange,
            "at": at,
            "agreement": query.agreement,
            "provider": self.jurisdiction,
            "consumer": consumer,
            "purpose": query.purpose,
            "case": query.case,
            "request": query.digest,
        }


def _with(written: Standing, reserved: Reserved) -> Standing:
    """A standing with what is promised and not yet counted in it."""
    return Standing(
        written.state,
        written.calls_today + reserved.calls,
        written.calls_used + reserved.calls,
        written.rows_used + reserved.rows,
    )


def _queries(body: bytes) -> list[Any]:
    try:
        message = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise BadQuery(reason="the message is not JSON", reason_zh="消息不是 JSON") from error
    queries = message.get("queries") if isinstance(message, dict) else None
    if not isinstance(queries, list) or not 1 <= len(queries) <= QUERIES_PER_MESSAGE:
        raise BadQuery(
            reason=f"the message has no list of 1 to {QUERIES_PER_MESSAGE} queries",
            reason_zh=f"消息中没有含 1 至 {QUERIES_PER_MESSAGE} 个查询的列表",
        )
    exchanges = [one.get("exchange") for one in queries if isinstance(one, dict)]
    if len(set(map(str, exchanges))) != len(queries):
        raise BadQuery(reason="an exchange id stands twice in the message", reason_zh="消息中有重复的交换编号")
    return queries


def _answer(case: Case, line: Line) -> Answer:
    refused = case.refused
    return Answer(
        exchange=case.query.exchange,
        status=refused.status if refused else 200,
        rows=case.rows,
        body=case.body,
        digest=line.receipt.response,
        refusal=refused.problem() if refused else None,
        receipt=line.entry_digest,
        withheld=line.receipt.withheld,
    )


def _of_its_own(case: Case) -> bool:
    """Whether hashes in its answer must be those of no other answer."""
    items = case.allowed.items if case.allowed else ()
    return any(item.action == "sha256_query" for item in items)


def _converts(case: Case) -> bool:
    return case.opened is not None and bool(case.opened.terms.codes)


def _keeping(case: Case) -> Keeping:
    if case.withheld is None or not case.withheld.rows:
        return NOTHING_KEPT
    return Keeping(sealed=Kept.of(case.query, case.withheld).sealed())
