"""When a source last changed, as far as the source itself can say."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from hutong.exchange.sources.opening import open_source
from hutong.exchange.sources.places import Place
from hutong.exchange.sources.spec import SourceMissing, SourceSpec

FILES = ("csv", "excel", "parquet", "sqlite")


@dataclass(frozen=True)
class LastChange:
    """at     when what is read last changed, at the latest; None where the source keeps no time
    mark   a text that is another one after every change; "" where the source cannot tell
    """

    at: datetime | None
    mark: str


def last_change(spec: SourceSpec) -> LastChange:
    """A file knows when it was written. What was taken in from it is no younger than the intake. A PostgreSQL table
    counts its changes and keeps no time, a folder is told by its files; a view and an interface say nothing.

    raises   SourceRefused
    """
    if spec.kind == "csv_folder":
        return LastChange(None, Place(spec).mark())
    if spec.kind not in FILES:
        source = open_source(spec)
        try:
            return LastChange(None, source.changes())
        finally:
            source.close()
    try:
        written = _written(Path(spec.location))
        if spec.reads_snapshot:
            written = min(written, spec.data_file.stat().st_mtime_ns)
    except OSError as error:
        raise SourceMissing() from error
    return LastChange(datetime.fromtimestamp(written / 1e9, UTC), str(written))


def _written(file: Path) -> int:
    """A database in use writes beside its file first."""
    beside = file.with_name(file.name + "-wal")
    return max(one.stat().st_mtime_ns for one in (file, beside) if one == file or one.exists())
