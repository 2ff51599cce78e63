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

_KEY = "SELECT department, application, expires_at, revoked_at FROM exchange_api_key WHERE key_digest = %s"
_SUBSCRIPTION = "SELECT provider, case_key FROM exchange_subscription WHERE agreement_id = %s AND department = %s"
_READABLE = (
    "SELECT agreement_id, provider, state, items, purposes, ends_at FROM exchange_subscription"
    " WHERE department = %s ORDER BY agreement_id"
)


class NoSubscription(Refused):
    """Your department has no agreement {agreement}."""

    zh = "本部门没有协议 {agreement}。"
    code = "no_subscription"
    next_en = "See what this key may read: GET /exchange/v1/agreements"
    next_zh = "查看此密钥可读取的协议：GET /exchange/v1/agreements"


@dataclass(frozen=True, slots=True)
class Application:
    department: str
    name: str


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

    def known(self, key_digest: str, agreement: str) -> Entitled | None:
        """What was read within ENTITLED_FOR_S, else None."""
        found = self._known.get((key_digest, agreement))
        return None if found is None or time.monotonic() > found[0] else found[1]

    async def read(self, key_digest: str, agreement: str) -> Entitled:
        """raises NoKey, NoSubscription, Unavailable"""
        until = time.monotonic() + ENTITLED_FOR_S
        loop = asyncio.get_running_loop()
        entitled = await loop.run_in_executor(self._threads, entitled_to, key_digest, agreement)
        if len(self._known) >= MOST_KNOWN:
            self._known.clear()
        self._known[key_digest, agreement] = (until, entitled)
        return entitled


def entitled_to(key_digest: str, agreement: str) -> Entitled:
    """From a worker thread.

    raises   NoKey, NoSubscription (also for another department's agreement), Unavailable
    """
    found = application_of(key_digest)
    with reading("the node's database") as cursor:
        cursor.execute(_SUBSCRIPTION, (agreement, found.department))
        row = cursor.fetchone()
    if row is None:
        raise NoSubscription(agreement=agreement)
    return Entitled(found, agreement, row[0], bytes(row[1]))


def application_of(key_digest: str) -> Application:
    """raises NoKey for a key that is unknown, expired or revoked (from outside they are alike), Unavailable"""
    with reading("the node's database") as cursor:
        cursor.execute(_KEY, (key_digest,))
        row = cursor.fetchone()
    if row is None or row[3] is not None or (row[2] is not None and moment(row[2]) <= datetime.now(UTC)):
        raise NoKey()
    return Application(row[0], row[1])


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
