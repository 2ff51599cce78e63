"""The list of duties (责任清单): what each department is to provide, and which is the lead source of what."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.db import transaction

from hutong.control.catalogue import secrecy
from hutong.control.catalogue.models import Entry
from hutong.control.demands.candidates import duty_terms
from hutong.control.demands.models import Demand, Duty, DutyTerm
from hutong.control.demands.rules import MOST_ITEMS, LeadKnown, leads_of
from hutong.control.identity.rules import Action, Actor, check
from hutong.control.organisations.models import Department
from hutong.control.organisations.queries import department as department_of
from hutong.control.standards.dictionary import dictionary
from hutong.ledger.record import record
from hutong.node.settings import current
from hutong.vocabulary.areas import area_of
from hutong.vocabulary.codes import UPDATE_CYCLES
from hutong.vocabulary.errors import BadInput, NotFound, WrongState
from hutong.vocabulary.ids import is_id, new_id
from hutong.vocabulary.text import checked, shown


@transaction.atomic
def add(
    by: Actor,
    *,
    department: str,
    title_zh: str,
    title_en: str = "",
    words: str = "",
    elements: Sequence[str] = (),
    area_code: str = "",
    update_cycle: str = "",
    basis: str = "",
    lead: bool = False,
    resource_id: str = "",
) -> Duty:
    """Register what a department is responsible to provide; as its lead source only the supervisor.

    area_code   ours where it is not given
    raises      NotAllowed, OtherDepartment, NotFound, BadInput, WrongText, LeadKnown, UnknownElement, ElementEnded
    """
    provider = department_of(department)
    check(by, Action.KEEP_DUTIES, provider.code)
    if lead:
        check(by, Action.NAME_LEAD)
    secrecy.check([("title_zh", title_zh), ("title_en", title_en), ("words", words)])
    duty = _new(
        provider,
        title_zh=checked("title_zh", title_zh, limit=200, required=True),
        title_en=checked("title_en", title_en, limit=200),
        words=checked("words", words, limit=500),
        elements=read_elements(elements),
        area_code=read_area(area_code) or area_of(current().jurisdiction),
        update_cycle=read_cycle(update_cycle),
        basis=checked("basis", basis, limit=300),
        lead=lead,
        resource_id=_published(resource_id, provider.code),
    )
    keep(duty)
    record("duty.registered", f"duty:{duty.id}", by.username, _detail(duty))
    return duty


@transaction.atomic
def end(by: Actor, duty_id: str, reason: str) -> Duty:
    """End a duty; a lead source's registration only as the supervisor.

    raises   NotAllowed, OtherDepartment, NotFound, WrongState, WrongText
    """
    duty = _held(duty_id)
    check(by, Action.KEEP_DUTIES, duty.department_code)
    if duty.lead:
        check(by, Action.NAME_LEAD)
    if duty.state != "active":
        raise WrongState(what="duty", what_zh="责任事项", state=duty.state, possible=["active"])
    _end(duty, checked("reason", reason, limit=300, required=True), by.username)
    return duty


@transaction.atomic
def link(by: Actor, duty_id: str, resource_id: str) -> Duty:
    """Name the published resource that a duty is met by.

    raises   NotAllowed, OtherDepartment, NotFound, WrongState
    """
    duty = _held(duty_id)
    check(by, Action.KEEP_DUTIES, duty.department_code)
    duty.resource_id = _published(resource_id, duty.department_code)
    duty.save(update_fields=["resource_id", "updated_at"])
    record("duty.linked", f"duty:{duty.id}", by.username, {"resource": duty.resource_id})
    return duty


def for_demand(demand: Demand, lead: Department, actor: str) -> Duty:
    """The lead source's duty that a demand brings with it; one that the department has already serves it.

    raises   LeadKnown when another department is the lead source of the same data
    """
    key = leads_of(current().jurisdiction, _now(demand.elements), demand.area_code)
    present = Duty.objects.select_for_update().filter(leads=key).first() if key else None
    if present is not None:
        if present.department_code != lead.code:
            raise _known(present)
        present.demand_id = demand.id
        present.save(update_fields=["demand_id", "updated_at"])
        return present
    duty = _new(
        lead,
        title_zh=demand.title,
        words=" ".join(one["words"] for one in demand.items)[:500],
        elements=demand.elements,
        area_code=demand.area_code,
        update_cycle=demand.update_cycle,
        basis=demand.basis[:300],
        lead=True,
        demand_id=demand.id,
    )
    keep(duty)
    record("duty.registered", f"duty:{duty.id}", actor, _detail(duty))
    return duty


def met_by(demand_id: str, resource_id: str, actor: str) -> None:
    """The resource that a demand ended with meets the duty that came from it."""
    for duty in _of(demand_id):
        duty.resource_id = resource_id
        duty.save(update_fields=["resource_id", "updated_at"])
        record("duty.linked", f"duty:{duty.id}", actor, {"resource": resource_id})


def drop_of(demand_id: str, reason: str) -> None:
    """The demand has ended without a resource, or has another lead source: the duty that came from it ends, too."""
    for duty in _of(demand_id):
        if not duty.resource_id:
            _end(duty, reason, "rule:D809-19")


def hand_over(demand_id: str, to: str) -> None:
    """Another demand goes on in its place; the lead source's duty stays."""
    Duty.objects.filter(demand_id=demand_id, origin=current().jurisdiction).update(demand_id=to)


def keep(duty: Duty) -> None:
    """Save a duty and the words it is found by.

    raises   LeadKnown
    """
    if duty.lead and duty.origin == current().jurisdiction:  # another node's list is its own to keep to one source
        duty.leads = leads_of(duty.origin, _now(duty.elements), duty.area_code)
        other = Duty.objects.filter(leads=duty.leads).exclude(id=duty.id).first() if duty.leads else None
        if other is not None:
            raise _known(other)
    duty.save()
    DutyTerm.objects.filter(duty=duty).delete()
    DutyTerm.objects.bulk_create([DutyTerm(term=term, duty=duty) for term in sorted(duty_terms(duty))], batch_size=500)


def read_elements(given: Sequence[str]) -> list[str]:
    """Data elements of the region that are in use, each once.

    raises   UnknownElement, ElementEnded, BadInput for too many
    """
    known = dictionary()
    found = list(dict.fromkeys(known.element(one.strip()).name for one in given if one.strip()))
    if len(found) > MOST_ITEMS:
        raise BadInput(reason=f"at most {MOST_ITEMS} data elements", reason_zh=f"数据元至多 {MOST_ITEMS} 个")
    return found


def _now(elements: Sequence[str]) -> list[str]:
    known = dictionary()
    return [known.current(one) for one in elements]


def read_area(given: str) -> str:
    """raises   BadInput for what is no code of 6 or 12 digits"""
    area = given.strip()
    if area and not (area.isascii() and area.isdigit() and len(area) in (6, 12)):
        raise BadInput(reason="an area code has 6 or 12 digits", reason_zh="行政区划代码为 6 位或 12 位数字")
    return area


def read_cycle(given: str) -> str:
    """raises   BadInput"""
    if given and given not in UPDATE_CYCLES:
        known = ", ".join(UPDATE_CYCLES.codes)
        raise BadInput(reason=f"an update cycle is one of {known}", reason_zh=f"更新周期应为：{known}")
    return given


def _new(provider: Department, **fields: Any) -> Duty:
    names = {"department_name": provider.name_zh, "department_name_en": provider.name_en}
    return Duty(id=new_id(), origin=current().jurisdiction, department_code=provider.code, **names, **fields)


def _held(duty_id: str) -> Duty:
    ours = Duty.objects.select_for_update().filter(origin=current().jurisdiction)
    found = ours.filter(id=duty_id).first() if is_id(duty_id) else None
    if found is None:
        raise NotFound(what="duty", what_zh="责任事项", name=shown(duty_id))
    return found


def _of(demand_id: str) -> list[Duty]:
    ours = Duty.objects.select_for_update().filter(origin=current().jurisdiction, state="active")
    return list(ours.filter(demand_id=demand_id))


def _end(duty: Duty, reason: str, actor: str) -> None:
    duty.state, duty.leads, duty.ended_because = "ended", None, reason
    duty.save()
    DutyTerm.objects.filter(duty=duty).delete()
    record("duty.ended", f"duty:{duty.id}", actor, {"reason": reason, "department": duty.department_code})


def _published(resource_id: str, department: str) -> str:
    """raises   NotFound for what is no published entry of this department's"""
    if not resource_id:
        return ""
    ours = Entry.objects.filter(origin=current().jurisdiction, state="published", department_code=department)
    if not is_id(resource_id) or not ours.filter(id=resource_id).exists():
        raise NotFound(what="published resource", name=shown(resource_id))
    return resource_id


def _known(other: Duty) -> LeadKnown:
    return LeadKnown(
        department=other.department_name_en or other.department_name,
        department_zh=other.department_name,
        title=other.title_en or other.title_zh,
        title_zh=other.title_zh,
    )


def _detail(duty: Duty) -> dict[str, Any]:
    return {
        "department": duty.department_code,
        "elements": duty.elements,
        "area": duty.area_code,
        "lead": duty.lead,
        "demand": duty.demand_id,
    }
