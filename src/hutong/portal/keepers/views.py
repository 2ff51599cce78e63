"""Zones: propose, put in force, end. Working days: read a file, propose what it says, put it in force."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from hutong.control.calendar import actions as calendars
from hutong.control.calendar import queries as calendar_queries
from hutong.control.calendar.reading import read
from hutong.control.identity import rules as roles
from hutong.control.identity.models import Account
from hutong.control.identity.rules import Action
from hutong.control.zones import actions
from hutong.portal.components.form import SendBackForm
from hutong.portal.components.page import refusal_of, room, show
from hutong.portal.keepers.calendar import calendar_page, proposal_page, read_page
from hutong.portal.keepers.forms import EndForm, HolidaysForm, ReadForm, ZoneForm
from hutong.portal.keepers.zones import zones_page
from hutong.vocabulary.errors import Refused

PAGE = "portal/keepers/zones.html"
CALENDAR = "portal/keepers/calendar.html"
READ = "portal/keepers/calendar_read.html"
PROPOSAL = "portal/keepers/calendar_proposal.html"


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


@require_safe
@room("calendar")
def calendar(request: HttpRequest, account: Account) -> HttpResponse:
    return show(request, CALENDAR, calendar_page(account, request.GET.get("year", "")))


@require_POST
@room("calendar")
def calendar_read(request: HttpRequest, account: Account) -> HttpResponse:
    """Show what a file says. Keeps nothing of it: the page carries the file on to where it is proposed."""
    roles.check(account, Action.LOAD_CALENDAR)
    form = HolidaysForm(request.POST, request.FILES)
    if not form.is_valid():
        return show(request, CALENDAR, calendar_page(account, form=form))
    given = form.given()
    try:
        page = read_page(account, read(**given), ReadForm.of(**given))
    except Refused as refused:
        return show(request, CALENDAR, calendar_page(account, form=form, refusal=refusal_of(refused)))
    return show(request, READ, page)


@require_POST
@room("calendar")
def calendar_propose(request: HttpRequest, account: Account) -> HttpResponse:
    form = ReadForm(request.POST)
    if not form.is_valid():
        return redirect("calendar")
    try:
        made = calendars.propose(account, **form.cleaned_data)
    except Refused as refused:
        return show(request, CALENDAR, calendar_page(account, refusal=refusal_of(refused)))
    messages.success(request, _("Proposed. It has no effect until another person approves it."))
    return redirect("calendar_proposal", made.id)


@require_safe
@room("calendar")
def calendar_proposal(request: HttpRequest, account: Account, proposal_id: str) -> HttpResponse:
    return show(request, PROPOSAL, proposal_page(account, calendar_queries.proposal(proposal_id)))


@require_POST
@room("calendar")
def calendar_approve(request: HttpRequest, account: Account, proposal_id: str) -> HttpResponse:
    try:
        made = calendars.approve(account, proposal_id)
    except Refused as refused:
        one = calendar_queries.proposal(proposal_id)
        return show(request, PROPOSAL, proposal_page(account, one, refusal=refusal_of(refused)))
    messages.success(request, _("In force. Terms that waited for these days get their last day by themselves."))
    return redirect("calendar_proposal", made.id)


@require_POST
@room("calendar")
def calendar_decline(request: HttpRequest, account: Account, proposal_id: str) -> HttpResponse:
    one, form = calendar_queries.proposal(proposal_id), SendBackForm(request.POST)
    if not form.is_valid():
        return show(request, PROPOSAL, proposal_page(account, one, form))
    try:
        calendars.decline(account, proposal_id, form.cleaned_data["reason"])
    except Refused as refused:
        return show(request, PROPOSAL, proposal_page(account, one, form, refusal_of(refused)))
    messages.success(request, _("Sent back, with its reason."))
    return redirect("calendar_proposal", proposal_id)
