"""The use register: each exchange with its receipt."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from django.db.models import QuerySet
from django.http import QueryDict
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from hutong.control.agreements.models import Agreement
from hutong.control.identity.models import Account
from hutong.control.oversight import tally
from hutong.exchange.models import ExchangeRecord
from hutong.node import settings as node_settings
from hutong.portal.auditors.forms import RegisterFilter
from hutong.portal.auditors.verification import Verification, entry_of
from hutong.portal.components import charts, scope, words
from hutong.portal.components.page import Page, shell_for
from hutong.portal.components.paging import Sheet, sheet
from hutong.portal.components.parts import YES, Badge, Fact, May, no
from hutong.portal.components.peers import Names
from hutong.portal.components.refusing import NothingHere
from hutong.portal.components.titles import titles_of_entries
from hutong.vocabulary import codes
from hutong.vocabulary.ids import uuid_of

PAGE_SIZE = 50
CHART_DAYS = 30


@dataclass(frozen=True)
class Row:
    url: str
    at: datetime
    side: str
    peer: str
    title: str
    agreement_url: str
    purpose: str
    case: str
    rows: int
    form: str
    outcome: Badge
    code: str
    receipt: str


@dataclass(frozen=True, kw_only=True)
class ExchangesPage(Page):
    form: RegisterFilter
    rows: tuple[Row, ...]
    pager: Sheet[ExchangeRecord]
    chart: charts.Bars


@dataclass(frozen=True, kw_only=True)
class ReceiptPage(Page):
    title: str
    outcome: Badge
    at: datetime
    side: str
    peer: str
    verify_url: str
    may_verify: May
    facts: tuple[Fact, ...]
    digests: tuple[Fact, ...]
    document: str
    verification: Verification | None


def exchanges_page(account: Account, query: QueryDict) -> ExchangesPage:
    form = RegisterFilter(query)
    seen = scope.exchanges(account)
    chosen = _filtered(seen, form)
    shown = sheet(
        [chosen], "at", reverse("exchanges"), {name: query.getlist(name)[-1] for name in query}, size=PAGE_SIZE
    )
    return ExchangesPage(
        shell=shell_for(account, "exchanges"),
        form=form,
        rows=tuple(_rows(shown.rows)),
        pager=shown,
        chart=per_day(account, timezone.localdate(), CHART_DAYS),
    )


def receipt_page(account: Account, record: ExchangeRecord, verification: Verification | None = None) -> ReceiptPage:
    (row,) = _rows([record])
    entry = entry_of(record, node_settings.current().ledger_folder)
    return ReceiptPage(
        shell=shell_for(account, "exchanges"),
        title=row.title,
        outcome=row.outcome,
        at=row.at,
        side=row.side,
        peer=row.peer,
        verify_url=reverse("exchange_verify", args=[record.exchange_id, record.role]),
        may_verify=YES if record.entry_digest else no(_("This exchange has no receipt yet.")),
        facts=_facts(record, row),
        digests=_digests(record),
        document=json.dumps(entry, ensure_ascii=False, indent=2) if entry else "",
        verification=verification,
    )


def record_of(account: Account, exchange_id: str, role: str) -> ExchangeRecord:
    """raises   NothingHere, also for what belongs to another department"""
    found = scope.exchanges(account).filter(exchange_id=exchange_id, role=role).first()
    if found is None:
        raise NothingHere
    return found


def per_day(account: Account, today: date, days: int) -> charts.Bars:
    """Served, and refused or cut off, on each of the last days."""
    shown = charts.last_days(today, days)
    departments = None if scope.sees_all(account) else (account.department_id or "-", "")
    counted = tally.days(shown[0], departments)
    return charts.bars([charts.Day(day, *counted.get(day, (0, 0))) for day in shown])


def _filtered(seen: QuerySet[ExchangeRecord], form: RegisterFilter) -> QuerySet[ExchangeRecord]:
    if not form.is_valid():
        return seen
    chosen = form.cleaned_data
    if chosen["outcome"]:
        seen = seen.filter(outcome=chosen["outcome"])
    if chosen["role"]:
        seen = seen.filter(role=chosen["role"])
    if chosen["agreement"]:
        seen = seen.filter(agreement_id=chosen["agreement"])
    if chosen["since"]:
        seen = seen.filter(at__gte=_midnight(chosen["since"]))
    if chosen["until"]:
        seen = seen.filter(at__lt=_midnight(chosen["until"] + timedelta(days=1)))
    return seen


def _midnight(day: date) -> datetime:
    return timezone.make_aware(datetime.combine(day, datetime.min.time()))


def _rows(records: Sequence[ExchangeRecord]) -> list[Row]:
    agreements = {one.id: one for one in Agreement.objects.filter(id__in={one.agreement_id for one in records})}
    titles = titles_of_entries({one.resource_id for one in agreements.values()})
    names = Names()
    return [_row(one, agreements.get(one.agreement_id), titles, names) for one in records]


def _row(record: ExchangeRecord, agreement: Agreement | None, titles: Mapping[str, str], names: Names) -> Row:
    title = titles[agreement.resource_id] if agreement else uuid_of(record.agreement_id)
    return Row(
        url=reverse("exchange", args=[record.exchange_id, record.role]),
        at=record.at,
        side=words.word(words.SIDES, record.role),
        peer=names(record.peer),
        title=title,
        agreement_url=reverse("agreement", args=[uuid_of(agreement.id)]) if agreement else "",
        purpose=words.code_name(codes.PURPOSES, record.purpose),
        case=record.case_number,
        rows=record.rows,
        form=words.word(words.FORMS, record.form),
        outcome=words.state(words.OUTCOMES, record.outcome),
        code=record.code,
        receipt=record.entry_digest,
    )


def _facts(record: ExchangeRecord, row: Row) -> tuple[Fact, ...]:
    facts = [
        Fact(_("Agreement"), record.agreement_id, mono=True),
        Fact(_("Purpose"), row.purpose),
        Fact(_("Case number"), record.case_number),
        Fact(_("Application"), record.application),
        Fact(_("Rows"), words.number(record.rows)),
        Fact(_("Bytes"), words.number(record.bytes)),
        Fact(_("Form"), row.form),
        Fact(_("Took"), _("{ms} ms").format(ms=words.number(record.took_ms))),
        Fact(_("Refusal"), record.code, mono=True),
        Fact(_("Exchange"), record.exchange_id, mono=True),
    ]
    return tuple(fact for fact in facts if fact.value)


def _digests(record: ExchangeRecord) -> tuple[Fact, ...]:
    facts = [
        Fact(_("Receipt"), record.entry_digest, mono=True),
        Fact(_("Request"), record.request_digest, mono=True),
        Fact(_("Answer"), record.response_digest, mono=True),
        Fact(_("Case"), record.case_digest, mono=True),
    ]
    return tuple(fact for fact in facts if fact.value)
