"""Who belongs to an offering's area at this moment, and what the area is called."""

from __future__ import annotations

from datetime import date

from hutong.control.agreements.offered import AREAS, CENTRAL
from hutong.control.offerings.models import Offering
from hutong.control.offerings.rules import NoSuchArea
from hutong.control.organisations import tree
from hutong.control.statute import day
from hutong.control.zones.models import Zone
from hutong.node import directory
from hutong.node.settings import current


def members(offering: Offering) -> list[str] | None:
    """Jurisdictions that have a part in the offering today, without ourselves; [] where it is in force for nobody.

    None while nobody can say: the zone's new members wait for a person to confirm them. Then nobody joins or leaves.
    """
    if offering.state != "in_force":
        return []
    present = [one.jurisdiction for one in directory.others()]
    if offering.area == "members":
        return present
    if offering.area == CENTRAL:
        return [one for one in present if one == offering.target]
    zone = Zone.objects.filter(id=offering.target).first()
    if zone is not None and zone.state == "proposed":
        return None
    bound = zone.members if zone is not None and _holds(zone, day.today()) else []
    return [one for one in present if one in bound]


def names(area: str, target: str) -> tuple[str, str]:
    """What the area is called, in Chinese and English."""
    zone = Zone.objects.filter(id=target).first() if area == "zone" else None
    if zone is not None:
        return zone.name_zh, zone.name_en or zone.name_zh
    return AREAS[area].zh, AREAS[area].en


def check(area: str, target: str) -> None:
    """Z-5. raises   NoSuchArea"""
    if area == "zone":
        zone = Zone.objects.filter(id=target).first()
        good = zone is not None and _holds(zone, day.today())
    elif area == CENTRAL:
        good = target in above()
    else:
        good = area == "members" and not target
    if not good:
        raise NoSuchArea(what=(target or area)[:80] or "-")


def above() -> list[str]:
    """Members that may hold a warehouse for us: our superiors, and the region's node."""
    us = current().jurisdiction
    higher = {*tree.tree().path_to_root(us), directory.keeper()} - {us}
    return [one.jurisdiction for one in directory.others() if one.jurisdiction in higher]


def _holds(zone: Zone, on: date) -> bool:
    in_time = zone.valid_from <= on and (zone.valid_to is None or zone.valid_to >= on)
    return zone.state == "in_force" and in_time and current().jurisdiction in zone.members
