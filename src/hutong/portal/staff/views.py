"""What every signed-in account has: start, catalogue, a resource, its password; and the node for overseers."""

from __future__ import annotations

from django.contrib import messages
from django.contrib.auth import update_session_auth_hash
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_safe

from hutong.control.identity.models import Account
from hutong.portal.components.page import fragment, refusal_of, room, show
from hutong.portal.origin import address_of
from hutong.portal.staff.catalogue import catalogue_page, resource_page
from hutong.portal.staff.home import home_page
from hutong.portal.staff.node import node_page
from hutong.portal.staff.password import PasswordForm, password_page
from hutong.portal.staff.versions import versions_page
from hutong.vocabulary.errors import Refused

OWN_ENTRY = "portal/staff/password.html"


@require_safe
@room("home")
def home(request: HttpRequest, account: Account) -> HttpResponse:
    return show(request, "portal/staff/home.html", home_page(account))


@require_safe
@room("catalogue")
def catalogue(request: HttpRequest, account: Account) -> HttpResponse:
    page = catalogue_page(account, request.GET)
    return show(request, fragment(request, "portal/staff/catalogue.html", "portal/staff/found_anew.html"), page)


@require_safe
@room("catalogue")
def resource(request: HttpRequest, account: Account, entry_id: str) -> HttpResponse:
    return show(request, "portal/staff/resource.html", resource_page(account, entry_id))


@require_safe
@room("catalogue")
def versions(request: HttpRequest, account: Account, resource_id: str) -> HttpResponse:
    page = versions_page(account, resource_id, request.GET.get("before"), request.GET.get("after"))
    return show(request, "portal/staff/versions.html", page)


@require_safe
@room("node")
def node(request: HttpRequest, account: Account) -> HttpResponse:
    return show(request, "portal/staff/node.html", node_page(account))


@sensitive_post_parameters()
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
@room("home")
def password(request: HttpRequest, account: Account) -> HttpResponse:
    form = PasswordForm(account, request.POST if request.method == "POST" else None)
    try:
        changed = form.change(address_of(request), timezone.now()) if form.is_valid() else None
    except Refused as refused:
        return show(request, OWN_ENTRY, password_page(account, form, refusal_of(refused)))
    if changed is None:
        return show(request, OWN_ENTRY, password_page(account, form))
    update_session_auth_hash(request, changed)
    messages.success(request, _("Your password is changed. Whoever else was signed in with it is signed out."))
    return redirect("home")
