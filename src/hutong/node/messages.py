"""Messages to other nodes: durable, in order per (peer, process), delivered at least once and acted on exactly once.

`post` writes the message into the outbox inside the caller's transaction: the decision and the message stand or fall
together. The courier (delivery.py) delivers after the commit, retrying while the peer is away. The receiving node acts
once per message id (receiving.py). When a peer has answered for good, `when_answered` callbacks run in the same
transaction that closes the message.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import orjson
from django.db import transaction

from hutong.node import outside, parts, telemetry, work
from hutong.node.directory import member
from hutong.node.models import OutboxMessage
from hutong.node.receiving import Peer, Raw, inquiry, problem_answer, reader, receiver
from hutong.vocabulary.errors import Refused
from hutong.vocabulary.ids import new_id

__all__ = [
    "Peer",
    "Raw",
    "answered",
    "inquiry",
    "post",
    "problem_answer",
    "reader",
    "receiver",
    "when_answered",
    "withdraw",
]

OUTBOX = "outbox"  # the name to wake

# (message, status, answer): status None when the retries ran out; answer is the decoded JSON object, or None.
Answered = Callable[[OutboxMessage, int | None, dict[str, Any] | None], None]
_answered: list[tuple[str, Answered]] = []


class ForeignAddress(Refused):
    """A message for {peer} may only go to its own address, not to {host}."""

    zh = "发给 {peer} 的消息只能送往其自己的地址，不能送往 {host}。"
    code = "foreign_address"
    status = 400
    next_en = "Use an address in the directory (hutong members), or one given when it was let in (hutong peer list)."
    next_zh = "请使用成员名录中的地址（hutong members），或接入时登记的地址（hutong peer list）。"


def post(
    peer: str,
    process: str,
    path_or_url: str,
    body: dict[str, Any],
    *,
    message_id: str | None = None,
    content_type: str = "application/json",
) -> str:
    """Send a message, durably, when the caller's transaction commits.

    peer          the member's jurisdiction; or `outside:` and a participant id, whose answers need no signature
    process       what must stay in order, for example "negotiation:<pid>"; two processes do not wait for each other
    path_or_url   "/dsp/2025-1/..." is resolved against the member's base_url when it is sent; whole for others
    message_id    the idempotency key; a new one when not given
    returns       the message id
    raises        UnknownMember, ForeignAddress
    """
    # An outside peer's address is checked when it sends it, and by the courier each time: a decision that must be
    # told, such as a suspension, stands although the operator has taken an address back meanwhile.
    if not outside.is_outside(peer) and not path_or_url.startswith(("/", member(peer).base_url + "/")):
        raise ForeignAddress(peer=peer, host=path_or_url[:100])
    message = OutboxMessage.objects.create(
        message_id=message_id or new_id(),
        peer=peer,
        process=process[:120],
        url=path_or_url,
        body=orjson.dumps(body),
        content_type=content_type,
        next_at=datetime.now(UTC),
        traceparent=telemetry.current(),
    )
    work.wake_on_commit(OUTBOX)
    return message.message_id


def when_answered(process_prefix: str, callback: Answered) -> None:
    """Call back when a message of such a process was answered for good, in the transaction that closes it.

    An error in the callback undoes that transaction; the message is sent again, and the peer gives the same answer.
    """
    _answered.append((process_prefix, callback))


def answered(message: OutboxMessage, status: int | None, answer: dict[str, Any] | None) -> None:
    """Run the callbacks of one message. For the courier."""
    parts.load()
    for prefix, callback in _answered:
        if message.process.startswith(prefix):
            callback(message, status, answer)


def withdraw(process: str) -> None:
    """Messages of a process that its peer has ended need not arrive any more. In the caller's transaction."""
    OutboxMessage.objects.filter(process=process[:120], delivered_at=None, failed_at=None).delete()


def undelivered() -> list[dict[str, Any]]:
    """Messages still waiting, and those given up, oldest first: for the status page and the command line."""
    fields = (
        "message_id",
        "peer",
        "process",
        "url",
        "created_at",
        "attempts",
        "failed_at",
        "last_status",
        "last_error",
    )
    return list(OutboxMessage.objects.filter(delivered_at=None).order_by("id").values(*fields))


def retry_given_up() -> int:
    """Put every message that was given up back into the queue. returns how many"""
    with transaction.atomic():
        again = OutboxMessage.objects.filter(delivered_at=None).exclude(failed_at=None)
        count = again.update(failed_at=None, next_at=datetime.now(UTC), created_at=datetime.now(UTC))
        work.wake_on_commit(OUTBOX)
    return count
