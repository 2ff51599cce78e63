"""The room of the three lists."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from hutong.control.demands import barring, duties
from hutong.control.demands import lists as published
from hutong.control.demands.views import content
from hutong.control.identity.models import Account
from hutong.portal.components.page import refusal_of, room, show
from hutong.portal.components.refusing import NoSuchStep
from hutong.portal.lists import pages
from hutong.portal.lists.forms import BarredForm, DutyForm, ReasonForm
from hutong.vocabulary.errors import Refused

ONE = "portal/lists/list.html"


@require_safe
@room("lists")
def lists(request: HttpRequest, account: Account) -> HttpResponse:
    return show(request, "portal/lists/lists.html", pages.lists_page(account))


@require_safe
@room("lists")
def list_(request: HttpRequest, account: Account, kind: str) -> HttpResponse:
    return show(request, ONE, pages.list_page(account, kind, request.GET))


@require_safe
@room("lists")
def list_download(_request: HttpRequest, _account: Account, kind: str, version: int, form: str) -> HttpResponse:
    """A published version as a file."""
    if form not in ("json", "csv"):
        raise NoSuchStep(step=form[:40])
    raw = content(kind, form, str(version))
    name = f'attachment; filename="{kind}-{version}.{form}"'
    return HttpResponse(raw.body, content_type=raw.content_type, headers={"Content-Disposition": name})


@require_POST
@room("lists")
def list_publish(_request: HttpRequest, account: Account, kind: str) -> HttpResponse:
    made = published.publish(account, kind)
    messages.success(_request, _("Version {number} is published.").format(number=made.version))
    return redirect("list", kind)


@require_POST
@room("lists")
def list_add(request: HttpRequest, account: Account, kind: str) -> HttpResponse:
    """Register a duty, or propose an entry of the negative list."""
    if kind not in ("duty", "barred"):
        raise NoSuchStep(step=kind[:40])
    form = DutyForm(account, request.POST) if kind == "duty" else BarredForm(account, request.POST)
    if not form.is_valid():
        return show(request, ONE, pages.list_page(account, kind, request.GET, form))
    try:
        if kind == "duty":
            duties.add(account, **form.cleaned_data)
        else:
            barring.propose(account, **form.cleaned_data)
    except Refused as refused:
        return show(request, ONE, pages.list_page(account, kind, request.GET, form, refusal_of(refused)))
    done = _("The duty is registered.") if kind == "duty" else _("Proposed. The supervisor reviews it.")
    messages.success(request, done)
    return redirect("list", kind)


@require_POST
@room("lists")
def list_step(request: HttpRequest, account: Account, kind: str, line_id: str, verb: str) -> HttpResponse:
    """End a line; take a proposed one into the negative list, or not."""
    form = ReasonForm(request.POST)
    reason = form.cleaned_data["reason"] if form.is_valid() else ""
    if (kind, verb) == ("duty", "end"):
        duties.end(account, line_id, reason)
    elif (kind, verb) == ("barred", "end"):
        barring.end(account, line_id, reason)
    elif kind == "barred" and verb in ("accept", "reject"):
        barring.review(account, line_id, accept=verb == "accept", note=reason)
    else:
        raise NoSuchStep(step=f"{kind} {verb}"[:40])
    messages.success(request, _("Done."))
    return redirect("list", kind)
