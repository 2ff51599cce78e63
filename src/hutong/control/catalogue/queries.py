"""Reads of the catalogue: search, an entry, our own resources."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from django.db.models import Count, F, QuerySet, Sum

from hutong.control.catalogue import dataset as datasets
from hutong.control.catalogue.models import Entry, EntryTerm, Item, Resource, Submission, Version
from hutong.control.catalogue.terms import query_terms
from hutong.node.settings import current
from hutong.vocabulary.codes import GRADES
from hutong.vocabulary.errors import BadInput, NotFound
from hutong.vocabulary.ids import is_id
from hutong.vocabulary.text import checked, shown

LONGEST_QUERY = 200
PAGE_SIZE = 20
MOST_A_PAGE = 100
PUBLISHED = {"state": "published"}
FILTERS = ("origin", "department_code", "attribute", "update_cycle", "theme", "grade", "state")


@dataclass(frozen=True)
class Found:
    """One page of a search, best first."""

    entries: tuple[Entry, ...]
    total: int
    page: int  # from 1
    size: int
    every_word: bool = True  # False: no entry has all the words, these have some
    facets: dict[str, dict[str, int]] = field(default_factory=dict)

    @property
    def pages(self) -> int:
        return max(1, -(-self.total // self.size))


def search(
    text: str = "", filters: dict[str, Any] | None = None, page: int = 1, size: int = PAGE_SIZE, *, facets: bool = False
) -> Found:
    """Entries of all members, best first; without text the newest first.

    text      Chinese or English words; all of them must occur, or, where no entry has all, as many as possible
    filters   exact values by the names in FILTERS; a list means any of them; without `state`, only published ones
    page      from 1; beyond the last one it is empty
    facets    also count what was found by origin, attribute and theme
    raises    BadInput for an unknown filter, an impossible page, a text that is too long or holds control characters
    """
    if not 1 <= page <= 100_000 or not 1 <= size <= MOST_A_PAGE:
        raise BadInput(
            reason=f"a page is counted from 1 and holds 1 to {MOST_A_PAGE} entries",
            reason_zh=f"页码从 1 起，每页 1 至 {MOST_A_PAGE} 条",
        )
    wanted = query_terms(checked("text", text.replace("\n", " "), limit=LONGEST_QUERY))
    conditions = _conditions(filters or {})
    if not wanted:
        found = Entry.objects.filter(**conditions) if not text.strip() else Entry.objects.none()
        return _newest(found, page, size, facets)
    matches = _matches(wanted, conditions, at_least=len(wanted))
    if every_word := matches.exists():
        return _best(matches, page, size, facets)
    if len(wanted) > 1:
        matches = _matches(wanted, conditions, at_least=1)
    return _best(matches, page, size, facets, every_word=every_word or len(wanted) == 1)


def entry(entry_id: str) -> Entry:
    """An entry by its id, withdrawn ones too.

    raises   NotFound
    """
    found = Entry.objects.filter(id=entry_id).first() if is_id(entry_id) else None
    if found is None:
        raise NotFound(what="catalogue entry", what_zh="目录条目", name=shown(entry_id))
    return found


def document(entry_id: str) -> datasets.EntryDocument:
    """An entry decoded, for pages and requests.

    raises   NotFound
    """
    return datasets.read(entry(entry_id).dataset)


def dataset(entry_id: str) -> dict[str, Any]:
    """The data set of one of our own published entries, as the Dataspace Protocol serves it.

    raises   NotFound; also for entries of other nodes and for withdrawn ones
    """
    found = entry(entry_id)
    if found.state != "published" or found.origin != current().jurisdiction:
        raise NotFound(what="data set", what_zh="数据集", name=shown(entry_id))
    return dict(found.dataset)


def resource(resource_id: str) -> Resource:
    """raises   NotFound"""
    ours = Resource.objects.select_related("department", "source")
    found = ours.filter(id=resource_id).first() if is_id(resource_id) else None
    if found is None:
        raise NotFound(what="resource", what_zh="数据资源", name=shown(resource_id))
    return found


def locked(resource_id: str) -> Resource:
    """The resource, locked until the transaction ends. The foreign rows are read apart: only the resource is locked.

    raises   NotFound
    """
    resource(resource_id)
    return Resource.objects.select_for_update().get(id=resource_id)


def submission_of(submission_id: str) -> Submission:
    """raises   NotFound"""
    known = Submission.objects.select_related("resource__department", "resource__source")
    found = known.filter(id=submission_id).first() if is_id(submission_id) else None
    if found is None:
        raise NotFound(what="submission", what_zh="送审件", name=shown(submission_id))
    return found


def open_submission(resource: Resource) -> Submission | None:
    """What of this resource is before the supervisor now."""
    return resource.submissions.filter(state="open").first()


def latest_submission(resource: Resource, *states: str, version: int | None = None) -> Submission | None:
    """The newest submission of a resource, in one of these states and for this version where they are named."""
    found = resource.submissions.order_by("-submitted_at", "-id")
    found = found.filter(state__in=states) if states else found
    return (found if version is None else found.filter(version=version)).first()


def to_review() -> QuerySet[Submission]:
    """What is before the supervisor, the earliest first."""
    waiting = Submission.objects.select_related("resource__department").filter(state="open")
    return waiting.order_by("submitted_at", "id")


def reviewed() -> QuerySet[Submission]:
    """What a supervisor has decided, the newest first."""
    decided = Submission.objects.select_related("resource__department").filter(state__in=("published", "returned"))
    return decided.order_by("-decided_at", "-id")


def latest_version(resource: Resource, *, before: int) -> Version | None:
    """What was last published of a resource below a version number."""
    return resource.versions.filter(number__lt=before, state="published").order_by("-number").first()


def versions(resource: Resource) -> QuerySet[Version]:
    """What was issued of a resource, the newest first."""
    return resource.versions.order_by("-number")


def version(resource: Resource, number: int) -> Version:
    """raises   NotFound"""
    found = resource.versions.filter(number=number).first()
    if found is None:
        raise NotFound(what="version", what_zh="版本", name=str(number))
    return found


def items_of(resource: Resource) -> list[Item]:
    """The resource's items in their order."""
    return list(resource.items.order_by("position"))


def resources(department: str | None = None) -> list[Resource]:
    """Our resources, newest change first; of one department where named."""
    found = Resource.objects.select_related("department", "source").order_by("-updated_at")
    return list(found.filter(department_id=department) if department else found)


def _newest(found: QuerySet[Entry], page: int, size: int, facets: bool) -> Found:
    first = (page - 1) * size
    newest = found.order_by("-published_at", "id").defer("dataset")[first : first + size]
    return Found(tuple(newest), found.count(), page, size, facets=_facets(found) if facets else {})


def _conditions(filters: dict[str, Any]) -> dict[str, Any]:
    """The filters as conditions on an entry's columns."""
    conditions: dict[str, Any] = {} if "state" in filters else dict(PUBLISHED)
    for name, value in filters.items():
        if name not in FILTERS:
            raise BadInput(
                reason=f"there is no filter {shown(name)}; filters are {', '.join(FILTERS)}",
                reason_zh=f"没有筛选条件 {shown(name)}；可用：{'、'.join(FILTERS)}",
            )
        values = list(value) if isinstance(value, (list, tuple, set)) else [value]
        if name == "grade" and not all(one in GRADES for one in values):
            raise BadInput(reason="a grade is 1 to 4", reason_zh="分级为 1 至 4")
        checked_values = values if name == "grade" else [checked(name, one, limit=200) for one in values]
        conditions[f"{name}__in"] = checked_values[:50]
    return conditions


def _matches(wanted: Sequence[str], conditions: dict[str, Any], *, at_least: int) -> Any:
    """(entry_id, matched, score) of the entries that have at least so many of the terms, unordered."""
    found = EntryTerm.objects.filter(term__in=wanted)
    if conditions != PUBLISHED:  # only published entries have terms
        found = found.filter(entry__in=Entry.objects.filter(**conditions).order_by())
    if len(wanted) == 1:  # a term stands once for an entry, so there is nothing to add up
        return found.values("entry_id", score=F("weight"))
    summed = found.values("entry_id").annotate(matched=Count("id"), score=Sum("weight"))
    return summed.filter(matched__gte=at_least) if at_least > 1 else summed


def _best(matches: Any, page: int, size: int, facets: bool, *, every_word: bool = True) -> Found:
    """One page of matches, best first; among equals the newer (ids grow with time)."""
    first = (page - 1) * size
    order = ("-matched", "-score", "-entry_id") if "matched" in matches.query.annotations else ("-weight", "-entry_id")
    ids = [row["entry_id"] for row in matches.order_by(*order)[first : first + size]]
    by_id = {one.id: one for one in Entry.objects.filter(id__in=ids).defer("dataset")}
    return Found(
        entries=tuple(by_id[one] for one in ids if one in by_id),
        total=matches.count(),
        page=page,
        size=size,
        every_word=every_word,
        facets=_facets(Entry.objects.filter(id__in=matches.order_by().values("entry_id"))) if facets else {},
    )


def _facets(entries: QuerySet[Entry]) -> dict[str, dict[str, int]]:
    names = ("origin", "attribute", "theme")
    counts: dict[str, Counter[str]] = {name: Counter() for name in names}
    for *values, found in entries.order_by().values_list(*names).annotate(found=Count("id")):
        for name, value in zip(names, values, strict=True):
            counts[name][value] += found
    return {name: dict(sorted(counted.items(), key=lambda one: (-one[1], one[0]))) for name, counted in counts.items()}
