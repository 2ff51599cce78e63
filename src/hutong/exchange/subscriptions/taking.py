"""An application takes a subscription's changes from its own node.

    GET /exchange/v1/agreements/<agreement>/events?after=<position>&limit=<n>&wait=<seconds>

JSON: what follows the position, or what comes within the wait. NDJSON: an event a line, for as long as the application
listens. `after` says what it has: what lies before may be forgotten, and room is made for more.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final
from urllib.parse import parse_qsl

import orjson

from hutong.exchange.asgi import Receive, Scope, Send, disconnected, headers_of, path_of, respond_json
from hutong.exchange.asking import PREFIX, key_digest
from hutong.exchange.database import reading
from hutong.exchange.entitlements import entitled_to
from hutong.exchange.query import is_agreement
from hutong.exchange.subscriptions import log
from hutong.exchange.subscriptions.arriving import NotSubscribed
from hutong.exchange.subscriptions.feeds import ReplayGone
from hutong.node.draining import draining
from hutong.vocabulary.errors import BadInput, NotFound, Refused, WrongMethod
from hutong.vocabulary.ids import urn

SUFFIX: Final = "/events"
METHOD: Final = "GET"
NDJSON: Final = "application/x-ndjson"
MOST_AT_ONCE: Final = 10_000  # events of one answer
LONGEST_WAIT_S: Final = 30
LOOK_EVERY_S: Final = 0.1  # for a change that another process took in
STILL_HERE_S: Final = 15.0  # an empty line, so that nothing between takes the stream for dead
BATCHES_AT_ONCE: Final = 8
_STANDS = "SELECT received FROM exchange_subscribed WHERE agreement_id = %s"
_TAKEN = "UPDATE exchange_subscribed SET taken = %s WHERE agreement_id = %s AND taken < %s AND received >= %s"

logger = logging.getLogger("hutong.subscriptions")


class Taking:
    """The application's door for changes. One per process."""

    def __init__(self, threads: ThreadPoolExecutor) -> None:
        self._threads = threads

    async def events(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["method"] != METHOD:
            raise WrongMethod(allowed=METHOD)
        headers = headers_of(scope)
        agreement = urn(path_of(scope)[len(PREFIX) : -len(SUFFIX)])
        if not is_agreement(agreement):
            raise NotFound(what="agreement", name="of that form", name_zh="（编号格式不符）")
        after, limit, wait_s = _asked(scope["query_string"])
        await self._in_thread(entitled_to, key_digest(headers), agreement)
        received = await self._in_thread(_taken, agreement, after)
        if after > received:
            raise BadInput(reason=f"the newest position is {received}", reason_zh=f"最新位置为 {received}")
        if NDJSON in headers.get("accept", ""):
            return await self._stream(agreement, after, receive, send)
        await self._wait(agreement, after, time.monotonic() + wait_s)
        found, _ = await self._in_thread(_events, agreement, after, limit)
        position = int(found[-1]["sequence"]) if found else after
        await respond_json(send, 200, {"events": found, "position": position})
        return None

    async def _stream(self, agreement: str, after: int, receive: Receive, send: Send) -> None:
        """Until the application or this server goes. What it was handed before the newest part counts as taken."""
        head = [(b"content-type", NDJSON.encode("ascii"))]
        await send({"type": "http.response.start", "status": 200, "headers": head})
        gone = asyncio.ensure_future(disconnected(receive))
        try:
            while not (gone.done() or draining()):
                await self._wait(agreement, after, time.monotonic() + STILL_HERE_S, lambda: gone.done() or draining())
                found, lines = await self._in_thread(_events, agreement, after, MOST_AT_ONCE)
                await send({"type": "http.response.body", "body": lines or b"\n", "more_body": True})
                if found:
                    await self._in_thread(_taken, agreement, after)
                    after = int(found[-1]["sequence"])
            await send({"type": "http.response.body", "body": b"", "more_body": False})
        except Refused as refused:
            logger.warning("a stream of changes ended: %s", refused.code)  # it has begun, so nobody can be told
        finally:
            gone.cancel()

    async def _wait(self, agreement: str, after: int, until: float, gone: Callable[[], bool] = lambda: False) -> None:
        while await self._in_thread(_received, agreement) <= after and time.monotonic() < until and not gone():
            await asyncio.sleep(LOOK_EVERY_S)

    async def _in_thread(self, function: Any, *arguments: Any) -> Any:
        return await asyncio.get_running_loop().run_in_executor(self._threads, function, *arguments)


def _asked(query_string: bytes) -> tuple[int, int, float]:
    """raises   BadInput"""
    given = dict(parse_qsl(query_string.decode("latin-1"), keep_blank_values=True))
    try:
        after, limit, wait_s = (int(given.pop(name, default)) for name, default in _DEFAULTS)
    except ValueError:
        given["?"] = ""
    if given or not (0 <= after < 2**53 and 1 <= limit <= MOST_AT_ONCE and 0 <= wait_s <= LONGEST_WAIT_S):
        raise BadInput(
            reason=f"after is a position, limit at most {MOST_AT_ONCE}, wait at most {LONGEST_WAIT_S} seconds",
            reason_zh=f"after 为位置，limit 至多 {MOST_AT_ONCE}，wait 至多 {LONGEST_WAIT_S} 秒",
        )
    return after, limit, wait_s


_DEFAULTS = (("after", "0"), ("limit", "1000"), ("wait", "0"))


def _received(agreement: str) -> int:
    """raises   NotSubscribed"""
    with reading("the subscriptions") as cursor:
        cursor.execute(_STANDS, (agreement,))
        row = cursor.fetchone()
    if row is None:
        raise NotSubscribed(agreement=agreement)
    return int(row[0])


def _taken(agreement: str, after: int) -> int:
    """Note what an application has. returns how far we hold the changes

    raises   NotSubscribed, ReplayGone where what follows was taken and is no longer kept
    """
    received = _received(agreement)
    oldest = log.oldest(agreement, "consumer") if after < received else None
    if after < received and (oldest is None or oldest > after + 1):
        raise ReplayGone(position=after, kept=received if oldest is None else oldest - 1)
    if after:
        with reading("the subscriptions") as cursor:
            cursor.execute(_TAKEN, (after, agreement, after, after))
    return received


def _events(agreement: str, after: int, most: int) -> tuple[list[dict[str, Any]], bytes]:
    """The events after a position, and the same as lines."""
    found: list[dict[str, Any]] = []
    for kept in log.after(agreement, "consumer", after, BATCHES_AT_ONCE):
        found += [one for one in orjson.loads(kept.body)["events"] if int(one["sequence"]) > after]
        if len(found) >= most:
            break
    found = found[:most]
    return found, b"".join(orjson.dumps(one) + b"\n" for one in found)
