"""Deciding by rule, so that it can be decided again: pure functions over facts, parameters and calendar.

    @decider("clock.due", ReplyConditional)
    def due(facts: Facts, law: Law) -> Outcome:
        return {"due": law.calendar.due(...).isoformat()}

    outcome = decide("clock.due", "negotiation:<pid>", {"received": "2025-09-22"})     # in the caller's transaction

A Decision keeps the facts, the versions of the parameters and the calendar's days that were looked at. `replay` runs
the decider again from these alone and compares.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from importlib.metadata import version
from typing import Any

from django.db import transaction

from hutong.control.calendar import queries as calendars
from hutong.control.statute import day, queries
from hutong.control.statute.models import Decision, RuleApplied
from hutong.node import parts
from hutong.vocabulary.calendar import CalendarYearMissing, WorkCalendar
from hutong.vocabulary.ids import new_id
from hutong.vocabulary.rulebook import Rule

Facts = Mapping[str, Any]
Outcome = dict[str, Any]
Lookup = Callable[[type[Rule], str], queries.InForce]


class SeenDays(WorkCalendar):
    """A calendar that remembers which days it was asked for."""

    def __init__(self, under: WorkCalendar) -> None:
        super().__init__(under.exceptions, under.years)
        object.__setattr__(self, "seen", {})

    seen: dict[str, bool]

    def works(self, day: date) -> bool:
        worked = super().works(day)
        self.seen[day.isoformat()] = worked
        return worked


class StoredDays(WorkCalendar):
    """The calendar as a decision saw it, and nothing more."""

    def __init__(self, days: Mapping[str, bool]) -> None:
        worked = {date.fromisoformat(one): works for one, works in days.items()}
        super().__init__(worked, frozenset(one.year for one in worked))

    def works(self, day: date) -> bool:
        if day not in self.exceptions:
            raise CalendarYearMissing(year=day.year)
        return self.exceptions[day]


@dataclass
class Law:
    """The law as a decider sees it on one day; notes what was looked at."""

    on: date
    calendar: WorkCalendar
    lookup: Lookup
    used: dict[tuple[str, str], queries.InForce] = field(default_factory=dict)
    rules: list[str] = field(default_factory=list)

    def parameter(self, rule: type[Rule], name: str) -> int:
        """The value in force."""
        self.applied(rule)
        key = (rule.name(), name)
        if key not in self.used:
            self.used[key] = self.lookup(rule, name)
        return self.used[key].value

    def applied(self, rule: type[Rule]) -> None:
        """Note that the rule was applied."""
        if rule.name() not in self.rules:
            self.rules.append(rule.name())


Decider = Callable[[Facts, Law], Outcome]
_deciders: dict[str, Decider] = {}


def decider(name: str) -> Callable[[Decider], Decider]:
    """Name a pure function as a decider: JSON in, JSON out, no database, no clock."""

    def decorate(function: Decider) -> Decider:
        _deciders[name] = function
        return function

    return decorate


@transaction.atomic
def decide(name: str, subject: str, facts: Outcome) -> Outcome:
    """Decide under the law of today and keep the decision, in the caller's transaction."""
    on, calendar = day.today(), SeenDays(calendars.in_force())
    law = _law_of(on, calendar)
    outcome = _decider(name)(facts, law)
    made = Decision.objects.create(
        id=new_id(),
        name=name,
        subject=subject,
        day=on,
        made_at=datetime.now(UTC),
        facts=facts,
        parameters=[
            {"rule": rule, "name": parameter, "value": used.value, "versions": list(used.versions)}
            for (rule, parameter), used in law.used.items()
        ],
        days=calendar.seen,
        outcome=outcome,
        program=version("hutong"),
    )
    RuleApplied.objects.bulk_create(
        RuleApplied(decision=made, rule=rule, day=on, made_at=made.made_at) for rule in law.rules
    )
    return outcome


def weigh(name: str, facts: Outcome) -> Outcome:
    """What would be decided today; kept nowhere. For a question, never for an act."""
    return _decider(name)(facts, _law_of(day.today(), SeenDays(calendars.in_force())))


def _decider(name: str) -> Decider:
    """raises   KeyError"""
    if name not in _deciders:
        parts.load()
    return _deciders[name]


def _law_of(on: date, calendar: WorkCalendar) -> Law:
    return Law(on, calendar, lambda rule, parameter: queries.in_force(rule, parameter, on))


@dataclass(frozen=True)
class Replay:
    """A decision decided again from what it kept."""

    decision: Decision
    rules: tuple[str, ...]
    outcome: Outcome | None  # None where it can no longer be decided
    trouble: str = ""

    @property
    def same(self) -> bool:
        return bool(self.outcome == self.decision.outcome)


def replay(decision: Decision) -> Replay:
    """Decide again with the facts, parameters and days of the decision. Changes nothing."""
    stored = {(one["rule"], one["name"]): queries.InForce(one["value"]) for one in decision.parameters}
    law = Law(decision.day, StoredDays(decision.days), lambda rule, name: stored[rule.name(), name])
    try:
        function = _decider(decision.name)
    except KeyError:
        return Replay(decision, (), None, f"no decider is named {decision.name} in this version")
    try:
        outcome = function(decision.facts, law)
    except (KeyError, CalendarYearMissing) as error:
        return Replay(decision, tuple(law.rules), None, f"this version asks for what was not looked at: {error}")
    return Replay(decision, tuple(law.rules), outcome)
