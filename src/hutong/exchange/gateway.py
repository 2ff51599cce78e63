"""The consumer's door: applications ask here with a key, a purpose and a case number; the node signs and forwards.

    POST or GET /exchange/v1/agreements/<agreement>/read

A small JSON read travels with others in one message (lane.py); everything else streams (inflow.py). What comes back is
on record here before the application has it.
"""

from __future__ import annotations

import asyncio
import hmac
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import orjson

from hutong.exchange.asgi import Receive, Scope, Send, headers_of, path_of, read_body, respond
from hutong.exchange.asking import LARGEST_ASK, Ask, read_ask
from hutong.exchange.inflow import Inflow
from hutong.exchange.lane import Lane, Reply, Waiting
from hutong.exchange.query import document_digest
from hutong.exchange.register import Line, Register
from hutong.exchange.subscriptions import Entitlements, Subscription, look_up
from hutong.exchange.wire import ANSWERS_TYPE, Answer, BadAnswer, unpack
from hutong.ledger.receipt import Receipt
from hutong.node.client import NoAnswer, NodeClient, SignedAnswer
from hutong.node.keyring import KeyRing
from hutong.vocabulary.errors import Refused, WrongMethod
from hutong.vocabulary.ids import new_id

ATTEMPTS = 2  # a message nobody answered is sent once more: its exchange ids make that safe
_JSON = (b"content-type", b"application/json")
_PROBLEM = (b"content-type", b"application/problem+json")


class PeerRefused(Refused):
    """{peer} refused the message: {reason}"""

    zh = "{peer} 拒绝了该消息：{reason}"
    code = "peer_refused"
    status = 502
    next_en = "The nodes disagree on keys, clocks or form; run: hutong doctor"
    next_zh = "双方节点在密钥、时钟或格式上不一致；请运行 hutong doctor。"


class NotReachable(Refused):
    """The provider {peer} is not in this node's directory."""

    zh = "本节点的成员名录中没有提供方 {peer}。"
    code = "peer_not_in_directory"
    status = 502
    next_en = "See who is a member: hutong members"
    next_zh = "查看成员：hutong members"


@dataclass(frozen=True, slots=True)
class Outgoing:
    """One query as it travels."""

    ask: Ask
    exchange: str
    document: dict[str, Any]
    request_digest: str
    case: str
    subscription: Subscription


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
        self._jurisdiction = ring.settings.jurisdiction
        self._lanes: dict[str, Lane] = {}
        self._providers: dict[str, str] = {}  # agreement: provider; an agreement's provider never changes

    async def read(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["method"] not in ("GET", "POST"):
            raise WrongMethod(allowed="GET, POST")
        body = await read_body(receive, LARGEST_ASK)
        ask = read_ask(path_of(scope), scope["query_string"], headers_of(scope), body)
        if not ask.is_record_query:
            return await self._stream(ask, receive, send)
        peer = self._providers.get(ask.agreement) or await self._provider(ask)
        reply = await self._lane(peer).put(ask)
        await respond(send, reply.status, reply.headers, reply.body)
        return None

    async def _provider(self, ask: Ask) -> str:
        """The first request for an agreement in this process finds out whose it is."""
        found = await self._look_up([ask])
        subscription = found.subscription(found.application(ask.key_digest), ask.agreement)
        self._providers[ask.agreement] = subscription.provider
        return subscription.provider

    def _lane(self, peer: str) -> Lane:
        lane = self._lanes.get(peer)
        if lane is None:
            lane = self._lanes[peer] = Lane(peer, self._carry)
        return lane

    async def _carry(self, peer: str, batch: list[Waiting]) -> None:
        """Take a batch to its provider and settle each of it."""
        began = time.perf_counter()
        loop = asyncio.get_running_loop()
        going, body = await loop.run_in_executor(self._threads, self._prepare, batch)
        if not going:
            return
        outgoing = [one for _, one in going]
        message = await self._ask_peer(peer, body)
        answers = unpack(message.body, [one.exchange for one in outgoing])
        at, took_ms = _now(), int((time.perf_counter() - began) * 1000)
        lines = [self._line(one, at, took_ms, **_counts(answer)) for one, answer in zip(outgoing, answers, strict=True)]
        await self._register.commit(lines)
        for (waiting, _), answer, line in zip(going, answers, lines, strict=True):
            waiting.settle(_reply(answer, line))

    def _prepare(self, batch: Sequence[Waiting]) -> tuple[list[tuple[Waiting, Outgoing]], bytes]:
        """In a worker thread: who may ask, and the message of those who may. The others are settled at once."""
        asks = [waiting.ask for waiting in batch]
        found = look_up({ask.key_digest for ask in asks}, {ask.agreement for ask in asks})
        going: list[tuple[Waiting, Outgoing]] = []
        for waiting in batch:
            try:
                going.append((waiting, self._outgoing(waiting.ask, found)))
            except Refused as refused:
                waiting.reply.get_loop().call_soon_threadsafe(waiting.settle, refused)
        return going, orjson.dumps({"queries": [one.document for _, one in going]})

    def _outgoing(self, ask: Ask, found: Entitlements) -> Outgoing:
        application = found.application(ask.key_digest)
        subscription = found.subscription(application, ask.agreement)
        ask.application = application.name
        exchange = new_id()
        case = "hmac-sha256:" + hmac.digest(subscription.case_key, ask.case_number.encode(), "sha256").hex()
        document = {
            "exchange": exchange,
            "agreement": ask.agreement,
            "purpose": ask.purpose,
            "case": case,
            **ask.wanted,
        }
        return Outgoing(ask, exchange, document, document_digest(document), case, subscription)

    async def _ask_peer(self, peer: str, body: bytes) -> SignedAnswer:
        """raises NoAnswer, UnsignedAnswer, PeerRefused, NotReachable"""
        url = self._address(peer) + "/exchange/queries"
        for attempt in range(1, ATTEMPTS + 1):
            try:
                answer = await self._client.call("POST", url, body, peer=peer)
                break
            except NoAnswer:
                if attempt == ATTEMPTS:
                    self._unanswered()
                    raise
        if answer.status != 200:
            raise PeerRefused(peer=peer, reason=str(answer.object().get("title", answer.status))[:200])
        if answer.headers.get("Content-Type") != ANSWERS_TYPE:
            raise BadAnswer(reason="its type is not that of answers")
        return answer

    async def _stream(self, ask: Ask, receive: Receive, send: Send) -> None:
        found = await self._look_up([ask])
        outgoing = self._outgoing(ask, found)
        peer = outgoing.subscription.provider
        inflow = Inflow(
            client=self._client,
            peer=peer,
            address=self._address(peer),
            body=orjson.dumps({**outgoing.document, "form": ask.form}),
            exchange=outgoing.exchange,
            form=ask.form,
            register=self._register,
            line=lambda took_ms, **counts: self._line(outgoing, _now(), took_ms, form=ask.form, **counts),
        )
        await inflow.run(receive, send)

    async def _look_up(self, asks: Sequence[Ask]) -> Entitlements:
        loop = asyncio.get_running_loop()
        keys, agreements = {ask.key_digest for ask in asks}, {ask.agreement for ask in asks}
        return await loop.run_in_executor(self._threads, look_up, keys, agreements)

    def _address(self, peer: str) -> str:
        found = self._ring.addresses(peer)
        if found is None:
            raise NotReachable(peer=peer)
        return found[1]

    def _line(self, one: Outgoing, at: str, took_ms: int, **counts: Any) -> Line:
        receipt = Receipt(
            role="consumer",
            exchange=one.exchange,
            at=at,
            agreement=one.ask.agreement,
            provider=one.subscription.provider,
            consumer=self._jurisdiction,
            purpose=one.ask.purpose,
            case=one.case,
            request=one.request_digest,
            **counts,
        )
        return Line(receipt, took_ms, application=one.ask.application, case_number=one.ask.case_number)


def _counts(answer: Answer) -> dict[str, Any]:
    return {
        "response": answer.digest,
        "rows": answer.rows,
        "bytes": len(answer.body),
        "outcome": "served" if answer.refusal is None else "refused",
        "code": "" if answer.refusal is None else str(answer.refusal["code"])[:64],
        "peer_receipt": answer.receipt,
    }


def _reply(answer: Answer, line: Line) -> Reply:
    evidence = [
        (b"hutong-exchange", answer.exchange.encode("ascii")),
        (b"hutong-receipt", line.entry_digest.encode("ascii")),
    ]
    if answer.refusal is not None:
        return Reply(answer.status, [_PROBLEM, *evidence], orjson.dumps(answer.refusal))
    return Reply(200, [_JSON, *evidence, (b"hutong-rows", b"%d" % answer.rows)], answer.body)


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
