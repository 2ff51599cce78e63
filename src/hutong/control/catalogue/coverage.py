"""What of a jurisdiction's systems is in the catalogue, live and fresh: counted as the audit offices count.

A finding is a thing to put right: a system without a catalogue; a resource of no registered system, without a live
source, without conditions, or stale. Withdrawn resources and retired systems are not counted.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields
from datetime import date, datetime
from typing import Any

from django.db.models import Count, Exists, Max, OuterRef, Q, QuerySet

from hutong.control.catalogue.models import Attribute, InformationSystem, Resource
from hutong.control.organisations.models import Department
from hutong.control.statute import day
from hutong.vocabulary.codes import CodeList

FINDINGS = CodeList([
    ("no_catalogue", "信息系统未编目", "system without a catalogue"),
    ("not_linked", "未关联信息系统", "not linked to a system"),
    ("no_live_source", "未挂接可用数据源", "no live source"),
    ("no_conditions", "未注明共享条件", "conditions not stated"),
    ("stale", "超过更新频率未更新", "stale against its update cycle"),
])  # fmt: skip
IN_CATALOGUE = ("draft", "published")


@dataclass(frozen=True)
class Counts:
    """Systems and resources of one department, or of all."""

    systems: int = 0
    systems_with_catalogue: int = 0
    resources: int = 0
    published: int = 0
    live: int = 0
    no_catalogue: int = 0
    not_linked: int = 0
    no_live_source: int = 0
    no_conditions: int = 0
    stale: int = 0

    def __add__(self, other: Counts) -> Counts:
        return Counts(*(getattr(self, one.name) + getattr(other, one.name) for one in fields(Counts)))

    @property
    def findings(self) -> dict[str, int]:
        return {code: getattr(self, code) for code in FINDINGS.codes}


@dataclass(frozen=True)
class DepartmentCoverage:
    department: Department
    counts: Counts


@dataclass(frozen=True)
class SystemCoverage:
    """One system, or, with neither code nor name, the resources of a department that belong to none."""

    department: Department
    code: str
    name: str
    resources: int
    published: int
    live: int
    no_live_source: int
    no_conditions: int
    stale: int
    last_probe: datetime | None  # of any of its sources


def report(department: str | None = None) -> tuple[DepartmentCoverage, ...]:
    """Departments that have systems or resources, by name. Two counting queries, whatever the catalogue holds."""
    offices = {one.code: one for one in Department.objects.all()}
    counted: dict[str, Counts] = {}
    for code, counts in [*_count_resources(department), *_count_systems(department)]:
        counted[code] = counted.get(code, Counts()) + counts
    found = [DepartmentCoverage(offices[code], counts) for code, counts in counted.items()]
    return tuple(sorted(found, key=lambda one: one.department.name_zh))


def total(rows: tuple[DepartmentCoverage, ...]) -> Counts:
    return sum((one.counts for one in rows), Counts())


def systems(department: str | None = None) -> Iterator[SystemCoverage]:
    """What the catalogue has of every system in use, and last what belongs to no system, each by department."""
    offices = {one.code: one for one in Department.objects.all()}
    for one in _counted_systems(department).iterator(chunk_size=500):
        yield _system(offices[one.department_id], one.code, one.name, vars(one))
    loose = _of(Resource.objects.filter(state__in=IN_CATALOGUE, system=None), department)
    counts = {name: Count("id", filter=condition) for name, condition in _counts("").items()}
    grouped = loose.values("department_id").annotate(**counts, last_probe=Max("source__checked_at"))
    for row in grouped.order_by("department__name_zh"):
        yield _system(offices[row["department_id"]], "", "", row)


def registered(department: str | None, first: int, many: int) -> list[tuple[InformationSystem, SystemCoverage]]:
    """A page of the systems in use, by department and name, each with what the catalogue has of it."""
    held = _of(InformationSystem.objects.filter(state="in_use"), department)
    ids = list(held.order_by("department__name_zh", "name", "id").values_list("id", flat=True)[first : first + many])
    counted = _counted_systems(department).filter(id__in=ids)
    return [(one, _system(one.department, one.code, one.name, vars(one))) for one in counted]


def found(kind: str, department: str | None = None) -> QuerySet[Any]:
    """The systems (for "no_catalogue"), or the resources, that a finding is about, by id."""
    if kind == "no_catalogue":
        bare = InformationSystem.objects.filter(~Exists(_its_resources()), state="in_use")
        return _of(bare, department).select_related("department").order_by("id")
    # Not by a list of states: in the order of ids the first page is then found without looking at them all.
    held = Resource.objects.filter(_conditions("")[kind]).exclude(state="withdrawn")
    return _of(held, department).select_related("department", "source", "freshness").order_by("id")


def stale_since(resource: Resource) -> date | None:
    """The last day a published resource kept to its cycle, where that day has passed; None for a fresh one, and where
    nothing can be said."""
    kept = getattr(resource, "freshness", None)
    if resource.state != "published" or kept is None or kept.fresh_until is None:
        return None
    last: date = kept.fresh_until
    return last if last < day.today() else None


def stale_among(resources: Sequence[str]) -> set[str]:
    """Which of these ids are resources of ours that are behind their update cycle; one query."""
    held = Resource.objects.filter(_conditions("")["stale"], id__in=list(resources))
    return set(held.values_list("id", flat=True))


def _counted_systems(department: str | None) -> QuerySet[Any]:
    held = _of(InformationSystem.objects.filter(state="in_use"), department).select_related("department")
    counts = {name: Count("resources", filter=condition) for name, condition in _counts("resources__").items()}
    counted: QuerySet[Any] = held.annotate(**counts, last_probe=Max("resources__source__checked_at"))
    return counted.order_by("department__name_zh", "name", "id")


def _conditions(prefix: str) -> dict[str, Q]:
    """What makes a resource a finding; `prefix` leads from the queried table to the resource."""

    def q(**given: Any) -> Q:
        return Q(**{prefix + name: value for name, value in given.items()})

    conditional = q(attribute=Attribute.CONDITIONAL) & (q(conditions="") | q(permitted_purposes=[]))
    refused = q(attribute=Attribute.REFUSED) & q(legal_citation="")
    return {
        "not_linked": q(system=None),
        "no_live_source": q(source=None) | q(source__check_ok=False),
        "no_conditions": q(attribute="") | conditional | refused,
        "stale": q(state="published") & q(freshness__fresh_until__lt=day.today()),
    }


def _counts(prefix: str) -> dict[str, Q]:
    held = Q(**{prefix + "state__in": IN_CATALOGUE})
    counted = {
        "count_resources": held,
        "count_published": Q(**{prefix + "state": "published"}),
        "count_live": held & Q(**{prefix + "source__check_ok": True}),
    }
    return counted | {f"count_{name}": held & one for name, one in _conditions(prefix).items()}


def _count_resources(department: str | None) -> Iterator[tuple[str, Counts]]:
    held = _of(Resource.objects.filter(state__in=IN_CATALOGUE), department)
    counts = {name: Count("id", filter=condition) for name, condition in _counts("").items()}
    for row in held.order_by().values("department_id").annotate(**counts):
        code = row.pop("department_id")
        yield code, Counts(**{name.removeprefix("count_"): value for name, value in row.items()})


def _count_systems(department: str | None) -> Iterator[tuple[str, Counts]]:
    held = _of(InformationSystem.objects.filter(state="in_use"), department)
    covered = Count("id", filter=Exists(_its_resources()))
    for row in held.order_by().values("department_id").annotate(count=Count("id"), covered=covered):
        bare = row["count"] - row["covered"]
        counts = Counts(systems=row["count"], systems_with_catalogue=row["covered"], no_catalogue=bare)
        yield row["department_id"], counts


def _system(department: Department, code: str, name: str, row: dict[str, Any]) -> SystemCoverage:
    names = ("resources", "published", "live", "no_live_source", "no_conditions", "stale")
    counts = {one: row[f"count_{one}"] for one in names}
    return SystemCoverage(department, code, name, **counts, last_probe=row["last_probe"])


def _its_resources() -> QuerySet[Resource]:
    return Resource.objects.filter(system=OuterRef("pk"), state__in=IN_CATALOGUE)


def _of(held: QuerySet[Any], department: str | None) -> QuerySet[Any]:
    return held.filter(department=department) if department else held
