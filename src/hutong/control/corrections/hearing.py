"""What other nodes say about corrections. Every handler may hear the same event again and changes nothing then."""

from __future__ import annotations

from typing import Any, Final

import orjson
from django.db import transaction

from hutong.control.agreements.models import Agreement
from hutong.control.agreements.transitions import Party
from hutong.control.corrections import content, reopening, saying, telling
from hutong.control.corrections.models import Correction, Heard, Told
from hutong.control.corrections.rules import CanaryReported, check_report
from hutong.exchange.grants.store import load
from hutong.exchange.tracing import canary_values
from hutong.ledger.record import record
from hutong.node import messages
from hutong.node.events import Event, on_event
from hutong.node.models import OutboxMessage
from hutong.node.receiving import Peer
from hutong.node.settings import current
from hutong.vocabulary import codes
from hutong.vocabulary.errors import BadInput, NotFound
from hutong.vocabulary.moments import rfc3339

REFUSED_FROM: Final = 400  # HTTP


def register() -> None:
    on_event(saying.REPORTED)(hear_report)
    on_event(saying.RECEIVED)(hear_due)
    on_event(saying.ANSWERED)(hear_answer)
    on_event(saying.TOLD)(hear_correction)
    on_event(saying.ACKNOWLEDGED)(hear_acknowledgement)
    on_event(saying.SPREAD)(hear_spread)
    for kind in (saying.REPORTED, saying.TOLD):
        messages.when_answered(f"event:{kind}:", not_taken)


def hear_report(peer: Peer, event: Event) -> None:
    """A consumer of ours reports a record: the clock runs, and the record is read soon, apart from this message."""
    said = saying.Report.read(event)
    agreement = _with(peer, said.agreement, Party.PROVIDER)
    grant = load(agreement.id)[0]
    granted = {name: item.action for name, item in grant.by_name.items()}
    said_in_clear = {"key_item": said.key_item, "fault": said.fault, "value": "sealed", "evidence": "sealed"}
    check_report(said.items, granted, agreement.id, said_in_clear)
    if Correction.objects.filter(ticket=said.ticket, role=Party.PROVIDER).exists():
        return
    secret = content.received(said.box, event.subject, ("value", "evidence"))
    if str(secret["value"]) in canary_values(grant):
        raise CanaryReported(agreement=agreement.id)
    one = telling.keep_report(said, agreement, Party.PROVIDER, secret, f"node:{peer.jurisdiction}")
    telling.receive(one)


def hear_due(peer: Peer, event: Event) -> None:
    """The provider has our report; by when it must answer. Again, when a dispute's outcome has opened it anew."""
    one = _reported(peer, event)
    one.due_on = saying.day(event.data, "due_on")
    dispute = saying.text(event.data, "by_decision", 80) if "by_decision" in event.data else ""
    if dispute and one.state != "corrected":
        one.by_decision, one.state = dispute, "reported"
        reopening.forget_answer(one)
        detail = {"dispute": dispute, "peer": one.peer}
        record("correction.opened_by_decision", event.subject, f"node:{peer.jurisdiction}", detail)
    one.save()


def hear_answer(peer: Peer, event: Event) -> None:
    """The provider has answered our report."""
    one = _reported(peer, event)
    if one.answered_at is not None:
        return
    finding, changes = saying.text(event.data, "finding", 24), saying.changes_in(event.data)
    if finding not in codes.FINDINGS:
        raise BadInput(reason="the finding is not in the list", reason_zh="核实结果不在列表中")
    one.answered_at = saying.moment(event.data, "at")
    one.corrected_at = saying.moment(event.data, "corrected_at") if finding == "corrected" else None
    digest = saying.answer_digest(one, finding, changes, one.answered_at)
    if saying.text(event.data, "digest", 80) != digest:
        raise BadInput(reason="the answer's digest does not follow the report", reason_zh="答复摘要与校核不衔接")
    one.state, one.changes, one.answer_digest = finding, changes, digest
    one.answer = content.kept(content.received(event.data.get("box"), event.subject, ("reason", "source")))
    one.answered_by = f"node:{peer.jurisdiction}"
    one.save()
    detail = {"agreement": one.agreement_id, "peer": one.peer, "changes": changes}
    leaf = {"ticket": one.ticket, "report": one.report_digest, "answer": digest}
    record(f"correction.{finding}", event.subject, f"node:{peer.jurisdiction}", detail, commitment=leaf)


def hear_correction(peer: Peer, event: Event) -> None:
    """A record we have read was corrected."""
    ticket, data = saying.ticket_of(event), event.data
    agreement = _with(peer, saying.text(data, "agreement", 80), Party.CONSUMER)
    if Heard.objects.filter(ticket=ticket, agreement=agreement).exists():
        return
    answer, items = saying.text(data, "answer", 80), list(saying.names(data, "items"))
    us = content.received(data.get("box"), event.subject, ("value",))
    digest = saying.told_digest(answer, current().jurisdiction, agreement.id, items)
    if saying.text(data, "digest", 80) != digest:
        raise BadInput(reason="the digest does not follow the answer", reason_zh="摘要与答复不衔接")
    Heard.objects.create(
        ticket=ticket,
        peer=agreement.peer,
        agreement=agreement,
        department=agreement.department,
        items=items,
        key_item=saying.text(data, "key_item", 120),
        fault=saying.text(data, "fault", 24),
        content=content.kept(us),
        changes=saying.changes_in(data),
        corrected_at=saying.moment(data, "corrected_at"),
        answer_digest=answer,
        digest=digest,
    )
    detail = {"agreement": agreement.id, "peer": agreement.peer, "items": items}
    leaf = {"ticket": ticket, "answer": answer, "told": digest}
    record("correction.heard", event.subject, f"node:{peer.jurisdiction}", detail, commitment=leaf)


def hear_acknowledgement(peer: Peer, event: Event) -> None:
    """A subscriber has taken a correction over."""
    ticket, agreement = saying.ticket_of(event), saying.text(event.data, "agreement", 80)
    rows = Told.objects.select_for_update(of=("self",)).select_related("correction")
    told = rows.filter(correction__ticket=ticket, agreement_id=agreement, peer=peer.jurisdiction).first()
    if told is None:
        raise NotFound(what="correction", name=ticket)
    if saying.text(event.data, "digest", 80) != told.digest:
        raise BadInput(reason="the digest is of another correction", reason_zh="摘要不是该更正的摘要")
    if told.state == "acknowledged":
        return
    told.state, told.acknowledged_at = "acknowledged", saying.moment(event.data, "at")
    told.save(update_fields=["state", "acknowledged_at"])
    detail = {"agreement": agreement, "peer": peer.jurisdiction, "at": rfc3339(told.acknowledged_at)}
    leaf = {"ticket": ticket, "told": told.digest}
    record("correction.acknowledged", event.subject, f"node:{peer.jurisdiction}", detail, commitment=leaf)
    telling.tell_requester(told.correction)


def hear_spread(peer: Peer, event: Event) -> None:
    """How far the correction of our report has got."""
    one = _reported(peer, event)
    one.subscribers = saying.subscribers_in(event.data)
    one.save(update_fields=["subscribers"])


def not_taken(message: OutboxMessage, status: int | None, answer: dict[str, Any] | None) -> None:
    """A node would not take a report or a correction, for good: the ticket says so, and why."""
    if status is not None and status < REFUSED_FROM:
        return
    event = orjson.loads(bytes(message.body))
    ticket, code = event["data"]["ticket"], str((answer or {}).get("code", status or "no_answer"))[:64]
    with transaction.atomic():
        if event["type"] == saying.REPORTED:
            changed = Correction.objects.filter(ticket=ticket, role=Party.CONSUMER, state="reported").update(
                state="undelivered", code=code
            )
        else:
            told = Told.objects.filter(correction__ticket=ticket, agreement_id=event["data"]["agreement"], state="told")
            changed = told.update(state="undelivered")
        if changed:
            detail = {"peer": message.peer, "type": event["type"], "code": code}
            record("correction.undelivered", saying.subject(ticket), f"node:{message.peer}", detail)


def _reported(peer: Peer, event: Event) -> Correction:
    """Our own report, its row held.

    raises   NotFound, also for one that went to another provider
    """
    rows = Correction.objects.select_for_update().filter(role=Party.CONSUMER, peer=peer.jurisdiction)
    one = rows.filter(ticket=saying.ticket_of(event)).first()
    if one is None:
        raise NotFound(what="correction", name=event.subject[:80])
    return one


def _with(peer: Peer, agreement_id: str, role: Party) -> Agreement:
    """raises   NotFound, also for an agreement with somebody else"""
    found = Agreement.objects.filter(id=agreement_id, peer=peer.jurisdiction, role=role).first()
    if found is None:
        raise NotFound(what="agreement", name=agreement_id)
    return found
