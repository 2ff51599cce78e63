"""The log as files (c2sp.org/tlog-tiles): hash tiles, entry bundles, partial ones of both.

    FOLDER/tile/<level>/<index>[.p/<width>]     hashes, 32 bytes each, 256 to a full tile
    FOLDER/tile/entries/<index>[.p/<width>]     entries, each after its length in two bytes

A file appears under its name only when it is whole. Making it durable is a later step: see durable.py.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from hutong.ledger.tree import HASH_BYTES
from hutong.ledger.whole import put_whole
from hutong.vocabulary.errors import Refused

WIDTH = 256  # hashes or entries in a full tile
LARGEST_ENTRY = 65_535  # bytes: the length before an entry has 16 bits
HIGHEST_LEVEL = 63
MEDIA_TYPE = "application/octet-stream"
NAME = re.compile(
    r"(?P<level>entries|0|[1-9][0-9]?)/(?P<index>(?:x[0-9]{3}/)*[0-9]{3})(?:\.p/(?P<width>[1-9][0-9]{0,2}))?\Z",
    re.ASCII,
)


class NoTile(Refused):
    """The log has no file tile/{name}."""

    zh = "日志中没有文件 tile/{name}。"
    code = "no_tile"
    status = 404
    next_en = "Fetch the checkpoint again: it says which tiles there are."
    next_zh = "请重新获取检查点，由其确定存在哪些文件。"


class BadBundle(Refused):
    """The file tile/{name} cannot be read as entries from entry {entry} on."""

    zh = "文件 tile/{name} 自第 {entry} 条起无法读取。"
    code = "bad_bundle"
    status = 500
    next_en = "Run: hutong ledger verify"
    next_zh = "请运行：hutong ledger verify"


@dataclass(frozen=True)
class Tile:
    """A tile's name. `level` None is an entry bundle; its index counts as at level 0."""

    level: int | None
    index: int
    width: int = WIDTH  # 1 to 256; 256 is full

    @property
    def name(self) -> str:
        groups = [f"{self.index % 1000:03d}"]
        rest = self.index // 1000
        while rest:
            groups.insert(0, f"x{rest % 1000:03d}")
            rest //= 1000
        level = "entries" if self.level is None else str(self.level)
        return f"{level}/{'/'.join(groups)}" + (f".p/{self.width}" if self.width < WIDTH else "")

    @property
    def first(self) -> int:
        """The first entry under it."""
        return self.index << 8 * ((self.level or 0) + 1)

    @property
    def full(self) -> Tile:
        return Tile(self.level, self.index)

    @classmethod
    def parse(cls, name: str) -> Tile:
        """The tile a path after `tile/` names.

        raises   NoTile for anything but the one spelling of a tile's name
        """
        match = NAME.match(name)
        if match is None:
            raise NoTile(name=name[:80])
        level = None if match["level"] == "entries" else int(match["level"])
        index = int(match["index"].replace("x", "").replace("/", ""))
        tile = cls(level, index, int(match["width"] or WIDTH))
        # One spelling only: no x000 in front, no width of 256 or more after .p/.
        if tile.name != name or (level or 0) > HIGHEST_LEVEL or index >= 1 << 56:
            raise NoTile(name=name[:80])
        return tile


Read = Callable[[Tile], bytes]  # a tile's bytes, or NoTile


def tile_at(level: int | None, index: int, size: int) -> Tile:
    """The tile as it is in a tree of `size` entries: full, or as wide as that tree makes it.

    raises   NoTile when that tree has nothing there
    """
    width = min(WIDTH, (size >> 8 * (level or 0)) - index * WIDTH)
    if width <= 0:
        raise NoTile(name=Tile(level, index).name)
    return Tile(level, index, width)


def tiles_of(size: int) -> Iterator[Tile]:
    """Every hash tile of a tree of `size` entries, level by level from the leaves."""
    level = 0
    while count := size >> 8 * level:
        for index in range((count + WIDTH - 1) // WIDTH):
            yield tile_at(level, index, size)
        level += 1


def pack(entry: bytes) -> bytes:
    return len(entry).to_bytes(2, "big") + entry


def unpack(bundle: bytes, tile: Tile) -> list[bytes]:
    """The entries of a bundle.

    raises   BadBundle, with the index in the log of the first entry that cannot be read
    """
    entries, at = unpack_some(bundle, tile.width)
    if len(entries) < tile.width or at != len(bundle):
        raise BadBundle(name=tile.name, entry=tile.first + min(len(entries), tile.width - 1))
    return entries


def unpack_some(bundle: bytes, most: int) -> tuple[list[bytes], int]:
    """As many entries as can be read, at most `most`, and how many bytes they take."""
    entries: list[bytes] = []
    at, end = 0, len(bundle)
    while len(entries) < most and at + 2 <= end:
        after = at + 2 + (bundle[at] << 8 | bundle[at + 1])
        if after > end:
            break
        entries.append(bundle[at + 2 : after])
        at = after
    return entries, at


def cut(data: bytes, tile: Tile) -> bytes:
    """The first `tile.width` hashes or entries of a wider tile's bytes."""
    return data[: tile.width * HASH_BYTES if tile.level is not None else unpack_some(data, tile.width)[1]]


@dataclass
class TileFolder:
    """The tile files under a ledger's folder. One writer at a time; any number of readers."""

    folder: Path
    unsynced: set[Path] = field(default_factory=set)  # files written here and not yet durable
    _made: set[Path] = field(default_factory=set)  # folders known to be there

    def path(self, tile: Tile) -> Path:
        return self.folder / "tile" / tile.name

    def read(self, tile: Tile) -> bytes:
        """A tile's bytes: its own file's, or the beginning of the full one that has replaced it.

        raises   NoTile
        """
        try:
            return self.path(tile).read_bytes()
        except (FileNotFoundError, NotADirectoryError):
            pass
        if tile.width < WIDTH:
            try:
                return cut(self.path(tile.full).read_bytes(), tile)
            except (FileNotFoundError, NotADirectoryError):
                pass
        raise NoTile(name=tile.name)

    def write(self, tile: Tile, data: bytes) -> None:
        """Put the file there, whole, replacing any of that name. Not yet durable."""
        path = self.path(tile)
        if path.parent not in self._made:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._made.add(path.parent)
        put_whole(path, data, durable=False)
        self.unsynced.add(path)

    def take_unsynced(self) -> set[Path]:
        """The files written since the last time this was asked. They are the caller's to make durable."""
        taken, self.unsynced = self.unsynced, set()
        # Their partial tiles will go when full ones have replaced them: the folders must be made again if needed.
        self._made.difference_update({path.parent for path in taken if path.parent.suffix == ".p"})
        return taken
