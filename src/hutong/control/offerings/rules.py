"""Rules of offerings: within the catalogue, signed by the head, the same for all. Decides and touches nothing."""

from __future__ import annotations

from collections.abc import Collection
from typing import Final

from hutong.control.statute.decisions import Facts, Law, Outcome, decider
from hutong.vocabulary.rulebook import Rule
from hutong.vocabulary.sentences import Sentence

ANSWER: Final = "offering.answer"
ANSWER_DAYS: Final = 30  # to take up an offer, unless its offering says otherwise; owner: the provider
MOST_ANSWER_DAYS: Final = 365


class SameForAll(Rule):
    """Every member of the area gets what the offering {offering} says, no less and no more: {peer} asks within it."""

    zh = "区域内每个成员均按统一要约（{offering}）的条件获得数据，不多不少；{peer} 的申请在其范围之内。"
    code = "same_for_all"
    rule = "Z-4"
    next_en = "It is agreed to by rule within a minute; to change the terms for all, withdraw the offering."
    next_zh = "系统将在一分钟内按规则同意；如需变更条件，请整体撤回要约。"


class BeyondCatalogue(Rule):
    """An offering stays within the published conditions of its resource; beyond them: {what}."""

    zh = "面向区域的共享不得超出目录列明的条件；超出的内容：{what}。"
    code = "beyond_catalogue"
    status = 400
    rule = "D809-15"
    next_en = "Offer the published items, purposes and modes, or have the entry changed first."
    next_zh = "请按目录列明的信息项、用途和方式提供，或者先变更目录。"


class NoSuchArea(Rule):
    """An offering names a zone in force that we belong to, all members, or a node above us that is a member: {what}."""

    zh = "应当指定本节点所属的有效示范区、全体成员，或者名录中的上级节点：{what}。"
    code = "no_such_area"
    status = 400
    rule = "Z-5"
    next_en = "See the zones with: hutong zone list; the members with: hutong members"
    next_zh = "请用 hutong zone list 查看示范区，用 hutong members 查看成员。"


class OwnOffering(Rule):
    """The head of the sharing body signs an offering, and nobody signs what they proposed themselves."""

    zh = "面向区域的共享应当经本部门共享工作机构负责人同意，拟办人不得签批本人拟办的事项。"
    code = "own_offering"
    rule = "D809-20"
    next_en = "Ask the head of your department's sharing body."
    next_zh = "请由本部门共享工作机构负责人签批。"


class OfferArrived(Sentence):
    """{peer} offers “{title}” ({area}). A request within it is agreed to at once."""

    zh = "{peer} 提供“{title}”（{area}）；在其范围内的申请即时同意。"
    code = "offer_arrived"


class OfferAnswered(Sentence):
    """{peer} did not take up “{title}”: {reason}"""

    zh = "{peer} 未接受“{title}”：{reason}"
    code = "offer_declined"


class OfferingProposed(Sentence):
    """“{title}” is to be offered to {area}: your signature is needed."""

    zh = "“{title}”拟面向{area}共享，待您签批。"
    code = "offering_proposed"


def check_within_catalogue(
    *, items: Collection[str], shareable: Collection[str], purposes: Collection[str], permitted: Collection[str],
    mode: str, modes: Collection[str],
) -> None:  # fmt: skip
    """D809-15. raises   BeyondCatalogue, naming everything at once"""
    wrong = [name for name in items if name not in shareable] or ([] if items else ["items"])
    wrong += [one for one in purposes if permitted and one not in permitted] or ([] if purposes else ["purposes"])
    wrong += [mode] if modes and mode not in modes else []
    if wrong:
        raise BeyondCatalogue(what=", ".join(wrong)[:300])


def check_signer(username: str, proposed_by: str) -> None:
    """D809-20. raises   OwnOffering"""
    if username == proposed_by:
        raise OwnOffering


@decider(ANSWER)
def answer(facts: Facts, law: Law) -> Outcome:
    """Z-4. A request within an offering is agreed to: the head signed it for every member of the area at once.

    facts    "in_area", "beyond": in what it asks for more, "changed": items whose catalogue mask is another by now
    """
    law.applied(SameForAll)
    if not facts["in_area"]:
        return {"agreed": False, "why": "outside_area"}
    if facts["changed"]:
        return {"agreed": False, "why": "catalogue_changed"}
    if facts["beyond"]:
        return {"agreed": False, "why": "beyond_offering"}
    return {"agreed": True, "why": "same_for_all"}
