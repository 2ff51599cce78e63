"""Stale or not: what a source's last change says against the update cycle its department promised.

Nothing is guessed. A file says when it was written; a PostgreSQL table says that it changed, so that its age counts
from when we first saw it as it is; a view says nothing, and an irregular cycle promises nothing. A day, not a state,
is kept: a resource is stale from the day after `fresh_until`, without anybody looking.
"""

from __future__ import annotations

import logging
from datetime import UTC, datetime, timedelta

from django.db import transaction
from django.db.models import Q

from hutong.control.catalogue.models import Freshness, Resource, Watch
from hutong.control.catalogue.rules import MEASURED
from hutong.control.catalogue.sources import probe_source, spec_of, take_in_again
from hutong.control.statute.day import china_date
from hutong.control.statute.decisions import decide
from hutong.exchange.models import Source
from hutong.exchange.sources import LastChange, last_change
from hutong.vocabulary.errors import Refused

LOOK_EVERY_S = 300.0
LOOK_AGAIN = timedelta(hours=6)  # at one source; owner: this module
MOST_A_ROUND = 500

log = logging.getLogger(__name__)


def look(source_id: str) -> Watch | None:
    """Ask one source whether it answers and when it last changed; decide anew what that means for its resources.

    returns   None where the source does not answer; what was known of it stays
    """
    source = Source.objects.get(id=source_id)
    probe_source(source)
    try:
        found = last_change(spec_of(source))
        if source.kind == "csv_folder" and Watch.objects.filter(source=source).exclude(mark=found.mark).exists():
            take_in_again(source, "node")  # files came or went; where that fails it is tried at the next look
    except Refused as refused:
        log.info("source %s does not say when it changed: %s", source.id, refused.code)
        Watch.objects.filter(source=source).update(looked_at=datetime.now(UTC))
        return None
    with transaction.atomic():
        watch = _kept(source, found)
        published = Resource.objects.filter(source=source, state="published").order_by("id")
        for resource in published:
            settle(resource, watch)
    return watch


def settle(resource: Resource, watch: Watch | None = None) -> Freshness:
    """Keep until when a published resource is fresh. Decided, and recorded as a decision, when the facts are new."""
    if watch is None and resource.source_id is not None:
        watch = Watch.objects.filter(source=resource.source_id).first()
    moment = (watch.changed_at or (watch.since if watch.mark else None)) if watch else None
    changed_on = china_date(moment) if moment else None
    kept = Freshness.objects.filter(resource=resource).first()
    if kept is not None and (kept.cycle, kept.changed_on) == (resource.update_cycle, changed_on):
        return kept
    fresh_until = None
    if changed_on is not None and resource.update_cycle in MEASURED:
        facts = {"cycle": MEASURED[resource.update_cycle], "changed_on": changed_on.isoformat()}
        said = decide("catalogue.freshness", f"resource:{resource.id}", facts)["fresh_until"]
        fresh_until = datetime.fromisoformat(said).date() if said else None
    values = {"cycle": resource.update_cycle, "changed_on": changed_on, "fresh_until": fresh_until}
    return Freshness.objects.update_or_create(resource=resource, defaults=values)[0]


def due(now: datetime | None = None) -> list[str]:
    """Sources of published resources that were not looked at for a while, the longest first."""
    moment = now or datetime.now(UTC)
    filled = Q(kind="csv_folder", watch__looked_at__lt=moment - timedelta(seconds=LOOK_EVERY_S))
    late = Q(watch=None) | Q(watch__looked_at__lt=moment - LOOK_AGAIN) | filled
    found = Source.objects.filter(resources__state="published").filter(late)
    ids = found.order_by("watch__looked_at", "id").values_list("id", flat=True)
    return list(dict.fromkeys(ids[: MOST_A_ROUND * 4]))[:MOST_A_ROUND]


def look_at_drifted() -> None:
    """Look again at every source that was found changed: woken by whoever found it, and until it is put right."""
    for source_id in Source.objects.exclude(drifted_at=None).order_by("drifted_at").values_list("id", flat=True):
        look(source_id)


def look_around() -> None:
    """Look at every source that is due."""
    for source_id in due():
        look(source_id)


def _kept(source: Source, found: LastChange) -> Watch:
    now = datetime.now(UTC)
    watch = Watch.objects.select_for_update().filter(source=source).first()
    if watch is None:
        watch = Watch(source=source, mark=found.mark, since=now, changed_at=found.at)
    elif watch.mark != found.mark:
        watch.mark, watch.since, watch.changed_at = found.mark, now, found.at or now
    watch.looked_at = now
    watch.save()
    return watch
