"""Publishing: register, draft, describe, sign off, submit, take back, withdraw."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from hutong.control.catalogue import actions, queries
from hutong.control.catalogue.models import Resource
from hutong.control.catalogue.rules import PublishRefused
from hutong.control.identity import rules as roles
from hutong.control.identity.models import Account
from hutong.control.identity.rules import Action
from hutong.control.standards.dictionary import dictionary
from hutong.portal.components import scope
from hutong.portal.components.page import refusal_of, room, show
from hutong.portal.components.refusing import NothingHere
from hutong.portal.providers.simulation import simulation_of_resource
from hutong.portal.publishers.forms import DescriptionForm, ItemForm, SourceChoiceForm, SourceForm, WorkbookForm
from hutong.portal.publishers.publish import edit_page, item_forms, mark, publish_page, source_form_page
from hutong.portal.publishers.workbooks import exported, import_page, take
from hutong.vocabulary.errors import Refused

EDIT = "portal/publishers/resource.html"
IMPORT = "portal/publishers/import.html"
WORKBOOK = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
SOURCE = "portal/publishers/source_form.html"


@require_safe
@room("publish")
def publish(request: HttpRequest, account: Account) -> HttpResponse:
    return show(request, "portal/publishers/publish.html", publish_page(account, request.GET))


@require_http_methods(["GET", "HEAD", "POST"])
@room("publish")
def source_new(request: HttpRequest, account: Account) -> HttpResponse:
    roles.check(account, Action.REGISTER_SOURCE)
    form = SourceForm(account, request.POST if request.method == "POST" else None)
    if request.method != "POST" or form.asks_more or not form.is_valid():
        return show(request, SOURCE, source_form_page(account, form))
    try:
        source = actions.register_source(account, **form.given())
    except Refused as refused:
        return show(request, SOURCE, source_form_page(account, form, refusal_of(refused)))
    messages.success(request, _("The source “{name}” answers and is registered.").format(name=source.name))
    return redirect("publish")


@require_POST
@room("publish")
def source_draft(request: HttpRequest, account: Account, source_id: str) -> HttpResponse:
    resource = actions.draft_resource(account, source_id)
    messages.success(request, _("A description was drafted from the data. Read it, complete it, submit it."))
    return redirect("resource_edit", resource.id)


@require_POST
@room("publish")
def source_refresh(request: HttpRequest, account: Account, source_id: str) -> HttpResponse:
    source = actions.refresh_source(account, source_id)
    messages.success(request, _("The source “{name}” was read again.").format(name=source.name))
    return redirect("publish")


@require_http_methods(["GET", "HEAD", "POST"])
@room("publish")
def catalogue_import(request: HttpRequest, account: Account) -> HttpResponse:
    """Take a workbook in, and say what became of each of its resources."""
    sent = request.method == "POST"
    form = WorkbookForm(request.POST, request.FILES) if sent else WorkbookForm()
    if not sent or not form.is_valid():
        return show(request, IMPORT, import_page(account, form))
    try:
        made = take(account, form.cleaned_data["workbook"])
    except Refused as refused:
        return show(request, IMPORT, import_page(account, form, refusal=refusal_of(refused)))
    return show(request, IMPORT, import_page(account, WorkbookForm(), made))


@require_safe
@room("publish")
def catalogue_export(_request: HttpRequest, account: Account) -> HttpResponse:
    name = "attachment; filename=catalogue.xlsx"
    return HttpResponse(exported(account), content_type=WORKBOOK, headers={"Content-Disposition": name})


@require_POST
@room("publish")
def resource_attach(request: HttpRequest, account: Account, resource_id: str) -> HttpResponse:
    resource = _ours(account, resource_id)
    form = SourceChoiceForm(resource, request.POST)
    if form.is_valid():
        actions.attach(account, resource.id, form.cleaned_data["source"])
        messages.success(request, _("The source is attached."))
    return redirect("resource_edit", resource.id)


@require_http_methods(["GET", "HEAD", "POST"])
@room("publish")
def resource_edit(request: HttpRequest, account: Account, resource_id: str) -> HttpResponse:
    resource = _ours(account, resource_id)
    data = request.POST if request.method == "POST" else None
    form, items = DescriptionForm(resource, data), item_forms(resource, data)
    if data is None or not all([form.is_valid(), *[one.is_valid() for one in items]]):
        return show(request, EDIT, edit_page(account, resource, form, items))
    try:
        actions.describe(account, resource.id, form.given(), [said for one in items if (said := one.given())])
        if request.POST.get("do") == "submit":
            return _submit(request, account, resource)
    except Refused as refused:
        return show(request, EDIT, edit_page(account, resource, form, items, refusal=refusal_of(refused)))
    messages.success(
        request,
        _("The description is saved. It is not published yet.")
        if resource.version == 0
        else _("The description is saved. The catalogue shows it once the supervisor has reviewed it."),
    )
    return redirect("resource_edit", resource.id)


@require_POST
@room("publish")
def resource_simulate(request: HttpRequest, account: Account, resource_id: str) -> HttpResponse:
    """Who could read what, before it is published; sample rows where they are asked for."""
    page = simulation_of_resource(account, _ours(account, resource_id), request.POST)
    answer = show(request, "portal/providers/simulation.html", page)
    answer["Cache-Control"] = "no-store"
    return answer


@require_POST
@room("publish")
def resource_sign_off(request: HttpRequest, account: Account, resource_id: str) -> HttpResponse:
    actions.sign_off(account, _ours(account, resource_id).id)
    messages.success(request, _("The secrecy and personal-information assessment is signed off."))
    return redirect("resource_edit", resource_id)


@require_POST
@room("publish")
def resource_take_back(request: HttpRequest, account: Account, resource_id: str) -> HttpResponse:
    actions.take_back(account, _ours(account, resource_id).id)
    messages.success(request, _("Taken back from the supervisor; it can be changed again."))
    return redirect("resource_edit", resource_id)


@require_POST
@room("publish")
def resource_withdraw(request: HttpRequest, account: Account, resource_id: str) -> HttpResponse:
    actions.withdraw(account, _ours(account, resource_id).id)
    messages.success(request, _("The entry is withdrawn from every catalogue. Agreements in force go on."))
    return redirect("resource_edit", resource_id)


def _submit(request: HttpRequest, account: Account, resource: Resource) -> HttpResponse:
    """Submit what was just saved, or show what is missing beside each field."""
    try:
        actions.submit(account, resource.id)
    except PublishRefused as refused:
        saved = queries.resource(resource.id)
        form, items = _as_saved(saved)
        mark(form, items, refused.findings)
        page = edit_page(account, saved, form, items, findings=refused.findings)
        answer = show(request, EDIT, page)
        answer.status_code = refused.status
        return answer
    messages.success(request, _("Submitted: the supervisor reviews it within two working days."))
    return redirect("resource_edit", resource.id)


def _as_saved(resource: Resource) -> tuple[DescriptionForm, list[ItemForm]]:
    """Bound forms of what is stored, so that findings can be written beside the fields."""
    unbound = DescriptionForm(resource)
    form = DescriptionForm(resource, dict(unbound.initial))
    items, elements = [], dictionary()
    for one in item_forms(resource):
        items.append(ItemForm(one.item, elements, {one.add_prefix(name): value for name, value in one.initial.items()}))
    for bound in (form, *items):
        bound.is_valid()
    return form, items


def _ours(account: Account, resource_id: str) -> Resource:
    """A resource the account may open: of its department, or any for those who oversee.

    raises   NotFound, NothingHere
    """
    resource = queries.resource(resource_id)
    if not scope.sees_all(account) and resource.department_id != account.department_id:
        raise NothingHere
    return resource
