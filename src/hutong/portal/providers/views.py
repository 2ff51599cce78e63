"""Answer requests: agree, refuse, or say once what is missing."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from hutong.control.agreements import actions
from hutong.control.identity.models import Account
from hutong.portal.components.page import refusal_of, room, show
from hutong.portal.providers.forms import RefusalForm, SupplementForm
from hutong.portal.providers.inbox import agree_form, inbox_page, negotiation_of, negotiation_page
from hutong.vocabulary.errors import Refused

PAGE = "portal/providers/negotiation.html"


@require_safe
@room("inbox")
def inbox(request: HttpRequest, account: Account) -> HttpResponse:
    return show(request, "portal/providers/inbox.html", inbox_page(account, request.GET))


@require_safe
@room("inbox")
def negotiation(request: HttpRequest, account: Account, pid: str) -> HttpResponse:
    return show(request, PAGE, negotiation_page(account, negotiation_of(account, pid)))


@require_POST
@room("inbox")
def agree(request: HttpRequest, account: Account, pid: str) -> HttpResponse:
    found = negotiation_of(account, pid)
    form = agree_form(found, request.POST)
    if not form.is_valid():
        return show(request, PAGE, negotiation_page(account, found, agree=form))
    try:
        agreement = actions.agree(account, found.pid, **form.decided())
    except Refused as refused:
        return show(request, PAGE, negotiation_page(account, found, agree=form, refusal=refusal_of(refused)))
    messages.success(request, _("Agreed and signed. The other node checks it and signs next."))
    return redirect("agreement", agreement.id.removeprefix("urn:uuid:"))


@require_POST
@room("inbox")
def refuse(request: HttpRequest, account: Account, pid: str) -> HttpResponse:
    found = negotiation_of(account, pid)
    form = RefusalForm(request.POST)
    if not form.is_valid():
        return show(request, PAGE, negotiation_page(account, found, refuse=form))
    said = form.cleaned_data
    try:
        actions.refuse(account, found.pid, said["code"], said["reason"], said["citation"])
    except Refused as refused:
        return show(request, PAGE, negotiation_page(account, found, refuse=form, refusal=refusal_of(refused)))
    messages.success(request, _("Refused. The applicant receives the reason and the citation."))
    return redirect("negotiation", pid)


@require_POST
@room("inbox")
def supplement(request: HttpRequest, account: Account, pid: str) -> HttpResponse:
    found = negotiation_of(account, pid)
    form = SupplementForm(request.POST)
    if not form.is_valid():
        return show(request, PAGE, negotiation_page(account, found, supplement=form))
    try:
        actions.ask_supplement(account, found.pid, form.named())
    except Refused as refused:
        return show(request, PAGE, negotiation_page(account, found, supplement=form, refusal=refusal_of(refused)))
    messages.success(request, _("The applicant is told what is missing."))
    return redirect("negotiation", pid)
