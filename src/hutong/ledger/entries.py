"""Finding entries in the files of a log: by digest, by exchange, by peer."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from pathlib import Path

import orjson

from hutong.ledger import checkpoint as checkpoints
from hutong.ledger.proof import NotInLog
from hutong.ledger.receipt import KIND
from hutong.ledger.shelf import Shelf
from hutong.ledger.tiles import WIDTH, NoTile, TileFolder, tile_at, unpack

# An entry stands near others of its time; clocks and slow transactions are allowed so much, before all is searched.
NEAR = (timedelta(seconds=5), timedelta(minutes=5))


@dataclass(frozen=True)
class Logged:
    """An entry and its place."""

    index: int
    entry: bytes


def signed_size(folder: Path) -> int:
    """How many entries the published checkpoint covers. raises BadNote"""
    note = Shelf(folder).checkpoint()
    return checkpoints.parse(note.text).size if note else 0


def signed_origin(folder: Path) -> str:
    """The name of the log in a folder; "" before it has a checkpoint. raises BadNote"""
    note = Shelf(folder).checkpoint()
    return checkpoints.parse(note.text).origin if note else ""


def bundles(folder: Path, first: int, after: int, size: int) -> Iterator[tuple[int, bytes, list[bytes]]]:
    """The bundles that hold entries [first, after) of a log of `size`: place of the first entry, bytes, entries.

    raises   NoTile, BadBundle
    """
    files = TileFolder(folder)
    for index in range(first // WIDTH, (min(after, size) + WIDTH - 1) // WIDTH):
        tile = tile_at(None, index, size)
        data = files.read(tile)
        yield tile.first, data, unpack(data, tile)


def entry_at(folder: Path, index: int) -> bytes:
    """raises   NotInLog"""
    size = signed_size(folder)
    if not 0 <= index < size:
        raise NotInLog(size=size, what=f"entry {index}", what_zh=f"条目 {index}")
    first, _, entries = next(bundles(folder, index, index + 1, size))
    return entries[index - first]


def find_digest(folder: Path, digest: str, *, at: datetime | None = None) -> Logged:
    """The entry whose digest ("sha256:...") is given.

    at       when it was made, if known: its neighbourhood is searched first (a few ms instead of a second per million)
    raises   NotInLog
    """
    size = signed_size(folder)
    wanted = _wanted(digest)
    for first, after in _ranges(folder, size, at):
        for start, _, entries in bundles(folder, first, after, size):
            for offset, entry in enumerate(entries):
                if sha256(entry).digest() == wanted:
                    return Logged(start + offset, entry)
    raise NotInLog(size=size, what=digest)


def find_exchange(folder: Path, exchange: str) -> list[Logged]:
    """Every receipt of one exchange in this log, in order."""
    size = signed_size(folder)
    needle = b'"exchange":"' + exchange.encode() + b'"'
    return [
        Logged(start + offset, entry)
        for start, data, entries in bundles(folder, 0, size, size)
        if needle in data
        for offset, entry in enumerate(entries)
        if needle in entry
    ]


def exchanges_with(folder: Path, peer: str, first: int, after: int, size: int) -> Iterator[Logged]:
    """The receipts of exchanges with one peer among entries [first, after)."""
    needles = (b'"consumer":"' + peer.encode() + b'"', b'"provider":"' + peer.encode() + b'"')
    for start, data, entries in bundles(folder, first, after, size):
        if not any(needle in data for needle in needles):
            continue
        for index, entry in enumerate(entries, start):
            if first <= index < after and any(needle in entry for needle in needles) and _other_side(entry) == peer:
                yield Logged(index, entry)


def _other_side(entry: bytes) -> str:
    """The jurisdiction on the other side of an exchange; "" for an entry of another kind.

    Read without the checks of `Receipt.from_entry`, at a sixth of its time: the entry is our own, and whoever gets it
    makes them.
    """
    members = orjson.loads(entry)
    if members.get("kind") != KIND:
        return ""
    return str(members["consumer" if members["role"] == "provider" else "provider"])


def _wanted(digest: str) -> bytes:
    try:
        return bytes.fromhex(digest.removeprefix("sha256:"))
    except ValueError:
        return b""


def _ranges(folder: Path, size: int, at: datetime | None) -> Iterator[tuple[int, int]]:
    """Where to look: near the time, then wider, then everywhere."""
    if at is not None:
        for slack in NEAR:
            yield (
                max(0, _first_at(folder, size, at - slack) - WIDTH),
                min(size, _first_at(folder, size, at + slack) + WIDTH),
            )
    yield 0, size


def _first_at(folder: Path, size: int, when: datetime) -> int:
    """About where the entries of a time begin: bisects the bundles by the time in their first entry."""
    low, high = 0, (size + WIDTH - 1) // WIDTH
    while low < high:
        middle = (low + high) // 2
        made_at = _time_of(folder, middle, size)
        if made_at is None or made_at < when:
            low = middle + 1
        else:
            high = middle
    return low * WIDTH


def _time_of(folder: Path, bundle: int, size: int) -> datetime | None:
    try:
        _, _, entries = next(bundles(folder, bundle * WIDTH, bundle * WIDTH + 1, size))
        members = orjson.loads(entries[0])
        return datetime.fromisoformat(members["at"])
    except (NoTile, StopIteration, ValueError, KeyError, TypeError):
        return None
