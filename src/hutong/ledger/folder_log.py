"""A peer's log read from a copy of its ledger folder: for auditors, and where there is no network."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from hutong.ledger import pages
from hutong.ledger.note import VerifierKey
from hutong.ledger.pages import Page
from hutong.ledger.shelf import Shelf
from hutong.ledger.tiles import Tile, TileFolder


@dataclass(frozen=True)
class FolderLog:
    """A `PeerLog` over files."""

    folder: Path
    us: str  # our jurisdiction: whose exchanges are looked for in it
    trusted: tuple[VerifierKey, ...] = ()  # the folder's own keys.log when empty

    @property
    def keys(self) -> Sequence[VerifierKey]:
        return self.trusted or Shelf(self.folder).log_keys()

    def page(self, after: int) -> Page:
        return pages.page(self.folder, self.us, after=after)

    def tile(self, tile: Tile, /) -> bytes:
        return TileFolder(self.folder).read(tile)
