"""The consumer's node takes a batch of changes: POST /exchange/events, signed by the provider's node.

What is acknowledged is durable here, with its receipt, in one commit. A batch that came before is acknowledged again
and stored once; one that is not the next is refused with the position that is. While the applications are too far
behind, nothing more is taken.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from hutong.exchange.database import reading
from hutong.exchange.register import Line
from hutong.exchange.subscriptions import event, log
from hutong.exchange.subscriptions.pushing import receipt_of
from hutong.ledger.receipt import Receipt
from hutong.vocabulary.errors import Refused
from hutong.vocabulary.ids import is_id

LARGEST_BATCH: Final = 32 * 1024 * 1024  # bytes; owner: the wire
MOST_HELD: Final = 500_000  # events held here that no application has taken
_SUBSCRIPTION = (
    "SELECT s.provider, s.purpose, s.case_digest, s.received, s.taken, s.state, e.state"
    " FROM exchange_subscribed s JOIN exchange_entitlement e ON e.agreement_id = s.agreement_id"
    " WHERE s.agreement_id = %s"
)
_RECEIVE = "UPDATE exchange_subscribed SET received = %s WHERE agreement_id = %s AND received >= %s AND received < %s"
_COLUMNS = ("exchange_id", "role", "agreement_id", "first", "last", "size", "digest", "sealed", "at")
_KEEP = (
    'INSERT INTO exchange_change_batch (exchange_id, role, agreement_id, "first", "last", "size", digest, sealed, at)'
    " VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s) ON CONFLICT (agreement_id, role, first) DO UPDATE"
    ' SET exchange_id = excluded.exchange_id, "last" = excluded."last", "size" = excluded."size",'
    " digest = excluded.digest, sealed = excluded.sealed, at = excluded.at"
)


class NotSubscribed(Refused):
    """This node takes no changes under agreement {agreement}."""

    zh = "本节点未订阅协议 {agreement} 下的变更。"
    code = "not_subscribed"
    status = 403
    next_en = "A consumer subscribes when delivery begins under an agreement of that mode."
    next_zh = "使用方在此类协议开始交付时订阅。"


class NotTheNext(Refused):
    """The next change here is {expected}."""

    zh = "此处应接收的下一条变更位置为 {expected}。"
    code = "not_the_next"
    status = 409
    next_en = "Send what follows from there."
    next_zh = "请从该位置起发送。"


class ApplicationsBehind(Refused):
    """{held} changes wait here for an application to take them."""

    zh = "此处有 {held} 条变更等待应用取用。"
    code = "applications_behind"
    retry_after_s = 30
    status = 429
    next_en = "Send again later; nothing is lost meanwhile."
    next_zh = "请稍后再发；期间不会丢失。"


@dataclass(frozen=True)
class Arrived:
    """The batch, written in the commit of its line."""

    columns: dict[str, Any]

    def write(self, cursor: Any, _receipt: Receipt, at: Any) -> None:
        """raises   NotTheNext; then nothing was written"""
        one = self.columns
        cursor.execute(_RECEIVE, (one["last"], one["agreement_id"], one["first"] - 1, one["last"]))
        if cursor.rowcount == 0:
            raise NotTheNext(expected=one["first"])
        cursor.execute(_KEEP, tuple(at if name == "at" else one[name] for name in _COLUMNS))


def take(body: bytes, provider: str, consumer: str) -> tuple[int, Line | None]:
    """What to acknowledge, and the line to commit before saying so; no line for what came before.

    provider   who signed the batch
    raises     BadBatch, NotSubscribed, NotTheNext, ApplicationsBehind, Unavailable
    """
    batch = event.read(body)
    with reading("the subscriptions") as cursor:
        cursor.execute(_SUBSCRIPTION, (batch.agreement,))
        found = cursor.fetchone()
    if found is None or found[0] != provider or found[5] != "open" or found[6] != "active":
        raise NotSubscribed(agreement=batch.agreement[:60])
    if (batch.purpose, batch.case) != found[1:3] or not is_id(batch.exchange):
        raise event.BadBatch(reason="its purpose or case is another", reason_zh="用途或事项与订阅不符")
    received, taken = found[3], found[4]
    if batch.last <= received:
        return received, None
    if batch.first > received + 1:
        raise NotTheNext(expected=received + 1)
    if received - taken >= MOST_HELD:
        raise ApplicationsBehind(held=received - taken)
    now = datetime.now(UTC)
    columns = log.row("consumer", batch.agreement, batch.exchange, body, places=(batch.first, batch.last), at=now)
    receipt = receipt_of(vars(batch), body, role="consumer", provider=provider, consumer=consumer)
    return batch.last, Line(receipt, keeping=Arrived(columns))
