"""Reads of the three lists."""

from __future__ import annotations

from django.db.models import Q, QuerySet

from hutong.control.demands.models import Barred, Demand, Duty, ListVersion
from hutong.control.identity.rules import ACROSS_DEPARTMENTS, Actor
from hutong.ledger.models import AuditRecord
from hutong.node.settings import current
from hutong.vocabulary.errors import NotFound
from hutong.vocabulary.ids import is_id
from hutong.vocabulary.text import shown


def demand(demand_id: str) -> Demand:
    """raises   NotFound"""
    return locked(demand_id, lock=False)


def locked(demand_id: str, *, lock: bool = True) -> Demand:
    """A demand by its id, locked until the transaction ends.

    raises   NotFound
    """
    rows = Demand.objects.select_for_update() if lock else Demand.objects
    found = rows.filter(id=demand_id).first() if is_id(demand_id) else None
    if found is None:
        raise NotFound(what="demand", what_zh="需求", name=shown(demand_id))
    return found


def seen_by(account: Actor) -> QuerySet[Demand]:
    """The demands an account may see, the newest first: its department's own, those it is the lead source of, and, as
    nobody can answer what they do not know of, every one that lies with this node."""
    rows = Demand.objects.order_by("-id")
    if account.role in ACROSS_DEPARTMENTS:
        return rows
    own = Q(home=current().jurisdiction, department_code=account.department_id or "-")
    return rows.filter(own | (Q(holder=current().jurisdiction) & ~Q(state="filed")))


def co_demanders(found: Demand) -> list[Demand]:
    """Whoever joined a demand, as far as this node knows, the earliest first."""
    return list(Demand.objects.filter(joined_to=found.id).order_by("id")[:200])


def duty(duty_id: str) -> Duty:
    """raises   NotFound"""
    found = Duty.objects.filter(id=duty_id).first() if is_id(duty_id) else None
    if found is None:
        raise NotFound(what="duty", what_zh="责任事项", name=shown(duty_id))
    return found


def duties(origin: str = "", department: str = "") -> QuerySet[Duty]:
    """Active duties of one jurisdiction (ours where none is named), the newest first."""
    rows = Duty.objects.filter(state="active", origin=origin or current().jurisdiction).order_by("-id")
    return rows.filter(department_code=department) if department else rows


def barred(state: str = "") -> QuerySet[Barred]:
    """The negative list, the newest first; of one state where it is named."""
    rows = Barred.objects.select_related("department").order_by("-id")
    return rows.filter(state=state) if state else rows


def latest(kind: str) -> ListVersion | None:
    """The last published version of a list."""
    return ListVersion.objects.filter(kind=kind).order_by("-version").first()


def versions(kind: str) -> QuerySet[ListVersion]:
    """Every published version of a list without its lines, the newest first."""
    return ListVersion.objects.filter(kind=kind).order_by("-version").defer("lines")


def timeline(demand_id: str) -> list[AuditRecord]:
    """What happened to a demand at this node, the oldest first."""
    return list(AuditRecord.objects.filter(subject=f"demand:{demand_id}").order_by("id")[:200])
