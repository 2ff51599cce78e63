"""The signature of the head of the sharing body."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from hutong.control.identity.models import Account
from hutong.control.requests import actions
from hutong.portal.components.page import refusal_of, room, show
from hutong.portal.heads.desk import desk_page
from hutong.portal.heads.forms import CompleteForm
from hutong.portal.officers.requests import points_of, request_of, request_page
from hutong.vocabulary.errors import Refused


@require_safe
@room("desk")
def desk(request: HttpRequest, account: Account) -> HttpResponse:
    return show(request, "portal/heads/desk.html", desk_page(account, request.GET))


@require_POST
@room("desk")
def sign_off(request: HttpRequest, account: Account, request_id: str) -> HttpResponse:
    actions.sign_off(account, request_of(account, request_id).id)
    messages.success(request, _("Signed off. The request is on its way to the provider."))
    return redirect("request", request_id)


@require_POST
@room("desk")
def complete(request: HttpRequest, account: Account, request_id: str) -> HttpResponse:
    """Supply what the provider asked for, and send the request again."""
    found = request_of(account, request_id)
    form = CompleteForm(found, points_of(found), request.POST)
    template = "portal/officers/request.html"
    if not form.is_valid():
        return show(request, template, request_page(account, found, form))
    try:
        actions.complete(account, found.id, form.answers())
    except Refused as refused:
        return show(request, template, request_page(account, found, form, refusal_of(refused)))
    messages.success(request, _("Completed and sent again. The provider may not ask a second time."))
    return redirect("request", request_id)
