"""One demand: what is wished, what could meet it, what this account may do with it, and what has happened."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from django.db.models import Q
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as lazy

from hutong.control.catalogue.models import Entry
from hutong.control.demands import candidates, queries, states
from hutong.control.demands.actions import may_withdraw
from hutong.control.demands.models import Demand
from hutong.control.demands.rules import REFUSALS, check_may_sign_off
from hutong.control.identity.models import Account
from hutong.control.identity.rules import Action
from hutong.control.organisations.queries import departments
from hutong.control.organisations.tree import tree
from hutong.control.standards.dictionary import dictionary
from hutong.node.directory import present
from hutong.node.settings import current
from hutong.portal.components import access, scope, words
from hutong.portal.components.form import Form
from hutong.portal.components.page import Page, Refusal, shell_for
from hutong.portal.components.parts import YES, Badge, Due, Fact, Happening, May, no
from hutong.portal.components.peers import Names, department_name, member_name
from hutong.portal.components.refusing import NothingHere
from hutong.portal.components.timelines import story
from hutong.portal.demands.desk import STATES, Days
from hutong.portal.demands.forms import (
    AssignForm,
    FulfilForm,
    JoinForm,
    LeadForm,
    NoteForm,
    RefuseForm,
    WithdrawForm,
)
from hutong.portal.demands.found import Found, found
from hutong.vocabulary import codes
from hutong.vocabulary.errors import Refused

MOST_CHOICES = 200
DEPARTMENTS_KEPT = 2_000  # one jurisdiction has some hundreds
NEXT: dict[str, Promise] = {
    "filed": lazy("The head of the sharing body signs it off."),
    "open": lazy("The supervisor names the lead source, or refuses with the provision."),
    "mediating": lazy("The common superior says which node holds the data."),
    "led": lazy("The lead source catalogues and publishes the data."),
    "joined": lazy("It ends together with the demand it joined."),
    "fulfilled": lazy("Request the resource: one step, with the words of this demand."),
    "refused": lazy("Read the provision; where it is wrong, the common superior decides (article 28)."),
    "withdrawn": lazy("Nothing."),
}
VERBS = ("withdraw", "name_lead", "hand_up", "assign", "join", "fulfil", "refuse")


@dataclass(frozen=True)
class Step:
    """Something this account can do now, with its form; or cannot, and why."""

    verb: str
    heading: str
    label: str
    url: str
    form: Form
    may: May
    grave: bool = False
    open: bool = False  # unfolded: what is due now, and what was sent and did not pass


@dataclass(frozen=True, kw_only=True)
class DemandPage(Page):
    title: str
    lead: str
    state: Badge
    due: Due | None
    next: str
    open: bool
    sign_off_url: str
    may_sign_off: May | None
    request_url: str
    may_request: May | None
    resource_url: str
    resource_title: str
    refused_because: str
    refused_citation: str
    refused_code: str
    steps: tuple[Step, ...]
    candidates: tuple[Found, ...]
    facts: tuple[Fact, ...]
    timeline: tuple[Happening, ...]


def demand_of(account: Account, demand_id: str) -> Demand:
    """raises   NotFound; NothingHere for a demand this account has no part in"""
    demand = queries.demand(demand_id)
    if not scope.sees_all(account) and not queries.seen_by(account).filter(id=demand.id).exists():
        raise NothingHere
    return demand


def demand_page(
    account: Account, demand: Demand, bound: tuple[str, Form] | None = None, refusal: Refusal | None = None
) -> DemandPage:
    """bound   the verb and form that was sent and did not pass"""
    wisher = words.of_language(demand.department_name, demand.department_name_en)
    resource = Entry.objects.filter(id=demand.resource_id or "-").first()
    at_work = demand.state not in states.CLOSED
    return DemandPage(
        shell=shell_for(account, "demands"),
        refusal=refusal,
        title=demand.title,
        lead=f"{wisher} · {Names()(demand.home)}",
        state=words.state(STATES, demand.state),
        due=Days()(demand),
        next=str(NEXT[demand.state]),
        open=at_work,
        sign_off_url=reverse("demand_sign_off", args=[demand.id]),
        may_sign_off=_may_sign_off(account, demand),
        request_url=reverse("demand_request", args=[demand.id]),
        may_request=_may_request(account, demand, resource),
        resource_url=reverse("resource", args=[demand.resource_id]) if resource else "",
        resource_title=words.of_language(resource.title_zh, resource.title_en) if resource else demand.resource_id,
        refused_because=demand.refusal_reason,
        refused_citation=demand.refusal_citation,
        refused_code=words.code_name(REFUSALS, demand.refusal_code) if demand.refusal_code else "",
        steps=tuple(_steps(account, demand, bound)) if at_work else (),
        candidates=found(candidates.of(demand)) if at_work else (),
        facts=_facts(demand),
        timeline=story(queries.timeline(demand.id)),
    )


def form_of(demand: Demand, verb: str) -> Callable[..., Form]:
    """The form of a verb with its choices; takes what was sent, or nothing."""
    makers: dict[str, Callable[[], Callable[..., Form]]] = {
        "withdraw": lambda: WithdrawForm,
        "name_lead": lambda: partial(LeadForm, _departments()),
        "hand_up": lambda: NoteForm,
        "assign": lambda: partial(AssignForm, _below()),
        "join": lambda: partial(JoinForm, _others_at_work(demand)),
        "fulfil": lambda: partial(FulfilForm, _resources(demand)),
        "refuse": lambda: partial(RefuseForm, demand),
    }
    return makers[verb]()


def _steps(account: Account, demand: Demand, bound: tuple[str, Form] | None) -> list[Step]:
    """The verbs the state allows here; those only another role has are left out, those barred otherwise say why."""
    here, mine = demand.holder == current().jurisdiction, demand.home == current().jurisdiction
    supervises = access.may(account, Action.NAME_LEAD)
    may = {
        "name_lead": supervises,
        "fulfil": access.may(account, Action.MEET_DEMAND, demand.lead_code) if demand.state == "led" else supervises,
        "assign": supervises,
        "join": supervises,
        "hand_up": supervises,
        "refuse": access.may(account, Action.REFUSE_DEMAND, demand.lead_code if demand.state == "led" else None),
        "withdraw": access.may(account, Action.FILE_DEMAND, demand.department_code),
    }
    shown: list[Step] = []
    for verb, granted in may.items():
        lies = mine if verb == "withdraw" else here and not (verb == "hand_up" and demand.home == demand.holder)
        if not lies or not granted or not states.possible(demand.state, verb):
            continue
        asked = verb == "withdraw" and not may_withdraw(demand)
        allowed = no(_("You have asked for it; whoever holds the demand answers.")) if asked else granted
        form = bound[1] if bound and bound[0] == verb else form_of(demand, verb)()
        if verb == "join" and len(form.fields["main_id"].choices) < 2:  # type: ignore[attr-defined]
            continue
        heading, label = _words(verb, demand)
        address = reverse("demand_step", args=[demand.id, verb])
        grave = verb in ("refuse", "withdraw")
        led = demand.state == "led"
        due_now = verb == "fulfil" if led else verb in ("name_lead", "assign")
        unfolded = due_now or form.is_bound
        shown.append(Step(verb, heading, label, address, form, allowed, grave, unfolded))
    return shown


def _words(verb: str, demand: Demand) -> tuple[str, str]:
    """Heading and button."""
    return {
        "name_lead": (_("Name the lead source") if demand.state == "open" else _("Name another"), _("Name it")),
        "fulfil": (_("Meet it with a published resource"), _("Meet the demand")),
        "assign": (_("Say who holds the data"), _("Assign")),
        "join": (_("Join it to another demand"), _("Join")),
        "hand_up": (_("Hand it up"), _("Hand it up to the common superior")),
        "refuse": (_("End it without a resource"), _("Refuse")),
        "withdraw": (_("Withdraw it"), _("Withdraw")),
    }[verb]


def _may_sign_off(account: Account, demand: Demand) -> May | None:
    if demand.state != "filed":
        return None
    allowed = access.may(account, Action.SIGN_OFF_DEMAND, demand.department_code)
    if not allowed:
        return allowed
    try:
        check_may_sign_off(account.username, demand.filed_by)
    except Refused as refused:
        return no(refused.say(words.language()))
    return YES


def _may_request(account: Account, demand: Demand, resource: Entry | None) -> May | None:
    if demand.state != "fulfilled" or demand.home != current().jurisdiction:
        return None
    if resource is None:
        return no(_("Its entry has not arrived here yet."))
    if resource.origin == current().jurisdiction:
        return no(_("It is published by this node: ask its department."))
    return access.may(account, Action.FILE_REQUEST, demand.department_code)


def _departments() -> list[tuple[str, str]]:
    return [(one.code, department_name(one)) for one in departments()[:DEPARTMENTS_KEPT]]


def _below() -> list[tuple[str, str]]:
    """The nodes below this one, and itself."""
    here, known = current().jurisdiction, tree()
    members = [one for one in present() if one.place != "region"]
    return [(one.jurisdiction, member_name(one)) for one in members if here in known.path_to_root(one.jurisdiction)]


def _others_at_work(demand: Demand) -> list[tuple[str, str]]:
    rows = Demand.objects.filter(holder=current().jurisdiction, state__in=("open", "led")).exclude(id=demand.id)
    return [(one.id, f"{one.title} · {one.department_name}") for one in rows.order_by("-filed_at")[:MOST_CHOICES]]


def _resources(demand: Demand) -> list[tuple[str, str]]:
    """The lead source's own published entries; for the supervisor, what the candidates name."""
    if demand.state == "led":
        own = Q(origin=current().jurisdiction, department_code=demand.lead_code, state="published")
        rows = Entry.objects.filter(own).order_by("-published_at").only("id", "title_zh", "title_en")[:MOST_CHOICES]
        return [(one.id, words.of_language(one.title_zh, one.title_en)) for one in rows]
    some = candidates.of(demand)
    return [
        (one.known.id, words.of_language(one.known.title_zh, one.known.title_en))
        for one in some
        if one.known.kind == "resource"
    ]


def _facts(demand: Demand) -> tuple[Fact, ...]:
    names, elements = Names(), dictionary().known
    items = [
        " · ".join(dict.fromkeys(part for part in (one["words"], words.code_name(elements, one["element"])) if part))
        for one in demand.items
    ]
    co = [
        f"{words.of_language(one.department_name, one.department_name_en)} · {names(one.home)}"
        for one in queries.co_demanders(demand)
    ]
    facts = [
        Fact(_("Items wished"), many=tuple(items)),
        Fact(_("Purpose"), words.code_name(codes.PURPOSES, demand.purpose)),
        Fact(_("What it is for"), demand.what_for),
        Fact(_("Legal basis"), demand.basis),
        Fact(_("Scope"), demand.scope),
        Fact(_("Area"), demand.area_code),
        Fact(_("Update cycle"), words.code_name(codes.UPDATE_CYCLES, demand.update_cycle)),
        Fact(_("Why what exists does not do"), demand.why_not),
        Fact(_("Lies with"), names(demand.holder)),
        Fact(_("Lead source"), words.of_language(demand.lead_name, demand.lead_name_en)),
        Fact(_("Note"), demand.note),
        Fact(_("Also wished by"), many=tuple(co)),
        Fact(_("Number"), demand.id, mono=True),
    ]
    return tuple(fact for fact in facts if fact.value or fact.many)
