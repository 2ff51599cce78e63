"""Where rules applied: decisions made by them, and refusals said by them, on one day or since the beginning."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import date

from django.db.models import Count, QuerySet

from hutong.control.oversight import tally
from hutong.control.statute.book import rulebook
from hutong.control.statute.models import Decision, RefusalCount, RuleApplied


@dataclass(frozen=True)
class Applied:
    """How often a rule applied on a day."""

    decisions: int = 0
    refusals: int = 0  # said by a page, an answer or a command, and by the exchange's register of use


def on_day(on: date) -> dict[str, Applied]:
    """By the rule's name; rules that did not apply are left out."""
    decisions = dict(RuleApplied.objects.filter(day=on).values_list("rule").annotate(Count("id")))
    refusals = Counter(dict(RefusalCount.objects.filter(day=on).values_list("rule", "refused")))
    refusals.update(_by_the_exchange(on))
    return {name: Applied(decisions.get(name, 0), refusals[name]) for name in {*decisions, *refusals}}


def by_rule(rule: str) -> QuerySet[RuleApplied]:
    """Where a rule was applied, with the decision."""
    return RuleApplied.objects.filter(rule=rule).select_related("decision")


def decisions(subject: str = "") -> QuerySet[Decision]:
    """Every decision, or those about one thing."""
    return Decision.objects.filter(subject=subject) if subject else Decision.objects.all()


def _by_the_exchange(on: date) -> dict[str, int]:
    """The exchange counts nothing twice: its register names each refusal's code."""
    codes = {rule.code: rule.name() for rule in rulebook()}
    return {codes[code]: many for code, many in tally.refusals(on).items() if code in codes}
