"""What follows when data flows again, and when an agreement is over: its papers are settled, its data disposed of."""

from __future__ import annotations

from datetime import UTC, datetime

from django.db import transaction
from django.db.models import Exists, OuterRef, Q

from hutong.control.agreements.decisions import follows
from hutong.control.agreements.models import Agreement, Transfer
from hutong.control.agreements.queries import title_of
from hutong.control.agreements.transitions import Machine, Party
from hutong.control.clocks import actions as clocks
from hutong.control.conduct import papers
from hutong.control.conduct.models import EndedAgreement, Filing
from hutong.control.conduct.rules import DisposalLate, RectificationLate
from hutong.control.conduct.sentences import DisposalDue
from hutong.control.notices.actions import tell
from hutong.ledger.models import AuditRecord
from hutong.ledger.record import record
from hutong.vocabulary.ids import uuid_of

AT_ONCE = 500  # agreements found expired in one look
BY_RULE = "rule:D809-27"


def register() -> None:
    for role in Party:
        follows(Machine.TRANSFER, "STARTED", role)(resumed)
        follows(Machine.TRANSFER, "TERMINATED", role)(ended)


def resumed(transfer: Transfer) -> None:
    """Data flows (again): suspensions are lifted, and the rectification they led to has been accepted."""
    _settle_suspensions(transfer.agreement, "lifted")
    for paper in Filing.objects.filter(agreement=transfer.agreement, kind="rectification", state="filed"):
        papers.settle(paper, "accepted", BY_RULE)


def overtaken(paper: Filing) -> None:
    """A suspension that is heard of late: data flows again since, or the agreement is over. Then it does not stand."""
    if EndedAgreement.objects.filter(agreement_id=paper.agreement_id).exists():
        _settle_suspensions(paper.agreement, "ended")
        return
    newest = paper.agreement.transfers.order_by("-created_at").first()
    if newest is not None and newest.state == "STARTED":
        begun = AuditRecord.objects.filter(subject=f"transfer:{newest.pid}", kind="transfer.started")
        if begun.filter(at__gt=paper.filed_at).exists():
            _settle_suspensions(paper.agreement, "lifted")


def ended(transfer: Transfer) -> None:
    """The delivery was ended, and with it the agreement. A delivery that never began leaves nothing to dispose of."""
    agreement = Agreement.objects.get(id=transfer.agreement_id)
    if agreement.state == "ended":
        over(agreement, "ended")


def look() -> None:
    """Find agreements whose term is over. Each is dealt with in a transaction of its own, and once.

    One under which nothing was ever delivered leaves nothing to dispose of; a completed delivery leaves its copies.
    """
    delivered = Exists(Transfer.objects.filter(agreement=OuterRef("pk"), state="COMPLETED"))
    over_by_now = Agreement.objects.filter(ends_at__lt=datetime.now(UTC), end=None)
    expired = over_by_now.filter(~Q(state="agreed") | delivered)
    for agreement_id in expired.order_by("ends_at").values_list("id", flat=True)[:AT_ONCE]:
        with transaction.atomic():
            over(Agreement.objects.select_for_update(of=("self",)).get(id=agreement_id), "expired")


def over(agreement: Agreement, how: str) -> None:
    """An agreement is over: the consumer's clock of disposal runs. Again: nothing happens."""
    end, made = EndedAgreement.objects.get_or_create(
        agreement=agreement, defaults={"how": how, "ended_at": datetime.now(UTC)}
    )
    if not made:
        return
    _settle_suspensions(agreement, "ended")
    subject = papers.subject(agreement.id)
    record("agreement.over", subject, BY_RULE, {"how": how, "peer": agreement.peer})
    if agreement.role != Party.CONSUMER:
        return
    title = title_of(agreement.resource_id)
    page = ("agreement", uuid_of(agreement.id))
    clock = clocks.start(
        DisposalLate,
        subject,
        department=agreement.department,
        title_zh=f"处置数据：{title.zh}",
        title_en=f"Disposal: {title.en or title.zh}",
        page=page,
    )
    end.due_on = clock.due_on
    end.save(update_fields=["due_on"])
    said = DisposalDue(
        title=title.en or title.zh, title_zh=title.zh, due=clock.due_on.isoformat() if clock.due_on else "—"
    )
    tell(said, role="officer", department=agreement.department, subject=subject, page=page)


def _settle_suspensions(agreement: Agreement, state: str) -> None:
    for paper in Filing.objects.filter(agreement=agreement, kind="suspension", state="open"):
        papers.settle(paper, state, BY_RULE)
        clocks.drop(RectificationLate, f"suspension:{paper.id}", state)
