"""An agreement as both parties see it: signatures, terms, use, timeline; and what the provider may do to it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.http import QueryDict
from django.urls import reverse
from django.utils.translation import gettext as _

from hutong.control.agreements import queries
from hutong.control.agreements.models import Agreement
from hutong.control.conduct import actions as conduct
from hutong.control.identity.models import Account
from hutong.control.identity.rules import Action
from hutong.control.subscriptions import queries as subscriptions
from hutong.exchange.models import Grant
from hutong.node import outside
from hutong.node import settings as node_settings
from hutong.portal.components import access, asked, concerning, scope, words
from hutong.portal.components.concerning import Concerning
from hutong.portal.components.page import Page, Refusal, shell_for
from hutong.portal.components.paging import Sheet, sheet
from hutong.portal.components.parts import Badge, Due, Fact, Happening, May, no
from hutong.portal.components.peers import Names
from hutong.portal.components.refusing import NothingHere
from hutong.portal.components.timelines import story
from hutong.portal.components.titles import titles_of_entries
from hutong.portal.parties import papers as filed
from hutong.portal.parties.forms import ReasonForm
from hutong.vocabulary import codes
from hutong.vocabulary.errors import Refused
from hutong.vocabulary.ids import urn, uuid_of

PAGE_SIZE = 30
TERMS = "hutong:terms"
SHOWN_CHARACTERS = 24  # of a signature


@dataclass(frozen=True)
class Row:
    url: str
    title: str
    purpose: str
    side: str
    peer: str
    ends_at: datetime | None
    state: Badge


@dataclass(frozen=True, kw_only=True)
class AgreementsPage(Page):
    rows: tuple[Row, ...]
    pager: Sheet[Agreement]


@dataclass(frozen=True)
class Seal:
    """One party's signature."""

    who: str
    signed: bool
    badge: Badge
    first_line: str
    second_line: str
    keyid: str = ""
    value: str = ""
    waiting_for: str = ""


@dataclass(frozen=True)
class AgreedItem:
    name: str
    title: str
    mask: str


@dataclass(frozen=True, kw_only=True)
class AgreementPage(Page):
    url: str
    title: str
    side: str
    peer: str
    state: Badge
    moving: bool
    exchanges_url: str
    digest: str
    seals: tuple[Seal, ...]
    facts: tuple[Fact, ...]
    items: tuple[AgreedItem, ...]
    use: tuple[Fact, ...]
    how_to_read: str
    document: str
    change_url: str
    form: ReasonForm
    may_suspend: May
    may_resume: May
    may_end: May
    papers: tuple[filed.Paper, ...]
    to_file: tuple[filed.ToFile, ...]
    disposal_due: Due | None
    correct_url: str
    may_correct: May
    concerning: Concerning
    timeline: tuple[Happening, ...]


def agreements_page(account: Account, query: QueryDict) -> AgreementsPage:
    lists = scope.apart(account, Agreement.objects.all())
    shown = sheet(lists, "created_at", reverse("agreements"), query.dict(), size=PAGE_SIZE)
    titles, names = titles_of_entries({one.resource_id for one in shown.rows}), Names()
    rows = tuple(_row(one, titles.get(one.resource_id, one.title), names) for one in shown.rows)
    return AgreementsPage(shell=shell_for(account, "agreements"), rows=rows, pager=shown)


def agreement_of(account: Account, bare_id: str) -> Agreement:
    """raises   NothingHere, also for another department's"""
    found = scope.agreements(account).filter(id=urn(bare_id)).first()
    if found is None:
        raise NothingHere
    return found


def agreement_page(
    account: Account, agreement: Agreement, form: ReasonForm, refusal: Refusal | None = None
) -> AgreementPage:
    names = Names()
    bare = uuid_of(agreement.id)
    known = queries.agreement_page(agreement.id)
    titles = asked.titles_of_items(agreement.resource_id)
    terms: Mapping[str, Any] = agreement.document.get(TERMS) or {}
    change = access.may(account, Action.CHANGE_AGREEMENT, agreement.department or None)
    return AgreementPage(
        shell=shell_for(account, "agreements"),
        refusal=refusal,
        url=reverse("agreement", args=[bare]),
        title=words.of_language(known.title.zh, known.title.en) or agreement.title,
        side=words.word(words.SIDES, agreement.role),
        peer=names(agreement.peer),
        state=words.state(words.AGREEMENT_STATES, agreement.state),
        moving=agreement.state == "agreed",
        exchanges_url=reverse("exchanges") + "?agreement=" + agreement.id,
        digest=agreement.digest,
        seals=_seals(agreement, names),
        facts=_facts(agreement, terms, titles, names),
        items=tuple(AgreedItem(one.name, titles.get(one.name, one.name), words.mask(one.mask)) for one in known.items),
        use=_use(agreement),
        how_to_read=_how_to_read(agreement, terms) if agreement.role == "consumer" else "",
        document=json.dumps(agreement.document, ensure_ascii=False, indent=2),
        change_url=reverse("agreement_change", args=[bare]),
        form=form,
        may_suspend=_in_state(agreement, change, "active"),
        may_resume=_may_resume(account, agreement, change, known.suspended_by),
        may_end=_in_state(agreement, change, "active", "suspended"),
        papers=filed.papers_of(account, agreement),
        to_file=filed.to_file(account, agreement),
        disposal_due=filed.disposal_due(agreement),
        correct_url=reverse("correction_report", args=[bare]) if agreement.role == "consumer" else "",
        may_correct=access.may(account, Action.REPORT_CORRECTION, agreement.department or None),
        concerning=concerning.with_agreement(account, agreement),
        timeline=story(known.timeline),
    )


def _row(one: Agreement, title: str, names: Names) -> Row:
    terms: Mapping[str, Any] = one.document.get(TERMS) or {}
    return Row(
        url=reverse("agreement", args=[uuid_of(one.id)]),
        title=title or one.title,
        purpose=words.code_name(codes.PURPOSES, str(terms.get("purpose", ""))),
        side=words.word(words.SIDES, one.role),
        peer=names(one.peer),
        ends_at=one.ends_at,
        state=words.state(words.AGREEMENT_STATES, one.state),
    )


def _in_state(agreement: Agreement, allowed: May, *states: str) -> May:
    """The role's answer, unless the agreement's state already says no."""
    if agreement.state in states:
        return allowed
    state = words.state(words.AGREEMENT_STATES, agreement.state).word
    return no(_("Not while the agreement is “{state}”.").format(state=state))


def _may_resume(account: Account, agreement: Agreement, allowed: May, suspended_by: str) -> May:
    may = _in_state(agreement, allowed, "suspended")
    if may and suspended_by and suspended_by != agreement.role:
        return no(_("The other side suspended it, so the other side resumes it."))
    if may:
        try:
            conduct.check_resumption(account, agreement)
        except Refused as refused:
            return no(refused.say(words.language()))
    return may


def _seals(agreement: Agreement, names: Names) -> tuple[Seal, ...]:
    us = node_settings.current().jurisdiction
    provider, consumer = (us, agreement.peer) if agreement.role == "provider" else (agreement.peer, us)
    return (
        _seal(_("Provider"), provider, names, agreement.provider_signature),
        _seal(_("Consumer"), consumer, names, agreement.consumer_signature),
    )


def _seal(side: str, party: str, names: Names, signature: Mapping[str, Any] | None) -> Seal:
    name = names(party)
    who = f"{side} · {name}"
    if not signature and outside.is_outside(party):
        why = _("A connector outside the directory has no key there; the ledger keeps digests of its messages.")
        return Seal(who, False, Badge(_("not signed by the peer"), "wait"), "", "", waiting_for=why)
    if not signature:
        return Seal(who, False, Badge(_("not signed yet"), "wait"), "", "", waiting_for=_("Its node signs next."))
    value = str(signature.get("value", ""))
    first, second = _seal_lines(name)
    return Seal(
        who=who,
        signed=True,
        badge=Badge(_("signed, Ed25519"), "good"),
        first_line=first,
        second_line=second,
        keyid=str(signature.get("keyid", "")),
        value=value[:SHOWN_CHARACTERS] + "…",
    )


def _seal_lines(name: str) -> tuple[str, str]:
    """A seal holds two lines of up to three characters; a Latin name gives its first letters."""
    short = name if any("\u4e00" <= one <= "\u9fff" for one in name) else name.upper()
    return short[:2], short[2:4]


def _facts(agreement: Agreement, terms: Mapping[str, Any], titles: Mapping[str, str], names: Names) -> tuple[Fact, ...]:
    parties = [Fact(_("Asked by"), str(terms.get("department_name", "")) or names(agreement.peer))]
    starts = words.moment(agreement.starts_at)
    period = (
        _("{start} to {end}").format(start=starts, end=words.moment(agreement.ends_at)) if agreement.ends_at else starts
    )
    traced = words.tracing(terms.get("tracing"), titles)
    return (
        *parties,
        *asked.facts(terms, titles, items=False),
        *((Fact(_("Tracing a leak"), traced),) if traced else ()),
        Fact(_("In force"), period),
        Fact(_("Agreement id"), agreement.id, mono=True),
    )


def _use(agreement: Agreement) -> tuple[Fact, ...]:
    """What the grant has counted, provider's side, and how far the changes under it have come."""
    grant = Grant.objects.filter(agreement_id=agreement.id).first() if agreement.role == "provider" else None
    counted = () if grant is None else _counted(grant)
    standing = subscriptions.of(agreement.id)
    return counted if standing is None else (*counted, *_changes(standing))


def _changes(standing: subscriptions.Standing) -> tuple[Fact, ...]:
    ours = standing.role == "provider"
    facts = (
        Fact(_("Changes found") if ours else _("Changes received"), words.number(standing.position)),
        Fact(_("Changes received there") if ours else _("Changes taken here"), words.number(standing.done)),
        Fact(_("Changes that wait"), words.number(standing.waiting)),
    )
    return (*facts, Fact(_("Why they wait"), standing.trouble)) if standing.trouble else facts


def _counted(grant: Grant) -> tuple[Fact, ...]:
    return (
        Fact(_("Calls"), words.number(grant.calls_used)),
        Fact(_("Rows"), words.number(grant.rows_used)),
        Fact(_("Grant"), words.state(words.AGREEMENT_STATES, grant.state).word),
    )


def _how_to_read(agreement: Agreement, terms: Mapping[str, Any]) -> str:
    items = ", ".join(f'"{name}"' for name in asked.names_of(terms.get("items", ()))[:3])
    connect = f'import hutong\n\nnode = hutong.connect("{node_settings.current().exchange_url}", key="…")\n'
    if terms.get("mode") == "subscription":
        return (
            f'{connect}for change in node.changes("{agreement.id}", after=0):\n'
            '    print(change["sequence"], change["type"], change["data"])'
        )
    return (
        connect + f'data = node.read("{agreement.id}", items=[{items}],\n'
        f'                 purpose="{terms.get("purpose", "")}", case="…")\n'
        "data.to_pandas()"
    )
