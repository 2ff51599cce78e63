"""The public page: what this node counts of its sharing, for everybody."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.utils.translation import gettext as _

from hutong.control.oversight import public, queries
from hutong.control.oversight.periods import Period, period_of
from hutong.control.oversight.queries import Line
from hutong.control.statute import day
from hutong.portal.components import charts, words
from hutong.portal.components.page import Page, shell_for_door
from hutong.portal.components.parts import Badge, Choice
from hutong.portal.supervisors.oversight import part_name, said_of

HISTORY = 6  # months of the chart


@dataclass(frozen=True)
class Part:
    """Of the cases, those told by one code."""

    word: str
    many: str


@dataclass(frozen=True)
class PublicFigure:
    title: str
    definition: str
    number: str
    label: str
    note: str
    state: Badge | None
    parts: tuple[Part, ...]
    counted_at: datetime | None


@dataclass(frozen=True, kw_only=True)
class PublicFiguresPage(Page):
    lead: str
    periods: tuple[Choice, ...]
    small: str
    figures: tuple[PublicFigure, ...]
    chart: charts.Shares | None
    json_url: str


def figures_page(period: Period) -> PublicFiguresPage:
    least = public.fewest(period)
    shell = shell_for_door()
    lines = public.lines(period)
    return PublicFiguresPage(
        shell=shell,
        lead=_("{node}, {period}: how government data is shared.").format(node=shell.node, period=period),
        periods=tuple(
            Choice(f"?period={one}", str(one), one == period)
            for one in (period_of("month", day.today()), period_of("month", day.today()).before,
                        period_of("year", day.today()))
        ),
        small=_("Numbers below {fewest} are shown as “fewer than {fewest}”.").format(fewest=least),
        figures=tuple(_public(one, least) for one in lines),
        chart=_chart(period, least),
        json_url=f"/figures.json?period={period}",
    )  # fmt: skip


def _public(line: Line, least: int) -> PublicFigure:
    language, shown = words.language(), public.SHOWN[line.measure.name]
    state, why = said_of(line)
    number, label = _told(line, least) if state is None else ("", "")
    parts = queries.publishable(line.parts, least) if state is None else {}
    note = why
    if state is None and line.median_days is not None and not queries.hidden(line.of, least):
        note = _("The middle case was answered on day {days}.").format(days=words.number(line.median_days))
    return PublicFigure(
        title=shown.titles[0 if language == "zh" else 1],
        definition=shown.definitions[0 if language == "zh" else 1],
        number=number,
        label=label,
        note=note,
        state=state,
        parts=tuple(Part(part_name(code), _few(many, least)) for code, many in sorted(parts.items())),
        counted_at=line.counted_at,
    )


def _told(line: Line, least: int) -> tuple[str, str]:
    """The number, and of how many; hidden where either, or what is left over, is small."""
    found = public.number(line, least)
    few = _few(found, least, exact=queries.hidden(public.SHOWN[line.measure.name].number(line), least))
    if found == line.of or (found is None and line.measure.ground.snapshot):
        return few, ""
    return few, _("of {many} cases").format(many=_few(None if queries.hidden(line.of, least) else line.of, least))


def _few(many: int | None, least: int, *, exact: bool = True) -> str:
    if many is not None:
        return words.number(many)
    return _("fewer than {fewest}").format(fewest=least) if exact else _("not shown")


def _chart(period: Period, least: int) -> charts.Shares | None:
    """Exchanges of the last months; only numbers that may be shown."""
    from hutong.control.oversight.measures import measure

    month = period.months[-1] if period.months[-1].since <= day.today() else period_of("month", day.today())
    lines = [
        charts.Share(str(one), counted, of - counted)
        for one, counted, of in queries.history(measure("exchanges"), month, None, HISTORY)
        if not any(queries.hidden(number, least) for number in (counted, of, of - counted)) and of
    ]
    return charts.shares(lines, _("served"), _("refused or cut off")) if lines else None
