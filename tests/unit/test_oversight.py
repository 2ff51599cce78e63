"""Supervision by articles 39 to 41: each measure counts what its definition says; statements cannot be rewritten."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from django.db import transaction

from hutong.control.agreements.models import Agreement, Negotiation
from hutong.control.catalogue.freshness import settle
from hutong.control.catalogue.models import Resource, Watch
from hutong.control.clocks.actions import drop, meet, start
from hutong.control.clocks.models import Clock
from hutong.control.organisations.models import Department
from hutong.control.oversight import actions, checking, public, queries
from hutong.control.oversight.measures import SIDES, Measure, clock_rules, measure, measures
from hutong.control.oversight.models import ExchangeDay, Figure, Statement
from hutong.control.oversight.periods import Period, period_of, read
from hutong.control.oversight.rules import MonthOpen, StatementStands
from hutong.control.oversight.tally import days, tally
from hutong.control.statute import day
from hutong.control.statute.book import rule_named
from hutong.exchange.models import ExchangeRecord, Source
from hutong.vocabulary.errors import BadInput
from hutong.vocabulary.ids import new_id, urn
from tests.dsp_peer import department
from tests.region import ourselves

OCTOBER = Period("month", date(2025, 10, 1))
BEGINNINGS = {
    "late_replies": "D809-21/conditional_reply",
    "late_deliveries": "D809-22/",
    "late_corrections": "D809-26/",
    "no_return_flow": "D809-24/",
    "catalogue_late": "D809-17/change",
    "no_disposal_proof": "D809-27/disposal",
    "late_reviews": "D809-17/review",
    "no_lead_source": "D809-19/lead",
    "no_mediation": "D809-28/coordination",
}


@pytest.fixture
def at(monkeypatch: pytest.MonkeyPatch) -> Any:
    def set_day(text: str) -> None:
        monkeypatch.setattr(day, "today", lambda: date.fromisoformat(text))

    set_day("2025-10-01")
    return set_day


@pytest.fixture
def office(db: None, at: Any) -> Department:
    ourselves()
    return department()


def line(name: str, period: Period = OCTOBER, code: str | None = None) -> queries.Line:
    side = measure(name).side
    return next(one for one in queries.card(period, side, code) if one.measure.name == name)


def late_of_two(name: str, office: Department, at: Any) -> None:
    """Two cases fall due in October: one is met on its day, one is not; a third is withdrawn and is no case."""
    found = clock_rules(BEGINNINGS[name])
    if not found:
        assert line(name).state == "not_measured"
        return
    rule = rule_named(found[0])
    at("2025-09-24")
    with transaction.atomic():
        for subject in ("case:kept", "case:late", "case:gone"):
            start(rule, subject, department=office.code, title_zh="甲", received=date(2025, 9, 24))  # type: ignore[arg-type]
    Clock.objects.filter(subject__startswith="case:").update(due_on=date(2025, 10, 20))  # the same for every term
    at("2025-10-09")
    meet(rule, "case:kept")  # type: ignore[arg-type]
    drop(rule, "case:gone", "withdrawn")  # type: ignore[arg-type]
    at("2025-10-20")
    actions.keep_up()
    assert (line(name).counted, line(name).of) == (0, 1)  # on its last day it is not late yet
    at("2025-10-21")
    actions.keep_up()
    assert (line(name).counted, line(name).of) == (1, 2)
    assert (line(name, code=office.code).counted, line(name, code="other").of) == (1, 0)
    opened = measure(name).ground.rows(OCTOBER, day.today(), office.code)
    assert {one.subject for one in opened} == {"case:kept", "case:late"}
    assert [one.subject for one in opened.filter(measure(name).ground.counted(day.today()))] == ["case:late"]


def test_d809_39_late_replies_are_those_past_their_day_among_all_that_fell_due(office, at):
    late_of_two("late_replies", office, at)


def test_d809_39_late_deliveries_are_counted_by_the_day_they_fell_due(office, at):
    late_of_two("late_deliveries", office, at)


def test_d809_39_no_return_flow_counts_returns_not_made_in_time(office, at):
    late_of_two("no_return_flow", office, at)


def test_d809_39_late_corrections_are_counted_against_whoever_had_to_verify(office, at):
    late_of_two("late_corrections", office, at)


def test_d809_39_catalogue_late_counts_changes_not_filed(office, at):
    late_of_two("catalogue_late", office, at)


def test_d809_41_late_reviews_are_the_supervisors_own(office, at):
    late_of_two("late_reviews", office, at)


def test_d809_41_no_lead_source_counts_what_was_to_be_named(office, at):
    late_of_two("no_lead_source", office, at)


def test_d809_41_no_mediation_counts_disputes_past_their_day(office, at):
    late_of_two("no_mediation", office, at)


def test_d809_40_no_disposal_proof_counts_disposals_not_proven(office, at):
    late_of_two("no_disposal_proof", office, at)


def refused_negotiation(office: Department, code: str, citation: str) -> Negotiation:
    one = Negotiation.objects.create(
        pid=urn(new_id()), role="provider", peer="310000", state="TERMINATED", department=office.code,
        refusal_code=code, refusal_reason="…", refusal_citation=citation,
    )  # fmt: skip
    Negotiation.objects.filter(pid=one.pid).update(updated_at=datetime(2025, 10, 10, tzinfo=UTC))
    return one


def test_d809_39_refusals_without_citation_are_none_unless_a_record_was_changed(office, at):
    at("2025-10-21")
    one = refused_negotiation(office, "purpose_not_permitted", "《条例》第十五条")
    actions.keep_up()
    assert (line("refusals_without_citation").counted, line("refusals_without_citation").of) == (0, 1)
    assert line("refusals_without_citation").parts == {"purpose_not_permitted": 1}
    Negotiation.objects.filter(pid=one.pid).update(refusal_citation="")
    actions.keep_up()
    assert line("refusals_without_citation").counted == 1


def resource(office: Department, changed_days_ago: int | None, cycle: str = "3") -> Resource:
    """A published resource whose source changed so many days before today; None where it cannot tell."""
    noon = datetime.combine(day.today(), datetime.min.time(), UTC)
    changed = None if changed_days_ago is None else noon - timedelta(days=changed_days_ago)
    source = Source.objects.create(
        id=new_id(), department=office.code, name="s", kind="csv", location=b"", checked_at=noon, check_ok=True
    )
    made = Resource.objects.create(
        id=new_id(), department=office, source=source, state="published", update_cycle=cycle, title_zh="甲"
    )
    settle(made, Watch.objects.create(source=source, changed_at=changed, since=noon, looked_at=noon))
    return made


def test_d809_39_stale_resources_are_those_behind_their_cycle_and_those_whose_source_is_dead(office, at):
    at("2025-10-21")
    resource(office, 0)
    resource(office, 20)
    resource(office, 3, "5")  # monthly
    resource(office, None)  # nothing can be said
    dead = resource(office, None)
    Source.objects.filter(resources=dead).update(check_ok=False)
    actions.keep_up()
    assert (line("stale_resources").counted, line("stale_resources").of) == (2, 4)
    assert line("resources").counted == 5


def exchange(agreement: str, outcome: str, code: str = "", role: str = "consumer", case: str = "A-1") -> None:
    ExchangeRecord.objects.create(
        exchange_id=new_id(), role=role, peer="310000", agreement_id=agreement, purpose="licensing", case_digest="",
        case_number=case, outcome=outcome, code=code, form="json", rows=2, request_digest="", entry_digest="",
        at=datetime(2025, 10, 12, tzinfo=UTC),
    )  # fmt: skip


@pytest.fixture
def agreement(office: Department) -> str:
    negotiation = Negotiation.objects.create(pid="n", role="consumer", peer="310000", state="FINALIZED")
    now = datetime(2025, 10, 1, tzinfo=UTC)
    made = Agreement.objects.create(
        id=urn(new_id()), negotiation=negotiation, role="consumer", peer="310000", resource_id="r",
        document={}, digest="", department=office.code, state="active", starts_at=now,
    )  # fmt: skip
    return made.id


def test_d809_40_over_use_counts_reads_that_the_agreement_did_not_cover(office, at, agreement):
    at("2025-10-21")
    exchange(agreement, "served")
    exchange(agreement, "refused", "purpose_not_granted")
    exchange(agreement, "refused", "rate_exceeded")  # too fast is not too much
    actions.keep_up()
    assert (line("over_use").counted, line("over_use").of) == (1, 3)
    assert line("over_use", code=office.code).parts == {"purpose_not_granted": 1}
    assert measure("over_use").ground.rows(OCTOBER, day.today(), office.code).count() == 3


def test_d809_40_no_use_record_counts_reads_without_a_case(office, at, agreement):
    at("2025-10-21")
    exchange(agreement, "served")
    exchange(agreement, "recovered", case="")
    actions.keep_up()
    assert (line("no_use_record").counted, line("no_use_record").of) == (1, 2)


def test_the_tally_is_the_register_however_often_it_runs_and_the_tail_is_added(agreement):
    since = date(2025, 10, 1)
    exchange(agreement, "served")
    tally()
    tally()
    exchange(agreement, "open")
    exchange(agreement, "refused", "no_grant")
    tally()  # halts before the open one, which may still end either way
    assert sum(one.exchanges for one in ExchangeDay.objects.all()) == 1
    assert days(since, None) == {date(2025, 10, 12): (2, 1)}
    ExchangeRecord.objects.filter(outcome="open").update(outcome="cut")
    tally()
    assert sum(one.exchanges for one in ExchangeDay.objects.all()) == 3
    assert days(since, None) == {date(2025, 10, 12): (1, 2)}
    assert days(since, ("other",)) == {}


def test_a_year_is_the_sum_of_its_months_and_a_snapshot_is_its_last(office, at):
    at("2025-10-21")
    resource(office, 0)
    refused_negotiation(office, "x", "《条例》")
    actions.keep_up()
    at("2025-11-21")
    resource(office, 0)
    actions.keep_up()
    year = period_of("year", day.today())
    assert line("refusals_without_citation", year).of == 1
    assert line("resources", year).of == 2


def closed(at: Any, office: Department) -> Statement:
    at("2025-10-21")
    refused_negotiation(office, "x", "《条例》")
    actions.keep_up()
    at("2025-11-04")
    actions.keep_up()
    return Statement.objects.get(month=OCTOBER.since)


def test_o_2_month_open_until_its_days_of_grace_are_over(office, at):
    at("2025-11-03")
    with pytest.raises(MonthOpen):
        actions.counted_and_closed(OCTOBER, "operator")
    at("2025-11-04")
    assert actions.counted_and_closed(OCTOBER, "operator").month == OCTOBER.since


def test_o_3_statement_stands_and_is_never_made_twice(office, at):
    closed(at, office)
    with pytest.raises(StatementStands):
        actions.counted_and_closed(OCTOBER, "operator")
    before = list(Statement.objects.values())
    actions.keep_up()
    assert list(Statement.objects.values()) == before


def test_months_that_passed_while_the_node_stood_still_are_closed_when_it_runs_again(office, at):
    closed(at, office)
    at("2026-02-10")
    actions.keep_up()
    months = [f"{one.month:%Y-%m}" for one in Statement.objects.order_by("month")]
    assert months == ["2025-09", "2025-10", "2025-11", "2025-12", "2026-01"]


def test_a_statement_holds_and_a_recount_gives_the_same(office, at):
    found = checking.check(closed(at, office))
    assert (found.holds, found.differences) == (True, ())


def test_a_record_changed_after_the_month_was_closed_is_named(office, at):
    found = closed(at, office)
    Negotiation.objects.filter(role="provider").update(refusal_citation="")
    (one,) = checking.check(found).differences
    assert (one.measure, one.department, one.stated, one.found) == ("refusals_without_citation", office.code, 0, 1)


def test_a_statement_that_was_rewritten_does_not_hold(office, at):
    found = closed(at, office)
    found.document["figures"][0]["counted"] += 1
    assert not checking.check(found).digest_holds
    found.digest = checking.digest(checking.canonical_bytes(found.document))
    seen = checking.check(found)
    assert (seen.digest_holds, seen.signature_holds, seen.in_ledger) == (True, False, False)


def test_o_1_small_cell_hides_few_cases_and_what_subtraction_would_give(office, at):
    at("2025-10-21")
    for _ in range(3):
        refused_negotiation(office, "few", "《条例》")
    for _ in range(7):
        refused_negotiation(office, "many", "《条例》")
    for _ in range(9):
        refused_negotiation(office, "most", "《条例》")
    actions.keep_up()
    told = next(one for one in public.document(OCTOBER)["figures"] if one["name"] == "refusals_without_citation")
    assert (told["cases"], told["parts"]) == (19, {"few": None, "many": None, "most": 9})
    assert office.code not in str(public.document(OCTOBER))


def test_a_total_below_the_smallest_cell_is_not_published(office, at):
    at("2025-10-21")
    refused_negotiation(office, "few", "《条例》")
    actions.keep_up()
    told = next(one for one in public.document(OCTOBER)["figures"] if one["name"] == "refusals_without_citation")
    assert (told["cases"], told["number"]) == (None, None)


def test_brain_dashboard_every_number_opens_to_its_source_time_and_definition(office, at):
    at("2025-10-21")
    resource(office, 0)
    refused_negotiation(office, "x", "《条例》")
    actions.keep_up()
    for side in SIDES:
        for one in queries.card(OCTOBER, side, None):
            assert one.measure.definition("zh")
            assert one.measure.definition("en")
            assert (one.counted_at is not None) == (one.state != "not_measured")
            if one.state == "measured" and one.measure.ground.source != "register":
                assert rows_behind(one.measure) == one.of


def rows_behind(one: Measure) -> int:
    return int(one.ground.rows(OCTOBER, day.today(), None).count())


def test_brain_dashboard_a_department_with_a_stale_feed_shows_stale_and_not_zero(office, at):
    at("2025-10-21")
    other = department("11330105002500287C", "交通运输局")
    resource(office, 0)
    resource(other, 40)
    actions.keep_up()
    seen = queries._line(
        measure("exchanges"), list(Figure.objects.filter(measure="exchanges")), queries.feeds(day.today()), OCTOBER,
        other.code,
    )  # fmt: skip
    assert seen.state == "stale"
    assert seen.stale_since is not None
    whole = line("exchanges")
    assert (whole.state, whole.without) == ("measured", (other.code,))
    assert line("exchanges", code=office.code).state == "measured"


def test_figures_that_are_no_longer_counted_are_stale(office, at, monkeypatch):
    at("2025-10-21")
    actions.keep_up()
    Figure.objects.update(counted_at=datetime.now(UTC) - timedelta(hours=3))
    assert line("resources").state == "stale"


@pytest.mark.parametrize("text", ["2026-13", "2026-Q5", "26-01", "", "2026-1", "2026-01 "])
def test_what_is_no_period_is_refused(text):
    with pytest.raises(BadInput):
        read(text)


@pytest.mark.parametrize(
    ("text", "until", "months"),
    [("2026-11", "2026-12-01", 1), ("2026-Q4", "2027-01-01", 3), ("2026", "2027-01-01", 12)],
)
def test_a_period_reads_as_it_is_written(text, until, months):
    found = read(text)
    assert (str(found), found.until.isoformat(), len(found.months)) == (text, until, months)
    assert (found.after.before, found.before.until) == (found, found.since)


def test_the_median_is_the_middle_case():
    assert queries.median({"1": 2, "10": 1}) == 1
    assert queries.median({"1": 1, "10": 2}) == 10
    assert queries.median({}) is None
    assert len({one.name for one in measures()}) == len(measures())
