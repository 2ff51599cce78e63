"""The statutory terms of a request at its provider: to reply (article 21) and to deliver (article 22).

Followers of the two machines: each runs in the transaction of the step it follows, so a clock starts, is met or falls
away together with what it measures.
"""

from __future__ import annotations

from datetime import date
from typing import Final

from hutong.control.agreements.decisions import follows
from hutong.control.agreements.models import Agreement, Negotiation, Transfer
from hutong.control.agreements.supplement import read_points
from hutong.control.agreements.transitions import Machine, Party
from hutong.control.clocks import actions as clocks
from hutong.control.clocks.hooks import on_extended
from hutong.control.clocks.models import Clock
from hutong.control.notices.actions import tell
from hutong.control.replies.actions import drop_waiting
from hutong.control.replies.notes import DueDayMoved
from hutong.control.replies.rules import ConditionalReplyLate, DeliveryLate
from hutong.control.replies.term import REPLIES, subject_of
from hutong.control.statute import day
from hutong.control.statute.decisions import decide
from hutong.ledger.record import record
from hutong.node import outside
from hutong.node.events import Event, on_event, post_event
from hutong.node.receiving import Peer
from hutong.vocabulary.errors import BadInput
from hutong.vocabulary.ids import uuid_of

DUE_EVENT: Final = "request.due"


@follows(Machine.NEGOTIATION, "OFFERED", Party.PROVIDER)
def offered(negotiation: Negotiation) -> None:
    """A list of missing material is no reply: the clock runs on, unless the local rule stops it."""
    if not read_points(negotiation.offer):
        _reply_met(negotiation)
        return
    running = Clock.objects.filter(subject=subject_of(negotiation), state="running").first()
    if running is None:
        return
    facts = {"received": running.received_on.isoformat(), "asked": day.today().isoformat()}
    if decide("supplement.clock", subject_of(negotiation), facts)["stops"]:
        _reply_dropped(negotiation, "supplement")


@follows(Machine.NEGOTIATION, "AGREED", Party.PROVIDER)
def agreed(negotiation: Negotiation) -> None:
    _reply_met(negotiation)
    agreement = Agreement.objects.get(negotiation=negotiation)
    page = ("agreement", uuid_of(agreement.id))
    title = agreement.title or negotiation.dataset_id
    department = negotiation.department
    subject = f"agreement:{agreement.id}"
    clocks.start(DeliveryLate, subject, department=department, title_zh=title, title_en=title, page=page)


@follows(Machine.NEGOTIATION, "TERMINATED", Party.PROVIDER)
def terminated(negotiation: Negotiation) -> None:
    """We refused: that is the reply. They withdrew: there is nothing to reply to."""
    drop_waiting(negotiation)
    if negotiation.decided_by:
        _reply_met(negotiation)
    else:
        _reply_dropped(negotiation, "withdrawn")
    for agreement in Agreement.objects.filter(negotiation=negotiation):
        clocks.drop(DeliveryLate, f"agreement:{agreement.id}", "ended before it was in force")


@follows(Machine.TRANSFER, "STARTED", Party.PROVIDER)
def delivered(transfer: Transfer) -> None:
    clocks.meet(DeliveryLate, f"agreement:{transfer.agreement_id}")


@follows(Machine.TRANSFER, "TERMINATED", Party.PROVIDER)
def not_delivered(transfer: Transfer) -> None:
    if Agreement.objects.filter(id=transfer.agreement_id, state="ended").exists():
        clocks.drop(DeliveryLate, f"agreement:{transfer.agreement_id}", "the agreement ended")


@on_extended(ConditionalReplyLate)
def extended(clock: Clock) -> None:
    """D809-21. The extension is told to the applicant's node, which shows the new day."""
    pid = clock.subject.removeprefix("negotiation:")
    negotiation = Negotiation.objects.select_for_update().get(pid=pid)
    negotiation.due_at = clock.due_on
    negotiation.save(update_fields=["due_at"])
    if outside.is_outside(negotiation.peer):
        return
    told = {"provider_pid": negotiation.pid, "consumer_pid": negotiation.peer_pid, "reason": clock.extension_reason}
    told["due"] = clock.due_on.isoformat() if clock.due_on else ""
    post_event(negotiation.peer, DUE_EVENT, negotiation.peer_pid, told)


@on_event(DUE_EVENT)
def take_due_day(peer: Peer, event: Event) -> None:
    """A provider has extended its reply to one of our requests."""
    said = {name: event.data.get(name) for name in ("provider_pid", "consumer_pid", "due", "reason")}
    if not all(isinstance(one, str) for one in said.values()):
        raise BadInput(reason="the due day's message lacks a member", reason_zh="答复期限通知缺少成员")
    ours = Negotiation.objects.select_for_update().filter(
        pid=said["consumer_pid"], peer=peer.jurisdiction, role=Party.CONSUMER
    )
    negotiation = ours.first()
    if negotiation is None:
        raise BadInput(reason="there is no such request", reason_zh="没有该申请")
    try:
        due = date.fromisoformat(str(said["due"])) if said["due"] else None
    except ValueError:
        raise BadInput(reason="the due day is no date", reason_zh="答复期限不是日期") from None
    if negotiation.due_at == due:
        return
    negotiation.due_at = due
    negotiation.save(update_fields=["due_at"])
    reason = str(said["reason"])[:500]
    detail = {"due": due.isoformat() if due else "", "reason": reason}
    record("negotiation.extended", subject_of(negotiation), f"node:{peer.jurisdiction}", detail)
    page = ("request", negotiation.request_id) if negotiation.request_id else ()
    moved = DueDayMoved(due=detail["due"], reason=reason)
    for role in ("officer", "head"):
        if negotiation.department:
            department = negotiation.department
            tell(moved, role=role, department=department, subject=subject_of(negotiation), page=page)


def _reply_met(negotiation: Negotiation) -> None:
    for rule in REPLIES:
        clocks.meet(rule, subject_of(negotiation))


def _reply_dropped(negotiation: Negotiation, reason: str) -> None:
    for rule in REPLIES:
        clocks.drop(rule, subject_of(negotiation), reason)
