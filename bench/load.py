"""A load generator that costs little: raw HTTP/1.1 over keep-alive connections, one request outstanding on each.

It must share two cores with what it measures, so it parses no more of an answer than its length.
"""

from __future__ import annotations

import asyncio
import contextlib
import gc
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import cast

import uvloop

Request = Callable[[int], bytes]  # the whole request, head and body, for the n-th call
TELL_EVERY_S = 30.0


@dataclass
class Run:
    """What one run saw."""

    wanted_s: float
    took_s: float = 0.0
    answered: int = 0
    failed: int = 0
    latencies_s: list[float] = field(default_factory=list)
    first_failure: bytes = b""

    @property
    def per_s(self) -> float:
        return self.answered / self.took_s if self.took_s else 0.0

    def percentile_ms(self, share: float) -> float:
        ordered = sorted(self.latencies_s)
        return ordered[min(len(ordered) - 1, int(len(ordered) * share))] * 1000 if ordered else float("nan")


Tell = Callable[[Run, int], None]


class _Caller(asyncio.Protocol):
    """One connection: sends the next request when the answer to the last one is complete."""

    def __init__(self, run: Run, request: Request, next_number: Callable[[], int]) -> None:
        self.run, self.request, self.next_number = run, request, next_number
        self.idle: Callable[[_Caller], None] | None = None
        self.received = bytearray()
        self.until_s = 0.0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)

    def send(self, due_at: float | None = None) -> None:
        """Send one request. `due_at` is when it should have left: waiting in our own queue counts as latency."""
        self.started_at = due_at or time.perf_counter()
        self.transport.write(self.request(self.next_number()))

    def data_received(self, data: bytes) -> None:
        self.received += data
        head_end = self.received.find(b"\r\n\r\n")
        if head_end < 0 or len(self.received) < head_end + 4 + _content_length(self.received, head_end):
            return
        now = time.perf_counter()
        if self.received[9:12] == b"200":
            self.run.answered += 1
            self.run.latencies_s.append(now - self.started_at)
        else:
            self.run.failed += 1
            self.run.first_failure = self.run.first_failure or bytes(self.received[:600])
        self.received.clear()
        if self.idle:
            self.idle(self)
        elif now < self.until_s:
            self.send()


def _content_length(received: bytearray, head_end: int) -> int:
    head = bytes(received[:head_end]).lower()
    at = head.find(b"content-length:")
    if at < 0:
        raise ValueError("the answer has no Content-Length")
    return int(head[at + 15 : head.find(b"\r\n", at) if head.find(b"\r\n", at) > 0 else head_end])


async def _run(
    host: str,
    port: int,
    request: Request,
    connections: int,
    duration_s: float,
    per_s: float | None = None,
    tell: Tell | None = None,
) -> Run:
    loop = asyncio.get_running_loop()
    run = Run(wanted_s=duration_s)
    counter = iter(range(10**12)).__next__
    callers = [
        (await loop.create_connection(lambda: _Caller(run, request, counter), host, port))[1]
        for _ in range(connections)
    ]
    # A pause of ours would count as the server's: cycles are collected when the run is over.
    gc.collect()
    gc.disable()
    started = time.perf_counter()
    if per_s is None:
        for caller in callers:
            caller.until_s = started + duration_s
            caller.send()
        await asyncio.sleep(duration_s)
        run.took_s = time.perf_counter() - started
    else:
        await _paced(run, callers, duration_s, per_s, tell)
        run.took_s = time.perf_counter() - started
    gc.enable()
    for caller in callers:
        caller.transport.abort()
    return run


async def _paced(run: Run, callers: list[_Caller], duration_s: float, per_s: float, tell: Tell | None) -> None:
    """Requests fall due at a fixed rate; each is measured from the moment it was due (no coordinated omission)."""
    free, waiting = list(callers), deque[float]()  # a list would be moved whole for each that leaves it

    def idle(caller: _Caller) -> None:
        if waiting:
            caller.send(waiting.popleft())
        else:
            free.append(caller)

    for caller in callers:
        caller.idle = idle
    started = time.perf_counter()
    sent, tell_at = 0, started + TELL_EVERY_S
    while (now := time.perf_counter()) < started + duration_s:
        while (due_at := started + sent / per_s) <= now:
            sent += 1
            if free:
                free.pop().send(due_at)
            else:
                waiting.append(due_at)
        if tell and now >= tell_at:
            tell(run, len(waiting))
            tell_at += TELL_EVERY_S
        await asyncio.sleep(0.001)
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(5):
            while run.answered + run.failed < sent:
                await asyncio.sleep(0.005)
    run.failed += sent - run.answered - run.failed


def closed_loop(host: str, port: int, request: Request, *, connections: int, duration_s: float) -> Run:
    """As many requests as the server answers, `connections` of them outstanding at any time."""
    return uvloop.run(_run(host, port, request, connections, duration_s))


def open_loop(
    host: str,
    port: int,
    request: Request,
    *,
    connections: int,
    duration_s: float,
    per_s: float,
    tell: Tell | None = None,
) -> Run:
    """A fixed rate, whatever the server does.

    tell   called every TELL_EVERY_S seconds with the run so far and the number of requests that wait for a connection
    """
    return uvloop.run(_run(host, port, request, connections, duration_s, per_s, tell))
