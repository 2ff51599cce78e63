"""The rooms of demands and of the three lists, as a browser posts them, in both languages."""

from __future__ import annotations

from datetime import date

import pytest
from django.test import Client
from django.urls import reverse

from hutong.control.catalogue.models import Item, Resource
from hutong.control.demands import holding
from hutong.control.demands.models import Barred, Demand, Duty, ListVersion
from hutong.control.requests.models import ShareRequest
from hutong.control.statute import day
from hutong.vocabulary.ids import new_id
from tests.demanding import HEALTH, MARKET, Delta, delta, entry, hear, own_entry

pytestmark = pytest.mark.django_db
FORM = {
    "title": "食品生产许可信息",
    "purpose": "licensing",
    "what_for": "企业开办时核验许可",
    "basis": "《食品安全法》第三十五条",
    "scope": "登记窗口",
    "words_0": "统一社会信用代码",
    "element_0": "uscc",
    "words_1": "有效期",
    "element_1": "date",
    "target": "320000",
}


@pytest.fixture(autouse=True)
def today(monkeypatch):
    monkeypatch.setattr(day, "today", lambda: date(2026, 11, 23))


@pytest.fixture
def here(db) -> Delta:
    return delta()


def as_(account, language="en") -> Client:
    client = Client(headers={"accept-language": language})
    client.force_login(account)
    return client


def shown(answer) -> str:
    return answer.content.decode()


def step(client, demand, verb, **said):
    return client.post(reverse("demand_step", args=[demand.id, verb]), said, follow=True)


def test_a_demand_is_filed_signed_off_led_and_met_page_by_page(here):
    officer, head, supervisor, lead = (
        as_(one) for one in (here.officer, here.head, here.supervisor, here.market_officer)
    )
    filed = officer.post(reverse("demand_new"), FORM, follow=True)
    demand = Demand.objects.get()
    assert "Filed. The head of your sharing body signs it off next." in shown(filed)
    assert "As data officer you may not sign off a demand." in shown(filed)
    assert head.post(reverse("demand_sign_off", args=[demand.id]), follow=True).status_code == 200
    assert 'class="count"' in shown(supervisor.get(reverse("demands")))
    named = step(supervisor, demand, "name_lead", **{"lead-department": MARKET})
    assert "being catalogued" in shown(named)
    resource = own_entry()
    met = step(lead, demand, "fulfil", **{"fulfil-resource_id": resource.id})
    assert "Met by" in shown(met)
    assert Demand.objects.get().state == "fulfilled"
    assert "It is published by this node: ask its department." in shown(
        officer.get(reverse("demand", args=[demand.id]))
    )


def test_what_exists_already_appears_while_a_wish_is_typed(here):
    there = entry(here.anhui, title_zh="食品许可登记", title_en="Food permits")
    Duty.objects.create(id=there.id[:-1] + "0", origin="320000", department_code=MARKET, title_zh="许可", lead=True)
    page = shown(as_(here.officer).post(reverse("demand_candidates"), FORM))
    assert "Food permits" in page
    assert "has unified social credit code, date" in page
    assert reverse("resource", args=[there.id]) in page
    nothing = shown(as_(here.officer).post(reverse("demand_candidates"), {"title": "量子计算"}))
    assert "Nothing that exists comes near" in nothing


def test_a_form_that_lacks_something_says_what_and_keeps_what_was_typed(here):
    page = shown(as_(here.officer).post(reverse("demand_new"), FORM | {"basis": "", "words_0": "", "element_0": ""}))
    assert "needs attention" in page
    assert "企业开办时核验许可" in page
    assert not Demand.objects.exists()


def test_a_refusal_of_the_law_stands_on_the_page_of_the_form(here):
    entry(here.anhui, title_en="Food permits")
    answer = as_(here.officer).post(reverse("demand_new"), FORM)
    assert answer.status_code == 409
    assert "The catalogue has these data already, as Food permits" in shown(answer)
    assert "SHDR-39" in shown(answer)


def test_a_met_demand_becomes_a_request_by_one_button(here):
    officer = as_(here.officer)
    officer.post(reverse("demand_new"), FORM | {"target": "340000"})
    as_(here.head).post(reverse("demand_sign_off", args=[Demand.objects.get().id]))
    demand, there = Demand.objects.get(), entry(here.anhui)
    demand.step, demand.state, demand.resource_id = demand.step + 1, "fulfilled", there.id
    hear("340000", demand)
    page = officer.get(reverse("demand", args=[demand.id]))
    assert "File the request" in shown(page)
    answer = officer.post(reverse("demand_request", args=[demand.id]))
    assert answer["Location"] == reverse("request", args=[ShareRequest.objects.get().id])


def test_each_verb_is_offered_to_its_role_alone(here):
    demand = here.open()
    offered = {
        "officer": {"withdraw"},
        "market_officer": set(),
        "supervisor": {"name_lead", "fulfil", "refuse"},
        "steward": set(),
    }
    for person, verbs in offered.items():
        page = shown(as_(getattr(here, person)).get(reverse("demand", args=[demand.id])))
        found = {verb for verb in ("withdraw", "name_lead", "hand_up", "fulfil", "refuse") if f'/{verb}/"' in page}
        assert found == verbs, person


def test_another_departments_demand_elsewhere_is_not_shown(here):
    here.filed(target="340000")
    answer = as_(here.market_officer).get(reverse("demand", args=[Demand.objects.get().id]))
    assert answer.status_code == 404


def test_a_refusal_by_express_provision_is_chosen_from_the_list(here):
    demand = here.open()
    officer, supervisor = as_(here.market_officer), as_(here.supervisor)
    law = {"barred-kind": "law", "barred-instrument": "统计法", "barred-article": "第九条"}
    about = {"barred-department": MARKET, "barred-title_zh": "统计资料", "barred-elements": ["uscc"]}
    assert "Proposed" in shown(officer.post(reverse("list_add", args=["barred"]), law | about, follow=True))
    listed = Barred.objects.get()
    supervisor.post(reverse("list_step", args=["barred", listed.id, "accept"]))
    assert Barred.objects.get().state == "listed"
    said = {"refuse-code": "expressly_forbidden", "refuse-barred": listed.id, "refuse-reason": "依法不予共享"}
    page = step(supervisor, demand, "refuse", **said)
    assert "《统计法》第九条" in shown(page)
    assert Demand.objects.get().refusal_citation == "《统计法》第九条"


def test_a_duty_is_registered_and_a_list_published_and_fetched_as_files(here):
    supervisor = as_(here.supervisor)
    said = {"duty-department": MARKET, "duty-title_zh": "食品抽检", "duty-elements": ["uscc"], "duty-lead": "on"}
    assert "The duty is registered." in shown(supervisor.post(reverse("list_add", args=["duty"]), said, follow=True))
    assert "lead source" in shown(as_(here.officer).get(reverse("list", args=["duty"])))
    published = supervisor.post(reverse("list_publish", args=["duty"]), follow=True)
    assert "Version 1 is published." in shown(published)
    assert ListVersion.objects.get().added == 1
    csv = as_(here.officer).get(reverse("list_download", args=["duty", 1, "csv"]))
    assert csv["Content-Type"] == "text/csv; charset=utf-8"
    assert csv.content.decode().startswith("\ufeff编号,责任事项,")
    assert as_(here.officer).get(reverse("list_download", args=["duty", 1, "json"])).json()["lines"][0]["lead"] is True
    assert as_(here.officer).get(reverse("list_download", args=["duty", 2, "json"])).status_code == 404


def test_a_cell_that_a_spreadsheet_would_run_is_marked_as_text(here):
    said = {"duty-department": MARKET, "duty-title_zh": "=1+2", "duty-elements": ["uscc"]}
    as_(here.market_officer).post(reverse("list_add", args=["duty"]), said)
    as_(here.steward).post(reverse("list_publish", args=["duty"]))
    shown_as = as_(here.officer).get(reverse("list_download", args=["duty", 1, "csv"])).content.decode()
    assert "'=1+2" in shown_as


def test_an_officer_ends_no_lead_source_and_reads_why(here):
    holding.name_lead(here.supervisor, here.open().id, MARKET)
    page = shown(as_(here.market_officer).get(reverse("list", args=["duty"])))
    assert "The supervisor ends a lead source&#x27;s registration." in page
    refused = as_(here.market_officer).post(
        reverse("list_step", args=["duty", Duty.objects.get().id, "end"]), {"reason": "x"}
    )
    assert refused.status_code == 403


@pytest.mark.parametrize("language", ["en", "zh-hans"])
@pytest.mark.parametrize("person", ["officer", "head", "supervisor", "steward"])
def test_every_page_opens_for_every_role_in_both_languages(here, person, language):
    demand = here.open()
    holding.name_lead(here.supervisor, demand.id, HEALTH)
    here.open(title="另一项", purpose="supervision")
    client = as_(getattr(here, person), language)
    for show in ("todo", "ours", "here", "all"):
        assert client.get(reverse("demands"), {"show": show}).status_code == 200
    assert client.get(reverse("demand", args=[demand.id])).status_code == 200
    assert client.get(reverse("lists")).status_code == 200
    for kind in ("demand", "duty", "barred"):
        assert client.get(reverse("list", args=[kind])).status_code == 200


def test_no_such_list_and_no_such_verb_are_refused_plainly(here):
    demand = here.open()
    assert as_(here.officer).get(reverse("list", args=["moon"])).status_code == 404
    assert as_(here.supervisor).post(reverse("demand_step", args=[demand.id, "burn"])).status_code == 400
    assert as_(here.supervisor).post(reverse("list_step", args=["demand", demand.id, "end"])).status_code == 400


def test_a_list_costs_the_same_number_of_queries_however_long(here, django_assert_max_num_queries):
    here.open(items=[{"words": "甲", "element": ""}])
    supervisor = as_(here.supervisor)
    supervisor.get(reverse("demands"), {"show": "all"})
    for number in range(20):
        here.open(title=f"需求{number}", items=[{"words": f"乙{number}", "element": ""}])
    with django_assert_max_num_queries(32):
        supervisor.get(reverse("demands"), {"show": "all"})


def test_a_draft_of_what_another_department_is_the_source_of_says_so(here):
    with_source = {"duty-department": MARKET, "duty-title_zh": "食品经营许可", "duty-elements": ["uscc", "date"]}
    as_(here.supervisor).post(reverse("list_add", args=["duty"]), with_source | {"duty-lead": "on"})
    for department, officer, told in ((HEALTH, here.officer, True), (MARKET, here.market_officer, False)):
        drafted = Resource.objects.create(id=new_id(), department_id=department, title_zh="许可", area_code="320000")
        for position, element in enumerate(("uscc", "date")):
            Item.objects.create(resource=drafted, position=position, name=element, element=element, type="string")
        page = shown(as_(officer).get(reverse("resource_edit", args=[drafted.id])))
        assert ("A lead source exists already" in page) is told
        assert ("食品经营许可" in page) is told
