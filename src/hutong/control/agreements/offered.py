"""`hutong:offering`: one offer made alike to every member of an area, as it stands in the offer each of them gets.

The consumer's answer is a request as any other, with its own basis and purpose; it repeats this member. What it may ask
for and is agreed to at once stands here.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

from hutong.control.agreements.fields import Fields, text_value
from hutong.control.agreements.terms import Terms
from hutong.control.requests.rules import LONGEST_TERM_DAYS, MOST_CALLS_PER_DAY
from hutong.vocabulary.codes import PURPOSES, SHARING_MODES, CodeList

MEMBER: Final = "hutong:offering"
CENTRAL: Final = "central"
# To whom one act offers; the mode of sharing that follows from it.
AREAS: Final = CodeList([
    ("zone", "示范区的成员", "the members of a zone"),
    ("members", "名录中的全体成员", "all members of the directory"),
    (CENTRAL, "上级节点（集中汇聚）", "a superior's node (central)"),
])  # fmt: skip


@dataclass(frozen=True)
class Offered:
    """What a member of the area may ask for."""

    id: str
    area: str  # a code of AREAS
    name_zh: str  # of the area
    name_en: str
    items: tuple[str, ...]
    mode: str
    purposes: tuple[str, ...]
    term_days: int
    quota_calls_per_day: int
    answer_by: date | None = None

    def document(self) -> dict[str, Any]:
        given = {name: getattr(self, name) for name in ("id", "area", "name_zh", "name_en", "mode")}
        numbers = {"term_days": self.term_days, "quota_calls_per_day": self.quota_calls_per_day}
        lists = {"items": list(self.items), "purposes": list(self.purposes)}
        return {**given, **lists, **numbers, "answer_by": self.answer_by.isoformat() if self.answer_by else None}

    def beyond(self, terms: Terms) -> list[str]:
        """In what a request goes beyond the offering, by the request's words; [] where it stays within.

        Fewer items, a condition, a shorter term and a smaller quota are the asker's own choice.
        """
        wider = {
            "items": not set(terms.items) <= set(self.items),
            "mode": terms.mode != self.mode,
            "purpose": terms.purpose not in self.purposes,
            "term_days": terms.term_days > self.term_days,
            "quota_calls_per_day": terms.quota_calls_per_day > self.quota_calls_per_day,
        }
        return [name for name, wide in wider.items() if wide]


def read_offered(offer: Mapping[str, Any]) -> Offered | None:
    """The offering an offer belongs to; None for one made to one peer alone.

    raises   Malformed
    """
    if MEMBER not in offer:
        return None
    fields = Fields(offer[MEMBER], f"offer.{MEMBER}")
    until = fields.document.get("answer_by")
    try:
        answer_by = date.fromisoformat(fields.text("answer_by")) if until is not None else None
    except ValueError:
        raise fields.fail("answer_by", "a date or null is expected", "应为日期或 null") from None
    return Offered(
        id=fields.identifier("id"),
        area=fields.literal("area", *AREAS.codes),
        name_zh=fields.text("name_zh")[:200],
        name_en=fields.text("name_en")[:200],
        items=fields.many("items", text_value, fewest=1),
        mode=fields.literal("mode", *SHARING_MODES.codes),
        purposes=tuple(one for one in fields.many("purposes", text_value, fewest=1) if one in PURPOSES),
        term_days=fields.integer("term_days", least=1, most=LONGEST_TERM_DAYS),
        quota_calls_per_day=fields.integer("quota_calls_per_day", least=1, most=MOST_CALLS_PER_DAY),
        answer_by=answer_by,
    )
