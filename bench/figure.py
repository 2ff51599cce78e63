"""One figure of a benchmark, beside the limit that was measured in the same run."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal


@dataclass(frozen=True)
class Figure:
    """What was measured, what bounds it, and whether the goal was reached.

    value    what we do, in `unit`
    limit    what the machine, or the bare engine, does at the same work in the same run; None where nothing bounds it
    goal     for judged="value" a number in `unit`, for judged="ratio" a fraction of the limit
    better   "more": reached at or above the goal; "less": at or below it
    """

    name: str  # "query: record queries"
    value: float
    unit: str  # "/s", "ms", "MB", "s"
    goal: float
    limit: float | None = None
    limit_name: str = ""  # "the same source served directly"
    judged: Literal["value", "ratio"] = "value"
    better: Literal["more", "less"] = "more"

    def __post_init__(self) -> None:
        if self.judged == "ratio" and not self.limit:
            raise ValueError(f"{self.name} is judged against a limit, and none was measured")

    @property
    def ratio(self) -> float | None:
        return self.value / self.limit if self.limit else None

    @property
    def reached(self) -> bool:
        judged = self.value if self.judged == "value" else (self.ratio or 0.0)
        return judged >= self.goal if self.better == "more" else judged <= self.goal

    def line(self) -> str:
        """name, figure, limit, ratio, goal, and `reached` or `short`, in columns."""
        limit = f"{_number(self.limit)} {self.unit}" if self.limit else "-"
        ratio = f"{self.ratio:.2f}" if self.ratio is not None else "-"
        sign = ">=" if self.better == "more" else "<="
        goal = f"{sign} {_number(self.goal)}" + (f" {self.unit}" if self.judged == "value" else " of the limit")
        verdict = "reached" if self.reached else "short"
        figure = f"{_number(self.value)} {self.unit}"
        text = f"{self.name:<44} {figure:>16}  limit {limit:>16}  ratio {ratio:>5}  goal {goal:<20} {verdict}"
        return f"{text}  ({self.limit_name})" if self.limit_name else text

    def document(self) -> dict[str, Any]:
        """The figure as JSON for `make bench JSON=file`."""
        return {
            "name": self.name,
            "value": self.value,
            "unit": self.unit,
            "limit": self.limit,
            "limit_name": self.limit_name,
            "ratio": self.ratio,
            "goal": self.goal,
            "judged": self.judged,
            "better": self.better,
            "verdict": "reached" if self.reached else "short",
        }


def _number(value: float | None) -> str:
    if value is None:
        return "-"
    if abs(value) >= 100:
        return f"{value:,.0f}"
    return f"{value:.3g}"
