"""The way of a data set into the catalogue: source, draft, description, submission."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django import forms
from django.http import QueryDict
from django.urls import reverse
from django.utils.translation import gettext as _

from hutong.control.catalogue import changes, queries, rules
from hutong.control.catalogue.models import Item, Resource, Submission
from hutong.control.catalogue.sources import sources
from hutong.control.demands import barring, candidates, repeating
from hutong.control.identity.models import Account
from hutong.control.identity.rules import Action
from hutong.control.organisations.models import Department
from hutong.control.standards.dictionary import dictionary
from hutong.exchange.models import Source
from hutong.exchange.sources.spec import SourceDrifted
from hutong.portal.components import access, scope, words
from hutong.portal.components.clocks import dues
from hutong.portal.components.page import Page, Refusal, shell_for
from hutong.portal.components.paging import Sheet, sheet
from hutong.portal.components.parts import Badge, Due, May, no
from hutong.portal.components.peers import department_name
from hutong.portal.demands.found import Found, found
from hutong.portal.publishers.forms import DescriptionForm, ItemForm, SourceChoiceForm, SourceForm
from hutong.portal.staff.catalogue import stale_badges
from hutong.portal.staff.node import source_answer
from hutong.portal.staff.versions import versions_url
from hutong.portal.supervisors.review import Point, points
from hutong.vocabulary.codes import CodeList
from hutong.vocabulary.errors import Refused

ROWS = 50


@dataclass(frozen=True)
class ResourceRow:
    url: str
    title: str
    department: str
    code: str
    attribute: Badge
    state: Badge
    waiting: Badge | None  # before the supervisor, or sent back
    stale: Badge | None
    published_at: datetime | None


@dataclass(frozen=True)
class SourceRow:
    id: str
    name: str
    department: str
    kind: str
    row_count: int | None
    quarantined: int
    answer: Badge
    message: str
    checked_at: datetime | None
    draft_url: str
    refresh_url: str
    may_draft: May
    may_refresh: May


@dataclass(frozen=True, kw_only=True)
class PublishPage(Page):
    resources: tuple[ResourceRow, ...]
    sheet: Sheet[Resource]
    sources: tuple[SourceRow, ...]
    may_register: May
    register_url: str
    import_url: str
    export_url: str


@dataclass(frozen=True, kw_only=True)
class SourceFormPage(Page):
    form: SourceForm


@dataclass(frozen=True)
class Missing:
    """One thing the publish gate still wants, and where on the page it is filled in."""

    label: str
    anchor: str
    field: str  # machine name: a field, or item.field


@dataclass(frozen=True)
class GroupField:
    bound: forms.BoundField
    wide: bool


@dataclass(frozen=True)
class Group:
    heading: str
    lead: str
    fields: tuple[GroupField, ...]


@dataclass(frozen=True)
class ItemRow:
    name: str
    lead: str
    wrong: bool
    form: ItemForm


@dataclass(frozen=True, kw_only=True)
class EditPage(Page):
    title: str
    lead: str
    state: Badge
    attribute: Badge
    published: bool
    signed_off: str
    entry_url: str
    simulate_url: str  # "" for those who may not
    withdraw_url: str
    sign_off_url: str
    source: str
    source_form: SourceChoiceForm
    attach_url: str
    take_back_url: str
    versions_url: str
    standards_url: str
    under_review: Badge | None
    due: Due | None  # to submit what was changed
    reason: str
    points: tuple[Point, ...]
    may_edit: May
    may_submit: May
    may_take_back: May
    may_withdraw: May
    may_sign_off: May
    missing: tuple[Missing, ...]
    leads: tuple[Found, ...]  # lead sources of the same data elsewhere, while this is a draft (D809-19)
    form: DescriptionForm
    groups: tuple[Group, ...]
    item_rows: tuple[ItemRow, ...]


def publish_page(account: Account, query: QueryDict) -> PublishPage:
    own = None if scope.sees_all(account) else account.department_id
    held = Resource.objects.filter(department=own) if own else Resource.objects.all()
    shown = sheet([held], "updated_at", reverse("publish"), query.dict(), size=ROWS)
    departments = {one.code: department_name(one) for one in Department.objects.all()}
    return PublishPage(
        shell=shell_for(account, "publish"),
        resources=_resource_rows(shown.rows, departments),
        sheet=shown,
        sources=tuple(_source_row(account, one, departments) for one in sources(own)),
        may_register=access.may(account, Action.REGISTER_SOURCE),
        register_url=reverse("source_new"),
        import_url=reverse("catalogue_import"),
        export_url=reverse("catalogue_export"),
    )


def source_form_page(account: Account, form: SourceForm, refusal: Refusal | None = None) -> SourceFormPage:
    return SourceFormPage(shell=shell_for(account, "publish"), form=form, refusal=refusal)


def edit_page(
    account: Account,
    resource: Resource,
    form: DescriptionForm,
    items: Sequence[ItemForm],
    *,
    findings: Sequence[Refused] | None = None,
    refusal: Refusal | None = None,
) -> EditPage:
    """The page of a description.

    findings   what a publication was refused for; None shows what a draft still lacks, without asking the source
    """
    if findings is None and resource.state == "draft":
        described = queries.items_of(resource)
        findings = rules.findings(resource, described, listed=barring.findings(resource, described))
    department = resource.department_id
    under_review = queries.open_submission(resource) is not None
    last = None if under_review else _returned(resource)
    topic = changes.subject(resource)
    elements = dictionary().known
    published = resource.state == "published"
    return EditPage(
        shell=shell_for(account, "publish"),
        refusal=refusal,
        title=words.of_language(resource.title_zh, resource.title_en) or _("A new resource"),
        lead=_lead(resource),
        state=words.state(words.RESOURCE_STATES, resource.state),
        attribute=words.attribute(resource.attribute),
        published=published,
        signed_off=resource.secrecy_checked_by,
        entry_url=reverse("resource", args=[resource.id]) if resource.version else "",
        simulate_url=_simulate_url(account, resource),
        withdraw_url=reverse("resource_withdraw", args=[resource.id]),
        sign_off_url=reverse("resource_sign_off", args=[resource.id]),
        source=resource.source.name if resource.source else "",
        source_form=SourceChoiceForm(resource),
        attach_url=reverse("resource_attach", args=[resource.id]),
        take_back_url=reverse("resource_take_back", args=[resource.id]),
        versions_url=versions_url(resource.id) if resource.version else "",
        standards_url=reverse("resource_standards", args=[resource.id]),
        under_review=words.state(words.SUBMISSION_STATES, "open") if under_review else None,
        due=dues(rules.ChangeNotFiled, [topic]).get(topic),
        reason=last.reason if last else "",
        points=points(last) if last else (),
        may_edit=_while_ours(resource, access.may(account, Action.DESCRIBE_RESOURCE, department), under_review),
        may_submit=_while_ours(resource, access.may(account, Action.SUBMIT_RESOURCE, department), under_review),
        may_take_back=access.may(account, Action.SUBMIT_RESOURCE, department),
        may_withdraw=access.may(account, Action.WITHDRAW_RESOURCE, department),
        may_sign_off=access.may(account, Action.SIGN_OFF_RESOURCE, department),
        missing=tuple(_missing(one, items) for one in findings or ()),
        leads=_leads(resource) if resource.state == "draft" else (),
        form=form,
        groups=groups(form),
        item_rows=tuple(_item_row(one, elements) for one in items),
    )


def _simulate_url(account: Account, resource: Resource) -> str:
    """Where the provider's own officers see who could read what; nobody else sees rows."""
    may = access.may(account, Action.SIMULATE, resource.department_id)
    return reverse("resource_simulate", args=[resource.id]) if may else ""


def _leads(resource: Resource) -> tuple[Found, ...]:
    elements = repeating.collected(queries.items_of(resource))
    return found(candidates.lead_sources(elements, resource.area_code, besides=resource.department_id))


def item_forms(resource: Resource, data: Mapping[str, Any] | None = None) -> list[ItemForm]:
    elements = dictionary()
    return [ItemForm(item, elements, data) for item in queries.items_of(resource)]


def mark(form: DescriptionForm, items: Sequence[ItemForm], findings: Sequence[Refused]) -> None:
    """Write each finding beside its field. Those without a field of their own stand in the list above alone."""
    language = words.language()
    by_name = {one.item.name: one for one in items}
    for finding in findings:
        name = rules.field_of(finding)
        if name in form.fields:
            form.add_error(name, finding.say(language))
        elif "." in name:
            item, _, field = name.rpartition(".")
            if item in by_name and field in by_name[item].fields:
                by_name[item].add_error(field, finding.say(language))


def groups(form: DescriptionForm) -> tuple[Group, ...]:
    return (
        _group(
            form, _("What it is"), "", "title_zh title_en +summary_zh +summary_en keywords time_range area_code related"
        ),
        _group(
            form,
            _("In the catalogue"),
            _("Decree 809, article 13, and the national template."),
            "category theme branch twig update_cycle data_format source_system business_matter national_level",
        ),
        _group(
            form,
            _("How it is shared"),
            _("Decree 809, articles 14 and 15."),
            "attribute sharing_modes +conditions +permitted_purposes +legal_citation openness open_conditions",
        ),
    )


def _group(form: DescriptionForm, heading: str, lead: str, names: str) -> Group:
    fields = tuple(GroupField(form[name.lstrip("+")], name.startswith("+")) for name in names.split())
    return Group(heading, lead, fields)


def _missing(finding: Refused, items: Sequence[ItemForm]) -> Missing:
    name = rules.field_of(finding)
    anchor = f"id_{name}"
    if "." in name:
        item, _, field = name.rpartition(".")
        position = next((one.item.position for one in items if one.item.name == item), 0)
        anchor = f"id_item-{position}-{field}"
    elif name == "sign_off":
        anchor = "assessment"
    elif name in ("source", "items"):
        anchor = name
    return Missing(finding.say(words.language()), anchor, name)


def _while_ours(resource: Resource, may: May, under_review: bool) -> May:
    if resource.state == "withdrawn":
        return no(_("It has been withdrawn; describe the source again instead."))
    return no(_("It is before the supervisor; take it back to change it.")) if under_review else may


def _returned(resource: Resource) -> Submission | None:
    """The submission that was sent back, as long as nothing was submitted since."""
    last = queries.latest_submission(resource)
    return last if last is not None and last.state == "returned" else None


def _lead(resource: Resource) -> str:
    parts = [department_name(resource.department), resource.code]
    if resource.source and resource.source.row_count is not None:
        parts.append(_("{rows} rows").format(rows=words.number(resource.source.row_count)))
    return " · ".join(part for part in parts if part)


def _item_row(form: ItemForm, elements: CodeList) -> ItemRow:
    item: Item = form.item
    said = [
        words.of_language(item.title_zh, item.title_en),
        words.word(words.TYPES, item.type),
        words.code_name(elements, item.element),
        _("grade {grade}").format(grade=item.grade),
        words.mask(item.mask) if item.mask.get("action", "keep") != "keep" else "",
    ]
    if item.missing:
        said.append(_("{many} empty").format(many=words.number(item.missing)))
    return ItemRow(item.name, " · ".join(one for one in said if one), bool(form.errors), form)


def _resource_rows(listed: Sequence[Resource], departments: Mapping[str, str]) -> tuple[ResourceRow, ...]:
    ids = [one.id for one in listed]
    stale = stale_badges(ids)
    waiting = queries.waiting_states(ids)
    return tuple(
        _resource_row(one, departments[one.department_id], waiting.get(one.id, ""), stale.get(one.id)) for one in listed
    )


def _resource_row(one: Resource, department: str, waiting: str, stale: Badge | None) -> ResourceRow:
    return ResourceRow(
        url=reverse("resource_edit", args=[one.id]),
        title=words.of_language(one.title_zh, one.title_en) or _("A new resource"),
        department=department,
        code=one.code,
        attribute=words.attribute(one.attribute),
        state=words.state(words.RESOURCE_STATES, one.state),
        waiting=words.state(words.SUBMISSION_STATES, waiting) if waiting else None,
        stale=stale,
        published_at=one.published_at,
    )


def _said(one: Source) -> str:
    """What is wrong with a source, in a sentence; "" where nothing is."""
    if not one.check_ok:
        return one.check_message
    return SourceDrifted(items=one.drift).say(words.language()) if one.drift else ""


def _source_row(account: Account, one: Source, departments: dict[str, str]) -> SourceRow:
    may = access.may(account, Action.DESCRIBE_RESOURCE, one.department)
    return SourceRow(
        id=one.id,
        name=one.name,
        department=departments.get(one.department, one.department),
        kind=words.word(words.SOURCE_KINDS, one.kind),
        row_count=one.row_count,
        quarantined=one.quarantined,
        answer=source_answer(one),
        message=_said(one),
        checked_at=one.checked_at,
        draft_url=reverse("source_draft", args=[one.id]),
        refresh_url=reverse("source_refresh", args=[one.id]),
        may_refresh=access.may(account, Action.REGISTER_SOURCE, one.department),
        may_draft=may if not may or one.check_ok else no(_("The source does not answer.")),
    )
