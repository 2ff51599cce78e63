"""What the superior states of a batch: the digests of what it serves under the agreement at this moment.

Done by a duty, because it reads the whole area. The pairs it was stated from are kept beside, so that later questions
about ranges are answered from the same rows.
"""

from __future__ import annotations

import logging
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from django.db import transaction

from hutong.control.returns import digests, flows, onward
from hutong.control.returns.models import ReturnBatch
from hutong.control.statute import day
from hutong.exchange.grants.book import Book
from hutong.exchange.records import granted_rows
from hutong.ledger.record import record
from hutong.node import work
from hutong.node.events import post_event
from hutong.vocabulary.errors import NotFound, Refused

KEPT_STATEMENTS: Final = 2  # of a flow
DUTY: Final = "return statements"

log = logging.getLogger("hutong.returns")


def wake() -> None:
    work.wake_on_commit(DUTY)


def state_asked() -> None:
    """State every batch that was asked about. One whose source does not answer is tried again with the next round, as
    long as its flow goes on.
    """
    going_on = ReturnBatch.objects.filter(flow__role="provider", flow__state="active")
    asked = going_on.filter(state="asked").order_by("compared_at", "id")
    for batch_id in list(asked.values_list("id", flat=True)):
        try:
            state(batch_id)
        except Refused as refused:
            log.warning("batch %s was not stated: %s", batch_id, refused.code)


def state(batch_id: str) -> None:
    """Digest what is served now, and say it.

    raises   NotFound, and what the source refuses
    """
    batch = ReturnBatch.objects.select_related("flow").get(id=batch_id)
    agreement = batch.flow.agreement_id
    opened = Book().open({agreement}, day.today()).get(agreement)
    if opened is None or opened.standing.state != "active":
        raise NotFound(what="grant", name=agreement)
    granted = {item.name for item in opened.grant.items}
    keys = [one for one in batch.pending if one in granted]
    file = flows.pairs_of(batch)
    found = digests.write_pairs(granted_rows(opened), keys, agreement, file)
    with transaction.atomic():
        held = ReturnBatch.objects.select_for_update(of=("self",)).select_related("flow").get(id=batch_id)
        if held.state == "asked" and held.root == batch.root:
            _say(held, found)
    _sweep(batch, file)


def _say(batch: ReturnBatch, found: digests.Ranges) -> None:
    flow = batch.flow
    batch.their_rows, batch.their_root, batch.state = found.rows, found.root, "stated"
    batch.compared_at = datetime.now(UTC)
    batch.save()
    data: dict[str, Any] = {
        "v": digests.VERSION,
        "step": "statement",
        "batch": batch.id,
        "about": batch.root,
        "rows": found.rows,
        "root": found.root,
        "ranges": {} if found.root == batch.root else found.document(),
        "provenance": onward.behind(flow.resource_id),
    }
    post_event(flow.peer, "return.reconciliation", flow.agreement_id, data)
    detail = {"batch": batch.id, "number": batch.number, "rows": found.rows, "root": found.root}
    leaf = {"batch": batch.id, "rows": found.rows, "root": found.root}
    record("return.stated", flows.subject_of(flow), flow.law, detail, commitment=leaf)


def _sweep(batch: ReturnBatch, newest: Path) -> None:
    for old in newest.parent.glob("*.pairs"):
        if int(old.stem) <= batch.number - KEPT_STATEMENTS:
            old.unlink(missing_ok=True)
