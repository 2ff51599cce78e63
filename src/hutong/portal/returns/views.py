"""Returns: ask, fetch now, pass on, offer below."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from hutong.control.catalogue import queries as catalogue
from hutong.control.identity.models import Account
from hutong.control.returns import actions, onward
from hutong.portal.components import words
from hutong.portal.components.page import refusal_of, room, show
from hutong.portal.returns import pages
from hutong.portal.returns.forms import AskForm, OfferForm
from hutong.vocabulary.errors import Refused

ROOM = "portal/returns/returns.html"
PAGE = "portal/returns/return.html"


@require_safe
@room("returns")
def returns(request: HttpRequest, account: Account) -> HttpResponse:
    return show(request, ROOM, pages.returns_page(account, request.GET))


@require_safe
@room("returns")
def return_(request: HttpRequest, account: Account, flow_id: str) -> HttpResponse:
    return show(request, PAGE, pages.return_page(account, pages.flow_of(account, flow_id)))


@require_http_methods(["GET", "HEAD", "POST"])
@room("returns")
def ask(request: HttpRequest, account: Account, entry_id: str) -> HttpResponse:
    document = catalogue.document(entry_id)
    times = [
        (one.name, words.of_language(one.title_zh, one.title_en) or one.name)
        for one in document.items
        if one.type in actions.TIMES
    ]
    form = AskForm(pages.own_area(), times, request.POST if request.method == "POST" else None)
    refusal = None
    if request.method == "POST" and form.is_valid():
        try:
            made = actions.ask(account, document.id, **form.cleaned_data)
        except Refused as refused:
            refusal = refusal_of(refused)
        else:
            messages.success(request, _("Asked for. The law grants it: the agreement follows by rule."))
            return redirect("return", made.id)
    return show(request, "portal/returns/ask.html", pages.ask_page(account, document, form, refusal))


@require_POST
@room("returns")
def fetch(request: HttpRequest, account: Account, flow_id: str) -> HttpResponse:
    flow = pages.flow_of(account, flow_id)
    actions.fetch_now(account, flow.id)
    messages.success(request, _("The next batch is fetched now, whole, and compared."))
    return redirect("return", flow.id)


@require_POST
@room("returns")
def pass_on(request: HttpRequest, account: Account, flow_id: str) -> HttpResponse:
    flow = pages.flow_of(account, flow_id)
    try:
        made = onward.pass_on(account, flow.id)
    except Refused as refused:
        return show(request, PAGE, pages.return_page(account, flow, refusal_of(refused)))
    messages.success(request, _("Drafted. Have it signed off and publish it, then offer it to the nodes below."))
    return redirect("resource_edit", made.id)


@require_POST
@room("returns")
def offer(request: HttpRequest, account: Account) -> HttpResponse:
    form = OfferForm(pages.offerable(account), request.POST)
    if not form.is_valid():
        return show(request, ROOM, pages.returns_page(account, request.GET, form))
    try:
        told = actions.offer_down(account, form.cleaned_data["resource"])
    except Refused as refused:
        return show(request, ROOM, pages.returns_page(account, request.GET, form, refusal_of(refused)))
    said = ngettext("Offered to {many} node below.", "Offered to {many} nodes below.", len(told))
    messages.success(request, said.format(many=len(told)))
    return redirect("returns")
