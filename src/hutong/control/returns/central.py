"""Central sharing: a resource of a node below, delivered into this one at the node's own initiative (以供促需).

The agreement is one like any other, and comes about under an offering to this node alone. Its rows are kept here as a
return's are: fetched in batches by the resource's update cycle, each with a receipt on both sides, and compared with
what its provider holds.
"""

from __future__ import annotations

from hutong.control.agreements.consent import asked_of
from hutong.control.agreements.decisions import follows
from hutong.control.agreements.drafting import asked_terms
from hutong.control.agreements.models import Negotiation
from hutong.control.agreements.offered import CENTRAL, read_offered
from hutong.control.agreements.terms import read_agreed
from hutong.control.agreements.transitions import Machine, Party
from hutong.control.catalogue import queries as catalogue
from hutong.control.offerings.models import OfferedMember
from hutong.control.returns import flows
from hutong.control.returns.models import ReturnFlow
from hutong.ledger.record import record
from hutong.vocabulary.ids import new_id


@follows(Machine.NEGOTIATION, "FINALIZED", Party.PROVIDER)
def deliver(negotiation: Negotiation) -> None:
    """The provider's side of it: whose batches will be asked about."""
    row = OfferedMember.objects.filter(negotiation_id=negotiation.pid, unasked=True).select_related("offering").first()
    terms = asked_terms(negotiation)
    if row is None or row.offering.area != CENTRAL or terms is None:
        return
    asked = asked_of(negotiation.dataset_id)
    keys = [one.name for one in asked.items if one.key and one.name in terms.items]
    resource = asked.resource
    flow = _made(
        negotiation,
        role="provider",
        keys=keys,
        purpose=terms.purpose,
        title_zh=resource.title_zh,
        title_en=resource.title_en,
        update_cycle=resource.update_cycle,
        provenance=flows.provenance_of(resource.id),
    )
    detail = {"peer": flow.peer, "resource": flow.resource_id, "agreement": flow.agreement_id}
    record("return.central", flows.subject_of(flow), flow.law, detail)


@follows(Machine.NEGOTIATION, "FINALIZED", Party.CONSUMER)
def begin(negotiation: Negotiation) -> None:
    """Ours: the first batch is due as soon as delivery is open."""
    offered, agreed = read_offered(negotiation.offer), read_agreed(negotiation.agreement.document)
    if offered is None or offered.area != CENTRAL or agreed is None:
        return
    document = catalogue.document(negotiation.dataset_id)
    flow = _made(
        negotiation,
        role="consumer",
        keys=[one.name for one in document.items if one.key and one.name in agreed.asked.items],
        purpose=agreed.asked.purpose,
        title_zh=document.title_zh,
        title_en=document.title_en,
        update_cycle=document.update_cycle,
        provenance=[{"node": negotiation.peer, "resource": document.id}],
    )
    flows.begin(flow, flow.agreement_id)


def _made(negotiation: Negotiation, *, role: str, **about: object) -> ReturnFlow:
    """The flow of a negotiation; an older one of the same rows has ended with it."""
    known = ReturnFlow.objects.filter(role=role, peer=negotiation.peer, resource_id=negotiation.dataset_id, area="")
    for older in known.filter(state="active").exclude(negotiation_id=negotiation.pid):
        flows.end(older.agreement_id)
    values = {
        **about,
        "role": role,
        "peer": negotiation.peer,
        "resource_id": negotiation.dataset_id,
        "department": negotiation.department,
        "agreement_id": negotiation.agreement.id,
        "state": "active",
    }
    flow, _ = ReturnFlow.objects.get_or_create(
        role=role, negotiation_id=negotiation.pid, area="", defaults={"id": new_id(), **values}
    )
    return flow
