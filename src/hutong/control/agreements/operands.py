"""What a constraint may be on: each left operand with its operators, what may stand on the right, and its meaning.

A comparison becomes the set of values that satisfy it. Where a right side can be read in more than one way (a time
without a zone), only what every reading allows is allowed.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, timezone
from typing import Any, Final

from hutong.control.agreements.policy import TIMESTAMP
from hutong.exchange.grants.ranges import Ranges
from hutong.vocabulary.areas import PROVINCES, within
from hutong.vocabulary.codes import PURPOSES

ODRL: Final = "http://www.w3.org/ns/odrl/2/"
XSD: Final = "http://www.w3.org/2001/XMLSchema#"
UNIT: Final = timedelta(microseconds=1)  # the clock's: "until and including" a moment is before the next one
MOST_CALLS: Final = 2**53 - 1  # the largest whole number of the wire
MOST_VALUES: Final = 2_000  # in one list
SHARED: Final = frozenset({"unconditional", "conditional"})  # what is never shared has no agreement
# A time without a zone may be meant anywhere on Earth (XML Schema part 2, section 3.2.7.4).
EARLIEST, LATEST = timezone(timedelta(hours=14)), timezone(timedelta(hours=-14))
_DATE: Final = re.compile(r"([0-9]{4}-[0-9]{2}-[0-9]{2})(Z|[+-][0-9]{2}:[0-9]{2})?\Z")
_WHOLE: Final = re.compile(r"[1-9][0-9]{0,15}\Z")
_AREA: Final = re.compile(r"[1-9][0-9]{5}\Z")


class Outside(Exception):
    """A right side that is not in the vocabulary. The reader says where it was met, as a refusal."""

    def __init__(self, reason: str, reason_zh: str) -> None:
        super().__init__(reason)
        self.reason, self.reason_zh = reason, reason_zh


@dataclass(frozen=True)
class Facts:
    """What is settled before anything is asked for: whom the agreement is with, and what it is about."""

    parties: frozenset[str]  # the consumer's names: participant id, and the department's code where there is one
    area: str  # the consumer's division by GB/T 2260; "" where it has none
    attribute: str  # the resource's sharing attribute; "" where the reader is not its provider


@dataclass(frozen=True)
class Operand:
    """One left operand. The words are the row of the table in docs/odrl.md."""

    operators: tuple[str, ...]
    right: str
    means: str
    checked: str
    read: Callable[[str, Any, Facts], Any]


def bare(term: str) -> str:
    """An ODRL word without its prefix: `odrl:purpose`, and the whole address, are `purpose`."""
    return term.removeprefix(ODRL).removeprefix("odrl:")


def _moments(operator: str, right: Any, _facts: Facts) -> Ranges[datetime]:
    text = _literal(right, "dateTime", "date")
    try:
        if found := _DATE.match(text):
            return _day(operator, *found.groups())
        if not TIMESTAMP.match(text) or re.search(r"\.[0-9]{7}", text):
            raise ValueError
        moment = datetime.fromisoformat(text)
        zoned = moment.tzinfo is not None
        first = (moment if zoned else moment.replace(tzinfo=EARLIEST)).astimezone(UTC)
        last = (moment if zoned else moment.replace(tzinfo=LATEST)).astimezone(UTC)
        return _compared(operator, first, last)
    except (ValueError, OverflowError):
        raise Outside(
            "it is no xsd:dateTime of at most microseconds, nor an xsd:date",
            "应为精度不超过微秒的 xsd:dateTime，或 xsd:date",
        ) from None


def _compared(operator: str, first: datetime, last: datetime) -> Ranges[datetime]:
    """first, last   the moments the right side may mean; the same one where it has a zone"""
    if operator == "eq" and first != last:
        raise Outside("without a time zone nothing surely equals it", "没有时区，无法确定相等")
    parts: dict[str, tuple[tuple[datetime | None, datetime | None], ...]] = {
        "lt": ((None, first),),
        "lteq": ((None, first + UNIT),),
        "eq": ((first, last + UNIT),),
        "neq": ((None, first), (last + UNIT, None)),
        "gteq": ((last, None),),
        "gt": ((last + UNIT, None),),
    }
    return Ranges(parts[operator])


def _day(operator: str, day: str, zone: str | None) -> Ranges[datetime]:
    """A day is compared where all agree: before it begins, and from when it has begun."""
    if operator not in ("lt", "gteq"):
        raise Outside("a date is used with lt and gteq only; give a time", "日期仅用于 lt 和 gteq；请写明时间")
    midnight = datetime.combine(date.fromisoformat(day), time())
    if zone is not None:
        midnight = datetime.fromisoformat(midnight.isoformat() + zone)
        return _compared(operator, midnight.astimezone(UTC), midnight.astimezone(UTC))
    first, last = (midnight.replace(tzinfo=place).astimezone(UTC) for place in (EARLIEST, LATEST))
    return _compared(operator, first, last)


def _calls(operator: str, right: Any, _facts: Facts) -> Ranges[int]:
    """The calls that may be made, counted from 1."""
    text = _literal(right, "integer", "decimal")
    if not _WHOLE.match(text) or int(text) > MOST_CALLS:
        raise Outside(f"a whole number from 1 to {MOST_CALLS} is expected", f"应为 1 至 {MOST_CALLS} 的整数")
    most = int(text) if operator == "lteq" else int(text) - 1
    return Ranges(((1, most + 1),)) if most else Ranges(())


def _purposes(operator: str, right: Any, _facts: Facts) -> frozenset[str]:
    named = _texts(operator, right)
    if unknown := sorted(named - set(PURPOSES.codes)):
        raise Outside(f"{unknown[0][:80]} is no purpose code", f"{unknown[0][:80]} 不是用途代码")
    return frozenset(PURPOSES.codes) - named if operator in ("neq", "isNoneOf") else named


def _items(operator: str, right: Any, _facts: Facts) -> frozenset[str]:
    return _texts(operator, right)


def _parties(operator: str, right: Any, facts: Facts) -> frozenset[str]:
    return _texts(operator, right) & facts.parties


def _areas(operator: str, right: Any, facts: Facts) -> frozenset[str]:
    named = _texts(operator, right)
    if unknown := sorted(one for one in named if not _AREA.match(one) or not PROVINCES.knows(one)):
        raise Outside(
            f"{unknown[0][:80]} is no division of GB/T 2260", f"{unknown[0][:80]} 不是 GB/T 2260 行政区划代码"
        )
    if not facts.area:
        raise Outside("the consumer has no division of GB/T 2260", "使用方没有 GB/T 2260 行政区划代码")
    inside = any(within(facts.area, one) for one in named) if operator == "isPartOf" else facts.area in named
    return frozenset({facts.area} if inside else ())


def _attribute(operator: str, right: Any, facts: Facts) -> frozenset[str]:
    named = _texts(operator, right)
    if not named <= SHARED:
        raise Outside(f"one of {', '.join(sorted(SHARED))} is expected", f"应为以下之一：{'、'.join(sorted(SHARED))}")
    return named & {facts.attribute} if facts.attribute else named


def _literal(right: Any, *types: str) -> str:
    """A text, or JSON-LD's typed value of one of the XML Schema types."""
    if isinstance(right, dict) and set(right) <= {"@value", "@type"} and "@value" in right:
        kind = right.get("@type", f"xsd:{types[0]}")
        if kind in {f"{prefix}{name}" for prefix in ("xsd:", XSD) for name in types}:
            right = right["@value"]
    if not isinstance(right, str):
        raise Outside(f"a text or a value of xsd:{types[0]} is expected", f"应为文本或 xsd:{types[0]} 值")
    return right


def _texts(operator: str, right: Any) -> frozenset[str]:
    """One text for a comparison with one, a list of texts for one with many."""
    many = operator in ("isAnyOf", "isNoneOf")
    values = right if many and isinstance(right, list) else [right]
    if not 0 < len(values) <= MOST_VALUES:
        raise Outside(f"1 to {MOST_VALUES} values are expected", f"应有 1 至 {MOST_VALUES} 个值")
    return frozenset(_literal(one, "string") for one in values)


_EACH_REQUEST: Final = "on every request, by the provider's node"
_ONCE: Final = "when signed and compiled, by both nodes; then every request is held to that one consumer (G-1)"
_MOMENT: Final = "`xsd:dateTime`, to the microsecond; `xsd:date` with `lt` and `gteq`"
_UPPER: Final = ("lt", "lteq")

OPERANDS: Final[Mapping[str, Operand]] = {
    "dateTime": Operand(
        ("eq", "neq", "lt", "lteq", "gt", "gteq"),
        _MOMENT,
        "the provider's clock, UTC, when the request is decided on (G-4)",
        _EACH_REQUEST,
        _moments,
    ),
    "purpose": Operand(
        ("eq", "neq", "isAnyOf", "isNoneOf"),
        "purpose codes of the vocabulary, one or a list",
        "the purpose the application states (G-5, D809-25)",
        _EACH_REQUEST,
        _purposes,
    ),
    "hutong:item": Operand(
        ("eq", "isAnyOf"),
        "names of items, one or a list",
        "every item answered or tested (G-6)",
        _EACH_REQUEST,
        _items,
    ),
    "count": Operand(
        _UPPER,
        "a whole number of calls, from 1",
        "calls over the whole term, this one included (G-8); a repeat of the same exchange is no second call",
        _EACH_REQUEST,
        _calls,
    ),
    "hutong:callsPerDay": Operand(
        _UPPER,
        "a whole number of calls, from 1",
        "calls of the provider's calendar day, this one included (G-8)",
        _EACH_REQUEST,
        _calls,
    ),
    "recipient": Operand(
        ("eq", "isAnyOf"),
        "the consumer's participant id, or its department's credit code; one or a list",
        "who gets the answer; the department's own key is asked for by the consumer's node",
        _ONCE,
        _parties,
    ),
    "spatial": Operand(
        ("eq", "isAnyOf", "isPartOf"),
        "division codes of GB/T 2260, one or, with `isAnyOf`, a list",
        "the jurisdiction of the node that gets the answer; `isPartOf`: it, or a division below it",
        _ONCE,
        _areas,
    ),
    "hutong:sharingAttribute": Operand(
        ("eq",),
        "`unconditional` or `conditional`",
        "the resource's sharing attribute (D809-14)",
        "when signed and compiled, by the provider's node",
        _attribute,
    ),
}
