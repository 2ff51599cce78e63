"""The region's definitions: the list, one version with its codes, and the decision on a proposed one."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from django.core.paginator import Paginator
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as lazy

from hutong.control.identity.models import Account
from hutong.control.identity.rules import Action
from hutong.control.standards import queries
from hutong.control.standards.models import Definition
from hutong.control.standards.rules import OwnStandard
from hutong.control.statute.day import today
from hutong.portal.components import access, words
from hutong.portal.components.differences import Differing
from hutong.portal.components.form import SendBackForm
from hutong.portal.components.page import Page, Refusal, shell_for
from hutong.portal.components.paging import Pager, pager
from hutong.portal.components.parts import YES, Badge, Choice, Fact, May, no
from hutong.portal.components.peers import Names
from hutong.portal.components.timelines import who
from hutong.portal.stewards.elements import against_force, may_edit
from hutong.portal.stewards.forms import CHECK_WORDS

KINDS = {"element": lazy("Data elements"), "table": lazy("Code tables"), "map": lazy("Our code maps")}
KIND_WORDS: words.Words = {"element": lazy("data element"), "table": lazy("code table"), "map": lazy("code map")}
STATES: words.Stated = {
    "proposed": (lazy("awaiting approval"), "wait"),
    "approved": (lazy("approved"), "good"),
    "refused": (lazy("refused"), "bad"),
}
ROWS, CODES = 50, 100


@dataclass(frozen=True)
class VersionRow:
    url: str
    name: str
    title: str
    kind: str
    version: int
    state: Badge
    codes: int
    says: str
    valid: str
    proposed_by: str
    proposed_at: datetime


@dataclass(frozen=True, kw_only=True)
class StandardsPage(Page):
    waiting: tuple[VersionRow, ...]
    shown: tuple[Choice, ...]
    rows: tuple[VersionRow, ...]
    coded: bool
    pager: Pager
    may_propose: May
    map_url: str
    element_url: str


@dataclass(frozen=True)
class CodeRow:
    code: str
    title: str
    other: str
    target: str
    valid: str
    live: bool


@dataclass(frozen=True, kw_only=True)
class StandardPage(Page):
    title: str
    kind: str
    lead: str
    state: Badge
    facts: tuple[Fact, ...]
    is_map: bool
    codes: tuple[CodeRow, ...]
    pager: Pager
    versions: tuple[VersionRow, ...]
    open: bool
    form: SendBackForm
    may_approve: May
    approve_url: str
    refuse_url: str
    differences: tuple[Differing, ...]
    edit_url: str
    may_edit: May
    export_url: str


def standards_page(account: Account, kind: str, page: int) -> StandardsPage:
    kind = kind if kind in KINDS else "element"
    found = queries.all_in_force(kind)
    total = len(found)
    listed = found[(page - 1) * ROWS : page * ROWS]
    names = Names()
    return StandardsPage(
        shell=shell_for(account, "standards"),
        waiting=tuple(_row(one, names) for one in queries.waiting()[:ROWS]),
        shown=tuple(Choice(value, str(word), value == kind) for value, word in KINDS.items()),
        rows=tuple(_row(one, names) for one in listed),
        coded=kind != "element",
        pager=pager(reverse("standards"), {"kind": kind}, page=page, size=ROWS, total=total),
        may_propose=access.may(account, Action.PROPOSE_STANDARD),
        map_url=reverse("map_edit"),
        element_url=reverse("element_edit"),
    )


def standard_page(
    account: Account, one: Definition, page: int, form: SendBackForm, refusal: Refusal | None = None
) -> StandardPage:
    paginator = Paginator(one.rows.all(), CODES)
    listed = paginator.get_page(page)
    day = today()
    others = queries.versions(one.kind, one.name).exclude(id=one.id)
    names = Names()
    return StandardPage(
        shell=shell_for(account, "standards"),
        refusal=refusal,
        title=words.of_language(one.title_zh, one.title_en),
        kind=words.word(KIND_WORDS, one.kind),
        lead=_("Version {version}").format(version=one.version),
        state=words.state(STATES, one.state),
        facts=_facts(one, names),
        is_map=one.kind == "map",
        codes=tuple(
            CodeRow(
                row.code,
                words.of_language(row.title_zh, row.title_en),
                row.title_en if words.in_chinese() else row.title_zh,
                row.target,
                span(row.valid_from, row.valid_to),
                (row.valid_from is None or row.valid_from <= day) and (row.valid_to is None or row.valid_to >= day),
            )
            for row in listed
        ),
        pager=pager(reverse("standard", args=[one.id]), {}, page=page, size=CODES, total=paginator.count),
        versions=tuple(_row(other, names) for other in others[:20]),
        open=one.state == "proposed",
        form=form,
        may_approve=_may_approve(account, one),
        approve_url=reverse("standard_approve", args=[one.id]),
        refuse_url=reverse("standard_refuse", args=[one.id]),
        differences=against_force(one) if one.kind == "element" and one.state == "proposed" else (),
        edit_url=_edit_url(account, one),
        may_edit=may_edit(account, one.name) if one.kind == "element" else YES,
        export_url=reverse("map_export", args=[one.name]) if one.kind == "map" else "",
    )


def span(first: date | None, last: date | None) -> str:
    """From when to when, in words; nothing for always."""
    if first is None and last is None:
        return ""
    if last is None:
        return _("from {day}").format(day=first)
    return _("until {day}").format(day=last) if first is None else f"{first} – {last}"


def says(one: Definition) -> str:
    """What a definition says, in a line."""
    document = one.document
    if one.kind == "map":
        return _("{local} to {table}").format(local=document["local"] or "–", table=document["table"])
    if one.kind == "table":
        return str(document["standard"])
    length = _("at most {what} characters").format(what=document["length"]) if "length" in document else ""
    held_to = document["table"] or document["check"]
    parts = [words.word(words.TYPES, document["type"]), length, document["unit"], held_to]
    return " · ".join(part for part in (*parts, document["standard"]) if part)


def _edit_url(account: Account, one: Definition) -> str:
    """Where a further version is made; nothing for a table, which is loaded from a file."""
    if one.kind == "element":
        return f"{reverse('element_edit')}?from={one.id}"
    can_edit = one.kind == "map" and access.may(account, Action.PROPOSE_STANDARD)
    return f"{reverse('map_edit')}?map={one.name}" if can_edit else ""


def _may_approve(account: Account, one: Definition) -> May:
    allowed = access.may(account, Action.APPROVE_STANDARD)
    if allowed and one.proposed_by == account.username:
        return no(OwnStandard().say(words.language()))
    return allowed


def _row(one: Definition, names: Names) -> VersionRow:
    return VersionRow(
        url=reverse("standard", args=[one.id]),
        name=one.name,
        title=words.of_language(one.title_zh, one.title_en),
        kind=words.word(KIND_WORDS, one.kind),
        version=one.version,
        state=words.state(STATES, one.state),
        codes=one.row_count,
        says=says(one),
        valid=span(one.valid_from, one.valid_to),
        proposed_by=who(one.proposed_by, names, {}),
        proposed_at=one.proposed_at,
    )


def _facts(one: Definition, names: Names) -> tuple[Fact, ...]:
    document = one.document
    given = (
        Fact(_("Name"), one.name, mono=True),
        Fact(_("Standard"), document.get("standard", "")),
        Fact(_("Type"), words.word(words.TYPES, document["type"]) if "type" in document else ""),
        Fact(_("Length"), words.number(document["length"]) if "length" in document else ""),
        Fact(_("Unit"), document.get("unit", "")),
        Fact(_("Code table"), document.get("table", "")),
        Fact(_("Check of values"), words.word(CHECK_WORDS, document["check"]) if document.get("check") else ""),
        Fact(_("Definition"), document.get("definition", "")),
        Fact(_("Also called"), many=tuple(document.get("aliases", ()))),
        Fact(_("Replaced by"), document.get("replaced_by", "")),
        Fact(_("Local table"), document.get("local", "")),
        Fact(_("Items it converts"), many=tuple(item for _resource, item in document.get("items", ()))),
        Fact(_("Codes"), words.number(one.row_count) if one.row_count else ""),
        Fact(_("In force"), span(one.valid_from, one.valid_to) or _("always")),
        Fact(_("Decided at"), names(one.origin)),
        Fact(_("Proposed by"), f"{who(one.proposed_by, names, {})}, {words.moment(one.proposed_at)}"),
        Fact(
            _("Decided by"),
            f"{who(one.decided_by, names, {})}, {words.moment(one.decided_at)}" if one.decided_at else "",
        ),
        Fact(_("Reason"), one.reason),
        Fact(_("Digest"), one.digest, mono=True),
    )
    return tuple(fact for fact in given if fact.value or fact.many)
