"""The supervisor's review: what was submitted is what is published, or it goes back with every point at once."""

from __future__ import annotations

import base64
from datetime import date

import pytest
from django.db import IntegrityError, transaction

from hutong.control.catalogue import actions, fields, publication, queries, rules
from hutong.control.catalogue.dataset import signed_bytes
from hutong.control.catalogue.models import Entry, Submission, Version
from hutong.control.catalogue.versions import differences, differing
from hutong.control.clocks.actions import ask_extension, decide_extension
from hutong.control.clocks.models import Clock
from hutong.control.identity.models import Account
from hutong.control.notices.models import Told
from hutong.control.statute import day
from hutong.ledger.models import AuditRecord
from hutong.node.keyring import ring
from hutong.node.models import OutboxMessage
from hutong.vocabulary.errors import NotAllowed, NotFound, WrongState
from hutong.vocabulary.text import WrongText
from tests.companies import COMPLETE, ITEMS, write_companies
from tests.publication import publish, supervisor

pytestmark = pytest.mark.django_db
POINT = {"field": "summary_zh", "text": "请写明数据来源"}


@pytest.fixture
def submitted(people, described):
    return actions.submit(people["head"], described.id)


def clock(rule):
    return Clock.objects.filter(rule=rule.name()).latest("created_at")


def send_back(submission, *points, by=None):
    said = points or (POINT,)
    return actions.send_back(by or supervisor(), submission.id, reason="请修改", points=said)


def test_d809_16_nothing_is_issued_before_the_supervisor_has_reviewed(people, submitted):
    assert (Entry.objects.count(), Version.objects.count(), OutboxMessage.objects.count()) == (0, 0, 0)
    assert queries.resource(submitted.resource_id).state == "draft"
    entry = actions.review(supervisor(), submitted.id)
    assert (entry.version, OutboxMessage.objects.count()) == (1, 1)
    assert Submission.objects.get().state == "published"


@pytest.mark.parametrize("who", ["officer", "head", "steward", "auditor"])
def test_d809_16_only_the_supervisor_reviews(people, submitted, who):
    for refused in (lambda: actions.review(people[who], submitted.id), lambda: send_back(submitted, by=people[who])):
        with pytest.raises(NotAllowed):
            refused()
    assert Submission.objects.get().state == "open"


def test_d809_16_own_submission_is_reviewed_by_somebody_else(people, submitted):
    Account.objects.filter(username="li").update(role="supervisor", department=None)
    promoted = Account.objects.get(username="li")
    with pytest.raises(rules.OwnSubmission):
        actions.review(promoted, submitted.id)
    with pytest.raises(rules.OwnSubmission):
        send_back(submitted, by=promoted)


def test_d809_17_change_filing_catalog_change_clock(people, published, at):
    """Domain row "Catalog change clock": 2025-09-22 is due 2025-10-11, +5 only after consent, review 2 days later."""
    at("2025-09-22")
    actions.describe(people["officer"], published.id, {"title_zh": "企业"})
    assert clock(rules.ChangeNotFiled).due_on == date(2025, 10, 11)
    at("2025-09-23")
    actions.describe(people["officer"], published.id, {"title_zh": "企业（新）"})
    assert clock(rules.ChangeNotFiled).due_on == date(2025, 10, 11), "the first change counts"
    asked = ask_extension(people["officer"], clock(rules.ChangeNotFiled).id, "系统升级")
    assert asked.due_on == date(2025, 10, 11)
    with pytest.raises(NotAllowed):
        decide_extension(people["head"], asked.id, consent=True)
    assert decide_extension(supervisor(), asked.id, consent=True).due_on == date(2025, 10, 17)
    at("2025-10-11")
    actions.submit(people["head"], published.id)
    assert clock(rules.ChangeNotFiled).state == "met"
    assert clock(rules.ReviewNotDone).due_on == date(2025, 10, 14)


def test_d809_17_review_is_late_after_two_working_days(people, submitted, at):
    at("2025-09-22")
    Clock.objects.all().delete()  # begun on the real day
    actions.take_back(people["head"], submitted.resource_id)
    again = actions.submit(people["head"], submitted.resource_id)
    assert clock(rules.ReviewNotDone).due_on == date(2025, 9, 24)
    at("2025-09-25")
    actions.review(supervisor(), again.id)
    assert clock(rules.ReviewNotDone).state == "late"
    assert clock(rules.ReviewNotDone).role == "supervisor"


def test_a_return_gives_a_new_term_and_taking_back_does_not(people, published, at):
    at("2025-09-22")
    actions.describe(people["officer"], published.id, {"title_zh": "企业"})
    at("2025-09-25")
    submission = actions.submit(people["head"], published.id)
    actions.take_back(people["officer"], published.id)
    changed = queries.resource(published.id).changed_at
    assert clock(rules.ChangeNotFiled).received_on == day.china_date(changed)
    assert clock(rules.ReviewNotDone).state == "dropped"
    submission = actions.submit(people["head"], published.id)
    send_back(submission)
    assert clock(rules.ChangeNotFiled).received_on == date(2025, 9, 25)
    assert clock(rules.ReviewNotDone).state == "met"
    actions.withdraw(people["officer"], published.id)
    assert {one.state for one in Clock.objects.all()} == {"met", "dropped"}


def test_a_source_that_changed_under_a_published_resource_starts_the_clock(people, published, csv_file, at):
    source = queries.resource(published.id).source
    actions.refresh_source(people["officer"], source.id)
    assert not Clock.objects.filter(state="running").exists()
    write_companies(csv_file, "uscc,company,telephone,registered,capital")
    actions.refresh_source(people["officer"], source.id)
    assert clock(rules.ChangeNotFiled).subject == f"resource:{published.id}"
    assert queries.resource(published.id).changed_at is not None


def test_the_supervisor_is_told_of_what_is_submitted_and_who_submitted_of_the_outcome(people, described):
    supervisor()
    submission = actions.submit(people["head"], described.id)
    send_back(submission)
    publish(people["head"], described.id)
    told = [(one.account.username, one.notice.code) for one in Told.objects.order_by("id").select_related("notice")]
    assert told == [
        ("supervisor", "resource_submitted"),
        ("li", "resource_sent_back"),
        ("supervisor", "resource_submitted"),
        ("li", "resource_published"),
    ]


def test_under_review_nobody_changes_the_description_until_it_is_taken_back(people, submitted):
    with pytest.raises(rules.UnderReview):
        actions.describe(people["officer"], submitted.resource_id, {"title_zh": "x"})
    with pytest.raises(rules.AlreadySubmitted):
        actions.submit(people["head"], submitted.resource_id)
    actions.take_back(people["officer"], submitted.resource_id)
    actions.describe(people["officer"], submitted.resource_id, {"title_zh": "企业"})
    with pytest.raises(WrongState):
        actions.review(supervisor(), submitted.id)
    with pytest.raises(WrongState):
        actions.take_back(people["officer"], submitted.resource_id)
    assert publish(people["head"], submitted.resource_id).title_zh == "企业"


def test_a_submission_is_decided_once(people, submitted):
    send_back(submitted)
    for again in (lambda: actions.review(supervisor(), submitted.id), lambda: send_back(submitted)):
        with pytest.raises(WrongState):
            again()
    with pytest.raises(NotFound):
        actions.review(supervisor(), "nothing")


def test_two_open_submissions_of_a_resource_cannot_be_stored(submitted):
    second = {"version": 1, "content": {}, "digest": "", "signed_off_by": "", "submitted_by": ""}
    with pytest.raises(IntegrityError), transaction.atomic():
        Submission.objects.create(id="x", resource=submitted.resource, submitted_at=submitted.submitted_at, **second)


@pytest.mark.parametrize("points", [[], [POINT] * 201])
def test_d809_16_return_without_points_is_refused(submitted, points):
    with pytest.raises(rules.ReturnWithoutPoints):
        actions.send_back(supervisor(), submitted.id, reason="请修改", points=points)
    assert Submission.objects.get().state == "open"


@pytest.mark.parametrize(
    ("reason", "point", "refusal"),
    [
        ("", POINT, WrongText),
        ("x" * 2001, POINT, WrongText),
        ("x", POINT | {"text": ""}, WrongText),
        ("x", POINT | {"field": "nothing"}, fields.WrongValue),
        ("x", POINT | {"field": "nobody.title_zh"}, fields.WrongValue),
        ("x", POINT | {"field": "uscc.location"}, fields.WrongValue),
    ],
)
def test_a_wrong_return_changes_nothing(submitted, reason, point, refusal):
    records = AuditRecord.objects.count()
    with pytest.raises(refusal):
        actions.send_back(supervisor(), submitted.id, reason=reason, points=[point])
    assert (Submission.objects.get().state, AuditRecord.objects.count()) == ("open", records)


def test_a_point_that_could_have_been_made_before_is_kept_as_late(people, submitted):
    officer, resource_id = people["officer"], submitted.resource_id
    first = send_back(submitted, POINT, {"field": "uscc.title_zh", "text": "名称应为全称"})
    assert [one["late"] for one in first.points] == [False, False]
    actions.describe(officer, resource_id, {"summary_zh": "在本省登记的企业，来自登记系统", "keywords": ["企业"]})
    again = send_back(
        actions.submit(people["head"], resource_id),
        {"field": "summary_zh", "text": "仍不完整"},
        {"field": "keywords", "text": "太少"},
        {"field": "theme", "text": "应为市场监管"},
        {"field": "company.title_zh", "text": "应为全称"},
    )
    assert [one["late"] for one in again.points] == [False, False, True, True]
    detail = AuditRecord.objects.filter(kind="resource.returned").latest("id").detail
    assert (detail["late"], detail["points"][2]) == (2, "theme")


def test_a_source_that_dies_during_the_review_stops_publication_and_leaves_it_open(people, submitted):
    from hutong.exchange.models import Source
    from hutong.node.settings import current

    (current().snapshots_folder / Source.objects.get().snapshot).unlink()
    with pytest.raises(rules.PublishRefused):
        actions.review(supervisor(), submitted.id)
    assert (Submission.objects.get().state, Version.objects.count()) == ("open", 0)


def test_withdrawing_takes_what_is_under_review_back(people, published):
    actions.describe(people["officer"], published.id, {"title_zh": "企业"})
    open_one = actions.submit(people["head"], published.id)
    actions.withdraw(people["officer"], published.id)
    assert queries.submission_of(open_one.id).state == "taken_back"
    with pytest.raises(WrongState):
        actions.submit(people["head"], published.id)


def test_every_version_is_kept_as_it_was_signed(people, published):
    actions.describe(people["officer"], published.id, {"title_zh": "企业登记信息（新）"}, ITEMS[:2])
    actions.sign_off(people["head"], published.id)
    publish(people["officer"], published.id)
    actions.withdraw(people["officer"], published.id)
    issued = list(queries.versions(queries.resource(published.id)))
    assert [(one.number, one.state, one.issued_by) for one in issued] == [
        (3, "withdrawn", "wang"),
        (2, "published", "supervisor"),
        (1, "published", "supervisor"),
    ]
    for one in issued:
        key = ring().lookup(one.keyid)
        key.key.verify(base64.b64decode(one.signature), signed_bytes(one.dataset))
    found = {one.field: (one.kind, one.before, one.after) for one in differences(issued[2].content, issued[1].content)}
    assert found.pop("contact")[0] == "removed"
    assert found == {"title_zh": ("changed", "企业登记信息", "企业登记信息（新）")}
    assert queries.latest_version(queries.resource(published.id), before=3).number == 2
    with pytest.raises(NotFound):
        queries.version(queries.resource(published.id), 4)


DIFFERENCES = [
    ({}, [], []),
    ({"title_zh": "乙"}, [], [("title_zh", "changed")]),
    ({"title_zh": ""}, [], [("title_zh", "removed")]),
    ({"title_en": "B"}, [], [("title_en", "added")]),
    ({}, [{"name": "a", "type": "date"}, {"name": "b"}], [("a.type", "changed")]),
    ({}, [{"name": "b"}, {"name": "a"}], [("items", "changed")]),
    ({}, [{"name": "a", "grade": 3}, {"name": "c"}], [("a.grade", "changed"), ("c", "added"), ("b", "removed")]),
]


@pytest.mark.parametrize(("fields_changed", "items", "expected"), DIFFERENCES)
def test_two_descriptions_differ_in_what_was_changed_and_in_nothing_else(fields_changed, items, expected):
    def content(changed, listed):
        plain = {"title_zh": "甲", "title_en": "", "keywords": []}
        return plain | changed | {"items": [{"type": "string", "grade": 1} | one for one in listed]}

    both = [{"name": "a"}, {"name": "b"}]
    before, after = content({}, both), content(fields_changed, items or both)
    assert [(one.field, one.kind) for one in differences(before, after)] == expected
    names = {name for name, _ in expected}
    assert names <= differing(before, after)


def test_codes_are_given_at_submission_and_never_twice(people, registered, described):
    second = actions.draft_resource(people["officer"], registered.id)
    actions.describe(people["officer"], second.id, COMPLETE, ITEMS)
    submissions = [actions.submit(people["head"], one) for one in (described.id, second.id)]
    assert [one.content["code"] for one in submissions] == ["102001/000001", "102001/000002"]
    assert publication.review(supervisor(), submissions[1].id).dataset["hutong:entry"]["code"] == "102001/000002"
