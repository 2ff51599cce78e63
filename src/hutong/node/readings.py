"""What the node itself is looked at for: queues, disk, directory, the ledger and its witnesses."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from datetime import UTC, datetime
from importlib.metadata import version

from hutong.node.metrics import Reading
from hutong.node.settings import Settings


def node(settings: Settings) -> Iterator[Reading]:
    from hutong.node import directory
    from hutong.node.models import InboxMessage, Member, OutboxMessage

    now = datetime.now(UTC)
    running = {"jurisdiction": settings.jurisdiction, "version": version("hutong")}
    yield Reading("hutong_node", 1, "The node and its version.", running)
    said = "Messages to other nodes that are not delivered, by state."
    open_ones = OutboxMessage.objects.filter(delivered_at=None)
    states = {
        "waiting": open_ones.filter(failed_at=None, attempts=0).count(),
        "retried": open_ones.filter(failed_at=None, attempts__gt=0).count(),
        "given_up": open_ones.exclude(failed_at=None).count(),
    }
    for state, count in states.items():
        yield Reading("hutong_outbox_messages", count, said, {"state": state})
    oldest = open_ones.filter(failed_at=None).order_by("id").values_list("created_at", flat=True).first()
    age_s = (now - oldest).total_seconds() if oldest else 0.0
    yield Reading("hutong_outbox_oldest_seconds", age_s, "Age of the oldest message that waits to be delivered.")
    yield Reading("hutong_inbox_messages", InboxMessage.objects.count(), "Messages acted on and still remembered.")
    copy = directory.copy()
    yield Reading("hutong_directory_version", copy.version if copy else 0, "Version of the directory of members.")
    if copy and not settings.keeps_directory:
        taken_s = (now - copy.fetched_at).total_seconds()
        yield Reading("hutong_directory_age_seconds", taken_s, "Since the directory was last taken over.")
    yield Reading("hutong_members", Member.objects.count(), "Members of the region.")
    usage = shutil.disk_usage(settings.home)
    yield Reading("hutong_disk_free_bytes", usage.free, "Free where the node's folder lies.")
    yield Reading("hutong_disk_size_bytes", usage.total, "Size of what the node's folder lies on.")


def ledger(settings: Settings) -> Iterator[Reading]:
    """raises BadNote when the log's own files cannot be read"""
    from hutong.ledger import checkpoint as checkpoints
    from hutong.ledger.entries import signed_size
    from hutong.ledger.models import ForkEvidence, LedgerEntry
    from hutong.ledger.shelf import Shelf

    now = datetime.now(UTC)
    size = signed_size(settings.ledger_folder)
    yield Reading("hutong_ledger_entries", size, "Entries under the newest checkpoint.")
    waiting = LedgerEntry.objects.filter(leaf_index=None)
    yield Reading("hutong_sequencer_waiting", waiting.count(), "Entries on record that have no place in the log yet.")
    oldest = waiting.order_by("id").values_list("created_at", flat=True).first()
    lag_s = (now - oldest).total_seconds() if oldest else 0.0
    yield Reading("hutong_sequencer_lag_seconds", lag_s, "Age of the oldest entry without a place.")
    yield Reading("hutong_ledger_forks", ForkEvidence.objects.count(), "Logs caught with two histories.")
    witnessed = Shelf(settings.ledger_folder).witnessed()
    if witnessed is None:
        return
    behind = size - checkpoints.parse(witnessed.text).size
    yield Reading("hutong_witness_behind_entries", behind, "Entries that no witness has cosigned yet.")
    names = {key.id: key.name for key in Shelf(settings.ledger_folder).witness_keys()}
    said = "Since that witness last cosigned our log."
    for signature in witnessed.signatures:
        if signature.key_id in names:
            age_s = now.timestamp() - signature.time
            yield Reading("hutong_witness_age_seconds", age_s, said, {"witness": names[signature.key_id]})
