"""The room of demands: the list, a new one, one, and what is done with it."""

from __future__ import annotations

from dataclasses import dataclass

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from hutong.control.demands import actions, holding
from hutong.control.identity.models import Account
from hutong.portal.components.page import Page, Refusal, refusal_of, room, shell_for, show
from hutong.portal.components.refusing import NoSuchStep
from hutong.portal.demands import desk, found, one
from hutong.portal.demands.forms import DemandForm
from hutong.vocabulary.errors import Refused

FORM = "portal/demands/new.html"
ONE = "portal/demands/demand.html"
PLAIN = ("title", "what_for", "basis", "scope", "purpose", "area_code", "update_cycle", "target", "why_not")


@dataclass(frozen=True, kw_only=True)
class NewDemandPage(Page):
    form: DemandForm
    looked: found.Looked


@require_safe
@room("demands")
def demands(request: HttpRequest, account: Account) -> HttpResponse:
    return show(request, "portal/demands/demands.html", desk.demands_page(account, request.GET))


@require_http_methods(["GET", "HEAD", "POST"])
@room("demands")
def demand_new(request: HttpRequest, account: Account) -> HttpResponse:
    form = DemandForm(request.POST if request.method == "POST" else None)
    if request.method != "POST" or not form.is_valid():
        return show(request, FORM, _new_page(account, form))
    try:
        made = actions.file(account, items=form.items(), **{name: form.cleaned_data[name] for name in PLAIN})
    except Refused as refused:
        return show(request, FORM, _new_page(account, form, refusal_of(refused)))
    messages.success(request, _("Filed. The head of your sharing body signs it off next."))
    return redirect("demand", made.id)


@require_POST
@room("demands")
def demand_candidates(request: HttpRequest, _account: Account) -> HttpResponse:
    """What the wish as typed so far would find: a part of the form, for htmx."""
    page = found.LookedPage(found.looked_for(DemandForm(request.POST)))
    return render(request, "portal/demands/looked.html", {"page": page})


@require_safe
@room("demands")
def demand(request: HttpRequest, account: Account, demand_id: str) -> HttpResponse:
    return show(request, ONE, one.demand_page(account, one.demand_of(account, demand_id)))


@require_POST
@room("demands")
def demand_sign_off(request: HttpRequest, account: Account, demand_id: str) -> HttpResponse:
    actions.sign_off(account, one.demand_of(account, demand_id).id)
    messages.success(request, _("Signed off. The demand is on its way to whoever should hold the data."))
    return redirect("demand", demand_id)


@require_POST
@room("demands")
def demand_request(request: HttpRequest, account: Account, demand_id: str) -> HttpResponse:
    made = actions.request(account, one.demand_of(account, demand_id).id)
    messages.success(request, _("The request is filed with the words of the demand. The head signs it off next."))
    return redirect("request", made.id)


@require_POST
@room("demands")
def demand_step(request: HttpRequest, account: Account, demand_id: str, verb: str) -> HttpResponse:
    """Name, hand up, assign, join, meet, refuse or withdraw."""
    if verb not in one.VERBS:
        raise NoSuchStep(step=verb[:40])
    demand = one.demand_of(account, demand_id)
    form = one.form_of(demand, verb)(request.POST)
    if not form.is_valid():
        return show(request, ONE, one.demand_page(account, demand, (verb, form)))
    act = actions.withdraw if verb == "withdraw" else getattr(holding, verb)
    try:
        act(account, demand.id, **_named(verb, form.cleaned_data))
    except Refused as refused:
        return show(request, ONE, one.demand_page(account, demand, (verb, form), refusal_of(refused)))
    messages.success(request, _("Done. Every node it concerns is told."))
    return redirect("demand", demand_id)


def _named(verb: str, said: dict[str, str]) -> dict[str, str]:
    """The form's fields under the action's names."""
    return {"department_code": said["department"]} if verb == "name_lead" else dict(said)


def _new_page(account: Account, form: DemandForm, refusal: Refusal | None = None) -> NewDemandPage:
    shell = shell_for(account, "demands")
    return NewDemandPage(shell=shell, refusal=refusal, form=form, looked=found.looked_for(form))
