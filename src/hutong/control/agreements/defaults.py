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
from hutong.control.replies import actions as replies
from hutong.control.replies.verdict import decided, requester_of

AGREE_RULE = "rule:D809-21"
SIGN_RULE = "rule:A-2"
DELIVER_RULE = "rule:D809-22"


@decides(Machine.NEGOTIATION, "REQUESTED", Party.PROVIDER)
def answer_by_rule(negotiation: Negotiation) -> bool:
    """D809-21, Z-1. What the rules agree to or refuse is answered at once (replies/verdict.py); else an officer."""
    asked = asked_of(negotiation.dataset_id)
    subject, requester = f"negotiation:{negotiation.pid}", requester_of(negotiation.peer)
    verdict = decided(subject, asked, asked_terms(negotiation), requester)
    if verdict.answer == "refuse":
        reason = "不予共享的数据资源 / this resource is not shared"
        citation = asked.resource.legal_citation[:200] or "《政务数据共享条例》第十四条"
        outbound.terminate(negotiation.pid, "expressly_forbidden", reason, citation, verdict.actor)
    elif verdict.answer == "agree":
        replies.by_rule(negotiation, verdict.actor, head=verdict.head)
    return verdict.answer != "officer"


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
