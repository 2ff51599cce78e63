"""The room of offerings: what we offer to whole areas and how each member stands, and what others offer to us."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from django.db.models import QuerySet
from django.http import QueryDict
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as lazy

from hutong.control.agreements.consent import Asked, asked_of
from hutong.control.agreements.models import Negotiation
from hutong.control.agreements.offered import AREAS, CENTRAL, Offered, read_offered
from hutong.control.catalogue import queries as catalogue
from hutong.control.catalogue.dataset import EntryDocument
from hutong.control.catalogue.models import Resource
from hutong.control.identity.models import Account
from hutong.control.identity.rules import ACROSS_DEPARTMENTS, Action
from hutong.control.offerings import actions, queries
from hutong.control.offerings import area as areas
from hutong.control.offerings.models import Offering
from hutong.control.offerings.rules import check_signer
from hutong.control.zones import queries as zones
from hutong.ledger.models import AuditRecord
from hutong.node.settings import current
from hutong.portal.components import access, words
from hutong.portal.components.asked import item_titles, titles_of_items
from hutong.portal.components.page import Page, Refusal, shell_for
from hutong.portal.components.paging import Sheet, sheet
from hutong.portal.components.parts import Badge, Fact, Happening, May, no
from hutong.portal.components.peers import Names
from hutong.portal.components.refusing import NothingHere
from hutong.portal.components.timelines import story
from hutong.portal.offerings.forms import ChooseForm, OfferingForm, ReasonForm
from hutong.portal.staff.catalogue import may_request
from hutong.vocabulary import codes
from hutong.vocabulary.errors import NotFound, Refused
from hutong.vocabulary.ids import is_id, uuid_of

PAGE_SIZE = 30
MOST = 200  # resources to choose from, offers shown
STANDINGS: words.Stated = {
    "waiting": (lazy("to be offered"), "calm"),
    "unreached": (lazy("sent, its node has not heard yet"), "wait"),
    "offered": (lazy("offered"), "accent"),
    "asked": (lazy("asks for more, with an officer"), "wait"),
    "signing": (lazy("being signed"), "accent"),
    "agreed": (lazy("agreed"), "good"),
    "suspended": (lazy("suspended"), "wait"),
    "ending": (lazy("ending, announced"), "wait"),
    "ended": (lazy("ended"), "calm"),
    "refused": (lazy("refused"), "bad"),
    "never_answered": (lazy("never answered"), "bad"),
    "taken_back": (lazy("taken back"), "calm"),
}


@dataclass(frozen=True)
class Row:
    url: str
    title: str
    area: str
    state: Badge
    progress: str
    at: datetime


@dataclass(frozen=True)
class OfferToUs:
    """What another node offers."""

    id: str
    title: str
    peer: str
    area: str
    facts: tuple[Fact, ...]
    take_url: str  # "" where its entry has not arrived yet
    may_take: May
    decline_url: str
    may_decline: May
    form: ReasonForm


@dataclass(frozen=True, kw_only=True)
class OfferingsPage(Page):
    offers: tuple[OfferToUs, ...]
    rows: tuple[Row, ...]
    pager: Sheet[Offering]
    choose: ChooseForm
    new_url: str
    may_offer: May


@dataclass(frozen=True, kw_only=True)
class NewPage(Page):
    title: str
    form: OfferingForm
    may_offer: May


@dataclass(frozen=True)
class MemberRow:
    name: str
    state: Badge
    since: datetime | None
    answer_by: date | None
    ends_on: date | None
    reason: str
    url: str


@dataclass(frozen=True, kw_only=True)
class OfferingPage(Page):
    title: str
    state: Badge
    lead: str
    reason: str
    progress: tuple[Badge, ...]
    members: tuple[MemberRow, ...]
    facts: tuple[Fact, ...]
    timeline: tuple[Happening, ...]
    proposed: bool
    in_force: bool
    sign_url: str
    may_sign: May
    refuse_url: str
    withdraw_url: str
    may_withdraw: May
    form: ReasonForm


def offerings_page(
    account: Account, query: QueryDict, declined: ReasonForm | None = None, refusal: Refusal | None = None
) -> OfferingsPage:
    names = Names()
    shown = sheet([queries.offerings(account)], "created_at", reverse("offerings"), query.dict(), size=PAGE_SIZE)
    offers = list(queries.offered_to_us()[:MOST])
    told, resources = queries.standings_of(shown.rows), offerable(account)
    entries = catalogue.documents({uuid_of(one.dataset_id) for one in offers})
    return OfferingsPage(
        shell=shell_for(account, "offerings"),
        refusal=refusal,
        offers=tuple(_to_us(account, one, entries.get(uuid_of(one.dataset_id)), names, declined) for one in offers),
        rows=tuple(_row(one, told[one.id], names) for one in shown.rows),
        pager=shown,
        choose=ChooseForm(resources),
        new_url=reverse("offering_new"),
        may_offer=_may_choose(account, resources),
    )


def new_page(account: Account, asked: Asked, form: OfferingForm, refusal: Refusal | None = None) -> NewPage:
    resource = asked.resource
    return NewPage(
        shell=shell_for(account, "offerings"),
        refusal=refusal,
        title=words.of_language(resource.title_zh, resource.title_en),
        form=form,
        may_offer=access.may(account, Action.ANSWER_REQUEST, resource.department_id),
    )


def form_for(asked: Asked, data: QueryDict | None = None) -> OfferingForm:
    items = [(name, words.of_language(item.title_zh, item.title_en) or name) for name, item in asked.shareable.items()]
    resource = asked.resource
    return OfferingForm(_areas(), items, list(resource.permitted_purposes), list(resource.sharing_modes), data)


def resource_of(account: Account, resource_id: str) -> Asked:
    """A published resource that this account may offer.

    raises   NothingHere
    """
    if not is_id(resource_id) or not _published(account).filter(id=resource_id).exists():
        raise NothingHere
    return asked_of(resource_id)


def offerable(account: Account) -> list[tuple[str, str]]:
    rows = _published(account).order_by("title_zh", "id")[:MOST]
    return [(one.id, words.of_language(one.title_zh, one.title_en)) for one in rows]


def offering_of(account: Account, offering_id: str) -> Offering:
    """raises   NothingHere, also for another department's"""
    try:
        return queries.offering(account, offering_id)
    except NotFound:
        raise NothingHere from None


def offering_page(
    account: Account, found: Offering, form: ReasonForm | None = None, refusal: Refusal | None = None
) -> OfferingPage:
    names, standings = Names(), queries.standings(found)
    happened = AuditRecord.objects.filter(subject=actions.subject_of(found)).order_by("-id")[:PAGE_SIZE]
    sign = access.may(account, Action.SIGN_REPLY, found.department)
    return OfferingPage(
        shell=shell_for(account, "offerings"),
        refusal=refusal,
        title=words.of_language(found.title_zh, found.title_en),
        state=words.state(words.OFFERING_STATES, found.state),
        lead=area_name(found.area, found.target, names),
        reason=found.reason,
        progress=_progress(queries.counted(standings)),
        members=tuple(_member(one, names) for one in standings),
        facts=_facts(found),
        timeline=story(happened),
        proposed=found.state == "proposed",
        in_force=found.state == "in_force",
        sign_url=reverse("offering_sign", args=[found.id]),
        may_sign=_may_sign(account, found, sign),
        refuse_url=reverse("offering_refuse", args=[found.id]),
        withdraw_url=reverse("offering_withdraw", args=[found.id]),
        may_withdraw=sign,
        form=form or ReasonForm("end"),
    )


def area_name(area: str, target: str, names: Names) -> str:
    if area == CENTRAL:
        return _("into the node of {superior} (central)").format(superior=names(target))
    return words.of_language(*areas.names(area, target))


def _areas() -> list[tuple[str, str]]:
    """What the form lets one choose: zones of ours, all members, each superior."""
    names, us = Names(), current().jurisdiction
    ours = [one for one in zones.zones() if one.state == "in_force" and us in one.members]
    bound = [(f"zone:{one.id}", words.of_language(one.name_zh, one.name_en)) for one in ours]
    central = [(f"{CENTRAL}:{one}", area_name(CENTRAL, one, names)) for one in areas.above()]
    return [*bound, ("members:", words.code_name(AREAS, "members")), *central]


def _published(account: Account) -> QuerySet[Resource]:
    rows = Resource.objects.filter(state="published").exclude(attribute="refused")
    return rows if account.role in ACROSS_DEPARTMENTS else rows.filter(department_id=account.department_id or "-")


def _may_choose(account: Account, resources: list[tuple[str, str]]) -> May:
    allowed = access.may(account, Action.ANSWER_REQUEST)
    if allowed and not resources:
        return no(_("No resource of your department is published yet."))
    return allowed


def _row(one: Offering, told: list[queries.Standing], names: Names) -> Row:
    return Row(
        url=reverse("offering", args=[one.id]),
        title=words.of_language(one.title_zh, one.title_en),
        area=area_name(one.area, one.target, names),
        state=words.state(words.OFFERING_STATES, one.state),
        progress=" · ".join(badge.word for badge in _progress(queries.counted(told))),
        at=one.created_at,
    )


def _progress(counts: dict[str, int]) -> tuple[Badge, ...]:
    """How many members stand how, in the order of the way."""
    said = [(counts[code], words.state(STANDINGS, code)) for code in STANDINGS if counts.get(code)]
    return tuple(Badge(f"{count} {badge.word}", badge.tone) for count, badge in said)


def _member(one: queries.Standing, names: Names) -> MemberRow:
    url = ""
    if one.agreement:
        url = reverse("agreement", args=[uuid_of(one.agreement)])
    elif one.negotiation:
        url = reverse("negotiation", args=[uuid_of(one.negotiation)])
    state = words.state(STANDINGS, one.state)
    return MemberRow(names(one.peer), state, one.since, one.answer_by, one.ends_on, one.reason, url)


def _facts(found: Offering) -> tuple[Fact, ...]:
    said = [
        *_terms(queries.extent(found), titles_of_items(found.resource_id)),
        Fact(_("Days to answer"), str(found.content["answer_days"])),
        Fact(_("Proposed by"), found.proposed_by),
        Fact(_("Decided by"), found.decided_by),
    ]
    return tuple(fact for fact in said if fact.value or fact.many)


def _terms(offered: Offered, titles: dict[str, str]) -> list[Fact]:
    return [
        Fact(_("Items"), many=tuple(titles.get(one, one) for one in offered.items)),
        Fact(_("Purposes"), many=tuple(words.code_name(codes.PURPOSES, one) for one in offered.purposes)),
        Fact(_("Mode"), words.code_name(codes.SHARING_MODES, offered.mode)),
        Fact(_("Term in days"), str(offered.term_days)),
        Fact(_("Calls a day"), words.number(offered.quota_calls_per_day)),
    ]


def _may_sign(account: Account, found: Offering, may: May) -> May:
    try:
        check_signer(account.username, found.proposed_by)
    except Refused as refused:
        return no(refused.say(words.language())) if may else may
    return may


def _to_us(
    account: Account, one: Negotiation, entry: EntryDocument | None, names: Names, declined: ReasonForm | None
) -> OfferToUs:
    offered, bare = read_offered(one.offer), uuid_of(one.pid)
    facts = _terms(offered, item_titles(entry) if entry else {}) if offered else []
    if offered and offered.answer_by:
        facts.append(Fact(_("Open until"), words.date_word(offered.answer_by)))
    return OfferToUs(
        id=bare,
        title=words.of_language(entry.title_zh, entry.title_en) if entry else uuid_of(one.dataset_id),
        peer=names(one.peer),
        area=_area_of(offered),
        facts=tuple(facts),
        take_url=reverse("request_new", args=[entry.id]) if entry else "",
        may_take=may_request(account, entry) if entry else no(_("Its entry has not arrived here yet.")),
        decline_url=reverse("offer_decline", args=[bare]),
        may_decline=access.may(account, Action.SIGN_OFF_REQUEST),
        form=declined if declined is not None and declined.prefix == bare else ReasonForm(bare),
    )


def _area_of(offered: Offered | None) -> str:
    if offered is None:
        return _("to us alone")
    if offered.area == CENTRAL:
        return _("into our node (central)")
    return words.of_language(offered.name_zh, offered.name_en)
