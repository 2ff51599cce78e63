"""The rule book, changes of its parameters, and the decisions made by it."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from hutong.control.identity.models import Account
from hutong.control.statute import actions, queries
from hutong.portal.components.page import refusal_of, room, show
from hutong.portal.statute import decisions as decision_pages
from hutong.portal.statute.book import book_page, rule_page
from hutong.portal.statute.forms import VersionForm
from hutong.vocabulary.errors import Refused

RULE = "portal/statute/rule.html"


@require_safe
@room("rules")
def rules(request: HttpRequest, account: Account) -> HttpResponse:
    return show(request, "portal/statute/rules.html", book_page(account, request.GET))


@require_safe
@room("rules")
def rule(request: HttpRequest, account: Account, number: str, code: str) -> HttpResponse:
    found = queries.rule(f"{number}/{code}")
    return show(request, RULE, rule_page(account, found, request.GET))


@require_POST
@room("rules")
def propose(request: HttpRequest, account: Account, number: str, code: str) -> HttpResponse:
    found = queries.rule(f"{number}/{code}")
    form = VersionForm(found, request.POST)
    if not form.is_valid():
        return show(request, RULE, rule_page(account, found, request.GET, form=form))
    said = dict(form.cleaned_data)
    try:
        actions.propose(account, found.name(), said.pop("parameter"), **said)
    except Refused as refused:
        return show(request, RULE, rule_page(account, found, request.GET, form=form, refusal=refusal_of(refused)))
    messages.success(request, _("Proposed. It has no effect until another person approves it."))
    return redirect("rule", number, code)


@require_POST
@room("rules")
def decide(request: HttpRequest, account: Account, version_id: str) -> HttpResponse:
    approve = request.POST.get("do") == "approve"
    found = actions.decide_version(account, version_id, approve=approve)
    messages.success(request, _("Approved.") if approve else _("Declined."))
    return redirect("rule", *found.rule.split("/"))


@require_safe
@room("rules")
def decisions(request: HttpRequest, account: Account) -> HttpResponse:
    page = decision_pages.decisions_page(account, request.GET)
    return show(request, "portal/statute/decisions.html", page)


@require_safe
@room("rules")
def decision(request: HttpRequest, account: Account, decision_id: str) -> HttpResponse:
    page = decision_pages.decision_page(account, decision_id, again="again" in request.GET)
    return show(request, "portal/statute/decision.html", page)
