"""Offerings: propose, sign, refuse, withdraw; and what others offer to us: take up, decline."""

from __future__ import annotations

from collections.abc import Callable

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from hutong.control.identity.models import Account
from hutong.control.offerings import actions
from hutong.control.offerings.models import Offering
from hutong.control.requests.actions import decline_offer
from hutong.portal.components.page import refusal_of, room, show
from hutong.portal.offerings import pages
from hutong.portal.offerings.forms import ReasonForm
from hutong.vocabulary.errors import Refused
from hutong.vocabulary.ids import urn

ROOM = "portal/offerings/offerings.html"
NEW = "portal/offerings/new.html"
PAGE = "portal/offerings/offering.html"


@require_safe
@room("offerings")
def offerings(request: HttpRequest, account: Account) -> HttpResponse:
    return show(request, ROOM, pages.offerings_page(account, request.GET))


@require_http_methods(["GET", "HEAD", "POST"])
@room("offerings")
def new(request: HttpRequest, account: Account) -> HttpResponse:
    asked = pages.resource_of(account, request.GET.get("resource", ""))
    form = pages.form_for(asked, request.POST if request.method == "POST" else None)
    if request.method != "POST" or not form.is_valid():
        return show(request, NEW, pages.new_page(account, asked, form))
    try:
        made = actions.propose(account, asked.resource.id, **form.given())
    except Refused as refused:
        return show(request, NEW, pages.new_page(account, asked, form, refusal_of(refused)))
    messages.success(request, _("Proposed. The head of the sharing body signs it: then every member is offered it."))
    return redirect("offering", made.id)


@require_safe
@room("offerings")
def offering(request: HttpRequest, account: Account, offering_id: str) -> HttpResponse:
    return show(request, PAGE, pages.offering_page(account, pages.offering_of(account, offering_id)))


@require_POST
@room("offerings")
def sign(request: HttpRequest, account: Account, offering_id: str) -> HttpResponse:
    found = pages.offering_of(account, offering_id)
    try:
        actions.sign(account, found.id)
    except Refused as refused:
        return show(request, PAGE, pages.offering_page(account, found, refusal=refusal_of(refused)))
    messages.success(request, _("In force. Every member is offered it now, and whoever joins later, too."))
    return redirect("offering", found.id)


@require_POST
@room("offerings")
def refuse(request: HttpRequest, account: Account, offering_id: str) -> HttpResponse:
    return _ended(request, account, offering_id, actions.refuse, _("Refused, with its reason."))


@require_POST
@room("offerings")
def withdraw(request: HttpRequest, account: Account, offering_id: str) -> HttpResponse:
    said = _("Withdrawn from the whole area: open offers end now, agreements after their notice.")
    return _ended(request, account, offering_id, actions.withdraw, said)


@require_POST
@room("offerings")
def decline(request: HttpRequest, account: Account, pid: str) -> HttpResponse:
    form = ReasonForm(pid, request.POST)
    if not form.is_valid():
        return show(request, ROOM, pages.offerings_page(account, request.GET, form))
    try:
        decline_offer(account, urn(pid), form.cleaned_data["reason"])
    except Refused as refused:
        return show(request, ROOM, pages.offerings_page(account, request.GET, form, refusal_of(refused)))
    messages.success(request, _("Declined; the provider reads your reason. It may still be asked for later."))
    return redirect("offerings")


def _ended(
    request: HttpRequest, account: Account, offering_id: str, act: Callable[[Account, str, str], Offering], said: str
) -> HttpResponse:
    found, form = pages.offering_of(account, offering_id), ReasonForm("end", request.POST)
    if not form.is_valid():
        return show(request, PAGE, pages.offering_page(account, found, form))
    try:
        act(account, found.id, form.cleaned_data["reason"])
    except Refused as refused:
        return show(request, PAGE, pages.offering_page(account, found, form, refusal_of(refused)))
    messages.success(request, said)
    return redirect("offering", found.id)
