"""Corrections 校核 as either side sees them: the list, one trace from old to new, and the report itself."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.http import QueryDict
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as lazy

from hutong.control.agreements import queries as agreements
from hutong.control.agreements.models import Agreement
from hutong.control.clocks import queries as clocks
from hutong.control.clocks.models import Clock
from hutong.control.corrections import content, queries
from hutong.control.corrections.models import Correction, Heard
from hutong.control.identity.models import Account
from hutong.control.identity.rules import Action
from hutong.portal.components import access, asked, scope, words
from hutong.portal.components.page import Page, Refusal, shell_for
from hutong.portal.components.paging import Sheet, sheet
from hutong.portal.components.parts import Badge, Due, Fact, Happening, May, no
from hutong.portal.components.peers import Names
from hutong.portal.components.timelines import story
from hutong.portal.components.titles import title_of_entry, titles_of_entries
from hutong.portal.parties.forms import CorrectionForm, FindingForm
from hutong.vocabulary import codes
from hutong.vocabulary.ids import uuid_of

PAGE_SIZE = 30
TOLD: words.Stated = {
    "told": (lazy("told"), "wait"),
    "acknowledged": (lazy("acknowledged"), "good"),
    "undelivered": (lazy("not taken by the other node"), "bad"),
    "waiting": (lazy("told when its data flows again"), "wait"),
    "fell_away": (lazy("no longer covered"), "calm"),
}
SIDES: dict[str, Promise] = {"provider": lazy("we verify"), "consumer": lazy("we reported")}


@dataclass(frozen=True)
class Row:
    url: str
    title: str
    fault: str
    side: str
    peer: str
    at: datetime
    due: Due | None
    state: Badge


@dataclass(frozen=True, kw_only=True)
class CorrectionsPage(Page):
    heard: tuple[Row, ...]  # corrections of records we have read that wait for our acknowledgement
    rows: tuple[Row, ...]
    pager: Sheet[Correction]


@dataclass(frozen=True)
class Change:
    """One item from old to new, by digest."""

    item: str
    old: str
    new: str


@dataclass(frozen=True)
class Subscriber:
    node: str
    state: Badge
    at: datetime


@dataclass(frozen=True)
class Link:
    """One link of the chain that both ledgers hold."""

    name: str
    digest: str


@dataclass(frozen=True, kw_only=True)
class CorrectionPage(Page):
    title: str
    side: str
    peer: str
    state: Badge
    due: Due | None
    url: str
    facts: tuple[Fact, ...]
    sealed: tuple[Fact, ...]
    open: bool
    ours: bool
    look_failed: str
    looked: bool
    covered: bool
    may_answer: May
    may_look: May
    form: FindingForm
    changes: tuple[Change, ...]
    chain: tuple[Link, ...]
    subscribers: tuple[Subscriber, ...]
    timeline: tuple[Happening, ...]


@dataclass(frozen=True, kw_only=True)
class HeardPage(Page):
    title: str
    peer: str
    state: Badge
    url: str
    facts: tuple[Fact, ...]
    sealed: tuple[Fact, ...]
    changes: tuple[Change, ...]
    chain: tuple[Link, ...]
    may_acknowledge: May
    timeline: tuple[Happening, ...]


@dataclass(frozen=True, kw_only=True)
class ReportPage(Page):
    title: str
    agreement_url: str
    url: str
    form: CorrectionForm
    may_report: May


def corrections_page(account: Account, query: QueryDict) -> CorrectionsPage:
    shown = sheet(
        scope.apart(account, Correction.objects.all()),
        "received_at",
        reverse("corrections"),
        query.dict(),
        size=PAGE_SIZE,
    )
    waiting = list(queries.to_acknowledge(account).select_related("agreement")[:PAGE_SIZE])
    resources = {one.resource_id for one in shown.rows} | {one.agreement.resource_id for one in waiting}
    titles, names = titles_of_entries(resources), Names()
    return CorrectionsPage(
        shell=shell_for(account, "corrections"),
        heard=tuple(_heard_row(one, titles.get(one.agreement.resource_id, ""), names) for one in waiting),
        rows=tuple(_row(one, titles.get(one.resource_id, ""), names) for one in shown.rows),
        pager=shown,
    )


def correction_page(
    account: Account, one: Correction, form: FindingForm, refusal: Refusal | None = None
) -> CorrectionPage:
    names, titles, ours = Names(), asked.titles_of_items(one.resource_id), one.role == "provider"
    may = access.may(account, Action.ANSWER_CORRECTION, one.department or None)
    answered = no(_("It is answered: {finding}.").format(finding=words.state(words.CORRECTION_STATES, one.state).word))
    return CorrectionPage(
        shell=shell_for(account, "corrections"),
        refusal=refusal,
        title=title_of_entry(one.resource_id),
        side=str(SIDES[one.role]),
        peer=names(one.peer),
        state=words.state(words.CORRECTION_STATES, one.state),
        due=_due(one),
        url=reverse("correction", args=[one.pk]),
        facts=_facts(one, titles, names),
        sealed=_sealed(account, one, titles.get(one.key_item, one.key_item)),
        open=ours and one.state == "reported",
        ours=ours,
        looked=one.looked_at is not None,
        look_failed=one.look_failed,
        covered=one.looked_at is None or one.agreement_id in one.reached_before,
        may_answer=may if one.state == "reported" else answered,
        may_look=may if one.looked_at is None else no(_("The record was read.")),
        form=form,
        changes=_changes(one.changes, titles),
        chain=_chain(one),
        subscribers=_subscribers(one, names),
        timeline=story(queries.timeline(one.ticket)),
    )


def heard_page(account: Account, one: Heard) -> HeardPage:
    names, titles = Names(), asked.titles_of_items(one.agreement.resource_id)
    bare = uuid_of(one.agreement_id)
    may = access.may(account, Action.REPORT_CORRECTION, one.department or None)
    facts = (
        Fact(_("Items"), many=tuple(titles.get(name, name) for name in one.items)),
        Fact(_("In which way"), words.code_name(codes.FAULTS, one.fault)),
        Fact(_("Corrected at"), words.moment(one.corrected_at)),
        Fact(_("Agreement"), bare, mono=True),
    )
    acknowledged = one.acknowledged_at is not None
    return HeardPage(
        shell=shell_for(account, "corrections"),
        title=title_of_entry(one.agreement.resource_id),
        peer=names(one.peer),
        state=words.state(TOLD, "acknowledged" if acknowledged else "told"),
        url=reverse("correction_heard", args=[one.pk]),
        facts=facts,
        sealed=_sealed(account, one, titles.get(one.key_item, one.key_item)),
        changes=_changes(one.changes, titles),
        chain=(Link(_("answer"), one.answer_digest), Link(_("told to us"), one.digest)),
        may_acknowledge=no(_("You have acknowledged it.")) if acknowledged else may,
        timeline=story(queries.timeline(one.ticket)),
    )


def report_form(agreement: Agreement, data: QueryDict | None = None) -> CorrectionForm:
    """The items of the agreement; those shown in full may name the record."""
    titles = asked.titles_of_items(agreement.resource_id)
    known = agreements.agreement_page(agreement.id).items
    items = [(one.name, titles.get(one.name, one.name)) for one in known]
    keys = [(one.name, titles.get(one.name, one.name)) for one in known if one.mask.get("action") == "keep"]
    return CorrectionForm(items, keys, data)


def report_page(
    account: Account, agreement: Agreement, form: CorrectionForm, refusal: Refusal | None = None
) -> ReportPage:
    bare = uuid_of(agreement.id)
    return ReportPage(
        shell=shell_for(account, "corrections"),
        refusal=refusal,
        title=title_of_entry(agreement.resource_id),
        agreement_url=reverse("agreement", args=[bare]),
        url=reverse("correction_report", args=[bare]),
        form=form,
        may_report=access.may(account, Action.REPORT_CORRECTION, agreement.department or None),
    )


def _row(one: Correction, title: str, names: Names) -> Row:
    return Row(
        url=reverse("correction", args=[one.pk]),
        title=title,
        fault=words.code_name(codes.FAULTS, one.fault),
        side=str(SIDES[one.role]),
        peer=names(one.peer),
        at=one.reported_at,
        due=_due(one) if one.state == "reported" else None,
        state=words.state(words.CORRECTION_STATES, one.state),
    )


def _heard_row(one: Heard, title: str, names: Names) -> Row:
    return Row(
        url=reverse("correction_heard", args=[one.pk]),
        title=title,
        fault=words.code_name(codes.FAULTS, one.fault),
        side=_("we have read it"),
        peer=names(one.peer),
        at=one.corrected_at,
        due=None,
        state=words.state(TOLD, "told"),
    )


def _due(one: Correction) -> Due | None:
    if one.due_on is None or one.state != "reported":
        return None
    return Due(one.due_on, clocks.days_left(Clock(due_on=one.due_on)))


def _facts(one: Correction, titles: dict[str, str], names: Names) -> tuple[Fact, ...]:
    reporter = names(one.reported_by.removeprefix("node:")) if one.reported_by.startswith("node:") else one.reported_by
    facts = (
        Fact(_("Items"), many=tuple(titles.get(name, name) for name in one.items)),
        Fact(_("In which way"), words.code_name(codes.FAULTS, one.fault)),
        Fact(_("Reported by"), reporter.removeprefix("application:")),
        Fact(_("Reported at"), words.moment(one.reported_at)),
        Fact(_("Agreement"), uuid_of(one.agreement_id), mono=True),
        Fact(_("Ticket"), one.ticket, mono=True),
        Fact(_("Corrected at"), words.moment(one.corrected_at) if one.corrected_at else ""),
    )
    return tuple(fact for fact in facts if fact.value or fact.many)


def _sealed(account: Account, one: Correction | Heard, key: str) -> tuple[Fact, ...]:
    """What only the department's own people see: the record's key, the evidence, the reason of the answer."""
    if account.department_id != one.department or not one.department:
        return ()
    held = content.opened(bytes(one.content))
    said = content.opened(bytes(one.answer)) if isinstance(one, Correction) else {}
    given, local = str(held.get("value", "")), ", ".join(str(one) for one in held.get("local", []))
    facts = (
        Fact(key, local or given, mono=True),
        Fact(_("As the other side knows it"), given if local not in ("", given) else "", mono=True),
        Fact(_("Evidence"), str(held.get("evidence", ""))),
        Fact(_("True source"), str(said.get("source", ""))),
        Fact(_("Reason"), str(said.get("reason", ""))),
    )
    return tuple(fact for fact in facts if fact.value)


def _changes(changes: list[dict[str, str]], titles: dict[str, str]) -> tuple[Change, ...]:
    return tuple(
        Change(titles.get(one["item"], one["item"]), _short(one["old"]), _short(one["new"])) for one in changes
    )


def _short(digest: str) -> str:
    return digest.removeprefix("hmac-sha256:")[:16] or _("no such record")


def _chain(one: Correction) -> tuple[Link, ...]:
    links = (Link(_("report"), one.report_digest), Link(_("answer"), one.answer_digest))
    return tuple(link for link in links if link.digest)


def _subscribers(one: Correction, names: Names) -> tuple[Subscriber, ...]:
    if one.role == "consumer":
        rows = [(row["node"], row["state"], datetime.fromisoformat(row["at"])) for row in one.subscribers]
    else:
        told = one.told.order_by("peer", "id")
        rows = [(row.peer, row.state, row.acknowledged_at or row.told_at) for row in told]
    return tuple(Subscriber(names(node), words.state(TOLD, state), at) for node, state, at in rows)
