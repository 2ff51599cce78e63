"""The administrative tree: nation, province, city, district. A region's office is no step of it.

Who is whose superior stands in the directory (a member's `superior`), as far as the codes of GB/T 2260 allow it:
a superior must be a division that the other lies in. Where the directory says nothing, the code says it. So the two
provinces of a region meet at the nation, whoever keeps their directory.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from hutong.node import directory
from hutong.node.models import Member
from hutong.vocabulary.areas import NATION, within
from hutong.vocabulary.errors import Refused

_CODE = re.compile(r"[1-9][0-9]{5}\Z")
_LONGEST = 10  # steps to the root; the tree has four levels
# Beijing, Tianjin, Shanghai, Chongqing: their districts (01) and counties (02) stand below the city itself.
_MUNICIPALITIES = frozenset({"11", "12", "31", "50"})
_DIRECTLY_BELOW_PROVINCE = "90"  # counties no city administers, as 429004


class NoCommonSuperior(Refused):
    """The directory lists no node above both {one} and {other}."""

    zh = "成员名录中没有 {one} 与 {other} 的共同上级节点。"
    code = "no_common_superior"
    status = 409
    next_en = "Ask their nearest common superior ({code}) to join, or agree on who mediates and record it."
    next_zh = "请其最近的共同上级（{code}）加入名录，或商定调解方并记录在案。"


@dataclass(frozen=True)
class Place:
    """A node's place as the directory has it."""

    code: str
    place: str  # one of hutong.node.settings.PLACES
    superior: str = ""


class Tree:
    """The tree of some places. Pure: it knows what it was given."""

    def __init__(self, places: Iterable[Place]) -> None:
        self._places: Mapping[str, Place] = {one.code: one for one in places}

    def superior_of(self, code: str) -> str:
        """The jurisdiction right above; "" for the nation.

        A place known by a name (a region, a development area) has the superior the directory gives it, else the
        nation.
        """
        if code == NATION:
            return ""
        named = self._places.get(code)
        declared = named.superior if named else ""
        if not _CODE.match(code):
            return declared or NATION
        return declared if self._may_be_above(declared, code) else superior_by_code(code)

    def path_to_root(self, code: str) -> tuple[str, ...]:
        """The jurisdiction itself, then each superior up to the nation.

        Two named places that call each other superior end at the nation, too.
        """
        path = [code]
        while len(path) < _LONGEST and (above := self.superior_of(path[-1])) and above not in path:
            path.append(above)
        return tuple(path) if path[-1] == NATION else (*path, NATION)

    def common_superiors(self, one: str, other: str) -> tuple[str, ...]:
        """The jurisdictions above both, nearest first; never empty, never a region.

        A jurisdiction counts among those above itself: who stands above two departments of Shanghai, or above one of
        Shanghai and one of Qingpu, is Shanghai.
        """
        above_other = set(self.path_to_root(other))
        return tuple(code for code in self.path_to_root(one) if code in above_other and self._administers(code))

    def _administers(self, code: str) -> bool:
        return bool(_CODE.match(code)) and not ((known := self._places.get(code)) and known.place == "region")

    def _may_be_above(self, superior: str, code: str) -> bool:
        return superior != code and self._administers(superior) and within(code, superior)


def superior_by_code(code: str) -> str:
    """The division right above by GB/T 2260 alone: 330421 lies in 330400, 310118 in 310000, 320000 in the nation."""
    if code.endswith("0000"):
        return NATION
    middle = code[2:4]
    if code.endswith("00") or code[:2] in _MUNICIPALITIES or middle == _DIRECTLY_BELOW_PROVINCE:
        return code[:2] + "0000"
    return code[:4] + "00"


def covers(code: str, area: str) -> bool:
    """Whether an area lies in a jurisdiction, or is it.

    area      of 6 digits, or the 12 of the statistical divisions; an abolished code lies where its digits say
    returns   False also for a jurisdiction known by a name (a region administers no area), and for no area
    """
    return bool(_CODE.match(code) and _CODE.match(area[:6])) and len(area) in (6, 12) and within(area[:6], code)


def tree() -> Tree:
    """The tree of the present members, ourselves among them."""
    return Tree(Place(one.jurisdiction, one.place, one.superior) for one in directory.present())


def superior_of(code: str) -> str:
    """See Tree.superior_of."""
    return tree().superior_of(code)


def path_to_root(code: str) -> tuple[str, ...]:
    """See Tree.path_to_root."""
    return tree().path_to_root(code)


def nearest_common_superior(one: str, other: str) -> Member:
    """The member nearest above both in the administrative tree.

    Between Shanghai and Jiangsu the nation, between two of Shanghai's Shanghai itself; never the region's office.

    raises   NoCommonSuperior when no jurisdiction above both is a member
    """
    members = {member.jurisdiction: member for member in directory.present()}
    known = Tree(Place(member.jurisdiction, member.place, member.superior) for member in members.values())
    above = known.common_superiors(one, other)
    for code in above:
        if code in members:
            return members[code]
    raise NoCommonSuperior(one=one, other=other, code=above[0])
