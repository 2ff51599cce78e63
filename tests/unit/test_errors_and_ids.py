from __future__ import annotations

import json
import time
import uuid

from hutong.vocabulary import ids
from hutong.vocabulary.errors import NotAllowed, NotFound, Refused, WrongState


class GrantTooOld(Refused):
    """The grant {name} ended on {day}.

    A second paragraph is for programmers, not for people.
    """

    zh = "授权 {name} 已于 {day} 终止。"
    code = "grant_too_old"
    rule = "G-99"
    next_en = "Ask for {name} again."
    next_zh = "请重新申请 {name}。"


def test_a_refusal_says_its_first_paragraph_in_both_languages():
    refused = GrantTooOld(name="A1", day="2026-01-01")
    assert str(refused) == refused.say("en") == "The grant A1 ended on 2026-01-01."
    assert refused.say("zh") == "授权 A1 已于 2026-01-01 终止。"
    assert (refused.next_step("en"), refused.next_step("zh")) == ("Ask for A1 again.", "请重新申请 A1。")
    assert refused.changed("zh") == "没有任何改动。"


def test_a_problem_document_carries_code_rule_and_plain_parameters():
    problem = GrantTooOld(name="A1", day="2026-01-01", items=("a", "b"), hidden=object()).problem()
    assert problem["type"] == "urn:hutong:refusal:grant_too_old"
    assert (problem["status"], problem["rule"], problem["items"]) == (403, "G-99", ["a", "b"])
    assert "hidden" not in problem
    json.dumps(problem)


def test_a_thing_is_named_by_its_chinese_word_in_chinese():
    assert NotFound(what="source", what_zh="数据源", name="x").say("zh") == "此处没有数据源 x。"
    assert NotFound(what="source", what_zh="数据源", name="x").say("en") == "There is no source x here."
    assert NotFound(what="source", name="x").say("zh") == "此处没有source x。"


def test_a_parameter_cannot_replace_a_field_of_the_problem():
    assert Refused(status="200", code="fine").problem()["status"] == 403


def test_lists_read_as_names_and_a_missing_parameter_stays_visible():
    assert WrongState(what="request", state="draft", possible=["filed", "agreed"]).say().endswith("filed, agreed.")
    assert "{action}" in NotAllowed(role="officer").say()


def test_braces_in_a_parameter_are_only_text():
    assert "{0.__class__}" in NotAllowed(role="{0.__class__}", action="x").say()


def test_ids_are_version_7_and_sort_by_time():
    first = ids.new_id()
    earliest_ms = int(first.replace("-", "")[:12], 16)
    assert abs(earliest_ms - time.time() * 1000) < 5000
    parsed = uuid.UUID(first)
    assert (parsed.version, parsed.variant) == (7, uuid.RFC_4122)
    assert len({ids.new_id() for _ in range(1000)}) == 1000


def test_only_an_id_is_an_id():
    one = ids.new_id()
    assert ids.is_id(one)
    assert ids.urn(one) == "urn:uuid:" + one == ids.urn(ids.urn(one))
    assert ids.uuid_of(ids.urn(one)) == one == ids.uuid_of(one)
    for wrong in [one.upper(), one + "\n", "../" + one[3:], "", "urn:uuid:" + one]:
        assert not ids.is_id(wrong)
