"""The measures: where each finds its cases, which of them count, and how the rows behind a figure are shown."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date
from typing import Any, Literal

from django.db.models import Q, QuerySet

from hutong.control.agreements.models import Agreement, Negotiation
from hutong.control.catalogue.models import Resource
from hutong.control.clocks.models import Clock
from hutong.control.demands.repeating import COLLECTS
from hutong.control.demands.rules import CollectedAgain
from hutong.control.oversight import rules
from hutong.control.oversight.models import ExchangeDay
from hutong.control.oversight.periods import Period
from hutong.control.oversight.rules import ScoreRule
from hutong.control.statute.book import rulebook
from hutong.control.statute.models import Decision
from hutong.exchange.models import ExchangeRecord
from hutong.vocabulary.errors import Language, NotFound
from hutong.vocabulary.rulebook import ClockRule
from hutong.vocabulary.text import shown

Source = Literal["clocks", "register", "catalogue", "requests", "decisions"]
# Refusals of the data plane that mean: beyond what was agreed.
BEYOND = ("purpose_not_granted", "item_not_granted", "masked_item_in_condition", "quota_spent", "wrong_consumer")
USED = ("served", "recovered")


@dataclass(frozen=True)
class Case:
    """One case a measure looked at, or many alike (`many`)."""

    key: str
    department: str
    counted: bool
    many: int = 1
    days: int | None = None  # calendar days from receipt to answer
    part: str = ""


@dataclass(frozen=True)
class Ground:
    """Where a measure finds its cases, and the rows behind them."""

    source: Source
    cases: Callable[[Period, date], Iterator[Case]]
    rows: Callable[[Period, date, str | None], QuerySet[Any]]  # of one department, or of all with None
    counted: Callable[[date], Q]  # which of the rows count
    moment: str = "created_at"  # the column the rows are paged by
    present: Callable[[], bool] = lambda: True
    snapshot: bool = False  # as things stood on the day of counting; cannot be counted again for another day


@dataclass(frozen=True)
class Measure:
    """One figure of the scorecards or of the public page."""

    name: str
    side: Literal["provider", "requester", "supervisor", "volume"]
    article: str
    titles: tuple[str, str]  # zh, en
    definitions: tuple[str, str]
    ground: Ground
    of_data: bool = False  # says something only while the department's own sources bring data

    def title(self, language: Language) -> str:
        return self.titles[0 if language == "zh" else 1]

    def definition(self, language: Language) -> str:
        return self.definitions[0 if language == "zh" else 1]


def measures() -> tuple[Measure, ...]:
    return _MEASURES


def measure(name: str) -> Measure:
    """raises   NotFound"""
    for one in _MEASURES:
        if one.name == name:
            return one
    raise NotFound(what="figure", what_zh="指标", name=shown(name))


def clock_rules(*beginnings: str) -> list[str]:
    """The names of the terms a measure reads, among the rules this node knows."""
    known = (one.name() for one in rulebook() if issubclass(one, ClockRule))
    return [name for name in known if name.startswith(beginnings)]


def _of_clocks(rule: type[ScoreRule], *beginnings: str, of_data: bool = False) -> Measure:
    """Late among all that fell due, by the statutory clocks whose names begin so."""

    def rows(period: Period, today: date, department: str | None) -> QuerySet[Any]:
        due = Clock.objects.filter(
            rule__in=clock_rules(*beginnings), state__in=("met", "late", "running"),
            due_on__gte=period.since, due_on__lt=period.until,
        ).exclude(state="running", due_on__gte=today)  # fmt: skip
        return due if department is None else due.filter(department=department)

    def cases(period: Period, today: date) -> Iterator[Case]:
        found = rows(period, today, None).order_by("id").values_list(
            "id", "department", "state", "received_on", "met_on"
        )  # fmt: skip
        for key, department, state, received_on, met_on in found.iterator(chunk_size=5000):
            yield Case(key, department, state != "met", days=(met_on - received_on).days if met_on else None)

    return _scored(rule, Ground("clocks", cases, rows, _late, present=lambda: bool(clock_rules(*beginnings))), of_data)


def _late(_today: date) -> Q:
    return ~Q(state="met")


def _scored(rule: type[ScoreRule], ground: Ground, of_data: bool = False) -> Measure:
    said = (rule.sentence("zh"), rule.sentence("en"))
    return Measure(rule.code, rule.side, rule.article, (rule.title_zh, rule.title_en), said, ground, of_data)


def _exchanges(period: Period, role: str, **more: Any) -> Iterator[tuple[str, ExchangeDay]]:
    found = ExchangeDay.objects.filter(day__gte=period.since, day__lt=period.until, role=role, **more)
    for one in found.order_by("day", "department", "outcome", "code", "unnamed"):
        yield f"{one.day}|{one.department}|{one.outcome}|{one.code}|{one.unnamed:d}", one


def _register(role: str, **more: Any) -> Callable[[Period, date, str | None], QuerySet[Any]]:
    def rows(period: Period, _today: date, department: str | None) -> QuerySet[Any]:
        since, until = period.moments
        found = ExchangeRecord.objects.filter(at__gte=since, at__lt=until, role=role, **more).exclude(outcome="open")
        if department is None:
            return found
        return found.filter(agreement_id__in=Agreement.objects.filter(department=department).values("id"))

    return rows


def _over_use(period: Period, _today: date) -> Iterator[Case]:
    for key, one in _exchanges(period, "consumer"):
        beyond = one.outcome == "refused" and one.code in BEYOND
        yield Case(key, one.department, beyond, one.exchanges, part=one.code if beyond else "")


def _no_use_record(period: Period, _today: date) -> Iterator[Case]:
    for key, one in _exchanges(period, "consumer", outcome__in=USED):
        yield Case(key, one.department, one.unnamed, one.exchanges)


def _served(period: Period, _today: date) -> Iterator[Case]:
    for key, one in _exchanges(period, "provider"):
        yield Case(key, one.department, one.outcome == "served", one.exchanges)


def _refusals(period: Period, _today: date, department: str | None) -> QuerySet[Any]:
    since, until = period.moments
    found = Negotiation.objects.filter(
        role="provider", state="TERMINATED", updated_at__gte=since, updated_at__lt=until
    ).exclude(refusal_code="")  # fmt: skip
    return found if department is None else found.filter(department=department)


def _refusal_cases(period: Period, today: date) -> Iterator[Case]:
    found = _refusals(period, today, None).order_by("pid")
    for pid, department, code, citation in found.values_list(
        "pid", "department", "refusal_code", "refusal_citation"
    ).iterator(chunk_size=5000):
        yield Case(pid, department, citation == "", part=code)


def _collections(period: Period, _today: date, department: str | None) -> QuerySet[Any]:
    of_rule = {"applied__rule": CollectedAgain.name(), "applied__day__gte": period.since}
    found = Decision.objects.filter(name=COLLECTS, applied__day__lt=period.until, **of_rule)
    return found if department is None else found.filter(facts__department=department)


def _collected(period: Period, today: date) -> Iterator[Case]:
    found = _collections(period, today, None).order_by("id").values_list("id", "subject", "facts", "outcome")
    for key, subject, facts, outcome in found.iterator(chunk_size=5000):
        yield Case(
            key, facts["department"], outcome["again"], part=subject.partition(":")[0] if outcome["again"] else ""
        )


def _again(_today: date) -> Q:
    return Q(outcome__again=True)


def _resources(_period: Period, _today: date, department: str | None) -> QuerySet[Any]:
    found = Resource.objects.filter(state="published")
    return found if department is None else found.filter(department_id=department)


def with_cycle(department: str | None = None) -> QuerySet[Any]:
    """Published resources that can be held against their update cycle."""
    known = Q(freshness__fresh_until__isnull=False) | Q(source__check_ok=False)
    found = Resource.objects.filter(known, state="published").select_related("freshness", "department")
    return found if department is None else found.filter(department_id=department)


def _with_cycle(_period: Period, _today: date, department: str | None) -> QuerySet[Any]:
    return with_cycle(department)


def stale(today: date) -> Q:
    """Behind their cycle, or with a source that does not answer."""
    return Q(freshness__fresh_until__lt=today) | Q(source__check_ok=False)


def _stale_cases(period: Period, today: date) -> Iterator[Case]:
    late = set(_with_cycle(period, today, None).filter(stale(today)).values_list("id", flat=True))
    for key, department in _with_cycle(period, today, None).order_by("id").values_list("id", "department_id"):
        yield Case(key, department, key in late)


def _resource_cases(period: Period, today: date) -> Iterator[Case]:
    for key, department, attribute in (
        _resources(period, today, None).order_by("id").values_list("id", "department_id", "attribute")
    ):
        yield Case(key, department, counted=True, part=attribute)


def _all(_today: date) -> Q:
    return Q()


_MEASURES: tuple[Measure, ...] = (
    _of_clocks(rules.LateReplies, "D809-21/unconditional_reply", "D809-21/conditional_reply"),
    _of_clocks(rules.LateDeliveries, "D809-22/"),
    _of_clocks(rules.LateCorrections, "D809-26/", of_data=True),
    _of_clocks(rules.NoReturnFlow, "D809-24/", of_data=True),
    _of_clocks(rules.CatalogueLate, "D809-17/change"),
    _scored(
        rules.RefusalsWithoutCitation,
        Ground("requests", _refusal_cases, _refusals, lambda _: Q(refusal_citation="")),
    ),
    _scored(rules.StaleResources, Ground("catalogue", _stale_cases, _with_cycle, stale, snapshot=True)),
    _scored(
        rules.OverUse,
        Ground("register", _over_use, _register("consumer"), lambda _: Q(outcome="refused", code__in=BEYOND), "at"),
    ),
    _scored(
        rules.NoUseRecord,
        Ground("register", _no_use_record, _register("consumer", outcome__in=USED), lambda _: Q(case_number=""), "at"),
    ),
    _scored(rules.RepeatCollection, Ground("decisions", _collected, _collections, _again, "made_at")),
    _of_clocks(rules.NoDisposalProof, "D809-27/disposal"),
    _of_clocks(rules.LateReviews, "D809-17/review"),
    _of_clocks(rules.NoLeadSource, "D809-19/lead"),
    _of_clocks(rules.NoMediation, "D809-28/coordination", "D809-28/decision"),
    Measure(
        "resources",
        "volume",
        "",
        ("已发布资源", "Published resources"),
        (
            "期末（或统计当日）处于已发布状态的数据资源。",
            "Data resources that were published at the end of the period, or on the day of counting.",
        ),
        Ground("catalogue", _resource_cases, _resources, _all, snapshot=True),
    ),
    Measure(
        "exchanges",
        "volume",
        "",
        ("数据交换", "Exchanges"),
        (
            "期间内本节点作为提供方完成的数据交换；分母包括被拒绝和中断的交换。",
            "Exchanges served by this node as provider in the period, among all that were asked for.",
        ),
        Ground("register", _served, _register("provider"), lambda _: Q(outcome="served"), "at"),
        of_data=True,
    ),
)
SIDES: dict[str, tuple[Measure, ...]] = {
    side: tuple(one for one in _MEASURES if one.side == side)
    for side in ("provider", "requester", "supervisor", "volume")
}
