"""The demands an account may see, and which wait for it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.db.models import QuerySet
from django.http import QueryDict
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as lazy

from hutong.control.calendar import queries as calendars
from hutong.control.demands.models import Demand
from hutong.control.demands.states import AT_WORK
from hutong.control.identity.models import Account
from hutong.control.identity.rules import Action
from hutong.control.statute import day
from hutong.node.settings import current
from hutong.portal import waiting
from hutong.portal.components import access, scope, words
from hutong.portal.components.page import Page, shell_for
from hutong.portal.components.paging import Sheet, sheet
from hutong.portal.components.parts import Badge, Choice, Due, May
from hutong.portal.components.peers import Names
from hutong.vocabulary import codes
from hutong.vocabulary.calendar import CalendarYearMissing

ROWS = 30
STATES: words.Stated = {
    "filed": (lazy("awaiting sign-off"), "wait"),
    "open": (lazy("awaiting a lead source"), "wait"),
    "mediating": (lazy("with the common superior"), "wait"),
    "led": (lazy("being catalogued"), "accent"),
    "joined": (lazy("joined to another"), "calm"),
    "fulfilled": (lazy("met"), "good"),
    "refused": (lazy("ended without a resource"), "bad"),
    "withdrawn": (lazy("withdrawn"), "calm"),
}


@dataclass(frozen=True)
class Row:
    url: str
    title: str
    wisher: str
    purpose: str
    lead: str
    filed_at: datetime
    due: Due | None
    state: Badge


@dataclass(frozen=True, kw_only=True)
class DemandsPage(Page):
    lead: str
    shown: tuple[Choice, ...]
    rows: tuple[Row, ...]
    pager: Sheet[Demand]
    may_file: May
    new_url: str
    nothing: str


def demands_page(account: Account, query: QueryDict) -> DemandsPage:
    lists = _lists(account)
    chosen = query.get("show", "")
    chosen = chosen if chosen in lists else next(iter(lists))
    names = {"todo": _("To do"), "ours": _("Ours"), "here": _("With us"), "all": _("All")}
    address = reverse("demands")
    shown = sheet(lists[chosen], "filed_at", address, query.dict() | {"show": chosen}, size=ROWS)
    speak, due_of = Names(), Days()
    return DemandsPage(
        shell=shell_for(account, "demands"),
        lead=_("What no catalogue holds yet (decree 809, article 19; the list of demands)."),
        shown=tuple(Choice(name, names[name], name == chosen) for name in lists),
        rows=tuple(_row(one, speak, due_of) for one in shown.rows),
        pager=shown,
        may_file=access.may(account, Action.FILE_DEMAND),
        new_url=reverse("demand_new"),
        nothing=_("Nothing waits for you") if chosen == "todo" else _("No demands"),
    )


def _lists(account: Account) -> dict[str, list[QuerySet[Demand]]]:
    """Each tab's rows, as disjoint ranges of an index."""
    here, mine = current().jurisdiction, account.department_id or "-"
    lies_here = Demand.objects.filter(holder=here).exclude(state="filed")
    if scope.sees_all(account):
        ours = [Demand.objects.filter(home=here)]
        return {"todo": [waiting.to_act_on(account)], "ours": ours, "here": [lies_here], "all": [Demand.objects.all()]}
    ours = [Demand.objects.filter(home=here, department_code=mine)]
    return {"ours": ours, "todo": [waiting.to_act_on(account)], "here": [lies_here]}


class Days:
    """The last days of many demands, with the calendar read once."""

    def __init__(self) -> None:
        self._calendar, self._today = calendars.in_force(), day.today()

    def __call__(self, demand: Demand) -> Due | None:
        if demand.due_on is None or demand.state not in AT_WORK:
            return None
        try:
            return Due(demand.due_on, self._calendar.left(self._today, demand.due_on))
        except CalendarYearMissing:
            return Due(demand.due_on, None)


def _row(one: Demand, names: Names, due_of: Days) -> Row:
    department = words.of_language(one.department_name, one.department_name_en)
    return Row(
        url=reverse("demand", args=[one.id]),
        title=one.title,
        wisher=f"{department} · {names(one.home)}",
        purpose=words.code_name(codes.PURPOSES, one.purpose),
        lead=words.of_language(one.lead_name, one.lead_name_en),
        filed_at=one.filed_at,
        due=due_of(one),
        state=words.state(STATES, one.state),
    )
