"""Taking a CSV file, a folder of them, or a workbook in: a typed Parquet snapshot, and a list of the rows set aside.

1. The file is read once to learn its encoding and digest, and once more for its rows. Both passes must
   see the same bytes, and the file must be the same before and after; else nothing is kept.
2. Rows go, as text, to a scratch file while each column's type is found over all of them; then the
   scratch file is cast into the snapshot. Memory stays constant, whatever the file's size.
3. The snapshot appears under its own new name by one rename after fsync, so whoever reads an older one
   goes on undisturbed, and a crash leaves only scratch files, which sweep() removes.
"""

from __future__ import annotations

import contextlib
import glob
import json
import shutil
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

import pyarrow as pa
import pyarrow.parquet as pq

from hutong.exchange.sources.columns import MISSING_MARKERS, ColumnType, MissingValues
from hutong.exchange.sources.files import FolderFiles, OneFile, Rows
from hutong.exchange.sources.header import names_of
from hutong.exchange.sources.rows import Row, SetAside
from hutong.exchange.sources.spec import NoRows, SourceSpec
from hutong.exchange.sources.unpacking import MAX_BYTES
from hutong.ledger.whole import place
from hutong.vocabulary.ids import new_id

GROUP_ROWS = 122_880  # DuckDB reads a row group per thread at this size
GROUP_BYTES = 32 << 20  # of text, where rows are long
SCRATCH_ROWS = 16_384
SCRATCH_SUFFIX = ".scratch"
# A request that read the name of the replaced snapshot has opened it by then; what is open stays readable when removed.
SETTLES_S = 60.0
ABANDONED_S = 86_400.0  # no intake takes a day: a crash left its scratch folder
ABOUT = b"hutong.intake"  # key of the snapshot's own description in its Parquet metadata


@dataclass(frozen=True)
class Intake:
    """What was taken in."""

    snapshot: Path
    schema: pa.Schema
    row_count: int
    quarantined: int
    quarantine: Path | None  # a CSV file: line, reason, fields; None where nothing was set aside
    encoding: str  # "" for a workbook
    digest: str  # SHA-256 of the file as stored
    missing: dict[str, dict[str, int]] = field(default_factory=dict)  # column: marker: how many
    notes: tuple[str, ...] = ()


def take_in(
    spec: SourceSpec,
    folder: Path,
    name: str,
    *,
    markers: Sequence[str] = MISSING_MARKERS,
    max_bytes: int = MAX_BYTES,
    described: Mapping[str, str] | None = None,
) -> Intake:
    """Read a file into a new snapshot `name-<id>.parquet` in a folder; older snapshots are left alone.

    described   the Arrow types that items had before; they keep them where every value fits
    raises   SourceMissing, SourceOutside, NotAPlainFile, SourceTooLarge, SourceChanging, SourceUnreadable,
             BadHeader, NoRows; in every case nothing is left behind
    """
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    target = folder / f"{name}-{new_id()}.parquet"
    with tempfile.TemporaryDirectory(dir=folder, prefix=f"{name}-", suffix=SCRATCH_SUFFIX) as scratch:
        taking = _Taking(Path(scratch), markers, described or {})
        many = spec.kind == "csv_folder"
        with (FolderFiles if many else OneFile)(spec, Path(scratch), max_bytes) as files:
            encoding = files.feed(taking.take, taking.set_aside)
            schema = taking.write_snapshot(encoding=encoding, digest=files.digest)
            files.check_unchanged()
        quarantine = taking.publish(target)
    return Intake(
        snapshot=target,
        schema=schema,
        row_count=taking.row_count,
        quarantined=taking.quarantined,
        quarantine=quarantine,
        encoding=encoding,
        digest=files.digest,
        missing=taking.missing_counts(),
        notes=tuple(taking.notes),
    )


def sweep(folder: Path, name: str, keep: Path, *, settles_s: float = SETTLES_S) -> None:
    """Remove the snapshots of one source that are older than the one in use, and what belonged to them.

    Nothing is removed while that one is younger than settles_s, or is not there. A newer one is another intake's,
    which has not been committed yet. A read under way goes on: what it has open stays readable.
    """
    now = time.time()
    try:
        settled = now - keep.stat().st_mtime >= settles_s
    except OSError:
        return
    for old in folder.glob(f"{glob.escape(name)}-*"):
        if old.name.endswith(SCRATCH_SUFFIX) and old.is_dir():
            _remove_abandoned(old, now)
        elif settled and old.name < keep.stem:  # a snapshot's id begins with its time
            old.unlink(missing_ok=True)


def _remove_abandoned(scratch: Path, now: float) -> None:
    with contextlib.suppress(OSError):  # its intake has just ended
        if now - scratch.stat().st_mtime > ABANDONED_S:
            shutil.rmtree(scratch)


def description(snapshot: Path) -> dict[str, Any]:
    """What a snapshot says about its intake: rows, quarantined, missing, notes, encoding, digest."""
    metadata = pq.read_schema(snapshot).metadata or {}
    found = json.loads(metadata.get(ABOUT, b"{}"))
    return found if isinstance(found, dict) else {}


class _Taking:
    """One intake under way, in its scratch folder."""

    def __init__(self, scratch: Path, markers: Sequence[str], described: Mapping[str, str]) -> None:
        self._scratch = scratch
        self._described = described
        self._markers = markers
        self._names: list[str] = []
        self._types: list[ColumnType] = []
        self._missing: list[MissingValues] = []
        self._aside: IO[str] | None = None
        self.notes: list[str] = []
        self.row_count = 0
        self.quarantined = 0

    def set_aside(self, row: SetAside) -> None:
        if self._aside is None:
            self._aside = (self._scratch / "aside").open("w", encoding="ascii")
            self._aside.write("line,reason,fields\n")
        self._aside.write(f"{row.line},{row.reason},{row.fields}\n")
        self.quarantined += 1

    def take(self, rows: Rows) -> None:
        header = rows.header()
        if not header:
            raise NoRows(quarantined=0)
        self._names, self.notes = names_of(header)
        self._types = [ColumnType(name) for name in self._names]
        self._missing = [MissingValues(self._markers) for _ in self._names]
        schema = pa.schema([(name, pa.string()) for name in self._names])
        options = pa.ipc.IpcWriteOptions(compression="lz4")
        try:
            with pa.ipc.new_file(str(self._scratch / "text"), schema, options=options) as writer:
                for batch in _gathered(rows.batches()):
                    writer.write_batch(self._columns(batch, schema))
        finally:
            if self._aside is not None:
                self._aside.close()
        if not self.row_count:
            raise NoRows(quarantined=self.quarantined)
        if rows.blank_lines:
            self.notes.append(f"{rows.blank_lines} blank lines were passed over")

    def _columns(self, rows: list[Row], schema: pa.Schema) -> pa.RecordBatch:
        columns = []
        for values, missing, type_ in zip(zip(*rows, strict=True), self._missing, self._types, strict=True):
            column = missing.blank(pa.array(values, pa.string()))
            type_.see(column)
            columns.append(column)
        self.row_count += len(rows)
        return pa.RecordBatch.from_arrays(columns, schema=schema)

    def missing_counts(self) -> dict[str, dict[str, int]]:
        return {name: one.counts for name, one in zip(self._names, self._missing, strict=True) if one.counts}

    def write_snapshot(self, *, encoding: str, digest: str) -> pa.Schema:
        """Cast the scratch text into the snapshot, still in the scratch folder; returns the schema."""
        kinds = zip(self._names, self._types, strict=True)
        fields = [pa.field(name, kind.decide(self._described.get(name, ""))) for name, kind in kinds]
        schema = pa.schema(fields)
        about = {
            "rows": self.row_count,
            "quarantined": self.quarantined,
            "missing": self.missing_counts(),
            "notes": self.notes,
            "encoding": encoding,
            "digest": digest,
        }
        described = schema.with_metadata({ABOUT: json.dumps(about).encode()})
        with (
            pa.memory_map(str(self._scratch / "text")) as text,
            pq.ParquetWriter(self._scratch / "rows", described, compression="zstd", write_page_index=True) as writer,
        ):
            reader = pa.ipc.open_file(text)
            for group in _groups(reader):
                writer.write_table(group.cast(schema).replace_schema_metadata(described.metadata), GROUP_ROWS)
        return schema

    def publish(self, target: Path) -> Path | None:
        """Give the files their names, the list of rows set aside first; returns that list's path."""
        aside = target.with_suffix(".quarantine.csv") if self.quarantined else None
        if aside is not None:
            place(self._scratch / "aside", aside)
        place(self._scratch / "rows", target)
        return aside


def _gathered(batches: Iterator[list[Row]]) -> Iterator[list[Row]]:
    kept: list[Row] = []
    for batch in batches:
        kept.extend(batch)
        if len(kept) >= SCRATCH_ROWS:
            yield kept
            kept = []
    if kept:
        yield kept


def _groups(reader: Any) -> Iterator[pa.Table]:
    kept: list[pa.RecordBatch] = []
    rows = 0
    for number in range(reader.num_record_batches):
        kept.append(reader.get_batch(number))
        rows += kept[-1].num_rows
        if rows >= GROUP_ROWS - SCRATCH_ROWS or sum(batch.nbytes for batch in kept) > GROUP_BYTES:
            yield pa.Table.from_batches(kept)
            kept, rows = [], 0
    if rows:
        yield pa.Table.from_batches(kept)
