"""What a merged department owes by the lists goes to its successor."""

from __future__ import annotations

from hutong.control.demands import duties, steps
from hutong.control.demands.models import Barred, Demand, Duty
from hutong.control.identity.rules import Actor
from hutong.control.organisations.models import Department
from hutong.control.organisations.succession import moves
from hutong.ledger.record import record
from hutong.node.settings import current


@moves("duties")
def move_duties(old: Department, new: Department, by: Actor) -> int:
    """With the registrations as lead source; their words are made anew, because the department's name is among them."""
    held = Duty.objects.select_for_update().filter(origin=current().jurisdiction, department_code=old.code)
    count = 0
    for duty in held.filter(state="active").order_by("id"):
        duty.department_code, duty.department_name, duty.department_name_en = new.code, new.name_zh, new.name_en
        duties.keep(duty)
        record("duty.inherited", f"duty:{duty.id}", by.username, {"from": old.code, "to": new.code})
        count += 1
    return count


@moves("entries of the negative list")
def move_barred(old: Department, new: Department, _by: Actor) -> int:
    return Barred.objects.filter(department=old).update(department=new)


@moves("demands to meet")
def move_demands(old: Department, new: Department, by: Actor) -> int:
    """After the clocks, which run on (`moves` go by name); the demander is told who meets the demand now."""
    held = Demand.objects.select_for_update().filter(holder=current().jurisdiction, lead_code=old.code, state="led")
    named = {"lead_code": new.code, "lead_name": new.name_zh, "lead_name_en": new.name_en}
    count = 0
    for demand in held.order_by("id"):
        steps.take(demand, "name_lead", by.username, {"lead": new.code, "after": old.code}, **named)
        for one in steps.joined_to(demand):
            steps.take(one, "follow", by.username, {"lead": new.code}, due_on=demand.due_on, **named)
        count += 1
    return count
