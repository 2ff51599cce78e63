"""Tiles that may come from anywhere, believed only as far as a signed root vouches for them."""

from __future__ import annotations

from functools import lru_cache
from hashlib import sha256

from hutong.ledger.checkpoint import Checkpoint
from hutong.ledger.tiles import WIDTH, NoTile, Read, Tile, tile_at, unpack
from hutong.ledger.tree import EMPTY_ROOT, HASH_BYTES, LEAF, NODE, LeafHash, ProofRefused, RootHash, root, root_over
from hutong.vocabulary.errors import Refused

TILES_KEPT = 1024  # per log: a tile with its inner nodes takes about 16 kB


class TileRefused(Refused):
    """The tile {name} of {origin} does not fit the signed checkpoint of size {size}."""

    zh = "{origin} 的文件 {name} 与规模为 {size} 的签名检查点不符。"
    code = "tile_refused"
    status = 422
    next_en = "The log's keeper must verify its log. Keep the checkpoint and the tile as evidence."
    next_zh = "请日志保管方核验其日志，并保留检查点和该文件作为证据。"


class TrustedTiles:
    """The hashes of one signed tree. Every tile is checked on its way in, from the root down."""

    def __init__(self, checkpoint: Checkpoint, read: Read) -> None:
        """raises   TileRefused when the right edge does not add up to the signed root"""
        self.checkpoint = checkpoint
        self._read = read
        self._levels = lru_cache(maxsize=TILES_KEPT)(self._checked_levels)
        self._edge: dict[Tile, bytes] = {}
        self._load_edge()

    @property
    def size(self) -> int:
        return self.checkpoint.size

    def leaf(self, index: int) -> LeafHash:
        """raises   NoTile beyond the tree's size, TileRefused"""
        return LeafHash(self.node(0, index))

    def node(self, height: int, index: int) -> bytes:
        """The hash of the perfect subtree at (height, index): a `NodeReader`.

        raises   NoTile, TileRefused
        """
        level, inner = divmod(height, 8)
        per_tile = WIDTH >> inner
        if (index + 1) << height > self.size:
            raise NoTile(name=f"{level}/{index}")
        levels = self._levels(tile_at(level, index // per_tile, self.size))
        at = index % per_tile * HASH_BYTES
        return levels[inner][at : at + HASH_BYTES]

    def root_at(self, size: int) -> RootHash:
        """The root this tree had when it was smaller."""
        return root(size, self.node)

    def entries(self, index: int, read: Read | None = None) -> list[bytes]:
        """The entries of the bundle that holds entry `index`, checked against their hashes.

        raises   NoTile, BadBundle, TileRefused
        """
        tile = tile_at(None, index // WIDTH, self.size)
        found = unpack((read or self._read)(tile), tile)
        hashes = self._levels(tile_at(0, index // WIDTH, self.size))[0]
        if b"".join([sha256(LEAF + entry).digest() for entry in found]) != hashes:
            raise self._refused(tile)
        return found

    def check_entry(self, index: int, entry: bytes) -> None:
        """raises   ProofRefused when the log does not hold that entry there"""
        if not 0 <= index < self.size or self.leaf(index) != sha256(LEAF + entry).digest():
            raise ProofRefused(
                reason=f"{self.checkpoint.origin} does not hold this entry at {index}",
                reason_zh=f"{self.checkpoint.origin} 的序号 {index} 处不是该条目",
            )

    def _load_edge(self) -> None:
        below, level = b"", 0
        while count := self.size >> 8 * level:
            if count % WIDTH:
                tile = tile_at(level, count // WIDTH, self.size)
                self._edge[tile] = self._fetch(tile)
                below = root_over(self._edge[tile] + below)
            level += 1
        if (below or EMPTY_ROOT) != self.checkpoint.root:
            raise self._refused(max(self._edge, key=lambda tile: tile.level or 0, default=Tile(0, 0)))

    def _fetch(self, tile: Tile) -> bytes:
        data = self._read(tile)
        if len(data) != tile.width * HASH_BYTES:
            raise self._refused(tile)
        return data

    def _checked_levels(self, tile: Tile) -> list[bytes]:
        """The tile's hashes, then the hashes of each height above them, up to its own root if it is full."""
        data = self._edge.get(tile) or self._fetch(tile)
        levels = [data]
        while len(levels[-1]) >= 2 * HASH_BYTES:
            below = levels[-1]
            pairs = range(0, len(below) // 64 * 64, 64)
            levels.append(b"".join([sha256(NODE + below[i : i + 64]).digest() for i in pairs]))
        if tile.width == WIDTH and levels[-1] != self.node(8 * ((tile.level or 0) + 1), tile.index):
            raise self._refused(tile)
        return levels

    def _refused(self, tile: Tile) -> TileRefused:
        return TileRefused(name=tile.name, origin=self.checkpoint.origin, size=self.size)
