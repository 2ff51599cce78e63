"""Whose message is read next: consumers take turns at the provider's exchange, so that one's flood is its own.

Start-time fair queueing. While there is room a message is read at once, and costs one dictionary entry. Under load each
consumer's messages queue behind its own, by what they cost, and the one that has had least goes next. Queues are
bounded: beyond that a message is refused, with when to come again, before anything is read for it.
"""

from __future__ import annotations

import asyncio
import heapq
import itertools
from collections import Counter
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from typing import Any, Final, TypeVar

from hutong.exchange.grants.rules import ProviderBusy

AT_ONCE: Final = 6  # messages read together; the process has two threads more, for what is not a message
MOST_WAITING_EACH: Final = 64  # messages of one consumer; each may hold 256 queries
MOST_WAITING: Final = 512  # of all
COST_OF_A_MESSAGE: Final = 512  # bytes that opening and signing one weighs as much as
COST_OF_A_PIECE: Final = 8_192  # bytes of queries that reading and signing a piece of a file weighs as much as: some ms

T = TypeVar("T")


class Turns:
    """The queue of one process. Lives on its event loop."""

    def __init__(self, at_once: int = AT_ONCE) -> None:
        self._free = at_once
        self._now = 0.0  # virtual time: the start of what was begun last
        self._finish: dict[str, float] = {}  # by consumer, when what it has asked for will have been paid
        self._waiting: list[tuple[float, int, str, asyncio.Future[None]]] = []
        self._of: Counter[str] = Counter()
        self._numbers = itertools.count()

    @asynccontextmanager
    async def turn(self, consumer: str, size: int) -> AsyncIterator[None]:
        """Wait for one's turn, and hold it.

        size     bytes of the message: what it costs
        raises   ProviderBusy at once, where too many wait
        """
        start = max(self._now, self._finish.get(consumer, 0.0))
        if self._free and not self._waiting:
            self._free -= 1
            self._now = start
            self._finish[consumer] = start + COST_OF_A_MESSAGE + size
        else:
            await self._wait(consumer, start, COST_OF_A_MESSAGE + size)
        try:
            yield
        finally:
            self._free += 1
            self._next()

    async def _wait(self, consumer: str, start: float, cost: float) -> None:
        waiting = self._of[consumer]
        if waiting >= MOST_WAITING_EACH or len(self._waiting) >= MOST_WAITING:
            raise ProviderBusy(waiting=waiting)
        called: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        heapq.heappush(self._waiting, (start, next(self._numbers), consumer, called))
        self._finish[consumer] = start + cost
        self._of[consumer] += 1
        try:
            await called
        except asyncio.CancelledError:
            if called.done() and not called.cancelled():
                self._free += 1  # its turn came as it went away
                self._next()
            raise

    def _next(self) -> None:
        while self._free and self._waiting:
            start, _, consumer, called = heapq.heappop(self._waiting)
            self._of[consumer] -= 1
            if called.done():
                continue  # whoever asked has gone
            self._free -= 1
            self._now = max(self._now, start)
            called.set_result(None)


class Workers:
    """Threads for long work that consumers take turns at: whoever has much of it waits behind itself."""

    def __init__(self, at_once: int, name: str) -> None:
        self._threads = ThreadPoolExecutor(at_once, thread_name_prefix=name)
        self._turns = Turns(at_once)

    async def do(self, consumer: str, work: Callable[..., T], *arguments: Any) -> T:
        """Wait for a turn, and do it in a thread. raises   ProviderBusy, and what the work raises"""
        async with self._turns.turn(consumer, 0):
            return await asyncio.get_running_loop().run_in_executor(self._threads, work, *arguments)

    def stop(self) -> None:
        """What has not begun never will."""
        self._threads.shutdown(wait=False, cancel_futures=True)
