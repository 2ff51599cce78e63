"""What a node does by itself when a process enters a state. Loaded with the app; others may decide before these."""

from __future__ import annotations

from datetime import UTC, datetime

from hutong.control.agreements import delivery, outbound
from hutong.control.agreements.consent import Choice, agreed_terms, asked_of
from hutong.control.agreements.decisions import decides
from hutong.control.agreements.drafting import asked_terms
from hutong.control.agreements.models import Negotiation, Transfer
from hutong.control.agreements.terms import MEMBER
from hutong.control.agreements.transitions import Machine, Party
from hutong.control.catalogue.models import Attribute

AGREE_RULE = "rule:D809-21"
FORBIDDEN_RULE = "rule:D809-14"
SIGN_RULE = "rule:A-2"
DELIVER_RULE = "rule:D809-22"


@decides(Machine.NEGOTIATION, "REQUESTED", Party.PROVIDER)
def answer_by_rule(negotiation: Negotiation) -> bool:
    """D809-21. Unconditional is agreed at once; what law forbids is refused with its citation; else an officer.

    D809-20 wants basis, scenario, scope, mode and term stated, so a request without our terms waits for an officer
    too, whatever the attribute.
    """
    asked = asked_of(negotiation.dataset_id)
    if asked.attribute == Attribute.REFUSED:
        reason = "不予共享的数据资源 / this resource is not shared"
        citation = asked.resource.legal_citation[:200] or "D809-14"
        outbound.terminate(negotiation.pid, "expressly_forbidden", reason, citation, FORBIDDEN_RULE)
        return True
    terms = asked_terms(negotiation)
    if asked.attribute != Attribute.UNCONDITIONAL or terms is None:
        return False
    outbound.agree(negotiation.pid, agreed_terms(asked, terms, Choice(), datetime.now(UTC)), AGREE_RULE)
    return True


@decides(Machine.NEGOTIATION, "ACCEPTED", Party.PROVIDER)
def agree_to_own_offer(negotiation: Negotiation) -> bool:
    """Our offer named its terms and was accepted: the officer who made it has decided."""
    terms = asked_terms(negotiation)
    if terms is None or MEMBER not in negotiation.offer:
        return False
    agreed = agreed_terms(asked_of(negotiation.dataset_id), terms, Choice(), datetime.now(UTC))
    outbound.agree(negotiation.pid, agreed, negotiation.decided_by or AGREE_RULE)
    return True


@decides(Machine.NEGOTIATION, "AGREED", Party.CONSUMER)
def countersign(negotiation: Negotiation) -> bool:
    """The agreement was checked when it came (A-1, A-2); our head signed off what it says."""
    outbound.verify(negotiation.pid, SIGN_RULE)
    return True


@decides(Machine.NEGOTIATION, "VERIFIED", Party.PROVIDER)
def finalize(negotiation: Negotiation) -> bool:
    outbound.finalize(negotiation.pid, SIGN_RULE)
    return True


@decides(Machine.NEGOTIATION, "FINALIZED", Party.CONSUMER)
def ask_for_delivery(negotiation: Negotiation) -> bool:
    delivery.request(negotiation.agreement.id, DELIVER_RULE)
    return True


@decides(Machine.TRANSFER, "REQUESTED", Party.PROVIDER)
def deliver(transfer: Transfer) -> bool:
    """D809-22 allows 20 working days; a node needs none."""
    delivery.start(transfer.pid, DELIVER_RULE)
    return True
