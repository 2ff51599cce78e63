"""Open sources kept for the next request."""

from __future__ import annotations

import threading
from collections import OrderedDict
from pathlib import Path

import pyarrow as pa

from hutong.exchange.sources.opening import open_source
from hutong.exchange.sources.source import Source
from hutong.exchange.sources.spec import SourceSpec

MAX_OPEN = 64


class SourceShelf:
    """Up to MAX_OPEN open sources, the least used one put away first. Safe for several threads.

    A source put away is not closed here: a stream may still read it. It closes once nobody holds it.
    """

    def __init__(self, *, index_folder: Path | None = None, most: int = MAX_OPEN) -> None:
        self._index_folder = index_folder
        self._most = most
        self._lock = threading.Lock()
        self._open: OrderedDict[SourceSpec, Source] = OrderedDict()

    def get(self, spec: SourceSpec, schema: pa.Schema | None = None) -> Source:
        """raises   what open_source raises"""
        with self._lock:
            if source := self._open.get(spec):
                self._open.move_to_end(spec)
                return source
        opened = open_source(spec, schema=schema, index_folder=self._index_folder)
        with self._lock:
            kept = self._open.setdefault(spec, opened)
            while len(self._open) > self._most:
                self._open.popitem(last=False)
        return kept

    def drop(self, spec: SourceSpec) -> None:
        """Forget a source whose snapshot or description changed."""
        with self._lock:
            self._open.pop(spec, None)
