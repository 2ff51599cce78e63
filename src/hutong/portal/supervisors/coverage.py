"""The coverage report as a page: figures that open to their findings, departments, systems, and a file of it all."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from urllib.parse import urlencode

from django import forms
from django.db.models import QuerySet
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as lazy

from hutong.control.catalogue import coverage
from hutong.control.catalogue.models import InformationSystem, Resource
from hutong.control.identity.models import Account
from hutong.control.identity.rules import Action
from hutong.control.organisations.queries import departments
from hutong.portal.components import access, scope, words
from hutong.portal.components.charts import Share, Shares, shares
from hutong.portal.components.form import Form
from hutong.portal.components.page import Page, Refusal, shell_for
from hutong.portal.components.paging import COUNT_UP_TO
from hutong.portal.components.parts import Badge, Choice, Figure, May
from hutong.portal.components.peers import department_name
from hutong.vocabulary import codes

ROWS = 50
MOST_LINES = 12  # departments in the chart; the table has all


class SystemForm(Form):
    """An information system of a department."""

    code = forms.CharField(label=lazy("System code"), max_length=60)
    name = forms.CharField(label=lazy("System name"), max_length=200)

    def __init__(self, account: Account, data: Any = None) -> None:
        super().__init__(data)
        if account.department is None:
            every = [(one.code, department_name(one)) for one in departments()]
            self.fields["department_code"] = forms.ChoiceField(label=lazy("Department"), choices=every)


@dataclass(frozen=True)
class DepartmentRow:
    name: str
    url: str
    systems: int
    covered: int
    resources: int
    published: int
    live: int
    findings: tuple[Figure, ...]


@dataclass(frozen=True)
class SystemRow:
    name: str
    code: str
    department: str
    resources: int
    published: int
    live: int
    last_probe: datetime | None
    state: Badge
    retire_url: str
    may_retire: May


@dataclass(frozen=True)
class FindingRow:
    title: str
    url: str
    department: str
    detail: str
    since: date | None


@dataclass(frozen=True, kw_only=True)
class CoveragePage(Page):
    figures: tuple[Figure, ...]
    chart: Shares | None
    departments: tuple[DepartmentRow, ...]
    csv_url: str
    systems_url: str


@dataclass(frozen=True, kw_only=True)
class SystemsPage(Page):
    systems: tuple[SystemRow, ...]
    form: SystemForm
    may_register: May
    next_url: str


@dataclass(frozen=True, kw_only=True)
class FindingsPage(Page):
    kinds: tuple[Choice, ...]
    department: str
    department_code: str
    total: int
    more: bool  # than that
    rows: tuple[FindingRow, ...]
    next_url: str


def coverage_page(account: Account) -> CoveragePage:
    own = scope_of(account)
    rows = coverage.report(own)
    counts = coverage.total(rows)
    lines = sorted(rows, key=lambda one: -sum(one.counts.findings.values()))[:MOST_LINES]
    drawn = [
        Share(department_name(one.department), one.counts.live, one.counts.resources - one.counts.live)
        for one in lines
        if one.counts.resources
    ]
    figures = [
        Figure(counts.systems, _("information systems"), reverse("systems")),
        *(Figure(number, _finding(code), _findings_url(code)) for code, number in counts.findings.items()),
    ]
    return CoveragePage(
        shell=shell_for(account, "coverage"),
        figures=tuple(figures),
        chart=shares(drawn, _("with a live source"), _("without one")) if drawn else None,
        departments=tuple(_department(one) for one in rows),
        csv_url=reverse("coverage_csv"),
        systems_url=reverse("systems"),
    )


def systems_page(account: Account, form: SystemForm, first: int = 0, refusal: Refusal | None = None) -> SystemsPage:
    listed = coverage.registered(scope_of(account), first, ROWS + 1)
    more = len(listed) > ROWS
    return SystemsPage(
        shell=shell_for(account, "coverage"),
        refusal=refusal,
        systems=tuple(_system(account, one, counts) for one, counts in listed[:ROWS]),
        form=form,
        may_register=access.may(account, Action.REGISTER_SYSTEM),
        next_url=f"?first={first + ROWS}" if more else "",
    )


def findings_page(account: Account, kind: str, department: str, after: str) -> FindingsPage:
    """raises   KeyError for a kind that is none"""
    own = scope_of(account) or department or None
    found = coverage.found(kind, own)
    listed = list((found.filter(id__gt=after) if after else found)[: ROWS + 1])
    counted, more = _counted(found)
    chosen = {"department": department} if department else {}
    return FindingsPage(
        shell=shell_for(account, "coverage"),
        kinds=tuple(Choice(code, _finding(code), code == kind) for code in coverage.FINDINGS.codes),
        department=next((department_name(one) for one in departments() if one.code == department), ""),
        department_code=department,
        total=counted,
        more=more,
        rows=tuple(_row(account, one) for one in listed[:ROWS]),
        next_url=f"?{urlencode(chosen | {'after': listed[ROWS - 1].id})}" if len(listed) > ROWS else "",
    )


def _counted(found: QuerySet[Any]) -> tuple[int, bool]:
    """How many, up to as many as anybody counts; True where there are more."""
    number = found.order_by()[: COUNT_UP_TO + 1].count()
    return min(number, COUNT_UP_TO), number > COUNT_UP_TO


def csv_rows(account: Account) -> Iterator[str]:
    """The report as lines of CSV: one for each system, then one for what belongs to none."""
    writer = csv.writer(_Echo())
    yield "\ufeff"  # so that spreadsheets read it as UTF-8
    yield writer.writerow([
        _("Department"), _("Department code"), _("System code"), _("System name"), _("Resources"),
        _("Of them published"),
        _("With a live source"), _finding("no_live_source"), _finding("no_conditions"), _finding("stale"),
        _("Last answer"),
    ])  # fmt: skip
    for one in coverage.systems(scope_of(account)):
        name = one.name or _finding("not_linked")
        probed = one.last_probe.isoformat(timespec="seconds") if one.last_probe else ""
        texts = [department_name(one.department), one.department.code, one.code, name]
        numbers = [one.resources, one.published, one.live, one.no_live_source, one.no_conditions, one.stale]
        yield writer.writerow([*map(_plain, texts), *numbers, probed])


def scope_of(account: Account) -> str | None:
    """The department whose coverage an account sees; None for all."""
    return None if scope.sees_all(account) else account.department_id


class _Echo:
    @staticmethod
    def write(line: str) -> str:
        return line


def _plain(text: str) -> str:
    """A text that no spreadsheet takes for a formula."""
    return "'" + text if text[:1] in "=+-@\t\r" and text else text


def _finding(code: str) -> str:
    word = words.code_name(coverage.FINDINGS, code)
    return word[:1].upper() + word[1:]


def _findings_url(kind: str, department: str = "") -> str:
    rest = f"?{urlencode({'department': department})}" if department else ""
    return reverse("coverage_findings", args=[kind]) + rest


def _department(one: coverage.DepartmentCoverage) -> DepartmentRow:
    counts = one.counts
    return DepartmentRow(
        name=department_name(one.department),
        url=_findings_url("no_live_source", one.department.code),
        systems=counts.systems,
        covered=counts.systems_with_catalogue,
        resources=counts.resources,
        published=counts.published,
        live=counts.live,
        findings=tuple(
            Figure(number, _finding(code), _findings_url(code, one.department.code))
            for code, number in counts.findings.items()
        ),
    )


def _system(account: Account, one: InformationSystem, counts: coverage.SystemCoverage) -> SystemRow:
    covered = Badge(_("in the catalogue"), "good") if counts.resources else Badge(_("no catalogue"), "bad")
    return SystemRow(
        name=one.name,
        code=one.code,
        department=department_name(one.department),
        resources=counts.resources,
        published=counts.published,
        live=counts.live,
        last_probe=counts.last_probe,
        state=covered,
        retire_url=reverse("system_retire", args=[one.id]),
        may_retire=access.may(account, Action.REGISTER_SYSTEM, one.department_id),
    )


def where(account: Account, one: Resource) -> str:
    """Where it is put right, for those who may; else as others see it, once it was published."""
    if access.may(account, Action.DESCRIBE_RESOURCE, one.department_id):
        return reverse("resource_edit", args=[one.id])
    return reverse("resource", args=[one.id]) if one.version else ""


def _row(account: Account, one: Resource | InformationSystem) -> FindingRow:
    if isinstance(one, InformationSystem):
        return FindingRow(one.name, "", department_name(one.department), one.code, None)
    cycle = words.code_name(codes.UPDATE_CYCLES, one.update_cycle)
    return FindingRow(
        title=words.of_language(one.title_zh, one.title_en) or _("A new resource"),
        url=where(account, one),
        department=department_name(one.department),
        detail=" · ".join(part for part in (one.code, one.source_system, cycle) if part),
        since=coverage.stale_since(one),
    )
