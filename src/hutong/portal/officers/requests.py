"""The request form, the requests of a department, and one request."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.http import QueryDict
from django.urls import reverse
from django.utils.translation import gettext as _

from hutong.control.agreements import queries as negotiations
from hutong.control.agreements.models import Agreement
from hutong.control.agreements.supplement import Point
from hutong.control.catalogue.dataset import EntryDocument
from hutong.control.identity.models import Account
from hutong.control.identity.rules import Action
from hutong.control.requests.models import ShareRequest
from hutong.control.requests.queries import timeline
from hutong.control.requests.rules import REFUSALS, check_may_sign_off, missing_in
from hutong.portal.components import access, asked, concerning, conditions, scope, words
from hutong.portal.components.concerning import Concerning
from hutong.portal.components.page import Page, Refusal, refusal_of, shell_for
from hutong.portal.components.paging import Sheet, sheet
from hutong.portal.components.parts import YES, Badge, Due, Fact, Happening, May, no
from hutong.portal.components.peers import Names, department_name
from hutong.portal.components.refusing import NothingHere
from hutong.portal.components.timelines import story
from hutong.portal.components.titles import titles_of_entries
from hutong.portal.heads.forms import CompleteForm
from hutong.portal.officers.forms import RequestForm, condition
from hutong.portal.staff.catalogue import titles
from hutong.vocabulary import codes
from hutong.vocabulary.errors import Refused
from hutong.vocabulary.ids import uuid_of

PAGE_SIZE = 30


@dataclass(frozen=True)
class RoadStep:
    what: str
    note: str


@dataclass(frozen=True)
class Preview:
    """The row condition in plain words, or why it cannot be read."""

    sentences: tuple[str, ...] = ()
    refusal: Refusal | None = None


@dataclass(frozen=True, kw_only=True)
class RequestFormPage(Page):
    title: str
    provider: str
    attribute: Badge
    resource_url: str
    preview_url: str
    check_url: str
    gaps: tuple[Gap, ...]
    form: RequestForm
    preview: Preview
    road: tuple[RoadStep, ...]


@dataclass(frozen=True)
class PreviewPage:
    preview: Preview


@dataclass(frozen=True)
class Gap:
    """One thing article 20 wants and the form does not say yet, and where it is said."""

    label: str
    anchor: str


@dataclass(frozen=True)
class GapsPage:
    gaps: tuple[Gap, ...]


@dataclass(frozen=True)
class Row:
    url: str
    title: str
    provider: str
    department: str
    purpose: str
    filed_at: datetime | None
    filed_by: str
    state: Badge


@dataclass(frozen=True, kw_only=True)
class RequestsPage(Page):
    lead: str
    may_file: May
    catalogue_url: str
    rows: tuple[Row, ...]
    pager: Sheet[ShareRequest]


@dataclass(frozen=True, kw_only=True)
class RequestPage(Page):
    url: str
    title: str
    provider: str
    state: Badge
    open: bool
    moving: bool
    agreement_url: str
    sign_off_url: str
    withdraw_url: str
    may_sign_off: May
    may_withdraw: May
    supplement: tuple[Point, ...]
    due: Due | None  # as the provider told it
    complete_form: CompleteForm
    complete_url: str
    may_complete: May
    refused_as: str
    refused_because: str
    refused_citation: str
    concerning: Concerning
    facts: tuple[Fact, ...]
    timeline: tuple[Happening, ...]


def request_form_page(
    account: Account, document: EntryDocument, form: RequestForm, refusal: Refusal | None = None
) -> RequestFormPage:
    return RequestFormPage(
        shell=shell_for(account, "catalogue"),
        refusal=refusal,
        title=words.of_language(document.title_zh, document.title_en),
        provider=Names()(document.origin),
        attribute=words.attribute(document.attribute),
        resource_url=reverse("resource", args=[document.id]),
        preview_url=reverse("request_preview", args=[document.id]),
        check_url=reverse("request_check", args=[document.id]),
        gaps=gaps(form),
        form=form,
        preview=preview(form),
        road=road(document, offered=form.takes_up),
    )


def gaps(form: RequestForm) -> tuple[Gap, ...]:
    """What filing would be refused for, as the form stands: the same check (article 20), before anything is sent."""

    def said(name: str) -> str:
        return str(form[name].value() or "")

    def number(name: str) -> int:
        return int(said(name)) if said(name).isdecimal() else 0

    words_of = {name: said(name) for name in ("purpose", "basis", "scenario", "scope", "mode")}
    numbers = {name: number(name) for name in ("term_days", "quota_calls_per_day")}
    known = {item.name for item in form.items_on_offer}
    items = [name for name in form["items"].value() or [] if name in known]
    draft = ShareRequest(**words_of, **numbers, items=items)
    return tuple(Gap(str(form[name].label), form[name].auto_id) for name in missing_in(draft))


def preview(form: RequestForm) -> Preview:
    """What the condition as typed so far means."""
    said = {name: form.data.get(name, "") for name in form.fields if name.startswith("condition") or name == "joint"}
    try:
        document = condition(said, form.items_on_offer) if form.is_bound else None
    except Refused as refused:
        return Preview(refusal=refusal_of(refused))
    return Preview(sentences=conditions.sentences(document, titles(form.items_on_offer)))


def road(document: EntryDocument, *, offered: bool = False) -> tuple[RoadStep, ...]:
    """What happens to a request, for this resource."""
    answer = (
        _("It offers this to us: what stays within the offer is agreed at once.")
        if offered
        else (
            _("Unconditional: agreed by rule, at once (article 21).")
            if document.attribute == "unconditional"
            else _("Conditional: the provider answers within 10 working days (article 21).")
        )
    )
    return (
        RoadStep(_("You file it"), _("It stays in this node.")),
        RoadStep(
            _("The head of your sharing body signs it off"), _("Decree 809, article 20. Then it is sent, signed.")
        ),
        RoadStep(_("The provider answers"), answer),
        RoadStep(_("Both nodes sign the agreement"), _("The same digest, two signatures.")),
        RoadStep(_("Your applications read"), _("Each read leaves a receipt on both sides.")),
    )


def requests_page(account: Account, query: QueryDict) -> RequestsPage:
    shown = sheet([scope.requests(account)], "created_at", reverse("requests"), query.dict(), size=PAGE_SIZE)
    named, names = titles_of_entries({one.resource_id for one in shown.rows}), Names()
    lead = _("All departments of this node.") if scope.sees_all(account) else department_name(account.department)
    return RequestsPage(
        shell=shell_for(account, "requests"),
        lead=lead,
        may_file=access.may(account, Action.FILE_REQUEST),
        catalogue_url=reverse("catalogue"),
        rows=tuple(_row(one, named[one.resource_id], names) for one in shown.rows),
        pager=shown,
    )


def request_of(account: Account, request_id: str) -> ShareRequest:
    """raises   NothingHere, also for another department's"""
    found = scope.requests(account).filter(id=request_id).first()
    if found is None:
        raise NothingHere
    return found


def request_page(
    account: Account, request: ShareRequest, form: CompleteForm | None = None, refusal: Refusal | None = None
) -> RequestPage:
    supplement = points_of(request)
    item_titles = asked.titles_of_items(request.resource_id)
    agreement = Agreement.objects.filter(negotiation__request_id=request.id, role="consumer").first()
    return RequestPage(
        shell=shell_for(account, "requests"),
        refusal=refusal,
        url=reverse("request", args=[request.id]),
        title=titles_of_entries({request.resource_id})[request.resource_id],
        provider=Names()(request.provider),
        state=words.state(words.REQUEST_STATES, request.state),
        open=request.state in ("draft", "filed", "signed_off"),
        moving=request.state == "signed_off" and not supplement,
        agreement_url=reverse("agreement", args=[uuid_of(agreement.id)]) if agreement else "",
        sign_off_url=reverse("request_sign_off", args=[request.id]),
        withdraw_url=reverse("request_withdraw", args=[request.id]),
        may_sign_off=may_sign_off(account, request),
        may_withdraw=may_withdraw(account, request),
        supplement=supplement,
        due=_due(request),
        complete_form=form or CompleteForm(request, supplement),
        complete_url=reverse("request_complete", args=[request.id]),
        may_complete=access.may(account, Action.SIGN_OFF_REQUEST, request.department_id),
        refused_as=words.code_name(REFUSALS, request.refusal_code),
        refused_because=request.refusal_reason if request.state == "refused" else "",
        refused_citation=request.refusal_citation,
        facts=request_facts(request, item_titles),
        concerning=concerning.with_negotiation(account, request.negotiation_id),
        timeline=story(timeline(request.id)),
    )


def points_of(request: ShareRequest) -> tuple[Point, ...]:
    """What the provider says is missing, while it waits for it."""
    if request.state != "signed_off" or not request.negotiation_id:
        return ()
    negotiation = negotiations.negotiation(request.negotiation_id)
    return negotiation.supplement if negotiation.state == "OFFERED" else ()


def _due(request: ShareRequest) -> Due | None:
    """The provider's last day, where it told us one."""
    if request.state != "signed_off" or not request.negotiation_id:
        return None
    negotiation = negotiations.negotiation(request.negotiation_id)
    return Due(negotiation.due_at, negotiation.working_days_left) if negotiation.due_at else None


def may_sign_off(account: Account, request: ShareRequest) -> May:
    allowed = access.may(account, Action.SIGN_OFF_REQUEST, request.department_id)
    if not allowed:
        return allowed
    if request.state != "filed":
        state = words.state(words.REQUEST_STATES, request.state).word
        return no(_("Not while the request is “{state}”.").format(state=state))
    try:
        check_may_sign_off(account, request)
    except Refused as refused:
        return no(refused.say(words.language()))
    return YES


def may_withdraw(account: Account, request: ShareRequest) -> May:
    allowed = access.may(account, Action.WITHDRAW_REQUEST, request.department_id)
    if allowed and request.state not in ("draft", "filed", "signed_off"):
        state = words.state(words.REQUEST_STATES, request.state).word
        return no(_("Not while the request is “{state}”.").format(state=state))
    return allowed


def request_facts(request: ShareRequest, item_titles: dict[str, str]) -> tuple[Fact, ...]:
    terms = {
        "purpose": request.purpose,
        "basis": request.basis,
        "scenario": request.scenario,
        "scope": request.scope,
        "items": request.items,
        "where": request.row_condition,
        "mode": request.mode,
        "term_days": request.term_days,
        "quota_calls_per_day": request.quota_calls_per_day,
    }
    return (Fact(_("Department"), department_name(request.department)), *asked.facts(terms, item_titles))


def _row(one: ShareRequest, title: str, names: Names) -> Row:
    return Row(
        url=reverse("request", args=[one.id]),
        title=title,
        provider=names(one.provider),
        department=department_name(one.department),
        purpose=words.code_name(codes.PURPOSES, one.purpose),
        filed_at=one.filed_at or one.created_at,
        filed_by=one.filed_by,
        state=words.state(words.REQUEST_STATES, one.state),
    )
