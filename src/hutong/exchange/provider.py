"""The door for other nodes: their queries and streams, and changes they send; signed both ways, on record first.

POST /exchange/events                a batch of changes, from the provider of a subscription of ours
POST /exchange/queries               up to 256 queries in one signed message, answered in one
POST /exchange/streams               one query; the head is signed, the body streams
GET  /exchange/receipts/<exchange>   the newest receipt of an exchange with the asking member
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import orjson

from hutong.exchange import formats
from hutong.exchange.asgi import (
    PROBLEM_TYPE,
    Receive,
    Scope,
    Send,
    headers_of,
    path_of,
    raw_headers,
    read_body,
    respond,
    respond_refusal,
    retry_after,
)
from hutong.exchange.converted import conversion, open_converted
from hutong.exchange.desk import Admitted, Desk
from hutong.exchange.outflow import Outflow
from hutong.exchange.query import FORMS, BadQuery
from hutong.exchange.records import open_rows, sowing
from hutong.exchange.register import Line, Register
from hutong.exchange.statements import place, receipt_of, receipts_after
from hutong.exchange.subscriptions import arriving
from hutong.exchange.subscriptions.feeds import HOOKING
from hutong.exchange.turns import Turns
from hutong.exchange.wire import ANSWERS_TYPE, pack
from hutong.node import telemetry, work
from hutong.node.keyring import KeyRing
from hutong.node.keys import SigningKey
from hutong.node.signatures import Verified, body_digest, sign_response, verify_request
from hutong.node.telemetry import Step
from hutong.vocabulary.errors import Refused, Unavailable, WrongMethod

LARGEST_MESSAGE = 4 * 1024 * 1024  # bytes of one message of queries; owner: the wire
MOST_STREAMS = 16  # at once in one process: each holds a thread, a cursor and a few megabytes
MOST_STREAMS_EACH = 10  # of one consumer
EXCHANGE_HEADER = "Hutong-Exchange"

log = logging.getLogger(__name__)


class TooManyStreams(Unavailable):
    """This node already serves {most} streams at once."""

    zh = "本节点同时提供的数据流已达 {most} 个。"
    code = "too_many_streams"
    retry_after_s = 5
    next_en = "Try again when one of them has ended."
    next_zh = "请在其中某个结束后重试。"


@dataclass(frozen=True, slots=True)
class Signed:
    """An answer ready to leave."""

    status: int
    headers: list[tuple[bytes, bytes]]
    body: bytes


class ProviderDoor:
    """One per process."""

    def __init__(self, ring: KeyRing, register: Register, desk: Desk, threads: ThreadPoolExecutor) -> None:
        self._ring = ring
        self._register = register
        self._desk = desk
        self._threads = threads
        self._base = ring.settings.exchange_url
        self._turns = Turns()
        self._streaming: Counter[str] = Counter()

    async def queries(self, scope: Scope, receive: Receive, send: Send) -> None:
        body = await self.body(scope, receive, "POST")
        headers = headers_of(scope)
        path = path_of(scope)
        verified = await self.verified(send, "POST", path, headers, body)
        if verified is None:
            return
        with telemetry.span("queries", kind="server", parent=verified.traceparent, peer=verified.jurisdiction) as step:
            await self._answer_all(send, verified, body, step)

    async def _answer_all(self, send: Send, verified: Verified, body: bytes, step: Step) -> None:
        loop = asyncio.get_running_loop()
        settled: Callable[[], None] | None = None
        try:
            with telemetry.span("answer"):
                async with self._turns.turn(verified.jurisdiction, len(body)):
                    outcome, signed = await loop.run_in_executor(self._threads, self._answer, verified, body)
            settled = outcome.settled
            step.note(queries=len(outcome.lines))
            with telemetry.span("put on record"):
                await self._register.commit(outcome.lines, (verified.keyid, verified.nonce))
        except Refused as refused:
            return await self.refuse(send, refused, verified)
        finally:
            if settled is not None:
                settled()
        await respond(send, signed.status, signed.headers, signed.body)
        return None

    async def streams(self, scope: Scope, receive: Receive, send: Send) -> None:
        body = await self.body(scope, receive, "POST")
        verified = await self.verified(send, "POST", path_of(scope), headers_of(scope), body)
        if verified is None:
            return None
        loop = asyncio.get_running_loop()
        nonce = (verified.keyid, verified.nonce)
        try:
            self._check_room(verified.jurisdiction)
            document, form = _stream_query(body)
            if document.get("edition") is not None:
                raise BadQuery(reason="an edition is read as files", reason_zh="版本应以文件方式读取")
            async with self._turns.turn(verified.jurisdiction, len(body)):
                admitted = await loop.run_in_executor(self._threads, self._desk.admit, verified, document, form)
            if isinstance(admitted, tuple):
                line, refusal = admitted
                await self._register.commit([line], nonce)
                return await self.refuse(send, refusal, verified, line)
        except Refused as refused:
            return await self.refuse(send, refused, verified)
        self._streaming[verified.jurisdiction] += 1
        known = {"peer": verified.jurisdiction, "exchange": admitted.query.exchange, "form": form}
        try:
            with telemetry.span("stream", kind="server", parent=verified.traceparent, **known):
                await self._stream(receive, send, _Stream(admitted, form, verified, nonce))
        finally:
            self._streaming[verified.jurisdiction] -= 1
        return None

    async def receipts(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One receipt by its exchange, or all after a place in our register, of exchanges with whoever asks."""
        path = path_of(scope)
        query = scope["query_string"].decode("latin-1")
        target = f"{path}?{query}" if query else path
        body = await self.body(scope, receive, "GET")
        verified = await self.verified(send, "GET", target, headers_of(scope), body)
        if verified is None:
            return None
        loop = asyncio.get_running_loop()
        try:
            await self._register.commit([], (verified.keyid, verified.nonce))
            if path == "/exchange/receipts":
                work = partial(receipts_after, place(query), verified.jurisdiction)
            else:
                work = partial(receipt_of, path.rpartition("/")[2], verified.jurisdiction)
            found = await loop.run_in_executor(self._threads, work)
        except Refused as refused:
            return await self.refuse(send, refused, verified)
        signed = self.sign(200, orjson.dumps(found), verified, "application/json")
        await respond(send, signed.status, signed.headers, signed.body)
        return None

    async def events(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Changes under a subscription: durable here before they are acknowledged."""
        body = await self.body(scope, receive, "POST", arriving.LARGEST_BATCH)
        verified = await self.verified(send, "POST", path_of(scope), headers_of(scope), body)
        if verified is None:
            return None
        loop = asyncio.get_running_loop()
        consumer = self._ring.settings.jurisdiction
        try:
            last, line = await loop.run_in_executor(self._threads, arriving.take, body, verified.jurisdiction, consumer)
            await self._register.commit([line] if line else [], (verified.keyid, verified.nonce))
        except Refused as refused:
            return await self.refuse(send, refused, verified)
        work.wake(HOOKING)
        signed = self.sign(200, orjson.dumps({"acknowledged": last}), verified, "application/json")
        await respond(send, signed.status, signed.headers, signed.body)
        return None

    def _check_room(self, consumer: str) -> None:
        """raises   TooManyStreams; one consumer never holds the room of all"""
        for held, most in ((self._streaming.total(), MOST_STREAMS), (self._streaming[consumer], MOST_STREAMS_EACH)):
            if held >= most:
                raise TooManyStreams(most=most)

    async def _stream(self, receive: Receive, send: Send, stream: _Stream) -> None:
        """Evidence first, then bytes, then the closing evidence, and only then the end of the stream."""
        began = time.perf_counter()
        outflow = await self._begin(send, stream, began)
        if outflow is None:
            return
        whole = False
        try:
            await send({"type": "http.response.start", "status": 200, "headers": self._stream_head(stream)})
            try:
                whole = await outflow.run(receive, send)
            finally:
                # Shielded: a cancelled request must still leave its closing line.
                await asyncio.shield(self._close(stream, outflow, began, whole))
        except Refused as refused:
            log.warning("exchange %s could not be closed: %s", stream.admitted.query.exchange, refused.code)
            return
        if whole:
            await send({"type": "http.response.body", "body": b"", "more_body": False})
        # Otherwise return without an end: the server breaks the connection, so nobody takes the part for the whole.

    async def _begin(self, send: Send, stream: _Stream, began: float) -> Outflow | None:
        """Open the source and put the opening line on record; None when that was refused, and said so."""
        loop = asyncio.get_running_loop()
        outflow: Outflow | None = None
        refusal: Refused | None = None
        try:
            outflow = await loop.run_in_executor(self._threads, self._open_outflow, stream)
        except Refused as refused:
            refusal = refused
        counts: dict[str, Any] = {"rows": 0, "bytes": 0, "response": "", "code": refusal.code if refusal else ""}
        line = self._stream_line(stream, began, outcome="refused" if refusal else "open", **counts)
        recorded: Line | None = None
        try:
            await self._register.commit([line], stream.nonce)
            recorded = line
        except Refused as refused:
            refusal = refused
        if refusal is None:
            return outflow
        if outflow is not None:
            outflow.close()
        stream.admitted.settled()
        await self.refuse(send, refusal, stream.verified, recorded)
        return None

    async def _close(self, stream: _Stream, outflow: Outflow, began: float, whole: bool) -> None:
        outflow.close()
        line = self._stream_line(
            stream,
            began,
            outcome="served" if whole else "cut",
            rows=outflow.rows,
            bytes=outflow.bytes,
            response=outflow.digest if whole else "",
            code=outflow.code,
            withheld=stream.admitted.withheld.rows if stream.admitted.withheld is not None else {},
        )
        if whole:
            line.keeping = stream.admitted.keeping()
        try:
            await self._register.commit([line])
        finally:
            stream.admitted.settled()

    def _stream_line(self, stream: _Stream, began: float, **counts: Any) -> Line:
        receipt = self._desk.stream_receipt(stream.admitted, stream.verified.jurisdiction, stream.form, **counts)
        took_ms = int((time.perf_counter() - began) * 1000)
        age_s = self._desk.age_s(stream.admitted.opened)
        return Line(receipt, took_ms, calls=stream.admitted.query.calls, age_s=age_s)

    def _open_outflow(self, stream: _Stream) -> Outflow:
        admitted = stream.admitted
        try:
            reader = _open_rows(admitted)
            further = sowing(admitted.opened, admitted.query, reader.schema)
        except Refused:
            raise
        except Exception as error:
            log.error("exchange: a source failed with %s", type(error).__name__)
            raise Unavailable(what="the source") from error
        return Outflow(
            reader,
            lambda counted: formats.encode(counted, stream.form),
            rows_left=admitted.allowed.rows_left,
            too_many=lambda: self._desk.rows_refusal(admitted),
            further=further,
        )

    def _stream_head(self, stream: _Stream) -> list[tuple[bytes, bytes]]:
        extra = {EXCHANGE_HEADER: stream.admitted.query.exchange}
        key, verified = self._ring.signing_key(), stream.verified
        headers = sign_response(200, None, verified.signature, key, time.time(), extra=extra)
        return [*raw_headers(headers), (b"content-type", formats.MEDIA_TYPES[stream.form].encode("ascii"))]

    def _answer(self, verified: Verified, body: bytes) -> Any:
        """In a worker thread: everything between the bytes that came and the bytes that leave."""
        outcome = self._desk.answer(verified, body)
        return outcome, self.sign(200, pack(outcome.answers), verified, ANSWERS_TYPE)

    def sign(self, status: int, body: bytes, verified: Verified, content_type: str) -> Signed:
        key = self._ring.signing_key()
        headers = sign_response(status, body_digest(body), verified.signature, key, time.time())
        return Signed(status, [*raw_headers(headers), (b"content-type", content_type.encode("ascii"))], body)

    async def refuse(self, send: Send, refused: Refused, verified: Verified, line: Line | None = None) -> None:
        signed = self.refusal(refused, verified, line)
        await respond(send, signed.status, signed.headers, signed.body)

    def refusal(self, refused: Refused, verified: Verified, line: Line | None = None) -> Signed:
        """A signed refusal; `line` is its line in our register, whose receipt the consumer then names in its own."""
        problem = refused.problem()
        if line is not None:
            problem |= {"exchange": line.receipt.exchange, "receipt": line.entry_digest}
        signed = self.sign(refused.status, orjson.dumps(problem), verified, PROBLEM_TYPE)
        return replace(signed, headers=[*signed.headers, *retry_after(problem)])

    def turn(self, consumer: str, size: int) -> AbstractAsyncContextManager[None]:
        """A turn at this door, whatever comes in by it. See Turns.turn."""
        return self._turns.turn(consumer, size)

    def key(self) -> SigningKey:
        return self._ring.signing_key()

    async def body(self, scope: Scope, receive: Receive, method: str, limit: int = LARGEST_MESSAGE) -> bytes:
        if scope["method"] != method:
            raise WrongMethod(allowed=method)
        return await read_body(receive, limit)

    async def verified(
        self, send: Send, method: str, path: str, headers: dict[str, str], body: bytes
    ) -> Verified | None:
        """Who signed this; a message nobody we know has signed is refused without a signature of ours."""
        try:
            return verify_request(
                method, self._base + path, headers, body_digest(body), keys=self._ring, now=time.time()
            )
        except Refused as refused:
            await respond_refusal(send, refused)
            return None


def _open_rows(admitted: Admitted) -> Any:
    if not admitted.opened.terms.codes:
        return open_rows(admitted.opened, admitted.allowed, admitted.query)
    converting = conversion(admitted.opened, admitted.allowed, admitted.query, admitted.replay)
    reader, admitted.withheld = open_converted(converting, admitted.query.limit)
    return reader


@dataclass(frozen=True, slots=True)
class _Stream:
    admitted: Admitted
    form: str
    verified: Verified
    nonce: tuple[str, str]


def _stream_query(body: bytes) -> tuple[dict[str, Any], str]:
    try:
        document = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise BadQuery(reason="the message is not JSON", reason_zh="消息不是 JSON") from error
    form = document.pop("form", None) if isinstance(document, dict) else None
    if form not in FORMS:
        raise BadQuery(reason="form is one of " + ", ".join(FORMS), reason_zh="form 应为以下之一：" + "、".join(FORMS))
    return document, form
