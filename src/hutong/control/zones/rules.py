"""Rules of zones: who may put one in force, and what its members get. Decides and touches nothing.

Z-1 to Z-3 are the rules of an agreement on equal treatment (无差别), as the members of a zone signed it.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import date
from typing import Final

from hutong.vocabulary.rulebook import Parameter, Rule

MOST_MEMBERS: Final = 200
_MEMBER = re.compile(r"[0-9a-z][0-9a-z-]{1,38}[0-9a-z]\Z")


class SameAsLocal(Rule):
    """A department of the zone {zone} gets what a local department gets, no less and no more."""

    zh = "示范区（{zone}）成员的部门与本地部门享有同等待遇，不得更少，也不得更多。"
    code = "same_as_local"
    rule = "Z-1"
    declares = (
        Parameter(
            "conditional_by_rule", 1, "1 yes, 0 no", "1 是，0 否", "the zone's agreement", "the zone's members", "any"
        ),
    )
    next_en = "Ask within the published conditions."
    next_zh = "请在目录列明的条件内申请。"


class OwnZone(Rule):
    """You proposed this zone, so another person must put it in force."""

    zh = "该示范区由您提出，应当由他人确认生效。"
    code = "own_zone"
    rule = "Z-2"
    next_en = "Ask the supervisor or another steward."
    next_zh = "请由主管部门或其他数据管家办理。"


class ZoneIncomplete(Rule):
    """A zone must name its agreement, at least two members and the days it is in force; wrong or missing: {missing}."""

    zh = "示范区应当列明所依据的协议、至少两个成员和起止日期；有误或缺少：{missing}。"
    code = "zone_incomplete"
    status = 400
    rule = "Z-3"
    next_en = "Correct what is named and send it again."
    next_zh = "请更正上述内容后重新提交。"


class ZoneKeptElsewhere(Rule):
    """The text of this zone is kept by {keeper}, so its members are changed there."""

    zh = "该示范区由 {keeper} 维护，成员应当在该节点变更。"
    code = "zone_kept_elsewhere"
    status = 409
    rule = "Z-3"
    next_en = "Ask its keeper; the change arrives here and waits for a person of ours to confirm it."
    next_zh = "请由维护节点变更；变更到达后由本节点人员确认。"


def wrong_in(
    name_zh: str, members: Sequence[str], reference: str, valid_from: date | None, valid_to: date | None
) -> list[str]:
    """Names of what is missing or cannot be, in the order of the form."""
    wrong = [name for name, text in (("name_zh", name_zh), ("reference", reference)) if not text.strip()]
    known = all(isinstance(one, str) and _MEMBER.match(one) for one in members)
    if not known or len(set(members)) != len(members) or not 2 <= len(members) <= MOST_MEMBERS:
        wrong.append("members")
    if valid_from is None:
        wrong.append("valid_from")
    elif valid_to is not None and valid_to < valid_from:
        wrong.append("valid_to")
    return wrong


def check_complete(
    name_zh: str, members: Sequence[str], reference: str, valid_from: date | None, valid_to: date | None
) -> date:
    """Z-3. returns the first day. raises   ZoneIncomplete, naming everything at once"""
    wrong = wrong_in(name_zh, members, reference, valid_from, valid_to)
    if wrong or valid_from is None:
        raise ZoneIncomplete(missing=wrong)
    return valid_from


def check_may_decide(username: str, proposed_by: str) -> None:
    """Z-2. raises   OwnZone"""
    if username == proposed_by:
        raise OwnZone
