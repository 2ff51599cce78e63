"""Sets on a line (moments, or how many calls): what may be, as stretches that do not touch. Pure.

Each stretch is half-open, `low <= value < high`. Moments have microseconds and calls are whole, so "until and
including" a value is below the next one: every comparison of a policy has an exact place here.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Generic, TypeVar

T = TypeVar("T", datetime, int)


@dataclass(frozen=True)
class Ranges(Generic[T]):
    """`parts` in order and apart; None is an open end, before everything on the left and after everything on the right.

    raises   ValueError for parts that are empty, out of order or touching
    """

    parts: tuple[tuple[T | None, T | None], ...]

    def __post_init__(self) -> None:
        for low, high in self.parts:
            if low is not None and high is not None and not low < high:
                raise ValueError("a stretch ends after it begins")
        for (_, high), (low, _) in zip(self.parts, self.parts[1:], strict=False):
            if high is None or low is None or not high < low:
                raise ValueError("stretches are in order and apart")

    def __contains__(self, value: T) -> bool:
        place = bisect_right(self._ends, value)  # of the first stretch that has not ended by then
        if place == len(self.parts):
            return False
        low = self.parts[place][0]
        return low is None or low <= value

    @property
    def last(self) -> T | None:
        """Where the last stretch ends; None when it does not, or nothing is in here."""
        return self.parts[-1][1] if self.parts else None

    def next_after(self, value: T) -> T | None:
        """Where the next stretch begins, for a value that is in none; None when there is no further one."""
        place = bisect_right(self._ends, value)
        return self.parts[place][0] if place < len(self.parts) else None

    @cached_property
    def _ends(self) -> list[T]:
        return [high for _, high in self.parts if high is not None]


def counted(sets: Sequence[Ranges[T]], keep: Callable[[int], bool]) -> Ranges[T]:
    """The values that lie in so many of the sets as `keep` says: all of them, any, exactly one.

    keep   is never asked about 0
    """
    edges = sorted(_edges(sets))
    depth = sum(one.parts[0][0] is None for one in sets if one.parts)
    parts: list[tuple[T | None, T | None]] = []
    inside, low = depth > 0 and keep(depth), None
    for place, (edge, change) in enumerate(edges):
        depth += change
        if place + 1 < len(edges) and edges[place + 1][0] == edge:
            continue  # all that happens at one value happens at once
        now = depth > 0 and keep(depth)
        if inside and not now:
            parts.append((low, edge))
        elif now and not inside:
            low = edge
        inside = now
    if inside:
        parts.append((low, None))
    return Ranges(tuple(parts))


def _edges(sets: Iterable[Ranges[T]]) -> Iterable[tuple[T, int]]:
    for one in sets:
        for low, high in one.parts:
            if low is not None:
                yield low, 1
            if high is not None:
                yield high, -1
