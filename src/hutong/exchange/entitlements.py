"""Whose key it is and what its department may read.

Read from the database in a thread and remembered for ENTITLED_FOR_S: a revoked key works that much longer at most.
Whether the agreement itself is in force is the provider's to say, for every request.
"""

from __future__ import annotations

import asyncio
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from hutong.exchange.asking import NoKey
from hutong.exchange.database import json_value, moment, reading
from hutong.vocabulary.errors import Refused

ENTITLED_FOR_S = 0.5  # owner: the application's door
MOST_KNOWN = 10_000  # pairs of key and agreement remembered at once

_KEY = (
    "SELECT department, application, expires_at, revoked_at, purpose, case_number FROM exchange_api_key"
    " WHERE key_digest = %s"
)
_ENTITLEMENT = "SELECT provider, case_key FROM exchange_entitlement WHERE agreement_id = %s AND department = %s"
_READABLE = (
    "SELECT agreement_id, provider, state, items, purposes, ends_at FROM exchange_entitlement"
    " WHERE department = %s ORDER BY agreement_id"
)


class NoEntitlement(Refused):
    """Your department has no agreement {agreement}."""

    zh = "本部门没有协议 {agreement}。"
    code = "no_entitlement"
    next_en = "See what this key may read: GET /exchange/v1/agreements"
    next_zh = "查看此密钥可读取的协议：GET /exchange/v1/agreements"


class KeyBound(Refused):
    """This key is bound to one purpose and case, and the request names others."""

    zh = "此密钥限定了用途和办件编号，请求中写明的与之不符。"
    code = "key_bound"
    next_en = "Name those it was made for, or use a key that is not bound."
    next_zh = "请使用其限定的用途和办件编号，或换用未限定的密钥。"


@dataclass(frozen=True, slots=True)
class Application:
    """purpose, case_number   what its key is bound to; "" for a key that names them with each read"""

    department: str
    name: str
    purpose: str = ""
    case_number: str = ""

    def check_bound(self, purpose: str, case_number: str) -> None:
        """raises   KeyBound"""
        if self.purpose and (purpose, case_number) != (self.purpose, self.case_number):
            raise KeyBound()


@dataclass(frozen=True, slots=True)
class Entitled:
    """An application and the agreement it may read under."""

    application: Application
    agreement: str
    provider: str
    case_key: bytes


class Entitlements:
    """What this process knows of keys and agreements. Lives on the event loop."""

    def __init__(self, threads: ThreadPoolExecutor) -> None:
        self._threads = threads
        self._known: dict[tuple[str, str], tuple[float, Entitled]] = {}
        self._being_read: dict[tuple[str, str], asyncio.Future[Entitled]] = {}

    def known(self, key_digest: str, agreement: str) -> Entitled | None:
        """What was read within ENTITLED_FOR_S, else None. Reads it anew in good time, so that nobody waits for it."""
        pair = (key_digest, agreement)
        found = self._known.get(pair)
        left_s = 0.0 if found is None else found[0] - time.monotonic()
        if found is None or left_s < 0:
            return None
        if left_s < ENTITLED_FOR_S / 2 and pair not in self._being_read:
            self._read(pair)
        return found[1]

    async def read(self, key_digest: str, agreement: str) -> Entitled:
        """From the database; all who ask while it is read share the one look.

        raises   NoKey, NoEntitlement, Unavailable
        """
        pair = (key_digest, agreement)
        return await asyncio.shield(self._being_read.get(pair) or self._read(pair))

    def _read(self, pair: tuple[str, str]) -> asyncio.Future[Entitled]:
        until = time.monotonic() + ENTITLED_FOR_S
        looking = asyncio.get_running_loop().run_in_executor(self._threads, entitled_to, *pair)
        self._being_read[pair] = looking
        looking.add_done_callback(lambda found: self._remember(pair, until, found))
        return looking

    def _remember(self, pair: tuple[str, str], until: float, found: asyncio.Future[Entitled]) -> None:
        del self._being_read[pair]
        if found.cancelled() or found.exception() is not None:
            self._known.pop(pair, None)
            return
        if len(self._known) >= MOST_KNOWN:
            self._known.clear()
        self._known[pair] = (until, found.result())


def entitled_to(key_digest: str, agreement: str) -> Entitled:
    """From a worker thread.

    raises   NoKey, NoEntitlement (also for another department's agreement), Unavailable
    """
    found = application_of(key_digest)
    with reading("the node's database") as cursor:
        cursor.execute(_ENTITLEMENT, (agreement, found.department))
        row = cursor.fetchone()
    if row is None:
        raise NoEntitlement(agreement=agreement)
    return Entitled(found, agreement, row[0], bytes(row[1]))


def application_of(key_digest: str) -> Application:
    """raises NoKey for a key that is unknown, expired or revoked (from outside they are alike), Unavailable"""
    with reading("the node's database") as cursor:
        cursor.execute(_KEY, (key_digest,))
        row = cursor.fetchone()
    if row is None or row[3] is not None or (row[2] is not None and moment(row[2]) <= datetime.now(UTC)):
        raise NoKey()
    return Application(row[0], row[1], row[4], row[5])


def readable(department: str) -> list[dict[str, Any]]:
    """Every agreement of a department, for its applications to see."""
    with reading("the node's database") as cursor:
        cursor.execute(_READABLE, (department,))
        rows = cursor.fetchall()
    return [
        {
            "agreement": agreement,
            "provider": provider,
            "state": state,
            "items": json_value(items),
            "purposes": json_value(purposes),
            "ends_at": moment(ends_at).isoformat() if ends_at else None,
        }
        for agreement, provider, state, items, purposes, ends_at in rows
    ]
