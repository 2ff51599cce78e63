"""Reconciling with a live peer, and keeping what it brings to light."""

from __future__ import annotations

from hutong.ledger import pages, witness
from hutong.ledger.host import host
from hutong.ledger.models import WitnessedCheckpoint
from hutong.ledger.reconcile import Reconciliation, reconcile


def reconcile_with(peer: str, *, since: str = "") -> Reconciliation:
    """Compare our ledger with a member's, over the network. A fork found on the way is kept as evidence.

    raises   LogForked; Refused when the peer cannot be read or its log does not verify
    """
    here = host()
    with here.peer_log(peer) as log:
        origins = {key.name for key in log.keys}
        known = WitnessedCheckpoint.objects.exclude(note="").filter(origin__in=origins).first()
        return reconcile(
            peer,
            pages.pages(here.folder, peer),
            log,
            known_checkpoint=known.note if known else "",
            on_fork=witness.keep_fork,
            since=since,
        )
