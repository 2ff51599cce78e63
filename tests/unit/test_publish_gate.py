"""The publish gate, rule by rule. A complete description passes; take one thing away and it is named."""

from __future__ import annotations

import pytest

from hutong.control.catalogue import rules
from hutong.control.catalogue.models import Item, Resource
from hutong.control.catalogue.secrecy import SecretItem

COMPLETE = {
    "title_zh": "企业登记信息",
    "summary_zh": "企业名称和统一社会信用代码",
    "category": "basic",
    "theme": "legal_entity",
    "data_format": "csv",
    "update_cycle": "3",
    "attribute": "conditional",
    "sharing_modes": ["interface"],
    "conditions": "市场监管部门",
    "permitted_purposes": ["supervision"],
    "source_system": "企业登记系统",
    "secrecy_checked_by": "li",
}


def a_resource(**change):
    return Resource(**(COMPLETE | change))


def an_item(name="uscc", **change):
    return Item(**({"name": name, "title_zh": "统一社会信用代码", "type": "string", "grade": 1} | change))


def missing(resource, items, unavailable=None):
    return [rules.field_of(one) for one in rules.findings(resource, items, unavailable)]


def test_a_complete_description_passes():
    rules.check_may_publish(a_resource(), [an_item()])


@pytest.mark.parametrize(
    "field",
    [
        "title_zh",
        "summary_zh",
        "category",
        "theme",
        "data_format",
        "update_cycle",
        "sharing_modes",
        "source_system",
        "attribute",
        "national_level",
    ],
)
def test_d809_13_publish_refused_naming_each_missing_field(field):
    resource = a_resource(**{field: [] if field == "sharing_modes" else ""})
    if field == "attribute":
        resource.conditions, resource.permitted_purposes = "", []
    with pytest.raises(rules.PublishRefused, match=field) as refused:
        rules.check_may_publish(resource, [an_item()])
    assert field in refused.value.problem()["missing"]
    assert "D809-13" in refused.value.problem()["rules"]


def test_d809_13_field_missing_all_are_named_at_once():
    with pytest.raises(rules.PublishRefused) as refused:
        rules.check_may_publish(a_resource(title_zh="", update_cycle="", source_system=""), [])
    assert refused.value.problem()["missing"] == ["title_zh", "update_cycle", "source_system", "items"]
    assert "更新频率" in refused.value.say("zh")
    assert "update cycle" in refused.value.say("en")
    assert [one["code"] for one in refused.value.problem()["findings"]].count("field_missing") == 3


def test_d809_13_item_field_missing_each_item_needs_a_name_people_read():
    assert missing(a_resource(), [an_item(), an_item("addr", title_zh="")]) == ["addr.title_zh"]


def test_d809_13_no_items_is_named():
    found = rules.findings(a_resource(), [], None)
    assert [one.code for one in found] == ["no_items"]


def test_d809_12_secrecy_not_signed_off_is_named():
    assert missing(a_resource(secrecy_checked_by=""), [an_item()]) == ["sign_off"]


def test_d809_14_refused_without_citation_is_named():
    refused = a_resource(attribute="refused", conditions="", permitted_purposes=[])
    assert missing(refused, [an_item()]) == ["legal_citation"]
    refused.legal_citation = "《中华人民共和国统计法》第九条"
    assert missing(refused, [an_item()]) == []


def test_d809_14_one_refused_item_needs_the_citation_too():
    items = [an_item(), an_item("income", attribute="refused")]
    assert missing(a_resource(), items) == ["legal_citation"]


def test_d809_15_conditions_missing_conditional_sharing_states_its_scope():
    assert missing(a_resource(conditions=""), [an_item()]) == ["conditions"]


def test_d809_15_purposes_missing_conditional_sharing_states_its_purposes():
    assert missing(a_resource(permitted_purposes=[]), [an_item()]) == ["permitted_purposes"]


def test_d809_15_own_conditions_unconditional_sharing_sets_none():
    found = missing(a_resource(attribute="unconditional"), [an_item()])
    assert found == ["conditions", "permitted_purposes"]
    assert missing(a_resource(attribute="unconditional", conditions="", permitted_purposes=[]), [an_item()]) == []


def test_d809_3_secret_item_nothing_flagged_or_labelled_passes():
    found = rules.findings(a_resource(summary_zh="机密"), [an_item(secret=True)])
    assert [type(one) for one in found] == [SecretItem, SecretItem]


def test_cat_1_no_live_source_is_named():
    dead = rules.NoLiveSource(reason="The file is gone.", reason_zh="文件不存在。")
    assert missing(a_resource(), [an_item()], dead) == ["source"]
    assert "文件不存在" in rules.PublishRefused([dead]).say("zh")


STRICTEST = """
declared      | items                       | resource
unconditional |                             | unconditional
unconditional | unconditional               | unconditional
unconditional | unconditional conditional   | conditional
              | unconditional conditional   | conditional
conditional   | unconditional               | conditional
unconditional | unconditional refused       | unconditional
unconditional | conditional refused         | conditional
unconditional | refused refused             | refused
refused       | unconditional               | refused
              |                             |
"""


@pytest.mark.parametrize("line", STRICTEST.split("\n")[2:-1])
def test_the_resource_takes_the_strictest_of_what_may_be_shared(line):
    declared, items, expected = (part.strip() for part in line.split("|"))
    described = [an_item(f"i{n}", attribute=one) for n, one in enumerate(items.split())]
    assert rules.effective_attribute(declared, described) == expected


def test_items_without_an_attribute_follow_the_resource():
    assert rules.effective_attribute("unconditional", [an_item(), an_item("b", attribute="refused")]) == "unconditional"
    assert rules.item_attribute(an_item(), a_resource()) == "conditional"
    assert rules.item_attribute(an_item(attribute="refused"), a_resource()) == "refused"


def test_the_resource_takes_the_highest_grade():
    assert rules.effective_grade([an_item(grade=1), an_item("b", grade=3)]) == 3
    assert rules.effective_grade([]) == 1
