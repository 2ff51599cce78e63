"""Reads of negotiations and agreements, for pages, commands and the officer's inbox."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any

from django.db.models import QuerySet

from hutong.control.agreements.consent import asked_of, default_mask
from hutong.control.agreements.drafting import asked_terms
from hutong.control.agreements.models import Agreement, Negotiation, Transfer
from hutong.control.agreements.supplement import Point, read_points
from hutong.control.agreements.terms import AgreedTerms, Terms, read_agreed
from hutong.control.agreements.transitions import CLOSED, OWNERS, Machine, Owner, Party
from hutong.control.calendar import queries as calendar
from hutong.control.catalogue.models import Entry
from hutong.control.identity.rules import ACROSS_DEPARTMENTS, Actor
from hutong.control.statute.day import china_date
from hutong.ledger.models import AuditRecord
from hutong.node import outside
from hutong.vocabulary.calendar import CalendarYearMissing, WorkCalendar
from hutong.vocabulary.errors import NotFound

OPEN = tuple(state for machine, state in OWNERS if machine is Machine.NEGOTIATION and state not in CLOSED[machine])


@dataclass(frozen=True)
class Title:
    """What a resource is called, as far as this node has heard of it."""

    zh: str
    en: str


@dataclass(frozen=True)
class NegotiationRow:
    """One line of the inbox."""

    pid: str
    role: str
    peer: str
    resource_id: str
    title: Title
    state: str
    owner: Owner
    terms: Terms | None
    received_at: datetime
    due_at: date | None
    working_days_left: int | None  # negative when overdue; None without a clock
    decided_by: str
    refusal_code: str
    refusal_reason: str
    refusal_citation: str
    supplement: tuple[Point, ...]  # what the provider says is missing; answered, once the applicant has


@dataclass(frozen=True)
class AgreedItem:
    name: str
    mask: dict[str, Any]


@dataclass(frozen=True)
class AgreementPage:
    """All there is to know about one agreement."""

    agreement: Agreement
    title: Title
    negotiation: NegotiationRow
    terms: AgreedTerms | None
    items: tuple[AgreedItem, ...]
    transfer: Transfer | None  # the newest
    suspended_by: str
    timeline: tuple[AuditRecord, ...]

    def unsigned_by(self, party: str) -> str | None:
        """Why a party's signature will never come; None where it is there, or is still to come."""
        theirs = party != self.agreement.role
        return "not signed by the peer" if theirs and outside.is_outside(self.agreement.peer) else None


def inbox(account: Actor, *, everything: bool = False) -> list[NegotiationRow]:
    """Requests we received, those due first, an officer's department's only; closed ones too with `everything`."""
    found = _seen_by(account, Negotiation.objects.filter(role=Party.PROVIDER))
    return rows((found if everything else found.filter(state__in=OPEN)).order_by("due_at", "created_at"))


def sent(account: Actor) -> list[NegotiationRow]:
    """Requests this node made as consumer, the newest first."""
    return rows(_seen_by(account, Negotiation.objects.filter(role=Party.CONSUMER)).order_by("-created_at"))


def negotiation(pid: str) -> NegotiationRow:
    """raises   NotFound"""
    found = Negotiation.objects.filter(pid=pid).first()
    if found is None:
        raise NotFound(what="request", name=pid[:80])
    return row(found)


def default_masks(pid: str) -> dict[str, dict[str, Any]]:
    """The catalogue's mask for each item asked for, where it may be shared: what an officer begins with."""
    found = negotiation(pid)
    shareable = asked_of(found.resource_id).shareable
    wanted = found.terms.items if found.terms else tuple(shareable)
    return {name: default_mask(shareable[name]) for name in wanted if name in shareable}


def agreements(account: Actor) -> list[Agreement]:
    """Agreements an account may see, the newest first."""
    rows = Agreement.objects.select_related("negotiation").order_by("-created_at")
    if account.role in ACROSS_DEPARTMENTS:
        return list(rows)
    return list(rows.filter(department__in=(account.department_id or "-", "")))


def agreement(agreement_id: str) -> Agreement:
    """raises   NotFound"""
    found = Agreement.objects.select_related("negotiation").filter(id=agreement_id).first()
    if found is None:
        raise NotFound(what="agreement", name=agreement_id[:80])
    return found


def agreement_page(agreement_id: str) -> AgreementPage:
    """raises   NotFound"""
    found = agreement(agreement_id)
    terms = read_agreed(found.document)
    named = zip(terms.asked.items, terms.masks, strict=True) if terms else ()
    newest = found.transfers.order_by("-created_at").first()
    return AgreementPage(
        agreement=found,
        title=title_of(found.resource_id),
        negotiation=row(found.negotiation),
        terms=terms,
        items=tuple(AgreedItem(name, mask) for name, mask in named),
        transfer=newest,
        suspended_by=newest.suspended_by if newest else "",
        timeline=tuple(timeline(agreement_id)),
    )


def timeline(agreement_id: str) -> list[AuditRecord]:
    """Every audit record of an agreement from the first request on, the oldest first."""
    found = agreement(agreement_id)
    subjects = [f"agreement:{found.id}", f"negotiation:{found.negotiation_id}"]
    subjects += [f"transfer:{pid}" for pid in found.transfers.values_list("pid", flat=True)]
    if found.negotiation.request_id:
        subjects.append(f"request:{found.negotiation.request_id}")
    return list(AuditRecord.objects.filter(subject__in=subjects).order_by("id"))


def negotiation_timeline(pid: str) -> list[AuditRecord]:
    """The audit records of one negotiation, the oldest first."""
    return list(AuditRecord.objects.filter(subject=f"negotiation:{pid}").order_by("id"))


def title_of(resource_id: str) -> Title:
    names = Entry.objects.filter(id=resource_id).values_list("title_zh", "title_en").first()
    return Title(*names) if names else Title(resource_id, resource_id)


def rows(found: Iterable[Negotiation]) -> list[NegotiationRow]:
    """The same of many, their titles and the calendar read once."""
    many, days = list(found), calendar.in_force()
    named = Entry.objects.filter(id__in={one.dataset_id for one in many}).values_list("id", "title_zh", "title_en")
    titles = {entry_id: Title(zh, en) for entry_id, zh, en in named}
    return [row(one, titles.get(one.dataset_id, Title(one.dataset_id, one.dataset_id)), days) for one in many]


def row(found: Negotiation, title: Title | None = None, days: WorkCalendar | None = None) -> NegotiationRow:
    """One negotiation as people see it; `title` and `days` where they are known already."""
    return NegotiationRow(
        pid=found.pid,
        role=found.role,
        peer=found.peer,
        resource_id=found.dataset_id,
        title=title or title_of(found.dataset_id),
        state=found.state,
        owner=OWNERS[(Machine.NEGOTIATION, found.state)],
        terms=asked_terms(found),
        received_at=found.created_at,
        due_at=found.due_at,
        working_days_left=_days_left(found, days),
        decided_by=found.decided_by,
        refusal_code=found.refusal_code,
        refusal_reason=found.refusal_reason,
        refusal_citation=found.refusal_citation,
        supplement=read_points(found.offer),
    )


def _seen_by(account: Actor, rows: QuerySet[Negotiation]) -> QuerySet[Negotiation]:
    if account.role in ACROSS_DEPARTMENTS:
        return rows
    return rows.filter(department__in=(account.department_id or "-", ""))


def _days_left(found: Negotiation, days: WorkCalendar | None) -> int | None:
    if found.due_at is None or found.state in CLOSED[Machine.NEGOTIATION]:
        return None
    try:
        return (days or calendar.in_force()).left(china_date(datetime.now(UTC)), found.due_at)
    except CalendarYearMissing:
        return None


def class_of(agreement_id: str) -> str:
    """What sort of agreement it is, for counting: `granted` by law, else its mode; "" for one this node has not."""
    document = Agreement.objects.filter(id=agreement_id).values_list("document", flat=True).first()
    if document is None:
        return ""
    agreed = read_agreed(document)
    if agreed is None:
        return ""
    return "granted" if agreed.asked.law else agreed.asked.mode
