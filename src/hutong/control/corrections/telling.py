"""Keeping a report on either side, its term, and telling every subscriber that has read its resource."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Final

from hutong.control.agreements.models import Agreement
from hutong.control.agreements.queries import title_of
from hutong.control.agreements.transitions import Party
from hutong.control.clocks import actions as clocks
from hutong.control.corrections import content, looking, saying
from hutong.control.corrections.models import Correction, Told
from hutong.control.corrections.rules import CorrectionLate
from hutong.exchange.grants.store import load
from hutong.ledger.record import record
from hutong.node import outside, work
from hutong.node.events import post_event
from hutong.vocabulary.errors import Refused
from hutong.vocabulary.moments import rfc3339

# Not yet told, or not to be told any more: that an agreement is suspended concerns its two sides alone.
NOT_TOLD: Final = ("waiting", "fell_away")


def keep_report(
    said: saying.Report, agreement: Agreement, role: Party, secret: Mapping[str, Any], actor: str
) -> Correction:
    """Keep a report as either side has it, and record it. In the caller's transaction.

    secret   the key's value and the evidence, in clear; it is sealed here and goes nowhere else
    """
    one = Correction.objects.create(
        ticket=said.ticket,
        role=role,
        peer=agreement.peer,
        agreement=agreement,
        resource_id=agreement.resource_id,
        department=agreement.department,
        items=list(said.items),
        key_item=said.key_item,
        fault=said.fault,
        content=content.kept(dict(secret)),
        reported_by=actor,
        reported_at=said.at,
        report_digest=said.digest(),
        state="reported",
    )
    record(
        "correction.reported",
        saying.subject(one.ticket),
        actor,
        {"role": role, "peer": one.peer, "agreement": one.agreement_id, "items": one.items, "fault": one.fault},
        commitment={"ticket": one.ticket, "agreement": one.agreement_id, "report": one.report_digest},
    )
    return one


def receive(one: Correction, **further: str) -> str | None:
    """The provider has a report before it: its term runs, the requester is told by when, and the record is read soon,
    apart from this message. In the caller's transaction; saves the report.

    further   what else the requester is told
    returns   the day, as it is told; None where the calendar knows none
    """
    title, subject = title_of(one.resource_id), saying.subject(one.ticket)
    clock = clocks.start(
        CorrectionLate,
        subject,
        department=one.department,
        title_zh=f"数据校核：{title.zh}"[:200],
        title_en=f"Correction: {title.en or title.zh}"[:200],
        page=("correction", str(one.pk)),
    )
    one.due_on = clock.due_on
    one.save()
    due = clock.due_on.isoformat() if clock.due_on else None
    post_event(one.peer, saying.RECEIVED, subject, {"ticket": one.ticket, "due_on": due, **further})
    work.wake_on_commit(looking.LOOK)
    return due


def spread(one: Correction, reached: Mapping[str, str | int]) -> set[str]:
    """Tell every consumer that has read the record's resource under a grant that covers the record. In the caller's
    transaction.

    reached   agreement: the key as its masks show it; where the grant covers the record as it stands now

    returns   the agreements told

    A record that was covered before its correction only is told of as well: who read it holds it.
    """
    told = set()
    shown = {**content.opened(bytes(one.content)).get("reached", {}), **reached}
    for agreement_id in sorted(looking.have_read(list(shown))):
        agreement = Agreement.objects.filter(id=agreement_id, role=Party.PROVIDER).first()
        if agreement is None or outside.is_outside(agreement.peer):
            continue
        if tell(one, agreement, shown[agreement_id]):
            told.add(agreement_id)
    tell_requester(one)
    return told


def tell_requester(one: Correction) -> None:
    """Who has been told, and who has acknowledged: named by node, to whoever reported the record."""
    rows = one.told.exclude(state__in=NOT_TOLD).order_by("peer", "id")
    said = [{"node": row.peer, "state": row.state, "at": rfc3339(row.acknowledged_at or row.told_at)} for row in rows]
    post_event(one.peer, saying.SPREAD, saying.subject(one.ticket), {"ticket": one.ticket, "subscribers": said})


def tell(one: Correction, agreement: Agreement, value: str | int) -> bool:
    """Tell one subscriber; one that waited waits no longer. False where its grant has none of the changed items."""
    items = granted_items(agreement.id, one)
    if not items:
        return False
    changes = [change for change in one.changes if change["item"] in items]
    digest = saying.told_digest(one.answer_digest, agreement.peer, agreement.id, items)
    subject = saying.subject(one.ticket)
    now = {"items": items, "state": "told", "told_at": datetime.now(UTC), "digest": digest}
    Told.objects.update_or_create(correction=one, agreement_id=agreement.id, defaults={"peer": agreement.peer, **now})
    plain = {"ticket": one.ticket, "agreement": agreement.id, "items": items, "key_item": one.key_item}
    chain = {"report": one.report_digest, "answer": one.answer_digest, "digest": digest}
    sealed = {"box": content.sent(agreement.peer, {"value": value}, subject)}
    about = {"fault": one.fault, "changes": changes, "corrected_at": rfc3339(one.corrected_at)}
    post_event(agreement.peer, saying.TOLD, subject, {**plain, **about, **chain, **sealed})
    record(
        "correction.told",
        subject,
        "rule:D809-26",
        {"agreement": agreement.id, "peer": agreement.peer, "items": items},
        commitment={"ticket": one.ticket, "answer": one.answer_digest, "told": digest},
    )
    return True


def granted_items(agreement_id: str, one: Correction) -> list[str]:
    """The reported items that an agreement has; none where it has none that changed."""
    try:
        grant, _ = load(agreement_id)
    except Refused:
        return []
    found = [name for name in one.items if name in grant.by_name]
    return found if any(change["item"] in found for change in one.changes) else []
