"""Duties, the negative list, what is found by meaning, and the lists as they are published."""

from __future__ import annotations

from datetime import date

import pytest
from django.db import transaction

from hutong.control.catalogue.models import Resource
from hutong.control.catalogue.queries import items_of
from hutong.control.catalogue.rules import findings
from hutong.control.clocks.models import Clock
from hutong.control.demands import barring, duties, holding, lists
from hutong.control.demands.candidates import candidates, lead_sources, of, wish, wish_of
from hutong.control.demands.document import BadDemand
from hutong.control.demands.models import Barred, Duty, DutyTerm, ListVersion
from hutong.control.demands.rules import (
    BarredIsShared,
    CitationNotExpress,
    ForbiddenNotListed,
    ListOverdue,
    NotListed,
    OwnReview,
)
from hutong.control.identity.rules import OtherDepartment
from hutong.control.replies import actions as replies
from hutong.control.statute import day
from hutong.node.events import Event
from hutong.node.models import OutboxMessage
from hutong.node.receiving import Peer
from hutong.vocabulary.errors import BadInput, NotAllowed, NotFound, WrongState
from hutong.vocabulary.ids import new_id
from tests import dsp_peer
from tests.demanding import HEALTH, MARKET, TAX, delta, entry, own_entry
from tests.publication import supervisor
from tests.region import an_item, neighbour

pytestmark = pytest.mark.django_db
LAW = {"kind": "law", "instrument": "统计法", "article": "第九条"}


@pytest.fixture(autouse=True)
def today(monkeypatch):
    monkeypatch.setattr(day, "today", lambda: date(2026, 11, 23))


@pytest.fixture
def here(db):
    return delta()


def duty(here, **changes):
    given = {"department": MARKET, "title_zh": "食品生产许可", "elements": ["uscc", "date"], "lead": True}
    return duties.add(here.supervisor, **(given | changes))


def barred(here, *, accept=True, **changes):
    given = {"department": MARKET, "title_zh": "统计调查单个资料", "elements": ["money"]} | LAW
    made = barring.propose(here.market_officer, **(given | changes))
    return barring.review(here.supervisor, made.id, accept=accept, note="不属于法律明确规定")


def draft(attribute="conditional", **items):
    """A description of the market department's: items by name, each with its data element and attribute."""
    made = Resource.objects.create(id=new_id(), department_id=MARKET, attribute=attribute, title_zh="企业经营")
    for position, (name, (element, own)) in enumerate(items.items()):
        item = an_item(name, name, element=element, attribute=own)
        item.resource, item.position = made, position
        item.save()
    return made


def gate(resource):
    items = items_of(resource)
    found = barring.findings(resource, items)
    everything = findings(resource, items, listed=found)
    assert all(one in everything for one in found)
    return [type(one) for one in found]


# What is found by meaning, and why


def test_published_resources_and_duties_nothing_is_published_for_are_found_together(here):
    published = entry(here.anhui, title_zh="食品许可登记", title_en="Food permits")
    owed = duty(here)
    found = candidates(wish("食品生产许可", [{"words": "", "element": "uscc"}, {"words": "", "element": "date"}]))
    assert [(one.known.kind, one.known.id) for one in found] == [("duty", owed.id), ("resource", published.id)]
    assert [reason.code for reason in found[0].reasons] == ["elements", "words", "lead"]
    assert all(one.complete for one in found)


@pytest.mark.parametrize("words", ["food permits", "食品许可", "Food permit"])
def test_a_candidate_is_found_in_chinese_and_in_english(here, words):
    published = entry(here.anhui, title_zh="食品许可登记", title_en="Food permits", items=[an_item("a", "甲")])
    entry(here.anhui, title_zh="空气质量", title_en="Air quality", items=[an_item("a", "甲")], summary_zh="空气")
    assert [one.known.id for one in candidates(wish(words, []))] == [published.id]


def test_a_data_element_finds_what_no_word_does(here):
    published = entry(here.anhui, title_zh="主体登记", title_en="")
    found = candidates(wish("许可证照", [{"words": "", "element": "uscc"}]))
    assert [one.known.id for one in found] == [published.id]
    assert found[0].reasons[0].say("zh") == "含统一社会信用代码"


def test_what_lacks_elements_or_is_of_another_area_says_so_and_is_not_complete(here):
    entry(here.anhui, area_code="340000", update_cycle="8", items=[an_item("uscc", "代码", element="uscc")])
    looked = wish("企业", [{"words": "", "element": "uscc"}, {"words": "", "element": "date"}], area_code="320000")
    (found,) = candidates(looked)
    assert not found.complete
    assert {one.code for one in found.reasons if not one.helps} == {"lacks", "area_other"}


def test_what_shares_nothing_with_the_wish_is_no_candidate(here):
    entry(
        here.anhui, title_zh="空气质量", title_en="Air", items=[an_item("pm", "颗粒物")], summary_zh="监测", keywords=[]
    )
    duty(here, title_zh="水质", elements=["phone"])
    assert candidates(wish("学位证书", [{"words": "", "element": "birth_date"}])) == ()


def test_a_wish_with_no_words_and_no_elements_finds_nothing(here):
    entry(here.anhui)
    assert candidates(wish("", [])) == ()


# Duties and the check for repeated collection


def test_an_officer_keeps_the_own_departments_duties_and_names_no_lead_source(here):
    made = duties.add(here.market_officer, department=MARKET, title_zh="食品抽检结果", elements=["uscc"])
    assert (made.lead, made.area_code) == (False, "320000")
    with pytest.raises(OtherDepartment):
        duties.add(here.officer, department=MARKET, title_zh="食品抽检结果")
    with pytest.raises(NotAllowed):
        duties.add(here.market_officer, department=MARKET, title_zh="食品抽检结果", elements=["phone"], lead=True)
    assert Duty.objects.count() == 1


def test_before_collecting_the_lead_source_of_the_same_elements_is_shown(here):
    registered = duty(here)
    assert [one.known.id for one in lead_sources(["uscc", "date"])] == [registered.id]
    assert [one.known.id for one in lead_sources(["date", "money"])] == [registered.id]  # half of them
    assert lead_sources(["date", "money", "phone"]) == ()
    assert lead_sources(["uscc", "date"], "340000") == ()
    assert lead_sources([]) == ()


def test_an_ended_duty_is_found_no_more_and_frees_its_place(here):
    first = duty(here)
    duties.end(here.supervisor, first.id, "职能划转")
    assert lead_sources(["uscc", "date"]) == ()
    assert not DutyTerm.objects.exists()
    with pytest.raises(WrongState):
        duties.end(here.supervisor, first.id, "职能划转")
    assert duty(here, department=TAX).state == "active"


def test_a_lead_sources_registration_is_ended_by_the_supervisor_alone(here):
    made = duty(here)
    with pytest.raises(NotAllowed):
        duties.end(here.market_officer, made.id, "不想提供")


def test_a_duty_is_met_by_a_published_resource_of_the_same_department(here):
    made = duty(here)
    with pytest.raises(NotFound):
        duties.link(here.market_officer, made.id, own_entry(HEALTH).id)
    published = own_entry()
    duties.link(here.market_officer, made.id, published.id)
    found = candidates(wish("食品", [{"words": "", "element": "uscc"}]))
    assert [(one.known.kind, one.known.lead) for one in found if one.known.id == published.id] == [("resource", True)]
    assert [one.known.kind for one in found].count("duty") == 0


# The negative list


@pytest.mark.parametrize("lacking", ["kind", "instrument", "article"])
def test_d809_14_citation_not_express_bars_nothing(here, lacking):
    given = {"department": MARKET, "title_zh": "资料", "elements": ["money"]} | LAW
    with pytest.raises(CitationNotExpress, match=lacking):
        barring.propose(here.market_officer, **(given | {lacking: ""}))
    with pytest.raises(CitationNotExpress, match="kind"):
        barring.propose(here.market_officer, **(given | {"kind": "ministry rule"}))


def test_d809_14_own_review_is_none(here):
    proposed = barring.propose(here.market_officer, department=MARKET, title_zh="资料", elements=["money"], **LAW)
    Barred.objects.filter(id=proposed.id).update(proposed_by=here.supervisor.username)
    with pytest.raises(OwnReview):
        barring.review(here.supervisor, proposed.id, accept=True)


def test_an_entry_is_reviewed_once_by_the_supervisor_and_rejected_with_a_word_why(here):
    proposed = barring.propose(here.market_officer, department=MARKET, title_zh="资料", elements=["money"], **LAW)
    with pytest.raises(NotAllowed):
        barring.review(here.market_head, proposed.id, accept=True)
    assert barred(here, accept=False).state == "rejected"
    barring.review(here.supervisor, proposed.id, accept=True)
    with pytest.raises(WrongState):
        barring.review(here.supervisor, proposed.id, accept=False, note="改变主意")


def test_an_entry_names_a_resource_of_the_department_or_data_elements(here):
    with pytest.raises(BadInput, match="name a resource, or data elements"):
        barred(here, elements=[])
    with pytest.raises(NotFound):
        barred(here, resource_id=own_entry(HEALTH).id)
    with pytest.raises(BadInput, match="no item moon"):
        barred(here, resource_id=own_entry().id, items=["moon"])


def test_shdr_38_barred_is_shared_cannot_be_published(here):
    barred(here)
    resource = draft(income=("money", ""), uscc=("uscc", ""))
    assert gate(resource) == [BarredIsShared]
    resource.items.filter(name="income").update(attribute="refused")
    assert gate(resource) == []
    whole = draft(uscc=("uscc", ""))
    barred(here, resource_id=whole.id, elements=[])
    assert gate(whole) == [BarredIsShared]
    whole.attribute = "refused"
    assert gate(whole) == []


def test_shdr_38_not_listed_cannot_be_withheld(here):
    resource = draft("refused", uscc=("uscc", ""))
    assert gate(resource) == [NotListed]
    barred(here, elements=["uscc"], accept=False)
    assert gate(resource) == [NotListed]
    listed = barred(here, elements=["uscc"])
    assert gate(resource) == []
    barring.end(here.supervisor, listed.id, "法律已修改")
    assert gate(resource) == [NotListed]


def test_another_departments_entry_bars_nothing_here(here):
    other = barring.propose(here.officer, department=HEALTH, title_zh="病历", elements=["money"], **LAW)
    barring.review(here.supervisor, other.id, accept=True)
    assert gate(draft(income=("money", ""))) == []


@pytest.mark.parametrize("cited", ["《统计法》第九条", "统计法 第九条", "依据《统计法》第九条，不予共享"])
def test_a_refusal_cites_the_entry_it_rests_on_however_it_is_written(here, cited):
    listed = barred(here, elements=["uscc"])
    assert barring.check_forbidden(cited, what="企业", department=MARKET, elements=["uscc"]) == listed


@pytest.mark.parametrize(
    "changes", [{"citation": "《统计法》第八条"}, {"department": HEALTH}, {"elements": ["phone"]}, {"citation": ""}]
)
def test_a_refusal_rests_on_no_entry_that_does_not_cover_it(here, changes):
    barred(here, elements=["uscc"])
    given = {"citation": "《统计法》第九条", "what": "企业", "department": MARKET, "elements": ["uscc"]} | changes
    with pytest.raises(ForbiddenNotListed):
        barring.check_forbidden(given.pop("citation"), **given)


# The lists as published


def test_a_version_says_what_is_new_gone_and_changed(here):
    first, second = duty(here), duty(here, title_zh="食品经营许可", elements=["phone"])
    assert lists.publish(here.steward, "duty").added == 2
    duties.end(here.supervisor, first.id, "职能划转")
    duties.link(here.market_officer, second.id, own_entry().id)
    duty(here, title_zh="药品许可", elements=["address"])
    made = lists.publish(here.steward, "duty")
    assert (made.version, made.added, made.gone, made.changed) == (2, 1, 1, 1)
    again = lists.publish(here.steward, "duty")
    assert (again.version, again.added, again.gone, again.changed) == (3, 0, 0, 0)
    assert again.digest == made.digest


def test_a_published_list_names_no_person(here):
    demand = here.open()
    holding.name_lead(here.supervisor, demand.id, MARKET)
    barred(here)
    people = {here.officer.username, here.head.username, here.supervisor.username, here.market_officer.username}
    for kind in lists.KINDS.codes:
        said = str(lists.publish(here.steward, kind).lines)
        assert said != "[]"
        assert not [one for one in people if one in said]


def test_only_the_steward_and_the_supervisor_publish_lists(here):
    for account in (here.officer, here.head):
        with pytest.raises(NotAllowed):
            lists.publish(account, "duty")
    with pytest.raises(NotFound):
        lists.publish(here.steward, "moon")
    assert not ListVersion.objects.exists()


def test_shdr_38_list_overdue_each_version_starts_the_clock_of_the_next(here, monkeypatch):
    lists.publish(here.steward, "duty")
    first = Clock.objects.get(rule=ListOverdue.name())
    assert (first.days, first.role) == (60, "steward")
    monkeypatch.setattr(day, "today", lambda: date(2026, 12, 23))
    lists.publish(here.steward, "duty")
    first.refresh_from_db()
    assert first.state == "met"
    assert Clock.objects.get(rule=ListOverdue.name(), state="running").received_on == date(2026, 12, 23)


def test_the_list_of_demands_holds_what_joined_as_a_number_and_nothing_unsigned(here):
    here.filed(purpose="supervision")
    here.open()
    here.open()
    (line,) = lists.publish(here.steward, "demand").lines
    assert (line["state"], line["co_demanders"], line["elements"]) == ("open", 1, ["uscc", "date"])


# Another node's duties


def lines(count=1, **changes):
    made = Duty(
        id=new_id(), department_code=MARKET, department_name="安徽省市场监督管理局", title_zh="药品许可", lead=True
    )
    line = lists._duty_line(made) | {"elements": ["uscc", "date"]} | changes
    return [line | {"id": new_id()} for _ in range(count)]


def arrives(version, given, part=1, parts=1):
    said = {"version": version, "part": part, "parts": parts, "digest": "sha256:0", "lines": given}
    with transaction.atomic():
        lists.take_duties(Peer("340000", ""), Event(new_id(), "", lists.DUTIES_EVENT, "list:duty", "", said))


def theirs():
    return sorted(Duty.objects.filter(origin="340000").values_list("id", flat=True))


def test_a_published_list_of_duties_goes_to_every_member_in_messages_they_take(here, monkeypatch):
    monkeypatch.setattr(lists, "LINES_A_MESSAGE", 2)
    for title, element in (("甲", "phone"), ("乙", "email"), ("丙", "address")):
        duty(here, title_zh=title, elements=[element])
    lists.publish(here.steward, "duty")
    sent = OutboxMessage.objects.filter(process__startswith=f"event:{lists.DUTIES_EVENT}:")
    assert sorted(sent.values_list("peer", flat=True)) == sorted(2 * ["100000", "340000", "yrd"])


def test_another_nodes_duties_are_found_and_give_way_to_its_next_version(here):
    first = lines(2)
    arrives(1, first)
    found = candidates(wish("药品许可", [{"words": "", "element": "uscc"}]))
    assert {(one.known.origin, one.known.id) for one in found} == {("340000", one["id"]) for one in first}
    second = [first[0] | {"title_zh": "药品经营许可"}, *lines()]
    arrives(2, second)
    arrives(1, first)
    assert theirs() == sorted(one["id"] for one in second)


def test_a_list_in_parts_replaces_the_former_with_its_last_part(here):
    former, one, other = lines(), lines(), lines()
    arrives(1, former)
    arrives(2, one, 1, 2)
    arrives(2, one, 1, 2)
    assert theirs() == sorted(each["id"] for each in former + one)
    arrives(2, other, 2, 2)
    assert theirs() == sorted(each["id"] for each in one + other)


def test_a_line_of_another_node_takes_no_id_of_ours(here):
    ours = duty(here)
    with pytest.raises(BadDemand, match="another node's"):
        arrives(1, [lines()[0] | {"id": ours.id}])
    with pytest.raises(BadDemand):
        arrives(1, lines(title_zh="控\u0000制"))
    assert Duty.objects.get().origin == "320000"


def test_the_words_that_fit_are_shown_as_people_wrote_them(here):
    published = entry(here.anhui, title_zh="食品生产许可登记", title_en="Food permits", items=[an_item("a", "甲")])
    (found,) = candidates(wish("食品生产许可证 food permit", []))
    assert found.known.id == published.id
    assert found.reasons[0].say("zh") == "含词：食品生产许可、food、permit"


def test_the_duty_a_demand_brought_is_no_candidate_for_it(here):
    demand = here.open()
    holding.name_lead(here.supervisor, demand.id, MARKET)
    assert of(demand) == ()
    assert len(candidates(wish_of(demand))) == 1


def test_a_request_is_refused_by_express_provision_only_where_the_list_has_an_entry(anhui, officer):
    asked = dsp_peer.published()
    pid, _, _ = anhui.request(asked, dsp_peer.terms())
    refusal = ("expressly_forbidden", "依法不予共享", "《统计法》第九条")
    with pytest.raises(ForbiddenNotListed, match="企业登记信息"):
        replies.propose_refusal(officer, pid, *refusal)
    given = {"department": MARKET, "title_zh": "统计资料", "resource_id": asked.id} | LAW
    listed = barring.propose(officer, **given)
    barring.review(supervisor(), listed.id, accept=True)
    assert replies.propose_refusal(officer, pid, *refusal).state == "proposed"


def test_a_member_that_joins_after_the_publication_gets_the_list_of_duties_once(here):
    lists.send_to_newcomers()
    duties.add(here.supervisor, department=MARKET, title_zh="食品生产许可", elements=["uscc"], lead=True)
    lists.publish(here.steward, "duty")
    sent = OutboxMessage.objects.filter(process__startswith=f"event:{lists.DUTIES_EVENT}:")
    before = sent.count()
    lists.send_to_newcomers()
    assert sent.count() == before
    neighbour("310000")
    for _ in range(2):
        lists.send_to_newcomers()
    assert list(sent.order_by("id").values_list("peer", flat=True))[before:] == ["310000"]
