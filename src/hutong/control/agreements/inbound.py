"""What a peer says to us in a negotiation, in either role: checked, applied and answered in one transaction.

The answer shows the state this message led to. What our side does next goes out as a message of its
own, even when a rule decides it in the same transaction.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from hutong.control.agreements import decisions, door
from hutong.control.agreements.compile import limits_under
from hutong.control.agreements.consent import Asked, check_asked, published
from hutong.control.agreements.door import Peer
from hutong.control.agreements.drafting import asked_terms
from hutong.control.agreements.models import Agreement, Negotiation
from hutong.control.agreements.offered import read_offered
from hutong.control.agreements.outbound import NEGOTIATION, agreement_row, close_agreement
from hutong.control.agreements.policy import Policy
from hutong.control.agreements.protocol import (
    ContractAgreement,
    ContractEvent,
    ContractOffer,
    ContractRequest,
    ContractTermination,
    ContractVerification,
    NegotiationProcess,
)
from hutong.control.agreements.rules import (
    AgreementDiffers,
    AgreementUnsigned,
    AnotherContent,
    PidsDiffer,
    TermsFromOutside,
    UnknownDataset,
)
from hutong.control.agreements.signatures import Signature, check_signature
from hutong.control.agreements.steps import check_pids, heard, is_new, locked, pids_of, signed_commitment
from hutong.control.agreements.supplement import read_points
from hutong.control.agreements.terms import Terms, check_within, read_agreed, read_terms
from hutong.control.agreements.transitions import Machine, Party, Said, restates
from hutong.control.replies.term import begin_reply
from hutong.node import outside
from hutong.node.keyring import ring
from hutong.vocabulary.canonical import canonical_digest
from hutong.vocabulary.ids import new_id, urn, uuid_of

Heard = ContractRequest | ContractOffer | ContractAgreement | ContractVerification | ContractEvent | ContractTermination
LONGEST_REASON = 4_000  # characters kept of a peer's reason


def begin_request(peer: Peer, message: ContractRequest) -> tuple[NegotiationProcess, bool]:
    """A consumer's first message: we are the provider.

    returns  the process as it answers, and whether it was made now (a repeat of the same request is not)
    raises   UnknownDataset, ForeignCallback, RequestIncomplete, UnknownItems, AnotherContent, Malformed
    """
    if message.callback is None:
        raise PidsDiffer
    known = Negotiation.objects.filter(peer=peer.jurisdiction, role=Party.PROVIDER, peer_pid=message.consumer_pid)
    if (before := known.first()) is not None:
        return _same_first(before, message.offer), False
    negotiation = Negotiation(pid=urn(new_id()), role=Party.PROVIDER, peer=peer.jurisdiction)
    negotiation.peer_pid = message.consumer_pid
    negotiation.callback = door.callback_from(peer, message.callback)
    negotiation.opened_with = canonical_digest(message.offer.document)
    detail = _take_request(negotiation, message.offer)
    heard(negotiation, Said.REQUEST, peer, detail)
    return _answered(negotiation), True


def begin_offer(peer: Peer, message: ContractOffer) -> tuple[NegotiationProcess, bool]:
    """A provider's first message, unasked: we are the consumer, and an officer of ours may accept."""
    if message.callback is None:
        raise PidsDiffer
    known = Negotiation.objects.filter(peer=peer.jurisdiction, role=Party.CONSUMER, peer_pid=message.provider_pid)
    if (before := known.first()) is not None:
        return _same_first(before, message.offer), False
    negotiation = Negotiation(pid=urn(new_id()), role=Party.CONSUMER, peer=peer.jurisdiction)
    negotiation.peer_pid = message.provider_pid
    negotiation.callback = door.callback_from(peer, message.callback)
    negotiation.opened_with = canonical_digest(message.offer.document)
    _hear_offer(negotiation, message)
    heard(negotiation, Said.OFFER, peer, {"offer": message.offer.id})
    return _answered(negotiation), True


def hear(peer: Peer, pid: str, message: Heard) -> NegotiationProcess:
    """Any later message of the peer of a negotiation.

    raises   NotFound, PidsDiffer, IllegalMove, AnotherContent and what the message's own checks raise
    """
    negotiation = locked(Negotiation, pid, peer.jurisdiction)
    sender = Party(negotiation.role).other
    check_pids(negotiation, message.provider_pid, message.consumer_pid)
    said = message.said
    if restates(Machine.NEGOTIATION, negotiation.state, said, sender):
        _check_same(negotiation, message)
        return process_of(negotiation)
    if not is_new(negotiation, said, peer):
        return process_of(negotiation)
    detail = _TAKE[type(message)](negotiation, message)
    agreement = _agreement_of(negotiation)
    commitment = signed_commitment(agreement) if agreement else {}
    heard(negotiation, said, peer, detail, commitment=commitment)
    if isinstance(message, ContractTermination):
        door.hush(negotiation, kind=NEGOTIATION)
    if isinstance(message, ContractAgreement) and agreement is not None:
        agreement.save(force_insert=True)
    return _answered(negotiation)


def process_of(negotiation: Negotiation) -> NegotiationProcess:
    return NegotiationProcess(*pids_of(negotiation), negotiation.state)


def _answered(negotiation: Negotiation) -> NegotiationProcess:
    """The answer, taken before anybody decides what comes next."""
    answer = process_of(negotiation)
    decisions.ask(negotiation)
    return answer


def _same_first(before: Negotiation, offer: Policy) -> NegotiationProcess:
    """A-5. The first message again, however far the negotiation has come since: the peer has missed our answer."""
    if before.opened_with != canonical_digest(offer.document):
        raise AnotherContent
    return process_of(before)


def _check_same(negotiation: Negotiation, message: Heard) -> None:
    """A repeat is harmless only when it says the same as before."""
    if isinstance(message, ContractOffer):
        same = canonical_digest(negotiation.offer) == canonical_digest(message.offer.document)
    elif isinstance(message, ContractAgreement):
        same = negotiation.agreement.digest == canonical_digest(message.agreement.document)
    else:
        same = True
    if not same:
        raise AnotherContent


def _take_request(negotiation: Negotiation, offer: Policy) -> dict[str, Any]:
    """Check a request and take it over; D809-21's clock starts."""
    target = offer.target or negotiation.dataset_id
    if not target or negotiation.dataset_id not in ("", uuid_of(target)):
        raise UnknownDataset(dataset=target[:80])
    dataset, asked = published(target)
    terms = read_terms(offer.document)
    if terms is not None:
        _check_can_sign(negotiation.peer)
        check_asked(asked, terms)
    read_points(offer.document)
    negotiation.dataset_id = dataset["@id"]
    negotiation.department = asked.resource.department_id
    negotiation.offer = offer.document
    negotiation.terms = terms.document() if terms else None
    negotiation.due_at = begin_reply(negotiation, asked)
    return _requested(negotiation, asked, terms)


def _check_can_sign(peer: str) -> None:
    """A-2. Whoever uses our terms signs them, which takes a key in the directory."""
    if outside.is_outside(peer):
        raise TermsFromOutside


def _requested(negotiation: Negotiation, asked: Asked, terms: Terms | None) -> dict[str, Any]:
    due = negotiation.due_at.isoformat() if negotiation.due_at else None
    detail: dict[str, Any] = {"attribute": asked.attribute, "due": due, "terms": terms is not None}
    if terms is not None:
        detail |= {"purpose": terms.purpose, "items": list(terms.items), "department": terms.department}
    return detail


def _hear_request(negotiation: Negotiation, message: ContractRequest) -> dict[str, Any]:
    return _take_request(negotiation, message.offer)


def _hear_offer(negotiation: Negotiation, message: ContractOffer) -> dict[str, Any]:
    read_terms(message.offer.document)  # refused now, not when an agreement is held against them
    read_offered(message.offer.document)
    points = read_points(message.offer.document)
    negotiation.offer = message.offer.document
    negotiation.dataset_id = negotiation.dataset_id or message.offer.target or ""
    return {"offer": message.offer.id, "supplement": [one.document() for one in points]}


def _hear_agreement(negotiation: Negotiation, message: ContractAgreement) -> dict[str, Any]:
    policy = message.agreement
    _check_parties(negotiation, policy)
    _check_content(negotiation, policy)
    _check_provider_signature(negotiation, policy, message.signature)
    agreement = agreement_row(negotiation, policy, datetime.now(UTC))
    _check_purpose(negotiation, agreement)
    if Agreement.objects.filter(id=agreement.id).exists():
        raise AnotherContent
    agreement.provider_signature = message.signature.document() if message.signature else None
    negotiation.agreement = agreement
    signed = message.signature.keyid if message.signature else ""
    return {"agreement": agreement.id, "agreement_digest": agreement.digest, "keyid": signed}


def _check_parties(negotiation: Negotiation, policy: Policy) -> None:
    if policy.assigner != door.participant_of(negotiation.peer):
        raise AgreementDiffers(what="assigner")
    if policy.assignee != door.ourselves():
        raise AgreementDiffers(what="assignee")
    if uuid_of(policy.target or "") != uuid_of(negotiation.dataset_id):
        raise AgreementDiffers(what="target")


def _check_content(negotiation: Negotiation, policy: Policy) -> None:
    """A-1. What our head signed off, or less: the request, and the offer where one was accepted."""
    agreed = read_agreed(policy.document)
    if agreed is None:
        return
    for signed_off in (asked_terms(negotiation), read_terms(negotiation.offer)):
        if signed_off is not None:
            check_within(agreed, signed_off, datetime.now(UTC))


def _check_purpose(negotiation: Negotiation, agreement: Agreement) -> None:
    """A-1. A peer without our terms is held to the purpose, in plain ODRL."""
    asked = asked_terms(negotiation)
    if asked is not None and asked.purpose not in limits_under(agreement).purposes:
        raise AgreementDiffers(what="purpose")


def _check_provider_signature(negotiation: Negotiation, policy: Policy, signature: Signature | None) -> None:
    """A-2. Whoever uses our terms signs them; whoever signs, signs truly; a peer that does neither is plain DSP."""
    if signature is None:
        if read_agreed(policy.document) is not None:
            raise AgreementUnsigned(signer=negotiation.peer)
        return
    check_signature(policy.document, signature, negotiation.peer, ring(), time.time())


def _hear_verification(negotiation: Negotiation, message: ContractVerification) -> dict[str, Any]:
    agreement = negotiation.agreement
    signature = message.signature
    if signature is None and negotiation.terms is not None:
        raise AgreementUnsigned(signer=negotiation.peer)
    if signature is not None:
        check_signature(agreement.document, signature, negotiation.peer, ring(), time.time())
        agreement.consumer_signature = signature.document()
        agreement.save(update_fields=["consumer_signature"])
    keyid = signature.keyid if signature else ""
    return {"agreement": agreement.id, "agreement_digest": agreement.digest, "keyid": keyid}


def _hear_event(negotiation: Negotiation, message: ContractEvent) -> dict[str, Any]:  # noqa: ARG001 - as its siblings
    agreement = _agreement_of(negotiation)
    if agreement is None:
        return {"offer": negotiation.offer.get("@id", "")}
    return {"agreement": agreement.id, "agreement_digest": agreement.digest}


def _hear_termination(negotiation: Negotiation, message: ContractTermination) -> dict[str, Any]:
    code, reason, citation = refusal_words(message)
    negotiation.refusal_code, negotiation.refusal_reason = code, reason
    negotiation.refusal_citation, negotiation.decided_by = citation, ""
    close_agreement(negotiation)
    return {"code": code, "reason": reason, "citation": citation, "by": Party(negotiation.role).other.value}


def refusal_words(message: Any) -> tuple[str, str, str]:
    """Code, reason and citation of a message that ends or suspends, cut to what our tables hold."""
    refusal = message.refusal or {}
    plain = "; ".join(one for one in message.reason or () if isinstance(one, str))
    reason, citation = refusal.get("reason"), refusal.get("citation")
    texts = (message.code, reason if isinstance(reason, str) else plain, citation if isinstance(citation, str) else "")
    code, said, cited = (text.replace("\x00", "") if text else "" for text in texts)
    return code[:64], said[:LONGEST_REASON], cited[:200]


def _agreement_of(negotiation: Negotiation) -> Agreement | None:
    return getattr(negotiation, "agreement", None)


_TAKE: dict[type, Callable[[Negotiation, Any], dict[str, Any]]] = {
    ContractRequest: _hear_request,
    ContractOffer: _hear_offer,
    ContractAgreement: _hear_agreement,
    ContractVerification: _hear_verification,
    ContractEvent: _hear_event,
    ContractTermination: _hear_termination,
}
