"""The life of a subscription, each step in the caller's transaction: fed at the provider, opened by the consumer."""

from __future__ import annotations

import hmac
import shutil
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from django.db import transaction

from hutong.exchange.models import ChangeBatch, ChangeFeed, Entitlement, Subscription, Webhook
from hutong.exchange.query import is_purpose
from hutong.exchange.subscriptions import log
from hutong.ledger.record import record
from hutong.node import work
from hutong.node.events import Event, on_event, post_event
from hutong.node.receiving import Peer
from hutong.node.settings import current
from hutong.vocabulary.errors import BadInput, NotFound, Refused
from hutong.vocabulary.ids import uuid_of

OPENED = "subscription.opened"
LOOKING, PUSHING, HOOKING = "changes", "pushes", "webhooks"  # work to be woken


class NotFedYet(Refused):
    """The subscription under agreement {agreement} is not fed here yet."""

    zh = "协议 {agreement} 下的订阅在此处尚未开通。"
    code = "not_fed_yet"
    status = 503
    next_en = "It is told again until it is; delivery begins it."
    next_zh = "将自动重试；交付开始后即开通。"


class ReplayGone(Refused):
    """What follows position {position} is no longer kept; kept are the changes after {kept}."""

    zh = "位置 {position} 之后的变更已不再保存；现存变更自位置 {kept} 之后起。"
    code = "replay_gone"
    status = 410
    next_en = "Replay from there, or ask the provider to begin anew."
    next_zh = "请从该位置重放，或请提供方重新开始。"


def folder() -> Path:
    """Where the provider keeps the rounds of all feeds."""
    return current().home / "feeds"


def folder_of(agreement: str) -> Path:
    """Where the provider keeps the rounds of a feed: agreed, masked rows, for this node alone."""
    own = folder() / uuid_of(agreement)
    own.mkdir(parents=True, exist_ok=True, mode=0o700)
    return own


def feed(agreement: str, peer: str, keys: Sequence[str]) -> ChangeFeed:
    """Begin to feed a consumer. Again, after a delivery was completed, it goes on where it was."""
    now = datetime.now(UTC)
    begun = {"peer": peer, "keys": list(keys), "look_at": now, "push_at": now}
    made, new = ChangeFeed.objects.get_or_create(agreement_id=agreement, defaults=begun)
    if new:
        record("subscription.fed", f"agreement:{agreement}", "rule:D809-22", {"peer": peer, "keys": list(keys)})
    else:
        ChangeFeed.objects.filter(agreement_id=agreement).update(look_at=now, push_at=now, failures=0)
    work.wake_on_commit(LOOKING)
    work.wake_on_commit(PUSHING)
    return made


def stop(agreement: str) -> None:
    """An agreement is over: nothing more is found, and what was not sent is not kept."""
    if ChangeFeed.objects.filter(agreement_id=agreement).exclude(state="ended").update(state="ended"):
        detail = {"role": "provider", "batches_removed": log.drop(agreement, "provider")}
        record("subscription.ended", f"agreement:{agreement}", "rule:D809-22", detail)
        there = folder() / uuid_of(agreement)
        transaction.on_commit(lambda: shutil.rmtree(there, ignore_errors=True))  # a kill before it: see keeping.py


def subscribe(agreement: str, purpose: str) -> Subscription:
    """As consumer: say that changes are taken from here on, for what, and where we stand."""
    entitled = Entitlement.objects.get(agreement_id=agreement)
    matter = hmac.digest(bytes(entitled.case_key), b"subscription " + agreement.encode(), "sha256").hex()
    begun = {"provider": entitled.provider, "purpose": purpose, "case_digest": f"hmac-sha256:{matter}"}
    ours, new = Subscription.objects.get_or_create(agreement_id=agreement, defaults=begun)
    if new:
        record("subscription.opened", f"agreement:{agreement}", "rule:D809-22", {"purpose": purpose})
    _tell(ours)
    return ours


def replay(agreement: str, after: int, actor: str) -> Subscription:
    """As consumer: have the provider send again what follows a position, because it was lost here.

    raises   NotFound, BadInput for a position beyond what was received
    """
    ours = Subscription.objects.select_for_update().filter(agreement_id=agreement).first()
    if ours is None:
        raise NotFound(what="subscription", what_zh="订阅", name=agreement[:60])
    if not 0 <= after <= ours.received:
        raise BadInput(
            reason=f"positions up to {ours.received} were received", reason_zh=f"已接收的位置至 {ours.received}"
        )
    ours.received, ours.taken = after, min(ours.taken, after)
    ours.save(update_fields=["received", "taken"])
    Webhook.objects.filter(agreement_id=agreement, position__gt=after).update(position=after)
    record("subscription.replayed", f"agreement:{agreement}", actor, {"after": after})
    _tell(ours)
    return ours


def unsubscribe(agreement: str) -> None:
    """The agreement is over: what no application took is not kept. What was taken stays with those that took it."""
    if Subscription.objects.filter(agreement_id=agreement).exclude(state="ended").update(state="ended"):
        detail = {"role": "consumer", "batches_removed": log.drop(agreement, "consumer")}
        record("subscription.ended", f"agreement:{agreement}", "rule:D809-22", detail)


def _tell(ours: Subscription) -> None:
    said = {"purpose": ours.purpose, "case": ours.case_digest, "after": ours.received}
    post_event(ours.provider, OPENED, ours.agreement_id, said)


@on_event(OPENED)
def opened(peer: Peer, event: Event) -> None:
    """A consumer takes changes, or asks for those after a position once more.

    raises   NotFedYet, ReplayGone, BadInput
    """
    purpose, case, after = (event.data.get(name) for name in ("purpose", "case", "after"))
    if not isinstance(purpose, str) or not is_purpose(purpose) or not isinstance(case, str) or type(after) is not int:
        raise BadInput(
            reason="a subscription has a purpose, a case and a position", reason_zh="订阅应有用途、事项和位置"
        )
    feeds = ChangeFeed.objects.select_for_update()
    fed = feeds.filter(agreement_id=event.subject, peer=peer.jurisdiction).exclude(state="ended").first()
    if fed is None:
        raise NotFedYet(agreement=event.subject[:60])
    detail: dict[str, Any] = {"purpose": purpose, "after": after}
    fed.state, fed.purpose, fed.case_digest, fed.push_at = "open", purpose, case[:80], datetime.now(UTC)
    if after < fed.acknowledged:
        fed.acknowledged = _back_to(fed, after)
    fed.failures, fed.trouble = 0, ""
    fed.save(update_fields=["state", "purpose", "case_digest", "push_at", "acknowledged", "failures", "trouble"])
    record("subscription.opened", f"agreement:{fed.agreement_id}", f"node:{peer.jurisdiction}", detail)
    work.wake_on_commit(PUSHING)


def _back_to(fed: ChangeFeed, after: int) -> int:
    """The end of the batch before the one that holds the next position."""
    kept = ChangeBatch.objects.filter(agreement_id=fed.agreement_id, role="provider").order_by("first")
    wanted = kept.filter(last__gt=after).first()
    oldest = kept.first()
    if wanted is None or oldest is None or wanted.first > after + 1:
        raise ReplayGone(position=after, kept=oldest.first - 1 if oldest else fed.position)
    return int(wanted.first) - 1
