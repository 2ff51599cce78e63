"""Use by agreement and year: what the exchange has counted, and what the consumer has told (D809-29)."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import asdict, dataclass, field
from typing import Any

from django.db.models import Count, Sum
from django.db.models.functions import ExtractYear

from hutong.control.agreements.models import Agreement
from hutong.control.conduct.models import Filing
from hutong.control.identity.rules import ACROSS_DEPARTMENTS, Actor
from hutong.exchange.models import ExchangeRecord

SHOWN = 200  # agreements of one report


@dataclass
class YearOfUse:
    """One agreement's use in one calendar year."""

    agreement: str
    resource: str
    role: str
    peer: str
    year: int
    calls: int = 0
    refused: int = 0
    rows: int = 0
    told: list[dict[str, str]] = field(default_factory=list)  # the consumer's records of use

    def document(self) -> dict[str, Any]:
        return asdict(self)


def by_year(account: Actor, agreement_id: str = "") -> list[YearOfUse]:
    """The newest agreements an account may see, each with its years, the newest first."""
    rows = Agreement.objects.order_by("-created_at")
    if account.role not in ACROSS_DEPARTMENTS:
        rows = rows.filter(department=account.department_id or "-")
    if agreement_id:
        rows = rows.filter(id=agreement_id)
    found = list(rows[:SHOWN])
    years: dict[str, dict[int, YearOfUse]] = defaultdict(dict)
    of = {one.id: one for one in found}

    def year_of(agreement: str, year: int) -> YearOfUse:
        one = of[agreement]
        made = YearOfUse(one.id, one.resource_id, one.role, one.peer, year)
        return years[agreement].setdefault(year, made)

    for counted in _counted(list(of)):
        line = year_of(counted["agreement_id"], counted["year"])
        if counted["outcome"] == "refused":
            line.refused += counted["calls"]
        else:
            line.calls, line.rows = line.calls + counted["calls"], line.rows + (counted["sum"] or 0)
    for paper in Filing.objects.filter(agreement_id__in=of, kind="use").order_by("filed_at"):
        if paper.content["year"].isdecimal() and len(paper.content["year"]) == 4:
            year_of(paper.agreement_id, int(paper.content["year"])).told.append(paper.content)
    return [line for one in found for _, line in sorted(years[one.id].items(), reverse=True)]


def _counted(agreements: list[str]) -> Any:
    rows = ExchangeRecord.objects.filter(agreement_id__in=agreements).order_by()
    grouped = rows.annotate(year=ExtractYear("at")).values("agreement_id", "year", "outcome")
    return grouped.annotate(calls=Count("id"), sum=Sum("rows"))
