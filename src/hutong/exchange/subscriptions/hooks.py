"""Changes sent to an application's own address, by its node: a duty, one address not waiting for another.

Each POST carries a batch of CloudEvents (`application/cloudevents-batch+json`) under this node's signature. An answer
of 2xx acknowledges them, 410 ends the sending. Only addresses that the operator allows are written to, and no redirect
is followed.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import orjson
from django.db import transaction

from hutong.exchange.models import Subscription, Webhook
from hutong.exchange.subscriptions import feeds, log
from hutong.ledger.record import record
from hutong.node import work
from hutong.node.client import NoAnswer, NodeClient, UnsignedAnswer
from hutong.node.keyring import ring
from hutong.node.settings import current
from hutong.vocabulary.errors import NotFound, Refused
from hutong.vocabulary.ids import new_id

HOOK_EVERY_S: Final = 2.0
BATCH_TYPE: Final = "application/cloudevents-batch+json"
EVENTS_PER_POST: Final = 500
ANSWER_WITHIN_S: Final = 15.0
FIRST_PAUSE, LONGEST_PAUSE = timedelta(seconds=2), timedelta(minutes=10)
GONE: Final = 410


class AddressNotAllowed(Refused):
    """Changes may not be sent to {url}: no address that the operator allows begins so."""

    zh = "不得向 {url} 推送变更：该地址不在运维人员允许的地址之内。"
    code = "address_not_allowed"
    next_en = "Ask the operator to add it to webhook_addresses in hutong.toml."
    next_zh = "请由运维人员将其加入 hutong.toml 的 webhook_addresses。"


def check_allowed(url: str) -> None:
    """raises   AddressNotAllowed"""
    allowed = current().webhook_addresses.split()
    if not any(url == one or url.startswith(one.rstrip("/") + "/") for one in allowed) or "@" in url:
        raise AddressNotAllowed(url=url[:200])


@transaction.atomic
def add(agreement: str, url: str, actor: str) -> Webhook:
    """Send a subscription's changes to an application's address, from the next one on.

    raises   AddressNotAllowed, NotFound
    """
    check_allowed(url)
    ours = Subscription.objects.filter(agreement_id=agreement).first()
    if ours is None:
        raise NotFound(what="subscription", what_zh="订阅", name=agreement[:60])
    begun = {"id": new_id(), "position": ours.taken, "push_at": datetime.now(UTC)}
    made, _ = Webhook.objects.get_or_create(agreement_id=agreement, url=url, defaults=begun)
    Webhook.objects.filter(id=made.id).update(state="active", failures=0, push_at=datetime.now(UTC))
    record("webhook.added", f"agreement:{agreement}", actor, {"url": url})
    work.wake_on_commit(feeds.HOOKING)
    return made


@transaction.atomic
def remove(webhook: str, actor: str) -> None:
    """raises   NotFound"""
    found = Webhook.objects.filter(id=webhook).first()
    if found is None:
        raise NotFound(what="webhook", what_zh="推送地址", name=webhook[:40])
    record("webhook.removed", f"agreement:{found.agreement_id}", actor, {"url": found.url})
    found.delete()


def send_due() -> None:
    """Send every application what it lacks."""
    due = Webhook.objects.filter(state="active", push_at__lte=datetime.now(UTC))
    waiting = [one for one in due if log_has(one)]
    if waiting:
        asyncio.run(_send_all(waiting))


def log_has(one: Webhook) -> bool:
    return Subscription.objects.filter(agreement_id=one.agreement_id, received__gt=one.position).exists()


async def _send_all(waiting: Sequence[Webhook]) -> None:
    async with NodeClient(ring()) as client:
        await asyncio.gather(*(_send(client, one) for one in waiting))


async def _send(client: NodeClient, one: Webhook) -> None:
    """Batch after batch, until none waits or one is not taken."""
    while events := await asyncio.to_thread(_following, one):
        trouble, status = "", 0
        try:
            check_allowed(one.url)
            answer = await client.call(
                "POST", one.url, orjson.dumps(events), peer="", content_type=BATCH_TYPE, timeout_s=ANSWER_WITHIN_S
            )
            status = answer.status
        except (NoAnswer, UnsignedAnswer, AddressNotAllowed) as refused:
            trouble = refused.code
        if not 200 <= status < 300:
            return await asyncio.to_thread(_failed, one, status, trouble or f"status {status}")
        await asyncio.to_thread(_sent, one, int(events[-1]["sequence"]))
    return None


def _following(one: Webhook) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    for kept in log.after(one.agreement_id, "consumer", one.position):
        found += [event for event in orjson.loads(kept.body)["events"] if int(event["sequence"]) > one.position]
    return found[:EVENTS_PER_POST]


def _sent(one: Webhook, position: int) -> None:
    one.position = position
    with transaction.atomic():
        Webhook.objects.filter(id=one.id, position__lt=position).update(position=position, failures=0, trouble="")
        Subscription.objects.filter(agreement_id=one.agreement_id, taken__lt=position).update(taken=position)


def _failed(one: Webhook, status: int, trouble: str) -> None:
    pause = min(FIRST_PAUSE * 2 ** min(one.failures, 10), LONGEST_PAUSE)
    state = "gone" if status == GONE else one.state
    Webhook.objects.filter(id=one.id).update(
        failures=one.failures + 1, trouble=trouble[:300], state=state, push_at=datetime.now(UTC) + pause
    )
