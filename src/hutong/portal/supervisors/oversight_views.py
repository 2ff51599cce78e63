"""Supervision: the board, a figure with its cases, and the signed statements."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_safe

from hutong.control.identity.models import Account
from hutong.portal.components.page import room, show
from hutong.portal.supervisors.cases import csv_text, figure_page
from hutong.portal.supervisors.oversight import oversight_page, statement_page, statements_page


@require_safe
@room("oversight")
def board(request: HttpRequest, account: Account) -> HttpResponse:
    return show(request, "portal/supervisors/oversight.html", oversight_page(account, request.GET))


@require_safe
@room("oversight")
def figure(request: HttpRequest, account: Account, name: str) -> HttpResponse:
    return show(request, "portal/supervisors/figure.html", figure_page(account, name, request.GET))


@require_safe
@room("oversight")
def download(request: HttpRequest, _account: Account, name: str) -> HttpResponse:
    headers = {"Content-Disposition": f"attachment; filename={name}.csv"}
    return HttpResponse(csv_text(name, request.GET), content_type="text/csv; charset=utf-8", headers=headers)


@require_safe
@room("oversight")
def statements(request: HttpRequest, account: Account) -> HttpResponse:
    return show(request, "portal/supervisors/statements.html", statements_page(account))


@require_safe
@room("oversight")
def statement(request: HttpRequest, account: Account, month: str) -> HttpResponse:
    page = statement_page(account, month, check="verify" in request.GET)
    return show(request, "portal/supervisors/statement.html", page)
