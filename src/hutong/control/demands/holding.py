"""A demand at the node it lies with: the lead source named, or handed up, or met, or refused with its provision."""

from __future__ import annotations

from typing import Any

from django.db import transaction

from hutong.control.catalogue import queries as catalogue
from hutong.control.clocks import actions as clocks
from hutong.control.demands import duties, steps
from hutong.control.demands.barring import check_forbidden
from hutong.control.demands.document import LONGEST_TEXT
from hutong.control.demands.fulfilment import check_fulfils
from hutong.control.demands.models import Demand
from hutong.control.demands.queries import locked
from hutong.control.demands.rules import FORBIDDEN, SourceOverdue, check_refusal
from hutong.control.demands.states import next_move
from hutong.control.identity.rules import Action, Actor, check
from hutong.control.organisations.queries import department
from hutong.control.organisations.tree import nearest_common_superior, path_to_root
from hutong.node.directory import member
from hutong.node.settings import current
from hutong.vocabulary.errors import BadInput, NotFound, Refused
from hutong.vocabulary.text import checked


class LiesElsewhere(Refused):
    """This demand lies with {holder} now, and only that node can act on it."""

    zh = "该需求现由 {holder} 办理，本节点不能处理。"
    code = "lies_elsewhere"
    status = 409
    next_en = "Its state here follows by itself."
    next_zh = "此处的状态会自动更新。"


class NobodyAbove(Refused):
    """Nobody stands above both sides of this demand but you."""

    zh = "该需求双方没有更高的共同上级。"
    code = "nobody_above"
    status = 409
    next_en = "Name the lead source, or refuse with the provision."
    next_zh = "请明确数源部门，或说明理由和依据后不予办理。"


@transaction.atomic
def name_lead(by: Actor, demand_id: str, department_code: str) -> Demand:
    """D809-19. Name the one department that is the source of these data; its clock runs from today.

    A department named before is relieved. Whoever joined the demand is told, too.

    raises   NotAllowed, WrongState, NotFound, LeadKnown, LiesElsewhere
    """
    demand = _here(demand_id)
    check(by, Action.NAME_LEAD)
    next_move(demand.state, "name_lead")
    lead = department(department_code)
    if demand.lead_code and demand.lead_code != lead.code:
        duties.drop_of(demand.id, "another lead source was named")
        clocks.drop(SourceOverdue, demand.subject, "another lead source was named")
    duties.for_demand(demand, lead, by.username)
    named = {"lead_code": lead.code, "lead_name": lead.name_zh, "lead_name_en": lead.name_en}
    steps.take(demand, "name_lead", by.username, {"lead": lead.code}, **named)
    for one in steps.joined_to(demand):
        steps.take(one, "follow", by.username, {"lead": lead.code}, due_on=demand.due_on, **named)
    return demand


@transaction.atomic
def join(by: Actor, demand_id: str, main_id: str) -> Demand:
    """Let a demand end together with another one that means the same in other words.

    raises   NotAllowed, WrongState, NotFound, LiesElsewhere, BadInput for itself
    """
    if demand_id == main_id:
        raise BadInput(reason="a demand cannot join itself", reason_zh="需求不能并入自身")
    demand, main = _here(demand_id), _here(main_id)
    check(by, Action.NAME_LEAD)
    next_move(main.state, "name_lead")
    for one in steps.joined_to(demand):
        steps.take(one, "follow", by.username, {"joined_to": main.id}, joined_to=main.id)
    return steps.join(demand, main, by.username)


@transaction.atomic
def hand_up(by: Actor, demand_id: str, note: str) -> Demand:
    """Ask the nearest common superior to say who holds the data.

    raises   NotAllowed, WrongState, NotFound, LiesElsewhere, NobodyAbove, NoCommonSuperior, WrongText
    """
    demand = _here(demand_id)
    check(by, Action.NAME_LEAD)
    next_move(demand.state, "hand_up")
    note = checked("note", note, limit=LONGEST_TEXT, lines=True, required=True)
    above = nearest_common_superior(demand.home, current().jurisdiction).jurisdiction
    if above == current().jurisdiction:
        raise NobodyAbove
    return steps.take(demand, "hand_up", by.username, {"to": above, "note": note}, holder=above, note=note)


@transaction.atomic
def assign(by: Actor, demand_id: str, jurisdiction: str, note: str = "") -> Demand:
    """The common superior says which node below it (or itself) holds the data.

    raises   NotAllowed, WrongState, NotFound, LiesElsewhere, UnknownMember, BadInput
    """
    demand = _here(demand_id)
    check(by, Action.NAME_LEAD)
    next_move(demand.state, "assign")
    here = current().jurisdiction
    if jurisdiction != here and here not in path_to_root(member(jurisdiction).jurisdiction):
        raise BadInput(
            reason=f"{jurisdiction} does not lie below {here}", reason_zh=f"{jurisdiction} 不是 {here} 的下级"
        )
    note = checked("note", note, limit=LONGEST_TEXT, lines=True)
    changes = {"holder": jurisdiction, "target": jurisdiction, "note": note}
    steps.take(demand, "assign", by.username, {"to": jurisdiction, "note": note}, **changes)
    return steps.settle(demand)


@transaction.atomic
def fulfil(by: Actor, demand_id: str, resource_id: str) -> Demand:
    """End a demand with a published resource: by its lead source with one of its own, by the supervisor with any.

    raises   NotAllowed, OtherDepartment, WrongState, NotFound, NotFulfilled, LiesElsewhere
    """
    demand = _here(demand_id)
    if demand.state == "led":
        check(by, Action.MEET_DEMAND, demand.lead_code)
    else:
        check(by, Action.NAME_LEAD)
    next_move(demand.state, "fulfil")
    entry = catalogue.entry(resource_id)
    own = entry.origin == current().jurisdiction and entry.department_code == demand.lead_code
    if entry.state != "published" or (demand.state == "led" and not own):
        raise NotFound(what="published resource", name=resource_id[:60])
    document = catalogue.document(entry.id)
    check_fulfils(demand, entry.id, [item.element for item in document.items if item.may_be_shared])
    duties.met_by(demand.id, entry.id, by.username)
    return _end(demand, "fulfil", by.username, {"resource": entry.id}, resource_id=entry.id)


@transaction.atomic
def refuse(by: Actor, demand_id: str, *, code: str, reason: str, citation: str) -> Demand:
    """End a demand without a resource: by the supervisor, or by the head of the lead source, with the provision.

    raises   NotAllowed, OtherDepartment, WrongState, DemandRefusedBare, ForbiddenNotListed, LiesElsewhere, NotFound
    """
    demand = _here(demand_id)
    check(by, Action.REFUSE_DEMAND, demand.lead_code if demand.state == "led" else None)
    next_move(demand.state, "refuse")
    check_refusal(code, reason, citation)
    if code == FORBIDDEN:
        check_forbidden(citation, what=demand.title, department=demand.lead_code, elements=demand.elements)
    given = {
        "refusal_code": code,
        "refusal_reason": checked("reason", reason, limit=LONGEST_TEXT, lines=True),
        "refusal_citation": checked("citation", citation, limit=300),
    }
    duties.drop_of(demand.id, "demand refused")
    detail = {"code": code, "reason": given["refusal_reason"], "citation": given["refusal_citation"]}
    return _end(demand, "refuse", by.username, detail, **given)


def _end(demand: Demand, verb: str, actor: str, detail: dict[str, Any], **changes: Any) -> Demand:
    """The demand, and everyone who joined it."""
    followers = steps.joined_to(demand)
    steps.take(demand, verb, actor, detail, **changes)
    for one in followers:
        steps.take(one, verb, actor, detail | {"with": demand.id}, **changes)
    return demand


def _here(demand_id: str) -> Demand:
    demand = locked(demand_id)
    if not steps.ours(demand):
        raise LiesElsewhere(holder=demand.holder)
    return demand
