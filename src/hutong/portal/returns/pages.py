"""The room of returns: what comes back to this area, what this node returns, and whether both sides hold the same."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.http import QueryDict
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as lazy

from hutong.control.catalogue.dataset import EntryDocument
from hutong.control.catalogue.models import Resource
from hutong.control.clocks import queries as clocks
from hutong.control.identity.models import Account
from hutong.control.identity.rules import ACROSS_DEPARTMENTS, Action
from hutong.control.returns import flows, onward, queries
from hutong.control.returns.areas import ELEMENTS
from hutong.control.returns.models import ReturnBatch, ReturnFlow, ReturnOffer
from hutong.control.returns.rules import NotToPassOn
from hutong.ledger.models import AuditRecord
from hutong.node.settings import current
from hutong.portal.components import access, words
from hutong.portal.components.page import Page, Refusal, shell_for
from hutong.portal.components.paging import Pager, page_number, pager
from hutong.portal.components.parts import Badge, Due, Fact, Happening, May, Step, no
from hutong.portal.components.peers import Names
from hutong.portal.components.refusing import NothingHere
from hutong.portal.components.timelines import story
from hutong.portal.components.titles import title_of_entry
from hutong.portal.returns.forms import AskForm, OfferForm
from hutong.vocabulary import codes
from hutong.vocabulary.areas import area_of
from hutong.vocabulary.errors import NotFound
from hutong.vocabulary.ids import uuid_of

PAGE_SIZE = 30
MOST_OFFERED = 200  # resources to choose from; further ones are offered by command
SHOWN_OF_DIGEST = 19  # characters, of which seven say the algorithm
MOST_NAMED = 50  # differing rows on one page
ROLES: Mapping[str, Promise] = {"consumer": lazy("comes back to us"), "provider": lazy("we return it")}
CENTRAL_ROLES: Mapping[str, Promise] = {
    "consumer": lazy("delivered into our node (central)"),
    "provider": lazy("we deliver it (central)"),
}
BATCH_STATES: words.Stated = {
    "fetching": (lazy("being fetched"), "accent"),
    "stored": (lazy("stored, being compared"), "accent"),
    "asked": (lazy("to be compared"), "accent"),
    "stated": (lazy("stated, being compared"), "accent"),
    "agreed": (lazy("both sides agree"), "good"),
    "differs": (lazy("the sides differ"), "bad"),
}
KINDS: Mapping[str, Promise] = {"full": lazy("all rows"), "changed": lazy("changed rows")}
DIFFERENCES: Mapping[str, Promise] = {
    "missing": lazy("missing at the area's node"),
    "extra": lazy("too many at the area's node"),
    "changed": lazy("not the same"),
}


@dataclass(frozen=True)
class Row:
    url: str
    title: str
    role: str
    peer: str
    area: str
    state: Badge
    newest: Badge | None
    rows: int | None


@dataclass(frozen=True)
class Offered:
    title: str
    peer: str
    area: str
    came_by: str
    ask_url: str
    may_ask: May


@dataclass(frozen=True, kw_only=True)
class ReturnsPage(Page):
    rows: tuple[Row, ...]
    pager: Pager
    offers: tuple[Offered, ...]
    offer_form: OfferForm | None
    may_offer: May


@dataclass(frozen=True)
class Named:
    what: str
    key: str


@dataclass(frozen=True)
class Batch:
    number: int
    kind: str
    at: datetime
    state: Badge
    rows: int
    their_rows: int | None
    differs: str
    named: tuple[Named, ...]
    root: str
    receipt: str


@dataclass(frozen=True, kw_only=True)
class ReturnPage(Page):
    title: str
    state: Badge
    lead: str
    due: Due | None
    trouble: str
    facts: tuple[Fact, ...]
    provenance: tuple[Step, ...]
    batches: tuple[Batch, ...]
    fetch_url: str
    pass_on_url: str
    dispute_url: str
    ours: bool
    may_fetch: May
    may_pass_on: May
    timeline: tuple[Happening, ...]


@dataclass(frozen=True, kw_only=True)
class AskPage(Page):
    title: str
    peer: str
    form: AskForm
    url: str


def returns_page(
    account: Account, query: QueryDict, form: OfferForm | None = None, refusal: Refusal | None = None
) -> ReturnsPage:
    found = queries.flows(account)
    pages = pager(reverse("returns"), {}, page=page_number(query.get("page")), size=PAGE_SIZE, total=found.count())
    first, names = (pages.page - 1) * PAGE_SIZE, Names()
    shown = list(found[first : first + PAGE_SIZE])
    newest = _newest([one.id for one in shown])
    may = access.may(account, Action.OFFER_DOWN)
    return ReturnsPage(
        shell=shell_for(account, "returns"),
        refusal=refusal,
        rows=tuple(_row(one, newest.get(one.id), names) for one in shown),
        pager=pages,
        offers=tuple(_offered(account, one, names) for one in queries.offers()[:PAGE_SIZE]),
        offer_form=form or (OfferForm(offerable(account)) if may else None),
        may_offer=may,
    )


def offerable(account: Account) -> list[tuple[str, str]]:
    """Published resources of ours that say where the area code stands."""
    rows = Resource.objects.filter(state="published", items__element__in=ELEMENTS).order_by("title_zh", "id").distinct()
    if account.role not in ACROSS_DEPARTMENTS:
        rows = rows.filter(department_id=account.department_id or "-")
    return [(one.id, words.of_language(one.title_zh, one.title_en)) for one in rows[:MOST_OFFERED]]


def flow_of(account: Account, flow_id: str) -> ReturnFlow:
    """raises   NothingHere, also for another department's"""
    try:
        return queries.flow(account, flow_id)
    except NotFound:
        raise NothingHere from None


def return_page(account: Account, flow: ReturnFlow, refusal: Refusal | None = None) -> ReturnPage:
    names, subject = Names(), flows.subject_of(flow)
    ours = flow.role == "consumer"
    ask = access.may(account, Action.ASK_RETURN, flow.department or None)
    running = ask if flow.state == "active" else no(_("Only while the return runs."))
    return ReturnPage(
        shell=shell_for(account, "returns"),
        refusal=refusal,
        title=words.of_language(flow.title_zh, flow.title_en),
        state=words.state(words.RETURN_STATES, flow.state),
        lead=" · ".join(one for one in (_role(flow), names(flow.peer), flow.area) if one),
        due=_due(subject),
        trouble=flow.trouble or flow.code,
        facts=_facts(flow, names),
        provenance=_provenance(flow, names),
        batches=tuple(_batch(one) for one in queries.batches(flow)),
        fetch_url=reverse("return_fetch", args=[flow.id]),
        pass_on_url=reverse("return_pass_on", args=[flow.id]),
        dispute_url=reverse("dispute_request", args=[uuid_of(flow.negotiation_id)]),
        ours=ours,
        may_fetch=running,
        may_pass_on=_may_pass_on(account, flow),
        timeline=story(AuditRecord.objects.filter(subject=subject).order_by("-id")[:30]),
    )


def ask_page(account: Account, document: EntryDocument, form: AskForm, refusal: Refusal | None = None) -> AskPage:
    return AskPage(
        shell=shell_for(account, "returns"),
        refusal=refusal,
        title=words.of_language(document.title_zh, document.title_en),
        peer=Names()(document.origin),
        form=form,
        url=reverse("return_ask", args=[document.id]),
    )


def own_area() -> str:
    return area_of(current().jurisdiction)


def _role(flow: ReturnFlow) -> str:
    return str((ROLES if flow.area else CENTRAL_ROLES)[flow.role])


def _holder(flow: ReturnFlow) -> str:
    """What the other side is to these rows."""
    if not flow.area:
        return _("Provider") if flow.role == "consumer" else _("Superior")
    return _("Superior") if flow.role == "consumer" else _("Area's node")


def _may_pass_on(account: Account, flow: ReturnFlow) -> May:
    if not flow.area:
        return no(NotToPassOn(peer=flow.peer).say(words.language()))
    if onward.passing_on(flow) is not None:
        return no(_("A resource of ours passes it on already."))
    if not flow.batches.filter(state="agreed").exists():
        return no(_("Nothing has come back whole yet."))
    return access.may(account, Action.DESCRIBE_RESOURCE, flow.department or None)


def _newest(flow_ids: list[str]) -> dict[str, ReturnBatch]:
    """The newest batch of each flow, in one read."""
    rows = ReturnBatch.objects.filter(flow_id__in=flow_ids).order_by("flow_id", "number")
    return {one.flow_id: one for one in rows.only("flow_id", "number", "state", "rows")}


def _row(one: ReturnFlow, newest: ReturnBatch | None, names: Names) -> Row:
    return Row(
        url=reverse("return", args=[one.id]),
        title=words.of_language(one.title_zh, one.title_en),
        role=_role(one),
        peer=names(one.peer),
        area=one.area,
        state=words.state(words.RETURN_STATES, one.state),
        newest=words.state(BATCH_STATES, newest.state) if newest else None,
        rows=newest.rows if newest else None,
    )


def _offered(account: Account, one: ReturnOffer, names: Names) -> Offered:
    return Offered(
        title=words.of_language(one.title_zh, one.title_en),
        peer=names(one.peer),
        area=one.area,
        came_by=" → ".join(names(step["node"]) for step in one.provenance),
        ask_url=reverse("return_ask", args=[one.resource_id]),
        may_ask=access.may(account, Action.ASK_RETURN),
    )


def _facts(flow: ReturnFlow, names: Names) -> tuple[Fact, ...]:
    facts = [
        Fact(_holder(flow), names(flow.peer)),
        Fact(_("Purpose"), words.code_name(codes.PURPOSES, flow.purpose)),
        Fact(_("Update cycle"), words.code_name(codes.UPDATE_CYCLES, flow.update_cycle)),
    ]
    if flow.area:
        facts[1:1] = [
            Fact(_("Area code"), flow.area, mono=True),
            Fact(_("Item with the area code"), flow.area_item, mono=True),
        ]
    facts += [Fact(_("Rows told apart by"), ", ".join(flow.keys), mono=True)] if flow.keys else []
    facts += [Fact(_("Next batch"), words.moment(flow.next_at))] if flow.next_at else []
    facts += [Fact(_("Agreement id"), flow.agreement_id, mono=True)] if flow.agreement_id else []
    if flow.role == "consumer":
        facts.append(Fact(_("Kept in"), str(flows.folder_of(flow).relative_to(current().home)), mono=True))
    return tuple(facts)


def _provenance(flow: ReturnFlow, names: Names) -> tuple[Step, ...]:
    """The way of the rows from their origin to here, hop by hop."""
    newest = flow.batches.filter(state="agreed").order_by("-number").first()
    hops: dict[str, dict[str, Any]] = {one["node"]: one for one in newest.provenance} if newest else {}
    steps = []
    for one in flow.provenance:
        hop = hops.get(one["node"])
        detail = title_of_entry(one["resource"])
        if hop:
            detail = _("{rows} rows, {root}").format(rows=words.number(int(hop["rows"])), root=_short(hop["root"]))
        steps.append(Step(names(one["node"]), detail, "good"))
    if flow.role == "consumer":
        held = (
            _("{rows} rows, {root}").format(rows=words.number(newest.rows), root=_short(newest.root)) if newest else ""
        )
        steps.append(Step(names(current().jurisdiction), held, "good" if newest else "wait"))
    return tuple(steps)


def _short(digest: str) -> str:
    """Enough of a digest to see that two are the same; the whole stands with its batch."""
    return digest[:SHOWN_OF_DIGEST] + "…"


def _batch(one: ReturnBatch) -> Batch:
    counts = [(DIFFERENCES[kind], getattr(one, kind)) for kind in DIFFERENCES]
    named = one.differences.order_by("kind", "key")[:MOST_NAMED] if one.state == "differs" else ()
    return Batch(
        number=one.number,
        kind=str(KINDS[one.kind]),
        at=one.compared_at or one.stored_at or one.started_at,
        state=words.state(BATCH_STATES, one.state),
        rows=one.rows,
        their_rows=one.their_rows,
        differs=" · ".join(f"{count} {word}" for word, count in counts if count) if one.state == "differs" else "",
        named=tuple(Named(str(DIFFERENCES[row.kind]), row.key) for row in named),
        root=one.root,
        receipt=one.receipt,
    )


def _due(subject: str) -> Due | None:
    running = clocks.of(subject).filter(state="running").exclude(due_on=None).first()
    return None if running is None or running.due_on is None else Due(running.due_on, clocks.days_left(running))
