"""The rule book on pages: each rule, its parameters in force, where it applied, and who proposes what."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from itertools import groupby

from django.http import QueryDict
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as lazy

from hutong.control.identity import rules as roles
from hutong.control.identity.models import Account
from hutong.control.identity.rules import Action
from hutong.control.statute import applied, day, queries
from hutong.control.statute.applied import Applied
from hutong.control.statute.book import rulebook
from hutong.control.statute.models import ParameterVersion, RuleApplied
from hutong.control.statute.page import group_of
from hutong.portal.components import access, words
from hutong.portal.components.page import Page, Refusal, shell_for
from hutong.portal.components.paging import Sheet, sheet
from hutong.portal.components.parts import Badge, Choice, Fact, Figure, May, no
from hutong.portal.statute import kept, origins
from hutong.portal.statute.decisions import DecisionRow, row_of
from hutong.portal.statute.forms import VersionForm
from hutong.vocabulary.rulebook import ClockRule, Parameter, Rule

PAGE_SIZE = 30
GROUPS: dict[str, Promise] = {
    "D809": lazy("Decree 809"),
    "A": lazy("Agreements"),
    "C": lazy("Deadlines"),
    "CAT": lazy("Catalogue"),
    "G": lazy("Grants"),
    "O": lazy("Figures of supervision"),
    "Z": lazy("Zones of equal treatment"),
    "R": lazy("Rules about rules"),
    "S": lazy("Standards"),
    "CSL": lazy("Cybersecurity Law"),
    "SHDR": lazy("Shanghai data regulations"),
    "ZJCR": lazy("Zhejiang credit regulations"),
    "DSP": lazy("Dataspace Protocol"),
    "DCAT-AP": lazy("The catalogue as DCAT-AP"),
}
VERSION_STATES: words.Stated = {
    "proposed": (lazy("proposed"), "wait"),
    "approved": (lazy("approved"), "good"),
    "declined": (lazy("declined"), "bad"),
}
LOCAL: dict[str, Promise] = {
    "lower": lazy("a local rule may be lower"),
    "higher": lazy("a local rule may be higher"),
    "any": lazy("a local rule is free"),
    "none": lazy("no local rule"),
}


@dataclass(frozen=True)
class RuleRow:
    number: str
    code: str
    url: str
    says: str
    term: bool
    values: tuple[str, ...]
    decisions: int
    refusals: int


@dataclass(frozen=True)
class RuleGroup:
    name: str
    heading: str
    rows: tuple[RuleRow, ...]


@dataclass(frozen=True, kw_only=True)
class BookPage(Page):
    shown: tuple[Choice, ...]
    groups: tuple[RuleGroup, ...]
    figures: tuple[Figure, ...]
    waiting: tuple[VersionRow, ...]


@dataclass(frozen=True)
class ParameterRow:
    name: str
    value: str
    declared: str
    source: str
    owner: str
    local: str
    versions: tuple[str, ...]


@dataclass(frozen=True)
class VersionRow:
    id: str
    rule: str
    rule_url: str
    name: str
    value: int
    level: str
    since: date
    source: str
    proposed_by: str
    decided_by: str
    state: Badge
    open: bool
    may_decide: May
    decide_url: str


@dataclass(frozen=True, kw_only=True)
class RulePage(Page):
    title: str
    says: str
    says_other: str
    term: bool
    facts: tuple[Fact, ...]
    figures: tuple[Figure, ...]
    parameters: tuple[ParameterRow, ...]
    versions: tuple[VersionRow, ...]
    form: VersionForm | None
    may_propose: May
    propose_url: str
    history: tuple[DecisionRow, ...]
    may_see_history: May
    pager: Sheet[RuleApplied]


def book_page(account: Account, query: QueryDict) -> BookPage:
    chosen, today = query.get("show", ""), applied.on_day(day.today())
    everything = [rule for rule in rulebook() if rule.__module__.startswith("hutong.")]
    seen = [rule for rule in everything if _chosen(rule, chosen, today)]
    groups = {letters: tuple(rules) for letters, rules in groupby(seen, group_of)}
    order = [*GROUPS, *(one for one in groups if one not in GROUPS)]
    changed = set(queries.versions().filter(state="approved").order_by().values_list("rule", flat=True).distinct())
    applying = sum(1 for rule in everything if rule.name() in today)
    return BookPage(
        shell=shell_for(account, "rules"),
        shown=_choices(chosen, everything),
        groups=tuple(
            RuleGroup(one, str(GROUPS.get(one, one)), tuple(_row(rule, today, changed) for rule in groups[one]))
            for one in order
            if one in groups
        ),
        figures=(
            Figure(len(everything), _("rules"), reverse("rules")),
            Figure(applying, _("applied today"), reverse("rules") + "?show=today"),
            Figure(sum(one.decisions for one in today.values()), _("decisions today, by rule"), reverse("decisions")),
            Figure(
                sum(one.refusals for one in today.values()), _("refusals today"), reverse("rules") + "?show=refused"
            ),
        ),
        waiting=tuple(_version(account, one) for one in queries.versions().filter(state="proposed")[:PAGE_SIZE]),
    )


def rule_page(
    account: Account,
    rule: type[Rule],
    query: QueryDict,
    *,
    form: VersionForm | None = None,
    refusal: Refusal | None = None,
) -> RulePage:
    today = applied.on_day(day.today()).get(rule.name(), Applied())
    overseer = roles.may(account, Action.SEE_ALL_EXCHANGES)
    url = reverse("rule", args=rule.name().split("/"))
    applications = applied.by_rule(rule.name()) if overseer else RuleApplied.objects.none()
    found = sheet([applications], "made_at", url, query.dict(), size=PAGE_SIZE)
    return RulePage(
        shell=shell_for(account, "rules"),
        refusal=refusal,
        title=rule.rule or rule.code,
        says=rule.sentence(words.language(), **_values(rule)),
        says_other=rule.sentence("en" if words.in_chinese() else "zh", **_values(rule)),
        term=issubclass(rule, ClockRule),
        facts=_facts(rule),
        figures=(
            Figure(today.decisions, _("decisions today"), "#decisions"),
            Figure(today.refusals, _("refusals today"), "#decisions"),
        ),
        parameters=tuple(_parameter(rule, one) for one in rule.declares),
        versions=tuple(_version(account, one) for one in queries.versions(rule.name())[:PAGE_SIZE]),
        form=(form or VersionForm(rule)) if rule.declares else None,
        may_propose=access.may(account, Action.PROPOSE_PARAMETER),
        propose_url=reverse("rule_propose", args=rule.name().split("/")),
        history=tuple(row_of(one.decision) for one in found.rows),
        may_see_history=access.may(account, Action.SEE_ALL_EXCHANGES),
        pager=found,
    )


def _chosen(rule: type[Rule], chosen: str, today: dict[str, Applied]) -> bool:
    if chosen == "today":
        return rule.name() in today
    if chosen == "refused":
        return today.get(rule.name(), Applied()).refusals > 0
    if chosen == "terms":
        return issubclass(rule, ClockRule)
    return not chosen or group_of(rule) == chosen


def _choices(chosen: str, everything: list[type[Rule]]) -> tuple[Choice, ...]:
    there = {group_of(rule) for rule in everything}
    named = [("", _("all")), ("today", _("applied today")), ("terms", _("with a term"))]
    named += [(letters, str(heading)) for letters, heading in GROUPS.items() if letters in there]
    return tuple(Choice(value, word, chosen == value) for value, word in named)


def _row(rule: type[Rule], today: dict[str, Applied], changed: set[str]) -> RuleRow:
    counted = today.get(rule.name(), Applied())
    values = _values(rule, changed)
    return RuleRow(
        number=str(rule.rule),
        code=rule.code,
        url=reverse("rule", args=rule.name().split("/")),
        says=rule.sentence(words.language(), **values),
        term=issubclass(rule, ClockRule),
        values=tuple(_valued(one, values[one.name]) for one in rule.declares),
        decisions=counted.decisions,
        refusals=counted.refusals,
    )


def _values(rule: type[Rule], changed: set[str] | None = None) -> dict[str, int]:
    """The values in force today. `changed`: the rules that have versions; the others stand as declared."""
    if changed is not None and rule.name() not in changed:
        return {one.name: one.value for one in rule.declares}
    return {one.name: queries.parameter(rule, one.name, day.today()) for one in rule.declares}


def _valued(parameter: Parameter, value: int) -> str:
    unit = words.of_language(parameter.unit_zh, parameter.unit)
    return f"{words.number(value)} {unit}" if not words.in_chinese() else f"{words.number(value)}{unit}"


def _facts(rule: type[Rule]) -> tuple[Fact, ...]:
    since = words.date_word(rule.since)
    period = _("{since} to {until}").format(since=since, until=words.date_word(rule.until)) if rule.until else since
    return (
        Fact(_("Number"), str(rule.rule)),
        Fact(_("Code"), rule.code, mono=True),
        Fact(_("In force") if rule.until else _("In force from"), period),
        Fact(_("What to do next"), rule.next_zh if words.in_chinese() else rule.next_en),
        Fact(_("Answered with"), str(rule.status)),
        Fact(_("Kept by"), rule.__module__, mono=True),
    )


def _parameter(rule: type[Rule], one: Parameter) -> ParameterRow:
    found = queries.in_force(rule, one.name, day.today())
    return ParameterRow(
        name=kept.parameter(one.name),
        value=_valued(one, found.value),
        declared=_valued(one, one.value),
        source=origins.source(one.source),
        owner=origins.owner(one.owner),
        local=str(LOCAL[one.local]),
        versions=found.versions,
    )


def _version(account: Account, one: ParameterVersion) -> VersionRow:
    may = access.may(account, Action.APPROVE_PARAMETER)
    if may and one.proposed_by == account.username:
        may = no(_("You proposed this version, so another person decides on it."))
    return VersionRow(
        id=one.id,
        rule=one.rule,
        rule_url=reverse("rule", args=one.rule.split("/")),
        name=kept.parameter(one.name),
        value=one.value,
        level=_("the law itself") if one.level == "national" else _("a local rule"),
        since=one.since,
        source=one.source,
        proposed_by=one.proposed_by,
        decided_by=one.decided_by,
        state=words.state(VERSION_STATES, one.state),
        open=one.state == "proposed",
        may_decide=may,
        decide_url=reverse("rule_decide", args=[one.id]),
    )
