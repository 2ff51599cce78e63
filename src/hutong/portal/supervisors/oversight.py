"""The room of supervision: scorecards, what is overdue, what rules refused, and the signed statements."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime

from django.db.models import Sum
from django.http import QueryDict
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as lazy

from hutong.control.clocks import queries as clocks
from hutong.control.clocks.models import Clock
from hutong.control.identity.models import Account
from hutong.control.organisations.models import Department
from hutong.control.oversight import checking, queries
from hutong.control.oversight.checking import Checked
from hutong.control.oversight.measures import SIDES, measure
from hutong.control.oversight.models import ExchangeDay, Statement
from hutong.control.oversight.periods import GRAINS, Grain, Period, period_of, read
from hutong.control.oversight.queries import Line
from hutong.control.requests.rules import REFUSALS
from hutong.control.statute import day
from hutong.control.statute.models import RefusalCount
from hutong.control.statute.queries import rule as rule_of
from hutong.portal.components import charts, words
from hutong.portal.components.page import Page, shell_for
from hutong.portal.components.parts import Badge, Choice, Due, Fact, Step
from hutong.portal.components.peers import department_name
from hutong.vocabulary import codes
from hutong.vocabulary.errors import NotFound, Refused

MOST = 10  # of what is overdue, or refused; the figure itself opens to all
SIDE_WORDS = {
    "provider": lazy("Providers (article 39)"),
    "requester": lazy("Requesters (article 40)"),
    "supervisor": lazy("Supervisor (article 41)"),
    "volume": lazy("Volume"),
}
SOURCES = {
    "clocks": lazy("statutory clocks"),
    "register": lazy("use register"),
    "catalogue": lazy("catalogue"),
    "requests": lazy("requests received"),
    "decisions": lazy("decisions by rule"),
}
SUBJECTS = {"resource": lazy("Data sets"), "demand": lazy("Demands")}


@dataclass(frozen=True)
class FigureRow:
    """One line of a scorecard."""

    url: str
    title: str
    article: str
    definition: str
    source: str
    state: Badge | None  # instead of a number
    why: str
    counted: int
    of: int
    percent: str
    counted_at: datetime | None
    without: str


@dataclass(frozen=True)
class Card:
    label: str
    rows: tuple[FigureRow, ...]


@dataclass(frozen=True)
class OverdueRow:
    url: str
    title: str
    department: str
    rule: str
    due: Due
    told: date | None


@dataclass(frozen=True)
class RefusedRow:
    rule: str
    says: str
    many: int


@dataclass(frozen=True, kw_only=True)
class OversightPage(Page):
    period: str
    lead: str
    department: str
    grains: tuple[Choice, ...]
    earlier_url: str
    later_url: str
    departments: tuple[Choice, ...]
    cards: tuple[Card, ...]
    chart: charts.Shares | None
    overdue: tuple[OverdueRow, ...]
    overdue_total: int
    refused: tuple[RefusedRow, ...]
    statements_url: str


@dataclass(frozen=True)
class StatementRow:
    url: str
    month: str
    figures: int
    digest: str
    made_at: datetime


@dataclass(frozen=True, kw_only=True)
class StatementsPage(Page):
    rows: tuple[StatementRow, ...]
    board_url: str


@dataclass(frozen=True, kw_only=True)
class StatementPage(Page):
    month: str
    facts: tuple[Fact, ...]
    steps: tuple[Step, ...]
    checked: Checked | None
    check_url: str
    differences: tuple[tuple[str, str, str, str], ...]


def period_asked(query: QueryDict) -> Period:
    """raises   BadInput"""
    text = query.get("period", "")
    return read(text) if text else period_of("month", day.today())


def oversight_page(account: Account, query: QueryDict) -> OversightPage:
    period, department = period_asked(query), query.get("department", "")[:18]
    named = _departments()
    chosen = department if department in named else None
    overdue = clocks.overdue() if chosen is None else clocks.overdue().filter(department=chosen)
    return OversightPage(
        shell=shell_for(account, "oversight"),
        period=str(period),
        lead=_("Figures of {period}; each opens to the cases behind it.").format(period=period),
        department=named.get(department, ""),
        grains=tuple(_grain(one, period, chosen) for one in GRAINS),
        earlier_url=_address(period.before, chosen),
        later_url=_address(period.after, chosen) if period.until <= day.today() else "",
        departments=tuple(Choice(code, name, code == chosen) for code, name in named.items()),
        cards=tuple(
            Card(str(label), tuple(_figure(one, period, chosen, named) for one in queries.card(period, side, chosen)))
            for side, label in SIDE_WORDS.items()
        ),
        chart=None if chosen else _by_department(period, named),
        overdue=tuple(_overdue(list(overdue[:MOST]), named)),
        overdue_total=overdue.count(),
        refused=tuple(_refused(period)),
        statements_url=reverse("statements"),
    )


def _grain(grain: Grain, period: Period, department: str | None) -> Choice:
    label = {"month": _("Month"), "quarter": _("Quarter"), "year": _("Year")}[grain]
    return Choice(_address(period_of(grain, period.since), department), label, grain == period.grain)


def _address(period: Period, department: str | None) -> str:
    return f"?period={period}" + (f"&department={department}" if department else "")


def _departments() -> dict[str, str]:
    return {one.code: department_name(one) for one in Department.objects.order_by("name_zh")}


def _figure(line: Line, period: Period, department: str | None, named: dict[str, str]) -> FigureRow:
    language = words.language()
    state, why = said_of(line)
    return FigureRow(
        url=reverse("oversight_figure", args=[line.measure.name]) + _address(period, department),
        title=line.measure.title(language),
        article=line.measure.article,
        definition=line.measure.definition(language),
        source=str(SOURCES[line.measure.ground.source]),
        state=state,
        why=why,
        counted=line.counted,
        of=line.of,
        percent="" if line.percent is None else f"{line.percent:.1f}%",
        counted_at=line.counted_at,
        without=_(", ").join(named.get(one, one) for one in line.without),
    )


def part_name(code: str) -> str:
    """A figure's part: how data are shared, what it is about, or why a request was refused; another code as it is."""
    if code in SUBJECTS:
        return str(SUBJECTS[code])
    return words.code_name(codes.ATTRIBUTES if code in codes.ATTRIBUTES else REFUSALS, code)


def said_of(line: Line) -> tuple[Badge | None, str]:
    """What stands in the place of a number, and why; nothing where there is one."""
    if line.state == "stale":
        since = words.date_word(line.stale_since) if line.stale_since else _("ever")
        return Badge(_("stale"), "bad"), _("No news since {since}; nothing can be said.").format(since=since)
    if line.state == "not_measured":
        return Badge(_("not measured"), "calm"), _("This node does not run the duty this figure is read from.")
    if line.state == "not_counted":
        return Badge(_("not counted"), "wait"), _("No figures are kept of this period.")
    return None, ""


def _by_department(period: Period, named: dict[str, str]) -> charts.Shares | None:
    """Everything a provider had to do in time, by department; those with most that was late first."""
    sums: dict[str, list[int]] = {}
    for one in SIDES["provider"]:
        if one.ground.source != "clocks":
            continue
        for figure in queries.ranking(period, one):
            both = sums.setdefault(figure.department, [0, 0])
            both[0] += figure.of - figure.counted
            both[1] += figure.counted
    ordered = sorted(sums.items(), key=lambda item: (-item[1][1], -item[1][0]))[:MOST]
    lines = [charts.Share(named.get(code, code) or _("This node"), good, bad) for code, (good, bad) in ordered]
    return charts.shares(lines, _("done in time"), _("late")) if lines else None


def _overdue(found: Iterable[Clock], named: dict[str, str]) -> Iterable[OverdueRow]:
    left = clocks.DaysLeft()
    for one in found:
        if one.due_on is None:
            continue
        yield OverdueRow(
            url=reverse("clock", args=[one.id]),
            title=words.of_language(one.title_zh, one.title_en) or one.subject,
            department=named.get(one.department, one.department),
            rule=one.rule,
            due=Due(one.due_on, left(one)),
            told=one.overdue_since,
        )


def _refused(period: Period) -> Iterable[RefusedRow]:
    """The rules that refused most: here, and at the doors of the exchange."""
    here = RefusalCount.objects.filter(day__gte=period.since, day__lt=period.until)
    sums = dict(here.values_list("rule").annotate(many=Sum("refused")).order_by("-many")[:MOST])
    doors = ExchangeDay.objects.filter(day__gte=period.since, day__lt=period.until, outcome="refused")
    for code, many in doors.values_list("code").annotate(many=Sum("exchanges")).order_by("-many")[:MOST]:
        sums[code] = sums.get(code, 0) + many
    for rule, many in sorted(sums.items(), key=lambda one: -one[1])[:MOST]:
        yield RefusedRow(rule, _sentence(rule), many)


def _sentence(name: str) -> str:
    try:
        return rule_of(name).sentence(words.language())
    except (NotFound, Refused):
        return ""


def statements_page(account: Account) -> StatementsPage:
    rows = Statement.objects.order_by("-month")[:60]
    return StatementsPage(
        shell=shell_for(account, "oversight"),
        board_url=reverse("oversight"),
        rows=tuple(
            StatementRow(
                url=reverse("statement", args=[f"{one.month:%Y-%m}"]),
                month=f"{one.month:%Y-%m}",
                figures=len(one.document["figures"]),
                digest=one.digest,
                made_at=one.made_at,
            )
            for one in rows
        ),
    )


def statement_page(account: Account, text: str, *, check: bool) -> StatementPage:
    """raises   BadInput, NotFound"""
    found = checking.statement(read(text).months[0])
    checked = checking.check(found) if check else None
    named = _departments()
    return StatementPage(
        shell=shell_for(account, "oversight"),
        month=f"{found.month:%Y-%m}",
        facts=(
            Fact(_("Closed"), words.moment(found.made_at)),
            Fact(_("Figures"), words.number(len(found.document["figures"]))),
            Fact(_("Digest"), found.digest, mono=True),
            Fact(_("Key"), found.keyid, mono=True),
            Fact(_("Signature"), found.signature, mono=True),
            Fact(_("Ledger entry"), found.entry_digest, mono=True),
        ),
        steps=_steps(checked) if checked else (),
        checked=checked,
        check_url="?verify=1",
        differences=tuple(
            (
                measure(one.measure).title(words.language()),
                named.get(one.department, one.department),
                f"{one.stated} / {one.stated_of}",
                f"{one.found} / {one.found_of}",
            )
            for one in (checked.differences if checked else ())
        ),
    )


def _steps(checked: Checked) -> tuple[Step, ...]:
    def step(holds: bool, say: str, detail: str) -> Step:
        return Step(say, detail, "good" if holds else "bad")

    recount = _("{many} kinds of figures were counted again from the records as of their day.")
    return (
        step(checked.digest_holds, _("The document has this digest"), checked.statement.digest),
        step(checked.signature_holds, _("This node's key signed it"), checked.statement.keyid),
        step(checked.in_ledger, _("The ledger has one entry for the month, with this digest"), ""),
        step(not checked.differences, _("A recount gives the same"), recount.format(many=checked.recounted)),
    )
