"""`hutong:terms`: what decree 809 wants a request to say and an agreement to fix, beside the ODRL policy.

In an offer it is the consumer's wish (`Terms`); in an agreement it is what both sign (`AgreedTerms`):
the same words, a mask for each item, the days it is in force, and how a leak would be traced.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from hutong.control.agreements.fields import Fields, text_value
from hutong.control.agreements.rules import AgreementDiffers
from hutong.control.requests.rules import LONGEST_TERM_DAYS, MOST_CALLS_PER_DAY
from hutong.exchange.grants.tracing import Tracing
from hutong.vocabulary.codes import PURPOSES, SHARING_MODES
from hutong.vocabulary.moments import rfc3339

MEMBER: Final = "hutong:terms"
MOST_ITEMS: Final = 2_000  # a wide table has some hundreds of columns
CLOCK_TOLERANCE: Final = timedelta(minutes=5)  # between two nodes' clocks
WORDS: Final = ("basis", "scenario", "scope", "department", "department_name")


@dataclass(frozen=True)
class Terms:
    """What a consumer asks for."""

    items: tuple[str, ...]
    where: dict[str, Any] | None  # a predicate document of the exchange, None for all rows
    mode: str
    term_days: int
    purpose: str
    basis: str
    scenario: str
    scope: str
    quota_calls_per_day: int
    department: str  # unified social credit code
    department_name: str
    law: str = ""  # the article that grants it, for example "D809-24"; "" for an agreement like any other

    def document(self) -> dict[str, Any]:
        return {
            "items": list(self.items),
            "where": self.where,
            "mode": self.mode,
            "term_days": self.term_days,
            "purpose": self.purpose,
            "quota_calls_per_day": self.quota_calls_per_day,
            **{name: getattr(self, name) for name in WORDS},
            **({"law": self.law} if self.law else {}),
        }


@dataclass(frozen=True)
class AgreedTerms:
    """What both sides sign. `masks` has a mask document for every item of `asked.items`, in that order."""

    asked: Terms
    masks: tuple[dict[str, Any], ...]
    starts_at: datetime
    ends_at: datetime
    tracing: Tracing | None = None  # how a leak would be traced to this agreement

    def check_tracing(self, types: Mapping[str, str] | None = None) -> None:
        """types   of the items, where they are known

        raises   BadTracing where it names items that cannot be traced
        """
        if self.tracing is not None:
            actions = (str(mask.get("action")) for mask in self.masks)
            self.tracing.check(dict(zip(self.asked.items, actions, strict=True)), types)

    def document(self) -> dict[str, Any]:
        named = zip(self.asked.items, self.masks, strict=True)
        return {
            **self.asked.document(),
            **({"tracing": self.tracing.to_document()} if self.tracing else {}),
            "items": [{"name": name, "mask": mask} for name, mask in named],
            "starts_at": rfc3339(self.starts_at),
            "ends_at": rfc3339(self.ends_at),
        }


def read_terms(offer: Mapping[str, Any]) -> Terms | None:
    """The terms in an offer; None when the peer does not know the extension. Malformed ones are refused.

    raises   Malformed
    """
    if MEMBER not in offer:
        return None
    fields = Fields(offer[MEMBER], f"offer.{MEMBER}")
    return _terms(fields, fields.many("items", text_value, fewest=1))


def read_agreed(agreement: Mapping[str, Any]) -> AgreedTerms | None:
    """raises   Malformed, BadTracing"""
    if MEMBER not in agreement:
        return None
    fields = Fields(agreement[MEMBER], f"agreement.{MEMBER}")
    named = fields.many("items", _named_mask, fewest=1)
    terms = _terms(fields, tuple(name for name, _ in named))
    masks = tuple(mask for _, mask in named)
    tracing = Tracing.from_document(fields.document["tracing"]) if "tracing" in fields.document else None
    agreed = AgreedTerms(terms, masks, _moment(fields, "starts_at"), _moment(fields, "ends_at"), tracing)
    agreed.check_tracing()
    return agreed


def _terms(fields: Fields, items: tuple[str, ...]) -> Terms:
    if len(items) > MOST_ITEMS or len(set(items)) != len(items):
        raise fields.fail("items", f"at most {MOST_ITEMS}, each once", f"至多 {MOST_ITEMS} 项，且不重复")
    where = fields.document.get("where")
    if where is not None and not isinstance(where, dict):
        raise fields.fail("where", "a predicate or null is expected", "应为条件或 null")
    return Terms(
        items=items,
        where=where,
        mode=fields.literal("mode", *SHARING_MODES.codes),
        term_days=fields.integer("term_days", least=1, most=LONGEST_TERM_DAYS),
        purpose=fields.literal("purpose", *PURPOSES.codes),
        quota_calls_per_day=fields.integer("quota_calls_per_day", least=1, most=MOST_CALLS_PER_DAY),
        **{name: fields.text(name) for name in WORDS},
        law=fields.text_or_none("law") or "",
    )


def _named_mask(value: Any, where: str) -> tuple[str, dict[str, Any]]:
    fields = Fields(value, where)
    return fields.text("name"), dict(fields.inner("mask").document)


def _moment(fields: Fields, name: str) -> datetime:
    try:
        moment = datetime.fromisoformat(fields.text(name))
    except ValueError:
        raise fields.fail(name, "an RFC 3339 time is expected", "应为 RFC 3339 时间") from None
    if moment.tzinfo is None:
        raise fields.fail(name, "a time zone is expected", "应带时区")
    return moment


def check_within(agreed: AgreedTerms, asked: Terms, now: datetime) -> None:
    """A-1. The consumer's check before it signs: the agreement is what was asked for, or less of it.

    Fewer items, fewer days and a smaller quota are narrower. Every other word must be the same: the
    head signed off that basis, purpose and scope, and no others.

    raises   AgreementDiffers, naming the first difference
    """
    mine, its = asked, agreed.asked
    for name in ("where", "mode", "purpose", "law", *WORDS):
        if getattr(mine, name) != getattr(its, name):
            raise AgreementDiffers(what=name)
    if not set(its.items) <= set(mine.items):
        raise AgreementDiffers(what="items")
    if its.term_days > mine.term_days:
        raise AgreementDiffers(what="term_days")
    if its.quota_calls_per_day > mine.quota_calls_per_day:
        raise AgreementDiffers(what="quota_calls_per_day")
    if agreed.starts_at > now + CLOCK_TOLERANCE:
        raise AgreementDiffers(what="starts_at")
    if not agreed.starts_at < agreed.ends_at <= agreed.starts_at + timedelta(days=its.term_days):
        raise AgreementDiffers(what="ends_at")
