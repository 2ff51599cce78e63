"""The coverage report and the register of information systems."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from hutong.control.catalogue import coverage
from hutong.control.catalogue import systems as register
from hutong.control.identity.models import Account
from hutong.portal.components.page import refusal_of, room, show
from hutong.portal.components.refusing import NothingHere
from hutong.portal.supervisors.coverage import SystemForm, coverage_page, csv_rows, findings_page, systems_page
from hutong.portal.supervisors.health import health_page
from hutong.vocabulary.errors import Refused

SYSTEMS = "portal/supervisors/systems.html"


@require_safe
@room("coverage")
def report(request: HttpRequest, account: Account) -> HttpResponse:
    return show(request, "portal/supervisors/coverage.html", coverage_page(account))


@require_safe
@room("coverage")
def download(_request: HttpRequest, account: Account) -> HttpResponse:
    name = "attachment; filename=coverage.csv"
    lines = "".join(csv_rows(account))
    return HttpResponse(lines, content_type="text/csv; charset=utf-8", headers={"Content-Disposition": name})


@require_safe
@room("coverage")
def health_(request: HttpRequest, account: Account) -> HttpResponse:
    return show(request, "portal/supervisors/health.html", health_page(account, request.GET.get("after", "")[:36]))


@require_safe
@room("coverage")
def findings(request: HttpRequest, account: Account, kind: str) -> HttpResponse:
    if kind not in coverage.FINDINGS:
        raise NothingHere
    asked = request.GET
    page = findings_page(account, kind, asked.get("department", "")[:18], asked.get("after", "")[:36])
    return show(request, "portal/supervisors/findings.html", page)


@require_http_methods(["GET", "HEAD", "POST"])
@room("coverage")
def systems(request: HttpRequest, account: Account) -> HttpResponse:
    first = request.GET.get("first", "")
    start = int(first) if first.isdecimal() and len(first) < 7 else 0
    form = SystemForm(account, request.POST if request.method == "POST" else None)
    if request.method != "POST" or not form.is_valid():
        return show(request, SYSTEMS, systems_page(account, form, start))
    try:
        made = register.register_system(account, **form.cleaned_data)
    except Refused as refused:
        return show(request, SYSTEMS, systems_page(account, form, start, refusal_of(refused)))
    messages.success(request, _("The system “{name}” is registered.").format(name=made.name))
    return redirect("systems")


@require_POST
@room("coverage")
def system_retire(request: HttpRequest, account: Account, system_id: str) -> HttpResponse:
    register.retire_system(account, system_id)
    messages.success(request, _("The system is no longer counted."))
    return redirect("systems")
