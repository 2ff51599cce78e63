"""When a data element is replaced, what was the same under its old name is the same under the new one.

Two demands join, and one department is the lead source, by keys over the names of today. They are made anew in the
transaction that brings the replacement, and every hour: a replacement may begin, or end, on a later day.
"""

from __future__ import annotations

from typing import Final

from django.db import transaction

from hutong.control.demands import steps
from hutong.control.demands.models import Demand, Duty
from hutong.control.demands.queries import locked
from hutong.control.demands.rules import leads_of, twins_of
from hutong.control.demands.states import AT_WORK
from hutong.control.demands.told import TwoLeads
from hutong.control.notices.actions import tell
from hutong.control.standards.dictionary import Dictionary, dictionary
from hutong.control.standards.following import follows
from hutong.control.standards.models import Definition
from hutong.ledger.record import record
from hutong.node.settings import current

EVERY_S: Final = 3600.0
BY_RULE: Final = "rule:D809-19"


@follows("element")
def replaced(_one: Definition, _actor: str) -> None:
    rename()


@transaction.atomic
def rename() -> None:
    """Give every active duty and every demand that has not ended the key of today. Repeatable."""
    known = dictionary()
    held = Duty.objects.filter(origin=current().jurisdiction, state="active", lead=True).order_by("id")
    for duty_id, elements, area, leads in held.values_list("id", "elements", "area_code", "leads"):
        if leads_of(current().jurisdiction, _names(known, elements), area) != leads:
            _rename_duty(duty_id, known)
    waiting = Demand.objects.filter(state__in=("filed", "joined", *AT_WORK)).exclude(twins="").order_by("id")
    for one in waiting.only("id", "items", "purpose", "area_code", "twins").iterator(chunk_size=500):
        if _twins(one, known) != one.twins:
            _rename_demand(one.id, known)


def _rename_duty(duty_id: str, known: Dictionary) -> None:
    """Where another department is the lead source of the same data by now, the supervisor must end one of them."""
    duty = Duty.objects.select_for_update().get(id=duty_id)
    if duty.state != "active":
        return
    leads = leads_of(duty.origin, _names(known, duty.elements), duty.area_code)
    other = Duty.objects.filter(leads=leads).exclude(id=duty.id).first() if leads else None
    if other is None:
        Duty.objects.filter(id=duty.id).update(leads=leads)
    elif duty.leads is not None:  # told once
        Duty.objects.filter(id=duty.id).update(leads=None)
        record("duty.lead_twice", f"duty:{duty.id}", BY_RULE, {"department": duty.department_code, "other": other.id})
        said = TwoLeads(
            title=duty.title_en or duty.title_zh,
            title_zh=duty.title_zh,
            one=duty.department_name_en or duty.department_name,
            one_zh=duty.department_name,
            other=other.department_name_en or other.department_name,
            other_zh=other.department_name,
        )
        tell(said, role="supervisor", subject=f"duty:{duty.id}", page=("list", "duty"))


def _rename_demand(demand_id: str, known: Dictionary) -> None:
    """One that is the same as another in work here joins it."""
    demand = locked(demand_id)
    demand.twins = _twins(demand, known)
    steps.mark_working(demand)
    steps.save(demand)
    if steps.ours(demand):
        steps.settle(demand)


def _twins(demand: Demand, known: Dictionary) -> str:
    return twins_of(_names(known, demand.elements), demand.purpose, demand.area_code)


def _names(known: Dictionary, elements: list[str]) -> list[str]:
    return [known.current(one) for one in elements]
