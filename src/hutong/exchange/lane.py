"""Group commit on the wire: queries that wait for one peer travel in one signed message.

Nobody waits for company. A message leaves as soon as a slot is free; whatever has come in meanwhile goes with the
next. So a lone query leaves at once, and under load one signature and one fsync on each side serve many.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from hutong.exchange.asking import Ask
from hutong.exchange.query import QUERIES_PER_MESSAGE
from hutong.vocabulary.errors import Refused, Unavailable

MESSAGES_AT_ONCE = 2  # in flight to one peer: while one is answered the next one gathers
ROWS_PER_MESSAGE = 20_000  # bounds what one answer can hold
ROWS_OF_A_LOOKUP = 10  # what a lookup without a limit is reckoned at
MOST_WAITING = 20_000  # queries that may wait for one peer; beyond it the node says so instead of growing

log = logging.getLogger(__name__)


class Busy(Unavailable):
    """Too many queries wait for {peer}."""

    zh = "等待 {peer} 答复的查询过多。"
    code = "busy"
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

    ask: Ask
    reply: asyncio.Future[Reply]

    def settle(self, outcome: Reply | Refused) -> None:
        if self.reply.done():
            return  # the application has gone
        if isinstance(outcome, Refused):
            self.reply.set_exception(outcome)
        else:
            self.reply.set_result(outcome)


class Lane:
    """The queue to one peer. Lives on the event loop.

    carry   takes a batch to the peer and settles every one of it
    """

    def __init__(self, peer: str, carry: Callable[[str, list[Waiting]], Awaitable[None]]) -> None:
        self._peer = peer
        self._carry = carry
        self._waiting: deque[Waiting] = deque()
        self._in_flight = 0
        self._scheduled = False
        self._tasks: set[asyncio.Task[None]] = set()

    def put(self, ask: Ask) -> asyncio.Future[Reply]:
        """raises Busy"""
        if len(self._waiting) >= MOST_WAITING:
            raise Busy(peer=self._peer)
        loop = asyncio.get_running_loop()
        waiting = Waiting(ask, loop.create_future())
        self._waiting.append(waiting)
        if self._in_flight < MESSAGES_AT_ONCE and not self._scheduled:
            self._scheduled = True
            loop.call_soon(self._send)  # after the others that arrived in this turn of the loop
        return waiting.reply

    def _send(self) -> None:
        self._scheduled = False
        while self._waiting and self._in_flight < MESSAGES_AT_ONCE:
            self._in_flight += 1
            task = asyncio.get_running_loop().create_task(self._carry_one(self._batch()))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    def _batch(self) -> list[Waiting]:
        batch: list[Waiting] = []
        rows = 0
        while self._waiting and len(batch) < QUERIES_PER_MESSAGE and rows < ROWS_PER_MESSAGE:
            batch.append(self._waiting.popleft())
            rows += batch[-1].ask.wanted["limit"] or ROWS_OF_A_LOOKUP
        return batch

    async def _carry_one(self, batch: list[Waiting]) -> None:
        outcome: Refused = Unavailable(what=self._peer)
        try:
            await self._carry(self._peer, batch)
        except Refused as refused:
            outcome = refused
        except Exception:
            log.exception("exchange: a message to %s failed", self._peer)
        finally:
            for waiting in batch:
                waiting.settle(outcome)
            self._in_flight -= 1
            self._send()
