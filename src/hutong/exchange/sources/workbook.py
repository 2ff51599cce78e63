"""Rows of a spreadsheet, as text the way the sheet means it: whole numbers without a point, dates as ISO 8601."""

from __future__ import annotations

import datetime
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import python_calamine

from hutong.exchange.sources.rows import Row, SetAside
from hutong.exchange.sources.spec import SourceUnreadable, WorkbookTooLarge

BATCH_ROWS = 16_384
# What opening a workbook may take; a million rows of thirty short cells need half of it. Owner: the node's operator.
MEMORY_BYTES = 2 << 30
OPENS_WITHIN_S = 600.0
_TRIAL = """
import resource, sys
resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
resource.setrlimit(resource.RLIMIT_AS, (int(sys.argv[3]), int(sys.argv[3])))
import python_calamine
try:
    book = python_calamine.CalamineWorkbook.from_path(sys.argv[1])
    table = book.get_sheet_by_name(sys.argv[2]) if sys.argv[2] else book.get_sheet_by_index(0)
except (python_calamine.CalamineError, python_calamine.WorksheetNotFound, OSError, IndexError):
    pass  # whoever opens it next says so
"""


def check_memory(path: Path, sheet: str, *, limit: int = MEMORY_BYTES) -> None:
    """Open a workbook once in a process that may not use more memory than this, and see whether it lives.

    A workbook is opened whole. One string that a thousand cells share is a thousand strings then, and two cells at
    opposite corners are a sheet full of empty ones: 3 kB of file can ask for 500 GB, which ends the process that asks.

    raises   WorkbookTooLarge
    """
    command = [sys.executable, "-P", "-c", _TRIAL, str(path), sheet, str(limit)]
    try:
        trial = subprocess.run(command, capture_output=True, timeout=OPENS_WITHIN_S, check=False)
    except subprocess.TimeoutExpired as error:
        raise WorkbookTooLarge(limit=limit) from error
    if trial.returncode != 0:
        raise WorkbookTooLarge(limit=limit)


def numbered_rows(path: Path, sheet: str = "") -> Iterator[tuple[int, Row]]:
    """Rows that are not blank, with their numbers as the sheet shows them. For workbooks people fill in by hand.

    raises   WorkbookTooLarge, SourceUnreadable
    """
    check_memory(path, sheet)
    for number, cells in enumerate(_table(path, sheet).iter_rows(), start=1):
        row = [_text(cell) for cell in cells]
        if any(row):
            yield number, row


class SheetReader:
    """The same face as RowReader; line numbers are the sheet's row numbers."""

    def __init__(self, path: Path, sheet: str, set_aside: Callable[[SetAside], None]) -> None:
        """raises   SourceUnreadable"""
        self._line = 0
        self._rows = iter(_table(path, sheet).iter_rows())  # from row 1, also where the sheet's used area starts lower
        self._set_aside = set_aside
        self.blank_lines = 0
        self.width = 0

    def header(self) -> Row:
        for cells in self._rows:
            self._line += 1
            row = [_text(cell) for cell in cells]
            while row and not row[-1]:
                row.pop()
            if row:
                self.width = len(row)
                return row
        return []

    def batches(self) -> Iterator[list[Row]]:
        rows: list[Row] = []
        for cells in self._rows:
            self._line += 1
            row = [_text(cell) for cell in cells]
            if self._is_good(row):
                rows.append(row[: self.width])
            if len(rows) == BATCH_ROWS:
                yield rows
                rows = []
        yield rows

    def _is_good(self, row: Row) -> bool:
        if not any(row):
            self.blank_lines += 1
            return False
        if any(row[self.width :]):
            self._set_aside(SetAside(self._line, "field_count", len(row)))
            return False
        return True


def _table(path: Path, sheet: str) -> python_calamine.CalamineSheet:
    try:
        book = python_calamine.CalamineWorkbook.from_path(str(path))
        if sheet and sheet not in book.sheet_names:
            raise SourceUnreadable(kind="excel", reason="it has no sheet of that name", reason_zh="没有该名称的工作表")
        return book.get_sheet_by_name(sheet) if sheet else book.get_sheet_by_index(0)
    except (python_calamine.CalamineError, python_calamine.WorksheetNotFound, OSError, IndexError) as error:
        raise SourceUnreadable(
            kind="excel", reason="it is not a workbook, or is damaged", reason_zh="不是工作簿，或已损坏"
        ) from error


def _text(cell: Any) -> str:
    if isinstance(cell, str):
        return cell
    if cell is None:
        return ""
    if isinstance(cell, bool):
        return "true" if cell else "false"
    if isinstance(cell, float):
        return str(int(cell)) if cell.is_integer() and abs(cell) < 2**53 else repr(cell)
    if isinstance(cell, datetime.datetime):
        midnight = cell.time() == datetime.time()
        return cell.date().isoformat() if midnight else cell.isoformat(sep=" ")
    if isinstance(cell, (datetime.date, datetime.time)):
        return cell.isoformat()
    return str(cell)
