"""Zones: propose, put in force, end."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from hutong.control.identity.models import Account
from hutong.control.zones import actions
from hutong.portal.components.page import refusal_of, room, show
from hutong.portal.keepers.forms import EndForm, ZoneForm
from hutong.portal.keepers.zones import zones_page
from hutong.vocabulary.errors import Refused

PAGE = "portal/keepers/zones.html"


@require_http_methods(["GET", "HEAD", "POST"])
@room("zones")
def zones(request: HttpRequest, account: Account) -> HttpResponse:
    if request.method != "POST":
        return show(request, PAGE, zones_page(account))
    form = ZoneForm(request.POST)
    if not form.is_valid():
        return show(request, PAGE, zones_page(account, form))
    try:
        actions.propose(account, **form.given())
    except Refused as refused:
        return show(request, PAGE, zones_page(account, form, refusal=refusal_of(refused)))
    messages.success(request, _("Proposed. Another person puts it in force."))
    return redirect("zones")


@require_POST
@room("zones")
def zone_approve(request: HttpRequest, account: Account, zone_id: str) -> HttpResponse:
    try:
        actions.put_in_force(account, zone_id)
    except Refused as refused:
        return show(request, PAGE, zones_page(account, refusal=refusal_of(refused)))
    messages.success(request, _("The zone is in force: its members' departments count as local ones."))
    return redirect("zones")


@require_POST
@room("zones")
def zone_end(request: HttpRequest, account: Account, zone_id: str) -> HttpResponse:
    form = EndForm(zone_id, request.POST)
    if not form.is_valid():
        return show(request, PAGE, zones_page(account, end=form))
    try:
        actions.end(account, zone_id, form.cleaned_data["reason"])
    except Refused as refused:
        return show(request, PAGE, zones_page(account, end=form, refusal=refusal_of(refused)))
    messages.success(request, _("The zone is ended. What was agreed under it stays."))
    return redirect("zones")
