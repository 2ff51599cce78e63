"""A correction that an outcome binds us to: done when its ticket is answered so, failed when answered otherwise."""

from __future__ import annotations

from hutong.control.corrections.models import Correction
from hutong.control.corrections.reopening import when_answered
from hutong.control.disputes import docket
from hutong.control.disputes.models import Mandate


@when_answered
def as_decided(one: Correction) -> None:
    """D809-28. In the transaction of the answer."""
    waiting = Mandate.objects.filter(dispute__about__ticket=one.ticket, do="correct").exclude(state="done")
    for dispute_id in list(waiting.order_by("id").values_list("dispute_id", flat=True)):
        docket.settle(dispute_id)
