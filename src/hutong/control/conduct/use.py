"""Use by agreement and year: what the exchange has counted, and what the consumer has told (D809-29)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from django.db.models import Count, Q, Sum
from django.db.models.functions import ExtractYear

from hutong.control.agreements.models import Agreement
from hutong.control.agreements.transitions import Party
from hutong.control.conduct.models import Filing
from hutong.control.identity.rules import ACROSS_DEPARTMENTS, Actor
from hutong.exchange.models import DailyUse, ExchangeRecord

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


def by_year(agreements: Sequence[Agreement]) -> list[YearOfUse]:
    """The years of some agreements, in their order, the newest year first."""
    years: dict[str, dict[int, YearOfUse]] = defaultdict(dict)
    of = {one.id: one for one in agreements}

    def year_of(agreement: str, year: int) -> YearOfUse:
        one = of[agreement]
        return years[agreement].setdefault(year, YearOfUse(one.id, one.resource_id, one.role, one.peer, year))

    for counted in (*_provided(of), *_consumed(of)):
        line = year_of(counted["agreement_id"], counted["year"])
        line.calls += counted["calls"]
        line.refused += counted["refusals"]
        line.rows += counted["many"] or 0
    for paper in Filing.objects.filter(agreement_id__in=of, kind="use").order_by("filed_at"):
        year_of(paper.agreement_id, int(paper.content["year"])).told.append(paper.content)
    return [line for one in agreements for _, line in sorted(years[one.id].items(), reverse=True)]


def of_account(account: Actor, agreement_id: str = "") -> list[Agreement]:
    """The newest agreements an account may see, or one of them."""
    rows = Agreement.objects.order_by("-created_at")
    if account.role not in ACROSS_DEPARTMENTS:
        rows = rows.filter(department=account.department_id or "-")
    return list((rows.filter(id=agreement_id) if agreement_id else rows)[:SHOWN])


def _provided(of: Mapping[str, Agreement]) -> Any:
    """Counted day by day as it happens: a million reads are some hundred rows."""
    ours = [one.id for one in of.values() if one.role == Party.PROVIDER]
    rows = DailyUse.objects.filter(agreement_id__in=ours).order_by().annotate(year=ExtractYear("day"))
    grouped = rows.values("agreement_id", "year")
    return grouped.annotate(refusals=Sum("refused"), many=Sum("rows")).annotate(calls=Sum("calls"))


def _consumed(of: Mapping[str, Agreement]) -> Any:
    theirs = [one.id for one in of.values() if one.role == Party.CONSUMER]
    rows = ExchangeRecord.objects.filter(role=Party.CONSUMER, agreement_id__in=theirs).order_by()
    grouped = rows.annotate(year=ExtractYear("at")).values("agreement_id", "year")
    refused = Q(outcome="refused")
    return grouped.annotate(
        calls=Count("id", filter=~refused), refusals=Count("id", filter=refused), many=Sum("rows", filter=~refused)
    )
