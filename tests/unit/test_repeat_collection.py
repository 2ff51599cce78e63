"""Data collected a second time: what the lead source shares already, told by data element and area (article 19)."""

from __future__ import annotations

from datetime import date

import pytest
from django.db import transaction

from hutong.control.catalogue import actions as catalogue
from hutong.control.demands import duties, repeating
from hutong.control.demands.models import Demand
from hutong.control.demands.repeating import COLLECTS
from hutong.control.demands.rules import CollectedAgain
from hutong.control.oversight import actions as oversight
from hutong.control.oversight import checking, queries
from hutong.control.oversight.measures import measure
from hutong.control.oversight.models import Statement
from hutong.control.oversight.periods import Period
from hutong.control.statute import actions as statute
from hutong.control.statute.decisions import replay
from hutong.control.statute.models import Decision
from hutong.portal.supervisors.cases import case_rows
from hutong.vocabulary.ids import new_id
from tests.companies import ITEMS
from tests.demanding import HEALTH, MARKET, TAX, WISH, delta, own_entry
from tests.publication import publish, supervisor
from tests.region import an_item

pytestmark = pytest.mark.django_db
NOVEMBER = Period("month", date(2026, 11, 1))


@pytest.fixture(autouse=True)
def today(at):
    at("2026-11-23")


def lead(**changes):
    """The health department is the lead source of telephone numbers, and shares them."""
    duty = {"department": HEALTH, "title_zh": "联系方式", "elements": ["phone"], "lead": True} | changes
    return duties.add(supervisor(), **duty)


def phones(department=HEALTH, **changes):
    return own_entry(department, items=[an_item("phone", "电话", element="phone")], title_zh="联系方式", **changes)


def decided():
    return Decision.objects.filter(name=COLLECTS).order_by("made_at", "id")


def described_as(officer, resource, **elements):
    """The description with other data elements, by the items' names."""
    items = [one | {"element": elements[one["name"]]} if one["name"] in elements else one for one in ITEMS]
    catalogue.describe(officer, resource.id, {}, items)


def test_d809_19_collected_again_is_told_by_the_elements_that_the_lead_source_shares(people, described):
    duty = lead()
    phones()
    publish(people["head"], described.id)
    (one,) = decided()
    assert one.outcome == {"again": True, "duties": [duty.id]}
    assert one.facts["elements"] == ["phone"]  # the key says whose row it is
    assert [used["value"] for used in one.parameters if used["name"] == "share"] == [50]
    assert replay(one).same
    catalogue.describe(people["officer"], described.id, {"summary_zh": "在本省登记的全部企业"}, ITEMS)
    publish(people["head"], described.id)
    assert decided().count() == 1, "a new version with the same data elements collects nothing anew"
    described_as(people["officer"], described, company="money", contact="date")
    publish(people["head"], described.id)
    assert [made.outcome["again"] for made in decided()] == [True, False]


NOT_AGAIN = {
    "not shared": lambda: (lead(), phones(attribute="refused")),
    "not published": lead,
    "no lead source": phones,
    "another duty than that of a lead source": lambda: (lead(lead=False), phones()),
    "another area": lambda: (lead(area_code="340000"), phones()),
    "ended": lambda: (duties.end(supervisor(), lead().id, "职能划转"), phones()),
    "itself the lead source": lambda: (lead(department=TAX), phones()),
}


def test_what_the_department_cannot_get_by_sharing_is_not_collected_again(db):
    delta()
    wish = Demand(id=new_id(), department_code=TAX, items=[{"words": "", "element": "phone"}])
    for why, so in NOT_AGAIN.items():
        with transaction.atomic():
            so()
            repeating.wished(wish)
            assert not decided().filter(outcome__again=True).exists(), why
            transaction.set_rollback(True)
    lead()
    phones()
    repeating.wished(wish)
    assert decided().get().outcome["again"]


def test_d809_40_repeat_collection_counts_data_sets_and_demands_and_opens_to_each(db, at):
    here = delta()
    market = own_entry(MARKET)
    made = duties.add(here.supervisor, department=MARKET, title_zh="许可", elements=["uscc", "date"], lead=True,
                      resource_id=market.id)  # fmt: skip
    wanted = here.open(why_not="需要逐日更新")
    other = here.open(items=[{"words": "", "element": "phone"}])
    here.open(items=[{"words": "月相", "element": ""}])  # of words alone nothing can be said
    here.filed(why_not="需要逐日更新")  # not signed off
    oversight.keep_up()
    (line,) = [one for one in queries.card(NOVEMBER, "requester", HEALTH) if one.measure.name == "repeat_collection"]
    assert (line.state, line.counted, line.of, line.parts) == ("measured", 1, 2, {"demand": 1})
    found = measure("repeat_collection").ground
    rows = found.rows(NOVEMBER, date(2026, 11, 23), HEALTH)
    assert {one.subject for one in rows} == {wanted.subject, other.subject}
    (shown,) = case_rows(list(rows.filter(found.counted(date(2026, 11, 23)))), {HEALTH: "卫生健康委员会"})
    assert (shown.url, shown.title) == (f"/demands/{wanted.id}/", WISH["title"])
    assert "市场监督管理局" in shown.detail
    assert not found.rows(NOVEMBER, date(2026, 11, 23), TAX).exists()
    duties.end(here.supervisor, made.id, "职能划转")  # what was decided stands
    at("2026-12-04")
    oversight.keep_up()
    checked = checking.check(Statement.objects.get(month=NOVEMBER.since))
    assert (checked.holds, checked.differences) == (True, ())


def test_the_share_of_elements_is_a_parameter_and_a_past_decision_keeps_its_own(db, at):
    here = delta()
    lead(department=TAX)
    phones(TAX)
    wished = [{"words": "", "element": one} for one in ("phone", "date")]
    here.open(items=wished)
    given = {"level": "local", "value": 60, "since": date(2026, 11, 24), "source": "江苏省规定第三条"}
    proposed = statute.propose(here.steward, CollectedAgain.name(), "share", **given)
    statute.decide_version(here.supervisor, proposed.id, approve=True)
    at("2026-11-24")
    here.open(items=wished, purpose="supervision")
    assert [one.outcome["again"] for one in decided()] == [True, False]
    assert all(replay(one).same for one in decided())
