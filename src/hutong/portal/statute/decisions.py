"""Decisions made by rule: what they were made from, and whether they come out the same again."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from django.http import QueryDict
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from hutong.control.identity.models import Account
from hutong.control.identity.rules import Action, check
from hutong.control.statute import applied, queries
from hutong.control.statute.decisions import Replay, replay
from hutong.control.statute.models import Decision
from hutong.portal.components import words
from hutong.portal.components.page import Page, shell_for
from hutong.portal.components.paging import Sheet, sheet
from hutong.portal.components.parts import Badge, Fact
from hutong.portal.statute import kept
from hutong.vocabulary.errors import NotFound

PAGE_SIZE = 50
SHORT = 120  # characters of an outcome in a list


@dataclass(frozen=True)
class DecisionRow:
    url: str
    name: str
    subject: str
    made_at: datetime
    outcome: str


@dataclass(frozen=True, kw_only=True)
class DecisionsPage(Page):
    subject: str
    rows: tuple[DecisionRow, ...]
    pager: Sheet[Decision]


@dataclass(frozen=True)
class UsedRow:
    rule: str
    url: str
    says: str
    values: tuple[str, ...]


@dataclass(frozen=True)
class Again:
    """What deciding again gave."""

    verdict: Badge
    say: str
    outcome: tuple[Fact, ...]


@dataclass(frozen=True, kw_only=True)
class DecisionPage(Page):
    title: str
    subject: str
    facts: tuple[Fact, ...]
    inputs: tuple[Fact, ...]
    rules: tuple[UsedRow, ...]
    outcome: tuple[Fact, ...]
    days: str
    off: tuple[str, ...]
    made_up: tuple[str, ...]
    replay_url: str
    again: Again | None


def decisions_page(account: Account, query: QueryDict) -> DecisionsPage:
    check(account, Action.SEE_ALL_EXCHANGES)
    subject = query.get("subject", "")[:200]
    found = sheet([applied.decisions(subject)], "made_at", reverse("decisions"), query.dict(), size=PAGE_SIZE)
    return DecisionsPage(
        shell=shell_for(account, "rules"),
        subject=kept.subject(subject),
        rows=tuple(row_of(one) for one in found.rows),
        pager=found,
    )


def decision_page(account: Account, decision_id: str, *, again: bool) -> DecisionPage:
    """raises   NotFound"""
    made = queries.decision(decision_id)
    done = replay(made)
    url = reverse("decision", args=[made.id])
    weekend = {one: works for one, works in sorted(made.days.items()) if works == (_weekday(one) >= 5)}
    return DecisionPage(
        shell=shell_for(account, "rules"),
        title=words.word(kept.DECIDERS, made.name),
        subject=kept.subject(made.subject),
        facts=(
            Fact(_("Decided on"), words.moment(made.made_at)),
            Fact(_("Decision"), made.id, mono=True),
            Fact(_("Program"), f"hutong {made.program}"),
        ),
        inputs=kept.facts(made.facts),
        rules=tuple(_used(name, made) for name in made.applied.order_by("id").values_list("rule", flat=True)),
        outcome=kept.facts(made.outcome),
        days=ngettext("{many} day looked at", "{many} days looked at", len(made.days)).format(many=len(made.days)),
        off=tuple(words.date_word(date.fromisoformat(one)) for one, works in weekend.items() if not works),
        made_up=tuple(words.date_word(date.fromisoformat(one)) for one, works in weekend.items() if works),
        replay_url=f"{url}?again=yes#again",
        again=_again(done) if again else None,
    )


def row_of(made: Decision) -> DecisionRow:
    said = kept.facts(made.outcome)
    outcome = " · ".join(f"{one.term}: {_(', ').join(one.many) or one.value}" for one in said)
    return DecisionRow(
        url=reverse("decision", args=[made.id]),
        name=words.word(kept.DECIDERS, made.name),
        subject=kept.subject(made.subject),
        made_at=made.made_at,
        outcome=outcome if len(outcome) <= SHORT else outcome[:SHORT] + "…",
    )


def _used(name: str, made: Decision) -> UsedRow:
    values = tuple(
        f"{kept.parameter(one['name'])}: {one['value']}"
        + (f" ({', '.join(one['versions'])})" if one["versions"] else "")
        for one in made.parameters
        if one["rule"] == name
    )
    known = {one["name"]: one["value"] for one in made.parameters if one["rule"] == name}
    try:
        says = queries.rule(name).sentence(words.language(), **known)
    except NotFound:  # of an older version of the program
        return UsedRow(name, "", "", values)
    return UsedRow(name, reverse("rule", args=name.split("/")), says, values)


def _again(done: Replay) -> Again:
    if done.same:
        verdict, say = Badge(_("the same"), "good"), _("Decided again from what it kept, the outcome is the same.")
    else:
        verdict = Badge(_("different"), "bad")
        say = done.trouble or _("Decided again from what it kept, the outcome is another one.")
    return Again(verdict, say, () if done.same else kept.facts(done.outcome or {}))


def _weekday(text: str) -> int:
    return datetime.fromisoformat(text).weekday()
