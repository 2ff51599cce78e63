"""Changes as CloudEvents: one batch as it travels between nodes, and as an application takes it.

A batch is one JSON object, the same bytes on the wire, in both logs and under both receipts:

    {"exchange", "agreement", "purpose", "case", "first", "last", "events": [CloudEvent, ...]}

An event's `id` is the agreement's and its position's; `sequence` is the position; `subject` tells rows apart: events of
one subject are in order. `data` is the row as agreed and masked; of a deleted row, as it was last sent.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import orjson
import pyarrow as pa

from hutong.exchange.formats.encoding import json_columns
from hutong.exchange.query import is_agreement
from hutong.exchange.subscriptions.changes import CHANGE, KEY, RESET
from hutong.node.directory import participant_id
from hutong.vocabulary.errors import BadInput
from hutong.vocabulary.ids import uuid_of

TYPE = "hutong.row."  # inserted, updated, deleted, reset
EVENTS_PER_BATCH = 2_000
BYTES_PER_BATCH = 2 * 1024 * 1024  # owner: the wire; a batch with one row that is larger travels alone
SUBJECT_DIGITS = 32  # of the key's digest


class BadBatch(BadInput):
    """The batch of changes cannot be read: {reason}."""

    zh = "变更批次无法读取：{reason}。"
    code = "bad_batch"


@dataclass(frozen=True)
class Batch:
    """A batch of a subscription, read."""

    exchange: str
    agreement: str
    purpose: str
    case: str
    first: int
    last: int
    events: list[dict[str, Any]]


def bodies(rows: pa.RecordBatch, agreement: str, provider: str, first: int, at: str) -> Iterator[list[bytes]]:
    """The events of these changes, in lots that fit a batch."""
    lot: list[bytes] = []
    size = 0
    for one in _events(rows, agreement, provider, first, at):
        if lot and (len(lot) >= EVENTS_PER_BATCH or size + len(one) > BYTES_PER_BATCH):
            yield lot
            lot, size = [], 0
        lot.append(one)
        size += len(one)
    if lot:
        yield lot


def reset(agreement: str, provider: str, position: int, at: str) -> bytes:
    """Tells that what follows is everything: what was received before no longer counts."""
    head, tail = _frame(agreement, provider, at)
    return b"".join((head(position, RESET), b'"subject":"*"', tail, b"}"))


def batch_bytes(head: dict[str, Any], lot: list[bytes]) -> bytes:
    return orjson.dumps(head)[:-1] + b',"events":[' + b",".join(lot) + b"]}"


def read(body: bytes) -> Batch:
    """raises   BadBatch unless its events are those of its positions, one after another"""
    try:
        given = orjson.loads(body)
        batch = Batch(**given)
        places = [int(one["sequence"]) for one in batch.events]
        named = {(one["specversion"], one["source"], one["id"].rpartition(":")[0]) for one in batch.events}
    except (orjson.JSONDecodeError, KeyError, TypeError, ValueError, AttributeError) as error:
        raise BadBatch(reason="it is not the JSON of a batch", reason_zh="不是批次的 JSON") from error
    texts = all(isinstance(one, str) for one in (batch.exchange, batch.agreement, batch.purpose, batch.case))
    counts = all(type(one) is int for one in (batch.first, batch.last))
    if not texts or not counts or not is_agreement(batch.agreement) or not 0 < batch.first <= batch.last:
        raise BadBatch(reason="its head cannot be read", reason_zh="批次头部无法读取")
    several = len(places) == batch.last - batch.first + 1 and len(named) == 1
    if not several or places != list(range(batch.first, batch.last + 1)):
        raise BadBatch(reason="its events are not those of its positions", reason_zh="事件与所列位置不符")
    return batch


def _events(rows: pa.RecordBatch, agreement: str, provider: str, first: int, at: str) -> Iterator[bytes]:
    head, tail = _frame(agreement, provider, at)
    names = rows.schema.names
    keys, words = ([str(one) for one in rows.column(names.index(own)).to_pylist()] for own in (KEY, CHANGE))
    shown = [name for name in names if name not in (KEY, CHANGE)]
    values = zip(*json_columns(pa.Table.from_batches([rows.select(shown)])), strict=True)
    for place, (key, word, row) in enumerate(zip(keys, words, values, strict=True), first):
        data = orjson.dumps(dict(zip(shown, row, strict=True)))
        subject = b'"subject":"%s"' % key[:SUBJECT_DIGITS].encode("ascii")
        yield head(place, word) + subject + tail + b',"datacontenttype":"application/json","data":' + data + b"}"


def _frame(agreement: str, provider: str, at: str) -> tuple[Callable[[int, str], bytes], bytes]:
    """What every event of a round has in common."""
    source = orjson.dumps(participant_id(provider))
    opening = b'{"specversion":"1.0","source":' + source + b',"id":"' + uuid_of(agreement).encode("ascii") + b":"
    kind = TYPE.encode("ascii")

    def head(place: int, word: str) -> bytes:
        return b'%s%d","sequence":"%d","type":"%s%s",' % (opening, place, place, kind, word.encode("ascii"))

    return head, b',"time":"' + at.encode("ascii") + b'"'
