"""The editor of data elements: propose, compare with the version in force, approve or send back."""

from __future__ import annotations

import re
from dataclasses import replace

import pyarrow as pa
import pytest
from django.test import Client

from hutong.control.identity.models import Account
from hutong.control.notices.models import Told
from hutong.control.standards import actions, queries
from hutong.control.standards.differences import differences
from hutong.control.standards.files import from_csv
from hutong.control.standards.models import Definition
from hutong.control.standards.proposals import Proposal
from hutong.control.standards.rules import BadDefinition
from hutong.control.standards.scoring import _rule
from hutong.control.standards.shipped import shipped
from hutong.node.settings import current
from tests.publication import supervisor
from tests.visiting import text, visitor

pytestmark = pytest.mark.django_db
EDITOR = "/standards/elements/"
FILLED = {
    "name": "plate_number",
    "title_zh": "机动车号牌号码",
    "title_en": "plate number",
    "standard": "GA 36-2018",
    "type": "string",
    "length": "8",
    "aliases": "车牌号，hphm",
    "definition": "机动车登记时核发的号牌上的号码，不含号牌种类。",
}


@pytest.fixture
def steward() -> Client:
    return visitor(Account.objects.create(username="sun", role="steward"))


def lines(page: str) -> dict[str, tuple[str, str]]:
    """The comparison of a page: by field, before and now."""
    found = re.findall(r'<th scope="row">([^<]*)</th><td>.*?</td><td [^>]*>(.*?)</td><td [^>]*>(.*?)</td>', page)
    return {field: (before, after) for field, before, after in found}


def in_force(steward: Client) -> Definition:
    made = steward.post(EDITOR, FILLED | {"do": "propose"}).url.split("/")[2]
    return actions.approve(supervisor(), made)


def test_a_new_element_is_proposed_and_holds_once_the_supervisor_approves(steward):
    answer = steward.post(EDITOR, FILLED | {"do": "propose"})
    made = Definition.objects.get()
    assert answer.url == f"/standards/{made.id}/"
    assert made.document == {
        **{"type": "string", "unit": "", "table": "", "check": "", "standard": "GA 36-2018"},
        **{"aliases": ["车牌号", "hphm"], "length": 8, "definition": FILLED["definition"]},
    }
    assert queries.in_force("element", "plate_number") is None
    chief = visitor(supervisor())
    page = text(chief.get(answer.url))
    assert "Against the version in force" in page
    assert lines(page)["Length"] == ("–", "8")
    assert steward.post(answer.url + "approve/").status_code == 403
    assert chief.post(answer.url + "approve/").status_code == 302
    assert queries.in_force("element", "plate_number").version == 1


def test_a_further_version_is_compared_with_the_one_in_force_before_anything_is_kept(steward):
    first = in_force(steward)
    address = f"{EDITOR}?from={first.id}"
    assert 'value="机动车号牌号码"' in text(steward.get(address))
    unchanged = text(steward.post(address, FILLED | {"do": "compare"}))
    assert ("Nothing differs." in unchanged, lines(unchanged)) == (True, {})
    changed = FILLED | {"length": "9", "aliases": "", "do": "compare"}
    page = text(steward.post(address, changed))
    assert "2 fields differ" in page
    assert lines(page) == {"Length": ("8", "9"), "Also called": ("车牌号, hphm", "–")}
    assert Definition.objects.count() == 1
    assert "长度" in lines(text(visitor(Account.objects.get(username="sun"), "zh-hans").post(address, changed)))
    made = Definition.objects.get(id=steward.post(address, changed | {"do": "propose"}).url.split("/")[2])
    assert (made.name, made.version, made.document["length"]) == ("plate_number", 2, 9)
    assert lines(text(steward.get(f"/standards/{made.id}/")))["Length"] == ("8", "9")
    again = steward.post(address, FILLED | {"do": "propose"})
    assert (again.status_code, b"nothing_changes" in again.content) == (409, True)


def test_a_version_that_is_sent_back_is_told_with_its_reason_and_edited_on(steward):
    steward.post(EDITOR, FILLED | {"do": "propose"})
    made = Definition.objects.get()
    visitor(supervisor()).post(f"/standards/{made.id}/refuse/", {"reason": "长度应为 9"})
    told = Told.objects.get(account__username="sun").notice
    assert (told.code, "长度应为 9" in told.said_zh) == ("standard_sent_back", True)
    page = text(steward.get(f"/standards/{made.id}/"))
    assert f'href="{EDITOR}?from={made.id}"' in page
    answer = steward.post(f"{EDITOR}?from={made.id}", FILLED | {"length": "9", "do": "propose"})
    assert Definition.objects.get(state="proposed").version == 2
    assert answer.status_code == 302


WRONG = {
    "a length of a number": {"type": "int64"},
    "a name with capitals": {"name": "PlateNumber"},
    "a validity that ends before it begins": {"valid_from": "2027-01-02", "valid_to": "2027-01-01"},
}


@pytest.mark.parametrize("wrong", WRONG.values(), ids=WRONG)
def test_a_wrong_element_is_refused_with_its_reason_and_keeps_nothing(steward, wrong):
    for step in ("compare", "propose"):
        answer = steward.post(EDITOR, FILLED | wrong | {"do": step})
        assert (answer.status_code, b"bad_definition" in answer.content) == (400, True)
    missing = text(steward.post(EDITOR, FILLED | {"title_zh": "", "length": "0"}))
    assert "2 fields need attention" in missing
    assert not Definition.objects.exists()


def test_an_element_is_replaced_by_another_that_is_usable(steward):
    first = in_force(steward)
    page = text(steward.get(f"{EDITOR}?from={first.id}"))
    assert 'value="plate_number"' not in page.split('name="replaced_by"')[1].split("</select>")[0]
    answer = steward.post(f"{EDITOR}?from={first.id}", FILLED | {"replaced_by": "uscc", "do": "propose"})
    made = Definition.objects.get(state="proposed")
    assert (answer.status_code, made.document["replaced_by"]) == (302, "uscc")
    assert lines(text(steward.get(f"/standards/{made.id}/"))) == {"Replaced by": ("–", "uscc")}


def test_only_those_who_propose_find_the_editor_and_the_others_are_told_why_not(steward):
    first = in_force(steward)
    auditor = visitor(Account.objects.create(username="qian", role="auditor"))
    assert auditor.get(EDITOR).status_code == 403
    assert 'aria-describedby="why-edit"' in text(auditor.get(f"/standards/{first.id}/"))
    assert 'aria-describedby="why-element"' in text(auditor.get("/standards/"))


def test_an_element_of_the_regions_node_has_no_editor_here(steward):
    first = in_force(steward)
    Definition.objects.update(origin="yrd" if current().jurisdiction != "yrd" else "000000")
    page = text(steward.get(f"/standards/{first.id}/"))
    assert "node proposes and approves them" in page
    refused = steward.post(f"{EDITOR}?from={first.id}", FILLED | {"length": "9", "do": "propose"})
    assert (refused.status_code, b"definition_not_the_keepers" in refused.content) == (422, True)


def test_values_of_an_element_with_a_length_are_held_to_it(steward):
    held_to, rule = _rule(in_force(steward), pa.string(), "")
    assert (held_to, rule(pa.array(["苏A12345", "苏AD12345", "苏AD123456"]))) == ("length:8", 2)


def test_length_and_definition_come_from_a_file_and_older_elements_keep_their_digests():
    header = "id,zh,type,length,definition\n"
    (read,) = from_csv(header + "plate_number,号牌号码,string,8,号牌上的号码\n")
    assert (read.document["length"], read.document["definition"]) == (8, "号牌上的号码")
    (plain,) = from_csv("id,zh,type\nplate_number,号牌号码,string\n")
    assert from_csv(header + "plate_number,号牌号码,string,,\n")[0].digest == plain.digest
    assert [one.field for one in differences(plain, read)] == ["length", "definition"]
    for length in ("eight", "0", "10001"):
        with pytest.raises(BadDefinition):
            from_csv(header + f"plate_number,号牌号码,string,{length},\n")
    sex = next(one for one in shipped() if one.name == "sex" and one.kind == "element")
    assert not {"length", "definition"} & set(sex.document)
    with pytest.raises(BadDefinition):
        replace(sex, document={**sex.document, "colour": "red"})
    assert isinstance(sex, Proposal)
