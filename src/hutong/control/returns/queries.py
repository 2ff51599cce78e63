"""Reads of returns: a department's own, or all for those above departments."""

from __future__ import annotations

from django.db.models import Q, QuerySet

from hutong.control.identity.rules import ACROSS_DEPARTMENTS, Actor
from hutong.control.returns.models import ReturnBatch, ReturnFlow, ReturnOffer, ReturnTicket
from hutong.vocabulary.errors import NotFound
from hutong.vocabulary.ids import is_id


def flows(account: Actor) -> QuerySet[ReturnFlow]:
    """The returns an account may see, in both roles, the newest first."""
    rows = ReturnFlow.objects.order_by("-created_at", "id")
    if account.role in ACROSS_DEPARTMENTS:
        return rows
    return rows.filter(Q(department=account.department_id or "-") | Q(department=""))


def flow(account: Actor, flow_id: str) -> ReturnFlow:
    """raises   NotFound, also for another department's"""
    found = flows(account).filter(id=flow_id).first() if is_id(flow_id) else None
    if found is None:
        raise NotFound(what="return", what_zh="数据回流", name=flow_id[:60])
    return found


def batches(found: ReturnFlow, most: int = 20) -> list[ReturnBatch]:
    """The newest batches of a flow, the newest first."""
    return list(found.batches.order_by("-number")[:most])


def tickets(account: Actor) -> QuerySet[ReturnTicket]:
    """Differences that are not repaired, the newest first."""
    return ReturnTicket.objects.filter(state="open", flow__in=flows(account).order_by()).order_by("-opened_at")


def offers() -> QuerySet[ReturnOffer]:
    """What superiors offer and nobody here has asked for yet."""
    asked = ReturnFlow.objects.filter(role="consumer", state__in=("asked", "active")).values("resource_id")
    return ReturnOffer.objects.exclude(resource_id__in=asked).order_by("-offered_at")
