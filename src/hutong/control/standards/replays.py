"""The consumer's side of withheld rows: told when they can be read, and by whom."""

from __future__ import annotations

from datetime import UTC, datetime

from hutong.control.agreements.models import Agreement
from hutong.control.agreements.transitions import Party
from hutong.control.identity.models import Role
from hutong.control.notices.actions import tell
from hutong.control.standards.code_maps import EXCHANGES_PER_EVENT, REPLAY_EVENT
from hutong.control.standards.sentences import RowsWithheld
from hutong.exchange.models import WithheldRows
from hutong.ledger.record import record
from hutong.node.events import Event, on_event
from hutong.node.receiving import Peer
from hutong.vocabulary.errors import BadInput, NotFound
from hutong.vocabulary.ids import is_id


@on_event(REPLAY_EVENT)
def take(peer: Peer, event: Event) -> None:
    """A provider says which of our exchanges can be completed. Repeatable.

    raises   BadInput, NotFound for an agreement that is not ours with this peer
    """
    exchanges = event.data.get("exchanges")
    whole = isinstance(exchanges, list) and 0 < len(exchanges) <= EXCHANGES_PER_EVENT
    if (
        not isinstance(exchanges, list)
        or not whole
        or not all(isinstance(one, str) and is_id(one) for one in exchanges)
    ):
        raise BadInput(reason="it names no exchanges", reason_zh="未列明交换")
    agreement = Agreement.objects.filter(
        id=str(event.data.get("agreement"))[:80], peer=peer.jurisdiction, role=Party.CONSUMER
    ).first()
    if agreement is None:
        raise NotFound(what="agreement", name=str(event.data.get("agreement"))[:80])
    known = WithheldRows.objects.filter(exchange_id__in=exchanges, role="consumer")
    known.update(state="ready")
    # One we died over: the provider has it on record, and we learn of it here.
    lacking = set(exchanges) - set(known.values_list("exchange_id", flat=True))
    now = datetime.now(UTC)
    WithheldRows.objects.bulk_create(
        [
            WithheldRows(exchange_id=one, role="consumer", agreement_id=agreement.id, items={}, state="ready", at=now)
            for one in sorted(lacking)
        ],
        ignore_conflicts=True,
    )
    detail = {"exchanges": len(exchanges)}
    record("standard.replay_ready", f"agreement:{agreement.id}", f"node:{peer.jurisdiction}", detail)
    tell(
        RowsWithheld(title=agreement.title or agreement.id, exchanges=len(exchanges)),
        role=Role.OFFICER,
        department=agreement.department,
        subject=f"agreement:{agreement.id}",
        page=("withheld",),
    )
