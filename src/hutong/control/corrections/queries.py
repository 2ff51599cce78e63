"""Reads of corrections, for pages and commands."""

from __future__ import annotations

from django.db.models import QuerySet

from hutong.control.corrections.models import Correction, Heard
from hutong.control.identity.rules import ACROSS_DEPARTMENTS, Actor
from hutong.ledger.models import AuditRecord
from hutong.vocabulary.errors import NotFound


def reported(account: Actor) -> QuerySet[Correction]:
    """Reports an account may see, on either side, the newest first."""
    rows = Correction.objects.order_by("-id")
    if account.role in ACROSS_DEPARTMENTS:
        return rows
    return rows.filter(department=account.department_id or "-")


def to_answer(account: Actor) -> QuerySet[Correction]:
    """Reports that wait for an answer here, those due first."""
    return reported(account).filter(role="provider", state="reported").order_by("due_on", "id")


def heard(account: Actor) -> QuerySet[Heard]:
    """Corrections of records we have read, the newest first."""
    rows = Heard.objects.order_by("-id")
    if account.role in ACROSS_DEPARTMENTS:
        return rows
    return rows.filter(department=account.department_id or "-")


def to_acknowledge(account: Actor) -> QuerySet[Heard]:
    return heard(account).filter(acknowledged_at=None)


def correction(account: Actor, pk: int) -> Correction:
    """raises   NotFound, also for another department's"""
    found = reported(account).select_related("agreement").filter(pk=pk).first()
    if found is None:
        raise NotFound(what="correction", name=str(pk)[:20])
    return found


def timeline(ticket: str) -> list[AuditRecord]:
    """What happened to a ticket here, the oldest first."""
    return list(AuditRecord.objects.filter(subject=f"correction:{ticket}").order_by("id"))
