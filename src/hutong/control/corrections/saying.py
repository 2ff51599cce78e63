"""The events of a correction, as they travel: written here, and read strictly."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final

from hutong.control.corrections.models import Correction
from hutong.node.events import Event
from hutong.vocabulary.canonical import canonical_digest
from hutong.vocabulary.errors import BadInput
from hutong.vocabulary.ids import UUID_TEXT
from hutong.vocabulary.moments import rfc3339

REPORTED: Final = "correction.reported"  # requester to provider
RECEIVED: Final = "correction.received"  # back: when it is due
ANSWERED: Final = "correction.answered"  # back: what was found
TOLD: Final = "correction.told"  # provider to each subscriber that has read the record's resource
ACKNOWLEDGED: Final = "correction.acknowledged"  # back
SPREAD: Final = "correction.spread"  # provider to requester: who has been told, who has acknowledged
MOST_ITEMS: Final = 500
MOST_SUBSCRIBERS: Final = 10_000


@dataclass(frozen=True)
class Report:
    """What a requester says is wrong, beside what is sealed."""

    ticket: str
    agreement: str
    items: tuple[str, ...]
    key_item: str
    fault: str
    at: datetime
    box: Any

    def digest(self) -> str:
        """The first link of the chain that both ledgers hold."""
        plain = [self.ticket, self.agreement, list(self.items), self.key_item, self.fault, rfc3339(self.at)]
        return canonical_digest({"report": plain, "box": self.box})

    def document(self) -> dict[str, Any]:
        names = {"ticket": self.ticket, "agreement": self.agreement, "items": list(self.items)}
        return {**names, "key_item": self.key_item, "fault": self.fault, "at": rfc3339(self.at), "box": self.box}

    @classmethod
    def read(cls, event: Event) -> Report:
        """raises   BadInput"""
        data = event.data
        return cls(
            ticket=ticket_of(event),
            agreement=text(data, "agreement", 80),
            items=names(data, "items"),
            key_item=text(data, "key_item", 120),
            fault=text(data, "fault", 24),
            at=moment(data, "at"),
            box=data.get("box"),
        )


def answer_digest(one: Correction, finding: str, changes: list[dict[str, str]], at: datetime) -> str:
    """The second link: what was found, upon which report."""
    return canonical_digest({
        "report": one.report_digest, "finding": finding, "changes": changes, "at": rfc3339(at),
    })  # fmt: skip


def told_digest(answer: str, node: str, agreement: str, items: list[str]) -> str:
    """The third: who was told of it."""
    return canonical_digest({"answer": answer, "node": node, "agreement": agreement, "items": items})


def ticket_of(event: Event) -> str:
    """raises   BadInput"""
    ticket = text(event.data, "ticket", 36)
    if not UUID_TEXT.match(ticket) or event.subject != subject(ticket):
        raise _wrong("ticket")
    return ticket


def subject(ticket: str) -> str:
    return f"correction:{ticket}"


def changes_in(data: dict[str, Any]) -> list[dict[str, str]]:
    """raises   BadInput"""
    given = data.get("changes")
    if not isinstance(given, list) or len(given) > MOST_ITEMS:
        raise _wrong("changes")
    found = []
    for one in given:
        if not isinstance(one, dict) or one.keys() != {"item", "old", "new"}:
            raise _wrong("changes")
        found.append({name: text(one, name, 120, empty=name != "item") for name in ("item", "old", "new")})
    return found


def subscribers_in(data: dict[str, Any]) -> list[dict[str, str]]:
    """raises   BadInput"""
    given = data.get("subscribers")
    if not isinstance(given, list) or len(given) > MOST_SUBSCRIBERS:
        raise _wrong("subscribers")
    if any(not isinstance(one, dict) or one.keys() != {"node", "state", "at"} for one in given):
        raise _wrong("subscribers")
    return [{name: text(one, name, 200) for name in ("node", "state", "at")} for one in given]


def text(data: dict[str, Any], name: str, limit: int, *, empty: bool = False) -> str:
    """raises   BadInput"""
    value = data.get(name)
    if not isinstance(value, str) or len(value) > limit or not (value or empty) or not value.isprintable():
        raise _wrong(name)
    return value


def names(data: dict[str, Any], name: str) -> tuple[str, ...]:
    """raises   BadInput"""
    given = data.get(name)
    if not isinstance(given, list) or not 0 < len(given) <= MOST_ITEMS:
        raise _wrong(name)
    return tuple(text({name: one}, name, 120) for one in given)


def moment(data: dict[str, Any], name: str) -> datetime:
    """raises   BadInput"""
    try:
        found = datetime.fromisoformat(text(data, name, 40))
    except ValueError as error:
        raise _wrong(name) from error
    if found.tzinfo is None:
        raise _wrong(name)
    return found


def day(data: dict[str, Any], name: str) -> date | None:
    """raises   BadInput"""
    if data.get(name) is None:
        return None
    try:
        return date.fromisoformat(text(data, name, 10))
    except ValueError as error:
        raise _wrong(name) from error


def _wrong(name: str) -> BadInput:
    return BadInput(reason=f"the event's {name} is not what it should be", reason_zh=f"事件的 {name} 不符合约定")
