"""A demand at the demander's node: filed, signed off, withdrawn, and turned into a request when it is met."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from django.db import transaction

from hutong.control.catalogue import queries as catalogue
from hutong.control.catalogue import secrecy
from hutong.control.demands import candidates, federation, repeating, steps, told
from hutong.control.demands.document import LONGEST_TEXT
from hutong.control.demands.duties import read_area, read_cycle
from hutong.control.demands.models import Demand
from hutong.control.demands.queries import locked
from hutong.control.demands.rules import (
    MOST_ITEMS,
    DemandIncomplete,
    InCatalogue,
    check_may_sign_off,
    missing_in,
    twins_of,
)
from hutong.control.demands.states import next_move, possible, wrong_state
from hutong.control.identity.rules import Action, Actor, check
from hutong.control.notices.actions import tell
from hutong.control.organisations.queries import department
from hutong.control.organisations.tree import covers, tree
from hutong.control.requests import actions as requests
from hutong.control.requests.models import ShareRequest
from hutong.control.standards.dictionary import dictionary
from hutong.ledger.record import record
from hutong.node.directory import UnknownMember, others
from hutong.node.settings import current
from hutong.vocabulary.codes import PURPOSES
from hutong.vocabulary.errors import BadInput, NotFound
from hutong.vocabulary.ids import new_id
from hutong.vocabulary.text import checked

TERM_DAYS = 365  # of the request that a met demand becomes, unless said otherwise


@transaction.atomic
def file(
    by: Actor,
    *,
    title: str,
    what_for: str,
    basis: str,
    scope: str,
    purpose: str,
    items: Sequence[dict[str, str]],
    area_code: str = "",
    update_cycle: str = "",
    target: str = "",
    why_not: str = "",
) -> Demand:
    """File a demand for data that the catalogue does not have. Nothing leaves the node before the head's signature.

    items     [{"words": what is wished, "element": code of a data element or ""}], one of the two at least
    target    the jurisdiction that should hold the data; "" lets the area, else the common superior, decide
    why_not   why a resource that seems to have it all does not do
    raises    NotAllowed, DemandIncomplete, InCatalogue, BadInput, WrongText, SecretRefused, UnknownMember,
              UnknownElement, ElementEnded
    """
    check(by, Action.FILE_DEMAND)
    if by.department_id is None:
        raise DemandIncomplete(missing=["department"])
    wished = _items(items)
    missing = missing_in(title=title, what_for=what_for, basis=basis, scope=scope)
    missing += [name for name, there in (("purpose", purpose in PURPOSES), ("items", wished)) if not there]
    if missing:
        raise DemandIncomplete(missing=missing)
    texts = {"title": title, "what_for": what_for, "basis": basis, "scope": scope, "why_not": why_not}
    secrecy.check([*texts.items(), *(("items.words", one["words"]) for one in wished)])
    wisher, area_code = department(by.department_id), read_area(area_code)
    demand = Demand(
        id=new_id(),
        home=current().jurisdiction,
        department_code=wisher.code,
        department_name=wisher.name_zh,
        department_name_en=wisher.name_en,
        filed_by=by.username,
        purpose=purpose,
        items=wished,
        area_code=area_code,
        update_cycle=read_cycle(update_cycle),
        target=_addressable(target),
        holder=current().jurisdiction,
        state="",
        filed_at=datetime.now(UTC).replace(microsecond=0),
        **{name: checked(name, text, limit=LONGEST_TEXT, lines=name != "title") for name, text in texts.items()},
    )
    demand.title = checked("title", title, limit=200, required=True)
    demand.twins = twins_of(demand.elements, purpose, area_code)
    _check_catalogue(demand)
    detail = {"purpose": purpose, "elements": demand.elements, "area": area_code, "target": demand.target}
    steps.take(demand, "file", by.username, detail)
    waiting = told.DemandSignOff(title=demand.title)
    tell(waiting, role="head", department=wisher.code, subject=demand.subject, page=("demand", demand.id))
    return demand


@transaction.atomic
def sign_off(by: Actor, demand_id: str) -> Demand:
    """The head of the department that wishes signs: the demand goes to the node that should hold the data.

    raises   NotAllowed, OtherDepartment, OwnDemand, WrongState, NotFound
    """
    demand = _our_own(demand_id)
    check(by, Action.SIGN_OFF_DEMAND, demand.department_code)
    next_move(demand.state, "sign_off")
    check_may_sign_off(by.username, demand.filed_by)
    holder, state = _addressee(demand)
    changes: dict[str, Any] = {"holder": holder, "sent_at": datetime.now(UTC).replace(microsecond=0)}
    if state == "open":
        changes["target"] = holder
    steps.take(demand, "sign_off", by.username, {"to": holder}, after=state, **changes)
    repeating.wished(demand)
    return steps.settle(demand)


@transaction.atomic
def withdraw(by: Actor, demand_id: str, reason: str) -> Demand:
    """Withdraw a demand. Where it lies with another node, that node is asked to end it.

    raises   NotAllowed, OtherDepartment, WrongState, NotFound, WrongText
    """
    demand = _our_own(demand_id)
    check(by, Action.FILE_DEMAND, demand.department_code)
    next_move(demand.state, "withdraw")
    reason = checked("reason", reason, limit=federation.LONGEST_REASON, lines=True, required=True)
    if steps.ours(demand):
        federation.withdraw_here(demand, by.username, reason)
        return demand
    demand.withdrawal = reason
    demand.save(update_fields=["withdrawal", "updated_at"])
    record("demand.withdrawal_asked", demand.subject, by.username, {"reason": reason, "of": demand.holder})
    federation.ask_to_withdraw(demand)
    return demand


def request(by: Actor, demand_id: str, *, mode: str = "interface", term_days: int = TERM_DAYS) -> ShareRequest:
    """File the request that a met demand was for, in one step: its words, and the items of its data elements.

    Where the demand named no data element, every item that may be shared is asked for.

    raises   WrongState while it is not met, and what requests.actions.file raises
    """
    demand = _our_own(demand_id, lock=False)
    check(by, Action.FILE_REQUEST, demand.department_code)
    if demand.state != "fulfilled":
        raise wrong_state(demand.state, "fulfilled")
    document = catalogue.document(demand.resource_id)
    shared = [item for item in document.items if item.may_be_shared]
    wished = candidates.wish_of(demand).every_name
    wanted = [item.name for item in shared if item.element in wished] or [item.name for item in shared]
    offered = document.sharing_modes
    return requests.file(
        by,
        resource_id=demand.resource_id,
        basis=demand.basis,
        scenario=demand.what_for,
        scope=demand.scope,
        items=wanted,
        mode=mode if mode in offered or not offered else offered[0],
        term_days=term_days,
        purpose=demand.purpose,
    )


def may_withdraw(demand: Demand) -> bool:
    """Whether its state allows it, and nobody has asked for it yet."""
    return possible(demand.state, "withdraw") and not demand.withdrawal


def _our_own(demand_id: str, *, lock: bool = True) -> Demand:
    demand = locked(demand_id, lock=lock)
    if demand.home != current().jurisdiction:
        raise NotFound(what="demand of ours", what_zh="本节点提出的需求", name=demand_id)
    return demand


def _items(given: Sequence[dict[str, str]]) -> list[dict[str, Any]]:
    """The items wished, each with words or a data element of a version in force; empty lines are left out.

    raises   UnknownElement, ElementEnded, BadInput, WrongText
    """
    if len(given) > MOST_ITEMS:
        raise BadInput(reason=f"at most {MOST_ITEMS} items", reason_zh=f"信息项至多 {MOST_ITEMS} 个")
    found, known = [], dictionary()
    for one in given:
        words, named = checked("items.words", one.get("words", ""), limit=200), one.get("element", "").strip()
        element = known.element(named) if named else None
        if words or element:
            said = {"element": element.name, "version": element.version} if element else {"element": "", "version": 0}
            found.append({"words": words} | said)
    return found


def _check_catalogue(demand: Demand) -> None:
    """SHDR-39. What is in the catalogue is requested, not demanded.

    raises   InCatalogue
    """
    if demand.why_not:
        return
    found = candidates.in_catalogue(candidates.wish_of(demand))
    if found is not None:
        known = found.known
        raise InCatalogue(title=known.title_en or known.title_zh, title_zh=known.title_zh, resource=known.id)


def _addressable(target: str) -> str:
    """raises   UnknownMember, BadInput for the region's office, which holds no data of its own"""
    if target in ("", current().jurisdiction):
        return target
    found = {one.jurisdiction: one for one in others()}.get(target)
    if found is None:
        raise UnknownMember(name=target[:40])
    if found.place == "region":
        raise BadInput(
            reason="a region's office holds no data: name a province, a city or a district",
            reason_zh="区域办公室不持有数据：请选择省、市或区县",
        )
    return target


def _addressee(demand: Demand) -> tuple[str, str]:
    """Who acts first: the node addressed; else the nearest one that the area lies in; else our superior, to find it."""
    here = current()
    if demand.target:
        return demand.target, "open"
    members = {one.jurisdiction for one in others() if one.place != "region"} | {here.jurisdiction}
    if demand.area_code:
        over = [one for one in members if covers(one, demand.area_code)]
        if over:
            return max(over, key=lambda one: (len(one.rstrip("0")), one)), "open"
    above = next((one for one in tree().path_to_root(here.jurisdiction)[1:] if one in members), "")
    return (above, "mediating") if above else (here.jurisdiction, "open")
