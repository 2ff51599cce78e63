"""Small charts, laid out here and drawn as SVG by their template. No script, and readable as a table too.

Each is laid out twice, for a wide and for a narrow place: scaling one drawing would scale its letters.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from math import ceil, log10

LEFT, RIGHT, TOP, BOTTOM = 40, 8, 12, 26
SHARE_LINE, SHARE_BAR = 36, 12  # pixels of a line with its name, and of its bar


@dataclass(frozen=True)
class Day:
    """What one day counted: exchanges served, and those refused or cut off."""

    day: date
    served: int
    refused: int


@dataclass(frozen=True)
class Frame:
    """A drawing's size in pixels, as it is shown."""

    name: str
    width: int
    height: int
    labels: int  # days named below, at most

    @property
    def right(self) -> int:
        return self.width - RIGHT

    @property
    def foot(self) -> int:
        return self.height - 6

    @property
    def label_end(self) -> int:
        return LEFT - 8

    @property
    def left(self) -> int:
        return LEFT

    def y(self, value: int, top: int) -> float:
        return TOP + (self.height - TOP - BOTTOM) * (1 - value / top)


WIDE = Frame("wide", 940, 190, 7)
NARROW = Frame("narrow", 340, 170, 3)


@dataclass(frozen=True)
class Mark:
    """A rectangle, in pixels as text so that no locale touches them."""

    x: str
    y: str
    width: str
    height: str
    kind: str  # "" or "bad"
    say: str


@dataclass(frozen=True)
class Level:
    at: str
    value: int


@dataclass(frozen=True)
class DayTick:
    at: str
    day: date


@dataclass(frozen=True)
class BarPlot:
    frame: Frame
    marks: tuple[Mark, ...]
    levels: tuple[Level, ...]
    days: tuple[DayTick, ...]


@dataclass(frozen=True)
class Bars:
    """Stacked bars per day."""

    plots: tuple[BarPlot, ...]
    rows: tuple[Day, ...]
    total_served: int
    total_refused: int


@dataclass(frozen=True)
class CurvePlot:
    frame: Frame
    points: str
    area: str
    levels: tuple[Level, ...]
    days: tuple[DayTick, ...]
    end_x: str
    end_y: str


@dataclass(frozen=True)
class Curve:
    """One growing quantity over days."""

    plots: tuple[CurvePlot, ...]
    first: int
    last: int


@dataclass(frozen=True)
class Share:
    """One line of a comparison: how much of it is well, and how much is not."""

    label: str
    good: int
    bad: int
    url: str = ""


@dataclass(frozen=True)
class ShareLine:
    share: Share
    text_y: str
    count_x: str
    marks: tuple[Mark, ...]


@dataclass(frozen=True)
class SharePlot:
    frame: Frame
    lines: tuple[ShareLine, ...]


@dataclass(frozen=True)
class Shares:
    """Lying bars, one a line; all on the same scale."""

    plots: tuple[SharePlot, ...]
    good_label: str
    bad_label: str


def shares(lines: Sequence[Share], good_label: str, bad_label: str) -> Shares:
    """One bar a line, its name above it. What is not well stands behind what is."""
    frames = (Frame("wide", 940, SHARE_LINE * len(lines) + 6, 0), Frame("narrow", 340, SHARE_LINE * len(lines) + 6, 0))
    return Shares(tuple(_share_plot(frame, lines) for frame in frames), good_label, bad_label)


def bars(days: Sequence[Day]) -> Bars:
    """One bar a day, refusals on top of what was served."""
    return Bars(
        plots=tuple(_bar_plot(frame, days) for frame in (WIDE, NARROW)),
        rows=tuple(days),
        total_served=sum(one.served for one in days),
        total_refused=sum(one.refused for one in days),
    )


def curve(values: Sequence[tuple[date, int]]) -> Curve:
    """A running total; `values` in order of day, at least one."""
    return Curve(tuple(_curve_plot(frame, values) for frame in (WIDE, NARROW)), values[0][1], values[-1][1])


def last_days(today: date, count: int) -> list[date]:
    return [today - timedelta(days=back) for back in range(count - 1, -1, -1)]


def _bar_plot(frame: Frame, days: Sequence[Day]) -> BarPlot:
    top = _round_up(max((one.served + one.refused for one in days), default=0))
    slot = (frame.width - LEFT - RIGHT) / max(1, len(days))
    thick = max(2.0, min(28.0, slot * 0.65))
    marks: list[Mark] = []
    for place, one in enumerate(days):
        x = LEFT + slot * place + (slot - thick) / 2
        middle = frame.y(one.served, top)
        if one.served:
            marks.append(_mark(x, thick, (middle, frame.y(0, top)), "", f"{one.day:%Y-%m-%d}: {one.served}"))
        if one.refused:
            ends = (frame.y(one.served + one.refused, top), middle)
            marks.append(_mark(x, thick, ends, "bad", f"{one.day:%Y-%m-%d}: {one.refused}"))
    named = _evenly(len(days), frame.labels)
    ticks = tuple(DayTick(f"{LEFT + slot * (n + 0.5):.1f}", days[n].day) for n in named)
    return BarPlot(frame, tuple(marks), _levels(frame, 0, top), ticks)


def _curve_plot(frame: Frame, values: Sequence[tuple[date, int]]) -> CurvePlot:
    top = _round_up(max(value for _, value in values))
    span = (frame.width - LEFT - RIGHT - 20) / max(1, len(values) - 1)
    places = [(LEFT + 10 + span * n, frame.y(value, top)) for n, (_, value) in enumerate(values)]
    line = " ".join(f"{x:.1f},{y:.1f}" for x, y in places)
    floor = frame.y(0, top)
    named = _evenly(len(values), frame.labels)
    return CurvePlot(
        frame=frame,
        points=line,
        area=f"{places[0][0]:.1f},{floor:.1f} {line} {places[-1][0]:.1f},{floor:.1f}",
        levels=_levels(frame, 0, top),
        days=tuple(DayTick(f"{places[n][0]:.1f}", values[n][0]) for n in named),
        end_x=f"{places[-1][0]:.1f}",
        end_y=f"{places[-1][1]:.1f}",
    )


def _share_plot(frame: Frame, lines: Sequence[Share]) -> SharePlot:
    top = max((one.good + one.bad for one in lines), default=0) or 1
    drawn = []
    for place, one in enumerate(lines):
        head = SHARE_LINE * place
        ends = (head + 20.0, head + 20.0 + SHARE_BAR)
        middle = frame.width * one.good / top
        marks = []
        if one.good:
            marks.append(_mark(0, middle, ends, "", str(one.good)))
        if one.bad:
            marks.append(_mark(middle, frame.width * one.bad / top, ends, "bad", str(one.bad)))
        drawn.append(ShareLine(one, str(head + 14), str(frame.width), tuple(marks)))
    return SharePlot(frame, tuple(drawn))


def _mark(x: float, width: float, ends: tuple[float, float], kind: str, say: str) -> Mark:
    high, low = ends
    return Mark(f"{x:.1f}", f"{high:.1f}", f"{width:.1f}", f"{max(1.5, low - high):.1f}", kind, say)


def _levels(frame: Frame, least: int, top: int) -> tuple[Level, ...]:
    steps = (least, top // 2, top) if top > 1 else (least, top)
    return tuple(Level(f"{frame.y(value, top):.1f}", value) for value in steps)


def _evenly(count: int, most: int) -> list[int]:
    """Which days to name: at most so many, evenly, the last one always among them."""
    step = max(1, ceil(count / most))
    return sorted(count - 1 - n for n in range(0, count, step))


def _round_up(value: int) -> int:
    """The next number that begins with 1, 2, 4, 6 or 8 and halves to a whole one."""
    if value <= 2:
        return max(1, value)
    power = 10 ** int(log10(value))
    return next(int(step * power) for step in (1, 2, 4, 6, 8, 10) if step * power >= value)
