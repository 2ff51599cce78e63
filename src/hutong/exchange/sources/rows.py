"""Text to rows, with every row that cannot be used set aside under its line number.

1. A row is what Python's csv module in its strict mode makes of one or more physical lines; a line
   ends at LF, CR LF or CR, and a quoted field may hold such ends.
2. Where a row breaks the quoting rules, or its quote is not closed within the limits or at the end of
   the file, only its first physical line is set aside, and reading goes on at the next line. One stray
   quote therefore costs one row, not the rest of the file.
3. A row with the wrong number of fields, a byte that is not of the encoding, or a NUL is set aside whole.
4. Blank lines are no rows; they are counted.
Line numbers are physical and start at 1, as editors show them.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from hutong.exchange.sources.encoding import Encoding

MAX_ROW_LINES = 1_000  # physical lines of one row; more means its quote was never closed
MAX_ROW_CHARACTERS = 1 << 20
DELIMITERS = (",", "\t", ";", "|")

Row = list[str]


@dataclass(frozen=True)
class SetAside:
    """A row that could not be used: where it starts, why, and how many fields it had (0 where unknown)."""

    line: int
    reason: str  # field_count, quote, encoding, nul
    fields: int = 0


class _Unclosed(Exception):
    """A row went over the limits inside a quoted field."""


def texts(blocks: Iterable[bytes], encoding: Encoding) -> Iterator[str]:
    """Blocks of whole lines as text. A wrong byte becomes a lone surrogate, which marks its row."""
    codec = "gb18030" if encoding == "gb18030" else "utf-8"
    for number, block in enumerate(blocks):
        try:
            text = block.decode(codec)
        except UnicodeDecodeError:
            # Line by line, so that a broken character can never swallow the end of its line.
            text = "\n".join(line.decode(codec, "surrogateescape") for line in block.split(b"\n"))
        yield text.removeprefix("\ufeff") if number == 0 else text


def delimiter_of(line: str) -> str:
    """The delimiter that occurs most often in the header line outside quotes; a comma where none does."""
    plain = "".join(line.split('"')[::2])
    return max(DELIMITERS, key=plain.count)


class RowReader:
    """Rows of a file in batches, in the order of the file."""

    def __init__(self, blocks: Iterable[str], set_aside: Callable[[SetAside], None]) -> None:
        self._blocks = iter(blocks)
        self._set_aside = set_aside
        self._lines: Iterator[str] = iter(())
        self._again: list[str] = []  # lines to read again after a broken row, last first
        self._row: list[str] = []  # the physical lines of the row being read
        self._line = 0  # number of the last line taken
        self._suspect = False  # a wrong byte or NUL stands in this block or the one before
        self.blank_lines = 0
        self.delimiter = ","
        self.width = 0

    def header(self) -> Row:
        """The first row that is not blank; [] for an empty file.

        raises   csv.Error where its quotes are broken
        """
        while (text := next(self._blocks, None)) is not None:
            first = next((line for line in io.StringIO(text, newline="") if line.strip()), "")
            self._take_block(text)
            if first:
                self.delimiter = delimiter_of(first)
                break
        try:
            for row in csv.reader(self._feed(), delimiter=self.delimiter, strict=True):
                self._row.clear()
                if row:
                    self.width = len(row)
                    return row
                self.blank_lines += 1
        except _Unclosed as error:
            raise csv.Error("the header's quote is never closed") from error
        return []

    def batches(self) -> Iterator[list[Row]]:
        """Rows of the header's width, a block's worth at a time. Call header() first."""
        yield self._broken_rows()  # what is left of the header's block
        for text in self._blocks:
            self._take_block(text)
            yield self._plain_rows(text) if '"' not in text else self._broken_rows()

    def _take_block(self, text: str) -> None:
        was = self._suspect
        self._lines = iter(io.StringIO(text, newline=""))
        dirty = "\0" in text or not _encodable(text)
        self._suspect, self._was_suspect = dirty, was

    def _plain_rows(self, text: str) -> list[Row]:
        """The fast way, for a block without any quote: every line is a row."""
        try:
            rows = list(csv.reader(self._lines, delimiter=self.delimiter, strict=True))
        except csv.Error:  # a field over the module's limit: find it line by line
            self._take_block(text)
            return self._broken_rows()
        first = self._line + 1
        self._line += len(rows)
        if not self._suspect and set(map(len, rows)) <= {self.width}:
            return rows
        return [row for number, row in enumerate(rows, first) if self._is_good(row, number)]

    def _broken_rows(self) -> list[Row]:
        """The careful way, until a row ends where a block ends."""
        good: list[Row] = []
        while True:
            reader = csv.reader(self._feed(), delimiter=self.delimiter, strict=True)
            try:
                for row in reader:
                    number = self._line - len(self._row) + 1
                    self._row.clear()
                    if self._is_good(row, number):
                        good.append(row)
            except (csv.Error, _Unclosed):
                self._give_back()
                continue
            return good

    def _feed(self) -> Iterator[str]:
        """Physical lines; ends at a block's end unless a row is open there."""
        characters = 0
        while True:
            line = self._again.pop() if self._again else next(self._lines, None)
            if line is None:
                if not self._row or (text := next(self._blocks, None)) is None:
                    return
                self._take_block(text)
                self._suspect = self._suspect or self._was_suspect
                continue
            self._line += 1
            characters = characters + len(line) if self._row else len(line)
            self._row.append(line)
            if len(self._row) > MAX_ROW_LINES or characters > MAX_ROW_CHARACTERS:
                raise _Unclosed
            yield line

    def _give_back(self) -> None:
        """Set the row's first line aside and read the following ones again."""
        first = self._line - len(self._row) + 1
        self._set_aside(SetAside(first, "quote"))
        self._again.extend(reversed(self._row[1:]))
        self._line = first
        self._row.clear()

    def _is_good(self, row: Row, number: int) -> bool:
        if not row:
            self.blank_lines += 1
            return False
        if self._suspect and (reason := _wrong_characters(row)):
            self._set_aside(SetAside(number, reason, len(row)))
            return False
        if len(row) != self.width:
            self._set_aside(SetAside(number, "field_count", len(row)))
            return False
        return True


def _wrong_characters(row: Row) -> str:
    whole = "".join(row)
    if not _encodable(whole):
        return "encoding"
    return "nul" if "\0" in whole else ""


def _encodable(text: str) -> bool:
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True
