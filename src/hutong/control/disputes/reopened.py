"""A request that an outcome says we must agree to, when it comes (again)."""

from __future__ import annotations

from hutong.control.agreements.decisions import decides
from hutong.control.agreements.models import Negotiation
from hutong.control.agreements.transitions import Machine, Party
from hutong.control.disputes import docket, effects
from hutong.control.disputes.models import Mandate


@decides(Machine.NEGOTIATION, "REQUESTED", Party.PROVIDER)
def agree_as_decided(negotiation: Negotiation) -> bool:
    """D809-28. Agreed within the outcome's limits; whose request it is, and for what, must be what was decided on."""
    waiting = Mandate.objects.select_for_update(of=("self",)).select_related("dispute")
    waiting = waiting.filter(consumer=negotiation.peer, resource_id=negotiation.dataset_id, do="agree")
    for mandate in waiting.exclude(state="done").order_by("id"):
        if effects.is_what_was_asked(negotiation, mandate):
            effects.agree_to(negotiation, mandate)
            effects.confirm(mandate, effects.actor_of(mandate.dispute_id), "")
            docket.settle(mandate.dispute_id)
            return True
    return False
