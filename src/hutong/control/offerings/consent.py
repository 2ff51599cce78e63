"""A request within an offering is agreed to in the transaction it arrives in: the head signed it for all beforehand."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Final

from django.db import transaction

from hutong.control.agreements import outbound
from hutong.control.agreements.consent import Asked, Choice, agreed_terms, asked_of, default_mask
from hutong.control.agreements.decisions import decides
from hutong.control.agreements.drafting import asked_terms
from hutong.control.agreements.granted import guards
from hutong.control.agreements.models import Negotiation
from hutong.control.agreements.steps import locked
from hutong.control.agreements.terms import Terms
from hutong.control.agreements.transitions import Machine, Party
from hutong.control.offerings import area, queries
from hutong.control.offerings.models import OfferedMember, Offering
from hutong.control.offerings.rules import ANSWER, SameForAll
from hutong.control.replies.actions import drop_waiting
from hutong.control.statute.decisions import decide, weigh
from hutong.exchange.shaping.masks import Mask
from hutong.ledger.record import record

ACTOR: Final = "rule:Z-4"


@decides(Machine.NEGOTIATION, "REQUESTED", Party.PROVIDER)
def agree_as_offered(negotiation: Negotiation) -> bool:
    """Z-4. The same terms for whoever asks within them; what goes beyond is a request like any other."""
    terms = asked_terms(negotiation)
    if terms is None or terms.law:
        return False
    asked = asked_of(negotiation.dataset_id)
    for offering in _in_force(negotiation):
        facts = _facts(offering, negotiation.peer, asked, terms)
        if decide(ANSWER, f"negotiation:{negotiation.pid}", facts)["agreed"]:
            _agree(negotiation, offering, asked, terms)
            return True
    return False


@guards
def same_for_all(negotiation: Negotiation, move: str, chosen: Mapping[str, Any]) -> None:
    """Z-4. raises   SameForAll where a person would give one member less than the offering gives all"""
    terms = asked_terms(negotiation)
    if move not in ("agree", "refuse", "supplement") or (move == "agree" and not chosen) or terms is None:
        return
    if (offering := _answering(negotiation, terms)) is not None:
        raise SameForAll(offering=offering.id, peer=negotiation.peer)


@transaction.atomic
def answer_waiting(pid: str) -> None:
    """Agree to a request that came before its offering was signed."""
    negotiation = locked(Negotiation, pid)
    terms = asked_terms(negotiation)
    if negotiation.state != "REQUESTED" or terms is None or terms.law or _answering(negotiation, terms) is None:
        return
    agree_as_offered(negotiation)
    drop_waiting(negotiation)


def _answering(negotiation: Negotiation, terms: Terms) -> Offering | None:
    """The offering that agrees to a request; a question, kept nowhere."""
    asked = asked_of(negotiation.dataset_id)
    for offering in _in_force(negotiation):
        if weigh(ANSWER, _facts(offering, negotiation.peer, asked, terms))["agreed"]:
            return offering
    return None


def _agree(negotiation: Negotiation, offering: Offering, asked: Asked, terms: Terms) -> None:
    masks = {name: offering.content["masks"][name] for name in terms.items}
    agreement = outbound.agree(
        negotiation.pid, agreed_terms(asked, terms, Choice(masks=masks), datetime.now(UTC)), ACTOR
    )
    given = {"offering": offering, "peer": negotiation.peer, "unasked": False, "offered_at": datetime.now(UTC)}
    row, _ = OfferedMember.objects.get_or_create(negotiation_id=negotiation.pid, defaults=given)
    row.answer_by = None
    row.save(update_fields=["answer_by"])
    detail = {"peer": negotiation.peer, "agreement": agreement.id, "department": terms.department}
    record("offering.agreed", f"offering:{offering.id}", ACTOR, detail)


def _in_force(negotiation: Negotiation) -> list[Offering]:
    """Those it may belong to; the one it was offered under first."""
    rows = Offering.objects.filter(state="in_force", resource_id=negotiation.dataset_id).order_by("created_at", "id")
    own = OfferedMember.objects.filter(negotiation_id=negotiation.pid).values_list("offering_id", flat=True).first()
    return sorted(rows, key=lambda one: one.id != own)


def _facts(offering: Offering, peer: str, asked: Asked, terms: Terms) -> dict[str, Any]:
    return {
        "offering": offering.id,
        "asker": peer,
        "in_area": peer in (area.members(offering) or ()),
        "beyond": queries.extent(offering).beyond(terms),
        "changed": [name for name in terms.items if not _as_signed(name, offering, asked)],
    }


def _as_signed(name: str, offering: Offering, asked: Asked) -> bool:
    """Whether the catalogue still says of an item what the head signed: else a local department gets another."""
    item, signed = asked.shareable.get(name), offering.content["masks"].get(name)
    if signed is None:
        return True  # no part of the offering: that is said as going beyond it
    return item is not None and Mask.from_document(default_mask(item), name).to_document() == signed
