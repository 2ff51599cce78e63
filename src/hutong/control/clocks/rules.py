"""When a term may be extended, and what people are told of terms. Decides and touches nothing."""

from __future__ import annotations

from datetime import date

from hutong.control.statute.book import rule_named
from hutong.control.statute.decisions import Facts, Law, Outcome, decider
from hutong.vocabulary.calendar import CalendarYearMissing
from hutong.vocabulary.rulebook import ClockRule, Rule
from hutong.vocabulary.sentences import Sentence


class NoExtension(Rule):
    """The law knows no extension of this term."""

    zh = "法律没有规定该期限可以延长。"
    code = "no_extension"
    rule = "C-1"
    next_en = "Act within the term."
    next_zh = "请在期限内办理。"


class ExtensionTwice(Rule):
    """The term was extended once, or an extension was decided on, already."""

    zh = "该期限的延长已申请或者已决定，只能延长一次。"
    code = "extension_twice"
    rule = "C-2"
    status = 409
    next_en = "Act within the term as it stands."
    next_zh = "请在现有期限内办理。"


class ExtensionWithoutReason(Rule):
    """An extension needs a reason: the other side will read it."""

    zh = "申请延长期限应当说明理由，对方将会看到。"
    code = "extension_without_reason"
    rule = "C-3"
    status = 400
    next_en = "Say why the term is not enough."
    next_zh = "请说明期限不足的原因。"


class DueSoon(Sentence):
    """{title}: due on {due}, {left} working days from now."""

    zh = "{title}：应于 {due} 前办结，剩余 {left} 个工作日。"
    code = "due_soon"


class ExtensionAsked(Sentence):
    """{title}: an extension of {days} working days is asked for; your consent is needed. Reason: {reason}"""

    zh = "{title}：申请延长 {days} 个工作日，须经您同意。理由：{reason}"
    code = "extension_asked"


class ExtensionDecided(Sentence):
    """{title}: the supervisor has {decided} the extension; due on {due}."""

    zh = "{title}：主管部门{decided}延长期限；应于 {due} 前办结。"
    code = "extension_decided"


def clock_rule(name: str) -> type[ClockRule]:
    """raises   KeyError"""
    found = rule_named(name)
    if not issubclass(found, ClockRule):
        raise KeyError(name)
    return found


@decider("clock.due")
def due(facts: Facts, law: Law) -> Outcome:
    """The last day of a term: day 0 is the day of receipt, make-up weekends count, the shorter of national and local
    rule holds. Without the calendar of its year there is no day, and none is guessed."""
    rule = clock_rule(facts["rule"])
    days = law.parameter(rule, "days")
    extension = law.parameter(rule, "extension_days") if facts.get("extended") else 0
    received = date.fromisoformat(facts["received"])
    try:
        last = law.calendar.due(received, days + extension)
    except CalendarYearMissing as missing:
        return {"due": None, "days": days, "extension": extension, "year_missing": missing.parameters["year"]}
    return {"due": last.isoformat(), "days": days, "extension": extension}


def check_may_extend(rule: type[ClockRule], extension_state: str, reason: str) -> None:
    """raises   NoExtension, ExtensionTwice, ExtensionWithoutReason"""
    if not any(one.name == "extension_days" for one in rule.declares):
        raise NoExtension
    if extension_state:
        raise ExtensionTwice
    if not reason.strip():
        raise ExtensionWithoutReason
