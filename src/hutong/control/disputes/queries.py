"""Reads of disputes: a department's own, or all for those above departments."""

from __future__ import annotations

from dataclasses import dataclass

from django.db.models import Q, QuerySet

from hutong.control.disputes.docket import papers_of
from hutong.control.disputes.models import Dispute, Mandate
from hutong.control.disputes.papers import Paper
from hutong.control.disputes.standing import Standing, standing
from hutong.control.identity.rules import ACROSS_DEPARTMENTS, Actor
from hutong.vocabulary.errors import NotFound


@dataclass(frozen=True)
class Docket:
    """All there is to know of one dispute."""

    dispute: Dispute
    papers: tuple[Paper, ...]  # in their common order
    standing: Standing
    mandates: tuple[Mandate, ...]  # what binds this node


def disputes(account: Actor) -> QuerySet[Dispute]:
    """The disputes an account may see, the newest movement first."""
    rows = Dispute.objects.order_by("-updated_at", "id")
    if account.role in ACROSS_DEPARTMENTS:
        return rows
    own = account.department_id or "-"
    return rows.filter(Q(department=own) | Q(claimant_department=own) | Q(respondent_department=own))


def docket(account: Actor, dispute_id: str) -> Docket:
    """raises   NotFound, also for another department's"""
    found = disputes(account).filter(id=dispute_id).first()
    if found is None:
        raise NotFound(what="dispute", what_zh="争议", name=dispute_id[:80])
    papers = papers_of(found.id)
    return Docket(found, tuple(papers), standing(papers), tuple(found.mandates.order_by("position")))
