"""Reporting a wrong record, answering a report, acknowledging a correction."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext_lazy as lazy
from django.views.decorators.http import require_http_methods, require_safe

from hutong.control.corrections import actions, queries
from hutong.control.corrections.models import Correction
from hutong.control.identity.models import Account
from hutong.portal.components.page import refusal_of, room, show
from hutong.portal.components.refusing import NoSuchStep, NothingHere
from hutong.portal.parties import corrections as pages
from hutong.portal.parties.agreements import agreement_of
from hutong.portal.parties.forms import FindingForm
from hutong.vocabulary.errors import Refused


@require_safe
@room("corrections")
def corrections(request: HttpRequest, account: Account) -> HttpResponse:
    return show(request, "portal/parties/corrections.html", pages.corrections_page(account, request.GET))


@require_http_methods(["GET", "HEAD", "POST"])
@room("corrections")
def correction(request: HttpRequest, account: Account, number: int) -> HttpResponse:
    """One report and its trace; a POST answers it."""
    one = queries.reported(account).select_related("agreement").filter(pk=number).first()
    if one is None:
        raise NothingHere
    said_why = request.POST.get("do") in ("not_wrong", "forwarded")
    form = FindingForm(request.POST if said_why else None)
    template = "portal/parties/correction.html"
    if request.method != "POST":
        return show(request, template, pages.correction_page(account, one, form))
    try:
        said = _answer(account, one, request.POST.get("do", ""), form)
    except Refused as refused:
        return show(request, template, pages.correction_page(account, one, form, refusal_of(refused)))
    if said is None:
        return show(request, template, pages.correction_page(account, one, form))
    messages.success(request, str(said))
    return redirect("correction", number)


@require_http_methods(["GET", "HEAD", "POST"])
@room("corrections")
def heard(request: HttpRequest, account: Account, number: int) -> HttpResponse:
    """A correction of a record we have read; a POST acknowledges it."""
    one = queries.heard(account).select_related("agreement").filter(pk=number).first()
    if one is None:
        raise NothingHere
    if request.method == "POST":
        actions.acknowledge(account, one.pk)
        messages.success(request, str(lazy("Acknowledged: the provider will see it.")))
        return redirect("correction_heard", number)
    return show(request, "portal/parties/correction_heard.html", pages.heard_page(account, one))


@require_http_methods(["GET", "HEAD", "POST"])
@room("corrections")
def report(request: HttpRequest, account: Account, agreement_id: str) -> HttpResponse:
    """Report a wrong record under an agreement."""
    agreement = agreement_of(account, agreement_id)
    if agreement.role != "consumer":
        raise NothingHere
    form = pages.report_form(agreement, request.POST if request.method == "POST" else None)
    template = "portal/parties/correction_report.html"
    if request.method != "POST" or not form.is_valid():
        return show(request, template, pages.report_page(account, agreement, form))
    try:
        made = actions.report(account, agreement.id, **form.cleaned_data)
    except Refused as refused:
        return show(request, template, pages.report_page(account, agreement, form, refusal_of(refused)))
    messages.success(request, str(lazy("Reported: the provider has ten working days from its receipt.")))
    return redirect("correction", made.pk)


def _answer(account: Account, one: Correction, step: str, form: FindingForm) -> object | None:
    """What was done, in words; None where the form needs attention. raises   Refused"""
    if step == "look":
        looked = actions.look(account, one.pk).looked_at is not None
        return lazy("The record was read.") if looked else lazy("The source did not give the record.")
    if step == "corrected":
        actions.answer_corrected(account, one.pk)
        return lazy("Answered: corrected. Every subscriber that has read the record is told.")
    if step not in ("not_wrong", "forwarded"):
        raise NoSuchStep(step=step[:20])
    if not form.is_valid():
        return None
    reason, source = form.cleaned_data["reason"], form.cleaned_data["source"]
    if step == "forwarded":
        actions.answer_forwarded(account, one.pk, source, reason)
        return lazy("Answered: forwarded to the true source.")
    actions.answer_not_wrong(account, one.pk, reason)
    return lazy("Answered: not wrong.")
