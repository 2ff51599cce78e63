"""Auditing the tiles of one signed tree, and naming the file and entry that do not fit.

The argument:

 1. From the entries up, every tile is made again and compared with its file: where they differ, the file is at
    fault or what lies below it. The file is innocent if it fits the level above, and so on up to the signed root.
 2. The tiles of the right edge add up to the signed root. Then every entry below is the one that was promised.
 3. Partial tiles left from smaller sizes must be beginnings of what is there now.

Entries are read once and nothing is kept, so memory does not grow with the log.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from hutong.ledger.checkpoint import Checkpoint
from hutong.ledger.tiles import WIDTH, NoTile, Tile, TileFolder, cut, tile_at, unpack_some
from hutong.ledger.tree import EMPTY_ROOT, HASH_BYTES, LEAF, root_over
from hutong.ledger.whole import HALF_WRITTEN

Progress = Callable[[int, int], None]  # entries done, entries in all
FULL_BYTES = WIDTH * HASH_BYTES
UNKNOWN = bytes(HASH_BYTES)  # stands for the root of a tile that cannot be read; no hash is all zeros


@dataclass(frozen=True)
class Fault:
    """One thing that does not fit."""

    file: str  # relative to the ledger's folder
    what: str
    what_zh: str
    entry: int | None = None  # the entry at fault; the first of a range when `after` is given
    after: int | None = None  # the end of the range (exclusive), when the fault cannot be narrowed to one entry


class TileAudit:
    """One pass over a tree's entries and tiles."""

    def __init__(self, files: TileFolder, checkpoint: Checkpoint) -> None:
        self.faults: dict[str, Fault] = {}  # by file: the first fault found in each
        self._files = files
        self._signed = checkpoint
        self._size = checkpoint.size
        self._made: dict[int, bytearray] = {}  # by level: the tile being made from the roots below it
        self._closed: dict[int, int] = {}  # by level: how many tiles are done
        self._edge_holds = False

    def run(self, progress: Progress) -> list[Fault]:
        """Every fault, those of the earliest entries first."""
        self._edge_holds = self._edge_root() == self._signed.root
        for index in range((self._size + WIDTH - 1) // WIDTH):
            self._check_bundle(index)
            progress(min((index + 1) * WIDTH, self._size), self._size)
        for level, made in sorted(self._made.items()):
            if made:
                self._compare(tile_at(level, (self._size >> 8 * level) // WIDTH, self._size), bytes(made))
        if not self._edge_holds and not self.faults:
            self._blame_whole()
        self._check_leftovers()
        return sorted(self.faults.values(), key=lambda fault: (fault.entry is None, fault.entry or 0, fault.file))

    def _edge_root(self, instead: Tile | None = None, hashes: bytes = b"") -> bytes:
        """Step 2: the root over the partial tiles, with other hashes for one of them if so asked."""
        below, level = b"", 0
        while count := self._size >> 8 * level:
            if count % WIDTH:
                tile = tile_at(level, count // WIDTH, self._size)
                below = root_over((hashes if tile == instead else self._stored(tile)) + below)
            level += 1
        return below if self._size else EMPTY_ROOT

    def _check_bundle(self, index: int) -> None:
        """Step 1 for the entries: the tile above is made from them."""
        bundle, over = tile_at(None, index, self._size), tile_at(0, index, self._size)
        data, stored = self._stored(bundle), self._stored(over)
        entries, length = unpack_some(data, bundle.width)
        made = b"".join([sha256(LEAF + entry).digest() for entry in entries])
        if (stored != made or length != len(data)) and data:
            self._blame_bundle(bundle, over, stored, made, len(entries))
        if over.width == WIDTH:
            self._take(1, root_over(stored) if len(stored) == FULL_BYTES else UNKNOWN)

    def _take(self, level: int, root: bytes) -> None:
        """A full tile below has this root: it is the next hash of the tile at `level`."""
        made = self._made.setdefault(level, bytearray())
        made += root
        if len(made) == FULL_BYTES:
            index = self._closed.get(level, 0)
            stored = self._compare(Tile(level, index), bytes(made))
            self._closed[level] = index + 1
            made.clear()
            self._take(level + 1, root_over(stored) if len(stored) == FULL_BYTES else UNKNOWN)

    def _compare(self, tile: Tile, made: bytes) -> bytes:
        """Step 1 for a tile above the leaves. Returns what its file holds."""
        stored = self._stored(tile)
        if stored != made and stored:
            if self._fits_above(tile, stored):
                for at in _differing(stored, made):
                    self._blame_below(tile, at)
            else:
                self._blame_tile(tile, stored, made)
        return stored

    def _fits_above(self, tile: Tile, hashes: bytes) -> bool:
        """Whether a tile's hashes are what the level above it, or the signed root, says."""
        if tile.width < WIDTH:
            return self._edge_root(tile, hashes) == self._signed.root
        parent = tile_at((tile.level or 0) + 1, tile.index // WIDTH, self._size)
        at = tile.index % WIDTH * HASH_BYTES
        return len(hashes) == FULL_BYTES and self._stored(parent)[at : at + HASH_BYTES] == root_over(hashes)

    def _blame_bundle(self, bundle: Tile, over: Tile, stored: bytes, made: bytes, read: int) -> None:
        if not stored:
            return  # the tile is missing, and is named; without it no entry can be singled out
        if not self._fits_above(over, stored):
            self._blame_tile(over, stored, made)
            if self._fits_above(over, made):
                return  # the entries are the ones that were promised
        at = next(iter(_differing(stored, made)), read)
        if at < read:
            self._fault(bundle, "the entry is not the one that was logged", "条目与登记时不同", bundle.first + at)
        elif read < bundle.width:
            self._fault(bundle, "the entry cannot be read", "条目无法读取", bundle.first + read)
        else:
            self._fault(bundle, "bytes follow its last entry", "末条之后有多余字节", bundle.first + read - 1)

    def _blame_tile(self, tile: Tile, stored: bytes, made: bytes) -> None:
        at = next(iter(_differing(stored, made)), 0)
        entry = tile.first + at if tile.level == 0 else None
        self._fault(tile, f"its hash {at} is not that of what lies below it", f"其中第 {at} 个哈希与下层不符", entry)

    def _blame_below(self, tile: Tile, at: int) -> None:
        """The tile is right, and the one below its hash `at` has another root."""
        child = Tile((tile.level or 0) - 1, tile.index * WIDTH + at)
        first, after = child.first, child.first + WIDTH ** ((child.level or 0) + 1)
        if any(fault.entry is not None and first <= fault.entry < after for fault in self.faults.values()):
            return  # already narrowed down
        what = f"it was rewritten: entries {first} to {after - 1} are not all the ones that were signed"
        self._fault(child, what, f"已被改写：第 {first} 至 {after - 1} 条与签名不符", first, after)

    def _blame_whole(self) -> None:
        what = "the entries and tiles fit each other and not the signed root: the log was rewritten"
        zh = "条目与各层文件一致，但与签名的根不符：日志被改写"
        self.faults["checkpoint"] = Fault("checkpoint", what, zh, 0, self._size)

    def _check_leftovers(self) -> None:
        """Step 3."""
        for path in self._partials():
            try:
                tile = Tile.parse(path.relative_to(self._files.folder / "tile").as_posix())
                now = tile_at(tile.level, tile.index, self._size)
                if f"tile/{now.name}" in self.faults:
                    continue  # nothing sound to compare with
                if tile.width < now.width and path.read_bytes() != cut(self._stored(now), tile):
                    self._fault(tile, "it is no beginning of the tile that replaced it", "与取代它的文件开头不符", None)
            except (NoTile, FileNotFoundError):
                continue  # of a size not signed yet, replaced this moment, or not of the log

    def _partials(self) -> Iterator[Path]:
        for folder in sorted((self._files.folder / "tile").rglob("*.p")):
            yield from (path for path in sorted(folder.iterdir()) if path.suffix != HALF_WRITTEN)

    def _stored(self, tile: Tile) -> bytes:
        """A file's bytes; a missing one is named, and reads as empty."""
        try:
            data = self._files.read(tile)
        except (NoTile, OSError):
            data = b""
        if not data:
            self._fault(
                tile, "the file is missing or empty", "文件缺失或为空", tile.first if tile.level is None else None
            )
        return data

    def _fault(self, tile: Tile, what: str, what_zh: str, entry: int | None, after: int | None = None) -> None:
        file = f"tile/{tile.name}"
        self.faults.setdefault(file, Fault(file, what, what_zh, entry, after))


def _differing(stored: bytes, made: bytes) -> Iterator[int]:
    """The places at which two runs of hashes differ, as far as either goes."""
    for at in range((max(len(stored), len(made)) + HASH_BYTES - 1) // HASH_BYTES):
        here = slice(at * HASH_BYTES, (at + 1) * HASH_BYTES)
        if stored[here] != made[here]:
            yield at
