"""Issue and revoke the keys of a department's applications."""

from __future__ import annotations

import json

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.http import content_disposition_header
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from hutong.control.identity.applications import issue_key, revoke_key
from hutong.control.identity.models import Account
from hutong.exchange import keys as exchange_keys
from hutong.portal.applications.forms import KeyForm
from hutong.portal.applications.pages import keys_page
from hutong.portal.components.page import room, show

TEMPLATE = "portal/applications/keys.html"


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
@room("keys")
def keys(request: HttpRequest, account: Account) -> HttpResponse:
    form = KeyForm(request.POST if request.method == "POST" else None)
    if request.method != "POST" or not form.is_valid():
        return show(request, TEMPLATE, keys_page(account, form))
    # Shown in this answer and nowhere else: a redirect would have to keep the secret somewhere.
    secret = issue_key(account, **form.cleaned_data)
    if form.cleaned_data["purpose"]:
        return _profile_file(secret, form.cleaned_data["application"], form.cleaned_data["days"])
    page = keys_page(account, KeyForm(), new_key=secret, new_application=form.cleaned_data["application"])
    return show(request, TEMPLATE, page)


def _profile_file(secret: str, application: str, days: int) -> HttpResponse:
    profile = json.dumps(exchange_keys.profile(secret, days=days), indent=2) + "\n"
    answer = HttpResponse(profile, content_type="application/json")
    answer["Content-Disposition"] = content_disposition_header(True, application + ".share") or "attachment"
    return answer


@require_POST
@room("keys")
def key_revoke(request: HttpRequest, account: Account, prefix: str) -> HttpResponse:
    key = revoke_key(account, prefix)
    messages.success(request, _("The key of {name} opens nothing any more.").format(name=key.application))
    return redirect("keys")
