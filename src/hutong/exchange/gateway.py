"""The consumer's door: applications ask here with a key, a purpose and a case number; the node signs and forwards.

    POST or GET /exchange/v1/agreements/<agreement>/read

A small JSON read travels with others in one message (lane.py); everything else streams (inflow.py). What comes back is
on record here before the application has it.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import orjson

from hutong.exchange.asgi import Receive, Scope, Send, has_body, headers_of, path_of, read_body, respond, retry_after
from hutong.exchange.asking import LARGEST_ASK, Ask, read_ask
from hutong.exchange.entitlements import Entitlements
from hutong.exchange.inflow import Inflow
from hutong.exchange.lane import Lane, Reply, Waiting
from hutong.exchange.outgoing import Outgoing, message, outgoing
from hutong.exchange.register import Line, Register
from hutong.exchange.repeats import UnderWay, refuse_another_use
from hutong.exchange.wire import ANSWERS_TYPE, Answer, BadAnswer, unpack
from hutong.exchange.withheld import NOTHING_KEPT, Keeping
from hutong.ledger.receipt import Receipt
from hutong.node import telemetry
from hutong.node.client import NoAnswer, NodeClient, SignedAnswer
from hutong.node.keyring import KeyRing
from hutong.vocabulary.errors import Refused, WrongMethod
from hutong.vocabulary.moments import rfc3339

# A message nobody answered is sent again: its exchange ids make that safe. A killed process behind a proxy costs one
# attempt for the request under way, and one more when the proxy has not noticed yet.
ASK_AGAIN_AFTER_S = (0.05, 0.5)
ASK_AGAIN_FOR_S = 20.0  # a peer that is silent is not waited for a third time
NOT_ITS_OWN = (502, 503, 504)  # unsigned, they are a proxy's word that nobody behind it answered
TOO_MANY = 429  # the provider asks for patience
_JSON = (b"content-type", b"application/json")
_PROBLEM = (b"content-type", b"application/problem+json")


class PeerRefused(Refused):
    """{peer} refused the message: {reason}"""

    zh = "{peer} 拒绝了该消息：{reason}"
    code = "peer_refused"
    status = 502
    next_en = "The nodes disagree on keys, clocks or form; run: hutong doctor"
    next_zh = "双方节点在密钥、时钟或格式上不一致；请运行 hutong doctor。"


class PeerBusy(Refused):
    """{peer} has more to answer now than it can."""

    zh = "{peer} 目前待答复的查询过多。"
    code = "peer_busy"
    status = 503
    retry_after_s = 1
    next_en = "Ask again after the time in Retry-After, with fewer queries at once."
    next_zh = "请在 Retry-After 所示时间后重试，并减少同时发出的查询。"


class NotReachable(Refused):
    """The provider {peer} is not in this node's directory."""

    zh = "本节点的成员名录中没有提供方 {peer}。"
    code = "peer_not_in_directory"
    status = 502
    next_en = "See who is a member: hutong members"
    next_zh = "查看成员：hutong members"


@dataclass(frozen=True, slots=True)
class _Carried:
    """What a provider answered to one message, and how long that took."""

    body: bytes
    took_ms: int


class Gateway:
    """One per process, on one event loop."""

    def __init__(
        self,
        ring: KeyRing,
        register: Register,
        client: NodeClient,
        threads: ThreadPoolExecutor,
        unanswered: Callable[[], None],
    ) -> None:
        """unanswered   called after a message that got no answer: its exchanges may stand on the other side"""
        self._ring = ring
        self._unanswered = unanswered
        self._register = register
        self._client = client
        self._threads = threads
        self.jurisdiction = ring.settings.jurisdiction
        self._lanes: dict[str, Lane[_Carried]] = {}
        self._entitlements = Entitlements(threads)
        self._under_way = UnderWay()

    async def read(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["method"] not in ("GET", "POST"):
            raise WrongMethod(allowed="GET, POST")
        headers = headers_of(scope)
        body = await read_body(receive, LARGEST_ASK) if has_body(headers) else b""
        ask = read_ask(path_of(scope), scope["query_string"], headers, body)
        one = await self.entitled(ask)
        parent, known_of_it = headers.get("traceparent", ""), {"agreement": ask.agreement, "exchange": one.exchange}
        with telemetry.span("read", kind="server", parent=parent, form=ask.form, **known_of_it) as step:
            one.traceparent = step.traceparent
            await self._read_once(one, receive, send)

    async def _read_once(self, one: Outgoing, receive: Receive, send: Send) -> None:
        ask = one.ask
        if not ask.idempotency_key:
            return await self._read(one, receive, send)
        with self._under_way.hold(ask):
            loop = asyncio.get_running_loop()
            await loop.run_in_executor(self._threads, refuse_another_use, one.exchange, one.request_digest)
            return await self._read(one, receive, send)

    async def entitled(self, ask: Ask) -> Outgoing:
        """What travels for an ask. raises   NoKey, NoSubscription, KeyBound, Unavailable"""
        known = self._entitlements.known(ask.key_digest, ask.agreement)
        entitled = known or await self._entitlements.read(ask.key_digest, ask.agreement)
        entitled.application.check_bound(ask.purpose, ask.case_number)
        return outgoing(ask, entitled)

    async def _read(self, one: Outgoing, receive: Receive, send: Send) -> None:
        if not one.ask.is_record_query:
            return await self._stream(one, receive, send)
        reply = await self._lane(one.entitled.provider).put(one)
        telemetry.note(status=reply.status)
        await respond(send, reply.status, reply.headers, reply.body)
        return None

    def _lane(self, peer: str) -> Lane[_Carried]:
        lane = self._lanes.get(peer)
        if lane is None:
            lane = self._lanes[peer] = Lane(peer, self._carry, self._settle)
        return lane

    async def _carry(self, peer: str, batch: list[Waiting]) -> _Carried:
        """Take a batch to its provider."""
        began = time.perf_counter()
        # The message is a step of the first query's trace; those of the others are named beside it.
        first, *others = [waiting.outgoing.traceparent for waiting in batch]
        with telemetry.span("message", kind="client", parent=first, links=others, peer=peer, queries=len(batch)):
            answer = await self._ask_peer(peer, message([waiting.outgoing for waiting in batch]))
        return _Carried(answer.body, int((time.perf_counter() - began) * 1000))

    async def _settle(self, batch: list[Waiting], carried: _Carried) -> None:
        """Check what came, put it on record, hand it on."""
        answers = unpack(carried.body, [waiting.outgoing.exchange for waiting in batch])
        at = rfc3339(datetime.now(UTC))
        lines = [
            self.line(waiting.outgoing, at, carried.took_ms, **_counts(answer))
            for waiting, answer in zip(batch, answers, strict=True)
        ]
        await self._register.commit(lines)
        for waiting, answer, line in zip(batch, answers, lines, strict=True):
            waiting.settle(_reply(answer, line))

    async def _ask_peer(self, peer: str, body: bytes) -> SignedAnswer:
        """raises NoAnswer, UnsignedAnswer, PeerRefused, NotReachable"""
        url = self.address(peer) + "/exchange/queries"
        began = time.perf_counter()
        for pause_s in (*ASK_AGAIN_AFTER_S, None):
            try:
                answer = await self._ask_once(peer, url, body)
                break
            except NoAnswer:
                if pause_s is None or time.perf_counter() - began > ASK_AGAIN_FOR_S:
                    self._unanswered()
                    raise
                await asyncio.sleep(pause_s)
        if answer.status == TOO_MANY:
            raise PeerBusy(peer=peer)
        if answer.status != 200:
            said = answer.object()
            title = str(said.get("title", answer.status))[:200]
            raise PeerRefused(peer=peer, reason=title, reason_zh=str(said.get("title_zh", title))[:200])
        if answer.headers.get("Content-Type") != ANSWERS_TYPE:
            raise BadAnswer(reason="its type is not that of answers", reason_zh="其类型不是答复的类型")
        return answer

    async def _ask_once(self, peer: str, url: str, body: bytes) -> SignedAnswer:
        answer = await self._client.call("POST", url, body, peer=peer)
        if answer.status in NOT_ITS_OWN and not answer.signed:
            said = f"a proxy before it says {answer.status}"
            raise NoAnswer(peer=peer, reason=said, reason_zh=f"其前的代理答复 {answer.status}")
        return answer

    async def _stream(self, one: Outgoing, receive: Receive, send: Send) -> None:
        form, peer = one.ask.form, one.entitled.provider
        inflow = Inflow(
            client=self._client,
            peer=peer,
            address=self.address(peer),
            body=one.document[:-1] + b',"form":"' + form.encode("ascii") + b'"}',
            exchange=one.exchange,
            form=form,
            register=self._register,
            line=lambda took_ms, **counts: self.line(one, rfc3339(datetime.now(UTC)), took_ms, form=form, **counts),
        )
        await inflow.run(receive, send)

    def address(self, peer: str) -> str:
        found = self._ring.addresses(peer)
        if found is None:
            raise NotReachable(peer=peer)
        return found[1]

    def line(self, one: Outgoing, at: str, took_ms: int, **counts: Any) -> Line:
        receipt = Receipt(
            role="consumer",
            exchange=one.exchange,
            at=at,
            agreement=one.ask.agreement,
            provider=one.entitled.provider,
            consumer=self.jurisdiction,
            purpose=one.ask.purpose,
            case=one.case,
            request=one.request_digest,
            **counts,
        )
        replays = one.ask.wanted.get("replay", "")
        return Line(
            receipt,
            took_ms,
            application=one.entitled.application.name,
            case_number=one.ask.case_number,
            keeping=Keeping(replays=replays) if replays else NOTHING_KEPT,
        )


def _counts(answer: Answer) -> dict[str, Any]:
    return {
        "response": answer.digest,
        "rows": answer.rows,
        "bytes": len(answer.body),
        "outcome": "served" if answer.refusal is None else "refused",
        "code": "" if answer.refusal is None else str(answer.refusal["code"])[:64],
        "peer_receipt": answer.receipt,
        "withheld": answer.withheld,
    }


def _reply(answer: Answer, line: Line) -> Reply:
    evidence = [
        (b"hutong-exchange", answer.exchange.encode("ascii")),
        (b"hutong-receipt", line.entry_digest.encode("ascii")),
    ]
    if answer.refusal is not None:
        headers = [_PROBLEM, *evidence, *retry_after(answer.refusal)]
        return Reply(answer.status, headers, orjson.dumps(answer.refusal))
    if answer.withheld:
        evidence.append((b"hutong-withheld", orjson.dumps(dict(answer.withheld))))
    return Reply(200, [_JSON, *evidence, (b"hutong-rows", b"%d" % answer.rows)], answer.body)
