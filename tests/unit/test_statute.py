"""Parameters as versioned data, and decisions that can be decided again."""

from __future__ import annotations

from datetime import date

import pytest

from hutong.control.identity.models import Account
from hutong.control.statute import day
from hutong.control.statute.actions import count_refusals, decide_version, propose
from hutong.control.statute.book import rulebook
from hutong.control.statute.decisions import Law, decide, decider, replay
from hutong.control.statute.models import Decision, RefusalCount, RuleApplied
from hutong.control.statute.queries import parameter
from hutong.control.statute.rules import (
    BeyondLocalPower,
    NoSuchParameter,
    OwnProposal,
    ParameterSourceMissing,
    SinceInThePast,
)
from hutong.ledger.models import AuditRecord
from hutong.vocabulary.errors import NotAllowed
from hutong.vocabulary.rulebook import Rule, working_days
from tests.region import ourselves

TODAY = date(2025, 9, 22)


class TenDays(Rule):
    """Ten days."""

    rule = "T-1"
    code = "ten_days"
    declares = (working_days(10, 21),)


rulebook.cache_clear()
NAME = TenDays.name()


@decider("test.term")
def _term(facts, law: Law):
    return {"due": law.calendar.due(date.fromisoformat(facts["from"]), law.parameter(TenDays, "days")).isoformat()}


@pytest.fixture
def people(db, monkeypatch):
    ourselves()
    monkeypatch.setattr(day, "today", lambda: TODAY)
    return {role: Account.objects.create(username=role, role=role) for role in ("steward", "supervisor", "auditor")}


def _approved(people, value, *, level="local", since=TODAY, source="省政府令第 1 号"):
    made = propose(people["steward"], NAME, "days", level=level, value=value, since=since, source=source)
    return decide_version(people["supervisor"], made.id, approve=True)


def test_a_version_has_no_effect_until_another_person_approves_it(people):
    made = propose(people["supervisor"], NAME, "days", level="local", value=5, since=TODAY, source="省政府令")
    assert parameter(TenDays, "days", TODAY) == 10
    with pytest.raises(NotAllowed):
        decide_version(people["steward"], made.id, approve=True)
    with pytest.raises(OwnProposal):
        decide_version(people["supervisor"], made.id, approve=True)
    other = Account.objects.create(username="second", role="supervisor")
    decide_version(other, made.id, approve=True)
    assert parameter(TenDays, "days", TODAY) == 5
    assert list(AuditRecord.objects.order_by("id").values_list("kind", flat=True)) == [
        "parameter.proposed",
        "parameter.approved",
    ]


def test_r_1_beyond_local_power_a_local_term_may_only_be_shorter(people):
    with pytest.raises(BeyondLocalPower, match="lower or equal than 10 working days; 11 is not"):
        propose(people["steward"], NAME, "days", level="local", value=11, since=TODAY, source="省政府令")


def test_r_2_own_proposal_is_decided_by_another_person(people):
    made = propose(people["supervisor"], NAME, "days", level="local", value=5, since=TODAY, source="省政府令")
    with pytest.raises(OwnProposal):
        decide_version(people["supervisor"], made.id, approve=False)


def test_r_3_since_in_the_past_is_refused(people):
    with pytest.raises(SinceInThePast, match="2025-09-21"):
        propose(people["steward"], NAME, "days", level="local", value=5, since=date(2025, 9, 21), source="省政府令")


def test_r_4_parameter_source_missing_is_refused(people):
    with pytest.raises(ParameterSourceMissing):
        propose(people["steward"], NAME, "days", level="local", value=5, since=TODAY, source=" ")


def test_a_parameter_nobody_declared_is_refused(people):
    with pytest.raises(NoSuchParameter):
        propose(people["steward"], NAME, "weeks", level="local", value=5, since=TODAY, source="省政府令")


def test_the_shorter_of_national_and_local_rule_holds_from_its_day_on(people):
    _approved(people, 8, since=date(2025, 10, 9))
    assert parameter(TenDays, "days", date(2025, 10, 8)) == 10
    assert parameter(TenDays, "days", date(2025, 10, 9)) == 8
    _approved(people, 6, level="national", since=date(2025, 11, 3), source="国务院令")
    assert parameter(TenDays, "days", date(2025, 11, 3)) == 6, "a local 8 is no longer shorter"
    assert parameter(TenDays, "days", date(2025, 10, 31)) == 8


def test_a_past_decision_replays_with_the_version_and_the_calendar_of_its_day(people):
    assert decide("test.term", "thing:1", {"from": "2025-09-22"}) == {"due": "2025-10-11"}
    _approved(people, 5)
    assert decide("test.term", "thing:2", {"from": "2025-09-22"}) == {"due": "2025-09-28"}
    first, second = Decision.objects.order_by("made_at")
    assert first.parameters == [{"rule": NAME, "name": "days", "value": 10, "versions": []}]
    assert first.days["2025-09-28"] is True, "a make-up Sunday"
    assert replay(first).same
    assert replay(second).same
    assert second.parameters[0]["versions"]
    assert set(RuleApplied.objects.values_list("rule", "day")) == {(NAME, TODAY)}


def test_a_replay_shows_another_outcome_and_never_looks_beyond_what_was_kept(people):
    decide("test.term", "thing:1", {"from": "2025-09-22"})
    made = Decision.objects.get()
    made.outcome = {"due": "2025-10-12"}
    again = replay(made)
    assert not again.same
    assert again.outcome == {"due": "2025-10-11"}
    del made.days["2025-10-11"]
    assert "not looked at" in replay(made).trouble


def test_refusals_are_counted_by_rule_and_day(people):
    count_refusals([TenDays])
    count_refusals([TenDays, TenDays])
    assert RefusalCount.objects.get(rule=NAME, day=TODAY).refused == 3


def test_the_rule_book_holds_each_name_once():
    names = [rule.name() for rule in rulebook()]
    assert len(set(names)) == len(names)
    assert "D809-21/supplement_twice" in names
