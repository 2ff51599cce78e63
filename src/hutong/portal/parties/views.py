"""Agreements, for both parties; suspension, resumption and end, for the provider and the supervisor."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext_lazy as lazy
from django.views.decorators.http import require_POST, require_safe

from hutong.control.agreements import actions
from hutong.control.identity.models import Account
from hutong.portal.components.page import refusal_of, room, show
from hutong.portal.components.refusing import NoSuchStep
from hutong.portal.parties.agreements import agreement_of, agreement_page, agreements_page
from hutong.portal.parties.forms import ReasonForm
from hutong.vocabulary.errors import Refused

STEPS = {
    "suspend": (actions.suspend, lazy("Suspended: the very next read is refused.")),
    "resume": (actions.resume, lazy("Resumed: the data can be read again.")),
    "end": (actions.end, lazy("Ended: the very next read is refused.")),
}


@require_safe
@room("agreements")
def agreements(request: HttpRequest, account: Account) -> HttpResponse:
    return show(request, "portal/parties/agreements.html", agreements_page(account, request.GET))


@require_safe
@room("agreements")
def agreement(request: HttpRequest, account: Account, agreement_id: str) -> HttpResponse:
    found = agreement_of(account, agreement_id)
    return show(request, "portal/parties/agreement.html", agreement_page(account, found, ReasonForm()))


@require_POST
@room("agreements")
def change(request: HttpRequest, account: Account, agreement_id: str) -> HttpResponse:
    found = agreement_of(account, agreement_id)
    form = ReasonForm(request.POST)
    step = STEPS.get(request.POST.get("do", ""))
    if step is None:
        raise NoSuchStep(step=request.POST.get("do", "")[:20])
    if not form.is_valid():
        return show(request, "portal/parties/agreement.html", agreement_page(account, found, form))
    act, done = step
    try:
        act(account, found.id, form.cleaned_data["reason"])
    except Refused as refused:
        page = agreement_page(account, found, form, refusal_of(refused))
        return show(request, "portal/parties/agreement.html", page)
    messages.success(request, str(done))
    return redirect("agreement", agreement_id)
