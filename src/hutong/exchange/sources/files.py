"""What is taken in: one file, or all the files of a folder as one table."""

from __future__ import annotations

import csv
import hashlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Protocol, Self

from hutong.exchange.sources.encoding import detect, line_blocks
from hutong.exchange.sources.places import Found, Place, partitions
from hutong.exchange.sources.rows import Row, RowReader, SetAside, texts
from hutong.exchange.sources.spec import BadHeader, SourceChanging, SourceFailed, SourceSpec, SourceUnreadable
from hutong.exchange.sources.unpacking import SourceFile
from hutong.exchange.sources.workbook import SheetReader, check_memory


class Rows(Protocol):
    """One table's header and rows, as text."""

    blank_lines: int

    def header(self) -> Row: ...

    def batches(self) -> Iterator[list[Row]]: ...


class OneFile:
    """A CSV file or a workbook."""

    def __init__(self, spec: SourceSpec, _scratch: Path, max_bytes: int) -> None:
        self._spec = spec
        self._file = SourceFile(Path(spec.location), max_bytes=max_bytes)

    def feed(self, take: Callable[[Rows], None], set_aside: Callable[[SetAside], None]) -> str:
        """Hand the rows over; returns the encoding, "" for a workbook."""
        if self._spec.kind == "excel":
            self._file.check_archive()
            self._file.pass_over()
            check_memory(self._file.path, self._spec.table)
            take(SheetReader(self._file.path, self._spec.table, set_aside))
            self._file.pass_over()
            return ""
        encoding = detect(self._file.blocks())
        _handed(take, RowReader(texts(line_blocks(self._file.blocks()), encoding), set_aside))
        return encoding

    @property
    def digest(self) -> str:
        return self._file.digest

    def check_unchanged(self) -> None:
        """raises   SourceChanging"""
        self._file.check_unchanged()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()


class FolderFiles:
    """The CSV files of a folder, in the order of their names, as one table; folders `key=value` are columns of it.

    Every file must have the header of the first. Files on S3 are copied to the scratch folder one at a time.
    """

    def __init__(self, spec: SourceSpec, scratch: Path, max_bytes: int) -> None:
        self._place = Place(spec)
        self._found = self._place.found()
        self._parts = partitions(self._found, _uneven)
        self._scratch = scratch
        self._max_bytes = max_bytes
        self._encodings: set[str] = set()
        self._digests = hashlib.sha256()
        self._set_aside: Callable[[SetAside], None] = lambda _row: None
        self._header: Row = []
        self.blank_lines = 0

    def feed(self, take: Callable[[Rows], None], set_aside: Callable[[SetAside], None]) -> str:
        """Hand the rows over; returns the encodings."""
        self._set_aside = set_aside
        _handed(take, self)
        return ", ".join(sorted(self._encodings))

    def header(self) -> Row:
        with self._opened(self._found[0]) as file:
            self._header = self._reader(file).header()
        return [*self._header, *self._parts] if self._header else []

    def batches(self) -> Iterator[list[Row]]:
        for number, found in enumerate(self._found):
            more = ["" if value is None else value for _, value in found.parts]
            with self._opened(found) as file:
                reader = self._reader(file)
                if reader.header() != self._header:
                    raise BadHeader(
                        column=f"1 to {len(self._header)}",
                        column_zh=f"1 至 {len(self._header)}",
                        reason=f"file {number + 1} has another header than the first",
                        reason_zh=f"第 {number + 1} 个文件的表头与第一个文件不同",
                    )
                for rows in reader.batches():
                    yield [row + more for row in rows] if more else rows
                self.blank_lines += reader.blank_lines
                file.check_unchanged()
                self._digests.update(bytes.fromhex(file.digest))

    @property
    def digest(self) -> str:
        return self._digests.hexdigest()

    def check_unchanged(self) -> None:
        """raises   SourceChanging where a file came, went or was written meanwhile"""
        if self._place.found() != self._found:
            raise SourceChanging()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def _reader(self, file: SourceFile) -> RowReader:
        encoding = detect(file.blocks())
        self._encodings.add(encoding)
        return RowReader(texts(line_blocks(file.blocks()), encoding), self._set_aside)

    def _opened(self, found: Found) -> SourceFile:
        if self._place.local:
            return SourceFile(Path(found.path), max_bytes=self._max_bytes)
        copy = self._scratch / "part"
        try:
            with self._place.files.open_input_stream(found.path, compression=None) as stored, copy.open("wb") as file:
                while block := stored.read(1 << 20):
                    file.write(block)
        except (OSError, ValueError):
            raise SourceFailed() from None
        return SourceFile(copy, max_bytes=self._max_bytes, ours=True)


def _handed(take: Callable[[Rows], None], rows: Rows) -> None:
    try:
        take(rows)
    except csv.Error as error:
        raise SourceUnreadable(
            kind="csv", reason="the quotes of its header are broken", reason_zh="表头的引号不成对"
        ) from error


def _uneven() -> SourceUnreadable:
    return SourceUnreadable(
        kind="csv", reason="its files lie in folders of different partitions", reason_zh="文件所在分区目录不一致"
    )
