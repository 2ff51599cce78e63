"""Messages: acted on once, undone when refused, delivered in order, retried with patience."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import orjson
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from django.http import HttpRequest, HttpResponse
from django.test import RequestFactory

from hutong.ledger.models import AuditRecord
from hutong.ledger.record import record
from hutong.node import delivery, messages
from hutong.node.keyring import ring
from hutong.node.keys import SigningKey, key_id
from hutong.node.messages import ForeignAddress, Peer, post, reader, receiver
from hutong.node.models import DirectoryCopy, InboxMessage, Member, OutboxMessage
from hutong.node.settings import current
from hutong.node.signatures import body_digest, request_signature, sign_request, verify_response
from hutong.vocabulary.errors import WrongState
from hutong.vocabulary.ids import new_id
from hutong.vocabulary.moments import rfc3339
from tests.wire import Fate, Wire, deliver

pytestmark = pytest.mark.django_db(transaction=True)


def _key(jurisdiction: str) -> SigningKey:
    private = Ed25519PrivateKey.generate()
    public = private.public_key().public_bytes_raw()
    return SigningKey(key_id(jurisdiction, public), private, public)


ANHUI = _key("340000")


def _add_member(jurisdiction: str, key: SigningKey) -> None:
    now = datetime.now(UTC)
    entry = {"id": key.keyid, "alg": "ed25519", "public": key.public_text, "valid_from": rfc3339(now), "valid_to": None}
    url = "http://127.0.0.1:9"
    Member.objects.create(
        jurisdiction=jurisdiction, name_zh="省", place="province", base_url=url, exchange_url=url, keys=[entry],
        valid_from=now, version=1,
    )  # fmt: skip


@pytest.fixture(autouse=True)
def _members() -> Iterator[None]:
    ring.cache_clear()
    _add_member("340000", ANHUI)
    _add_member("320000", ring().signing_key())
    DirectoryCopy.objects.create(version=1, document=b"", signature="", keyid="", fetched_at=datetime.now(UTC))
    ring().refresh(at_once=True)
    yield
    ring.cache_clear()


def _request(body: bytes, *, message_id: str | None = None, method: str = "POST", path: str = "/test") -> HttpRequest:
    headers = sign_request(
        method,
        current().base_url + path,
        body_digest(body),
        ANHUI,
        message_id=message_id or new_id(),
        now=time.time(),
    )
    factory = RequestFactory(headers=headers)
    return factory.generic(method, path, body, content_type="application/json")


@receiver
def note_it(request: HttpRequest, peer: Peer, body: dict[str, Any]) -> messages.Answer:
    record("test.noted", f"test:{body['name']}", f"node:{peer.jurisdiction}", {"name": body["name"]})
    if body.get("refuse"):
        raise WrongState(what="test", state="closed", possible=["open"])
    if body.get("break"):
        raise ZeroDivisionError
    return 201, {"noted": body["name"], "by": peer.participant}


def _noted() -> int:
    return AuditRecord.objects.filter(kind="test.noted").count()


def test_the_same_message_id_acts_once_and_gets_the_same_answer() -> None:
    message_id, body = new_id(), b'{"name":"a"}'
    first, second = (note_it(_request(body, message_id=message_id)) for _ in range(2))
    assert first.status_code == second.status_code == 201
    assert first.content == second.content == b'{"noted":"a","by":"urn:hutong:node:340000"}'
    assert _noted() == 1


def test_the_same_message_id_with_another_body_is_refused() -> None:
    message_id = new_id()
    note_it(_request(b'{"name":"a"}', message_id=message_id))
    answer = note_it(_request(b'{"name":"b"}', message_id=message_id))
    assert (answer.status_code, orjson.loads(answer.content)["code"]) == (409, "message_id_reused")
    assert _noted() == 1


def test_a_refusal_undoes_the_work_and_may_succeed_later() -> None:
    message_id = new_id()
    answer = note_it(_request(b'{"name":"a","refuse":true}', message_id=message_id))
    assert (answer.status_code, answer["Content-Type"]) == (409, "application/problem+json")
    assert (_noted(), InboxMessage.objects.count()) == (0, 0)
    assert note_it(_request(b'{"name":"a"}', message_id=message_id)).status_code == 201


def test_an_unforeseen_error_changes_nothing_and_tells_nothing(caplog: pytest.LogCaptureFixture) -> None:
    answer = note_it(_request(b'{"name":"a","break":true}'))
    assert (answer.status_code, orjson.loads(answer.content)["code"]) == (500, "internal_error")
    assert b"Zero" not in answer.content
    assert (_noted(), InboxMessage.objects.count()) == (0, 0)


def test_every_answer_is_signed_and_bound_refusals_too() -> None:
    for body in (b'{"name":"a"}', b'{"name":"a","refuse":true}'):
        request = _request(body)
        answer = note_it(request)
        bound = request_signature({"Signature": request.headers["Signature"]})
        digest = body_digest(answer.content)
        verified = verify_response(answer.status_code, answer.headers, digest, bound, keys=ring(), now=time.time())
        assert verified.jurisdiction == "320000"


def test_a_protocol_may_word_its_refusals_itself() -> None:
    @receiver(refusal=lambda refused: ({"@type": "ContractNegotiationError", "code": refused.code}, "application/json"))
    def refuse(request: HttpRequest, peer: Peer, body: dict[str, Any]) -> messages.Answer:
        raise WrongState(what="test", state="closed", possible=["open"])

    answer = refuse(_request(b"{}"))
    assert orjson.loads(answer.content) == {"@type": "ContractNegotiationError", "code": "wrong_state"}


def test_a_signed_get_is_answered_once_per_signature() -> None:
    @reader
    def read(request: HttpRequest, peer: Peer) -> messages.Answer:
        return 200, {"for": peer.jurisdiction}

    request = _request(b"", method="GET")
    assert orjson.loads(read(request).content) == {"for": "340000"}
    answer = read(request)
    assert (answer.status_code, orjson.loads(answer.content)["code"]) == (409, "replayed")


def test_a_message_may_not_be_sent_past_its_member() -> None:
    with pytest.raises(ForeignAddress):
        post("340000", "p", "https://elsewhere.example/x", {})
    with pytest.raises(ForeignAddress):
        post("340000", "p", "http://127.0.0.1:99/x", {})
    post("340000", "p", "http://127.0.0.1:9/x", {})


# --- the courier, with the wire replaced by a list ---


def _wire(answers: dict[str, list[int | None]]) -> Wire:
    """Answers each message by its name: the statuses in turn, None for silence, 200 when they have run out."""

    def fate(said: dict[str, Any]) -> Fate:
        waiting = answers.get(said["name"])
        status = waiting.pop(0) if waiting else 200
        return None if status is None else (status, {"title": "said"})

    return Wire(fate)


def _names(wire: Wire) -> list[str]:
    return [said["name"] for said in wire.sent]


def _post(*names: str, process: str = "p") -> None:
    for name in names:
        post("340000", process, "/x", {"name": name})


def test_messages_of_one_process_go_one_by_one_in_order() -> None:
    _post("1", "2", "3")
    wire = _wire({})
    deliver(wire)
    assert _names(wire) == ["1", "2", "3"]
    assert OutboxMessage.objects.filter(delivered_at=None).count() == 0


def test_a_message_that_waits_holds_back_its_process_and_no_other() -> None:
    _post("a1", "a2", process="a")
    _post("b1", "b2", process="b")
    wire = _wire({"a1": [503]})
    deliver(wire)
    assert _names(wire) == ["a1", "b1", "b2"]
    first = OutboxMessage.objects.order_by("id").first()
    assert first is not None
    assert (first.attempts, first.last_status, first.last_error) == (1, 503, "said")
    assert first.next_at > datetime.now(UTC)


def test_a_signed_refusal_closes_a_message_and_the_next_one_goes() -> None:
    _post("1", "2")
    closed: list[tuple[str, int | None]] = []
    messages.when_answered("p", lambda message, status, _answer: closed.append((message.process, status)))
    try:
        wire = _wire({"1": [409]})
        deliver(wire)
    finally:
        messages._answered.pop()
    assert _names(wire) == ["1", "2"]
    assert closed == [("p", 409), ("p", 200)]
    assert OutboxMessage.objects.exclude(failed_at=None).count() == 1


def test_a_refusal_nobody_signed_closes_nothing() -> None:
    _post("1")
    deliver(_wire({"1": [404]}))
    assert OutboxMessage.objects.filter(delivered_at=None, failed_at=None).count() == 1


def test_a_peer_that_is_down_costs_one_attempt_and_not_one_per_message() -> None:
    for process in "abc":
        _post(process, process=process)
    wire = _wire({name: [None] for name in "abc"})
    deliver(wire)
    assert sorted(_names(wire)) == ["a", "b", "c"]  # on their way together
    _post("d", process="d")

    async def look_again() -> None:
        courier = delivery.Courier()
        courier._note_reachable("340000", delivery._Outcome(False, None, unreachable=True))
        await courier._look(wire)
        assert not courier._carrying
        await courier._in_database(delivery.connections.close_all)

    asyncio.run(look_again())
    assert OutboxMessage.objects.get(process="d").attempts == 0


def test_a_callback_that_fails_is_called_again_with_the_same_answer(caplog: pytest.LogCaptureFixture) -> None:
    _post("1")
    calls: list[int | None] = []

    def fail_once(_message: OutboxMessage, status: int | None, _answer: dict[str, Any] | None) -> None:
        calls.append(status)
        if len(calls) == 1:
            raise ZeroDivisionError

    messages.when_answered("p", fail_once)
    try:
        deliver(_wire({}))
        assert OutboxMessage.objects.get().delivered_at is None
        OutboxMessage.objects.update(next_at=datetime.now(UTC))
        deliver(_wire({}))
    finally:
        messages._answered.pop()
    assert calls == [200, 200]
    assert OutboxMessage.objects.get().delivered_at is not None


def test_pauses_double_up_to_half_a_minute_with_jitter() -> None:
    assert all(0.125 <= delivery.pause_s(1) <= 0.25 for _ in range(100))
    assert all(1.0 <= delivery.pause_s(4) <= 2.0 for _ in range(100))
    assert all(15.0 <= delivery.pause_s(attempts) <= 30.0 for attempts in (8, 100, 10_000))


def test_given_up_messages_can_be_sent_again() -> None:
    _post("1")
    OutboxMessage.objects.update(failed_at=datetime.now(UTC), last_error="gave up")
    assert [one["last_error"] for one in messages.undelivered()] == ["gave up"]
    assert messages.retry_given_up() == 1
    wire = _wire({})
    deliver(wire)
    assert _names(wire) == ["1"]


def test_an_answer_type_is_a_response() -> None:
    assert isinstance(note_it(_request(b'{"name":"a"}')), HttpResponse)
