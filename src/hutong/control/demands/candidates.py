"""What could meet a wish: published resources of every member, and duties that nothing is published for yet."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from django.db.models import Count, QuerySet

from hutong.control.catalogue import dataset as datasets
from hutong.control.catalogue.dataset import EntryDocument
from hutong.control.catalogue.finding import LONGEST_QUERY, search
from hutong.control.catalogue.models import Entry, EntryTerm
from hutong.control.catalogue.terms import MOST_QUERY_TERMS, element_term, query_terms, terms, weighted_terms
from hutong.control.demands.models import Demand, Duty, DutyTerm
from hutong.control.demands.ranking import TITLE_WEIGHT, Candidate, Known, Wish, Wished, ranked
from hutong.control.demands.rules import CollectedAgain, enough_of
from hutong.control.standards.dictionary import dictionary
from hutong.control.statute import day
from hutong.control.statute import queries as statute

MOST = 12  # candidates shown; owner: control/demands
LOOKED_AT = 50  # of each kind, by each way of finding them
ITEM_WEIGHT = 2


def wish_of(demand: Demand) -> Wish:
    return wish(demand.title, demand.items, area_code=demand.area_code, update_cycle=demand.update_cycle)


def of(demand: Demand) -> tuple[Candidate, ...]:
    """What could meet a demand, without the duty that came from itself."""
    found = candidates(wish_of(demand), most=MOST + 1)
    own = set(Duty.objects.filter(demand_id=demand.id).values_list("id", flat=True))
    return tuple(one for one in found if one.known.id not in own)[:MOST]


def wish(title: str, items: Sequence[Mapping[str, Any]], *, area_code: str = "", update_cycle: str = "") -> Wish:
    """items   [{"words": ..., "element": code or ""}]"""
    text = " ".join([title, *(one.get("words", "") for one in items)])
    elements = wished(one["element"] for one in items if one.get("element"))
    return Wish(tuple(query_terms(text)), elements, area_code, update_cycle)


def wished(elements: Iterable[str]) -> tuple[Wished, ...]:
    """Data elements as they are called today, each once, in their order."""
    known = dictionary()
    current = dict.fromkeys(known.current(one) for one in elements if one)
    return tuple(Wished(known.known.name(one, "zh"), known.known.name(one, "en"), known.names(one)) for one in current)


def candidates(wish: Wish, *, most: int = MOST) -> tuple[Candidate, ...]:
    """The best matches first, each with its reasons."""
    return ranked(wish, [*_resources(wish), *_duties(wish)], most=most)


def in_catalogue(wish: Wish) -> Candidate | None:
    """A resource that is shared and has every data element wished, in the area wished."""
    found = ranked(wish, _resources(wish), most=MOST)
    return next((one for one in found if one.complete and one.known.attribute != "refused"), None)


def lead_sources(elements: Sequence[str], area_code: str = "", *, besides: str = "") -> tuple[Candidate, ...]:
    """The lead sources registered for these data elements (D809-19): what would be collected a second time.

    besides   a department's code: who asks is no other source
    One counts when it has enough of the elements (CollectedAgain), in an area that is not another one.
    """
    asked = Wish((), wished(elements), area_code)
    if not asked.elements:
        return ()
    held = lead_duties(asked.elements, besides=besides)
    found = ranked(asked, (known_duty(one) for one in held), most=MOST)
    enough = enough_of(len(asked.elements), statute.parameter(CollectedAgain, "share", day.today()))
    return tuple(
        one
        for one in found
        if sum(bool(element.names & one.known.elements) for element in asked.elements) >= enough
        and not any(reason.code == "area_other" for reason in one.reasons)
    )


def lead_duties(elements: tuple[Wished, ...], *, besides: str = "") -> QuerySet[Duty]:
    """The registrations as lead source that have any of these data elements, but not that department's."""
    ids = _duty_ids(Wish((), elements))
    return Duty.objects.filter(state="active", lead=True, id__in=ids).exclude(department_code=besides)


def duty_terms(duty: Duty) -> set[str]:
    """The terms a duty is found by."""
    texts = (duty.title_zh, duty.title_en, duty.words, duty.department_name, duty.department_name_en)
    return {term for text in texts for term in terms(text)} | {element_term(one) for one in duty.elements}


def known_duty(duty: Duty) -> Known:
    in_title = {term for text in (duty.title_zh, duty.title_en) for term in terms(text)}
    weights = {term: TITLE_WEIGHT if term in in_title else ITEM_WEIGHT for term in duty_terms(duty)}
    return Known(
        kind="duty",
        id=duty.id,
        origin=duty.origin,
        department_code=duty.department_code,
        department_name=duty.department_name,
        department_name_en=duty.department_name_en,
        title_zh=duty.title_zh,
        title_en=duty.title_en,
        elements=frozenset(duty.elements),
        weights=weights,
        area_code=duty.area_code,
        update_cycle=duty.update_cycle,
        lead=duty.lead,
    )


def known_resource(document: EntryDocument, *, lead: bool) -> Known:
    return Known(
        kind="resource",
        id=document.id,
        origin=document.origin,
        department_code=document.department_code,
        department_name=document.department_name,
        department_name_en=document.department_name_en,
        title_zh=document.title_zh,
        title_en=document.title_en,
        elements=frozenset(item.element for item in document.items if item.element and item.may_be_shared),
        weights=weighted_terms(document),
        area_code=document.area_code,
        update_cycle=document.update_cycle,
        lead=lead,
        attribute=document.attribute,
    )


def _resources(wish: Wish) -> Iterable[Known]:
    ids = set(_entries_with(wish.every_name))
    if text := " ".join(wish.terms[:MOST_QUERY_TERMS])[:LONGEST_QUERY]:
        ids |= {one.id for one in search(text, size=LOOKED_AT).entries}
    led = Duty.objects.filter(state="active", lead=True, resource_id__in=ids)
    leads = set(led.values_list("resource_id", flat=True))
    for entry in Entry.objects.filter(id__in=ids, state="published"):
        yield known_resource(datasets.read(entry.dataset), lead=entry.id in leads)


def _entries_with(elements: Iterable[str]) -> Iterable[str]:
    """Entries with the most of these data elements; among equals the newer."""
    wanted = [element_term(one) for one in elements]
    counted = EntryTerm.objects.filter(term__in=wanted).values("entry_id").annotate(found=Count("id"))
    return counted.order_by("-found", "-entry_id").values_list("entry_id", flat=True)[:LOOKED_AT]


def _duties(wish: Wish) -> Iterable[Known]:
    for one in Duty.objects.filter(state="active", resource_id="", id__in=_duty_ids(wish)):
        yield known_duty(one)


def _duty_ids(wish: Wish) -> list[str]:
    wanted = [*wish.terms, *(element_term(one) for one in sorted(wish.every_name))]
    counted = DutyTerm.objects.filter(term__in=wanted).values("duty_id").annotate(found=Count("id"))
    return list(counted.order_by("-found", "-duty_id").values_list("duty_id", flat=True)[:LOOKED_AT])
