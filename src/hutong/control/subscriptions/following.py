"""A subscription follows its delivery: fed and opened when delivery starts, over when the agreement ends.

Suspension needs nothing here: each batch is checked against the grant as it stands.
"""

from __future__ import annotations

from typing import Final

from hutong.control.agreements.consent import asked_of
from hutong.control.agreements.decisions import follows
from hutong.control.agreements.models import Transfer
from hutong.control.agreements.terms import AgreedTerms, read_agreed
from hutong.control.agreements.transitions import Machine, Party
from hutong.exchange.shaping.masks import KEYED
from hutong.exchange.subscriptions import feeds
from hutong.node import outside

MODE: Final = "subscription"
TELLING: Final = ("keep", "sha256", *KEYED)  # masks under which two different keys stay different


@follows(Machine.TRANSFER, "STARTED", Party.PROVIDER)
def feed(transfer: Transfer) -> None:
    agreed = _subscribed(transfer)
    if agreed is not None:
        feeds.feed(transfer.agreement_id, transfer.peer, _keys(transfer.agreement.resource_id, agreed))


@follows(Machine.TRANSFER, "STARTED", Party.CONSUMER)
def subscribe(transfer: Transfer) -> None:
    agreed = _subscribed(transfer)
    if agreed is not None:
        feeds.subscribe(transfer.agreement_id, agreed.asked.purpose)


@follows(Machine.TRANSFER, "TERMINATED", Party.PROVIDER)
@follows(Machine.TRANSFER, "TERMINATED", Party.CONSUMER)
def end(transfer: Transfer) -> None:
    if transfer.agreement.state != "ended":
        return
    if transfer.role == Party.PROVIDER:
        feeds.stop(transfer.agreement_id)
    else:
        feeds.unsubscribe(transfer.agreement_id)


def _subscribed(transfer: Transfer) -> AgreedTerms | None:
    """The terms of an agreement by subscription with a member; None for any other."""
    agreed = read_agreed(transfer.agreement.document)
    if agreed is None or agreed.asked.mode != MODE or outside.is_outside(transfer.peer):
        return None
    return agreed


def _keys(resource_id: str, agreed: AgreedTerms) -> list[str]:
    """The items that tell rows apart, where all of them are given and stay apart under their masks."""
    masks = dict(zip(agreed.asked.items, agreed.masks, strict=True))
    keys = [item.name for item in asked_of(resource_id).items if item.key]
    told = all(name in masks and masks[name]["action"] in TELLING for name in keys)
    return keys if told else []
