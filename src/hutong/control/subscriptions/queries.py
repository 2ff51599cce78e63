"""How subscriptions stand, for pages and commands."""

from __future__ import annotations

from dataclasses import dataclass

from hutong.exchange.models import ChangeFeed, Subscription, Webhook


@dataclass(frozen=True)
class Standing:
    """One subscription as this node sees it."""

    agreement: str
    peer: str
    role: str  # ours: provider, consumer
    state: str  # waiting, open, ended
    position: int  # provider: the newest change logged; consumer: the newest held
    done: int  # provider: the newest the consumer's node holds; consumer: the newest an application has taken
    trouble: str = ""  # why it waits, "" for no trouble

    @property
    def waiting(self) -> int:
        """Changes that have not gone on."""
        return self.position - self.done


def fed() -> list[Standing]:
    """Those we provide, by agreement."""
    return [_fed(one) for one in ChangeFeed.objects.order_by("agreement_id")]


def taken() -> list[Standing]:
    """Those we consume, by agreement."""
    return [_taken(one) for one in Subscription.objects.order_by("agreement_id")]


def of(agreement: str) -> Standing | None:
    """The subscription under an agreement; None where there is none."""
    fed_by_us = ChangeFeed.objects.filter(agreement_id=agreement).first()
    if fed_by_us is not None:
        return _fed(fed_by_us)
    ours = Subscription.objects.filter(agreement_id=agreement).first()
    return None if ours is None else _taken(ours)


def webhooks(agreement: str = "") -> list[Webhook]:
    rows = Webhook.objects.order_by("agreement_id", "url")
    return list(rows.filter(agreement_id=agreement) if agreement else rows)


def _fed(one: ChangeFeed) -> Standing:
    return Standing(one.agreement_id, one.peer, "provider", one.state, one.position, one.acknowledged, one.trouble)


def _taken(one: Subscription) -> Standing:
    return Standing(one.agreement_id, one.provider, "consumer", one.state, one.received, one.taken)
