"""The receiving side of messages: who sent it, not a replay, acted on once, answered with a signature.

    @receiver
    def negotiation_request(request: HttpRequest, peer: Peer, body: dict[str, Any]) -> Answer:
        ...
        return 201, {"@type": "ContractNegotiation", ...}

The handler runs inside the transaction that also notes the message id with the answer: a second delivery gets the same
answer and acts no second time, and a crash in between leaves neither. A Refused undoes the handler's work and is
answered with its status; it is not noted, so the same message may succeed later. Any other error undoes everything and
is answered 500 without details.
"""

from __future__ import annotations

import hashlib
import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from typing import Any, TypeVar, overload

import orjson
from django.db import IntegrityError, transaction
from django.http import HttpRequest, HttpResponse
from django.views.decorators.csrf import csrf_exempt

from hutong.node import refusals, replay, telemetry, work
from hutong.node.directory import participant_id
from hutong.node.keyring import ring
from hutong.node.models import InboxMessage
from hutong.node.settings import current
from hutong.node.signatures import KeyLookup, UnknownPeer, Verified, body_digest, sign_response, verify_request
from hutong.vocabulary.errors import BadInput, Broken, Refused, TooLarge, WrongMethod

LARGEST_BODY = 1024 * 1024  # bytes of one message; owner: wire contract
DEEPEST = 64  # levels of nesting in a message's JSON
PROBLEM_JSON = "application/problem+json"

log = logging.getLogger("hutong.messages")


@dataclass(frozen=True)
class Raw:
    """An answer that is not JSON."""

    body: bytes
    content_type: str
    headers: tuple[tuple[str, str], ...] = ()  # not covered by the signature: whatever matters stands in the body too


Answer = tuple[int, dict[str, Any] | Raw | None]
Handler = Callable[..., Answer]
View = Callable[..., HttpResponse]
# How a refusal reads on the wire: (body, content type).
Wording = Callable[[Refused], tuple[dict[str, Any], str]]
KeySource = Callable[[dict[str, Any]], KeyLookup]
Result = TypeVar("Result")


@dataclass(frozen=True)
class Peer:
    """Whom a message came from: a member by its signature, or a connector outside the directory by its token."""

    jurisdiction: str  # "outside:" and a participant id for the latter
    participant: str
    message_id: str = ""
    unsigned: str = ""  # digest of an unsigned message: what the ledger keeps in place of a signature


class MessageIdReused(Refused):
    """This message id was already used for another message."""

    zh = "此消息编号已用于另一条消息。"
    code = "message_id_reused"
    status = 409
    next_en = "Give every message an id of its own."
    next_zh = "请为每条消息使用独立的编号。"


@dataclass(frozen=True)
class _Incoming:
    """One verified request."""

    request: HttpRequest
    verified: Verified
    raw: bytes
    captured: dict[str, Any]  # what the address captured

    @property
    def peer(self) -> Peer:
        sender = self.verified.jurisdiction
        return Peer(sender, participant_id(sender), self.verified.message_id)

    @property
    def digest(self) -> str:
        named = f"{self.request.method} {target_uri(self.request)}\n".encode()
        return hashlib.sha256(named + self.raw).hexdigest()


@dataclass(frozen=True)
class _Stored:
    status: int
    body: bytes
    content_type: str
    headers: tuple[tuple[str, str], ...] = ()


def problem_wording(refusal: Refused) -> tuple[dict[str, Any], str]:
    return refusal.problem(), PROBLEM_JSON


def problem_answer(refusal: Refused) -> HttpResponse:
    """A refusal as RFC 9457 problem details, unsigned: for requests nobody signed."""
    refusals.said(refusal)
    return HttpResponse(orjson.dumps(refusal.problem()), status=refusal.status, content_type=PROBLEM_JSON)


@overload
def receiver(handler: Handler) -> View: ...
@overload
def receiver(*, refusal: Wording = ..., keys: KeySource | None = ...) -> Callable[[Handler], View]: ...
def receiver(
    handler: Handler | None = None, *, refusal: Wording = problem_wording, keys: KeySource | None = None
) -> View | Callable[[Handler], View]:
    """Make a Django view of `handler(request, peer, body, **captured) -> (status, dict or None)`; see the module.

    refusal   how a Refused reads on the wire, for protocols with an error object of their own
    keys      where to find the sender's key, given the body, when it is not yet in the directory
    """

    def decorate(inner: Handler) -> View:
        def act(incoming: _Incoming) -> _Stored:
            return _act_once(inner, incoming)

        return _signed_view(inner, lambda request: _verify(request, ("POST", "PUT"), keys), act, refusal)

    return decorate if handler is None else decorate(handler)


@overload
def reader(handler: Handler) -> View: ...
@overload
def reader(*, refusal: Wording = ...) -> Callable[[Handler], View]: ...
def reader(handler: Handler | None = None, *, refusal: Wording = problem_wording) -> View | Callable[[Handler], View]:
    """Like receiver, for a signed GET: `handler(request, peer, **captured) -> (status, dict)`; nothing is noted.

    The answer may also be Raw bytes."""

    def decorate(inner: Handler) -> View:
        def act(incoming: _Incoming) -> _Stored:
            replay.remember(incoming.verified.keyid, incoming.verified.nonce)
            status, content = inner(incoming.request, incoming.peer, **incoming.captured)
            return _stored(status, content)

        return _signed_view(inner, lambda request: _verify(request, ("GET",), None), act, refusal)

    return decorate if handler is None else decorate(handler)


def inquiry(*, refusal: Wording = problem_wording) -> Callable[[Handler], View]:
    """Like reader, for a question in a signed POST that changes nothing: `handler(request, peer, body)`.

    Nothing is noted, however large the answer. The same address by GET is the question without a body, {}.
    """

    def decorate(inner: Handler) -> View:
        def act(incoming: _Incoming) -> _Stored:
            replay.remember(incoming.verified.keyid, incoming.verified.nonce)
            body = decode_object(incoming.raw) if incoming.request.method == "POST" else {}
            return _stored(*inner(incoming.request, incoming.peer, body, **incoming.captured))

        return _signed_view(inner, lambda request: _verify(request, ("GET", "POST"), None), act, refusal)

    return decorate


def target_uri(request: HttpRequest) -> str:
    """What the sender must have signed: our own base_url and the request's path and query, byte for byte.

    The Host header is never used: a message signed for another node does not verify here.
    """
    scope = getattr(request, "scope", None)
    if scope is None:
        return current().base_url + request.get_full_path()
    raw = scope.get("raw_path") or request.path.encode()
    query = scope.get("query_string", b"")
    path = raw.partition(b"?")[0].decode("latin-1")
    return current().base_url + path + (f"?{query.decode('latin-1')}" if query else "")


def decode_object(raw: bytes) -> dict[str, Any]:
    """The JSON object in a message's body.

    raises   BadInput when it is not JSON, not an object, or nested deeper than DEEPEST
    """
    try:
        value = orjson.loads(raw)
    except orjson.JSONDecodeError as error:
        raise BadInput(
            reason=f"the body is not JSON (line {error.lineno}, column {error.colno})",
            reason_zh=f"正文不是 JSON（第 {error.lineno} 行第 {error.colno} 列）",
        ) from error
    if not isinstance(value, dict):
        raise BadInput(reason="the body is not a JSON object", reason_zh="正文不是 JSON 对象")
    level: list[Any] = [value]
    for _ in range(DEEPEST):
        inner = [one.values() if isinstance(one, dict) else one for one in level]
        level = [value for values in inner for value in values if isinstance(value, (dict, list))]
        if not level:
            return value
    raise BadInput(reason=f"the body is nested deeper than {DEEPEST} levels", reason_zh=f"正文嵌套超过 {DEEPEST} 层")


def beside_its_twin(act: Callable[[], Result]) -> Result:
    """Act; where the same was said at the same moment and was first, act again, upon what that one left."""
    try:
        return act()
    except IntegrityError:
        return act()


def _signed_view(
    handler: Handler,
    verify: Callable[[HttpRequest], tuple[bytes, Verified]],
    act: Callable[[_Incoming], _Stored],
    wording: Wording,
) -> View:
    @csrf_exempt
    @wraps(handler)
    def view(request: HttpRequest, **captured: Any) -> HttpResponse:
        try:
            raw, verified = verify(request)
        except Refused as refused:
            return problem_answer(refused)
        try:
            incoming = _Incoming(request, verified, raw, captured)
            known = {"peer": verified.jurisdiction, "message": verified.message_id}
            with telemetry.span(handler.__name__, kind="server", parent=verified.traceparent, **known):
                stored = beside_its_twin(lambda: act(incoming))
        except Refused as refused:
            stored = _refusal(refused, wording)
        # The edge: an error we did not foresee changes nothing and tells the peer nothing.
        except Exception:
            log.exception("message %s from %s failed", verified.message_id, verified.jurisdiction)
            stored = _refusal(Broken(), wording)
        return _signed(stored, verified)

    return view


def _verify(request: HttpRequest, methods: tuple[str, ...], source: KeySource | None) -> tuple[bytes, Verified]:
    if request.method not in methods:
        raise WrongMethod(allowed=", ".join(methods))
    raw = read_body(request)
    digest = body_digest(raw)

    def verify(keys: KeyLookup) -> Verified:
        return verify_request(
            str(request.method), target_uri(request), request.headers, digest, keys=keys, now=time.time()
        )

    if source is not None:
        return raw, verify(source(decode_object(raw)))
    members = ring()
    members.refresh()
    try:
        return raw, verify(members)
    except UnknownPeer:
        # Perhaps a member since a moment ago: look past the cache, and let the keeper be asked.
        members.refresh(at_once=True)
        work.wake("directory")
        return raw, verify(members)


def read_body(request: HttpRequest) -> bytes:
    """raises   TooLarge"""
    length = request.headers.get("Content-Length") or "0"
    if length.isdigit() and int(length) > LARGEST_BODY:
        raise TooLarge(limit=LARGEST_BODY)
    raw = request.read(LARGEST_BODY + 1)
    if len(raw) > LARGEST_BODY:
        raise TooLarge(limit=LARGEST_BODY)
    return raw


def _act_once(handler: Handler, incoming: _Incoming) -> _Stored:
    refused: Refused | None = None
    with transaction.atomic():
        replay.remember(incoming.verified.keyid, incoming.verified.nonce)
        try:
            with transaction.atomic():
                return _claim_and_handle(handler, incoming)
        except Refused as caught:
            refused = caught  # the handler's work is undone, the nonce stays
    raise refused


def _claim_and_handle(handler: Handler, incoming: _Incoming) -> _Stored:
    named = {"peer": incoming.peer.jurisdiction, "message_id": incoming.peer.message_id}
    try:
        with transaction.atomic():
            # Claim the id first: a second delivery that arrives meanwhile waits here for the first one's answer.
            claim = InboxMessage.objects.create(
                **named, request_digest=incoming.digest, status=0, answer=b"", content_type=""
            )
    except IntegrityError:
        before = InboxMessage.objects.get(**named)
        if before.request_digest != incoming.digest:
            raise MessageIdReused from None
        return _Stored(before.status, bytes(before.answer), before.content_type)
    body = decode_object(incoming.raw)
    status, content = handler(incoming.request, incoming.peer, body, **incoming.captured)
    stored = _stored(status, content)
    claim.status, claim.answer, claim.content_type = stored.status, stored.body, stored.content_type
    claim.save(update_fields=["status", "answer", "content_type"])
    return stored


def _stored(status: int, content: dict[str, Any] | Raw | None) -> _Stored:
    if isinstance(content, Raw):
        return _Stored(status, content.body, content.content_type, content.headers)
    return _Stored(status, b"" if content is None else orjson.dumps(content), "application/json")


def _refusal(refused: Refused, wording: Wording) -> _Stored:
    refusals.said(refused)
    body, content_type = wording(refused)
    return _Stored(refused.status, orjson.dumps(body), content_type)


def _signed(stored: _Stored, verified: Verified) -> HttpResponse:
    response = HttpResponse(stored.body, status=stored.status, content_type=stored.content_type)
    digest = body_digest(stored.body)
    signed = sign_response(stored.status, digest, verified.signature, ring().signing_key(), time.time())
    for name, value in (*stored.headers, *signed.items()):
        response[name] = value
    return response
