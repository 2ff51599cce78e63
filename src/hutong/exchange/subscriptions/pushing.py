"""Sending what is logged to the consumers' nodes: batch by batch, each under the grant as it stands at that moment.

One batch of a feed is under way at a time, so events arrive in order; feeds do not wait for each other, nor for a node
that does not answer. The receipt is durable before the batch leaves: what is sent again after a cut is the same batch,
exchange and receipt, and counts once. What a consumer has no room for waits here.
"""

from __future__ import annotations

import asyncio
import logging
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any, Final

import orjson

from hutong.exchange.database import reading
from hutong.exchange.grants.book import Book
from hutong.exchange.grants.rules import NoGrant, check_changes
from hutong.exchange.models import ChangeFeed
from hutong.exchange.register import Line, Register
from hutong.exchange.subscriptions import log
from hutong.exchange.subscriptions.feeds import LOOKING
from hutong.exchange.subscriptions.watching import MOST_WAITING, troubled
from hutong.ledger.receipt import Receipt, Role
from hutong.node import work
from hutong.node.client import NodeClient, SignedAnswer
from hutong.node.keyring import ring
from hutong.node.settings import current
from hutong.vocabulary.canonical import digest
from hutong.vocabulary.errors import Refused, Unavailable
from hutong.vocabulary.moments import rfc3339

PUSH_EVERY_S: Final = 2.0
PATH: Final = "/exchange/events"
EVENTS: Final = "events"  # the form of a batch
ANSWER_WITHIN_S: Final = 20.0
LOOK_AGAIN_S: Final = 0.25  # for feeds that became due while others are still being sent
_DUE = (
    "SELECT agreement_id, peer, acknowledged FROM exchange_change_feed"
    " WHERE state = 'open' AND position > acknowledged AND push_at <= %s ORDER BY push_at"
)
_ACKNOWLEDGED = (
    "UPDATE exchange_change_feed SET acknowledged = %s, failures = 0, trouble = ''"
    " WHERE agreement_id = %s AND acknowledged = %s"
)
_ON_RECORD = "SELECT 1 FROM exchange_record WHERE exchange_id = %s AND role = 'provider'"

logger = logging.getLogger("hutong.subscriptions")


class NotTaken(Refused):
    """The consumer's node {peer} did not take the changes: {reason}"""

    zh = "使用方节点 {peer} 未接收变更：{reason}"
    code = "changes_not_taken"
    status = 502
    next_en = "They wait here, in order, and are sent again."
    next_zh = "变更在此按序等候，将自动重发。"


def push_due() -> None:
    """Send everything that is due, and what becomes due meanwhile."""
    asyncio.run(_Pusher().run())


@lru_cache(maxsize=1)
def _register() -> Register:
    """One writer for this process's pushes."""
    made = Register()
    made.start()
    return made


class _Pusher:
    """One run. Ends when nothing is due."""

    def __init__(self) -> None:
        self._book = Book()
        self._threads = ThreadPoolExecutor(4, thread_name_prefix="hutong-pushes")
        self._under_way: dict[str, asyncio.Task[None]] = {}

    async def run(self) -> None:
        try:
            async with NodeClient(ring()) as client:
                while await self._begin(client):
                    await asyncio.wait(
                        self._under_way.values(), timeout=LOOK_AGAIN_S, return_when=asyncio.FIRST_COMPLETED
                    )
                    self._under_way = {one: task for one, task in self._under_way.items() if not task.done()}
        finally:
            self._threads.shutdown(wait=True)

    async def _begin(self, client: NodeClient) -> bool:
        """Take up every feed that is due and not under way. False when none is left."""
        for agreement, peer, acknowledged in await self._in_thread(_due):
            if agreement not in self._under_way:
                self._under_way[agreement] = asyncio.create_task(self._feed(client, agreement, peer, acknowledged))
        return bool(self._under_way)

    async def _feed(self, client: NodeClient, agreement: str, peer: str, acknowledged: int) -> None:
        """Send one feed's batches until none waits, or one is not taken."""
        began_at = acknowledged
        try:
            while True:
                kept = await self._in_thread(_next, agreement, acknowledged)
                if kept is None:
                    break
                line = await self._in_thread(self._admitted, agreement, peer, kept)
                if line is not None:
                    await _register().commit([line])
                await self._send(client, peer, kept)
                await self._in_thread(_acknowledge, agreement, acknowledged, kept.last)
                acknowledged = kept.last
        except Refused as refused:
            await self._in_thread(troubled, agreement, refused, "push_at")
        except Exception:
            # The edge of a feed: what nobody foresaw must not stop the others, nor come back at once.
            logger.exception("subscription %s could not be sent", agreement)
            await self._in_thread(
                troubled, agreement, Unavailable(what="the subscription", what_zh="该订阅"), "push_at"
            )
        if acknowledged - began_at >= MOST_WAITING // 2:
            work.wake(LOOKING)  # there is room in the log again

    async def _send(self, client: NodeClient, peer: str, kept: log.Kept) -> None:
        """raises   NotTaken, NoAnswer, UnsignedAnswer"""
        addresses = ring().addresses(peer)
        if addresses is None:
            raise Unavailable(what=peer)
        answer = await client.call(
            "POST", addresses[1] + PATH, kept.body, peer=peer, message_id=None, timeout_s=ANSWER_WITHIN_S
        )
        said = answer.object().get("acknowledged")
        if answer.status != 200 or type(said) is not int or said < kept.last:
            raise _not_taken(peer, answer)

    def _admitted(self, agreement: str, peer: str, kept: log.Kept) -> Line | None:
        """The line to be durable before the batch leaves; None where it is on record already.

        raises   what check_changes raises, NoGrant
        """
        opened = self._book.open({agreement}, datetime.now(UTC).date()).get(agreement)
        if opened is None or opened.grant.consumer != peer:
            raise NoGrant(agreement=agreement)
        with reading("the use register") as cursor:
            cursor.execute(_ON_RECORD, (kept.exchange,))
            on_record = cursor.fetchone() is not None
        head = orjson.loads(kept.body)
        rows = 0 if on_record else len(head["events"])
        check_changes(opened.grant, opened.standing, head["purpose"], rows, datetime.now(UTC))
        if on_record:
            return None
        # It is sent, not asked for: its rows count, and no call.
        made = receipt_of(head, kept.body, role="provider", provider=current().jurisdiction, consumer=peer)
        return Line(made, calls=0)

    async def _in_thread(self, function: Any, *arguments: Any) -> Any:
        return await asyncio.get_running_loop().run_in_executor(self._threads, function, *arguments)


def receipt_of(head: dict[str, Any], body: bytes, *, role: Role, provider: str, consumer: str) -> Receipt:
    """The receipt of a batch, the same at both sides but for the role."""
    asked = {name: head[name] for name in ("agreement", "case", "exchange", "first", "last", "purpose")}
    return Receipt(
        role=role,
        exchange=head["exchange"],
        at=rfc3339(datetime.now(UTC)),
        agreement=head["agreement"],
        provider=provider,
        consumer=consumer,
        purpose=head["purpose"],
        case=head["case"],
        request=digest(orjson.dumps(asked, option=orjson.OPT_SORT_KEYS)),
        response=digest(body),
        rows=len(head["events"]),
        bytes=len(body),
        outcome="served",
        form=EVENTS,
        positions=(head["first"], head["last"]),
    )


def _due() -> list[tuple[str, str, int]]:
    with reading("the feeds") as cursor:
        cursor.execute(_DUE, (cursor.db.ops.adapt_datetimefield_value(datetime.now(UTC)),))
        return list(cursor.fetchall())


def _next(agreement: str, acknowledged: int) -> log.Kept | None:
    """The batch after what is acknowledged, unless the feed waits again or was moved."""
    fed = ChangeFeed.objects.filter(agreement_id=agreement, state="open", acknowledged=acknowledged).exists()
    return next(log.after(agreement, "provider", acknowledged), None) if fed else None


def _acknowledge(agreement: str, before: int, last: int) -> None:
    """Unless the consumer has meanwhile asked for earlier ones again."""
    with reading("the feeds") as cursor:
        cursor.execute(_ACKNOWLEDGED, (last, agreement, before))


def _not_taken(peer: str, answer: SignedAnswer) -> NotTaken:
    said = answer.object()
    reason, reason_zh = (str(said.get(name, answer.status))[:200] for name in ("title", "title_zh"))
    return NotTaken(peer=peer, reason=reason, reason_zh=reason_zh)
