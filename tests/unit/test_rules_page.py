"""docs/rules.md is what the rule book says now."""

from __future__ import annotations

from pathlib import Path

from hutong.control.statute.book import rulebook
from hutong.control.statute.page import GROUPS, group_of, page
from hutong.portal.statute import book
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
