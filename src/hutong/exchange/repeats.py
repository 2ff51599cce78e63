"""An application that asks again: the same Idempotency-Key is the same exchange, and is never counted twice.

The exchange's id is derived from the application's word for it, under a key that stays at this node: an application can
neither choose an id nor meet another's. Kept for the time the provider answers repeats.
"""

from __future__ import annotations

import hmac
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

from hutong.exchange.asking import Ask
from hutong.exchange.database import moment, reading
from hutong.exchange.register import REPEAT_WINDOW, ExchangeReused
from hutong.vocabulary.errors import Refused
from hutong.vocabulary.ids import new_id

_SELECT = "SELECT request_digest, at FROM exchange_record WHERE exchange_id = %s AND role = 'consumer'"


class StillUnderWay(Refused):
    """The read with this Idempotency-Key is still under way."""

    zh = "使用此 Idempotency-Key 的读取仍在进行中。"
    code = "still_under_way"
    status = 409
    next_en = "Wait for its answer, or ask again when its connection has ended."
    next_zh = "请等待其答复，或在其连接结束后重试。"


def exchange_id(ask: Ask, case_key: bytes) -> str:
    """A new id; for an ask with an Idempotency-Key the same id each time, a UUID version 8 (RFC 9562)."""
    if not ask.idempotency_key:
        return new_id()
    named = f"exchange\n{ask.key_digest}\n{ask.agreement}\n{ask.idempotency_key}".encode()
    number = int.from_bytes(hmac.digest(case_key, named, "sha256")[:16], "big")
    number = (number & ~(0xF << 76)) | (0x8 << 76)
    return str(uuid.UUID(int=(number & ~(0x3 << 62)) | (0x2 << 62)))


def refuse_another_use(exchange: str, request_digest: str) -> None:
    """Refuse here, alone, what the provider would have to refuse together with the message it travels in.

    raises   ExchangeReused when the key stood for another query, or longer ago than repeats are answered
    """
    with reading("the use register") as cursor:
        cursor.execute(_SELECT, [exchange])
        before = cursor.fetchone()
    if before is not None and (before[0] != request_digest or datetime.now(UTC) - moment(before[1]) > REPEAT_WINDOW):
        raise ExchangeReused(exchange=exchange)


class UnderWay:
    """The named reads this process is carrying. Lives on the event loop."""

    def __init__(self) -> None:
        self._named: set[tuple[Any, ...]] = set()

    @contextmanager
    def hold(self, ask: Ask) -> Iterator[None]:
        """raises StillUnderWay"""
        name = (ask.key_digest, ask.agreement, ask.idempotency_key)
        if not ask.idempotency_key:
            yield
            return
        if name in self._named:
            raise StillUnderWay()
        self._named.add(name)
        try:
            yield
        finally:
            self._named.discard(name)
