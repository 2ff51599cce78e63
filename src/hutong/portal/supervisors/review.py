"""What is before the supervisor: the list, and one description with what differs from what is published."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django import forms
from django.http import QueryDict
from django.urls import reverse
from django.utils.translation import gettext as _

from hutong.control.catalogue import queries
from hutong.control.catalogue.changes import subject
from hutong.control.catalogue.fields import ITEM_FIELDS, RESOURCE_FIELDS
from hutong.control.catalogue.models import Submission
from hutong.control.catalogue.rules import ReviewNotDone
from hutong.control.catalogue.versions import differences, differing
from hutong.control.identity.models import Account
from hutong.control.identity.rules import Action
from hutong.portal.components import access, words
from hutong.portal.components.clocks import dues
from hutong.portal.components.differences import Differing, field_label, rows, value_words
from hutong.portal.components.page import Page, Refusal, shell_for
from hutong.portal.components.paging import Pager, Sheet, page_number, pager, sheet
from hutong.portal.components.parts import Badge, Choice, Due, May, no
from hutong.portal.components.peers import department_name
from hutong.portal.supervisors.forms import POINT, ReturnForm

ROWS = 50


@dataclass(frozen=True)
class SubmissionRow:
    url: str
    title: str
    department: str
    version: int
    submitted_by: str
    submitted_at: datetime
    state: Badge
    due: Due | None


@dataclass(frozen=True, kw_only=True)
class ReviewsPage(Page):
    shown: tuple[Choice, ...]
    rows: tuple[SubmissionRow, ...]
    pager: Pager | Sheet[Submission]
    ways: str  # the template of the pager


@dataclass(frozen=True)
class DescribedField:
    """A field as submitted, whether it differs, and where a point about it is written."""

    label: str
    value: str
    changed: bool
    point: forms.BoundField | None


@dataclass(frozen=True)
class DescribedItem:
    name: str
    title: str
    type: str
    attribute: Badge
    grade: int
    sensitive: bool
    mask: str
    changed: bool


@dataclass(frozen=True)
class Point:
    about: str
    text: str
    late: bool


@dataclass(frozen=True, kw_only=True)
class ReviewPage(Page):
    title: str
    lead: str
    state: Badge
    due: Due | None
    open: bool
    signed_off: str
    reason: str
    points: tuple[Point, ...]
    before: tuple[Differing, ...]
    before_version: int
    fields: tuple[DescribedField, ...]
    items: tuple[DescribedItem, ...]
    points_about_items: forms.BoundField
    points_about_the_rest: tuple[forms.BoundField, ...]
    form: ReturnForm
    may_publish: May
    may_return: May
    publish_url: str
    return_url: str
    versions_url: str


def reviews_page(account: Account, query: QueryDict) -> ReviewsPage:
    """The list of what is to review, the earliest first, or of what is decided, the newest first."""
    shown = "decided" if query.get("show") == "decided" else "open"
    listed, pages = _open(query) if shown == "open" else _decided_ones(query)
    due = dues(ReviewNotDone, [subject(one.resource) for one in listed]) if shown == "open" else {}
    choices = (("open", _("To review")), ("decided", _("Decided")))
    return ReviewsPage(
        shell=shell_for(account, "reviews"),
        shown=tuple(Choice(value, word, value == shown) for value, word in choices),
        rows=tuple(_row(one, due.get(subject(one.resource))) for one in listed),
        pager=pages,
        ways="components/pager.html" if shown == "open" else "components/sheet.html",
    )


def review_page(
    account: Account, submission: Submission, form: ReturnForm, refusal: Refusal | None = None
) -> ReviewPage:
    content = submission.content
    published = queries.latest_version(submission.resource, before=submission.version)
    before = published.content if published else None
    changed = differing(before, content) if before else set()
    decided = _decided(submission)
    topic = subject(submission.resource)
    return ReviewPage(
        shell=shell_for(account, "reviews"),
        refusal=refusal,
        title=_title(content),
        lead=_lead(submission),
        state=words.state(words.SUBMISSION_STATES, submission.state),
        due=dues(ReviewNotDone, [topic]).get(topic) if submission.state == "open" else None,
        open=submission.state == "open",
        signed_off=submission.signed_off_by,
        reason=submission.reason,
        points=points(submission),
        before=rows(differences(before, content)) if before else (),
        before_version=published.number if published else 0,
        fields=tuple(_field(name, content, changed, form) for name in RESOURCE_FIELDS),
        items=tuple(_item(one, content, changed) for one in content["items"]),
        points_about_items=form[POINT + "items"],
        points_about_the_rest=tuple(form[POINT + name] for name in ("sign_off", "")),
        form=form,
        may_publish=decided or access.may(account, Action.REVIEW_RESOURCE),
        may_return=decided or access.may(account, Action.REVIEW_RESOURCE),
        publish_url=reverse("review_publish", args=[submission.id]),
        return_url=reverse("review_return", args=[submission.id]),
        versions_url=reverse("resource_versions", args=[submission.resource_id]) if published else "",
    )


def points(submission: Submission) -> tuple[Point, ...]:
    """The points of a return, in the words of the form."""
    about = ReturnForm.about()
    return tuple(Point(about.get(one["field"], one["field"]), one["text"], one["late"]) for one in submission.points)


def _open(query: QueryDict) -> tuple[list[Submission], Pager]:
    found = queries.to_review()
    pages = pager(reverse("reviews"), {}, page=page_number(query.get("page")), size=ROWS, total=found.count())
    return list(found[(pages.page - 1) * ROWS : pages.page * ROWS]), pages


def _decided_ones(query: QueryDict) -> tuple[list[Submission], Sheet[Submission]]:
    pages = sheet(queries.reviewed(), "decided_at", reverse("reviews"), query.dict(), size=ROWS)
    return list(pages.rows), pages


def _decided(submission: Submission) -> May | None:
    return None if submission.state == "open" else no(_("This submission is decided."))


def _row(one: Submission, due: Due | None) -> SubmissionRow:
    return SubmissionRow(
        url=reverse("review", args=[one.id]),
        title=_title(one.content),
        department=department_name(one.resource.department),
        version=one.version,
        submitted_by=one.submitted_by,
        submitted_at=one.submitted_at,
        state=words.state(words.SUBMISSION_STATES, one.state),
        due=due,
    )


def _title(content: dict[str, Any]) -> str:
    return words.of_language(content["title_zh"], content["title_en"]) or _("A new resource")


def _lead(one: Submission) -> str:
    parts = [
        department_name(one.resource.department),
        one.content["code"],
        _("version {number}").format(number=one.version),
        _("submitted by {name}").format(name=one.submitted_by),
    ]
    return " · ".join(part for part in parts if part)


def _field(name: str, content: dict[str, Any], changed: set[str], form: ReturnForm) -> DescribedField:
    field = RESOURCE_FIELDS[name]
    return DescribedField(field_label(field), value_words(field, content[name]), name in changed, form[POINT + name])


def _item(one: dict[str, Any], content: dict[str, Any], changed: set[str]) -> DescribedItem:
    return DescribedItem(
        name=one["name"],
        title=words.of_language(one["title_zh"], one["title_en"]),
        type=" · ".join(
            part
            for part in (words.word(words.TYPES, one["type"]), value_words(ITEM_FIELDS["element"], one["element"]))
            if part
        ),
        attribute=words.attribute(one["attribute"] or content["attribute"]),
        grade=one["grade"],
        sensitive=one["sensitive"],
        mask=words.mask(one["mask"]) if one["mask"].get("action", "keep") != "keep" else "",
        changed=one["name"] in changed,
    )
