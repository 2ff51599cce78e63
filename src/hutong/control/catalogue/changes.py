"""The clock of a change, decree 809 article 17: begun by what changes, met by what is submitted."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from hutong.control.catalogue.models import Item, Resource, Submission
from hutong.control.catalogue.rules import (
    ChangeNotFiled,
    Published,
    ReviewNotDone,
    SentBack,
    Submitted,
)
from hutong.control.clocks import actions as clocks
from hutong.control.notices.actions import tell
from hutong.control.statute.day import china_date
from hutong.exchange.models import Source
from hutong.vocabulary.sentences import Sentence


def subject(resource: Resource) -> str:
    return f"resource:{resource.id}"


def note(resource: Resource) -> None:
    """A published resource changed: the first change that is not filed yet starts the clock. In the caller's
    transaction; the caller saves the resource."""
    if resource.state != "published":
        return
    received = china_date(resource.changed_at) if resource.changed_at else None
    resource.changed_at = resource.changed_at or datetime.now(UTC)
    clocks.start(
        ChangeNotFiled,
        subject(resource),
        department=resource.department_id,
        title_zh=resource.title_zh,
        title_en=resource.title_en,
        received=received,
        page=("resource_edit", resource.id),
    )


def note_source(source: Source, before: list[dict[str, Any]]) -> None:
    """A source was read again: a published item it no longer has, or has with another type, is a change.

    before   the schema it had
    """
    there = {one["name"]: one["type"] for one in source.schema}
    differing = [one["name"] for one in before if there.get(one["name"]) != one["type"]]
    described = Item.objects.filter(resource__source=source, resource__state="published", name__in=differing)
    concerned = described.values_list("resource_id", flat=True).distinct()
    unchanged = Resource.objects.select_for_update().filter(id__in=list(concerned), changed_at=None)
    for resource in unchanged.order_by("id"):
        note(resource)
        resource.save(update_fields=["changed_at", "updated_at"])


def filed(resource: Resource, submission: Submission) -> None:
    """Submitted: the department has filed, now the supervisor's clock runs."""
    clocks.meet(ChangeNotFiled, subject(resource))
    page = ("review", submission.id)
    title = _title(resource)
    clocks.start(ReviewNotDone, subject(resource), title_zh=title["title_zh"], title_en=title["title"], page=page)
    tell(Submitted(**title, by=submission.submitted_by), role="supervisor", subject=subject(resource), page=page)


def taken_back(resource: Resource) -> None:
    """The supervisor has nothing to review any more; the clock of the change goes on from its first day."""
    clocks.drop(ReviewNotDone, subject(resource), "taken back")
    if resource.changed_at is not None:
        note(resource)


def reviewed(resource: Resource, submission: Submission) -> None:
    """Published, or sent back: then the term to file it runs anew."""
    clocks.meet(ReviewNotDone, subject(resource))
    resource.changed_at = None
    if submission.state == "returned":
        note(resource)
        said: Sentence = SentBack(**_title(resource), reason=submission.reason, points=len(submission.points))
        page = ("resource_edit", resource.id)
    else:
        said, page = Published(**_title(resource), version=submission.version), ("resource", resource.id)
    tell(said, account=submission.submitted_by, subject=subject(resource), page=page)


def withdrawn(resource: Resource) -> None:
    for rule in (ChangeNotFiled, ReviewNotDone):
        clocks.drop(rule, subject(resource), "withdrawn")


def _title(resource: Resource) -> dict[str, str]:
    zh, en = resource.title_zh, resource.title_en
    return {"title": en or zh or resource.id, "title_zh": zh or en or resource.id}
