"""An offer nobody here asked for: our people are told; and a provider hears what became of its own."""

from __future__ import annotations

from hutong.control.agreements.decisions import follows
from hutong.control.agreements.models import Negotiation
from hutong.control.agreements.offered import read_offered
from hutong.control.agreements.queries import title_of
from hutong.control.agreements.supplement import read_points
from hutong.control.agreements.transitions import Machine, Party
from hutong.control.notices.actions import tell
from hutong.control.offerings.actions import subject_of
from hutong.control.offerings.models import OfferedMember
from hutong.control.offerings.rules import OfferAnswered, OfferArrived


@follows(Machine.NEGOTIATION, "OFFERED", Party.CONSUMER)
def offer_came(negotiation: Negotiation) -> None:
    """Whoever may file a request, or sign one off, learns of it; which department takes it up is theirs to say."""
    if negotiation.request_id or read_points(negotiation.offer):
        return
    offered, title = read_offered(negotiation.offer), title_of(negotiation.dataset_id)
    area = (offered.name_en or offered.name_zh, offered.name_zh) if offered else ("to us alone", "仅向本节点")
    told = OfferArrived(
        peer=negotiation.peer, title=title.en or title.zh, title_zh=title.zh, area=area[0], area_zh=area[1]
    )
    for role in ("officer", "head"):
        tell(told, role=role, subject=f"negotiation:{negotiation.pid}", page=("offerings",))


@follows(Machine.NEGOTIATION, "TERMINATED", Party.PROVIDER)
def not_taken_up(negotiation: Negotiation) -> None:
    """A member said no, with its reason."""
    row = OfferedMember.objects.select_related("offering").filter(negotiation_id=negotiation.pid).first()
    if row is None or negotiation.decided_by or not row.standing:
        return
    offering = row.offering
    told = OfferAnswered(
        peer=row.peer,
        title=offering.title_en or offering.title_zh,
        title_zh=offering.title_zh,
        reason=negotiation.refusal_reason[:200] or negotiation.refusal_code,
    )
    page = ("offering", offering.id)
    tell(told, role="officer", department=offering.department, subject=subject_of(offering), page=page)
