"""Rooms every signed-in account has: start, catalogue, a resource; and the node for those who oversee it."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_safe

from hutong.control.identity.models import Account
from hutong.portal.components.page import fragment, room, show
from hutong.portal.staff.catalogue import catalogue_page, resource_page
from hutong.portal.staff.home import home_page
from hutong.portal.staff.node import node_page


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
@room("node")
def node(request: HttpRequest, account: Account) -> HttpResponse:
    return show(request, "portal/staff/node.html", node_page(account))
