"""Whether a resource has the data elements of a demand: a decision that keeps the versions it was made with."""

from __future__ import annotations

from collections.abc import Iterable

from hutong.control.demands.models import Demand
from hutong.control.demands.rules import NotFulfilled
from hutong.control.standards.dictionary import dictionary
from hutong.control.statute.decisions import Facts, Law, Outcome, decide, decider

FULFILS = "demand.fulfils"


@decider(FULFILS)
def fulfils(facts: Facts, law: Law) -> Outcome:
    """SHDR-39. An element is there by its name of today, or by that of an element it took the place of."""
    law.applied(NotFulfilled)
    offered = set(facts["offered"])
    return {"lacking": [one["element"] for one in facts["wished"] if not offered & set(one["names"])]}


def check_fulfils(demand: Demand, resource_id: str, offered: Iterable[str]) -> None:
    """offered   the data elements of the items that may be shared, as persons mapped them

    raises   NotFulfilled naming the data elements the resource lacks
    """
    known = dictionary()
    wished = {
        one["element"]: {
            "element": one["element"],
            "version": one.get("version", 0),
            "names": sorted(known.names(one["element"])),
            "version_now": known.version(known.current(one["element"])),
        }
        for one in demand.items
        if one["element"]
    }
    facts = {
        "resource": resource_id,
        "wished": list(wished.values()),
        "offered": sorted({one for one in offered if one}),
    }
    if lacking := decide(FULFILS, demand.subject, facts)["lacking"]:
        raise NotFulfilled(elements=lacking)
