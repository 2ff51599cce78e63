"""The courier: delivers the outbox, in order per (peer, process), until answered or given up.

A message is closed by a signed answer, unless that answer asks for patience (408, 425, 429, 5xx). Everything else is
tried again, with a fresh signature and the same message id, for seven days; then the message is given up, which people
see. A peer that cannot be reached is left alone as a whole: 0.25 s, then twice as long each time up to half a minute,
with jitter. One that is down costs one attempt, not one per message; once it answers, its messages go at once.

A connector outside the directory signs nothing, so its plain answer closes a message. Two of its refusals do not at
once: 401, because what we present to it is a person's to correct, and 404, because others may learn a process's address
only after they have answered the message that began it; that one is believed after a minute.
"""

from __future__ import annotations

import asyncio
import logging
import random
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TypeVar

from django.db import DatabaseError, connections, transaction
from django.db.models import Min

from hutong.node import messages, outside, telemetry, work
from hutong.node.client import NoAnswer, NodeClient, SignedAnswer, UnsignedAnswer
from hutong.node.keyring import ring
from hutong.node.models import OutboxMessage

FIRST_PAUSE_S = 0.25
LONGEST_PAUSE_S = 30.0
GIVE_UP_AFTER = timedelta(days=7)  # owner: wire contract; a region may be down for a long holiday
AT_ONCE = 32  # messages on the wire together
LOOK_EVERY_S = 1.0  # a lost wake-up costs at most this
PATIENCE = {408, 425, 429}  # signed answers below 500 that do not close a message
BELIEVE_NOT_FOUND_AFTER = timedelta(minutes=1)  # of an outside peer; owner: wire contract
LARGEST_KEPT_ANSWER = 256 * 1024  # bytes
NOWHERE = "the peer is not in the directory now, nor let in from outside at that address"

log = logging.getLogger("hutong.delivery")
_Result = TypeVar("_Result")


@dataclass(frozen=True)
class _Route:
    """Where a message goes, and what is shown at that door."""

    url: str
    signer: str  # who must sign the answer, "" for nobody
    authorization: str = ""


@dataclass(frozen=True)
class _Outcome:
    """What came of carrying a message. `closed` is False when it must be tried again."""

    closed: bool
    status: int | None
    error: str = ""
    answer: SignedAnswer | None = None
    unreachable: bool = False


@dataclass
class _Pause:
    failures: int
    until: float  # time.monotonic()


def start() -> None:
    """Start the courier in a thread of its own. Only the process that holds the work lock may call this."""
    threading.Thread(target=lambda: asyncio.run(Courier().run()), name="hutong-courier", daemon=True).start()


def pause_s(attempts: int) -> float:
    """How long to wait after so many failures: doubling, bounded, and never the same twice (full jitter over half)."""
    longest = min(FIRST_PAUSE_S * float(2 ** min(attempts - 1, 20)), LONGEST_PAUSE_S)
    return longest * random.uniform(0.5, 1.0)  # noqa: S311 - spreads load, keeps no secret


class Courier:
    """Carries due messages until the process ends."""

    def __init__(self) -> None:
        self._woken = asyncio.Event()
        self._carrying: dict[tuple[str, str], asyncio.Task[None]] = {}
        self._pauses: dict[str, _Pause] = {}
        self._database = ThreadPoolExecutor(1, thread_name_prefix="hutong-courier-db")

    async def run(self) -> None:
        loop = asyncio.get_running_loop()

        def wake() -> None:
            loop.call_soon_threadsafe(self._woken.set)

        work.listen(messages.OUTBOX, wake)
        unwatch = await self._in_database(lambda: ring().watch())
        try:
            async with NodeClient(ring()) as client:
                while True:
                    await self._look(client)
                    await self._wait()
        finally:
            unwatch()

    async def deliver_due(self) -> None:
        """Carry everything that is due now, and what becomes due by that, then return: for commands and tests."""
        await self._in_database(lambda: ring().refresh(at_once=True))
        async with NodeClient(ring()) as client:
            await self._look(client)
            while self._carrying:
                await asyncio.gather(*self._carrying.values())
                await self._look(client)

    async def _wait(self) -> None:
        try:
            await asyncio.wait_for(self._woken.wait(), LOOK_EVERY_S)
        except TimeoutError:
            return
        finally:
            self._woken.clear()

    async def _look(self, client: NodeClient) -> None:
        room = AT_ONCE - len(self._carrying)
        if room <= 0:
            return
        busy = set(self._carrying)
        down = {peer for peer, pause in self._pauses.items() if pause.until > time.monotonic()}
        # The edge: a database that does not answer now is asked again at the next look.
        try:
            due = await self._in_database(lambda: _due(busy, down, room))
        except Exception:
            log.exception("the outbox cannot be read; it is tried again")
            return
        for message in due:
            key = (message.peer, message.process)
            self._carrying[key] = asyncio.create_task(self._carry(client, message, key))

    async def _carry(self, client: NodeClient, message: OutboxMessage, key: tuple[str, str]) -> None:
        try:
            route = await self._route(message)
            outcome = await _send(client, message, route) if route else _Outcome(False, None, NOWHERE, unreachable=True)
            self._note_reachable(message.peer, outcome)
            await self._in_database(lambda: _settle(message, outcome))
        # The edge: a callback or the database failed. The peer gives the same answer when we ask again.
        except Exception:
            log.exception("the answer to message %s could not be kept; it is sent again", message.message_id)
            await self._in_database(lambda: _postpone(message, _Outcome(False, None, "its answer could not be kept")))
        finally:
            self._carrying.pop(key, None)
            self._woken.set()  # the next one of this process, if any

    async def _route(self, message: OutboxMessage) -> _Route | None:
        """None while the peer is neither in the directory nor let in, or no longer has that address."""
        if outside.is_outside(message.peer):
            return await self._in_database(lambda: _route_outside(message))
        addresses = ring().addresses(message.peer)
        if addresses is None:
            return None
        return _Route(addresses[0] + message.url if message.url.startswith("/") else message.url, message.peer)

    def _note_reachable(self, peer: str, outcome: _Outcome) -> None:
        if not outcome.unreachable:
            self._pauses.pop(peer, None)
            return
        pause = self._pauses.setdefault(peer, _Pause(0, 0.0))
        if pause.until <= time.monotonic():  # messages that failed together are one failure
            pause.failures += 1
            pause.until = time.monotonic() + pause_s(pause.failures)

    async def _in_database(self, ask: Callable[[], _Result]) -> _Result:
        def guarded() -> _Result:
            # The thread keeps its connection; one that has failed is replaced by a new one at the next question.
            try:
                return ask()
            except DatabaseError:
                connections.close_all()
                raise

        return await asyncio.get_running_loop().run_in_executor(self._database, guarded)


def _due(busy: set[tuple[str, str]], down: set[str], room: int) -> list[OutboxMessage]:
    """The first open message of each (peer, process) that is neither being carried, nor pausing, nor behind a pause."""
    waiting = OutboxMessage.objects.filter(delivered_at=None, failed_at=None)
    heads = waiting.values("peer", "process").annotate(head=Min("id")).values_list("head", flat=True)
    found = OutboxMessage.objects.filter(id__in=list(heads), next_at__lte=datetime.now(UTC)).order_by("id")
    due: list[OutboxMessage] = []
    for one in found.iterator(chunk_size=200):
        if (one.peer, one.process) not in busy and one.peer not in down:
            due.append(one)
        if len(due) >= room:
            break
    return due


def _route_outside(message: OutboxMessage) -> _Route | None:
    try:
        own = outside.allows(message.peer, message.url)
        return _Route(message.url, "", outside.authorization(message.peer)) if own else None
    except outside.UnknownOutsidePeer:
        return None


async def _send(client: NodeClient, message: OutboxMessage, route: _Route) -> _Outcome:
    step = telemetry.span(
        "deliver",
        kind="client",
        parent=message.traceparent,
        peer=message.peer,
        message=message.message_id,
        attempt=message.attempts + 1,
    )
    try:
        with step:
            answer = await client.call(
                message.method,
                route.url,
                bytes(message.body),
                peer=route.signer,
                content_type=message.content_type,
                message_id=message.message_id,
                authorization=route.authorization,
            )
    except NoAnswer as refused:
        return _Outcome(False, None, refused.say("en"), unreachable=True)
    except UnsignedAnswer as refused:
        return _Outcome(False, None, refused.say("en"))
    said = str(answer.object().get("title", ""))
    closed = (answer.signed or not route.signer) and _closes(message, answer.status)
    return _Outcome(closed, answer.status, said, answer)


def _closes(message: OutboxMessage, status: int) -> bool:
    """True when this answer is the peer's last word on the message."""
    if not outside.is_outside(message.peer) or status not in (401, 404):
        return 200 <= status < 300 or (400 <= status < 500 and status not in PATIENCE)
    again = message.last_status == status
    return status == 404 and again and datetime.now(UTC) - message.created_at > BELIEVE_NOT_FOUND_AFTER


def _settle(message: OutboxMessage, outcome: _Outcome) -> None:
    """Close the message with its answer and run the callbacks, in one transaction; or put it off."""
    if not outcome.closed or outcome.answer is None or outcome.status is None:
        _postpone(message, outcome)
        return
    now = datetime.now(UTC)
    with transaction.atomic():
        open_one = _still_open(message)
        if open_one is None:
            return
        open_one.attempts += 1
        open_one.last_status, open_one.last_error = outcome.status, outcome.error[:500]
        open_one.answer = outcome.answer.body[:LARGEST_KEPT_ANSWER]
        if outcome.status < 300:
            open_one.delivered_at = now
        else:
            open_one.failed_at = now
        open_one.save()
        messages.answered(open_one, outcome.status, dict(outcome.answer.object()) or None)


def _postpone(message: OutboxMessage, outcome: _Outcome) -> None:
    now = datetime.now(UTC)
    with transaction.atomic():
        open_one = _still_open(message)
        if open_one is None:
            return
        open_one.attempts += 1
        open_one.last_status, open_one.last_error = outcome.status, outcome.error[:500]
        if not outcome.unreachable:  # an unreachable peer's pause is the courier's, for all its messages
            open_one.next_at = now + timedelta(seconds=pause_s(open_one.attempts))
        if now - open_one.created_at > GIVE_UP_AFTER:
            open_one.failed_at = now
        open_one.save()
        if open_one.failed_at:
            log.error("message %s to %s was given up after seven days", message.message_id, message.peer)
            messages.answered(open_one, None, None)


def _still_open(message: OutboxMessage) -> OutboxMessage | None:
    now = OutboxMessage.objects.select_for_update().filter(id=message.id).first()
    return None if now is None or now.delivered_at or now.failed_at else now
