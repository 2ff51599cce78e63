"""The room of use: what was served and used lately, by partner, agreement and purpose, and the signed files."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from django.http import QueryDict
from django.urls import reverse
from django.utils.translation import gettext as _

from hutong.control.agreements.models import Agreement
from hutong.control.identity.models import Account
from hutong.control.metering import actions, measuring, rules
from hutong.control.metering.models import MeterComparison, MeterFile
from hutong.control.statute.day import today
from hutong.node.settings import current
from hutong.portal.components import charts, words
from hutong.portal.components.page import Page, shell_for
from hutong.portal.components.paging import Pager, page_number, pager
from hutong.portal.components.parts import Badge
from hutong.portal.components.peers import Names
from hutong.portal.components.titles import titles_of_entries
from hutong.vocabulary import codes
from hutong.vocabulary.canonical import canonical_bytes
from hutong.vocabulary.errors import NotFound
from hutong.vocabulary.ids import uuid_of

DAYS = 30
PAGE_SIZE = 30
WELL = ("served", "recovered")
FILTERS = ("peer", "agreement", "purpose", "role")


@dataclass(frozen=True)
class UseRow:
    """One agreement and purpose, as it was used in the days shown."""

    peer: str
    side: str
    title: str
    url: str
    purpose: str
    only: str  # the address that shows this alone
    calls: int
    hits: int
    rows: int
    bytes: int
    refused: int
    mean_ms: int | None
    mean_age: str  # "" where nothing tells


@dataclass(frozen=True)
class NamedFile:
    label: str
    url: str


@dataclass(frozen=True)
class DayRow:
    day: date
    peer: str
    state: Badge
    files: tuple[NamedFile, ...]
    differences: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class MetersPage(Page):
    chart: charts.Bars
    volume: charts.Shares | None
    use: tuple[UseRow, ...]
    only: str  # what is shown alone, "" for everything
    all_url: str
    days: tuple[DayRow, ...]
    pager: Pager


def meters_page(account: Account, asked: QueryDict) -> MetersPage:
    wanted = {name: str(asked[name]) for name in FILTERS if asked.get(name)}
    shown = charts.last_days(today(), DAYS)
    lines = [(day, one) for day, one in _lines(shown) if all(one[name] == value for name, value in wanted.items())]
    names = Names()
    use = _use([one for _, one in lines], names)
    found = MeterComparison.objects.order_by("-day", "peer")
    pages = pager(reverse("meters"), wanted, page=page_number(asked.get("page")), size=PAGE_SIZE, total=found.count())
    first = (pages.page - 1) * PAGE_SIZE
    return MetersPage(
        shell=shell_for(account, "meters"),
        chart=charts.bars([_day(day, [one for at, one in lines if at == day]) for day in shown]),
        volume=_volume(use) if len(use) > 1 else None,
        use=use,
        only=_only(wanted, use),
        all_url=reverse("meters"),
        days=tuple(_compared(one, names) for one in found[first : first + PAGE_SIZE]),
        pager=pages,
    )


def file_text(number: int) -> tuple[str, bytes]:
    """A file's name and content, as `hutong meter verify` reads it. raises   NotFound"""
    found = MeterFile.objects.filter(id=number).first()
    if found is None:
        raise NotFound(what="meter file", what_zh="计量文件", name=str(number))
    name = f"meter-{found.author}-{found.peer}-{found.day.isoformat()}-v{found.version}.json"
    return name, canonical_bytes(actions.wire(found))


def _lines(days: list[date]) -> Iterable[tuple[date, dict[str, Any]]]:
    """Of the newest file of each day and partner; of today, from the register as it stands."""
    newest: dict[tuple[date, str], MeterFile] = {}
    files = MeterFile.objects.filter(author=current().jurisdiction, day__gte=days[0], day__lte=days[-1])
    for one in files.order_by("version"):
        newest[one.day, one.peer] = one
    for (day, peer), one in newest.items():
        yield from ((day, {**line, "peer": peer}) for line in rules.read(bytes(one.document))["lines"])
    for day in (days[-1] - timedelta(days=1), days[-1]):
        for peer in measuring.peers(day):
            if (day, peer) not in newest:
                yield from ((day, {**line, "peer": peer}) for line in measuring.lines(day, peer))


def _day(day: date, lines: list[dict[str, Any]]) -> charts.Day:
    served = sum(one["calls"] for one in lines if one["outcome"] in WELL)
    return charts.Day(day, served, sum(one["calls"] for one in lines) - served)


def _use(lines: list[dict[str, Any]], names: Names) -> tuple[UseRow, ...]:
    by: dict[tuple[str, str, str, str], list[dict[str, Any]]] = defaultdict(list)
    for one in lines:
        by[one["peer"], one["role"], one["agreement"], one["purpose"]].append(one)
    resources = dict(Agreement.objects.filter(id__in={key[2] for key in by}).values_list("id", "resource_id"))
    known = titles_of_entries(set(resources.values()))
    titles = {agreement: known[resource] for agreement, resource in resources.items()}
    rows = [_row(key, of, titles, names) for key, of in by.items()]
    return tuple(sorted(rows, key=lambda row: (-row.calls, row.title)))


def _row(key: tuple[str, str, str, str], of: list[dict[str, Any]], titles: dict[str, str], names: Names) -> UseRow:
    peer, role, agreement, purpose = key
    well = [one for one in of if one["outcome"] in WELL]
    sums = {name: sum(one[name] for one in well) for name in rules.COUNTS}
    query = QueryDict(mutable=True)
    query.update({"peer": peer, "role": role, "agreement": agreement, "purpose": purpose})
    return UseRow(
        peer=names(peer),
        side=words.word(words.SIDES, role),
        title=titles.get(agreement, uuid_of(agreement)),
        url=reverse("agreement", args=[uuid_of(agreement)]) if agreement in titles else "",
        purpose=words.code_name(codes.PURPOSES, purpose),
        only=f"{reverse('meters')}?{query.urlencode()}",
        calls=sums["calls"],
        hits=sums["hits"],
        rows=sums["rows"],
        bytes=sums["bytes"],
        refused=sum(one["calls"] for one in of) - sums["calls"],
        mean_ms=round(sums["took_ms"] / sums["calls"]) if sums["calls"] else None,
        mean_age=_age(sums["age_s"] // sums["aged"]) if sums["aged"] else "",
    )


def _age(seconds: int) -> str:
    if seconds < 3600:
        return _("{count} min").format(count=words.number(seconds // 60))
    if seconds < 2 * 86_400:
        return _("{count} h").format(count=words.number(seconds // 3600))
    return _("{count} d").format(count=words.number(seconds // 86_400))


def _volume(use: tuple[UseRow, ...]) -> charts.Shares:
    by: dict[str, list[int]] = defaultdict(lambda: [0, 0])
    for one in use:
        by[one.peer][0] += one.calls
        by[one.peer][1] += one.refused
    lines = [charts.Share(peer, calls, refused) for peer, (calls, refused) in by.items()]
    return charts.shares(lines, _("served"), _("refused or cut off"))


def _only(wanted: dict[str, str], use: tuple[UseRow, ...]) -> str:
    if not wanted:
        return ""
    return " · ".join((use[0].peer, use[0].title, use[0].purpose)) if use else _("Nothing was exchanged so.")


def _compared(one: MeterComparison, names: Names) -> DayRow:
    us = current().jurisdiction
    found = []
    for author, peer, label in ((us, one.peer, _("ours")), (one.peer, us, _("theirs"))):
        for made in MeterFile.objects.filter(author=author, peer=peer, day=one.day).order_by("version"):
            said = _("{whose}, version {version}").format(whose=label, version=made.version)
            found.append(NamedFile(said, reverse("meter_file", args=[made.id])))
    told = _("{purpose}, {outcome}: {what} {ours} here, {theirs} there")
    return DayRow(
        day=one.day,
        peer=names(one.peer),
        state=words.state(words.METERS, one.state),
        files=tuple(found),
        differences=tuple(
            told.format(
                purpose=words.code_name(codes.PURPOSES, line["purpose"]),
                outcome=words.state(words.OUTCOMES, line["outcome"]).word,
                what=words.word(words.METERED, line["what"]),
                ours=words.number(line["ours"]),
                theirs=words.number(line["theirs"]),
            )
            for line in one.differences
        ),
    )
