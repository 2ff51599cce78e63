"""What we say in a negotiation, in either role: each a legal move, a record and a message in one transaction.

Accounts are checked in actions.py; here `actor` is only named: an account, or "rule:D809-21". A
scripted officer uses these same functions.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from django.db import transaction

from hutong.control.agreements import decisions, door
from hutong.control.agreements.compile import limits_under
from hutong.control.agreements.consent import published
from hutong.control.agreements.drafting import PLAIN_TERM_DAYS, agreement_for, new_offer, offer_for
from hutong.control.agreements.models import Agreement, Negotiation
from hutong.control.agreements.offered import Offered
from hutong.control.agreements.policy import Policy
from hutong.control.agreements.protocol import (
    ContractAgreement,
    ContractEvent,
    ContractOffer,
    ContractRequest,
    ContractTermination,
    ContractVerification,
)
from hutong.control.agreements.rules import NoOfferMade, SupplementTwice
from hutong.control.agreements.signatures import sign
from hutong.control.agreements.steps import locked, pids_of, signed_commitment, step
from hutong.control.agreements.supplement import Point, was_asked
from hutong.control.agreements.terms import AgreedTerms, Terms, read_agreed
from hutong.control.agreements.transitions import Party, Said
from hutong.node.keyring import ring
from hutong.vocabulary.canonical import canonical_digest
from hutong.vocabulary.ids import new_id, urn

NEGOTIATION = "negotiation"


@transaction.atomic
def request(
    peer: str, offer: Policy, terms: Terms | None, actor: str, *, request_id: str = "", callback: str = door.DSP_PATH
) -> Negotiation:
    """Ask a provider: the first message of a negotiation, as consumer.

    peer       the provider's jurisdiction; or `outside:` and its participant id
    callback   the provider's protocol base: below its base URL; outside the directory the whole address
    raises     UnknownMember, ForeignAddress
    """
    negotiation = Negotiation(pid=urn(new_id()), role=Party.CONSUMER, peer=peer, callback=callback)
    negotiation.request_id = request_id
    _take_offer(negotiation, offer, terms)
    negotiation.department = terms.department if terms else ""
    step(negotiation, Said.REQUEST, Party.CONSUMER, actor, _asking(terms))
    message = ContractRequest(negotiation.pid, offer, callback=door.here())
    door.say(negotiation, "request", message.document(), kind=NEGOTIATION, first=True)
    decisions.ask(negotiation)
    return negotiation


@transaction.atomic
def open_offer(
    peer: str, resource_id: str, actor: str, *, callback: str = door.DSP_PATH, offered: Offered | None = None
) -> Negotiation:
    """Offer one of our published resources unasked, as it is published: the first message, as provider.

    peer, callback   as in `request`
    offered          the offering it is made under
    raises           UnknownDataset, UnknownMember, ForeignAddress
    """
    dataset, asked = published(resource_id)
    negotiation = Negotiation(pid=urn(new_id()), role=Party.PROVIDER, peer=peer, callback=callback)
    made = offer_for(dataset, None, offered=offered)
    _take_offer(negotiation, made, None)
    negotiation.dataset_id, negotiation.department = dataset["@id"], asked.resource.department_id
    negotiation.decided_by = actor
    step(negotiation, Said.OFFER, Party.PROVIDER, actor, {"offer": made.id, "supplement": []})
    message = ContractOffer(negotiation.pid, made, callback=door.here())
    door.say(negotiation, "offers", message.document(), kind=NEGOTIATION, first=True)
    decisions.ask(negotiation)
    return negotiation


@transaction.atomic
def counter(pid: str, offer: Policy, terms: Terms | None, actor: str, *, request_id: str = "") -> Negotiation:
    """Answer an offer with a request of our own, as consumer.

    request_id   of the request that takes up an offer nobody had asked for
    """
    negotiation = locked(Negotiation, pid)
    _take_offer(negotiation, offer, terms)
    negotiation.request_id = request_id or negotiation.request_id
    negotiation.department = terms.department if terms else negotiation.department
    step(negotiation, Said.REQUEST, Party(negotiation.role), actor, _asking(terms))
    message = ContractRequest(negotiation.pid, offer, provider_pid=negotiation.peer_pid)
    return _said(negotiation, "request", message.document())


@transaction.atomic
def offer(
    pid: str, actor: str, *, supplement: tuple[Point, ...] = (), terms: Terms | None = None, bare: bool = False
) -> Negotiation:
    """Offer other terms, or list once and completely what is missing (D809-21), as provider.

    bare     an offer of the same rules and nothing else, as a plain connector makes
    raises   NoOfferMade, SupplementTwice, IllegalMove
    """
    negotiation = locked(Negotiation, pid)
    if not (supplement or terms or bare):
        raise NoOfferMade
    if supplement and was_asked(negotiation):
        raise SupplementTwice
    made = new_offer(negotiation, supplement, terms)
    negotiation.offer = made.document
    negotiation.terms = terms.document() if terms else negotiation.terms
    negotiation.decided_by = actor
    points = [one.document() for one in supplement]
    step(negotiation, Said.OFFER, Party(negotiation.role), actor, {"offer": made.id, "supplement": points})
    message = ContractOffer(negotiation.pid, made, consumer_pid=negotiation.peer_pid)
    return _said(negotiation, "offers", message.document())


@transaction.atomic
def accept(pid: str, actor: str) -> Negotiation:
    """Accept the provider's offer, as consumer."""
    negotiation = locked(Negotiation, pid)
    step(negotiation, Said.ACCEPTED, Party(negotiation.role), actor, {"offer": negotiation.offer.get("@id", "")})
    return _said(negotiation, "events", ContractEvent(*pids_of(negotiation), "ACCEPTED").document())


@transaction.atomic
def agree(pid: str, agreed: AgreedTerms | None, actor: str, *, plain_days: int = PLAIN_TERM_DAYS) -> Agreement:
    """Sign an agreement and send it, as provider.

    agreed       what was decided; None for a peer without our terms: a person's decision, never a rule's (D809-20)
    plain_days   the term of an agreement without our terms
    """
    negotiation = locked(Negotiation, pid)
    now = datetime.now(UTC)
    policy = agreement_for(negotiation, agreed, now, plain_days)
    signature = sign(policy.document, ring().signing_key())
    agreement = agreement_row(negotiation, policy, now)
    agreement.provider_signature = signature.document()
    negotiation.decided_by = actor
    detail = _agreeing(agreement, agreed)
    step(negotiation, Said.AGREEMENT, Party(negotiation.role), actor, detail, commitment=signed_commitment(agreement))
    agreement.save(force_insert=True)
    message = ContractAgreement(*pids_of(negotiation), policy, signature)
    _said(negotiation, "agreement", message.document())
    return agreement


@transaction.atomic
def verify(pid: str, actor: str) -> Negotiation:
    """Countersign the agreement, as consumer. Its content was checked when it came."""
    negotiation = locked(Negotiation, pid)
    agreement = negotiation.agreement
    signature = sign(agreement.document, ring().signing_key())
    detail = {"agreement": agreement.id, "agreement_digest": agreement.digest, "keyid": signature.keyid}
    step(
        negotiation, Said.VERIFICATION, Party(negotiation.role), actor, detail, commitment=signed_commitment(agreement)
    )
    agreement.consumer_signature = signature.document()
    agreement.save(update_fields=["consumer_signature"])
    return _said(
        negotiation, "agreement/verification", ContractVerification(*pids_of(negotiation), signature).document()
    )


@transaction.atomic
def finalize(pid: str, actor: str) -> Negotiation:
    """Put the agreement in force, as provider."""
    negotiation = locked(Negotiation, pid)
    agreement = negotiation.agreement
    detail = {"agreement": agreement.id, "agreement_digest": agreement.digest}
    step(negotiation, Said.FINALIZED, Party(negotiation.role), actor, detail, commitment=signed_commitment(agreement))
    return _said(negotiation, "events", ContractEvent(*pids_of(negotiation), "FINALIZED").document())


@transaction.atomic
def terminate(pid: str, code: str, reason: str, citation: str, actor: str) -> Negotiation:
    """Refuse or give up, in either role. Whether the reason is good enough is checked in actions.py."""
    negotiation = locked(Negotiation, pid)
    _close(negotiation, code, reason, citation)
    negotiation.decided_by = actor
    detail = {"code": code, "reason": reason, "citation": citation, "by": negotiation.role}
    step(negotiation, Said.TERMINATION, Party(negotiation.role), actor, detail)
    words = tuple(one for one in (reason, citation) if one) or None
    refusal = {"reason": reason, "citation": citation}
    message = ContractTermination(*pids_of(negotiation), code or None, words, refusal)
    return _said(negotiation, "termination", message.document())


def agreement_row(negotiation: Negotiation, policy: Policy, now: datetime) -> Agreement:
    """The row of an agreement about to be made, not saved. Its policy is one that can be carried out.

    raises   Malformed, PolicyNotUnderstood, PolicyNeverHolds, AgreementContradicts
    """
    agreed = read_agreed(policy.document)
    agreement = Agreement(
        id=policy.id,
        negotiation=negotiation,
        role=negotiation.role,
        peer=negotiation.peer,
        department=negotiation.department,
        resource_id=negotiation.dataset_id,
        document=policy.document,
        digest=canonical_digest(policy.document),
        state="agreed",
        starts_at=agreed.starts_at if agreed else now,
    )
    in_force = limits_under(agreement).in_force
    agreement.starts_at = in_force.parts[0][0] or agreement.starts_at
    agreement.ends_at = in_force.last
    return agreement


def close_agreement(negotiation: Negotiation) -> None:
    """An agreement whose negotiation ended before it came into force has ended too."""
    Agreement.objects.filter(negotiation=negotiation).update(state="ended")


def _close(negotiation: Negotiation, code: str, reason: str, citation: str) -> None:
    negotiation.refusal_code, negotiation.refusal_reason = code[:64], reason
    negotiation.refusal_citation = citation[:200]
    close_agreement(negotiation)


def _said(negotiation: Negotiation, place: str, body: dict[str, Any]) -> Negotiation:
    door.say(negotiation, place, body, kind=NEGOTIATION)
    decisions.ask(negotiation)
    negotiation.refresh_from_db()
    return negotiation


def _take_offer(negotiation: Negotiation, offer: Policy, terms: Terms | None) -> None:
    negotiation.offer = offer.document
    negotiation.dataset_id = offer.target or negotiation.dataset_id
    negotiation.terms = terms.document() if terms else None


def _asking(terms: Terms | None) -> dict[str, Any]:
    if terms is None:
        return {}
    return {"purpose": terms.purpose, "items": list(terms.items), "term_days": terms.term_days}


def _agreeing(agreement: Agreement, agreed: AgreedTerms | None) -> dict[str, Any]:
    detail: dict[str, Any] = {"agreement": agreement.id, "agreement_digest": agreement.digest}
    if agreed is None:
        return detail
    masks = {name: mask["action"] for name, mask in zip(agreed.asked.items, agreed.masks, strict=True)}
    return detail | {"items": list(agreed.asked.items), "masks": masks, "purpose": agreed.asked.purpose}
