"""Reads of offerings: how each member stands, and what others offer to us."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final

from django.db.models import QuerySet

from hutong.control.agreements.models import Agreement, Negotiation
from hutong.control.agreements.offered import Offered
from hutong.control.identity.rules import ACROSS_DEPARTMENTS, Actor
from hutong.control.offerings import area as areas
from hutong.control.offerings.models import OfferedMember, Offering
from hutong.vocabulary.errors import NotFound
from hutong.vocabulary.ids import is_id

UNREACHED: Final = "undelivered"  # the refusal code of a first message that no node took for seven days
NOT_ANSWERED: Final = "not_answered"
TAKEN_BACK: Final = ("offering_withdrawn", "left_area")


@dataclass(frozen=True)
class Standing:
    """One member under an offering, or one that will be offered it with the next round."""

    peer: str
    # waiting, unreached, offered, asked, signing, agreed, suspended, ending, ended, refused, never_answered, taken_back
    state: str
    since: datetime | None = None
    answer_by: date | None = None
    ends_on: date | None = None
    negotiation: str = ""
    agreement: str = ""
    reason: str = ""


def offerings(account: Actor) -> QuerySet[Offering]:
    """Those of the account's department, or all for those above departments, the newest first."""
    rows = Offering.objects.order_by("-created_at", "id")
    return rows if account.role in ACROSS_DEPARTMENTS else rows.filter(department=account.department_id or "-")


def offering(account: Actor, offering_id: str) -> Offering:
    """raises   NotFound, also for another department's"""
    found = offerings(account).filter(id=offering_id).first() if is_id(offering_id) else None
    if found is None:
        raise NotFound(what="offering", what_zh="面向区域的共享", name=offering_id[:60])
    return found


def to_sign(account: Actor) -> QuerySet[Offering]:
    return offerings(account).filter(state="proposed")


def standings(found: Offering) -> list[Standing]:
    """Every member under the offering, each negotiation by itself; then those who will be offered it."""
    told = standings_of([found])[found.id]
    seen = {one.peer for one in told}
    return [*told, *(Standing(one, "waiting") for one in areas.members(found) or () if one not in seen)]


def standings_of(many: Sequence[Offering]) -> dict[str, list[Standing]]:
    """The members of each who have been told, by the offerings' ids; read once for all of them."""
    rows = list(OfferedMember.objects.filter(offering__in=many).order_by("peer", "-offered_at", "-id"))
    pids = [one.negotiation_id for one in rows]
    negotiations = Negotiation.objects.in_bulk(pids)
    agreements = {one.negotiation_id: one for one in Agreement.objects.filter(negotiation_id__in=pids)}
    told: dict[str, list[Standing]] = {one.id: [] for one in many}
    for one in rows:
        pid = one.negotiation_id
        told[one.offering_id].append(_standing(one, negotiations.get(pid), agreements.get(pid)))
    return told


def counted(found: Iterable[Standing]) -> dict[str, int]:
    """How many stand how."""
    return dict(Counter(one.state for one in found))


def offered_to_us() -> QuerySet[Negotiation]:
    """What others offer to us and nobody here has taken up or declined, the newest first."""
    return Negotiation.objects.filter(role="consumer", state="OFFERED", request_id="").order_by("-created_at", "pid")


def on_offer(resource_id: str, origin: str) -> QuerySet[Negotiation]:
    """The open offers of a resource to us by its own provider, the newest first."""
    return offered_to_us().filter(dataset_id=resource_id, peer=origin)


def extent(found: Offering, offered_on: date | None = None) -> Offered:
    """What a member may ask for, as its offer says it."""
    zh, en = areas.names(found.area, found.target)
    content = found.content
    return Offered(
        id=found.id,
        area=found.area,
        name_zh=zh,
        name_en=en,
        items=tuple(content["items"]),
        mode=content["mode"],
        purposes=tuple(content["purposes"]),
        term_days=content["term_days"],
        quota_calls_per_day=content["quota_calls_per_day"],
        answer_by=offered_on + timedelta(days=content["answer_days"]) if offered_on else None,
    )


def _standing(one: OfferedMember, negotiation: Negotiation | None, agreement: Agreement | None) -> Standing:
    state, reason = "offered", ""
    if negotiation is not None:
        state, reason = _state(one, negotiation, agreement), negotiation.refusal_reason
    return Standing(
        peer=one.peer,
        state=state,
        since=negotiation.updated_at if negotiation else one.offered_at,
        answer_by=one.answer_by if state in ("offered", "unreached") else None,
        ends_on=one.ends_on if state == "ending" else None,
        negotiation=one.negotiation_id,
        agreement=agreement.id if agreement else "",
        reason=reason,
    )


def _state(one: OfferedMember, negotiation: Negotiation, agreement: Agreement | None) -> str:
    if negotiation.state == "TERMINATED":
        return _why_over(negotiation)
    if negotiation.state == "OFFERED":
        return "offered" if negotiation.peer_pid else "unreached"
    if agreement is None:
        return "asked"
    if agreement.state in ("ended", "suspended"):
        return agreement.state
    if one.ends_on is not None:
        return "ending"
    return "agreed" if negotiation.state == "FINALIZED" else "signing"


def _why_over(negotiation: Negotiation) -> str:
    code = negotiation.refusal_code
    if code == NOT_ANSWERED:
        return "never_answered"
    if code == UNREACHED:
        return "unreached"
    return "taken_back" if code in TAKEN_BACK else "refused"
