"""Announcing that a service stops or changes; the use of data by year."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext_lazy as lazy
from django.views.decorators.http import require_http_methods, require_safe

from hutong.control.conduct import stopping
from hutong.control.identity.models import Account
from hutong.portal.components.page import refusal_of, room, show
from hutong.portal.parties.stops import stop_form, stops_page, use_page
from hutong.vocabulary.errors import Refused


@require_http_methods(["GET", "HEAD", "POST"])
@room("stops")
def stops(request: HttpRequest, account: Account) -> HttpResponse:
    """The notices; a POST files one."""
    form = stop_form(account, request.POST if request.method == "POST" else None)
    template = "portal/parties/stops.html"
    if request.method != "POST" or form is None or not form.is_valid():
        return show(request, template, stops_page(account, request.GET, form))
    given = dict(form.cleaned_data)
    try:
        stopping.announce(account, given.pop("resource"), **given)
    except Refused as refused:
        return show(request, template, stops_page(account, request.GET, form, refusal_of(refused)))
    messages.success(request, str(lazy("Filed with the supervisor, and told to every consumer.")))
    return redirect("stops")


@require_safe
@room("use")
def use(request: HttpRequest, account: Account) -> HttpResponse:
    return show(request, "portal/parties/use.html", use_page(account, request.GET))
