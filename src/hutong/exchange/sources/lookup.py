"""Point reads on a Parquet file: an index beside it, built when a key is first asked for.

Two files, both mapped into memory and never parsed: `<name>.rows.arrow`, the rows uncompressed in their
order; `<name>.<digest of the key's name>.key.arrow`, the key's values sorted, each with its row's number.
A lookup is a binary search and a take. Both can be thrown away at any time; both carry the stamp of the
Parquet file, so a replaced file gets new ones, and those of the old one go: whoever has them mapped keeps them.
"""

from __future__ import annotations

import glob
import hashlib
import os
import threading
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute
import pyarrow.parquet as pq

from hutong.exchange.shaping.values import Kind, kind_of
from hutong.exchange.sources.source import BATCH_ROWS, LookupTooWide
from hutong.vocabulary.ids import new_id

pc: Any = pyarrow.compute  # its stubs know only some of the types it takes


class RowIndex:
    """Indexes of one Parquet file. Safe to use from several threads; processes build it twice at worst."""

    def __init__(self, path: Path, schema: pa.Schema, folder: Path) -> None:
        self._path = path
        self._schema = schema
        self._folder = folder
        self._lock = threading.Lock()
        self._rows: tuple[list[pa.RecordBatch], list[int]] | None = None
        self._keys: dict[str, pa.RecordBatch] = {}

    def serves(self, key: str) -> bool:
        """False for keys no register has (decimals, doubles, booleans): those are scanned for."""
        return kind_of(self._schema.field(key).type) in (Kind.TEXT, Kind.INTEGER, Kind.DATE, Kind.TIMESTAMP)

    def rows(self, items: Sequence[str], key: str, values: Sequence[Any], limit: int) -> pa.Table:
        """raises   LookupTooWide"""
        sorted_keys = self._keys.get(key) or self.prepare(key)
        column = sorted_keys.column(0)
        needles = pc.unique(pa.array(values, self._schema.field(key).type).cast(column.type))
        first = pc.search_sorted(column, needles, side="left").to_pylist()
        beyond = pc.search_sorted(column, needles, side="right").to_pylist()
        if sum(beyond) - sum(first) > limit:
            raise LookupTooWide(limit=limit)
        places = sorted_keys.column(1)
        numbers: list[Any] = []
        for start, end in zip(first, beyond, strict=True):
            numbers.extend(places.slice(start, end - start).to_pylist())
        return self._take(items, sorted(numbers))

    def prepare(self, key: str) -> pa.RecordBatch:
        """The sorted keys, built where missing."""
        with self._lock:
            if self._rows is None:
                self._rows = self._open_rows()
            if key not in self._keys:
                self._keys[key] = self._open_keys(key)
            return self._keys[key]

    def forget(self) -> None:
        """The file was replaced: what we hold is of the old one."""
        with self._lock:
            self._rows = None
            self._keys = {}

    close = forget

    def _take(self, items: Sequence[str], numbers: list[int]) -> pa.Table:
        schema = pa.schema([self._schema.field(item) for item in items])
        batches, starts = self._rows or self._reopened()
        found: list[pa.RecordBatch] = []
        place = 0
        while place < len(numbers):
            at = bisect_right(starts, numbers[place]) - 1
            end = bisect_left(numbers, starts[at] + batches[at].num_rows, lo=place)
            inside = pa.array([number - starts[at] for number in numbers[place:end]], pa.int64())
            found.append(batches[at].select(list(items)).take(inside))
            place = end
        return pa.Table.from_batches(found, schema=schema)

    def _reopened(self) -> tuple[list[pa.RecordBatch], list[int]]:
        with self._lock:
            if self._rows is None:
                self._rows = self._open_rows()
            return self._rows

    def _open_rows(self) -> tuple[list[pa.RecordBatch], list[int]]:
        reader = pa.ipc.open_file(pa.memory_map(str(self._built("rows", self._write_rows))))
        batches = [reader.get_batch(number) for number in range(reader.num_record_batches)]
        starts = [0]
        for batch in batches[:-1]:
            starts.append(starts[-1] + batch.num_rows)
        return batches, starts

    def _open_keys(self, key: str) -> pa.RecordBatch:
        digest = hashlib.sha256(key.encode("utf-8")).hexdigest()[:16]
        file = self._built(f"{digest}.key", lambda target: self._write_keys(key, target))
        return pa.ipc.open_file(pa.memory_map(str(file))).get_batch(0)

    def _built(self, part: str, write: Callable[[Path], None]) -> Path:
        status = self._path.stat()
        stamp = f"{status.st_ino:x}-{status.st_size:x}-{status.st_mtime_ns:x}"
        # Files of one name in several folders share an index folder, so the folder is part of the name.
        place = hashlib.sha256(bytes(self._path.parent)).hexdigest()[:8]
        named = f"{self._path.stem}.{place}."
        target = self._folder / f"{named}{stamp}.{part}.arrow"
        if not target.exists():
            scratch = self._folder / f"{target.name}.{new_id()}.scratch"
            try:
                write(scratch)
                scratch.replace(target)
            finally:
                scratch.unlink(missing_ok=True)
            self._drop_others(named, f"{named}{stamp}.")
        return target

    def _drop_others(self, named: str, keep: str) -> None:
        for old in self._folder.glob(f"{glob.escape(named)}*.arrow"):
            if not old.name.startswith(keep):
                old.unlink(missing_ok=True)

    def _write_rows(self, target: Path) -> None:
        self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        file = pq.ParquetFile(self._path)
        with _private(target) as sink, pa.ipc.new_file(sink, self._schema) as writer:
            for batch in file.iter_batches(BATCH_ROWS, columns=self._schema.names):
                table = pa.Table.from_batches([batch]).select(self._schema.names).cast(self._schema)
                writer.write_table(table.combine_chunks())

    def _write_keys(self, key: str, target: Path) -> None:
        column: Any = pq.read_table(self._path, columns=[key]).column(0)
        type_ = self._schema.field(key).type
        column = column.cast(pa.large_string() if pa.types.is_string(type_) else type_).combine_chunks()
        places = pc.sort_indices(column).slice(0, len(column) - column.null_count)  # nulls sort last
        batch = pa.RecordBatch.from_arrays([column.take(places), places], names=["key", "row"])
        with _private(target) as sink, pa.ipc.new_file(sink, batch.schema) as writer:
            writer.write_batch(batch)


def _private(path: Path) -> Any:
    return os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb")
