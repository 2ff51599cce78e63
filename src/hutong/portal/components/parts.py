"""The small typed values templates draw: one dataclass per component template of the same name."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Literal

Tone = Literal["good", "wait", "bad", "calm", "accent"]


@dataclass(frozen=True)
class May:
    """A yes, or a no with the reason that stands next to the disabled button."""

    allowed: bool
    reason: str = ""

    def __post_init__(self) -> None:
        if not self.allowed and not self.reason:
            raise ValueError("a no needs its reason")

    def __bool__(self) -> bool:
        return self.allowed


YES = May(True)


def no(reason: str) -> May:
    return May(False, str(reason))


@dataclass(frozen=True)
class Badge:
    """A state: a word, and a tone that colour and shape repeat."""

    word: str
    tone: Tone = "calm"


@dataclass(frozen=True)
class Choice:
    """One value of a filter, with how many results it would leave."""

    value: str
    word: str
    chosen: bool
    count: int | None = None


@dataclass(frozen=True)
class Filter:
    name: str
    heading: str
    choices: tuple[Choice, ...]


@dataclass(frozen=True)
class Fact:
    """One line of a fact list. `many` where the value is a list."""

    term: str
    value: str = ""
    many: tuple[str, ...] = ()
    mono: bool = False


@dataclass(frozen=True)
class Happening:
    """One line of a timeline."""

    at: datetime
    what: str
    who: str
    tone: Tone = "accent"
    note: str = ""


@dataclass(frozen=True)
class Step:
    """One step of a verification, in words."""

    say: str
    detail: str
    tone: Tone


@dataclass(frozen=True)
class Due:
    """A statutory day, and how many working days are left. Negative is overdue; None without a calendar."""

    day: date
    days_left: int | None

    @property
    def overdue(self) -> bool:
        return self.days_left is not None and self.days_left < 0

    @property
    def days_over(self) -> int:
        return -(self.days_left or 0)


@dataclass(frozen=True)
class Figure:
    """A number people open: it leads to its source."""

    number: int
    label: str
    url: str
