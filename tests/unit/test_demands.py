"""A demand from the wish to the resource or the reasoned refusal: decree 809 and Shanghai's article 39."""

from __future__ import annotations

from datetime import date

import pytest
from django.db import transaction

from hutong.control.clocks.actions import look
from hutong.control.clocks.models import Clock
from hutong.control.demands import actions, barring, candidates, duties, federation, holding, renaming, states
from hutong.control.demands.document import BadDemand, build, read
from hutong.control.demands.federation import NotYet
from hutong.control.demands.holding import LiesElsewhere, NobodyAbove
from hutong.control.demands.models import Demand, Duty
from hutong.control.demands.rules import (
    DemandIncomplete,
    DemandRefusedBare,
    ForbiddenNotListed,
    InCatalogue,
    LeadKnown,
    LeadUnnamed,
    NotFulfilled,
    OwnDemand,
    SourceOverdue,
)
from hutong.control.identity.models import Account
from hutong.control.identity.rules import Operator, OtherDepartment
from hutong.control.notices.models import Notice
from hutong.control.notices.queries import notices
from hutong.control.organisations.succession import succeed
from hutong.control.requests.models import ShareRequest
from hutong.control.standards import actions as standards
from hutong.control.standards.dictionary import dictionary
from hutong.control.standards.proposals import Proposal
from hutong.control.standards.rules import ElementEnded, UnknownElement
from hutong.control.statute import day
from hutong.control.statute.decisions import replay
from hutong.control.statute.models import Decision
from hutong.ledger.models import AuditRecord
from hutong.node.events import Event
from hutong.node.receiving import Peer
from hutong.vocabulary.errors import BadInput, NotAllowed, WrongState
from tests.demanding import HEALTH, MARKET, TAX, WISH, delta, entry, from_anhui, hear, outbox, own_entry
from tests.region import an_item

pytestmark = pytest.mark.django_db
NO_DUTY = {"code": "no_statutory_duty", "reason": "用途不属于法定职责", "citation": "《食品安全法》第六条"}


@pytest.fixture(autouse=True)
def today(monkeypatch):
    """A day of 2026, whose calendar is announced."""
    monkeypatch.setattr(day, "today", lambda: date(2026, 11, 23))


@pytest.fixture
def here(db):
    return delta()


def again(demand):
    return Demand.objects.get(id=demand.id)


def kinds(demand):
    return list(AuditRecord.objects.filter(subject=demand.subject).order_by("id").values_list("kind", flat=True))


# The table


def test_every_state_has_an_owner_and_every_move_an_audit_kind():
    assert {move.after for move in states.MOVES} | {"filed"} == set(states.OWNERS)
    assert all(move.audit.startswith("demand.") for move in states.MOVES)
    assert {move.before for move in states.MOVES} - {""} == set(states.OWNERS) - states.CLOSED


def test_from_every_open_state_a_demand_can_end():
    ends = {"fulfil", "refuse", "withdraw"}
    for state in states.AT_WORK | {"joined"}:
        assert {move.verb for move in states.MOVES if move.before == state} >= ends


# Filing and signing off


@pytest.mark.parametrize("field", ["title", "what_for", "basis", "scope", "purpose"])
def test_d809_20_demand_incomplete_names_what_is_missing(here, field):
    with pytest.raises(DemandIncomplete, match=field):
        here.filed(**{field: ""})
    assert not Demand.objects.exists()


def test_d809_20_demand_incomplete_without_any_item(here):
    with pytest.raises(DemandIncomplete, match="items"):
        here.filed(items=[{"words": " ", "element": ""}])


def test_an_item_is_wished_by_a_known_data_element_or_by_words(here):
    with pytest.raises(UnknownElement, match="no data element moon"):
        here.filed(items=[{"words": "月相", "element": "moon"}])
    assert here.filed(items=[{"words": "月相", "element": ""}]).elements == []


def define(name="honour", **changes):
    """A version of an element, proposed by the steward and approved by the supervisor."""
    said = {"type": "string", "unit": "", "table": "", "check": "", "standard": "", "aliases": []}
    document = said | {key: value for key, value in changes.items() if key in ("replaced_by", "standard")}
    days = {key: changes.get(key) for key in ("valid_from", "valid_to")}
    wanted = Proposal("element", name, "荣誉称号", "honour", document, **days)
    proposed = standards.propose(Operator("operator:root"), wanted)
    return standards.approve(Account.objects.get(username="supervisor"), proposed.id)


HONOURED = [{"words": "", "element": "honour"}]


def test_an_element_published_by_an_operator_is_at_once_usable_in_a_demand_and_finds_what_a_person_mapped_to_it(here):
    with pytest.raises(UnknownElement):
        here.filed(items=HONOURED)
    define()
    mapped = own_entry(items=[an_item("title", "称号", element="honour")])
    own_entry(items=[an_item("honour", "荣誉称号")], title_zh="无人确认")
    wish = candidates.wish("别的", HONOURED)
    assert [one.known.id for one in candidates.candidates(wish) if one.complete] == [mapped.id]
    assert candidates.candidates(wish)[0].reasons[0].say("zh") == "含荣誉称号"
    with pytest.raises(InCatalogue):
        here.filed(items=HONOURED)
    filed = here.filed(items=HONOURED, why_not="须含历年称号")
    define(standard="DB32/T 1")
    assert (filed.items[0]["version"], here.filed(items=HONOURED, why_not="同上").items[0]["version"]) == (1, 2)


def test_a_demand_of_an_element_that_was_replaced_is_met_by_its_successor_and_the_decision_replays(here):
    define()
    demand = here.open(items=HONOURED)
    holding.name_lead(here.supervisor, demand.id, MARKET)
    define("title-of-honour")
    define(replaced_by="title-of-honour")
    with pytest.raises(ElementEnded, match="title-of-honour"):
        here.filed(items=HONOURED)
    met = own_entry(items=[an_item("title", "称号", element="title-of-honour")])
    assert candidates.of(again(demand))[0].known.id == met.id
    holding.fulfil(here.market_officer, demand.id, met.id)
    made = Decision.objects.get(name="demand.fulfils")
    assert made.facts["wished"][0]["names"] == ["honour", "title-of-honour"]
    assert (made.facts["wished"][0]["version"], made.facts["wished"][0]["version_now"]) == (1, 1)
    define("title-of-honour", valid_to=date(2026, 11, 1))
    assert replay(made).same


def test_demands_of_an_element_and_of_what_replaces_it_are_the_same_as_soon_as_the_replacement_is_published(here):
    define()
    define("title-of-honour")
    old = here.open(items=HONOURED)
    new = here.open(items=[{"words": "", "element": "title-of-honour"}])
    filed = here.filed(items=HONOURED, target="320000")
    define(replaced_by="title-of-honour")
    assert (again(old).state, again(old).joined_to) == ("joined", new.id)
    assert again(new).state == "open"
    assert actions.sign_off(here.head, filed.id).joined_to == new.id
    assert Clock.objects.filter(rule=LeadUnnamed.name(), state="running").count() == 1
    before = list(Demand.objects.values())
    renaming.rename()
    assert list(Demand.objects.values()) == before


def test_d809_19_two_lead_sources_of_what_is_the_same_now_are_told_to_the_supervisor_and_one_must_end(here):
    define()
    define("title-of-honour")
    given = {"title_zh": "荣誉", "lead": True}
    first = duties.add(here.supervisor, department=MARKET, elements=["honour"], **given)
    second = duties.add(here.supervisor, department=TAX, elements=["title-of-honour"], **given)
    define(replaced_by="title-of-honour")
    renaming.rename()
    assert [Duty.objects.get(id=one.id).leads is None for one in (first, second)] == [True, False]
    assert Notice.objects.filter(code="two_leads").count() == 1
    with pytest.raises(LeadKnown):
        duties.add(here.supervisor, department=HEALTH, elements=["title-of-honour"], **given)
    duties.end(here.supervisor, second.id, "一数一源")
    renaming.rename()
    assert Duty.objects.get(id=first.id).leads == second.leads


def test_a_replacement_that_begins_later_changes_the_keys_on_its_day(here, monkeypatch):
    define()
    define("title-of-honour")
    made = duties.add(here.supervisor, department=MARKET, title_zh="荣誉", elements=["honour"], lead=True)
    define(replaced_by="title-of-honour", valid_from=date(2026, 12, 1))
    assert Duty.objects.get(id=made.id).leads == made.leads
    monkeypatch.setattr(day, "today", lambda: date(2026, 12, 1))
    renaming.rename()
    assert Duty.objects.get(id=made.id).leads != made.leads
    with pytest.raises(LeadKnown):
        duties.add(here.supervisor, department=TAX, title_zh="荣誉", elements=["title-of-honour"], lead=True)


def test_an_element_that_was_withdrawn_names_nothing_new_and_is_shown_by_its_title(here):
    define()
    filed = here.filed(items=HONOURED)
    define(valid_to=date(2026, 11, 1))
    with pytest.raises(ElementEnded):
        here.filed(items=HONOURED)
    assert dictionary().known.name("honour", "zh") == "荣誉称号"
    assert "honour" not in dictionary().usable
    assert "honour" in dictionary(date(2026, 10, 31)).usable
    assert read(build(filed)).items == filed.items


def test_d809_20_own_demand_is_signed_off_by_somebody_else(here):
    filed = actions.file(here.head, **WISH)
    with pytest.raises(OwnDemand):
        actions.sign_off(here.head, filed.id)
    with pytest.raises(OtherDepartment):
        actions.sign_off(here.market_head, filed.id)
    with pytest.raises(NotAllowed):
        actions.sign_off(here.officer, filed.id)
    assert again(filed).state == "filed"
    assert outbox() == []


def test_a_demand_goes_to_the_node_addressed_the_region_and_the_common_superior(here):
    sent = actions.sign_off(here.head, here.filed(target="340000").id)
    assert (sent.holder, sent.state) == ("340000", "open")
    assert sorted(outbox()) == ["100000", "340000", "yrd"]
    assert not Clock.objects.exists()  # it runs where the demand lies


@pytest.mark.parametrize(
    ("area", "holder", "state"),
    [
        ("340104", "340000", "open"),
        ("320509", "320000", "open"),
        ("", "100000", "mediating"),
        ("510000", "100000", "open"),
    ],
)
def test_without_an_addressee_the_area_decides_and_else_the_superior_finds_out(here, area, holder, state):
    sent = actions.sign_off(here.head, here.filed(area_code=area).id)
    assert (sent.holder, sent.state) == (holder, state)


def test_the_regions_office_holds_no_data_and_is_not_addressed(here):
    with pytest.raises(BadInput, match="region's office"):
        here.filed(target="yrd")


def test_a_demand_within_one_jurisdiction_tells_no_other_node(here):
    demand = here.open()
    assert demand.state == "open"
    assert outbox() == []
    assert [one.notice.code for one in notices(here.supervisor)] == ["demand_arrived"]


def test_shdr_39_in_catalogue_what_is_there_is_requested_and_not_demanded(here):
    there = entry(here.anhui)
    with pytest.raises(InCatalogue, match="Registered companies") as refused:
        here.filed()
    assert refused.value.parameters["resource"] == there.id
    assert here.filed(why_not="只有2019年以前的数据").state == "filed"


def test_what_is_of_another_area_or_is_not_shared_does_not_stop_a_demand(here):
    entry(here.anhui, area_code="340000")
    entry(here.anhui, attribute="refused", legal_citation="《某法》第九条")
    assert here.filed(area_code="320000").state == "filed"


# The lead source and its clock


def test_d809_19_lead_unnamed_the_supervisor_has_a_clock_until_a_lead_source_is_named(here):
    demand = here.open()
    clock = Clock.objects.get(rule=LeadUnnamed.name())
    assert (clock.days, clock.role, clock.due_on) == (10, "supervisor", date(2026, 12, 7))
    assert again(demand).due_on == clock.due_on
    holding.name_lead(here.supervisor, demand.id, MARKET)
    clock.refresh_from_db()
    assert clock.state == "met"


def test_shdr_39_source_overdue_the_lead_source_has_fifteen_working_days(here, monkeypatch):
    demand = here.open()
    led = holding.name_lead(here.supervisor, demand.id, MARKET)
    clock = Clock.objects.get(rule=SourceOverdue.name())
    assert (clock.days, clock.department, clock.due_on) == (15, MARKET, date(2026, 12, 14))
    assert led.due_on == clock.due_on
    assert [one.notice.code for one in notices(here.market_officer)] == ["lead_named"]
    monkeypatch.setattr(day, "today", lambda: date(2026, 12, 15))
    look()
    late = [one.notice.said_en for one in notices(here.market_head)]
    assert "The lead source of “食品生产许可信息” was named on 2026-11-23" in late[0]


def test_only_the_supervisor_names_the_lead_source(here):
    demand = here.open()
    for account in (here.officer, here.market_head, here.steward):
        with pytest.raises(NotAllowed):
            holding.name_lead(account, demand.id, MARKET)
    assert again(demand).state == "open"


def test_d809_19_lead_known_one_kind_of_data_has_one_source(here):
    holding.name_lead(here.supervisor, here.open().id, MARKET)
    second = here.open(purpose="supervision")
    with pytest.raises(LeadKnown, match="市场监督管理局"):
        holding.name_lead(here.supervisor, second.id, TAX)
    holding.name_lead(here.supervisor, second.id, MARKET)
    assert Duty.objects.filter(lead=True).count() == 1
    add = {"title_zh": "许可", "elements": ["date", "uscc"], "lead": True}
    duties.add(here.supervisor, department=TAX, **add)
    with pytest.raises(LeadKnown):
        duties.add(here.supervisor, department=HEALTH, **add)


def test_another_lead_source_relieves_the_first_of_its_duty_and_clock(here):
    demand = here.open()
    holding.name_lead(here.supervisor, demand.id, MARKET)
    holding.name_lead(here.supervisor, demand.id, TAX)
    assert [(one.department_code, one.state) for one in Duty.objects.order_by("id")] == [
        (MARKET, "ended"),
        (TAX, "active"),
    ]
    clocks = Clock.objects.filter(rule=SourceOverdue.name()).order_by("created_at", "id")
    assert [(one.department, one.state) for one in clocks] == [(MARKET, "dropped"), (TAX, "running")]


# Its end


def test_a_demand_ends_as_a_published_resource_and_becomes_a_request_in_one_step(here):
    hear("340000", from_anhui())  # theirs of ours, so that something stands here that is not our own
    ours = actions.sign_off(here.head, here.filed(target="340000").id)
    there = entry(here.anhui, area_code="340000")
    met = again(ours)
    met.step, met.state, met.resource_id = met.step + 3, "fulfilled", there.id
    hear("340000", met)
    assert "demand_fulfilled" in {one.notice.code for one in notices(here.officer)}
    request = actions.request(here.officer, ours.id)
    assert request.state == "filed"
    assert (request.items, request.basis, request.scenario) == (["uscc", "until"], WISH["basis"], WISH["what_for"])
    assert ShareRequest.objects.get().resource_id == there.id


def test_a_demand_that_is_not_met_becomes_no_request(here):
    with pytest.raises(WrongState):
        actions.request(here.officer, here.open().id)


def test_the_lead_source_meets_a_demand_with_a_resource_of_its_own(here):
    demand = here.open()
    holding.name_lead(here.supervisor, demand.id, MARKET)
    resource = own_entry()
    with pytest.raises(NotAllowed):
        holding.fulfil(here.supervisor, demand.id, resource.id)
    with pytest.raises(OtherDepartment):
        holding.fulfil(here.officer, demand.id, resource.id)
    met = holding.fulfil(here.market_officer, demand.id, resource.id)
    assert (met.state, met.resource_id) == ("fulfilled", resource.id)
    assert Duty.objects.get().resource_id == resource.id
    assert {one.state for one in Clock.objects.all()} == {"met"}
    told = [one.notice.code for one in notices(here.officer)]
    assert set(told) == {"demand_in_work", "demand_fulfilled"}


def test_shdr_39_not_fulfilled_by_a_resource_without_the_data_elements(here):
    demand = here.open()
    holding.name_lead(here.supervisor, demand.id, MARKET)
    lacking = own_entry(items=[an_item("uscc", "代码", element="uscc")])
    with pytest.raises(NotFulfilled, match="date"):
        holding.fulfil(here.market_officer, demand.id, lacking.id)
    withheld = own_entry(
        items=[an_item("u", "代码", element="uscc"), an_item("d", "期", element="date", attribute="refused")]
    )
    with pytest.raises(NotFulfilled, match="date"):
        holding.fulfil(here.market_officer, demand.id, withheld.id)
    assert again(demand).state == "led"


@pytest.mark.parametrize("lacking", ["code", "reason", "citation"])
def test_d809_15_demand_refused_bare_is_no_refusal(here, lacking):
    demand = here.open()
    with pytest.raises(DemandRefusedBare, match=lacking):
        holding.refuse(here.supervisor, demand.id, **(NO_DUTY | {lacking: ""}))
    assert again(demand).state == "open"


def test_a_reasoned_refusal_ends_a_demand_and_the_duty_it_brought(here):
    demand = here.open()
    holding.name_lead(here.supervisor, demand.id, MARKET)
    with pytest.raises(NotAllowed):
        holding.refuse(here.market_officer, demand.id, **NO_DUTY)
    ended = holding.refuse(here.market_head, demand.id, **NO_DUTY)
    assert (ended.state, ended.refusal_citation) == ("refused", NO_DUTY["citation"])
    assert Duty.objects.get().state == "ended"
    assert notices(here.officer)[0].notice.said_en.endswith("(《食品安全法》第六条).")


def test_d809_15_forbidden_not_listed_a_refusal_by_express_provision_names_an_entry_of_the_list(here):
    demand = here.open()
    forbidden = {"code": "expressly_forbidden", "reason": "依法不予共享", "citation": "《统计法》第九条"}
    with pytest.raises(ForbiddenNotListed):
        holding.refuse(here.supervisor, demand.id, **forbidden)
    listed = barring.propose(
        here.market_officer,
        department=MARKET,
        title_zh="统计调查单个资料",
        elements=["uscc"],
        kind="law",
        instrument="统计法",
        article="第九条",
    )
    with pytest.raises(ForbiddenNotListed):  # proposed is not listed
        holding.refuse(here.supervisor, demand.id, **forbidden)
    barring.review(here.supervisor, listed.id, accept=True)
    with pytest.raises(ForbiddenNotListed):
        holding.refuse(here.supervisor, demand.id, **(forbidden | {"citation": "《统计法》第二十五条"}))
    assert holding.refuse(here.supervisor, demand.id, **forbidden).state == "refused"


# Duplicates


def test_a_demand_for_the_same_elements_and_purpose_joins_the_one_in_work(here):
    first = here.open()
    second = here.open(title="食品许可证", items=list(reversed(WISH["items"])))
    other_purpose, other_area = here.open(purpose="supervision"), here.open(area_code="320500")
    assert (second.state, second.joined_to) == ("joined", first.id)
    assert (other_purpose.state, other_area.state) == ("open", "open")
    holding.name_lead(here.supervisor, first.id, MARKET)
    assert again(second).lead_code == MARKET
    holding.fulfil(here.market_officer, first.id, own_entry().id)
    assert again(second).state == "fulfilled"
    assert again(second).resource_id == again(first).resource_id
    assert again(other_purpose).state == "open"


def test_demands_in_words_alone_are_joined_by_the_supervisor_only(here):
    words = [{"words": "许可证", "element": ""}]
    first, second = here.open(items=words), here.open(items=words)
    assert second.state == "open"
    with pytest.raises(NotAllowed):
        holding.join(here.officer, second.id, first.id)
    holding.join(here.supervisor, second.id, first.id)
    assert again(second).joined_to == first.id
    with pytest.raises(WrongState):
        holding.join(here.supervisor, first.id, second.id)


def test_who_joined_goes_on_when_the_first_demander_withdraws(here):
    first, second, third = here.open(), here.open(), here.open()
    holding.name_lead(here.supervisor, first.id, MARKET)
    actions.withdraw(here.officer, first.id, "不再需要")
    assert (again(first).state, again(second).state) == ("withdrawn", "led")
    assert again(third).joined_to == second.id
    assert Duty.objects.get(state="active").demand_id == second.id
    assert Clock.objects.get(rule=SourceOverdue.name(), state="running").subject == second.subject
    holding.fulfil(here.market_officer, second.id, own_entry().id)
    assert again(third).state == "fulfilled"


def test_a_demand_withdrawn_alone_leaves_no_duty_and_no_clock(here):
    demand = here.open()
    holding.name_lead(here.supervisor, demand.id, MARKET)
    actions.withdraw(here.officer, demand.id, "不再需要")
    assert Duty.objects.get().state == "ended"
    assert not Clock.objects.filter(state="running").exists()
    with pytest.raises(WrongState):
        actions.withdraw(here.officer, demand.id, "再次")


# Between nodes


def test_what_lies_with_another_node_is_not_acted_on_here(here):
    sent = actions.sign_off(here.head, here.filed(target="340000").id)
    for act in (
        lambda: holding.name_lead(here.supervisor, sent.id, MARKET),
        lambda: holding.refuse(here.supervisor, sent.id, **NO_DUTY),
        lambda: holding.hand_up(here.supervisor, sent.id, "不清楚"),
    ):
        with pytest.raises(LiesElsewhere, match="340000"):
            act()


def test_a_demand_that_arrives_starts_its_clock_and_tells_everyone_the_day(here):
    arrived = hear("340000", from_anhui())
    assert (arrived.state, arrived.step, arrived.due_on) == ("open", 3, date(2026, 12, 7))
    assert sorted(outbox()) == ["100000", "340000", "yrd"]
    assert [one.notice.code for one in notices(here.supervisor)] == ["demand_arrived"]
    assert kinds(arrived) == ["demand.told", "clock.started", "demand.received"]


def test_the_same_demand_again_or_an_older_step_of_it_changes_nothing(here):
    demand = from_anhui()
    hear("340000", demand)
    messages, records = outbox(), kinds(demand)
    hear("340000", demand)
    assert (outbox(), kinds(demand)) == (messages, records)
    assert Notice.objects.filter(code="demand_arrived").count() == 1


def test_a_demand_that_arrives_joins_the_same_one_of_another_node(here):
    first = here.open()
    assert hear("340000", from_anhui()).joined_to == first.id


def test_only_whoever_holds_a_demand_may_change_it(here):
    sent = actions.sign_off(here.head, here.filed(target="340000").id)
    sent.state, sent.step, sent.refusal_reason = "refused", sent.step + 1, "不"
    with pytest.raises(NotYet, match="340000"):
        hear("100000", sent)
    assert again(sent).state == "open"
    assert hear("340000", sent).state == "refused"


def test_what_the_demander_wrote_is_not_changed_on_the_way(here):
    sent = actions.sign_off(here.head, here.filed(target="340000").id)
    sent.step, sent.purpose = sent.step + 1, "statistics"
    with pytest.raises(BadDemand, match="was changed"):
        hear("340000", sent)


def test_a_node_without_a_copy_takes_one_from_the_demanders_node_or_from_above_only(here):
    with pytest.raises(NotYet):
        hear("yrd", from_anhui())
    assert hear("100000", from_anhui()).holder == "320000"  # the common superior assigned it


def test_a_demand_nobody_can_place_goes_up_and_comes_down_to_the_node_named(here):
    arrived = hear("340000", from_anhui())
    handed = holding.hand_up(here.supervisor, arrived.id, "数据不由本省采集")
    assert (handed.state, handed.holder) == ("mediating", "100000")
    assert Clock.objects.get().state == "dropped"
    with pytest.raises(LiesElsewhere):
        holding.name_lead(here.supervisor, arrived.id, MARKET)
    handed.state, handed.holder, handed.step = "open", "320000", handed.step + 1
    back = hear("100000", handed)
    assert (back.state, back.holder) == ("open", "320000")
    assert Clock.objects.filter(state="running").count() == 1


def test_within_one_jurisdiction_nobody_stands_above(here):
    with pytest.raises(NobodyAbove):
        holding.hand_up(here.supervisor, here.open().id, "不清楚")


def test_a_demand_is_assigned_downwards_only(here):
    mediated = from_anhui(state="mediating", holder="320000", target="")
    hear("340000", mediated)
    with pytest.raises(BadInput, match="340000 does not lie below 320000"):
        holding.assign(here.supervisor, mediated.id, "340000")
    assert holding.assign(here.supervisor, mediated.id, "320000").state == "open"


def test_the_demander_asks_the_holder_to_withdraw_and_whoever_holds_it_later_once_more(here):
    sent = actions.sign_off(here.head, here.filed(target="340000").id)
    actions.withdraw(here.officer, sent.id, "不再需要")
    assert again(sent).state == "open"  # until its holder says so
    assert outbox("demand.withdraw") == ["340000"]
    sent.state, sent.holder, sent.step = "mediating", "100000", sent.step + 1
    hear("340000", sent)
    assert outbox("demand.withdraw") == ["340000", "100000"]
    sent.state, sent.step = "withdrawn", sent.step + 1
    assert hear("100000", sent).state == "withdrawn"


def withdrawal(sender, demand):
    peer = Peer(sender, "")
    with transaction.atomic():
        said = {"id": demand.id, "reason": "不再需要"}
        federation.take_withdrawal(peer, Event("1", "", "demand.withdraw", demand.id, "", said))


def test_only_the_demanders_node_withdraws_its_demand_and_twice_is_once(here):
    arrived = hear("340000", from_anhui())
    with pytest.raises(BadDemand):
        withdrawal("100000", arrived)
    withdrawal("340000", arrived)
    withdrawal("340000", arrived)
    assert again(arrived).state == "withdrawn"
    assert kinds(arrived).count("demand.withdrawn") == 1


def test_a_merged_departments_duties_and_demands_go_to_its_successor(here):
    demand = here.open()
    holding.name_lead(here.supervisor, demand.id, MARKET)
    done = succeed(here.steward, MARKET, TAX, reason="机构改革")
    assert (done.moved["duties"], done.moved["demands to meet"]) == (1, 1)
    assert (again(demand).lead_code, again(demand).state) == (TAX, "led")
    assert Duty.objects.get().department_code == TAX
    running = Clock.objects.get(rule=SourceOverdue.name(), state="running")
    assert (running.department, again(demand).due_on) == (TAX, running.due_on)
