"""A figure, and the cases behind it: the list a number opens to, on a page and as CSV."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.http import QueryDict
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as lazy

from hutong.control.agreements.models import Agreement, Negotiation
from hutong.control.catalogue.models import Resource
from hutong.control.clocks.models import Clock
from hutong.control.demands.models import Demand, Duty
from hutong.control.identity.models import Account
from hutong.control.organisations.models import Department
from hutong.control.oversight import queries
from hutong.control.oversight.measures import Measure, measure
from hutong.control.oversight.models import Figure
from hutong.control.oversight.periods import Period
from hutong.control.statute import day
from hutong.control.statute.models import Decision
from hutong.exchange.models import ExchangeRecord
from hutong.portal.components import charts, words
from hutong.portal.components.page import Page, shell_for
from hutong.portal.components.paging import Sheet, sheet
from hutong.portal.components.parts import Badge, Choice, Fact
from hutong.portal.components.peers import Names, department_name
from hutong.portal.components.titles import titles_of_entries
from hutong.portal.supervisors.oversight import SOURCES, part_name, period_asked, said_of
from hutong.vocabulary.ids import uuid_of

PAGE_SIZE = 30
HISTORY = 12  # periods of the chart
MOST_BARS = 12
MOST_LINES = 50_000  # of one CSV file; a spreadsheet takes no more with ease
CLOCK_WORDS = {"met": lazy("done in time"), "late": lazy("done late"), "running": lazy("late, not done")}
FORMULA = ("=", "+", "-", "@", "\t", "\r")  # what a spreadsheet would run


@dataclass(frozen=True)
class CaseRow:
    id: str
    url: str
    title: str
    department: str
    when: str
    detail: str
    counted: bool


@dataclass(frozen=True, kw_only=True)
class FigurePage(Page):
    title: str
    article: str
    definition: str
    period: str
    department: str
    board_url: str
    state: Badge | None
    why: str
    counted: int
    of: int
    median: str
    facts: tuple[Fact, ...]
    history: charts.Shares
    ranking: charts.Shares | None
    shown: tuple[Choice, ...]
    rows: tuple[CaseRow, ...]
    pager: Sheet[Any]
    csv_url: str


def figure_page(account: Account, name: str, query: QueryDict) -> FigurePage:
    """raises   NotFound, BadInput"""
    found, period = measure(name), period_asked(query)
    named = {one.code: department_name(one) for one in Department.objects.all()}
    code = query.get("department", "")
    chosen = code if code in named else None
    (line,) = [one for one in queries.card(period, found.side, chosen) if one.measure is found]
    everything = query.get("show") == "all" or not line.counted
    lists = _rows(found, period, chosen, everything=everything)
    shown = sheet([lists], found.ground.moment, reverse("oversight_figure", args=[name]), query.dict(), size=PAGE_SIZE)
    state, why = said_of(line)
    language = words.language()
    base = f"?period={period}" + (f"&department={chosen}" if chosen else "")
    return FigurePage(
        shell=shell_for(account, "oversight"),
        title=found.title(language),
        article=found.article,
        definition=found.definition(language),
        period=str(period),
        department=named.get(code, ""),
        board_url=reverse("oversight") + base,
        state=state,
        why=why,
        counted=line.counted,
        of=line.of,
        median="" if line.median_days is None else words.number(line.median_days),
        facts=_facts(found, period, chosen, line),
        history=_history(found, period, chosen),
        ranking=None if chosen else _ranking(found, period, named),
        shown=(
            Choice(f"{base}&show=counted", _("counted"), not everything),
            Choice(f"{base}&show=all", _("all cases"), everything),
        ),
        rows=tuple(case_rows(shown.rows, named)),
        pager=shown,
        csv_url=reverse("oversight_csv", args=[name]) + base + ("&show=all" if everything else ""),
    )


def _rows(found: Measure, period: Period, department: str | None, *, everything: bool) -> Any:
    today = day.today()
    rows = found.ground.rows(period, today, department)
    return rows if everything else rows.filter(found.ground.counted(today))


def csv_text(name: str, query: QueryDict) -> str:
    """The cases as CSV, UTF-8 with a mark so that spreadsheets read it.

    raises   NotFound, BadInput
    """
    found, period = measure(name), period_asked(query)
    named = {one.code: department_name(one) for one in Department.objects.all()}
    code = query.get("department", "")
    rows = _rows(found, period, code if code in named else None, everything=query.get("show") == "all")
    out = io.StringIO("\ufeff")
    out.seek(0, io.SEEK_END)
    writer = csv.writer(out)
    writer.writerow([_("Case"), _("What"), _("Department"), _("When"), _("Detail"), _("Counted")])
    counted = set(_rows(found, period, None, everything=False).values_list("pk", flat=True)[: MOST_LINES + 1])
    ordered = list(rows.order_by(f"-{found.ground.moment}", "-pk")[:MOST_LINES])
    for one in case_rows(ordered, named, {str(pk) for pk in counted}):
        texts = (one.id, one.title, one.department, one.when, one.detail)
        writer.writerow([*map(_harmless, texts), int(one.counted)])
    return out.getvalue()


def _harmless(text: str) -> str:
    return "'" + text if text.startswith(FORMULA) else text


def _facts(found: Measure, period: Period, department: str | None, line: queries.Line) -> tuple[Fact, ...]:
    kept = Figure.objects.filter(
        grain=period.grain, since=period.since, measure=found.name, department=department or ""
    ).first()
    facts = [
        Fact(_("Read from"), str(SOURCES[found.ground.source])),
        Fact(_("Period"), f"{words.date_word(period.since)} – {words.date_word(period.until)}"),
        Fact(_("Counted"), words.moment(line.counted_at) if line.counted_at else ""),
        Fact(_("As of"), words.date_word(kept.as_of) if kept else ""),
        Fact(_("Digest of the cases"), kept.rows_digest if kept else "", mono=True),
        Fact(
            _("By code"),
            many=tuple(f"{part_name(code)}: {words.number(many)}" for code, many in sorted(line.parts.items())),
        ),
    ]
    return tuple(one for one in facts if one.value or one.many)


def _history(found: Measure, period: Period, department: str | None) -> charts.Shares:
    lines = [
        charts.Share(str(one), of - counted, counted)
        for one, counted, of in queries.history(found, period, department, HISTORY)
        if of or one == period
    ]
    return charts.shares(lines, _("other cases"), _("counted"))


def _ranking(found: Measure, period: Period, named: Mapping[str, str]) -> charts.Shares | None:
    lines = [
        charts.Share(named.get(one.department, one.department) or _("This node"), one.of - one.counted, one.counted)
        for one in queries.ranking(period, found)[:MOST_BARS]
    ]
    return charts.shares(lines, _("other cases"), _("counted")) if lines else None


def case_rows(rows: Sequence[Any], named: Mapping[str, str], counted: set[str] | None = None) -> Iterable[CaseRow]:
    """Rows of any of the tables a measure reads. `counted`: keys of those that count; all of them when not given."""
    if not rows:
        return
    shown = _SHOWN[type(rows[0])](rows, named)
    for row, (url, title, department, when, detail) in zip(rows, shown, strict=True):
        yield CaseRow(
            id=str(row.pk), url=url, title=title, department=department, when=when, detail=detail,
            counted=counted is None or str(row.pk) in counted,
        )  # fmt: skip


Shown = list[tuple[str, str, str, str, str]]  # address, title, department, when, detail


def _clocks(rows: Sequence[Clock], named: Mapping[str, str]) -> Shown:
    return [
        (
            reverse("clock", args=[one.id]),
            words.of_language(one.title_zh, one.title_en) or one.subject,
            named.get(one.department, one.department),
            _("{received}, due {due}").format(
                received=words.date_word(one.received_on), due=words.date_word(one.due_on) if one.due_on else "–"
            ),
            words.word(CLOCK_WORDS, one.state),
        )
        for one in rows
    ]


def _exchanges(rows: Sequence[ExchangeRecord], named: Mapping[str, str]) -> Shown:
    agreements = {one.id: one for one in Agreement.objects.filter(id__in={one.agreement_id for one in rows})}
    titles = titles_of_entries({one.resource_id for one in agreements.values()})
    shown = []
    for one in rows:
        agreement = agreements.get(one.agreement_id)
        title = titles[agreement.resource_id] if agreement else one.agreement_id
        department = named.get(agreement.department, agreement.department) if agreement else ""
        detail = " · ".join(text for text in (words.state(words.OUTCOMES, one.outcome).word, one.code) if text)
        url = reverse("exchange", args=[one.exchange_id, one.role])
        shown.append((url, title, department, words.moment(one.at), detail))
    return shown


def _negotiations(rows: Sequence[Negotiation], named: Mapping[str, str]) -> Shown:
    titles, names = titles_of_entries({one.dataset_id for one in rows}), Names()
    return [
        (
            reverse("negotiation", args=[uuid_of(one.pid)]),
            f"{titles[one.dataset_id]} · {names(one.peer)}",
            named.get(one.department, one.department),
            words.moment(one.updated_at),
            " · ".join(text for text in (one.refusal_code, one.refusal_citation) if text),
        )
        for one in rows
    ]


def _resources(rows: Sequence[Resource], named: Mapping[str, str]) -> Shown:
    shown = []
    for one in rows:
        kept = getattr(one, "freshness", None)
        until = words.date_word(kept.fresh_until) if kept is not None and kept.fresh_until else ""
        when = _("fresh until {day}").format(day=until) if until else ""
        shown.append((
            reverse("resource", args=[one.id]),
            words.of_language(one.title_zh, one.title_en) or one.id,
            named.get(one.department_id, one.department_id),
            when,
            words.attribute(one.attribute).word,
        ))  # fmt: skip
    return shown


def _decisions(rows: Sequence[Decision], named: Mapping[str, str]) -> Shown:
    """Over a data set or a demand, each with the lead sources it need not have gone round."""
    keys = {one.subject.partition(":")[2] for one in rows}
    titles = {
        ("resource", one.id): words.of_language(one.title_zh, one.title_en)
        for one in Resource.objects.filter(id__in=keys)
    } | {("demand", one.id): one.title for one in Demand.objects.filter(id__in=keys)}
    duties = Duty.objects.in_bulk([duty for one in rows for duty in one.outcome["duties"]])
    shown = []
    for one in rows:
        kind, _colon, key = one.subject.partition(":")
        department = one.facts["department"]
        leads = [duties[duty] for duty in one.outcome["duties"] if duty in duties]
        said = _(", ").join(words.of_language(lead.department_name, lead.department_name_en) for lead in leads)
        detail = _("lead source: {department}").format(department=said) if said else ""
        title = titles.get((kind, key)) or key
        shown.append(
            (reverse(kind, args=[key]), title, named.get(department, department), words.moment(one.made_at), detail)
        )
    return shown


_SHOWN: dict[type, Callable[[Any, Mapping[str, str]], Shown]] = {
    Clock: _clocks,
    Decision: _decisions,
    ExchangeRecord: _exchanges,
    Negotiation: _negotiations,
    Resource: _resources,
}
