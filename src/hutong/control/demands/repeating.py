"""Data collected a second time: decided when a data set is published and when a demand is signed off, and kept.

Decree 809 article 19: what sharing gives is not collected again. The decision refuses nothing; whoever acts was shown
the lead source before (`candidates.lead_sources`), and supervision counts what was done all the same (article 40).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from hutong.control.catalogue import dataset as datasets
from hutong.control.catalogue.models import Attribute, Entry, Item, Resource
from hutong.control.catalogue.terms import element_term
from hutong.control.demands import candidates
from hutong.control.demands.models import Demand, Duty
from hutong.control.demands.rules import CollectedAgain, enough_of
from hutong.control.standards.dictionary import Dictionary, dictionary
from hutong.control.statute.decisions import Facts, Law, Outcome, decide, decider
from hutong.control.statute.models import Decision
from hutong.node.settings import current
from hutong.vocabulary.areas import area_of, within

COLLECTS = "demand.collects"
Office = tuple[str, str]  # jurisdiction, department


@decider(COLLECTS)
def collects(facts: Facts, law: Law) -> Outcome:
    """D809-19. Again, where one lead source shares enough of the data elements for the whole area."""
    enough = enough_of(len(facts["elements"]), law.parameter(CollectedAgain, "share"))
    leads = [one for one in facts["sources"] if len(one["has"]) >= enough and within(facts["area"], one["area"])]
    return {"again": bool(leads), "duties": [one["duty"] for one in leads]}


def collected(items: Iterable[Item]) -> list[str]:
    """The data elements a description collects; a key says whose row it is, and every source has it."""
    return [item.element for item in items if item.element and not item.key]


def published(resource: Resource, items: Sequence[Item]) -> None:
    """Decide over a data set as it is published, in the caller's transaction. A new version that has the same data
    elements, department and area collects nothing anew."""
    facts = _facts(resource.department_id, collected(items), resource.area_code)
    subject = f"resource:{resource.id}"
    before = Decision.objects.filter(name=COLLECTS, subject=subject).order_by("-made_at", "-id").first()
    if facts["elements"] and (before is None or _of(before.facts) != _of(facts)):
        decide(COLLECTS, subject, facts)


def wished(demand: Demand) -> None:
    """Decide over a demand of ours as its head signs it, in the caller's transaction."""
    facts = _facts(demand.department_code, demand.elements, demand.area_code)
    if facts["elements"]:
        decide(COLLECTS, demand.subject, facts)


def _of(facts: Mapping[str, Any]) -> tuple[set[str], str, str]:
    known = dictionary()
    return {known.current(one) for one in facts["elements"]}, facts["department"], facts["area"]


def _facts(department: str, elements: Iterable[str], area_code: str) -> dict[str, Any]:
    """What the department is itself the lead source of, it does not collect again."""
    known, here = dictionary(), current().jurisdiction
    own = Duty.objects.filter(origin=here, department_code=department, state="active", lead=True)
    own_names = {known.current(name) for one in own.values_list("elements", flat=True) for name in one}
    asked = sorted({known.current(one) for one in elements if one} - own_names)
    return {
        "department": department,
        "area": area_code or area_of(here),
        "elements": asked,
        "sources": _sources(asked, known, department),
    }


def _sources(asked: Sequence[str], known: Dictionary, department: str) -> list[dict[str, Any]]:
    """The lead sources among the other departments that share some of these elements, in the order of their ids."""
    leads = list(candidates.lead_duties(candidates.wished(asked), besides=department).order_by("id"))
    names = {element: known.names(element) for element in asked}
    shared = _shared(leads, {element_term(name) for every in names.values() for name in every})
    found = []
    for one in leads:
        offered, held = shared[one.origin, one.department_code], frozenset(one.elements)
        if has := [element for element in asked if names[element] & offered and names[element] & held]:
            area = one.area_code or area_of(one.origin)
            found.append({"duty": one.id, "department": one.department_code, "area": area, "has": has})
    return found


def _shared(leads: Iterable[Duty], terms: set[str]) -> Mapping[Office, set[str]]:
    """What each lead source publishes as shared: in the entry linked to its duty, else in any of its own."""
    linked = {one.resource_id for one in leads if one.resource_id}
    offices = {(one.origin, one.department_code) for one in leads if not one.resource_id}
    shared = Entry.objects.filter(state="published").exclude(attribute=Attribute.REFUSED)
    found = {one.id: one for one in shared.filter(id__in=linked)}
    for origin, department in sorted(offices):
        own = shared.filter(origin=origin, department_code=department, terms__term__in=terms)
        found |= {one.id: one for one in own.distinct()[: candidates.LOOKED_AT]}
    elements: dict[Office, set[str]] = defaultdict(set)
    for one in found.values():
        items = datasets.read(one.dataset).items
        elements[one.origin, one.department_code] |= {i.element for i in items if i.element and i.may_be_shared}
    return elements
