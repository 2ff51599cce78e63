"""`hutong:supplement`: what the provider says is missing, point by point, and the applicant's answer to each.

In the provider's offer a point has a field and what is wanted; in the request that follows it has the answer, too.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from hutong.control.agreements.fields import Fields
from hutong.control.agreements.models import Negotiation
from hutong.ledger.models import AuditRecord
from hutong.vocabulary.codes import CodeList

MEMBER: Final = "hutong:supplement"
MOST_POINTS: Final = 200
# What a point may be about: a field of the request, or material beside it.
FIELDS: Final = CodeList([
    ("basis", "使用依据", "legal basis"),
    ("scenario", "使用场景", "scenario"),
    ("scope", "使用范围", "scope"),
    ("purpose", "用途", "purpose"),
    ("items", "信息项", "items"),
    ("where", "行条件", "which rows"),
    ("mode", "共享方式", "mode"),
    ("term_days", "使用时限", "term"),
    ("quota_calls_per_day", "每日调用次数", "calls a day"),
    ("material", "其他材料", "other material"),
])  # fmt: skip


@dataclass(frozen=True)
class Point:
    """One thing that is missing."""

    field: str  # a code of FIELDS
    wanted: str
    answer: str = ""

    def document(self) -> dict[str, str]:
        said = {"field": self.field, "wanted": self.wanted}
        return {**said, "answer": self.answer} if self.answer else said


def read_points(offer: Mapping[str, Any]) -> tuple[Point, ...]:
    """The points in an offer; () where it asks for nothing.

    raises   Malformed
    """
    if MEMBER not in offer:
        return ()
    fields = Fields(dict(offer), "offer")
    points = fields.many(MEMBER, _point)
    if len(points) > MOST_POINTS:
        raise fields.fail(MEMBER, f"at most {MOST_POINTS} points", f"至多 {MOST_POINTS} 项")
    return points


def was_asked(negotiation: Negotiation) -> bool:
    """Whether material was asked for before, in this negotiation."""
    offered = AuditRecord.objects.filter(subject=f"negotiation:{negotiation.pid}", kind="negotiation.offered")
    return any(one.detail.get("supplement") for one in offered)


def _point(value: Any, where: str) -> Point:
    if isinstance(value, str):  # a node of an earlier version says it in one text
        return Point("material", value)
    fields = Fields(value, where)
    field = fields.text("field")
    return Point(field if field in FIELDS else "material", fields.text("wanted"), fields.text_or_none("answer") or "")
