"""Zones: proposed by one person, put in force by another, carried by the region's node to every member.

A zone that was carried here waits until a person of this node agrees: the region keeps the text of what members
signed, it does not command them. The message is signed by the region's node; only the keeper of the directory is heard.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime
from typing import Any

from django.db import transaction

from hutong.control.identity.rules import Action, Actor, check
from hutong.control.zones.models import Zone
from hutong.control.zones.rules import (
    ZoneIncomplete,
    ZoneKeptElsewhere,
    check_complete,
    check_may_decide,
    wrong_in,
)
from hutong.ledger.record import record
from hutong.node import work
from hutong.node.directory import keeper, others
from hutong.node.events import Event, on_event, post_event
from hutong.node.receiving import Peer
from hutong.node.settings import current
from hutong.vocabulary.canonical import canonical_digest
from hutong.vocabulary.errors import BadInput, NotFound, WrongState
from hutong.vocabulary.ids import is_id, new_id
from hutong.vocabulary.text import checked, shown

ZONE_EVENT = "zone.kept"


@transaction.atomic
def propose(
    by: Actor,
    *,
    name_zh: str,
    members: Sequence[str],
    reference: str,
    valid_from: date | None,
    valid_to: date | None = None,
    name_en: str = "",
) -> Zone:
    """Describe a zone; it has no effect until somebody else puts it in force.

    members    jurisdictions, as the directory names them
    valid_to   the last day, None for no end
    raises     NotAllowed, ZoneIncomplete
    """
    check(by, Action.KEEP_ZONE)
    first = check_complete(name_zh, members, reference, valid_from, valid_to)
    zone = Zone.objects.create(
        id=new_id(),
        origin=current().jurisdiction,
        name_zh=checked("name_zh", name_zh, limit=200, required=True),
        name_en=checked("name_en", name_en, limit=200),
        members=list(members),
        reference=checked("reference", reference, limit=300, required=True),
        valid_from=first,
        valid_to=valid_to,
        state="proposed",
        proposed_by=by.username,
    )
    record("zone.proposed", f"zone:{zone.id}", by.username, _said(zone))
    return zone


@transaction.atomic
def change_members(by: Actor, zone_id: str, members: Sequence[str], reference: str) -> Zone:
    """Give a zone we keep other members, as they signed it; another person confirms it before it holds again.

    A change that is not confirmed is corrected by another one: turning it down ends the zone.

    raises   NotAllowed, NotFound, WrongState, ZoneKeptElsewhere, ZoneIncomplete
    """
    check(by, Action.KEEP_ZONE)
    zone = _held(zone_id, "in_force", "proposed")
    if zone.origin != current().jurisdiction:
        raise ZoneKeptElsewhere(keeper=zone.origin)
    check_complete(zone.name_zh, members, reference, zone.valid_from, zone.valid_to)
    zone.members, zone.version = list(members), zone.version + 1
    zone.reference = checked("reference", reference, limit=300, required=True)
    zone.state, zone.proposed_by, zone.decided_by, zone.decided_at = "proposed", by.username, "", None
    zone.save()
    record("zone.changed", f"zone:{zone.id}", by.username, _said(zone))
    return zone


@transaction.atomic
def put_in_force(by: Actor, zone_id: str) -> Zone:
    """Let a proposed zone take effect here; on the region's node it is sent to every member, too.

    raises   NotAllowed, NotFound, WrongState, OwnZone
    """
    check(by, Action.KEEP_ZONE)
    zone = _held(zone_id, "proposed")
    check_may_decide(by.username, zone.proposed_by)
    _decide(zone, by, "in_force")
    record("zone.in_force", f"zone:{zone.id}", by.username, _said(zone), commitment=_commitment(zone))
    _carry(zone)
    return zone


@transaction.atomic
def end(by: Actor, zone_id: str, reason: str) -> Zone:
    """End a zone, or turn a proposed one down. What was agreed under it stays agreed.

    raises   NotAllowed, NotFound, WrongState, TextMissing
    """
    check(by, Action.KEEP_ZONE)
    zone = _held(zone_id, "proposed", "in_force")
    told = checked("reason", reason, limit=2000, required=True)
    zone.version += zone.origin == current().jurisdiction
    _decide(zone, by, "ended")
    record("zone.ended", f"zone:{zone.id}", by.username, {**_said(zone), "reason": told}, commitment=_commitment(zone))
    _carry(zone)
    return zone


@on_event(ZONE_EVENT)
def take(peer: Peer, event: Event) -> None:
    """A zone the region keeps has arrived: it waits for a person here. One that ended there ends here at once."""
    if peer.jurisdiction != keeper():
        raise BadInput(reason="only the keeper of the directory sends zones", reason_zh="示范区只由名录管理节点下发")
    said = _read(event.data)
    present = Zone.objects.select_for_update().filter(id=said["id"]).first()
    if present is not None and (present.origin != peer.jurisdiction or present.version >= said["version"]):
        return
    ended = said.pop("state") == "ended"
    sender = f"node:{peer.jurisdiction}"
    given = {**said, "origin": peer.jurisdiction, "proposed_by": sender, "decided_by": "", "decided_at": None}
    given["state"] = "ended" if ended else "proposed"
    zone, _ = Zone.objects.update_or_create(id=said["id"], defaults=given)
    record("zone.ended" if ended else "zone.proposed", f"zone:{zone.id}", sender, _said(zone))


def _held(zone_id: str, *possible: str) -> Zone:
    zone = Zone.objects.select_for_update().filter(id=zone_id).first()
    if zone is None:
        raise NotFound(what="zone", what_zh="示范区", name=shown(zone_id))
    if zone.state not in possible:
        raise WrongState(what="zone", what_zh="示范区", state=zone.state, possible=list(possible))
    return zone


def _decide(zone: Zone, by: Actor, state: str) -> None:
    zone.state, zone.decided_by, zone.decided_at = state, by.username, datetime.now(UTC)
    zone.save()
    work.wake_on_commit("offerings")  # who joins is offered what the others have, who leaves loses it


def _carry(zone: Zone) -> None:
    """The region's own zones go to every member, who each decide for themselves."""
    if not current().keeps_directory or zone.origin != current().jurisdiction:
        return
    for member in others():
        post_event(member.jurisdiction, ZONE_EVENT, zone.id, _document(zone))


def _document(zone: Zone) -> dict[str, Any]:
    plain = {name: getattr(zone, name) for name in ("id", "version", "state", "name_zh", "name_en", "reference")}
    days = {"valid_from": zone.valid_from.isoformat(), "valid_to": zone.valid_to and zone.valid_to.isoformat()}
    return {**plain, **days, "members": zone.members}


def _said(zone: Zone) -> dict[str, Any]:
    return {**_document(zone), "origin": zone.origin}


def _commitment(zone: Zone) -> dict[str, Any]:
    return {"zone": zone.id, "zone_digest": canonical_digest(_document(zone))}


def _read(data: dict[str, Any]) -> dict[str, Any]:
    """A zone from the wire, every field checked. raises   ZoneIncomplete, BadInput, WrongText"""
    version, members = data.get("version"), data.get("members")
    if not is_id(str(data.get("id"))) or type(version) is not int or version < 1 or not isinstance(members, list):
        raise BadInput(reason="a zone has an id, a version and members", reason_zh="示范区应有编号、版本和成员")
    try:
        first = date.fromisoformat(str(data.get("valid_from")))
        last = date.fromisoformat(str(data["valid_to"])) if data.get("valid_to") else None
    except ValueError:
        raise ZoneIncomplete(missing=wrong_in("x", ["x", "y"], "x", None, None)) from None
    texts = {
        name: checked(name, data.get(name, ""), limit=limit)
        for name, limit in (("name_zh", 200), ("name_en", 200), ("reference", 300), ("state", 10))
    }
    check_complete(texts["name_zh"], members, texts["reference"], first, last)
    return {**texts, "id": data["id"], "version": version, "members": members, "valid_from": first, "valid_to": last}
