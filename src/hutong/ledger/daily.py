"""Reconciling with live peers, once a day with each, and keeping what it brings to light."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction

from hutong.ledger import pages, witness
from hutong.ledger.host import host
from hutong.ledger.models import DailyReconciliation, WitnessedCheckpoint
from hutong.ledger.reconcile import Difference, PageAfter, Reconciliation, reconcile
from hutong.ledger.record import record
from hutong.vocabulary.errors import Refused
from hutong.vocabulary.moments import rfc3339

# A day looks back over the one before the last that held: what was under way at its end is judged by the next.
OVERLAP = timedelta(days=1)
AGAIN_AFTER = timedelta(hours=1)  # a member that did not answer is asked again
MOST_KEPT = 200  # differences of one day that are kept by name; their number is kept whole


def reconcile_with(
    peer: str, *, since: str = "", watch: Callable[[PageAfter], PageAfter] = lambda reader: reader
) -> Reconciliation:
    """Compare our ledger with a member's, over the network. A fork found on the way is kept as evidence.

    watch    what sees the pages of our own log go by
    raises   LogForked; Refused when the peer cannot be read or its log does not verify
    """
    here = host()
    with here.peer_log(peer) as log:
        origins = {key.name for key in log.keys}
        known = WitnessedCheckpoint.objects.exclude(note="").filter(origin__in=origins).first()
        return reconcile(
            peer,
            watch(pages.reader(here.folder, peer)),
            log,
            known_checkpoint=known.note if known else "",
            on_fork=witness.keep_fork,
            since=since,
            start=_start(peer, since),
        )


def is_due(peer: str, now: datetime) -> bool:
    """True when today's comparison with a member is still to be made, or did not reach it an hour ago."""
    last = DailyReconciliation.objects.filter(peer=peer, day=now.date()).first()
    return last is None or (last.state == "unreachable" and now - last.at >= AGAIN_AFTER)


def reconcile_today(peer: str, now: datetime) -> DailyReconciliation:
    """Compare with one member and keep the outcome, with its entry in our ledger. Safe to run again."""
    since = _since(peer)
    try:
        found = reconcile_with(peer, since=since)
    except Refused as refused:
        return _keep(peer, now, since, {"state": "unreachable", "trouble": refused.code})
    told = [_document(one) for one in found.differences[:MOST_KEPT]]
    state = "holds" if found.holds else "differs"
    names = ("agreed", "unanswered", "pending", "behind", "our_size", "their_size")
    counts = {name: getattr(found, name) for name in names}
    return _keep(peer, now, since, {"state": state, "trouble": "", "differences": told, **counts})


@transaction.atomic
def _keep(peer: str, now: datetime, since: str, outcome: dict[str, Any]) -> DailyReconciliation:
    row, _ = DailyReconciliation.objects.update_or_create(
        peer=peer, day=now.date(), defaults={"at": now, "since": since, **outcome}
    )
    detail = {"since": since, **outcome, "differences": len(row.differences)}
    record("ledger.reconciled", f"peer:{peer}", "rule:daily", detail)
    return row


def _since(peer: str) -> str:
    held = DailyReconciliation.objects.filter(peer=peer, state="holds").order_by("-day").first()
    return rfc3339(held.at - OVERLAP) if held else ""


def _start(peer: str, since: str) -> tuple[int, int]:
    """How far both logs were when a comparison held before `since`: what came later was logged behind it."""
    rows = DailyReconciliation.objects.filter(peer=peer, state="holds")
    held = rows.filter(at__lte=datetime.fromisoformat(since)).order_by("-at").first() if since else None
    return (held.our_size, held.their_size) if held else (0, 0)


def _document(one: Difference) -> dict[str, Any]:
    return {
        "exchange": one.exchange,
        "kind": one.kind,
        "what": one.what,
        "what_zh": one.what_zh,
        "members": list(one.members),
    }
