"""Reading the standards in force."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date, datetime
from typing import Any

from django.db.models import Q, QuerySet

from hutong.control.standards.models import Definition, DefinitionRow, ItemCodes
from hutong.control.standards.proposals import Proposal, Row
from hutong.control.standards.rules import NotTheKeepers
from hutong.control.statute.day import today
from hutong.node.settings import current
from hutong.vocabulary.errors import NotFound

APPROVED = "approved"


def versions(kind: str = "", name: str = "") -> QuerySet[Definition]:
    """Every version there is, the newest first."""
    rows = Definition.objects.exclude(state="arriving").order_by("kind", "name", "-version")
    rows = rows.filter(kind=kind) if kind else rows
    return rows.filter(name=name) if name else rows


def waiting() -> QuerySet[Definition]:
    """Versions somebody must decide on, the oldest first."""
    return Definition.objects.filter(state="proposed").order_by("proposed_at", "id")


def version(identifier: str) -> Definition:
    """raises   NotFound"""
    found = Definition.objects.filter(id=identifier).first()
    if found is None:
        raise NotFound(what="definition", what_zh="定义", name=identifier[:36])
    return found


def check_ours(kind: str, name: str) -> None:
    """S-3. A name that the region's node defines is not defined here too. raises   NotTheKeepers"""
    if Definition.objects.filter(kind=kind, name=name).exclude(origin=current().jurisdiction).exists():
        raise NotTheKeepers(name=name)


def in_force(kind: str, name: str, on: date | None = None) -> Definition | None:
    """The newest approved version that holds on a day; the region's before one of our own of the same name."""
    found = holding(Definition.objects.filter(kind=kind, name=name, state=APPROVED), on or today())
    return found[0] if found else None


def all_in_force(kind: str, on: date | None = None) -> list[Definition]:
    """What holds on a day, one version of each, by name."""
    return holding(Definition.objects.filter(kind=kind, state=APPROVED), on or today())


def holding(approved: Iterable[Definition], day: date) -> list[Definition]:
    """Of approved versions of one kind those that hold on a day, one of each name, by name.

    A later version of the same first day says the same span anew: where it has a last day that is past, the name ends.
    """
    here = current().jurisdiction
    best: dict[str, Definition] = {}
    ended: set[tuple[str, str, date | None]] = set()
    for one in sorted(approved, key=lambda one: (one.origin == here, -one.version)):
        span = (one.name, one.origin, one.valid_from)
        if one.valid_to is not None and one.valid_to < day:
            ended.add(span)
        elif (one.valid_from is None or one.valid_from <= day) and span not in ended:
            best.setdefault(one.name, one)
    return [best[name] for name in sorted(best)]


def codes_of(table: Definition, on: date | None = None) -> list[DefinitionRow]:
    """A table's codes that hold on a day, in their order."""
    day = on or today()
    return list(table.rows.filter(Q(valid_from=None) | Q(valid_from__lte=day), Q(valid_to=None) | Q(valid_to__gte=day)))


def known_codes(name: str, on: date | None = None) -> frozenset[str] | None:
    """The codes of a table in force; None where this node has no such table."""
    table = in_force("table", name, on)
    return None if table is None else frozenset(one.code for one in codes_of(table, on))


def pairs_of(code_map: Definition) -> dict[str, str]:
    """A map's local codes, each with its regional one."""
    return dict(code_map.rows.values_list("code", "target"))


def proposal_of(one: Definition) -> Proposal:
    """A stored version as it was proposed: what its digest is of."""
    rows = one.rows.values_list("code", "title_zh", "title_en", "target", "valid_from", "valid_to")
    return Proposal(
        kind=one.kind,
        name=one.name,
        title_zh=one.title_zh,
        title_en=one.title_en,
        document=one.document,
        rows=[Row(*row) for row in rows],
        valid_from=one.valid_from,
        valid_to=one.valid_to,
    )


def conversions(resource_id: str, made_at: datetime | None, *, published_anew: bool = False) -> dict[str, str]:
    """The items of a resource that leave in regional codes under an agreement made then, each with its map's id.

    made_at          None for one that would be made now
    published_anew   for one that would be made after the next publication
    """
    rows = ItemCodes.objects.filter(resource_id=resource_id)
    rows = rows if published_anew else rows.filter(offered_at__isnull=False)
    rows = rows if made_at is None else rows.filter(offered_at__lte=made_at)
    found = {one.item: newest_map(one.map_name) for one in rows}
    return {item: map_id(one) for item, one in found.items() if one is not None}


def offered_codes(resource_id: str) -> dict[str, str]:
    """By item, the region's table its values leave in, as the catalogue says it from the next publication on."""
    rows = ItemCodes.objects.filter(resource_id=resource_id)
    found = {one.item: newest_map(one.map_name) for one in rows}
    return {item: str(one.document["table"]) for item, one in found.items() if one is not None}


def newest_map(name: str) -> Definition | None:
    """The newest approved version of one of our code maps."""
    rows = Definition.objects.filter(kind="map", name=name, origin=current().jurisdiction, state=APPROVED)
    return rows.order_by("-version").first()


def map_id(one: Definition) -> str:
    """A version of a map as grants name it."""
    return f"{one.name}@{one.version}"


def describe(one: Definition) -> Mapping[str, Any]:
    """For commands."""
    return {
        "id": one.id,
        "kind": one.kind,
        "name": one.name,
        "version": one.version,
        "state": one.state,
        "title_zh": one.title_zh,
        "origin": one.origin,
        "codes": one.row_count,
    }
