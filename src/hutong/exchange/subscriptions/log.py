"""Batches of changes in the database, at either side: compressed, sealed with the node's key, read by position."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

import pyarrow as pa
from django.db.models import Max

from hutong.exchange.database import reading
from hutong.exchange.models import ChangeBatch
from hutong.ledger.record import record
from hutong.node.keys import seal, unseal
from hutong.vocabulary.canonical import digest

CODEC: Final = "zstd"
KEPT = timedelta(days=7)  # how long what was acknowledged, or taken, can be asked for again; owner: the node
_AFTER = (
    "SELECT exchange_id, first, last, size, digest, sealed FROM exchange_change_batch"
    " WHERE agreement_id = %s AND role = %s AND last > %s ORDER BY first LIMIT %s"
)
_OLDEST = "SELECT MIN(first) FROM exchange_change_batch WHERE agreement_id = %s AND role = %s"


@dataclass(frozen=True)
class Kept:
    """One batch."""

    exchange: str
    first: int
    last: int
    digest: str
    body: bytes


def row(
    role: str, agreement: str, exchange: str, body: bytes, *, places: tuple[int, int], at: datetime
) -> dict[str, Any]:
    """The columns of one batch."""
    return {
        "exchange_id": exchange,
        "role": role,
        "agreement_id": agreement,
        "first": places[0],
        "last": places[1],
        "size": len(body),
        "digest": digest(body),
        "sealed": seal(pa.compress(body, codec=CODEC, asbytes=True)),
        "at": at,
    }


def after(agreement: str, role: str, position: int, most: int = 1) -> Iterator[Kept]:
    """The batches with anything after a position, in order. From a worker thread."""
    with reading("the log of changes") as cursor:
        cursor.execute(_AFTER, (agreement, role, position, most))
        found = cursor.fetchall()
    for exchange, first, last, size, named, sealed in found:
        body = pa.decompress(unseal(bytes(sealed)), decompressed_size=size, codec=CODEC, asbytes=True)
        yield Kept(exchange, first, last, named, body)


def oldest(agreement: str, role: str) -> int | None:
    """The first position that is kept; None where nothing is. From a worker thread."""
    with reading("the log of changes") as cursor:
        cursor.execute(_OLDEST, (agreement, role))
        found: int | None = cursor.fetchone()[0]
    return found


def forget(agreement: str, role: str, *, until: int, now: datetime) -> None:
    """Remove what both lies at or before a position and is older than KEPT, with a record of it."""
    old = ChangeBatch.objects.filter(agreement_id=agreement, role=role, last__lte=until, at__lt=now - KEPT)
    through = old.aggregate(last=Max("last"))["last"]
    if through is not None:
        old.delete()
        detail = {"role": role, "through": through, "kept_days": KEPT.days}
        record("subscription.forgotten", f"agreement:{agreement}", "rule:D809-22", detail)


def drop(agreement: str, role: str) -> int:
    """Remove everything, because the agreement is over. returns how many batches"""
    removed, _ = ChangeBatch.objects.filter(agreement_id=agreement, role=role).delete()
    return removed
