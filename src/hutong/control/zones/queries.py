"""Reads of zones."""

from __future__ import annotations

from datetime import date

from django.db.models import Q

from hutong.control.zones.models import Zone
from hutong.vocabulary.errors import NotFound
from hutong.vocabulary.text import shown


def zone(zone_id: str) -> Zone:
    """raises   NotFound"""
    found = Zone.objects.filter(id=zone_id).first()
    if found is None:
        raise NotFound(what="zone", what_zh="示范区", name=shown(zone_id))
    return found


def zones() -> list[Zone]:
    """Every zone known here, those that wait for a decision first, then the newest."""
    order = {"proposed": 0, "in_force": 1, "ended": 2}
    return sorted(Zone.objects.order_by("-created_at"), key=lambda one: order.get(one.state, 3))


def shared_by(one: str, other: str, on: date) -> Zone | None:
    """The zone in force on that day that both jurisdictions belong to, the oldest where there are several.

    A member is the jurisdiction that is named, and nothing below it: who signed is who is bound.
    """
    valid = Zone.objects.filter(state="in_force", valid_from__lte=on)
    for found in valid.filter(Q(valid_to__isnull=True) | Q(valid_to__gte=on)).order_by("created_at", "id"):
        if one in found.members and other in found.members:
            return found
    return None
