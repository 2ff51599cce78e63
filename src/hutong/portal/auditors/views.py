"""The register of exchanges, and the verification of a receipt."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_POST, require_safe

from hutong.control.identity.models import Account
from hutong.node import settings as node_settings
from hutong.portal.auditors.exchanges import exchanges_page, receipt_page, record_of
from hutong.portal.auditors.meters import file_text, meters_page
from hutong.portal.auditors.reconciliations import reconciliations_page
from hutong.portal.auditors.verification import verify as verify_receipt
from hutong.portal.components.page import fragment, room, show


@require_safe
@room("exchanges")
def exchanges(request: HttpRequest, account: Account) -> HttpResponse:
    page = exchanges_page(account, request.GET)
    return show(request, fragment(request, "portal/auditors/exchanges.html", "portal/auditors/rows.html"), page)


@require_safe
@room("exchanges")
def exchange(request: HttpRequest, account: Account, exchange_id: str, role: str) -> HttpResponse:
    record = record_of(account, exchange_id, role)
    return show(request, "portal/auditors/receipt.html", receipt_page(account, record))


@require_POST
@room("exchanges")
def verify(request: HttpRequest, account: Account, exchange_id: str, role: str) -> HttpResponse:
    record = record_of(account, exchange_id, role)
    page = receipt_page(account, record, verify_receipt(record, node_settings.current().ledger_folder))
    return show(request, fragment(request, "portal/auditors/receipt.html", "portal/auditors/verified.html"), page)


@require_safe
@room("reconciliations")
def reconciliations(request: HttpRequest, account: Account) -> HttpResponse:
    page = reconciliations_page(account, request.GET.get("page"))
    return show(request, "portal/auditors/reconciliations.html", page)


@require_safe
@room("meters")
def meters(request: HttpRequest, account: Account) -> HttpResponse:
    return show(request, "portal/auditors/meters.html", meters_page(account, request.GET))


@require_safe
@room("meters")
def meter_file(_request: HttpRequest, _account: Account, number: int) -> HttpResponse:
    name, text = file_text(number)
    headers = {"Content-Disposition": f"attachment; filename={name}"}
    return HttpResponse(text, content_type="application/json", headers=headers)
