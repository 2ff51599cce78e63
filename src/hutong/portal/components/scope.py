"""Which requests, agreements and exchanges an account may see: its department's, or all for those who oversee."""

from __future__ import annotations

from typing import TypeVar

from django.db.models import Exists, Model, OuterRef, Q, QuerySet

from hutong.control.agreements.models import Agreement, Negotiation
from hutong.control.identity import rules
from hutong.control.identity.models import Account
from hutong.control.identity.rules import Action
from hutong.control.requests.models import ShareRequest
from hutong.exchange.models import ExchangeRecord, WithheldRows

Row = TypeVar("Row", bound=Model)


def sees_all(account: Account) -> bool:
    return rules.may(account, Action.SEE_ALL_EXCHANGES)


def agreements(account: Account) -> QuerySet[Agreement]:
    return _shared(account, Agreement.objects.all())


def negotiations(account: Account) -> QuerySet[Negotiation]:
    """Requests of others for our data."""
    return _shared(account, Negotiation.objects.filter(role="provider"))


def requests(account: Account) -> QuerySet[ShareRequest]:
    rows = ShareRequest.objects.select_related("department")
    return rows if sees_all(account) else rows.filter(department=account.department)


def exchanges(account: Account) -> QuerySet[ExchangeRecord]:
    """The part of the use register this account may see."""
    if sees_all(account):
        return ExchangeRecord.objects.all()
    # By role too: where both departments are of this node, each sees its own side of the exchange.
    own = Q()
    for role in ("provider", "consumer"):
        own |= Q(role=role, agreement_id__in=agreements(account).filter(role=role).values("id"))
    return ExchangeRecord.objects.filter(own)


def withheld(account: Account) -> QuerySet[WithheldRows]:
    """Exchanges of which rows stayed behind. Few wait among very many agreements: each row asks for its own."""
    if sees_all(account):
        return WithheldRows.objects.all()
    own = agreements(account).filter(id=OuterRef("agreement_id"), role=OuterRef("role"))
    return WithheldRows.objects.filter(Exists(own))


def _shared(account: Account, rows: QuerySet[Row]) -> QuerySet[Row]:
    """The department's own, and those of no department (from a peer without our terms)."""
    if sees_all(account):
        return rows
    return rows.filter(department__in=(account.department_id or "-", ""))


def apart(account: Account, rows: QuerySet[Row]) -> list[QuerySet[Row]]:
    """The same as disjoint lists, each of one department, for a page of them (paging.sheet)."""
    if sees_all(account):
        return [rows]
    return [rows.filter(department=account.department_id or "-"), rows.filter(department="")]
