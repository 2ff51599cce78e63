"""The growing right edge of the log: takes entries, writes the tiles they make, knows the root.

Its whole state is the partial tiles of its size, so that it is loaded from a handful of files.
"""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import sha256

from hutong.ledger.tiles import LARGEST_ENTRY, WIDTH, BadBundle, Tile, TileFolder, tile_at, unpack_some
from hutong.ledger.tree import EMPTY_ROOT, HASH_BYTES, LEAF, RootHash, root_over
from hutong.vocabulary.errors import Refused

FULL_BYTES = WIDTH * HASH_BYTES


class EntryTooLarge(Refused):
    """A ledger entry of {size} bytes is larger than the {limit} a log can hold."""

    zh = "账本条目为 {size} 字节，超过日志可容纳的 {limit} 字节。"
    code = "entry_too_large"
    status = 413
    next_en = "Commit to the digest of the document instead of to the document."
    next_zh = "请登记文件的摘要，而不是文件本身。"


class Frontier:
    """The partial tiles of a log of `size` entries. Not safe for two threads."""

    def __init__(self, files: TileFolder) -> None:
        self.files = files
        self.size = 0
        self._hashes: list[bytearray] = []  # by level: the hashes of its partial tile
        self._bundle = bytearray()  # the partial entry bundle
        self._written: dict[int, int] = {}  # by level: the size in bytes of the partial tile last written

    @classmethod
    def load(cls, files: TileFolder, size: int) -> Frontier:
        """The frontier of a tree of `size` entries, from its tiles.

        raises   NoTile, BadBundle; says nothing of whether the hashes are the signed ones
        """
        frontier = cls(files)
        frontier.size = size
        level = 0
        while count := size >> 8 * level:
            tile = tile_at(level, count // WIDTH, size) if count % WIDTH else None
            hashes = files.read(tile) if tile else b""
            if tile and len(hashes) != tile.width * HASH_BYTES:
                raise BadBundle(name=tile.name, entry=tile.first)
            frontier._hashes.append(bytearray(hashes))
            frontier._written[level] = len(hashes)
            level += 1
        if size % WIDTH:
            bundle = tile_at(None, size // WIDTH, size)
            data = files.read(bundle)
            entries, length = unpack_some(data, bundle.width)
            if len(entries) != bundle.width or length != len(data):
                raise BadBundle(name=bundle.name, entry=bundle.first)
            frontier._bundle = bytearray(data)
        return frontier

    @property
    def root(self) -> RootHash:
        """The root of the log as it is now."""
        below = b""  # the right edge of the levels already taken
        for hashes in self._hashes:
            if hashes or below:
                below = root_over(bytes(hashes) + below)
        return RootHash(below) if self.size else EMPTY_ROOT

    def append(self, entries: Sequence[bytes]) -> None:
        """Take entries, and write every tile that a tree of the new size has and the old one had not."""
        at = 0
        while at < len(entries):
            room = WIDTH - self.size % WIDTH
            part = entries[at : at + room]
            self._take(part)
            at += len(part)
            if self.size % WIDTH == 0:
                self.files.write(Tile(None, self.size // WIDTH - 1), bytes(self._bundle))
                self._bundle.clear()
                self._close(0)
        if entries:
            self._write_partials()

    def _take(self, entries: Sequence[bytes]) -> None:
        if (largest := max(map(len, entries))) > LARGEST_ENTRY:
            raise EntryTooLarge(size=largest, limit=LARGEST_ENTRY)
        if not self._hashes:
            self._hashes.append(bytearray())
        self._bundle += b"".join([len(entry).to_bytes(2, "big") + entry for entry in entries])
        self._hashes[0] += b"".join([sha256(LEAF + entry).digest() for entry in entries])
        self.size += len(entries)

    def _close(self, level: int) -> None:
        """A tile is full: write it, and give its root to the level above."""
        hashes = bytes(self._hashes[level])
        self.files.write(Tile(level, (self.size >> 8 * (level + 1)) - 1), hashes)
        self._hashes[level].clear()
        self._written[level] = 0
        if level + 1 == len(self._hashes):
            self._hashes.append(bytearray())
        self._hashes[level + 1] += root_over(hashes)
        if len(self._hashes[level + 1]) == FULL_BYTES:
            self._close(level + 1)

    def _write_partials(self) -> None:
        if self._bundle:
            self.files.write(tile_at(None, self.size // WIDTH, self.size), bytes(self._bundle))
        for level, hashes in enumerate(self._hashes):
            if hashes and self._written.get(level) != len(hashes):
                self.files.write(tile_at(level, (self.size >> 8 * level) // WIDTH, self.size), bytes(hashes))
                self._written[level] = len(hashes)
