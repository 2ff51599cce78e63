"""Reads of replies: what waits for the head's signature."""

from __future__ import annotations

from django.db.models import QuerySet

from hutong.control.identity.rules import ACROSS_DEPARTMENTS, Actor
from hutong.control.replies.models import Reply
from hutong.vocabulary.errors import NotFound


def waiting(account: Actor) -> QuerySet[Reply]:
    """Proposed replies of the account's department, the oldest first."""
    found = Reply.objects.select_related("negotiation").filter(state="proposed").order_by("proposed_at", "id")
    if account.role in ACROSS_DEPARTMENTS:
        return found
    return found.filter(department=account.department_id or "-")


def waiting_for(pid: str) -> Reply | None:
    """The proposed reply to one request."""
    return Reply.objects.filter(negotiation_id=pid, state="proposed").first()


def proposed_for(pid: str) -> Reply:
    """raises   NotFound"""
    found = waiting_for(pid)
    if found is None:
        raise NotFound(what="reply", what_zh="拟办答复", name=pid[:60])
    return found


def newest_returned(pid: str) -> Reply | None:
    """The last reply to a request, where the head sent it back."""
    newest = Reply.objects.filter(negotiation_id=pid).order_by("-proposed_at", "-id").first()
    return newest if newest is not None and newest.state == "returned" else None
