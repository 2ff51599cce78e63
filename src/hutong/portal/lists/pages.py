"""The three lists: where they stand, and each with its lines, its versions, and what can be done with them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from django.db.models import QuerySet
from django.http import QueryDict
from django.urls import reverse
from django.utils.translation import gettext as _

from hutong.control.clocks.models import Clock
from hutong.control.clocks.queries import days_left
from hutong.control.demands import lists, queries
from hutong.control.demands.models import Barred, Demand, Duty, ListVersion
from hutong.control.demands.rules import ListOverdue
from hutong.control.identity import rules
from hutong.control.identity.models import Account
from hutong.control.identity.rules import Action
from hutong.control.standards.dictionary import dictionary
from hutong.node.settings import current
from hutong.portal.components import access, words
from hutong.portal.components.page import Page, Refusal, shell_for
from hutong.portal.components.paging import Sheet, sheet
from hutong.portal.components.parts import Badge, Choice, Due, May, no
from hutong.portal.components.peers import Names
from hutong.portal.components.titles import titles_of_entries
from hutong.portal.demands.desk import STATES
from hutong.portal.lists.forms import BarredForm, DutyForm
from hutong.vocabulary.codes import CodeList

ROWS = 50
VERSIONS_SHOWN = 12
ABOUT = {
    "demand": ("What departments need and no catalogue holds.", "尚无目录可满足的数据需求。"),
    "duty": ("What each department is to provide; and who is the one source of it.", "各部门应提供的数据，一数一源。"),
    "barred": ("What may not be shared, each with its express provision.", "不予共享的数据及其明确依据。"),
}


@dataclass(frozen=True)
class ListCard:
    """One of the three, on the first page."""

    kind: str
    name: str
    about: str
    url: str
    lines: int
    version: int
    published_at: datetime | None
    due: Due | None


@dataclass(frozen=True, kw_only=True)
class ListsPage(Page):
    cards: tuple[ListCard, ...]


@dataclass(frozen=True)
class Line:
    """A line of a list as a table shows it."""

    id: str
    title: str
    url: str
    sub: str
    what: tuple[str, ...]
    lead: bool
    basis: str
    resource: str
    resource_url: str
    state: Badge | None
    may_end: May | None
    may_review: May | None
    note: str


@dataclass(frozen=True)
class VersionRow:
    number: int
    published_at: datetime
    added: int
    gone: int
    changed: int
    digest: str
    json_url: str
    csv_url: str


@dataclass(frozen=True, kw_only=True)
class ListPage(Page):
    kind: str
    name: str
    about: str
    tabs: tuple[Choice, ...]
    shown: tuple[Choice, ...]
    due: Due | None
    may_publish: May
    publish_url: str
    lines: tuple[Line, ...]
    pager: Sheet[Demand] | Sheet[Duty] | Sheet[Barred]
    versions: tuple[VersionRow, ...]
    form: DutyForm | BarredForm | None
    may_add: May | None
    add_url: str
    unfolded: bool


def lists_page(account: Account) -> ListsPage:
    return ListsPage(shell=shell_for(account, "lists"), cards=tuple(_card(kind) for kind in lists.KINDS.codes))


def list_page(
    account: Account,
    kind: str,
    query: QueryDict,
    form: DutyForm | BarredForm | None = None,
    refusal: Refusal | None = None,
) -> ListPage:
    """raises   NotFound for no such list"""
    card = _card(lists.known(kind))
    choices = _choices(kind, query.get("show", ""))
    chosen = next((one.value for one in choices if one.chosen), "")
    rows: Sheet[Demand] | Sheet[Duty] | Sheet[Barred]
    address, rest = reverse("list", args=[kind]), query.dict() | {"show": chosen}
    if kind == "demand":
        rows = sheet([_demands()], "filed_at", address, rest, size=ROWS)
        shown = _demand_lines(rows.rows)
    elif kind == "duty":
        rows = sheet([_duties(chosen)], "created_at", address, rest, size=ROWS)
        shown = _duty_lines(account, rows.rows)
    else:
        rows = sheet([queries.barred(chosen)], "proposed_at", address, rest, size=ROWS)
        shown = _barred_lines(account, rows.rows)
    adds = {"duty": Action.KEEP_DUTIES, "barred": Action.PROPOSE_BARRED}.get(kind)
    may_add = access.may(account, adds) if adds else None
    if form is None and may_add:
        form = DutyForm(account) if kind == "duty" else BarredForm(account)
    return ListPage(
        shell=shell_for(account, "lists"),
        refusal=refusal,
        kind=kind,
        name=card.name,
        about=card.about,
        tabs=tuple(Choice(one.code, one.name(words.language()), one.code == kind) for one in lists.KINDS),
        shown=choices,
        due=card.due,
        may_publish=access.may(account, Action.PUBLISH_LISTS),
        publish_url=reverse("list_publish", args=[kind]),
        lines=shown,
        pager=rows,
        versions=tuple(_version(one) for one in queries.versions(kind)[:VERSIONS_SHOWN]),
        form=form,
        may_add=may_add,
        add_url=reverse("list_add", args=[kind]),
        unfolded=form is not None and form.is_bound,
    )


def _card(kind: str) -> ListCard:
    last = queries.latest(kind)
    counts: dict[str, Callable[[], int]] = {
        "demand": lambda: _demands().count(),
        "duty": lambda: queries.duties().count(),
        "barred": lambda: queries.barred("listed").count(),
    }
    clock = Clock.objects.filter(rule=ListOverdue.name(), subject=f"list:{kind}", state="running").first()
    due = Due(clock.due_on, days_left(clock)) if clock and clock.due_on else None
    en, zh = ABOUT[kind]
    return ListCard(
        kind=kind,
        name=lists.KINDS.name(kind, words.language()),
        about=words.of_language(zh, en),
        url=reverse("list", args=[kind]),
        lines=counts[kind](),
        version=last.version if last else 0,
        published_at=last.published_at if last else None,
        due=due,
    )


def _demands() -> QuerySet[Demand]:
    return Demand.objects.exclude(state__in=("filed", "joined"))


def _duties(origin: str) -> QuerySet[Duty]:
    return queries.duties(origin)


def _choices(kind: str, chosen: str) -> tuple[Choice, ...]:
    if kind == "barred":
        named = {"listed": _("In force"), "proposed": _("To review"), "rejected": _("Not taken"), "ended": _("Ended")}
    elif kind == "duty":
        names, here = Names(), current().jurisdiction
        origins = Duty.objects.order_by("origin").values_list("origin", flat=True).distinct()
        named = {here: names(here)} | {one: names(one) for one in origins if one != here}
    else:
        return ()
    chosen = chosen if chosen in named else next(iter(named))
    return tuple(Choice(value, word, value == chosen) for value, word in named.items())


def _demand_lines(rows: tuple[Demand, ...]) -> tuple[Line, ...]:
    names, elements = Names(), dictionary().known
    return tuple(
        Line(
            id=one.id,
            title=one.title,
            url=reverse("demand", args=[one.id]),
            sub=f"{words.of_language(one.department_name, one.department_name_en)} · {names(one.home)}",
            what=tuple(words.code_name(elements, each) for each in one.elements),
            lead=False,
            basis=words.of_language(one.lead_name, one.lead_name_en),
            resource="",
            resource_url=reverse("resource", args=[one.resource_id]) if one.resource_id else "",
            state=words.state(STATES, one.state),
            may_end=None,
            may_review=None,
            note=one.refusal_citation,
        )
        for one in rows
    )


def _duty_lines(account: Account, rows: tuple[Duty, ...]) -> tuple[Line, ...]:
    titles = titles_of_entries({one.resource_id for one in rows if one.resource_id})
    elements = dictionary().known
    return tuple(_duty_line(account, one, titles, elements) for one in rows)


def _duty_line(account: Account, one: Duty, titles: dict[str, str], elements: CodeList) -> Line:
    met = bool(one.resource_id)
    return Line(
        id=one.id,
        title=words.of_language(one.title_zh, one.title_en),
        url="",
        sub=words.of_language(one.department_name, one.department_name_en),
        what=tuple(words.code_name(elements, each) for each in one.elements),
        lead=one.lead,
        basis=one.basis,
        resource=titles.get(one.resource_id, ""),
        resource_url=reverse("resource", args=[one.resource_id]) if met else "",
        state=Badge(_("published"), "good") if met else Badge(_("owed, not published"), "wait"),
        may_end=_may_end_duty(account, one),
        may_review=None,
        note="",
    )


def _may_end_duty(account: Account, one: Duty) -> May | None:
    if one.origin != current().jurisdiction or not rules.may(account, Action.KEEP_DUTIES):
        return None
    if one.lead and not rules.may(account, Action.NAME_LEAD):
        return no(_("The supervisor ends a lead source's registration."))
    return access.may(account, Action.KEEP_DUTIES, one.department_code)


def _barred_lines(account: Account, rows: tuple[Barred, ...]) -> tuple[Line, ...]:
    reviews, elements = rules.may(account, Action.REVIEW_BARRED), dictionary().known
    return tuple(
        Line(
            id=one.id,
            title=words.of_language(one.title_zh, one.title_en),
            url="",
            sub=words.of_language(one.department.name_zh, one.department.name_en),
            what=tuple(one.items) or tuple(words.code_name(elements, each) for each in one.elements),
            lead=False,
            basis=one.citation,
            resource="",
            resource_url="",
            state=words.state(_barred_states(), one.state),
            may_end=access.may(account, Action.REVIEW_BARRED) if reviews and one.state == "listed" else None,
            may_review=access.may(account, Action.REVIEW_BARRED) if reviews and one.state == "proposed" else None,
            note=one.review_note or one.reason,
        )
        for one in rows
    )


def _barred_states() -> words.Stated:
    return {
        "proposed": (_("before the supervisor"), "wait"),
        "listed": (_("in force"), "bad"),
        "rejected": (_("not taken"), "calm"),
        "ended": (_("ended"), "calm"),
    }


def _version(one: ListVersion) -> VersionRow:
    def address(form: str) -> str:
        return reverse("list_download", args=[one.kind, one.version, form])

    return VersionRow(
        number=one.version,
        published_at=one.published_at,
        added=one.added,
        gone=one.gone,
        changed=one.changed,
        digest=one.digest,
        json_url=address("json"),
        csv_url=address("csv"),
    )
