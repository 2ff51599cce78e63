"""A request that an outcome says we must agree to, when it comes (again)."""

from __future__ import annotations

from hutong.control.agreements.decisions import decides
from hutong.control.agreements.models import Negotiation
from hutong.control.agreements.transitions import Machine, Party
from hutong.control.disputes import docket, effects
from hutong.control.disputes.models import Mandate
from hutong.node import work


@decides(Machine.NEGOTIATION, "REQUESTED", Party.PROVIDER)
def agree_as_decided(negotiation: Negotiation) -> bool:
    """D809-28. Agreed within the outcome's limits; whose request it is, and for what, must be what was decided on."""
    waiting = Mandate.objects.exclude(state="done").select_related("dispute").order_by("id")
    for mandate in waiting.filter(consumer=negotiation.peer, resource_id=negotiation.dataset_id, do="agree"):
        if effects.is_what_was_asked(negotiation, mandate):
            docket.settle(mandate.dispute_id)
            mandate.refresh_from_db(fields=["state"])
            return mandate.state == "done"
    work.wake_on_commit(effects.AGREEING)  # unless the outcome comes in this very moment
    return False
