"""How long a node keeps the rows of a subscription: a duty, at either side, each removal with its record.

1. Changes that were acknowledged, or that the applications here have taken, stay log.KEPT longer, for a replay. 2. What
waits for somebody stays while the agreement is in force, also after a delivery was completed: the next one goes on from
there. 3. When the agreement is over, everything goes: the provider's copy of the rows, and the changes at both sides,
which nobody may read any more. Ending it does that at once; here it is done when its term has passed.
"""

from __future__ import annotations

import shutil
from datetime import UTC, datetime
from typing import Final

from django.db import transaction
from django.db.models import Min

from hutong.exchange.grants.over import term_is_over
from hutong.exchange.models import ChangeFeed, Entitlement, Subscription, Webhook
from hutong.exchange.subscriptions import changes, feeds, log
from hutong.vocabulary.ids import uuid_of

FORGET_EVERY_S: Final = 3600.0


def forget_due() -> None:
    """Forget what need not be kept. Repeatable; each subscription in a transaction of its own."""
    for agreement in list(ChangeFeed.objects.exclude(state="ended").values_list("agreement_id", flat=True)):
        _forget_fed(agreement)
    for agreement in list(Subscription.objects.exclude(state="ended").values_list("agreement_id", flat=True)):
        _forget_taken(agreement)
    _sweep()


def _sweep() -> None:
    """Rows of feeds that are over, which a look under way or a killed process left."""
    there = list(feeds.folder().glob("*"))  # before the feeds are read: one that begins now has no folder yet
    open_ = {uuid_of(one) for one in ChangeFeed.objects.exclude(state="ended").values_list("agreement_id", flat=True)}
    for one in there:
        if one.name not in open_:
            shutil.rmtree(one, ignore_errors=True)


@transaction.atomic
def _forget_fed(agreement: str) -> None:
    if term_is_over(agreement):
        feeds.stop(agreement)
        return
    fed = ChangeFeed.objects.get(agreement_id=agreement)
    changes.forget(feeds.folder() / uuid_of(agreement), before=fed.snapshot)  # a kill may have left them
    log.forget(agreement, "provider", until=fed.acknowledged, now=datetime.now(UTC))


@transaction.atomic
def _forget_taken(agreement: str) -> None:
    now = datetime.now(UTC)
    if Entitlement.objects.filter(agreement_id=agreement, ends_at__lte=now).exists():
        feeds.unsubscribe(agreement)
        return
    ours = Subscription.objects.get(agreement_id=agreement)
    sent_to = Webhook.objects.filter(agreement_id=agreement, state="active").aggregate(least=Min("position"))["least"]
    until = ours.taken if sent_to is None else min(ours.taken, sent_to)
    log.forget(agreement, "consumer", until=until, now=now)
