"""The rule book: every rule is a class; its sentence is the rule and the message people see.

A rule carries its article's number, the days it is in force, and its parameters with unit, source and owner.
What the parameters are on a day is data (hutong.control.statute); here stand the values as the law was published.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from string import Formatter
from typing import ClassVar, Literal

from hutong.vocabulary.errors import Language, Refused, filled

DECREE_809 = date(2025, 8, 1)  # in force from
Direction = Literal["lower", "higher", "any", "none"]


@dataclass(frozen=True)
class Parameter:
    """A number in a rule. `local`: in which direction a local version may differ from the declared value."""

    name: str
    value: int
    unit: str
    unit_zh: str
    source: str
    owner: str  # who may change the declared value; a local version is the node's own
    local: Direction = "none"

    def allows(self, value: int) -> bool:
        """True when a local version may have this value."""
        if value < 0:
            return False
        if self.local == "lower":
            return value <= self.value
        if self.local == "higher":
            return value >= self.value
        return self.local == "any" or value == self.value


def working_days(value: int, article: int, *, name: str = "days") -> Parameter:
    """A statutory term of decree 809: a local rule may only be shorter (article 23)."""
    return Parameter(
        name, value, "working days", "个工作日", f"decree 809, article {article}", "State Council", local="lower"
    )


class Rule(Refused):
    """A rule was not kept."""

    zh = "不符合规则。"
    next_en = "Read the rule, and act as it says."
    next_zh = "请按规则办理。"
    code: ClassVar[str] = "rule"
    since: ClassVar[date] = DECREE_809
    until: ClassVar[date | None] = None  # the last day in force
    declares: ClassVar[tuple[Parameter, ...]] = ()

    @classmethod
    def declared(cls, name: str) -> Parameter:
        """raises   KeyError for a parameter the rule does not have"""
        for one in cls.declares:
            if one.name == name:
                return one
        raise KeyError(f"{cls.__name__} has no parameter {name}")

    @classmethod
    def in_force(cls, day: date) -> bool:
        return cls.since <= day and (cls.until is None or day <= cls.until)

    @classmethod
    def sentence(cls, language: Language = "en", **values: object) -> str:
        """The rule as it stands in the book: its sentence with these values, and … for what a case would give."""
        template = (cls.zh if language == "zh" else cls.__doc__) or ""
        places = {name for _, name, _, _ in Formatter().parse(template) if name}
        return filled(template, dict.fromkeys(places, "…") | values, language)

    @classmethod
    def name(cls) -> str:
        """The rule's name in records: its number and its code, for example "D809-21/supplement_twice"."""
        return f"{cls.rule}/{cls.code}"


class ClockRule(Rule):
    """This was due on {due}, within {days} working days of {received}, and is not done."""

    # Its subclasses may name {title} as well.
    zh = "应当自{received}起{days}个工作日内（{due}前）办结，现已逾期。"
    code: ClassVar[str] = "clock"
    status = 409
    role: ClassVar[str] = "officer"  # who must act
    next_en = "Do it now; the supervisor has been told."
    next_zh = "请立即办理；已告知主管部门。"
