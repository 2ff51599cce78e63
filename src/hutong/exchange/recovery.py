"""After a crash: what one side has on record and the other lacks is found and put on record.

As provider: a stream left `open` by a killed process is closed as `cut`.
As consumer: every provider is asked for its receipts of exchanges with us (GET /exchange/receipts?after=); those we
lack are recorded as `recovered`, naming the provider's receipt. Our own streams left `open` or `cut` are asked about
one by one: if the provider served them whole, that is recorded too, so both ledgers say the same.

Runs when the exchange starts, after a message nobody answered, and nightly.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

from hutong.exchange.database import reading
from hutong.exchange.register import Line, Register
from hutong.exchange.wire import BadAnswer
from hutong.ledger.receipt import Receipt
from hutong.node.client import NodeClient
from hutong.node.keyring import KeyRing
from hutong.vocabulary.errors import Refused
from hutong.vocabulary.moments import rfc3339

NIGHTLY_S = 24 * 3600.0
SOON_S = 2.0  # after a message nobody answered: the peer may be restarting
LONGEST_PAUSE_S = 300.0  # between tries while a peer is down
LOOK_BACK = timedelta(days=2)  # how long our own cut streams are asked about

log = logging.getLogger(__name__)


class Recovery:
    """One per process. Two workers that recover at once write nothing twice: the register knows each exchange."""

    def __init__(self, ring: KeyRing, register: Register, client: NodeClient, threads: ThreadPoolExecutor) -> None:
        self._ring = ring
        self._register = register
        self._client = client
        self._threads = threads
        self._jurisdiction = ring.settings.jurisdiction
        self._nudged = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        if self._task is None:
            self._task = asyncio.get_running_loop().create_task(self._run())

    async def stop(self) -> None:
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task
            self._task = None

    def nudge(self) -> None:
        """A message got no answer: ask soon what became of its exchanges."""
        self._nudged.set()

    async def once(self) -> bool:
        """One round. False when a provider could not be asked."""
        complete = True
        for peer in await self._in_thread(_providers):
            try:
                await self._from(peer)
            except Refused as refused:
                log.warning("recovery: %s could not be asked: %s", peer, refused.code)
                complete = False
        return complete

    async def _run(self) -> None:
        pause_s = 0.0
        await self._guarded(self._close_left_open())
        while True:
            if await self._guarded(self.once()):
                pause_s = 0.0
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(self._nudged.wait(), NIGHTLY_S)
                    await asyncio.sleep(SOON_S)
            else:
                pause_s = min(max(pause_s * 2, SOON_S), LONGEST_PAUSE_S)
                await asyncio.sleep(pause_s)
            self._nudged.clear()

    async def _guarded(self, work: Any) -> bool:
        """The edge of a background task: whatever fails is logged and tried again."""
        try:
            return await work is not False
        except Exception:
            log.exception("recovery failed")
            return False

    async def _close_left_open(self) -> None:
        """As provider: streams that a killed process left open are cut, and on record as that."""
        rows = await self._in_thread(_open_as_provider)
        lines = [Line(self._receipt(row, outcome="cut", code="crashed")) for row in rows]
        if lines:
            log.warning("recovery: %d streams were left open and are closed as cut", len(lines))
            await self._register.commit(lines)

    async def _from(self, peer: str) -> None:
        address = self._ring.addresses(peer)
        if address is None:
            return
        await self._missing(peer, address[1])
        for row in await self._in_thread(_unsure, peer):
            await self._ask_about(row, peer, address[1])

    async def _missing(self, peer: str, address: str) -> None:
        """Exchanges that are on record there and not here."""
        after = await self._in_thread(_mark, peer)
        while True:
            answer = await self._client.call("GET", f"{address}/exchange/receipts?after={after}", peer=peer)
            stated = answer.object() if answer.status == 200 else {}
            receipts, next_after = stated.get("receipts"), stated.get("after")
            if not isinstance(receipts, list) or not isinstance(next_after, int):
                raise BadAnswer(reason="its list of receipts cannot be read", reason_zh="其回执列表无法读取")
            lines = [Line(self._recovered(one, peer)) for one in receipts]
            if lines:
                await self._register.commit(lines)
            await self._in_thread(_set_mark, peer, next_after)
            if next_after <= after:
                return
            after = next_after

    async def _ask_about(self, row: dict[str, Any], peer: str, address: str) -> None:
        """A stream of ours that ended badly, or that we died in: the provider knows how it ended."""
        answer = await self._client.call("GET", f"{address}/exchange/receipts/{row['exchange']}", peer=peer)
        stated = answer.object() if answer.status == 200 else {"outcome": "unknown"}
        outcome = stated.get("outcome")
        if outcome == "served":
            counts = {name: stated[name] for name in ("rows", "bytes")}
            receipt = self._receipt(
                row, outcome="recovered", response=stated["digest"], peer_receipt=stated["receipt"], **counts
            )
        elif row["outcome"] == "open" and outcome in ("cut", "unknown"):
            receipt = self._receipt(row, outcome="cut", code="crashed")
        else:
            return  # the provider's own view is still open, or both say cut
        await self._register.commit([Line(receipt)])

    def _recovered(self, stated: Any, peer: str) -> Receipt:
        """The consumer's receipt for an exchange that only the provider has on record.

        raises   BadAnswer
        """
        try:
            return Receipt(
                role="consumer",
                at=rfc3339(datetime.now(UTC)),
                provider=peer,
                consumer=self._jurisdiction,
                outcome="recovered",
                peer_receipt=stated["receipt"],
                response=stated["digest"],
                **{name: stated[name] for name in _STATED},
            )
        except (KeyError, TypeError) as error:
            raise BadAnswer(
                reason="a receipt in its list cannot be read", reason_zh="其回执列表中有回执无法读取"
            ) from error

    def _receipt(self, row: dict[str, Any], **counts: Any) -> Receipt:
        """A further receipt of an exchange in our register."""
        provider, consumer = (
            (self._jurisdiction, row["peer"]) if row["role"] == "provider" else (row["peer"], self._jurisdiction)
        )
        return Receipt(
            role=row["role"],
            exchange=row["exchange"],
            at=rfc3339(datetime.now(UTC)),
            agreement=row["agreement"],
            provider=provider,
            consumer=consumer,
            purpose=row["purpose"],
            case=row["case"],
            request=row["request"],
            form=row["form"],
            **{"response": "", "rows": 0, "bytes": 0, **counts},
        )

    async def _in_thread(self, function: Any, *arguments: Any) -> Any:
        return await asyncio.get_running_loop().run_in_executor(self._threads, function, *arguments)


_STATED = ("exchange", "agreement", "purpose", "case", "request", "rows", "bytes", "code", "form")
_ROW = ("exchange", "role", "peer", "agreement", "purpose", "case", "request", "form", "outcome")
_SELECT_ROW = (
    "SELECT exchange_id, role, peer, agreement_id, purpose, case_digest, request_digest, form, outcome"
    " FROM exchange_record WHERE"
)


def _providers() -> list[str]:
    with reading("the node's database") as cursor:
        cursor.execute("SELECT DISTINCT provider FROM exchange_entitlement ORDER BY provider")
        return [row[0] for row in cursor.fetchall()]


def _open_as_provider() -> list[dict[str, Any]]:
    return _rows(_SELECT_ROW + " role = 'provider' AND outcome = 'open'", ())


def _unsure(peer: str) -> list[dict[str, Any]]:
    """Our own streams whose end we do not know, or that broke for us and may not have broken for the provider."""
    since = datetime.now(UTC) - LOOK_BACK
    with reading("the use register") as cursor:
        at = cursor.db.ops.adapt_datetimefield_value(since)
    return _rows(
        _SELECT_ROW + " role = 'consumer' AND peer = %s AND outcome IN ('open', 'cut') AND at >= %s", (peer, at)
    )


def _rows(statement: str, parameters: tuple[Any, ...]) -> list[dict[str, Any]]:
    with reading("the use register") as cursor:
        cursor.execute(statement, parameters)
        return [dict(zip(_ROW, row, strict=True)) for row in cursor.fetchall()]


def _mark(peer: str) -> int:
    with reading("the node's database") as cursor:
        cursor.execute("SELECT after FROM exchange_recovery_mark WHERE peer = %s", (peer,))
        row = cursor.fetchone()
        return int(row[0]) if row else 0


def _set_mark(peer: str, after: int) -> None:
    with reading("the node's database") as cursor:
        cursor.execute(
            "INSERT INTO exchange_recovery_mark (peer, after) VALUES (%s, %s)"
            " ON CONFLICT (peer) DO UPDATE SET after = excluded.after",
            (peer, after),
        )
