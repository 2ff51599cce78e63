"""Whose key it is and what its department may read: looked up in the database for every batch of requests."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from hutong.exchange.asking import NoKey
from hutong.exchange.database import json_value, moment, reading, select_in
from hutong.vocabulary.errors import Refused

_KEYS = "SELECT key_digest, department, application, expires_at, revoked_at FROM exchange_api_key WHERE key_digest IN"
_SUBSCRIPTIONS = "SELECT agreement_id, provider, department, case_key FROM exchange_subscription WHERE agreement_id IN"


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
class Subscription:
    agreement: str
    provider: str
    department: str
    case_key: bytes


@dataclass(frozen=True, slots=True)
class Entitlements:
    """What the database says about a batch of requests, read at one moment."""

    applications: dict[str, Application]
    subscriptions: dict[str, Subscription]

    def application(self, key_digest: str) -> Application:
        """raises NoKey for one that is unknown, expired or revoked: from outside they are alike"""
        found = self.applications.get(key_digest)
        if found is None:
            raise NoKey()
        return found

    def subscription(self, application: Application, agreement: str) -> Subscription:
        """raises NoSubscription, also for another department's agreement"""
        found = self.subscriptions.get(agreement)
        if found is None or found.department != application.department:
            raise NoSubscription(agreement=agreement)
        return found


def look_up(key_digests: Collection[str], agreements: Collection[str]) -> Entitlements:
    """Two statements, whatever the size of the batch. From a worker thread.

    raises   Unavailable
    """
    now = datetime.now(UTC)
    with reading("the node's database") as cursor:
        keys = select_in(cursor, _KEYS, key_digests)
        subscriptions = select_in(cursor, _SUBSCRIPTIONS, agreements)
    return Entitlements(
        {
            key: Application(department, application)
            for key, department, application, expires_at, revoked_at in keys
            if revoked_at is None and (expires_at is None or now < moment(expires_at))
        },
        {row[0]: Subscription(row[0], row[1], row[2], bytes(row[3])) for row in subscriptions},
    )


def readable(department: str) -> list[dict[str, Any]]:
    """Every agreement of a department, for its applications to see."""
    with reading("the node's database") as cursor:
        cursor.execute(
            "SELECT agreement_id, provider, state, items, purposes, ends_at FROM exchange_subscription"
            " WHERE department = %s ORDER BY agreement_id",
            [department],
        )
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
