"""docs/rules.md is what the rule book says now."""

from __future__ import annotations

import inspect
import re
from pathlib import Path

from django.utils.translation import override

from hutong.control.statute import decisions
from hutong.control.statute.book import rulebook
from hutong.control.statute.page import GROUPS, group_of, page
from hutong.portal.statute import book, kept, origins
from hutong.vocabulary.rulebook import ClockRule, working_days

FILE = Path(__file__).resolve().parent.parent.parent / "docs" / "rules.md"
OURS = [rule for rule in rulebook() if rule.__module__.startswith("hutong.")]


def test_the_page_is_not_older_than_the_rule_book():
    assert FILE.read_text(encoding="utf-8") == page(), "docs/rules.md is stale: run make docs"


def test_the_page_says_every_rule_in_both_languages_without_its_braces():
    text = page()
    for rule in OURS:
        assert f"### {rule.rule} `{rule.code}`" in text
    assert "{" not in text


def test_every_letter_of_a_rules_number_has_a_heading():
    letters = {group_of(rule) for rule in OURS}
    assert letters <= set(GROUPS)
    assert letters <= set(book.GROUPS), "in the room of rules too"


def test_a_rule_in_words_has_its_values_and_a_mark_for_what_a_case_gives():
    class Term(ClockRule):
        """{title} was due on {due}, within {days} working days."""

        zh = "{title}应于{due}前，即{days}个工作日内办结。"
        declares = (working_days(10, 21),)

    assert Term.sentence("en", days=8) == "… was due on …, within 8 working days."
    assert Term.sentence("zh", days=8) == "…应于…前，即8个工作日内办结。"


def test_what_a_decision_was_made_from_and_gave_is_shown_in_words():
    for name, decide in decisions._deciders.items():
        if not decide.__module__.startswith("hutong."):
            continue  # of a test
        assert name in kept.DECIDERS, name
        text = inspect.getsource(decide)
        named = set(re.findall(r'facts(?:\[|\.get\()"(\w+)"', text)) | set(re.findall(r'[{ ]"(\w+)": ', text))
        assert named - set(kept.FACTS) == set(), name
    assert {one.name for rule in OURS for one in rule.declares} <= set(kept.PARAMETERS) | set(kept.CYCLES)


def test_facts_are_said_by_the_names_of_their_codes():
    document = {"due": "2026-12-08", "extended": True, "purpose": "licensing", "sharing_modes": []}
    with override("en"):
        said = {one.term: one.many or one.value for one in kept.facts(document | {"requester": "zone"})}
    assert said == {
        "Last day": "8 Dec 2026",
        "Extended": "yes",
        "Purpose asked for": "administrative licensing",
        "Modes published": "none",
        "Who asks": "Department of a zone's member",
    }


def test_every_parameter_says_in_the_pages_language_where_it_comes_from_and_whose_it_is():
    declared = [one for rule in OURS for one in rule.declares]
    assert {one.owner for one in declared} <= set(origins.OWNERS)
    assert {one.source for one in declared} - set(origins.SOURCES) == {
        f"decree 809, article {number}" for number in (17, 21, 22, 26, 29)
    }
    with override("zh-hans"):
        assert origins.source("decree 809, article 21") == "条例第 21 条"
