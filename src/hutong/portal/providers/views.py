"""Answer requests: propose to agree or refuse, sign, say once what is missing, simulate."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from hutong.control.agreements.models import Agreement
from hutong.control.clocks import actions as clocks
from hutong.control.identity.models import Account
from hutong.control.replies import actions
from hutong.control.replies import queries as replies
from hutong.portal.components.page import refusal_of, room, show
from hutong.portal.providers.forms import ExtensionForm, NoteForm, RefusalForm, SupplementForm
from hutong.portal.providers.inbox import agree_form, inbox_page, negotiation_of, negotiation_page
from hutong.portal.providers.reasons import reply_clock
from hutong.portal.providers.simulation import simulation_of_request
from hutong.vocabulary.errors import Refused
from hutong.vocabulary.ids import uuid_of

PAGE = "portal/providers/negotiation.html"


def _proposed() -> str:
    return _("Proposed. The head of the sharing body signs it next; nothing has left yet.")


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
        actions.propose_agreement(account, found.pid, **form.decided())
    except Refused as refused:
        return show(request, PAGE, negotiation_page(account, found, agree=form, refusal=refusal_of(refused)))
    messages.success(request, _proposed())
    return redirect("negotiation", pid)


@require_POST
@room("inbox")
def refuse(request: HttpRequest, account: Account, pid: str) -> HttpResponse:
    found = negotiation_of(account, pid)
    form = RefusalForm(request.POST)
    if not form.is_valid():
        return show(request, PAGE, negotiation_page(account, found, refuse=form))
    said = form.cleaned_data
    try:
        actions.propose_refusal(account, found.pid, said["code"], said["reason"], said["cited"])
    except Refused as refused:
        return show(request, PAGE, negotiation_page(account, found, refuse=form, refusal=refusal_of(refused)))
    messages.success(request, _proposed())
    return redirect("negotiation", pid)


@require_POST
@room("inbox")
def supplement(request: HttpRequest, account: Account, pid: str) -> HttpResponse:
    found = negotiation_of(account, pid)
    form = SupplementForm(request.POST)
    if not form.is_valid():
        return show(request, PAGE, negotiation_page(account, found, supplement=form))
    try:
        actions.ask_supplement(account, found.pid, form.points())
    except Refused as refused:
        return show(request, PAGE, negotiation_page(account, found, supplement=form, refusal=refusal_of(refused)))
    messages.success(request, _("The applicant is told what is missing."))
    return redirect("negotiation", pid)


@require_POST
@room("inbox")
def sign(request: HttpRequest, account: Account, pid: str) -> HttpResponse:
    """The head's signature: the reply leaves."""
    found = negotiation_of(account, pid)
    try:
        done = actions.sign(account, replies.proposed_for(found.pid).id)
    except Refused as refused:
        return show(request, PAGE, negotiation_page(account, found, refusal=refusal_of(refused)))
    if isinstance(done, Agreement):
        messages.success(request, _("Agreed and signed. The other node checks it and signs next."))
        return redirect("agreement", uuid_of(done.id))
    messages.success(request, _("Refused. The applicant receives the reason and the citation."))
    return redirect("negotiation", pid)


@require_POST
@room("inbox")
def send_back(request: HttpRequest, account: Account, pid: str) -> HttpResponse:
    found = negotiation_of(account, pid)
    form = NoteForm(request.POST)
    if not form.is_valid():
        return show(request, PAGE, negotiation_page(account, found, note=form))
    actions.send_back(account, replies.proposed_for(found.pid).id, form.cleaned_data["note"])
    messages.success(request, _("Sent back to its officer."))
    return redirect("negotiation", pid)


@require_POST
@room("inbox")
def extend(request: HttpRequest, account: Account, pid: str) -> HttpResponse:
    found = negotiation_of(account, pid)
    form = ExtensionForm(request.POST)
    clock = reply_clock(found.pid)
    if clock is None or not form.is_valid():
        return show(request, PAGE, negotiation_page(account, found, extend=form))
    try:
        clocks.ask_extension(account, clock.id, form.cleaned_data["reason"])
    except Refused as refused:
        return show(request, PAGE, negotiation_page(account, found, extend=form, refusal=refusal_of(refused)))
    messages.success(request, _("The supervisor is asked for more time."))
    return redirect("negotiation", pid)


@require_POST
@room("inbox")
def simulate(request: HttpRequest, account: Account, pid: str) -> HttpResponse:
    """Who could read what, with the masks chosen in the form so far; sample rows where they are asked for."""
    found = negotiation_of(account, pid)
    form = agree_form(found, request.POST) if "csrfmiddlewaretoken" in request.POST else agree_form(found)
    if form.is_bound and not form.is_valid():
        return show(request, PAGE, negotiation_page(account, found, agree=form))
    page = simulation_of_request(account, found, form, request.POST)
    answer = show(request, "portal/providers/simulation.html", page)
    answer["Cache-Control"] = "no-store"
    return answer
