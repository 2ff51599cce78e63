"""A stream from a provider through to an application, checked on the way: constant memory, evidence at both ends.

The order, and why:

1. The provider's signed head, bound to our request and naming our exchange. 2. Our opening line, durable before the
first byte goes on. 3. The bytes, hashed as they pass. 4. The provider's closing receipt, signed: its digest and length
must be those of what passed. 5. Our closing line, durable. 6. Only now the end of the application's stream; whatever
goes wrong before breaks its connection, so that it cannot take the part for the whole.
"""

from __future__ import annotations

import asyncio
import hashlib
import logging
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

import aiohttp
import orjson

from hutong.exchange import formats
from hutong.exchange.asgi import Receive, Send, disconnected, respond
from hutong.exchange.register import Line, Register
from hutong.exchange.wire import BadAnswer, counted
from hutong.node.client import NodeClient, SignedAnswer, SignedStream
from hutong.vocabulary.errors import Refused

EXCHANGE_HEADER = "Hutong-Exchange"

log = logging.getLogger(__name__)


class MakeLine(Protocol):
    def __call__(self, took_ms: int, **counts: Any) -> Line: ...


@dataclass
class Inflow:
    """One stream. `line` makes the consumer's line from its counts."""

    client: NodeClient
    peer: str
    address: str
    body: bytes
    exchange: str
    form: str
    register: Register
    line: MakeLine
    passed: int = 0  # bytes
    _began: float = field(default_factory=time.perf_counter)
    _hash: Any = field(default_factory=hashlib.sha256)

    async def run(self, receive: Receive, send: Send) -> None:
        """raises Refused only before anything was sent to the application"""
        url = self.address + "/exchange/streams"
        async with self.client.stream("POST", url, self.body, peer=self.peer, covered=(EXCHANGE_HEADER,)) as answer:
            if isinstance(answer, SignedAnswer):
                return await self._pass_refusal(answer, send)
            if answer.headers.get(EXCHANGE_HEADER) != self.exchange:
                raise BadAnswer(reason="it is for another exchange", reason_zh="属于另一次交换")
            opening = self._line("open")
            await self.register.commit([opening])
            await send({"type": "http.response.start", "status": 200, "headers": self._head(opening)})
            whole = await self._carry(answer, receive, send)
        if whole:
            await send({"type": "http.response.body", "body": b"", "more_body": False})
        return None

    async def _carry(self, answer: SignedStream, receive: Receive, send: Send) -> bool:
        """Bytes, closing receipt, closing line. True when all three are as they should be; never raises a Refused:
        the application has half an answer, and there is nothing to tell it but the broken connection."""
        closing: Mapping[str, Any] = {}
        try:
            try:
                if await self._pass_on(answer, receive, send):
                    closing = await self._closing_receipt()
            finally:
                await asyncio.shield(self._close(closing))
        except (Refused, aiohttp.ClientError, TimeoutError, OSError) as error:
            code = error.code if isinstance(error, Refused) else type(error).__name__
            log.warning("exchange %s from %s was cut: %s", self.exchange, self.peer, code)
            return False
        return bool(closing)

    async def _pass_on(self, answer: SignedStream, receive: Receive, send: Send) -> bool:
        """Send on every chunk. False when the application went away."""
        gone = asyncio.ensure_future(disconnected(receive))
        try:
            async for chunk in answer.content:
                if gone.done():
                    return False
                self._hash.update(chunk)
                self.passed += len(chunk)
                await send({"type": "http.response.body", "body": chunk, "more_body": True})
        finally:
            gone.cancel()
        return not gone.done()

    async def _closing_receipt(self) -> Mapping[str, Any]:
        """raises BadAnswer unless the provider states, signed, that it served exactly what passed here"""
        url = f"{self.address}/exchange/receipts/{self.exchange}"
        answer = await self.client.call("GET", url, peer=self.peer)
        stated = answer.object() if answer.status == 200 else {}
        if stated.get("exchange") != self.exchange or stated.get("outcome") != "served":
            raise BadAnswer(
                reason="its closing receipt does not say that all was served", reason_zh="结束回执未载明已全部提供"
            )
        if stated.get("digest") != "sha256:" + self._hash.hexdigest() or stated.get("bytes") != self.passed:
            raise BadAnswer(
                reason="its closing receipt names other bytes than came", reason_zh="结束回执所载内容与收到的不一致"
            )
        return stated

    async def _close(self, closing: Mapping[str, Any]) -> None:
        if closing:
            line = self._line(
                "served",
                rows=int(closing["rows"]),
                bytes=self.passed,
                response=str(closing["digest"]),
                peer_receipt=str(closing["receipt"]),
                withheld=counted(closing.get("withheld", {})),
            )
        else:
            line = self._line("cut", bytes=self.passed)
        await self.register.commit([line])

    async def _pass_refusal(self, answer: SignedAnswer, send: Send) -> None:
        """The provider's refusal, on record here when the provider says it is on record there."""
        problem = answer.object() if answer.signed else {}
        code, receipt = problem.get("code"), problem.get("receipt")
        if not isinstance(code, str):
            raise BadAnswer(
                reason=f"it answered {answer.status} without a signed reason",
                reason_zh=f"答复 {answer.status}，但没有签名的理由",
            )
        if isinstance(receipt, str):
            await self.register.commit([self._line("refused", code=code[:64], peer_receipt=receipt)])
        headers = [
            (b"content-type", b"application/problem+json"),
            (b"hutong-exchange", self.exchange.encode("ascii")),
        ]
        await respond(send, answer.status, headers, orjson.dumps(problem))

    def _line(self, outcome: str, **counts: Any) -> Line:
        given = {"rows": 0, "bytes": 0, "response": "", **counts}
        return self.line(int((time.perf_counter() - self._began) * 1000), outcome=outcome, **given)

    def _head(self, opening: Line) -> list[tuple[bytes, bytes]]:
        return [
            (b"content-type", formats.MEDIA_TYPES[self.form].encode("ascii")),
            (b"hutong-exchange", self.exchange.encode("ascii")),
            (b"hutong-receipt", opening.entry_digest.encode("ascii")),
        ]
