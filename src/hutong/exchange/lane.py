"""Group commit on the wire: queries that wait for one peer travel in one signed message.

A lone query leaves at once. Under load a message first gathers for a moment; while one is under way, a further one
leaves only when it is full enough to be worth another signature, or has waited long enough. So one signature and one
fsync on each side serve many, and a slow answer does not hold up the queries behind it. The next message does not wait
until the answers to the last are on record here.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

from hutong.exchange.outgoing import Outgoing
from hutong.exchange.query import QUERIES_PER_MESSAGE
from hutong.node import metrics
from hutong.vocabulary.errors import Refused, Unavailable

MESSAGES_AT_ONCE = 8  # in flight to one peer
WORTH_ANOTHER = 64  # queries that make a further one leave
# How long a message gathers after a busy one, as a share of that one's round trip: its answers bring the next queries,
# one by one. Too short, and two half-empty messages chase each other for ever.
GATHER_SHARE, GATHER_LEAST_S, GATHER_MOST_S = 0.5, 0.0005, 0.01
BUSY = 4  # queries in a message that make it a busy one
WAIT_AT_MOST_S = 0.02  # a query waits so long behind a slow answer, then it leaves in a further message
ROWS_PER_MESSAGE = 20_000  # bounds what one answer can hold
MOST_WAITING = 20_000  # queries that may wait for one peer; beyond it the node says so instead of growing

Answered = TypeVar("Answered")

log = logging.getLogger(__name__)


class Busy(Unavailable):
    """Too many queries wait for {peer}."""

    zh = "等待 {peer} 答复的查询过多。"
    code = "busy"
    retry_after_s = 1
    next_en = "Try again shortly, with fewer queries at once."
    next_zh = "请稍后重试，并减少同时发出的查询。"


@dataclass(frozen=True, slots=True)
class Reply:
    """What the application gets."""

    status: int
    headers: list[tuple[bytes, bytes]]
    body: bytes


@dataclass(slots=True, eq=False)
class Waiting:
    """A query and whoever waits for its reply."""

    outgoing: Outgoing
    reply: asyncio.Future[Reply]

    def settle(self, outcome: Reply | Refused) -> None:
        if self.reply.done():
            return  # the application has gone
        if isinstance(outcome, Refused):
            self.reply.set_exception(outcome)
        else:
            self.reply.set_result(outcome)


class Lane(Generic[Answered]):
    """The queue to one peer. Lives on the event loop.

    ask      takes a batch to the peer and brings the answer
    settle   puts the answer on record and settles every one of the batch; the next message need not wait for it
    """

    def __init__(
        self,
        peer: str,
        ask: Callable[[str, list[Waiting]], Awaitable[Answered]],
        settle: Callable[[list[Waiting], Answered], Awaitable[None]],
    ) -> None:
        self._peer = peer
        self._ask = ask
        self._settle = settle
        self._waiting: deque[Waiting] = deque()
        self._counted = metrics.Waiting()
        self._in_flight = 0
        self._last_size = 0
        self._last_trip_s = 0.0
        self._timer: asyncio.TimerHandle | None = None
        self._timer_at = 0.0
        self._tasks: set[asyncio.Task[None]] = set()

    def put(self, outgoing: Outgoing) -> asyncio.Future[Reply]:
        """raises Busy"""
        if len(self._waiting) >= MOST_WAITING:
            self._counted.tell(MOST_WAITING)
            raise Busy(peer=self._peer)
        loop = asyncio.get_running_loop()
        waiting = Waiting(outgoing, loop.create_future())
        self._waiting.append(waiting)
        if self._in_flight and len(self._waiting) >= WORTH_ANOTHER and self._in_flight < MESSAGES_AT_ONCE:
            self._send()
        elif self._timer is None:
            self._send_after(loop, self._pause_s())
        return waiting.reply

    def _pause_s(self) -> float:
        """How long what waits should wait for company."""
        if self._in_flight:
            return WAIT_AT_MOST_S
        if self._last_size < BUSY:
            return 0.0
        return min(max(self._last_trip_s * GATHER_SHARE, GATHER_LEAST_S), GATHER_MOST_S)

    def _send_after(self, loop: asyncio.AbstractEventLoop, delay_s: float) -> None:
        """Send then, unless something sends sooner. Never later than what was set before."""
        due_at = loop.time() + delay_s
        if self._timer is not None:
            if self._timer_at <= due_at:
                return
            self._timer.cancel()
        self._timer, self._timer_at = loop.call_at(due_at, self._on_timer), due_at

    def _on_timer(self) -> None:
        self._timer = None
        if self._in_flight < MESSAGES_AT_ONCE:
            self._send()

    def _send(self) -> None:
        """One message with what waits."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if not self._waiting:
            return
        batch = self._batch()
        self._counted.tell(len(self._waiting))
        self._in_flight += 1
        self._last_size = len(batch)
        loop = asyncio.get_running_loop()
        task = loop.create_task(self._carry_one(batch))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        if self._waiting:
            self._send_after(loop, self._pause_s())

    def _batch(self) -> list[Waiting]:
        batch: list[Waiting] = []
        rows = 0
        while self._waiting and len(batch) < QUERIES_PER_MESSAGE and rows < ROWS_PER_MESSAGE:
            batch.append(self._waiting.popleft())
            rows += batch[-1].outgoing.likely_rows
        return batch

    async def _carry_one(self, batch: list[Waiting]) -> None:
        outcome: Refused = Unavailable(what=self._peer)
        try:
            answered = await self._ask_one(batch)
            await self._settle(batch, answered)
        except Refused as refused:
            outcome = refused
        except Exception:
            log.exception("exchange: a message to %s failed", self._peer)
        finally:
            for waiting in batch:
                waiting.settle(outcome)

    async def _ask_one(self, batch: list[Waiting]) -> Answered:
        loop = asyncio.get_running_loop()
        left_at = loop.time()
        try:
            return await self._ask(self._peer, batch)
        finally:
            self._in_flight -= 1
            self._last_trip_s = loop.time() - left_at
            if self._waiting:
                self._send_after(loop, self._pause_s())
