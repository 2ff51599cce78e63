"""The way into everybody's catalogue: submitted by the department, reviewed by the supervisor, issued to all members.

Decree 809 articles 16 and 17. What the supervisor reads is what is published: while a description is before the
supervisor nobody changes it, and a decision names the submission it decides. Withdrawing needs no review.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from django.db import transaction
from django.db.models import Max

from hutong.control.catalogue import changes, dcat_ap, dcat_rules, drift, federation, feed, gates, shapes
from hutong.control.catalogue import dataset as datasets
from hutong.control.catalogue.description_file import document
from hutong.control.catalogue.freshness import settle
from hutong.control.catalogue.models import Entry, Item, Resource, Submission, Version
from hutong.control.catalogue.queries import (
    items_of,
    latest_submission,
    locked,
    open_submission,
    submission_of,
)
from hutong.control.catalogue.queries import resource as resource_of
from hutong.control.catalogue.rules import (
    AlreadySubmitted,
    AlreadyWithdrawn,
    ItemNotInSource,
    NoLiveSource,
    PublishRefused,
    check_may_publish,
    check_not_own,
    effective_attribute,
    effective_grade,
)
from hutong.control.catalogue.sources import prepare_lookups, probe_source
from hutong.control.catalogue.versions import differing, read_points
from hutong.control.demands import barring, repeating
from hutong.control.identity.rules import Action, Actor, check, may
from hutong.control.standards.keeping import mark_offered
from hutong.control.standards.queries import offered_codes
from hutong.exchange.shaping.values import kind_of
from hutong.ledger.record import record
from hutong.node import work
from hutong.node.settings import current
from hutong.vocabulary.canonical import canonical_digest
from hutong.vocabulary.codes import CATEGORY_DIGITS, THEMES
from hutong.vocabulary.errors import Refused, WrongState
from hutong.vocabulary.ids import new_id
from hutong.vocabulary.moments import to_the_millisecond
from hutong.vocabulary.text import checked

LONGEST_REASON = 2000
FIRST_BRANCH = "001"


def submit(by: Actor, resource_id: str) -> Submission:
    """Put a description, or a changed one, before the supervisor. The source is probed now, the whole gate is passed.

    A head who submits signs the assessment off by it.

    raises   NotFound, NotAllowed, WrongState, AlreadySubmitted, PublishRefused naming everything that is missing
    """
    resource = resource_of(resource_id)
    check(by, Action.SUBMIT_RESOURCE, resource.department_id)
    unavailable = _unavailable(resource)
    shapes.configured()  # read before the transaction, which others wait for
    with transaction.atomic():
        feed.hold()  # codes run on: one submission at a time takes the next
        resource = locked(resource_id)
        if resource.state == "withdrawn":
            raise WrongState(what="resource", what_zh="数据资源", state=resource.state, possible=["draft", "published"])
        if open_submission(resource) is not None:
            raise AlreadySubmitted()
        items = items_of(resource)
        if not resource.secrecy_checked_by and may(by, Action.SIGN_OFF_RESOURCE):
            resource.secrecy_checked_by = by.username[:100]
        check_may_publish(resource, items, unavailable, barring.findings(resource, items))
        resource.attribute = effective_attribute(resource.attribute, items)
        resource.code = resource.code or _next_code(resource)
        now = to_the_millisecond(datetime.now(UTC))
        _check_dcat(_dataset(resource, items, "published", resource.version + 1, now))
        resource.save()
        return _submitted(by, resource, items, now)


@transaction.atomic
def take_back(by: Actor, resource_id: str) -> Submission:
    """Take a description back from the supervisor, to change it. The clock of the change runs on as it ran before.

    raises   NotFound, NotAllowed, WrongState
    """
    resource = locked(resource_id)
    check(by, Action.SUBMIT_RESOURCE, resource.department_id)
    submission = open_submission(resource)
    if submission is None:
        raise WrongState(what="resource", what_zh="数据资源", state=resource.state, possible=["before the supervisor"])
    _take_back(by, resource, submission)
    return submission


def review(by: Actor, submission_id: str) -> Entry:
    """The supervisor publishes what was submitted: the entry is signed, sent to all members, and kept as a version.

    The source is asked again at that moment, and the gate holds once more.

    raises   NotFound, NotAllowed, WrongState, OwnSubmission, PublishRefused
    """
    submission = submission_of(submission_id)
    check(by, Action.REVIEW_RESOURCE)
    unavailable = _unavailable(submission.resource)
    shapes.configured()
    with transaction.atomic():
        feed.hold()
        resource, submission = _under_review(by, submission)
        items = items_of(resource)
        check_may_publish(resource, items, unavailable, barring.findings(resource, items))
        now = to_the_millisecond(datetime.now(UTC))
        resource.state, resource.version, resource.published_at = "published", submission.version, now
        _decide(by, submission, "published", now)
        changes.reviewed(resource, submission)
        resource.save()
        entry = _issue(by, resource, items, "published", at=now, submission=submission)
        repeating.published(resource, items)
        settle(resource)
        work.wake_on_commit(drift.WORK)  # what differed from the version before may be as described now
    if resource.source is not None:
        prepare_lookups(resource.source, [item.name for item in items if item.key])
    return entry


@transaction.atomic
def send_back(by: Actor, submission_id: str, *, reason: str, points: Sequence[dict[str, Any]]) -> Submission:
    """The supervisor sends a description back: why, and every point at once.

    A point about what stood unchanged in an earlier submission that was sent back came late: it is kept as such.

    points   [{"field": a field of the description, "item.field", or "" for the whole, "text": what to do}]
    raises   NotFound, NotAllowed, WrongState, WrongText, WrongValue, ReturnWithoutPoints, OwnSubmission
    """
    submission = submission_of(submission_id)
    check(by, Action.REVIEW_RESOURCE)
    reason = checked("reason", reason, limit=LONGEST_REASON, lines=True, required=True)
    resource, submission = _under_review(by, submission)
    submission.reason = reason
    submission.points = _late(resource, submission, read_points(points, submission.content))
    _decide(by, submission, "returned", datetime.now(UTC))
    changes.reviewed(resource, submission)
    resource.save(update_fields=["changed_at", "updated_at"])
    detail = {
        "submission": submission.id,
        "reason": reason,
        "points": [one["field"] for one in submission.points],
        "late": sum(one["late"] for one in submission.points),
    }
    record("resource.returned", f"resource:{resource.id}", by.username, detail)
    return submission


@transaction.atomic
def withdraw(by: Actor, resource_id: str, *, emergency: str = "") -> Entry:
    """Take the entry out of every catalogue. Agreements in force are not touched: article 27 has its own way.

    emergency   why secrecy demands it at once, where consumers in force would have to be told before
    raises      NotFound, NotAllowed, WrongState, AlreadyWithdrawn, and what a gate refuses with
    """
    feed.hold()
    resource = locked(resource_id)
    check(by, Action.WITHDRAW_RESOURCE, resource.department_id)
    if resource.state == "withdrawn":
        raise AlreadyWithdrawn()
    if resource.state != "published":
        raise WrongState(what="resource", what_zh="数据资源", state=resource.state, possible=["published"])
    gates.check_withdrawal(resource, emergency)
    if (submission := open_submission(resource)) is not None:
        _take_back(by, resource, submission)
    resource.state, resource.version, resource.changed_at = "withdrawn", resource.version + 1, None
    resource.save()
    changes.withdrawn(resource)
    # The moment of this version, not of the first: it is signed by the key of now, which may be newer than the entry.
    now = to_the_millisecond(datetime.now(UTC))
    return _issue(by, resource, items_of(resource), "withdrawn", at=now, submission=None)


def _submitted(by: Actor, resource: Resource, items: Sequence[Item], now: datetime) -> Submission:
    content = document(resource, items)
    submission = Submission.objects.create(
        id=new_id(),
        resource=resource,
        version=resource.version + 1,
        content=content,
        digest=canonical_digest(content),
        signed_off_by=resource.secrecy_checked_by,
        submitted_by=by.username,
        submitted_at=now,
    )
    detail = {"submission": submission.id, "version": submission.version, "digest": submission.digest}
    record("resource.submitted", f"resource:{resource.id}", by.username, detail)
    changes.filed(resource, submission)
    return submission


def _take_back(by: Actor, resource: Resource, submission: Submission) -> None:
    _decide(by, submission, "taken_back", datetime.now(UTC))
    changes.taken_back(resource)
    record("resource.taken_back", f"resource:{resource.id}", by.username, {"submission": submission.id})


def _under_review(by: Actor, submission: Submission) -> tuple[Resource, Submission]:
    """The resource and its submission, both locked. A decision is made once, and not by who submitted."""
    resource = locked(submission.resource_id)
    submission = Submission.objects.select_for_update().get(id=submission.id)
    if submission.state != "open":
        raise WrongState(what="submission", what_zh="送审件", state=submission.state, possible=["open"])
    check_not_own(submission.submitted_by, by.username)
    return resource, submission


def _decide(by: Actor, submission: Submission, state: str, at: datetime) -> None:
    submission.state, submission.decided_by, submission.decided_at = state, by.username, at
    submission.save()


def _late(resource: Resource, submission: Submission, points: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The points, each with whether it could have been made when the resource was sent back before."""
    earlier = latest_submission(resource, "returned", version=submission.version)
    if earlier is None:
        return [point | {"late": False} for point in points]
    said = {one["field"] for one in earlier.points}
    changed = differing(earlier.content, submission.content)
    return [
        point | {"late": point["field"] not in said and point["field"] not in changed and bool(point["field"])}
        for point in points
    ]


def _issue(
    by: Actor, resource: Resource, items: Sequence[Item], state: str, *, at: datetime, submission: Submission | None
) -> Entry:
    """Sign the data set, keep it as our entry and as a version, send it, record it. In the caller's transaction."""
    dataset = _dataset(resource, items, state, resource.version, at)
    signed = federation.sign(dataset)
    if state == "published":
        mark_offered(resource.id, at)
        _check_dcat(dataset)
    entry = federation.store(signed)
    federation.announce(signed)
    digest = canonical_digest(dataset)
    Version.objects.create(
        resource=resource,
        number=resource.version,
        state=state,
        content=document(resource, items),
        dataset=dataset,
        digest=digest,
        signature=signed.signature,
        keyid=signed.keyid,
        issued_at=at,
        issued_by=by.username,
        submission=submission,
    )
    detail = {
        "version": resource.version,
        "attribute": effective_attribute(resource.attribute, items),
        "grade": effective_grade(items),
        "items": len(items),
        "signed_off_by": resource.secrecy_checked_by,
        "submitted_by": submission.submitted_by if submission else "",
    }
    commitment = {"resource": resource.id, "dataset": digest}
    record(f"resource.{state}", f"resource:{resource.id}", by.username, detail, commitment=commitment)
    return entry


def _dataset(resource: Resource, items: Sequence[Item], state: str, version: int, at: datetime) -> dict[str, Any]:
    codes_of = offered_codes(resource.id)
    return datasets.build(resource, items, current(), state=state, version=version, published_at=at, codes_of=codes_of)


def _check_dcat(dataset: dict[str, Any]) -> None:
    """Others harvest it as DCAT-AP: by our own table, and by the official shapes where the operator has set them.

    raises   PublishRefused, BadEntry, BadSetting
    """
    datasets.signed_bytes(dataset)
    node = dcat_ap.dataset(datasets.read(dataset))
    if found := dcat_rules.findings(node) or shapes.findings(node):
        raise PublishRefused(found)


def _unavailable(resource: Resource) -> Refused | None:
    """Why the source cannot serve the described items now, or None."""
    if resource.source is None:
        return NoLiveSource(reason="none is attached.", reason_zh="未挂接。")
    answer, refusal = probe_source(resource.source)
    if refusal is not None or answer is None:
        cause = refusal or Refused()
        return NoLiveSource(reason=cause.say("en"), reason_zh=cause.say("zh"))
    kinds = {one.name: kind_of(one.type) for one in answer.schema}
    there = {name: kind.value for name, kind in kinds.items() if kind is not None}
    gone = [item.name for item in items_of(resource) if there.get(item.name) != item.type]
    return ItemNotInSource(items=gone[:20]) if gone else None


def _next_code(resource: Resource) -> str:
    """The national template's code: class, item, branch (001 where none is named), twig, and a running number here."""
    theme = THEMES.codes.index(resource.theme) + 1
    prefix = f"{CATEGORY_DIGITS[resource.category]}{theme:02d}{resource.branch or FIRST_BRANCH}{resource.twig}/"
    last = Resource.objects.filter(code__startswith=prefix).aggregate(last=Max("code"))["last"]
    digits = last.removeprefix(prefix) if last else "0"
    return f"{prefix}{int(digits) + 1 if digits.isdigit() else 1:06d}"
