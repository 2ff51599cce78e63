"""Standards: read, propose, approve; measure a resource; see what code maps held back."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from hutong.control.agreements.models import Agreement
from hutong.control.catalogue import actions as catalogue_actions
from hutong.control.catalogue import queries as catalogue
from hutong.control.catalogue.models import Resource
from hutong.control.identity import rules as roles
from hutong.control.identity.models import Account
from hutong.control.identity.rules import Action
from hutong.control.standards import actions, queries
from hutong.control.standards.differences import differences
from hutong.control.standards.files import MAP_HEADER, to_csv
from hutong.control.standards.models import Definition
from hutong.control.standards.scoring import ask_for_score
from hutong.portal.components import scope
from hutong.portal.components.form import SendBackForm
from hutong.portal.components.page import refusal_of, room, show
from hutong.portal.components.paging import page_number
from hutong.portal.components.refusing import NothingHere
from hutong.portal.stewards.elements import element_page
from hutong.portal.stewards.forms import ElementForm, MapForm, shown_pairs
from hutong.portal.stewards.maps import map_page
from hutong.portal.stewards.resource import resource_standards_page
from hutong.portal.stewards.standards import standard_page, standards_page
from hutong.portal.stewards.withheld import values_page, withheld_page
from hutong.vocabulary.errors import NotFound, Refused

STANDARD = "portal/stewards/standard.html"
MAP = "portal/stewards/map.html"
ELEMENT = "portal/stewards/element.html"
RESOURCE = "portal/stewards/resource.html"


@require_safe
@room("standards")
def standards(request: HttpRequest, account: Account) -> HttpResponse:
    page = standards_page(account, request.GET.get("kind", ""), page_number(request.GET.get("page")))
    return show(request, "portal/stewards/standards.html", page)


@require_safe
@room("standards")
def standard(request: HttpRequest, account: Account, definition_id: str) -> HttpResponse:
    one, page = queries.version(definition_id), page_number(request.GET.get("page"))
    return show(request, STANDARD, standard_page(account, one, page, SendBackForm()))


@require_POST
@room("standards")
def standard_approve(request: HttpRequest, account: Account, definition_id: str) -> HttpResponse:
    try:
        one = actions.approve(account, definition_id)
    except Refused as refused:
        page = standard_page(account, queries.version(definition_id), 1, SendBackForm(), refusal_of(refused))
        return show(request, STANDARD, page)
    messages.success(request, _("Version {version} is in force.").format(version=one.version))
    return redirect("standard", one.id)


@require_POST
@room("standards")
def standard_refuse(request: HttpRequest, account: Account, definition_id: str) -> HttpResponse:
    form = SendBackForm(request.POST)
    if not form.is_valid():
        return show(request, STANDARD, standard_page(account, queries.version(definition_id), 1, form))
    try:
        one = actions.refuse(account, definition_id, form.cleaned_data["reason"])
    except Refused as refused:
        page = standard_page(account, queries.version(definition_id), 1, form, refusal_of(refused))
        return show(request, STANDARD, page)
    messages.success(request, _("Version {version} is refused, with its reason.").format(version=one.version))
    return redirect("standard", one.id)


@require_http_methods(["GET", "HEAD", "POST"])
@room("standards")
def element_edit(request: HttpRequest, account: Account) -> HttpResponse:
    """?from= goes on from a version. What is filled in is compared with the version in force, or proposed."""
    roles.check(account, Action.PROPOSE_STANDARD)
    begun = queries.version(request.GET["from"]) if request.GET.get("from") else None
    if begun is not None and begun.kind != "element":
        raise NotFound(what="data element", what_zh="数据元", name=begun.name)
    if request.method != "POST":
        return show(request, ELEMENT, element_page(account, begun, ElementForm(begun)))
    form = ElementForm(begun, request.POST)
    if not form.is_valid():
        return show(request, ELEMENT, element_page(account, begun, form))
    try:
        proposal = form.proposal()
        if request.POST.get("do") == "compare":
            known = queries.in_force("element", proposal.name)
            found = differences(queries.proposal_of(known) if known else None, proposal)
            return show(request, ELEMENT, element_page(account, begun, form, found=found))
        made = actions.propose(account, proposal)
    except Refused as refused:
        return show(request, ELEMENT, element_page(account, begun, form, refusal=refusal_of(refused)))
    messages.success(
        request, _("Proposed as version {version}; the supervisor approves it.").format(version=made.version)
    )
    return redirect("standard", made.id)


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
@room("standards")
def map_edit(request: HttpRequest, account: Account) -> HttpResponse:
    """?map= goes on from the newest version; ?table= begins one; ?item= looks at that column."""
    roles.check(account, Action.PROPOSE_STANDARD)
    known = _known_map(request.GET.get("map", ""))
    table, item = request.GET.get("table", "")[:60], request.GET.get("item", "")[:200]
    if request.method != "POST":
        return show(request, MAP, map_page(account, known, table=table, item=item))
    form = MapForm(str(known.document["table"]) if known else table, known, request.POST)
    pairs = shown_pairs(request.POST)
    if not form.is_valid():
        return show(request, MAP, map_page(account, known, table=table, item=item, data=pairs, form=form))
    try:
        made = actions.propose(account, form.proposal(pairs))
    except Refused as refused:
        return show(
            request,
            MAP,
            map_page(account, known, table=table, item=item, data=pairs, form=form, refusal=refusal_of(refused)),
        )
    messages.success(
        request, _("Proposed as version {version}; the supervisor approves it.").format(version=made.version)
    )
    return redirect("standard", made.id)


@require_safe
@room("standards")
def map_export(_request: HttpRequest, _account: Account, name: str) -> HttpResponse:
    known = _known_map(name)
    if known is None:
        raise NotFound(what="code map", what_zh="代码映射", name=name[:60])
    rows = known.rows.values_list("code", "title_zh", "target")
    answer = HttpResponse(to_csv(MAP_HEADER, rows), content_type="text/csv; charset=utf-8")
    answer["Content-Disposition"] = f'attachment; filename="{known.name}-{known.version}.csv"'
    return answer


@require_safe
@room("withheld")
def withheld(request: HttpRequest, account: Account) -> HttpResponse:
    return show(request, "portal/stewards/withheld.html", withheld_page(account, request.GET.dict()))


@never_cache
@require_safe
@room("withheld")
def withheld_values(request: HttpRequest, account: Account, agreement_id: str) -> HttpResponse:
    roles.check(account, Action.SEE_WITHHELD_VALUES)
    agreement = Agreement.objects.filter(id=agreement_id, role="provider").first()
    if agreement is None:
        raise NotFound(what="agreement", name=agreement_id[:80])
    return show(request, "portal/stewards/values.html", values_page(account, agreement))


@require_safe
@room("standards")
def resource_standards(request: HttpRequest, account: Account, resource_id: str) -> HttpResponse:
    resource = catalogue.resource(resource_id)
    ours = scope.sees_all(account) or resource.department_id == account.department_id
    if not ours and resource.state != "published":
        raise NothingHere
    # What was found of a published resource is for whoever may ask for it; its source is read for its own people alone.
    look = "look" in request.GET and roles.may(account, Action.MEASURE_RESOURCE) and ours
    return show(request, RESOURCE, resource_standards_page(account, resource, look=look))


@require_POST
@room("standards")
def resource_map_item(request: HttpRequest, account: Account, resource_id: str) -> HttpResponse:
    """A person confirms one suggestion: the item is described anew with its element."""
    resource = _ours(account, resource_id)
    name, element = request.POST.get("item", ""), request.POST.get("element", "")
    items = [
        {"name": one.name, **({"element": element} if one.name == name else {})} for one in catalogue.items_of(resource)
    ]
    try:
        catalogue_actions.describe(account, resource.id, {}, items)
    except Refused as refused:
        page = resource_standards_page(account, resource, refusal=refusal_of(refused))
        return show(request, RESOURCE, page)
    messages.success(
        request, _("“{item}” is mapped. The catalogue shows it once it is published again.").format(item=name)
    )
    return redirect("resource_standards", resource.id)


@require_POST
@room("standards")
def resource_measure(request: HttpRequest, account: Account, resource_id: str) -> HttpResponse:
    ask_for_score(account, _ours(account, resource_id).id)
    messages.success(request, _("The measuring is asked for; it runs behind, and this page says how far it is."))
    return redirect("resource_standards", resource_id)


def _known_map(name: str) -> Definition | None:
    """The newest version of a map, approved or still proposed: what an editor goes on from."""
    found = queries.versions("map", name).exclude(state="refused") if name else None
    return found.first() if found is not None else None


def _ours(account: Account, resource_id: str) -> Resource:
    """raises   NotFound, NothingHere"""
    resource = catalogue.resource(resource_id)
    if not scope.sees_all(account) and resource.department_id != account.department_id:
        raise NothingHere
    return resource
