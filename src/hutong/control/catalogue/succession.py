"""What a merged department has in the catalogue goes to its successor.

A published entry still names the department that was: that is a change of the catalogue, and its clock runs.
"""

from __future__ import annotations

from django.db.models import F, Value
from django.db.models.functions import Concat

from hutong.control.catalogue import changes, systems
from hutong.control.catalogue.models import InformationSystem, Resource
from hutong.control.identity.rules import Actor
from hutong.control.organisations.models import Department
from hutong.control.organisations.succession import moves
from hutong.exchange.models import Source
from hutong.ledger.record import record


@moves("resources")
def move_resources(old: Department, new: Department, by: Actor) -> int:
    """Withdrawn ones too: their history belongs to whoever answers for it now."""
    # The ids first: rows that leave a query while it is read may hide others from it.
    ids = list(Resource.objects.filter(department=old).order_by("id").values_list("id", flat=True))
    for resource_id in ids:
        resource = Resource.objects.select_for_update().get(id=resource_id)
        resource.department = new
        systems.link(resource)
        changes.note(resource)
        resource.save()
        detail = {"from": old.code, "to": new.code}
        record("resource.inherited", f"resource:{resource.id}", by.username, detail)
    return len(ids)


@moves("sources")
def move_sources(old: Department, new: Department, _by: Actor) -> int:
    return Source.objects.filter(department=old.code).update(department=new.code)


@moves("information systems")
def move_systems(old: Department, new: Department, _by: Actor) -> int:
    """Before the resources, which then find them (`moves` go by name). A code that both have tells whose it was."""
    held = InformationSystem.objects.filter(department=old)
    taken = InformationSystem.objects.filter(department=new).values_list("code", flat=True)
    held.filter(code__in=list(taken)).update(code=Concat(F("code"), Value("-" + old.code[-6:])))
    return held.update(department=new)
