"""Agreements, for both parties: suspension, resumption and end, and what is filed under them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext_lazy as lazy
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from hutong.control.agreements import actions
from hutong.control.conduct import actions as conduct
from hutong.control.conduct import queries as filed
from hutong.control.conduct.models import Filing
from hutong.control.identity.models import Account
from hutong.portal.components.page import refusal_of, room, show
from hutong.portal.components.refusing import NoSuchStep, NothingHere
from hutong.portal.parties.agreements import agreement_of, agreement_page, agreements_page
from hutong.portal.parties.forms import PAPER_FORMS, AnswerForm, EvidenceForm, PaperForm, ReasonForm
from hutong.portal.parties.papers import paper_page
from hutong.vocabulary.errors import Refused
from hutong.vocabulary.ids import uuid_of

DONE = {
    "suspend": lazy("Suspended: the very next read is refused."),
    "resume": lazy("Resumed: the data can be read again."),
    "end": lazy("Ended: the very next read is refused."),
}
FILE: dict[str, Callable[[Account, str, Mapping[str, Any]], Filing]] = {
    "rectification": conduct.rectify,
    "disposal": conduct.dispose,
    "incident": conduct.report_incident,
    "use": conduct.record_use,
}


@require_safe
@room("agreements")
def agreements(request: HttpRequest, account: Account) -> HttpResponse:
    return show(request, "portal/parties/agreements.html", agreements_page(account, request.GET))


@require_safe
@room("agreements")
def agreement(request: HttpRequest, account: Account, agreement_id: str) -> HttpResponse:
    found = agreement_of(account, agreement_id)
    return show(request, "portal/parties/agreement.html", agreement_page(account, found, ReasonForm(found.role)))


@require_POST
@room("agreements")
def change(request: HttpRequest, account: Account, agreement_id: str) -> HttpResponse:
    found = agreement_of(account, agreement_id)
    form = ReasonForm(found.role, request.POST)
    step = request.POST.get("do", "")
    if step not in DONE:
        raise NoSuchStep(step=step[:20])
    if not form.is_valid():
        return show(request, "portal/parties/agreement.html", agreement_page(account, found, form))
    try:
        _change(account, found.id, step, form.cleaned_data)
    except Refused as refused:
        page = agreement_page(account, found, form, refusal_of(refused))
        return show(request, "portal/parties/agreement.html", page)
    messages.success(request, str(DONE[step]))
    return redirect("agreement", agreement_id)


@require_http_methods(["GET", "HEAD", "POST"])
@room("agreements")
def paper(request: HttpRequest, account: Account, agreement_id: str, kind: str) -> HttpResponse:
    """File one paper under an agreement."""
    found = agreement_of(account, agreement_id)
    if kind not in FILE:
        raise NothingHere
    form = _paper_form(kind, request)
    template = "portal/parties/paper.html"
    if request.method != "POST" or not form.is_valid():
        return show(request, template, paper_page(account, found, kind, form))
    try:
        FILE[kind](account, found.id, form.content())
    except Refused as refused:
        return show(request, template, paper_page(account, found, kind, form, refusal_of(refused)))
    messages.success(request, str(lazy("Filed, and on its way to the other side.")))
    return redirect("agreement", agreement_id)


@require_POST
@room("agreements")
def paper_answer(request: HttpRequest, account: Account, filing_id: str) -> HttpResponse:
    """Accept what the other side has filed, or object to it."""
    found = filed.filings(account).filter(id=filing_id).first()
    if found is None:
        raise NothingHere
    form = AnswerForm(request.POST)
    reason = form.cleaned_data["reason"] if form.is_valid() else ""
    bare = uuid_of(found.agreement_id)
    try:
        conduct.answer(account, found.id, accept=request.POST.get("do") == "accept", reason=reason)
    except Refused as refused:
        page = agreement_page(account, found.agreement, ReasonForm(found.agreement.role), refusal_of(refused))
        return show(request, "portal/parties/agreement.html", page)
    messages.success(request, str(lazy("Answered.")))
    return redirect("agreement", bare)


def _change(account: Account, agreement_id: str, step: str, given: Mapping[str, str]) -> None:
    if step == "resume":
        actions.resume(account, agreement_id, given["reason"])
    elif step == "suspend":
        actions.suspend(account, agreement_id, given["reason"], cause=given["cause"])
    else:
        actions.end(account, agreement_id, given["reason"], cause=given["cause"])


def _paper_form(kind: str, request: HttpRequest) -> PaperForm:
    form, data = PAPER_FORMS[kind], request.POST if request.method == "POST" else None
    return form(data, request.FILES) if issubclass(form, EvidenceForm) else form(data)
