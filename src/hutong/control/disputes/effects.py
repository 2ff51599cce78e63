"""What an outcome does at the nodes it binds: agreed, suspended, resumed, ended, in the transaction that takes it in.

What cannot be done (the request is not open again yet, an item may not be shared) stays a duty that people see, and is
tried again; nothing is forced past a rule of the law.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from django.db import transaction

from hutong.control.agreements import delivery, outbound
from hutong.control.agreements.consent import Choice, agreed_terms, asked_of
from hutong.control.agreements.drafting import asked_terms
from hutong.control.agreements.models import Negotiation, Transfer
from hutong.control.agreements.policy import Kind, read_policy
from hutong.control.agreements.transitions import CLOSED, Machine, Party
from hutong.control.corrections.models import Correction
from hutong.control.corrections.reopening import open_by_decision
from hutong.control.disputes.models import Dispute, Mandate
from hutong.control.disputes.rules import NotCorrected
from hutong.control.disputes.standing import Standing
from hutong.control.disputes.timing import tell_not_done
from hutong.control.requests import actions as requests
from hutong.ledger.record import record
from hutong.node import work
from hutong.node.settings import current
from hutong.vocabulary.codes import FINDINGS
from hutong.vocabulary.errors import Refused
from hutong.vocabulary.ids import uuid_of

TO_AGREE = ("REQUESTED", "ACCEPTED")  # states of a negotiation in which the provider may agree
AGREEING = "disputes.agree"  # the work that looks again for requests an outcome says we must agree to


def actor_of(dispute_id: str) -> str:
    return f"dispute:{dispute_id}"


def bind(dispute: Dispute, now: Standing) -> None:
    """Keep what the outcome binds us to, and reopen our own request where the provider must agree to it."""
    us, about = current().jurisdiction, dispute.about
    if now.outcome is None:
        return
    for position, effect in enumerate(now.outcome.effects):
        if effect.binds == us:
            Mandate.objects.get_or_create(
                dispute=dispute,
                position=position,
                defaults={
                    "do": effect.do,
                    "limits": dict(effect.limits),
                    "consumer": about["consumer"],
                    "resource_id": about["resource"],
                },
            )
        if effect.do == "agree" and about["consumer"] == us:
            _reopen(dispute)


def carry_out(dispute: Dispute, *, again: bool = False) -> None:
    """Try what we are bound to and have not done. Repeatable.

    again   a person asks for it: what was answered otherwise opens once more
    """
    for mandate in dispute.mandates.select_for_update().exclude(state="done").order_by("position"):
        if again and mandate.do == "correct" and mandate.code == NotCorrected.code:
            mandate.state, mandate.code = "waiting", ""
            mandate.save(update_fields=["state", "code"])
            _ticket(mandate, again=True)
        _attempt(mandate)


def confirm(mandate: Mandate, actor: str, note: str) -> None:
    """What the outcome binds us to is done: by a person, who says how, or by rule."""
    mandate.state, mandate.code, mandate.note, mandate.done_at = "done", "", note, datetime.now(UTC)
    mandate.save(update_fields=["state", "code", "note", "done_at"])
    record("dispute.done", f"dispute:{mandate.dispute_id}", actor, {"do": mandate.do, "position": mandate.position})


def _attempt(mandate: Mandate) -> None:
    try:
        with transaction.atomic():
            if not _DO[mandate.do](mandate):
                return
            confirm(mandate, actor_of(mandate.dispute_id), "")
    except Refused as refused:
        if (mandate.state, mandate.code) == ("failed", refused.code):
            return
        mandate.state, mandate.code = "failed", refused.code[:64]
        mandate.save(update_fields=["state", "code"])
        detail = {"do": mandate.do, "code": refused.code}
        record("dispute.not_done", f"dispute:{mandate.dispute_id}", actor_of(mandate.dispute_id), detail)
        tell_not_done(mandate.dispute, refused)


def _agree(mandate: Mandate) -> bool:
    open_ones = Negotiation.objects.select_for_update().filter(
        role=Party.PROVIDER, peer=mandate.consumer, dataset_id=mandate.resource_id, state__in=TO_AGREE
    )
    negotiation = next((one for one in open_ones.order_by("-created_at") if is_what_was_asked(one, mandate)), None)
    if negotiation is None:
        # Refused before: the consumer's node asks again and reopened.py answers, unless that comes in this very moment.
        work.wake_on_commit(AGREEING)
        return False
    _agree_to(negotiation, mandate)
    return True


def is_what_was_asked(negotiation: Negotiation, mandate: Mandate) -> bool:
    """Whether this is the disputed request, or the same again in the same words."""
    disputed = Negotiation.objects.filter(pid=mandate.dispute.about["provider_pid"], role=Party.PROVIDER).first()
    same = disputed is not None and (disputed.peer, disputed.terms) == (negotiation.peer, negotiation.terms)
    return same and negotiation.dataset_id == mandate.resource_id


def _agree_to(negotiation: Negotiation, mandate: Mandate) -> None:
    terms, actor = asked_terms(negotiation), actor_of(mandate.dispute_id)
    if terms is None:
        outbound.agree(negotiation.pid, None, actor)
        return
    limits = mandate.limits
    wanted = limits.get("items")
    choice = Choice(
        items=tuple(one for one in terms.items if one in wanted) if wanted else None,
        term_days=_least(limits.get("term_days"), terms.term_days),
        quota_calls_per_day=_least(limits.get("quota_calls_per_day"), terms.quota_calls_per_day),
    )
    agreed = agreed_terms(asked_of(negotiation.dataset_id), terms, choice, datetime.now(UTC))
    outbound.agree(negotiation.pid, agreed, actor)


def _least(limit: int | None, asked: int) -> int | None:
    return None if limit is None else min(limit, asked)


def _suspend(mandate: Mandate) -> bool:
    transfer = _running(mandate)
    if transfer is not None and transfer.state != "SUSPENDED":
        delivery.suspend(transfer.pid, _why(mandate), actor_of(mandate.dispute_id))
    return True


def _resume(mandate: Mandate) -> bool:
    transfer = _running(mandate)
    if transfer is None:
        return False  # it has ended: a person must say what becomes of the decision
    if transfer.state == "SUSPENDED":
        delivery.start(transfer.pid, actor_of(mandate.dispute_id), _why(mandate))
    return True


def _end(mandate: Mandate) -> bool:
    transfer = _running(mandate)
    if transfer is not None:
        delivery.terminate(transfer.pid, _why(mandate), actor_of(mandate.dispute_id))
    return True


def _correct(mandate: Mandate) -> bool:
    """The report is open by the outcome until those who keep the record answer that it is corrected."""
    one = _ticket(mandate)
    if one.state in ("not_wrong", "forwarded"):
        raise NotCorrected(finding=FINDINGS.name(one.state), finding_zh=FINDINGS.name(one.state, "zh"))
    return one.state == "corrected"


def _ticket(mandate: Mandate, *, again: bool = False) -> Correction:
    return open_by_decision(str(mandate.dispute.about["ticket"]), mandate.dispute_id, again=again)


_DO: dict[str, Callable[[Mandate], bool]] = {
    "agree": _agree,
    "suspend": _suspend,
    "resume": _resume,
    "end": _end,
    "correct": _correct,
}


def _running(mandate: Mandate) -> Transfer | None:
    dispute = mandate.dispute
    parties = (dispute.claimant, dispute.respondent)
    rows = Transfer.objects.filter(agreement_id=dispute.about["agreement"], peer__in=parties)
    return rows.exclude(state__in=CLOSED[Machine.TRANSFER]).order_by("-created_at").first()


def _why(mandate: Mandate) -> str:
    return f"争议决定 / decision of dispute {uuid_of(mandate.dispute_id)}"


def _reopen(dispute: Dispute) -> None:
    """Ask again for what was refused, in the words that were signed off then."""
    about: dict[str, Any] = dispute.about
    negotiation = Negotiation.objects.filter(pid=about["consumer_pid"], role=Party.CONSUMER).first()
    if negotiation is None or negotiation.state not in CLOSED[Machine.NEGOTIATION] or negotiation.state == "FINALIZED":
        return
    offer = read_policy(negotiation.offer, Kind.OFFER, "offer")
    again = outbound.request(
        negotiation.peer,
        offer,
        asked_terms(negotiation),
        actor_of(dispute.id),
        request_id=negotiation.request_id,
        callback=negotiation.callback,
    )
    if negotiation.request_id:
        requests.reopened(negotiation.request_id, again.pid, actor_of(dispute.id))
