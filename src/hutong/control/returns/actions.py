"""What people do about returns: ask for an area's rows, offer them down, fetch now, pass on."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from django.db import transaction

from hutong.control.agreements import outbound
from hutong.control.agreements.drafting import offer_for
from hutong.control.agreements.terms import Terms
from hutong.control.catalogue import queries as catalogue
from hutong.control.catalogue.dataset import EntryDocument
from hutong.control.catalogue.models import Resource
from hutong.control.identity.rules import Action, Actor, check
from hutong.control.notices.actions import tell
from hutong.control.organisations import tree
from hutong.control.organisations.models import Department
from hutong.control.requests.rules import LONGEST_TERM_DAYS, MOST_CALLS_PER_DAY, RequestIncomplete
from hutong.control.returns import flows
from hutong.control.returns.areas import area_item, condition
from hutong.control.returns.models import ReturnFlow, ReturnOffer
from hutong.control.returns.rules import LAW, NoAreaItem, NotItsArea, OfferedDown
from hutong.ledger.record import record
from hutong.node import directory, work
from hutong.node.events import Event, on_event, post_event
from hutong.node.receiving import Peer
from hutong.node.settings import current
from hutong.vocabulary.areas import area_of
from hutong.vocabulary.codes import PURPOSES
from hutong.vocabulary.errors import BadInput, NotFound, WrongState
from hutong.vocabulary.ids import is_id, new_id
from hutong.vocabulary.text import checked

OFFER_EVENT = "return.offered"
BASIS = "《政务数据共享条例》第二十四条"
TIMES = ("timestamp", "date")


@transaction.atomic
def ask(
    account: Actor, resource_id: str, *, area: str = "", purpose: str = "government_service", changed_item: str = ""
) -> ReturnFlow:
    """Ask a superior for the rows of an area of ours. No head signs it off and nobody there answers: the law has.

    area           ours as a whole where it is not given
    changed_item   the item that says when a row last changed: later batches fetch changed rows only
    raises         NotAllowed, NotFound, NotItsArea, NoAreaItem, RequestIncomplete, WrongState
    """
    check(account, Action.ASK_RETURN)
    if account.department_id is None or purpose not in PURPOSES:
        raise RequestIncomplete(missing=["department" if account.department_id is None else "purpose"])
    document = _published_above(resource_id)
    us, area = current().jurisdiction, area or area_of(current().jurisdiction)
    item = area_item(document.items)
    if not tree.covers(us, area):
        raise NotItsArea(asker=us, area=area or us)
    if item is None:
        raise NoAreaItem
    if changed_item and not any(one.name == changed_item and one.type in TIMES for one in document.items):
        raise BadInput(
            reason=f"{changed_item[:80]} is no date or time of this entry",
            reason_zh=f"{changed_item[:80]} 不是该目录的日期或时间项",
        )
    flow = _new_flow(account, document, area, item.name)
    flow.purpose, flow.changed_item = purpose, changed_item
    terms = _terms(document, condition(item.name, item.type, area), flow)
    offer = offer_for(catalogue.entry(resource_id).dataset, terms)
    _check_not_running(flow)
    flow.negotiation_id = outbound.request(document.origin, offer, terms, account.username).pid
    flow.save(force_insert=True)
    detail = {"peer": flow.peer, "area": area, "resource": resource_id, "negotiation": flow.negotiation_id}
    record("return.asked", flows.subject_of(flow), account.username, detail)
    return flow


@transaction.atomic
def offer_down(account: Actor, resource_id: str) -> list[str]:
    """Offer a published resource of ours to every node right below us, each for its own area.

    returns  their jurisdictions
    raises   NotAllowed, OtherDepartment, NotFound, WrongState, NoAreaItem
    """
    resource = Resource.objects.filter(id=resource_id if is_id(resource_id) else None).first()
    if resource is None:
        raise NotFound(what="resource", what_zh="数据资源", name=resource_id[:60])
    check(account, Action.OFFER_DOWN, resource.department_id)
    if resource.state != "published":
        raise WrongState(what="resource", what_zh="数据资源", state=resource.state, possible=["published"])
    if area_item(catalogue.items_of(resource)) is None:
        raise NoAreaItem
    data = {
        "resource": resource.id,
        "title_zh": resource.title_zh,
        "title_en": resource.title_en,
        "provenance": flows.provenance_of(resource.id),
    }
    below = [one for one in _right_below() if area_of(one)]
    for node in below:
        post_event(node, OFFER_EVENT, resource.id, data | {"area": node})
    record("return.offered_down", f"resource:{resource.id}", account.username, {"nodes": below})
    return below


@on_event(OFFER_EVENT)
def take_offer(peer: Peer, event: Event) -> None:
    """A superior offers a resource for our area. What it says of the origin is shown, and proves nothing yet.

    raises   NotItsArea, BadInput
    """
    given, us = event.data, current().jurisdiction
    area = str(given.get("area", ""))
    if peer.jurisdiction not in tree.path_to_root(us)[1:] or not tree.covers(us, area):
        raise NotItsArea(asker=peer.jurisdiction, area=area[:20])
    if not is_id(event.subject) or given.get("resource") != event.subject:
        raise BadInput(reason="the resource's id is no UUID", reason_zh="资源编号不是 UUID")
    title_zh = checked("title_zh", given.get("title_zh"), limit=200, required=True)
    title_en = checked("title_en", given.get("title_en"), limit=200)
    came_by = read_provenance(given.get("provenance"))
    values = {"peer": peer.jurisdiction, "area": area, "title_zh": title_zh, "title_en": title_en}
    _, new = ReturnOffer.objects.update_or_create(resource_id=event.subject, defaults=values | {"provenance": came_by})
    detail = {"area": area, "provenance": came_by}
    record("return.offer_came", f"resource:{event.subject}", f"node:{peer.jurisdiction}", detail)
    if new:
        told = OfferedDown(peer=peer.jurisdiction, title=title_en or title_zh, title_zh=title_zh, area=area)
        for role in ("officer", "head", "supervisor"):
            tell(told, role=role, subject=f"resource:{event.subject}", page=("returns",))


@transaction.atomic
def fetch_now(account: Actor, flow_id: str) -> ReturnFlow:
    """Have the next batch fetched at once, whole: after a repair, or when somebody waits for it.

    raises   NotAllowed, OtherDepartment, NotFound, WrongState
    """
    flow = _held(flow_id)
    check(account, Action.ASK_RETURN, flow.department or None)
    if flow.role != "consumer" or flow.state != "active":
        raise WrongState(what="return", what_zh="数据回流", state=flow.state, possible=["active"])
    flow.next_at, flow.failures = datetime.now(UTC), 0
    flow.save(update_fields=["next_at", "failures"])
    record("return.fetch_asked", flows.subject_of(flow), account.username, {})
    work.wake_on_commit("returns")
    return flow


def read_provenance(given: Any) -> list[dict[str, str]]:
    """Where another node says a resource comes from.

    raises   BadInput
    """
    if not isinstance(given, list) or not 0 < len(given) <= 10:
        raise BadInput(reason="where it comes from is a list of nodes", reason_zh="来源应为节点列表")
    steps = [one if isinstance(one, dict) else {} for one in given]
    return [
        {name: checked(name, one.get(name), limit=80, required=True) for name in ("node", "resource")} for one in steps
    ]


def _published_above(resource_id: str) -> EntryDocument:
    """raises   NotFound, NotItsArea"""
    entry = catalogue.entry(resource_id)
    if entry.state != "published":
        raise NotFound(what="published resource", name=resource_id[:60])
    us = current().jurisdiction
    if entry.origin not in tree.path_to_root(us)[1:]:
        raise NotItsArea(asker=us, area=us)
    return catalogue.document(resource_id)


def _new_flow(account: Actor, document: EntryDocument, area: str, item: str) -> ReturnFlow:
    offered = ReturnOffer.objects.filter(resource_id=document.id, peer=document.origin).first()
    return ReturnFlow(
        id=new_id(),
        role="consumer",
        peer=document.origin,
        resource_id=document.id,
        title_zh=document.title_zh,
        title_en=document.title_en,
        area=area,
        area_item=item,
        keys=[one.name for one in document.items if one.key],
        department=account.department_id or "",
        update_cycle=document.update_cycle,
        provenance=offered.provenance if offered else [{"node": document.origin, "resource": document.id}],
    )


def _terms(document: EntryDocument, where: dict[str, Any], flow: ReturnFlow) -> Terms:
    department = Department.objects.get(code=flow.department)
    return Terms(
        items=tuple(one.name for one in document.items),
        where=where,
        mode="batch",
        term_days=LONGEST_TERM_DAYS,
        purpose=flow.purpose,
        basis=BASIS,
        scenario="数据回流",
        scope=flow.area,
        quota_calls_per_day=MOST_CALLS_PER_DAY,
        department=department.code,
        department_name=department.name_zh,
        law=LAW,
    )


def _check_not_running(flow: ReturnFlow) -> None:
    running = ReturnFlow.objects.filter(
        role="consumer", peer=flow.peer, resource_id=flow.resource_id, area=flow.area, state__in=("asked", "active")
    ).first()
    if running is not None:
        raise WrongState(what="return", what_zh="数据回流", state=running.state, possible=["refused", "ended"])


def _right_below() -> Sequence[str]:
    """The members whose nearest member above is this node."""
    us, known = current().jurisdiction, tree.tree()
    members = {us, *(one.jurisdiction for one in directory.others())}
    return [
        one
        for one in sorted(members - {us})
        if next((above for above in known.path_to_root(one)[1:] if above in members), "") == us
    ]


def _held(flow_id: str) -> ReturnFlow:
    flow = ReturnFlow.objects.select_for_update().filter(id=flow_id if is_id(flow_id) else None).first()
    if flow is None:
        raise NotFound(what="return", what_zh="数据回流", name=flow_id[:60])
    return flow
