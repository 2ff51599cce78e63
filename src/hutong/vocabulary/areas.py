"""Area codes of GB/T 2260, which change with time: a code is known for a period, never for ever.

The table of counties is data an operator loads. Without one, only the province in the first two
digits is known, which is enough to doubt a code and never enough to refuse it.
"""

from __future__ import annotations

import csv
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

from hutong.vocabulary.errors import BadInput

# GB/T 2260: the provinces, by the first two digits.
_PREFIXES = "11 12 13 14 15 21 22 23 31 32 33 34 35 36 37 41 42 43 44 45 46 50 51 52 53 54 61 62 63 64 65 71 81 82"
PROVINCE_PREFIXES = frozenset(_PREFIXES.split())
# 100000 is the nation in social credit codes; it is no division.
NATION = "100000"
Period = tuple[date | None, date | None]  # first day, last day; None where open


@dataclass(frozen=True)
class AreaTable:
    """Which area codes are known, and when each was in force."""

    periods: Mapping[str, tuple[Period, ...]] = field(default_factory=dict)

    def knows(self, code: str, on: date | None = None) -> bool:
        """True when the code is, or ever was (no day given), a division. An empty table looks at the province alone."""
        if code == NATION:
            return True
        if not self.periods:
            return code[:2] in PROVINCE_PREFIXES
        return any(_within(period, on) for period in self.periods.get(code, ()))


PROVINCES = AreaTable()


def area_of(jurisdiction: str) -> str:
    """The division a node stands for; "" for one with a name instead of a code, as a region has."""
    return jurisdiction if jurisdiction.isdigit() and len(jurisdiction) == 6 else ""


def within(code: str, area: str) -> bool:
    """Whether a division is this one or lies in it: 340104 in 340100, in 340000 and in the nation."""
    return area == NATION or code.startswith(area.removesuffix("00").removesuffix("00"))


def prefix_of(area: str) -> str:
    """The digits that every code of an area begins with: 33 of 330000, 3304 of 330400, 330421001 of 330421001000.

    area      of 6, 9 or 12 digits
    returns   "" for the nation
    """
    if area == NATION:
        return ""
    for step in ("000", "000"):
        if len(area) > 6:
            area = area.removesuffix(step)
    return area.removesuffix("00").removesuffix("00") if len(area) == 6 else area


def load_areas(file: Path) -> AreaTable:
    """A table from CSV with the columns code, valid_from, valid_to (dates, or empty where open).

    raises   BadInput naming the line
    """
    periods: dict[str, tuple[Period, ...]] = {}
    with file.open(encoding="utf-8-sig", newline="") as lines:
        for number, row in enumerate(csv.DictReader(lines), 2):
            try:
                code = row["code"].strip()
                period = (_day(row.get("valid_from")), _day(row.get("valid_to")))
            except (KeyError, ValueError, AttributeError):
                raise BadInput(
                    reason=f"line {number} of the area table has no code, or a date that is none",
                    reason_zh=f"行政区划表第 {number} 行没有代码，或日期无效",
                ) from None
            periods[code] = (*periods.get(code, ()), period)
    return AreaTable(periods)


def _day(text: str | None) -> date | None:
    return date.fromisoformat(text.strip()) if text and text.strip() else None


def _within(period: Period, on: date | None) -> bool:
    first, last = period
    return on is None or ((first is None or first <= on) and (last is None or on <= last))
