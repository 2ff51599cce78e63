"""The health of each published resource: does its source answer, is it in step with its cycle and with its description,
when was it last served, and how long does that take."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from django.db.models import QuerySet

from hutong.control.agreements.models import Agreement
from hutong.control.catalogue.coverage import stale_since
from hutong.control.catalogue.models import Resource
from hutong.exchange.models import ExchangeRecord
from hutong.vocabulary.codes import CodeList
from hutong.vocabulary.moments import rfc3339

# The worst first: what is shown is the first that holds.
STATES = CodeList([
    ("no_source", "未挂接数据源", "no source"),
    ("fails", "数据源无应答", "its source does not answer"),
    ("changed", "数据结构已变化", "its source has another structure"),
    ("stale", "超过更新频率未更新", "stale against its update cycle"),
    ("well", "正常", "well"),
])  # fmt: skip
LAST_SERVED = 200  # exchanges that the time taken is read from


@dataclass(frozen=True)
class Health:
    """One resource as it stands."""

    resource: Resource
    state: str  # of STATES
    answered_at: datetime | None  # when its source was last looked at
    missing: tuple[str, ...]  # items the source no longer has, or has with another type than was published
    fresh_until: date | None  # in the past for a stale one
    served_at: datetime | None  # the last exchange that was served whole
    p95_ms: int | None  # of the last LAST_SERVED ones

    def document(self) -> dict[str, object]:
        one = self.resource
        return {
            "resource": one.id,
            "title_zh": one.title_zh,
            "title_en": one.title_en,
            "department": one.department_id,
            "state": self.state,
            "answered_at": rfc3339(self.answered_at),
            "missing_items": list(self.missing),
            "fresh_until": self.fresh_until.isoformat() if self.fresh_until else None,
            "served_at": rfc3339(self.served_at),
            "p95_ms": self.p95_ms,
        }


def published(department: str | None = None) -> QuerySet[Resource]:
    """The resources whose health there is, by id."""
    held = Resource.objects.filter(state="published")
    if department is not None:
        held = held.filter(department_id=department)
    return held.select_related("department", "source", "freshness", "drift").order_by("id")


def of(resources: Sequence[Resource]) -> list[Health]:
    """The health of each, in their order."""
    agreements = _agreements([one.id for one in resources])
    return [_health(one, agreements.get(one.id, [])) for one in resources]


def _health(resource: Resource, agreements: list[str]) -> Health:
    source = resource.source
    there = {str(one["name"]) for one in source.schema} if source is not None else set()
    gone = [one.name for one in resource.items.all() if one.name not in there] if there else []
    drift = getattr(resource, "drift", None)
    missing = tuple(dict.fromkeys([*gone, *(drift.items if drift is not None else [])]))
    late = stale_since(resource)
    served = list(
        ExchangeRecord.objects.filter(agreement_id__in=agreements, role="provider", outcome="served")
        .order_by("-id")
        .values_list("at", "took_ms")[:LAST_SERVED]
    )
    kept = getattr(resource, "freshness", None)
    return Health(
        resource,
        _state(source is None, source is not None and source.check_ok, bool(missing), late is not None),
        source.checked_at if source is not None else None,
        missing,
        kept.fresh_until if kept is not None else None,
        max((at for at, _ in served), default=None),
        _p95([took_ms for _, took_ms in served]),
    )


def _state(no_source: bool, answers: bool, changed: bool, stale: bool) -> str:
    if no_source:
        return "no_source"
    if not answers:
        return "fails"
    return "changed" if changed else "stale" if stale else "well"


def _p95(took_ms: Iterable[int]) -> int | None:
    ordered = sorted(took_ms)
    return ordered[min(len(ordered) - 1, int(len(ordered) * 0.95))] if ordered else None


def _agreements(resources: Sequence[str]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    held = Agreement.objects.filter(role="provider", resource_id__in=list(resources))
    for agreement, resource in held.values_list("id", "resource_id"):
        found.setdefault(resource, []).append(agreement)
    return found
