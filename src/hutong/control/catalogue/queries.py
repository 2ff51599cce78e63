"""Reads of the catalogue: an entry, our own resources. Search is finding.py."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

from django.db.models import Max, QuerySet

from hutong.control.catalogue import dataset as datasets
from hutong.control.catalogue.models import Entry, Item, Resource, Submission, Version
from hutong.node.settings import current
from hutong.vocabulary.errors import NotFound
from hutong.vocabulary.ids import is_id
from hutong.vocabulary.text import shown


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


def documents(entry_ids: Collection[str]) -> dict[str, datasets.EntryDocument]:
    """The same for many at once, by id; what the catalogue does not have is left out."""
    found = Entry.objects.filter(id__in=entry_ids).only("dataset")
    return {one.id: datasets.read(one.dataset) for one in found}


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


def waiting_states(resources: Sequence[str]) -> dict[str, str]:
    """Of these resources: "open" where one is before the supervisor, "returned" where it was sent back and not
    submitted since. Two queries."""
    held = Submission.objects.filter(resource__in=list(resources))
    newest = held.values("resource_id").annotate(newest=Max("submitted_at")).values_list("resource_id", "newest")
    last = dict(newest)
    rows = held.filter(state__in=("open", "returned")).values_list("resource_id", "submitted_at", "state")
    return {resource: state for resource, at, state in rows if last[resource] == at}


def to_review() -> QuerySet[Submission]:
    """What is before the supervisor, the earliest first."""
    waiting = Submission.objects.select_related("resource__department").filter(state="open")
    return waiting.order_by("submitted_at", "id")


def reviewed() -> list[QuerySet[Submission]]:
    """What a supervisor has decided: what was published, and what was sent back."""
    decided = Submission.objects.select_related("resource__department")
    return [decided.filter(state=state) for state in ("published", "returned")]


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
