"""Requests of a department: file, follow, withdraw."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from hutong.control.agreements.offered import Offered, read_offered
from hutong.control.catalogue import queries as catalogue
from hutong.control.catalogue.dataset import EntryDocument
from hutong.control.identity.models import Account
from hutong.control.offerings.queries import on_offer
from hutong.control.requests import actions
from hutong.portal.components.page import refusal_of, room, show
from hutong.portal.components.refusing import NotOffered
from hutong.portal.officers import requests as pages
from hutong.portal.officers.forms import RequestForm
from hutong.portal.staff.catalogue import may_request
from hutong.vocabulary.errors import Refused

FORM = "portal/officers/request_form.html"
# Form field -> argument of the action, where they differ.
PLAIN = ("purpose", "basis", "scenario", "scope", "items", "mode", "term_days", "quota_calls_per_day")


@require_safe
@room("requests")
def requests(request: HttpRequest, account: Account) -> HttpResponse:
    return show(request, "portal/officers/requests.html", pages.requests_page(account, request.GET))


@require_safe
@room("requests")
def request_(request: HttpRequest, account: Account, request_id: str) -> HttpResponse:
    page = pages.request_page(account, pages.request_of(account, request_id))
    return show(request, "portal/officers/request.html", page)


@require_http_methods(["GET", "HEAD", "POST"])
@room("requests")
def request_new(request: HttpRequest, account: Account, entry_id: str) -> HttpResponse:
    document = catalogue.document(entry_id)
    if not (may := may_request(account, document)):
        raise NotOffered(reason=may.reason)
    form = RequestForm(document, request.POST if request.method == "POST" else None, _offered(document))
    if request.method != "POST" or not form.is_valid():
        return show(request, FORM, pages.request_form_page(account, document, form))
    said = {name: form.cleaned_data[name] for name in PLAIN}
    try:
        filed = actions.file(account, resource_id=document.id, row_condition=form.where, **said)
    except Refused as refused:
        return show(request, FORM, pages.request_form_page(account, document, form, refusal_of(refused)))
    messages.success(request, _("Filed. The head of your sharing body signs it off next."))
    return redirect("request", filed.id)


def _offered(document: EntryDocument) -> Offered | None:
    """What its provider offers us of it, where it does."""
    found = on_offer(document.id, document.origin).first()
    return read_offered(found.offer) if found else None


@require_POST
@room("requests")
def request_preview(request: HttpRequest, _account: Account, entry_id: str) -> HttpResponse:
    """The row condition as typed so far, in plain words: a part of the form, for htmx."""
    form = RequestForm(catalogue.document(entry_id), request.POST)
    page = pages.PreviewPage(pages.preview(form))
    return render(request, "portal/officers/preview.html", {"page": page})


@require_POST
@room("requests")
def request_check(request: HttpRequest, _account: Account, entry_id: str) -> HttpResponse:
    """What is still missing in the form as typed so far: a part of the form, for htmx."""
    form = RequestForm(catalogue.document(entry_id), request.POST)
    return render(request, "portal/officers/gaps.html", {"page": pages.GapsPage(pages.gaps(form))})


@require_POST
@room("requests")
def request_withdraw(request: HttpRequest, account: Account, request_id: str) -> HttpResponse:
    actions.withdraw(account, pages.request_of(account, request_id).id)
    messages.success(request, _("The request is withdrawn."))
    return redirect("request", request_id)
