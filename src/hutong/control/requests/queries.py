"""Reads of requests: an officer's own department's, or all for those above departments."""

from __future__ import annotations

from typing import Any

from hutong.control.agreements.models import Negotiation
from hutong.control.agreements.supplement import read_points
from hutong.control.identity.rules import ACROSS_DEPARTMENTS, Actor
from hutong.control.requests.models import ShareRequest
from hutong.ledger.models import AuditRecord
from hutong.vocabulary.errors import NotFound


def requests(account: Actor) -> list[ShareRequest]:
    """The requests of the account's department, the newest first."""
    rows = ShareRequest.objects.select_related("department").order_by("-created_at")
    if account.role in ACROSS_DEPARTMENTS:
        return list(rows)
    return list(rows.filter(department_id=account.department_id or "-"))


def request(request_id: str) -> ShareRequest:
    """raises   NotFound"""
    found = ShareRequest.objects.select_related("department").filter(id=request_id).first()
    if found is None:
        raise NotFound(what="request", name=request_id[:60])
    return found


def with_the_provider(found: ShareRequest) -> dict[str, Any]:
    """What the provider told us while it has the request: its due day, and what it says is missing."""
    negotiation = Negotiation.objects.filter(pid=found.negotiation_id or "-").first()
    if negotiation is None:
        return {"due": "", "supplement": []}
    points = read_points(negotiation.offer) if negotiation.state == "OFFERED" else ()
    due = negotiation.due_at.isoformat() if negotiation.due_at else ""
    return {"due": due, "supplement": [one.document() for one in points]}


def timeline(request_id: str) -> list[AuditRecord]:
    """The audit records of a request and of its negotiation, the oldest first."""
    found = request(request_id)
    subjects = [f"request:{found.id}"]
    if found.negotiation_id:
        subjects.append(f"negotiation:{found.negotiation_id}")
    return list(AuditRecord.objects.filter(subject__in=subjects).order_by("id"))
