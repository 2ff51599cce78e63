"""Writing to the ledger: an audit record for people and a leaf for proof, in the caller's transaction."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import Any

from django.db import DEFAULT_DB_ALIAS, connections, transaction

from hutong.ledger.frontier import EntryTooLarge
from hutong.ledger.models import AuditRecord
from hutong.ledger.table import Table
from hutong.ledger.tiles import LARGEST_ENTRY
from hutong.vocabulary.canonical import canonical_bytes, canonical_digest, digest
from hutong.vocabulary.moments import rfc3339

ENTRY_VERSION = 1
_ENTRIES = Table("ledger_entry", ("kind", "entry", "created_at", "leaf_index"))
OWN_KEYS = frozenset({"v", "kind", "subject", "at", "detail"})


def record(
    kind: str,
    subject: str,
    actor: str,
    detail: dict[str, Any],
    *,
    commitment: dict[str, Any] | None = None,
) -> str:
    """Record who did what to what. MUST be called inside the transaction that does it.

    kind         "agreement.signed", "resource.published" ...; at most 64 characters
    subject      "resource:<id>", "agreement:<id>" ...
    actor        an account's name, "rule:D809-21" or "node:<jurisdiction>"; stays here, never in the log
    detail       for people; only its digest goes into the log. Never a row's value
    commitment   further members of the log's leaf: ids, digests, counts. Never personal data
    returns      the digest of the ledger entry, "sha256:..."
    raises       RuntimeError outside a transaction, ValueError for what has no canonical JSON, EntryTooLarge
    """
    if not transaction.get_connection().in_atomic_block:
        raise RuntimeError("a record belongs inside the transaction that makes it true")
    at = datetime.now(UTC)
    own = {"v": ENTRY_VERSION, "kind": kind, "subject": subject, "at": rfc3339(at), "detail": canonical_digest(detail)}
    if taken := OWN_KEYS & set(commitment or {}):
        raise ValueError(f"a commitment may not replace {', '.join(sorted(taken))}")
    entry = canonical_bytes({**own, **(commitment or {})})
    entry_digest = digest(entry)
    AuditRecord.objects.create(at=at, kind=kind, subject=subject, actor=actor, detail=detail, entry_digest=entry_digest)
    enter([(kind, entry)])
    return entry_digest


def enter(entries: Sequence[tuple[str, bytes]], *, using: str = DEFAULT_DB_ALIAS) -> None:
    """Insert (kind, leaf) rows without the ORM, for writers of many.

    On SQLite an entry gets its place here: a transaction that writes is the only one there, so counting on from
    the last place leaves no gap, and the sequencer need not write every row a second time (a third of its time
    when measured). On PostgreSQL transactions run side by side, and the sequencer gives the places.

    raises   RuntimeError outside a transaction, EntryTooLarge
    """
    connection = connections[using]
    if not connection.in_atomic_block:
        raise RuntimeError("an entry belongs inside the transaction that makes it true")
    if (largest := max((len(entry) for _, entry in entries), default=0)) > LARGEST_ENTRY:
        raise EntryTooLarge(size=largest, limit=LARGEST_ENTRY)
    now = connection.ops.adapt_datetimefield_value(datetime.now(UTC))
    with connection.cursor() as cursor:
        places: Iterable[int | None] = itertools.repeat(None)
        if connection.vendor == "sqlite" and entries:
            cursor.execute("SELECT COALESCE(MAX(leaf_index), -1) + 1 FROM ledger_entry")
            places = itertools.count(cursor.fetchone()[0])
        rows = [(kind, entry, now, place) for (kind, entry), place in zip(entries, places, strict=False)]
        _ENTRIES.insert(cursor, rows)
