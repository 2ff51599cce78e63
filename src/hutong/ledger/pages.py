"""Pages of exchange receipts, as one member hands them to the member on the other side."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hutong.ledger import checkpoint as checkpoints
from hutong.ledger.entries import Logged, exchanges_with
from hutong.ledger.shelf import Shelf
from hutong.vocabulary.errors import BadInput

MOST_ENTRIES = 1_000  # on a page
MOST_SCANNED = 65_536  # entries looked at for a page: bounds the work of one call to about 0.1 s


@dataclass(frozen=True)
class Page:
    """Receipts after a place, and how far the log was looked through for them."""

    entries: tuple[Logged, ...]
    after: int  # the last place looked at: ask with it for the next page
    size: int  # of the log; the page is the last one when after + 1 == size
    checkpoint: str  # the signed note of that size

    @property
    def is_last(self) -> bool:
        return self.after + 1 >= self.size

    def document(self) -> dict[str, Any]:
        return {
            "entries": [
                {"index": one.index, "entry": base64.b64encode(one.entry).decode("ascii")} for one in self.entries
            ],
            "after": self.after,
            "size": self.size,
            "checkpoint": self.checkpoint,
        }

    @classmethod
    def from_document(cls, document: Any) -> Page:
        """raises   BadInput"""
        try:
            entries = tuple(
                Logged(_number(one["index"]), base64.b64decode(one["entry"], validate=True))
                for one in document["entries"]
            )
            page = cls(entries, _number(document["after"]), _number(document["size"]), str(document["checkpoint"]))
        except (KeyError, TypeError, ValueError, binascii.Error) as error:
            raise BadInput(reason="a page of receipts is malformed", reason_zh="回执页格式有误") from error
        return page


def page(folder: Path, peer: str, *, after: int = -1, limit: int = MOST_ENTRIES) -> Page:
    """The receipts of exchanges with `peer` that stand after a place in our log.

    after    the last place already known; -1 for the beginning
    raises   NoTile, BadBundle, BadNote
    """
    note = Shelf(folder).checkpoint()
    size = checkpoints.parse(note.text).size if note else 0
    first = max(after, -1) + 1
    end = min(size, first + MOST_SCANNED)
    found: list[Logged] = []
    for one in exchanges_with(folder, peer, first, end, size):
        found.append(one)
        if len(found) >= min(limit, MOST_ENTRIES):
            end = one.index + 1
            break
    return Page(tuple(found), max(end - 1, first - 1), size, str(note or ""))


def reader(folder: Path, peer: str) -> Callable[[int], Page]:
    """The pages of our own log, each by the place it begins after."""
    return lambda after: page(folder, peer, after=after)


def _number(value: Any) -> int:
    if type(value) is not int or not -1 <= value < 1 << 62:
        raise ValueError("not a place in a log")
    return value
