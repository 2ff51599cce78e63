"""A subscriber whose data did not flow when a record was corrected hears of it when it flows again.

While it is suspended, or its delivery completed, its grant shows nothing, so the key as its masks show it cannot be
read and there is nothing to tell it by. It is kept as waiting in the transaction of the answer; the work below tells
it, each in a transaction of its own, once.
"""

from __future__ import annotations

import logging
from collections.abc import Collection
from datetime import UTC, datetime
from typing import Final

from django.db import transaction

from hutong.control.agreements.decisions import follows
from hutong.control.agreements.models import Agreement, Transfer
from hutong.control.agreements.transitions import Machine, Party
from hutong.control.corrections import looking, saying, telling
from hutong.control.corrections.models import Correction, Told
from hutong.ledger.record import record
from hutong.node import outside, work
from hutong.vocabulary.errors import Refused

RESUME: Final = "corrections.resume"  # the work to wake
LOOK_EVERY_S: Final = 60.0
AT_ONCE: Final = 100

log = logging.getLogger("hutong.corrections")


def register() -> None:
    follows(Machine.TRANSFER, "STARTED", Party.PROVIDER)(wake)
    work.register(RESUME, tell_resumed, every_s=LOOK_EVERY_S)


def wake(_transfer: Transfer) -> None:
    work.wake_on_commit(RESUME)


def wait_for(one: Correction, resting: Collection[str]) -> None:
    """Keep as waiting who has read the resource. In the transaction of the answer.

    resting   agreements that showed nothing when the record was read, and are not told
    """
    for agreement in Agreement.objects.filter(id__in=looking.have_read(sorted(resting))).order_by("id"):
        if items := [] if outside.is_outside(agreement.peer) else telling.granted_items(agreement.id, one):
            Told.objects.create(
                correction=one, agreement_id=agreement.id, peer=agreement.peer, items=items, state="waiting",
                told_at=datetime.now(UTC),
            )  # fmt: skip


def tell_resumed() -> None:
    """Tell whose agreement is in force again. A source that does not answer is asked again in a minute."""
    waiting = Told.objects.filter(state="waiting").order_by("id").values_list("pk", "agreement_id")
    named = {agreement for _, agreement in waiting}
    states = dict(Agreement.objects.filter(id__in=named).values_list("id", "state")) if named else {}
    ready = [(pk, states.get(agreement)) for pk, agreement in waiting if states.get(agreement) not in looking.RESTING]
    for pk, state in ready[:AT_ONCE]:
        _settle(pk, over=state != "active")


def _settle(pk: int, *, over: bool) -> None:
    """over   the agreement has ended: what was read under it is disposed of, so there is nothing to put right"""
    told = Told.objects.select_related("correction").get(pk=pk)
    try:
        shown = None if over else looking.shown_to(told.correction, told.agreement_id)
    except Refused as refused:
        log.warning("correction %s: the source was not read: %s", told.correction.ticket, refused.code)
        return
    with transaction.atomic():
        told = Told.objects.select_for_update().get(pk=pk)
        if told.state != "waiting":
            return
        one = Correction.objects.get(pk=told.correction_id)
        if shown is not None and telling.tell(one, Agreement.objects.get(id=told.agreement_id), shown):
            telling.tell_requester(one)
            return
        told.state = "fell_away"
        told.save(update_fields=["state"])
        detail = {"agreement": told.agreement_id, "peer": told.peer}
        record("correction.fell_away", saying.subject(one.ticket), "rule:D809-26", detail)
