"""Reads of what was filed, and of what rests on a service."""

from __future__ import annotations

from datetime import UTC, date, datetime

from django.db.models import Q, QuerySet

from hutong.control.agreements.models import Agreement
from hutong.control.agreements.transitions import Party
from hutong.control.conduct.models import EndedAgreement, Filing, StopNotice
from hutong.control.identity.rules import ACROSS_DEPARTMENTS, Actor
from hutong.vocabulary.ids import urn, uuid_of


def filings(account: Actor, kind: str = "") -> QuerySet[Filing]:
    """The filings an account may see, of either side, the newest first."""
    rows = Filing.objects.select_related("agreement").order_by("-filed_at", "-id")
    if kind:
        rows = rows.filter(kind=kind)
    if account.role in ACROSS_DEPARTMENTS:
        return rows
    return rows.filter(Q(department=account.department_id or "-") | Q(department=""))


def of(agreement: Agreement) -> QuerySet[Filing]:
    """Everything filed under one agreement, the oldest first."""
    return Filing.objects.filter(agreement=agreement).order_by("filed_at", "id")


def open_suspension(agreement: Agreement, author: str) -> Filing | None:
    """The suspension by one side that stands."""
    rows = Filing.objects.filter(agreement=agreement, kind="suspension", author=author, state="open")
    return rows.order_by("-filed_at", "-id").first()


def standing_suspension(agreement: Agreement) -> Filing | None:
    """The suspension that stands, by whichever side."""
    rows = Filing.objects.filter(agreement=agreement, kind="suspension", state="open")
    return rows.order_by("-filed_at", "-id").first()


def suspension_to_rectify(agreement: Agreement) -> Filing | None:
    """The suspension that we, as the consumer, have to put right: the provider's, or our own supervisor's."""
    suspension = standing_suspension(agreement) if agreement.role == Party.CONSUMER else None
    if suspension is None or suspension.content["cause"] not in ("misuse", "incident"):
        return None
    return suspension


def rectified(suspension: Filing) -> bool:
    """Whether a rectification stands that was not objected to."""
    rows = Filing.objects.filter(agreement_id=suspension.agreement_id, kind="rectification")
    return rows.filter(refers_to=suspension.id, state__in=("filed", "accepted")).exists()


def is_over(agreement: Agreement) -> bool:
    """Ended by either side, or run out."""
    return agreement.state == "ended" or (agreement.ends_at is not None and agreement.ends_at <= datetime.now(UTC))


def end_of(agreement: Agreement) -> EndedAgreement | None:
    return EndedAgreement.objects.filter(agreement=agreement).first()


def resting_agreements(resource_id: str) -> QuerySet[Agreement]:
    """Agreements of consumers that rest on one of our resources."""
    bare = uuid_of(resource_id)
    rows = Agreement.objects.filter(role=Party.PROVIDER, resource_id__in=(bare, urn(bare)))
    in_term = Q(ends_at=None) | Q(ends_at__gt=datetime.now(UTC))
    return rows.filter(in_term, state__in=("agreed", "active", "suspended")).order_by("id")


def resting_on(resource_id: str) -> int:
    return resting_agreements(resource_id).count()


def stop_has_run(resource_id: str, today: date) -> bool:
    """Whether an announced stop of the resource has reached its day."""
    bare = uuid_of(resource_id)
    return StopNotice.objects.filter(resource_id=bare, change="stop", starts_on__lte=today).exists()


def stops(account: Actor) -> QuerySet[StopNotice]:
    """Announced stops an account may see, the newest first."""
    rows = StopNotice.objects.order_by("-filed_at", "-id")
    if account.role in ACROSS_DEPARTMENTS:
        return rows
    return rows.filter(department=account.department_id or "-")
