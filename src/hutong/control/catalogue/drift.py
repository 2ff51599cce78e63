"""A source that changed under a published description: flagged here, refused by the exchange, told to whom it concerns.

Two things are compared: what the source has now with what it was described with when it was last read, and that with
what was published. An item that was added differs from nothing. The exchange may find a change first, at a read: it
refuses at once and wakes the look, which comes here.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any

from django.db import transaction

from hutong.control.catalogue.models import Resource, ResourceDrift, Version
from hutong.control.catalogue.rules import SourceChanged, SourceRestored
from hutong.control.notices.actions import tell
from hutong.exchange.grants.book import DRIFT_WORK
from hutong.exchange.models import Source
from hutong.exchange.shaping.values import kind_named
from hutong.ledger.record import record

WORK = DRIFT_WORK
# Called with the resource, and the items that were and that are now concerned, in the transaction that flags it.
Listener = Callable[[Resource, Sequence[str], Sequence[str]], None]
_listeners: list[Listener] = []


def listens(listener: Listener) -> Listener:
    """Hear of every resource whose flag changes."""
    if listener not in _listeners:
        _listeners.append(listener)
    return listener


@transaction.atomic
def settle(source_id: str, changed: Sequence[str]) -> None:
    """Keep what is wrong with a source now, and flag, or unflag, the resources it concerns.

    changed   of the items in Source.schema, those that the source was just found to lack or to have otherwise
    """
    source = Source.objects.select_for_update().get(id=source_id)
    stored = {one["name"]: kind_named(one["type"]) for one in source.schema}
    said = {resource: _published(resource) for resource in _issued(source)} if stored else {}
    wrong = set(changed)
    for items in said.values():
        wrong |= {one["name"] for one in items if stored.get(one["name"]) != one["type"]}
    if sorted(wrong) != source.drift or bool(wrong) != bool(source.drifted_at):
        source.drift = sorted(wrong)
        source.drifted_at = (source.drifted_at or datetime.now(UTC)) if wrong else None
        source.save(update_fields=["drift", "drifted_at"])
    for resource, items in said.items():
        _flag(resource, [one["name"] for one in items if one["name"] in wrong])


def drifted_among(resources: Sequence[str]) -> set[str]:
    """Which of these ids are resources of ours whose source changed under them; one query."""
    return set(ResourceDrift.objects.filter(resource__in=list(resources)).values_list("resource_id", flat=True))


def _flag(resource: Resource, items: list[str]) -> None:
    kept = ResourceDrift.objects.filter(resource=resource).first()
    before = kept.items if kept else []
    if items == before:
        return
    if items:
        now = {"items": items, "found_at": datetime.now(UTC)}
        ResourceDrift.objects.update_or_create(resource=resource, defaults=now)
    else:
        ResourceDrift.objects.filter(resource=resource).delete()
    kind = "resource.source_changed" if items else "resource.source_restored"
    record(kind, f"resource:{resource.id}", "rule:CAT-2", {"items": items or before})
    title = {"title": resource.title_en or resource.title_zh, "title_zh": resource.title_zh or resource.title_en}
    sentence = SourceChanged(**title, items=items) if items else SourceRestored(**title)
    page = ("resource_edit", resource.id)
    tell(sentence, role="officer", department=resource.department_id, subject=f"resource:{resource.id}", page=page)
    for listener in _listeners:
        listener(resource, before, items)


def _issued(source: Source) -> list[Resource]:
    """Withdrawn ones too: agreements on them go on."""
    return list(Resource.objects.filter(source=source, state__in=("published", "withdrawn")).order_by("id"))


def _published(resource: Resource) -> list[dict[str, Any]]:
    """The items as they were last issued, not as somebody is describing them now."""
    newest = Version.objects.filter(resource=resource).order_by("-number").first()
    return list(newest.content["items"]) if newest else []
