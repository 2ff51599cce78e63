"""Months, quarters and years, as people write them: 2026-11, 2026-Q4, 2026."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, datetime, time
from typing import Literal

from hutong.control.statute.day import CHINA
from hutong.vocabulary.errors import BadInput
from hutong.vocabulary.text import shown

Grain = Literal["month", "quarter", "year"]
GRAINS: tuple[Grain, ...] = ("month", "quarter", "year")
_MONTHS: dict[Grain, int] = {"month": 1, "quarter": 3, "year": 12}
_TEXT = re.compile(r"(20\d\d)(?:-(?:(0[1-9]|1[0-2])|Q([1-4])))?\Z")


@dataclass(frozen=True)
class Period:
    """A span of whole months."""

    grain: Grain
    since: date

    @property
    def until(self) -> date:
        """The day after its last."""
        return _later(self.since, _MONTHS[self.grain])

    @property
    def before(self) -> Period:
        return Period(self.grain, _later(self.since, -_MONTHS[self.grain]))

    @property
    def after(self) -> Period:
        return Period(self.grain, self.until)

    @property
    def months(self) -> tuple[Period, ...]:
        return tuple(Period("month", _later(self.since, n)) for n in range(_MONTHS[self.grain]))

    @property
    def moments(self) -> tuple[datetime, datetime]:
        """Its first moment in China, and the first after it."""
        return datetime.combine(self.since, time.min, CHINA), datetime.combine(self.until, time.min, CHINA)

    def __str__(self) -> str:
        if self.grain == "quarter":
            return f"{self.since.year}-Q{(self.since.month + 2) // 3}"
        return f"{self.since:%Y}" if self.grain == "year" else f"{self.since:%Y-%m}"


def period_of(grain: Grain, day: date) -> Period:
    """The period a day lies in."""
    first = {"month": day.month, "quarter": (day.month - 1) // 3 * 3 + 1, "year": 1}[grain]
    return Period(grain, date(day.year, first, 1))


def read(text: str) -> Period:
    """raises   BadInput"""
    found = _TEXT.match(text)
    if found is None:
        raise BadInput(reason=f"{shown(text)} is no period such as 2026-11, 2026-Q4 or 2026",
                       reason_zh=f"{shown(text)} 不是期间，例如 2026-11、2026-Q4 或 2026")  # fmt: skip
    year, month, quarter = found.groups()
    if quarter:
        return Period("quarter", date(int(year), int(quarter) * 3 - 2, 1))
    return Period("month", date(int(year), int(month), 1)) if month else Period("year", date(int(year), 1, 1))


def _later(day: date, months: int) -> date:
    count = day.year * 12 + day.month - 1 + months
    return date(count // 12, count % 12 + 1, 1)
