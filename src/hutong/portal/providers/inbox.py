"""The inbox: requests of other jurisdictions, each with its statutory day; and the answer to one."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django import forms
from django.http import QueryDict
from django.urls import reverse
from django.utils.translation import gettext as _

from hutong.control.agreements import queries
from hutong.control.agreements.models import Agreement, Negotiation
from hutong.control.agreements.queries import NegotiationRow
from hutong.control.agreements.supplement import was_asked
from hutong.control.catalogue.models import Item
from hutong.control.catalogue.queries import items_of
from hutong.control.catalogue.queries import resource as resource_of
from hutong.control.identity.models import Account
from hutong.control.identity.rules import Action
from hutong.control.replies import queries as replies
from hutong.control.replies.models import Reply
from hutong.control.replies.rules import check_signer
from hutong.control.requests.rules import REFUSALS
from hutong.portal import waiting
from hutong.portal.components import access, asked, concerning, scope, words
from hutong.portal.components.concerning import Concerning
from hutong.portal.components.page import Page, Refusal, shell_for
from hutong.portal.components.paging import Pager, Sheet, page_number, pager, sheet
from hutong.portal.components.parts import Badge, Choice, Due, Fact, Happening, May, no
from hutong.portal.components.peers import Names
from hutong.portal.components.refusing import NothingHere
from hutong.portal.components.timelines import story
from hutong.portal.providers import reasons
from hutong.portal.providers.forms import AgreeForm, ExtensionForm, NoteForm, RefusalForm, SupplementForm
from hutong.portal.providers.reasons import PointShown, ReplyShown
from hutong.vocabulary import codes
from hutong.vocabulary.errors import Refused
from hutong.vocabulary.ids import urn, uuid_of

PAGE_SIZE = 30


@dataclass(frozen=True)
class Row:
    url: str
    title: str
    purpose: str
    peer: str
    department: str
    received_at: datetime
    due: Due | None
    state: Badge


@dataclass(frozen=True, kw_only=True)
class InboxPage(Page):
    shown: tuple[Choice, ...]
    rows: tuple[Row, ...]
    pager: Pager | Sheet[Negotiation]
    ways: str  # the component that draws the pager


@dataclass(frozen=True)
class ItemRow:
    name: str
    title: str
    grade: int
    sensitive: bool
    give: forms.BoundField
    mask: forms.BoundField


@dataclass(frozen=True, kw_only=True)
class NegotiationPage(Page):
    title: str
    peer: str
    department: str
    state: Badge
    open: bool
    due: Due | None
    agreement_url: str
    facts: tuple[Fact, ...]
    items: tuple[ItemRow, ...]
    plain: bool
    term: forms.BoundField | None  # of a plain request, which names none
    agree_form: AgreeForm
    refuse_form: RefusalForm
    supplement_form: SupplementForm
    agree_url: str
    refuse_url: str
    supplement_url: str
    may_agree: May
    may_refuse: May
    may_ask: May
    by_rule: str  # why a rule did not answer it
    reply: ReplyShown | None
    returned: str  # why the last proposed reply was sent back
    sign_url: str
    send_back_url: str
    note_form: NoteForm
    may_sign: May
    extension: str  # what became of asking for more time
    extend_form: ExtensionForm
    extend_url: str
    may_extend: May
    simulate_url: str
    may_simulate: May
    refused_as: str
    refused_because: str
    refused_citation: str
    concerning: Concerning
    supplement: tuple[PointShown, ...]
    timeline: tuple[Happening, ...]


def inbox_page(account: Account, query: QueryDict) -> InboxPage:
    everything = query.get("show") == "all"
    found, pages = _all(account, query) if everything else _open(account, query)
    names = Names()
    return InboxPage(
        shell=shell_for(account, "inbox"),
        shown=(Choice("open", _("open"), not everything), Choice("all", _("all"), everything)),
        rows=tuple(_row(one, names) for one in queries.rows(found)),
        pager=pages,
        ways="components/sheet.html" if everything else "components/pager.html",
    )


def _open(account: Account, query: QueryDict) -> tuple[Sequence[Negotiation], Pager]:
    """What is open, the earliest statutory day first."""
    pids = scope.negotiations(account).filter(state__in=queries.OPEN).order_by("due_at", "created_at", "pid")
    pages = pager(reverse("inbox"), {}, page=page_number(query.get("page")), size=PAGE_SIZE, total=pids.count())
    first = (pages.page - 1) * PAGE_SIZE
    shown = list(pids.values_list("pid", flat=True)[first : first + PAGE_SIZE])
    by_pid = Negotiation.objects.in_bulk(shown)
    return [by_pid[pid] for pid in shown if pid in by_pid], pages


def _all(account: Account, query: QueryDict) -> tuple[Sequence[Negotiation], Sheet[Negotiation]]:
    """All that was ever asked of us, the newest first."""
    lists = scope.apart(account, Negotiation.objects.filter(role="provider"))
    shown = sheet(lists, "created_at", reverse("inbox"), query.dict(), size=PAGE_SIZE)
    return shown.rows, shown


def negotiation_of(account: Account, bare_pid: str) -> NegotiationRow:
    """raises   NothingHere, also for another department's"""
    pid = urn(bare_pid)
    if not scope.negotiations(account).filter(pid=pid).exists():
        raise NothingHere
    return queries.negotiation(pid)


def agree_form(found: NegotiationRow, data: QueryDict | None = None) -> AgreeForm:
    try:
        defaults = queries.default_masks(found.pid) if found.terms else {}
        types = {item.name: item.type for item in _items(found).values()}
    except Refused:
        defaults, types = {}, {}
    return AgreeForm(defaults, types, asked.titles_of_items(found.resource_id), data, plain=found.terms is None)


def negotiation_page(
    account: Account,
    found: NegotiationRow,
    *,
    agree: AgreeForm | None = None,
    refuse: RefusalForm | None = None,
    supplement: SupplementForm | None = None,
    note: NoteForm | None = None,
    extend: ExtensionForm | None = None,
    refusal: Refusal | None = None,
) -> NegotiationPage:
    bare = uuid_of(found.pid)
    titles = asked.titles_of_items(found.resource_id)
    open_ = found.state in waiting.TO_ANSWER
    reply = replies.waiting_for(found.pid)
    may = _may_answer(account, found)
    may_answer = no(_("A proposed reply waits for the head's signature.")) if may and reply else may
    form = agree or agree_form(found)
    asked_before = was_asked(Negotiation.objects.get(pid=found.pid))
    back = None if reply or not open_ else replies.newest_returned(found.pid)
    agreement = Agreement.objects.filter(negotiation_id=found.pid).first()
    return NegotiationPage(
        shell=shell_for(account, "inbox"),
        refusal=refusal,
        title=words.of_language(found.title.zh, found.title.en),
        peer=Names()(found.peer),
        department=found.terms.department_name if found.terms else "",
        state=words.state(words.NEGOTIATION_STATES, found.state),
        open=open_,
        due=_due(found),
        agreement_url=reverse("agreement", args=[uuid_of(agreement.id)]) if agreement else "",
        facts=asked.facts(found.terms.document(), titles) if found.terms else (),
        items=tuple(_item_rows(found, form)) if open_ else (),
        plain=found.terms is None,
        term=form["term_days"] if "term_days" in form.fields else None,
        agree_form=form,
        refuse_form=refuse or RefusalForm(),
        supplement_form=supplement or SupplementForm(),
        agree_url=reverse("negotiation_agree", args=[bare]),
        refuse_url=reverse("negotiation_refuse", args=[bare]),
        supplement_url=reverse("negotiation_supplement", args=[bare]),
        may_agree=may_answer,
        may_refuse=may_answer,
        may_ask=no(_("It was asked for once already; article 21 allows no second time.")) if asked_before else may,
        by_rule=reasons.why(found.pid) if open_ else "",
        reply=reasons.shown(reply, titles) if reply else None,
        returned=back.note if back else "",
        sign_url=reverse("negotiation_sign", args=[bare]),
        send_back_url=reverse("negotiation_send_back", args=[bare]),
        note_form=note or NoteForm(),
        may_sign=may_sign(account, reply),
        **_extension(account, found, extend, bare),
        simulate_url=reverse("negotiation_simulate", args=[bare]),
        may_simulate=access.may(account, Action.SIMULATE, _department(found) or None),
        **_refused(found),
        supplement=tuple(reasons.point(one) for one in found.supplement),
        concerning=concerning.with_negotiation(account, found.pid),
        timeline=story(queries.negotiation_timeline(found.pid)),
    )


def _refused(found: NegotiationRow) -> dict[str, Any]:
    ended = found.state == "TERMINATED"
    return {
        "refused_as": words.code_name(REFUSALS, found.refusal_code) if ended else "",
        "refused_because": found.refusal_reason if ended else "",
        "refused_citation": found.refusal_citation,
    }


def _may_answer(account: Account, found: NegotiationRow) -> May:
    return access.may(account, Action.ANSWER_REQUEST, _department(found) or None)


def _department(found: NegotiationRow) -> str:
    return str(Negotiation.objects.values_list("department", flat=True).get(pid=found.pid))


def may_sign(account: Account, reply: Reply | None) -> May:
    """Whether this account may sign what is proposed; a no where nothing is."""
    if reply is None:
        return no(_("No reply is proposed yet."))
    may = access.may(account, Action.SIGN_REPLY, reply.department or None)
    try:
        check_signer(account.username, reply.proposed_by)
    except Refused as refused:
        return no(refused.say(words.language())) if may else may
    return may


def _extension(account: Account, found: NegotiationRow, form: ExtensionForm | None, bare: str) -> dict[str, Any]:
    """The one extension of the term to reply: asked for here, decided by the supervisor."""
    clock = reasons.reply_clock(found.pid)
    state = clock.extension_state if clock else ""
    may = access.may(account, Action.ASK_EXTENSION, _department(found) or None)
    if clock is None or not reasons.can_be_extended(clock):
        may = no(_("The law allows no extension of this term."))
    elif state:
        may = no(_("It was asked for once already; article 21 allows one extension."))
    return {
        "extension": reasons.extension_said(state),
        "extend_form": form or ExtensionForm(),
        "extend_url": reverse("negotiation_extend", args=[bare]),
        "may_extend": may,
    }


def _due(found: NegotiationRow) -> Due | None:
    return Due(found.due_at, found.working_days_left) if found.due_at else None


def _row(one: NegotiationRow, names: Names) -> Row:
    return Row(
        url=reverse("negotiation", args=[uuid_of(one.pid)]),
        title=words.of_language(one.title.zh, one.title.en),
        purpose=words.code_name(codes.PURPOSES, one.terms.purpose) if one.terms else "",
        peer=names(one.peer),
        department=one.terms.department_name if one.terms else "",
        received_at=one.received_at,
        due=_due(one),
        state=words.state(words.NEGOTIATION_STATES, one.state),
    )


def _items(found: NegotiationRow) -> dict[str, Item]:
    return {item.name: item for item in items_of(resource_of(found.resource_id))}


def _item_rows(found: NegotiationRow, form: AgreeForm) -> Iterator[ItemRow]:
    if not form.names:
        return
    items = _items(found)
    for place, name in enumerate(form.names):
        item = items[name]
        yield ItemRow(
            name=name,
            title=words.of_language(item.title_zh, item.title_en) or name,
            grade=item.grade,
            sensitive=item.sensitive,
            give=form[f"give_{place}"],
            mask=form[f"mask_{place}"],
        )
