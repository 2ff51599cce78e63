"""Decree 809 on requests: what a request must say, who signs it off, and what a refusal must give.

Rules decide and touch nothing. The class's number is the article's; its sentence is what people see.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING, Final

from hutong.control.identity.rules import OtherDepartment
from hutong.vocabulary.codes import PURPOSES, SHARING_MODES, CodeList
from hutong.vocabulary.rulebook import Rule

if TYPE_CHECKING:
    from hutong.control.identity.rules import Actor
    from hutong.control.requests.models import ShareRequest

LONGEST_TERM_DAYS: Final = 3650  # ten years; a longer need is asked for again
MOST_CALLS_PER_DAY: Final = 100_000_000

# Why a request may be refused. Stable codes: they travel to the other side and are counted by the oversight board.
REFUSALS: Final = CodeList([
    ("expressly_forbidden", "法律、行政法规或国务院决定明确规定不予共享", "law expressly forbids sharing it"),
    ("secret", "涉及国家秘密或工作秘密", "it is a state secret or a work secret"),
    ("no_statutory_duty", "申请用途不属于申请方的法定职责", "the purpose is no statutory duty of the applicant"),
    ("purpose_outside_conditions", "申请用途超出目录列明的用途", "the purpose is outside the published conditions"),
    ("scope_outside_conditions", "申请范围超出目录列明的共享范围", "the scope is outside the published conditions"),
    ("more_than_needed", "申请的信息项超出用途所需", "more items are asked for than the purpose needs"),
    ("material_missing", "一次性告知后仍未补正材料", "material is still missing after it was asked for once"),
    ("not_held", "数据不由本部门采集或保存", "the data are not held here"),
    ("withdrawn", "目录已撤销或变更", "the resource has been withdrawn"),
])  # fmt: skip


class RequestIncomplete(Rule):
    """A request must state its basis, scenario, scope, mode, term, purpose and items; missing here: {missing}."""

    zh = "共享申请应当载明使用依据、使用场景、使用范围、共享方式、使用时限、用途和信息项；缺少：{missing}。"
    code = "request_incomplete"
    status = 400
    rule = "D809-20"
    next_en = "Fill in what is missing and file it again."
    next_zh = "请补充缺少的内容后重新提交。"


class UnknownItems(Rule):
    """The resource has no item {items}."""

    zh = "该资源没有以下信息项：{items}。"
    code = "unknown_items"
    status = 400
    rule = "D809-20"
    next_en = "Take the items from the catalogue entry."
    next_zh = "请从目录中选择信息项。"


class ItemsNotShared(Rule):
    """The catalogue says these items are not shared: {items}."""

    zh = "目录载明以下信息项不予共享：{items}。"
    code = "items_not_shared"
    status = 400
    rule = "D809-14"
    next_en = "Leave them out; the entry cites what forbids sharing them."
    next_zh = "请去除这些信息项；目录条目列有不予共享的依据。"


class OwnResource(Rule):
    """This resource is published by your own node: no agreement between nodes is needed for it."""

    zh = "该资源由本节点发布，无需节点之间的共享协议。"
    code = "own_resource"
    status = 400
    rule = "D809-20"
    next_en = "Ask the department that published it."
    next_zh = "请向发布该资源的部门申请。"


class PointsUnanswered(Rule):
    """What the provider says is missing is answered point by point; still without an answer: {points}."""

    zh = "提供方一次性告知的内容应当逐项补正；尚未答复：{points}。"
    code = "points_unanswered"
    status = 400
    rule = "D809-21"
    next_en = "Answer every point, then send the request again: the provider may not ask a second time."
    next_zh = "请逐项答复后重新提交；提供方不得再次要求补正。"


class OwnSignOff(Rule):
    """You filed this request, so the head of your sharing body must sign it off, and not you."""

    zh = "该申请由您提交，应当由本部门共享工作机构负责人同意，不能由您本人同意。"
    code = "own_sign_off"
    rule = "D809-20"
    next_en = "Ask the head of your department's sharing body."
    next_zh = "请由本部门共享工作机构负责人办理。"


class RefusalWithoutReason(Rule):
    """A refusal must give a code from the list and a reason in words."""

    zh = "不同意共享的，应当给出理由代码并说明理由。"
    code = "refusal_without_reason"
    status = 400
    rule = "D809-21"
    next_en = "Choose one of: {codes}; then write the reason."
    next_zh = "请选择理由代码（{codes}）并填写理由。"


class RefusalWithoutCitation(Rule):
    """A refusal must cite the law, administrative regulation or State Council decision it rests on."""

    zh = "不同意共享的，应当列明法律、行政法规或者国务院决定依据。"
    code = "refusal_without_citation"
    status = 400
    rule = "D809-15"
    next_en = "Cite it with its article, for example: Data Security Law, article 38."
    next_zh = "请注明依据及条款，例如：《数据安全法》第三十八条。"


def missing_in(request: ShareRequest) -> list[str]:
    """Names of what article 20 wants and the request does not say, in the order of the form."""
    missing = [name for name in ("basis", "scenario", "scope") if not getattr(request, name).strip()]
    if not request.items:
        missing.append("items")
    if request.mode not in SHARING_MODES:
        missing.append("mode")
    if not 1 <= request.term_days <= LONGEST_TERM_DAYS:
        missing.append("term_days")
    if request.purpose not in PURPOSES:
        missing.append("purpose")
    if not 1 <= request.quota_calls_per_day <= MOST_CALLS_PER_DAY:
        missing.append("quota_calls_per_day")
    return missing


def check_complete(request: ShareRequest) -> None:
    """D809-20. raises   RequestIncomplete, naming everything that is missing at once"""
    if missing := missing_in(request):
        raise RequestIncomplete(missing=missing)


def check_items(asked: Collection[str], known: Collection[str]) -> None:
    """D809-20. raises   UnknownItems"""
    if unknown := [name for name in asked if name not in known]:
        raise UnknownItems(items=unknown)


def check_may_sign_off(account: Actor, request: ShareRequest) -> None:
    """D809-20. The head of the department that asks signs off, and nobody their own request.

    raises   OtherDepartment, OwnSignOff
    """
    if account.department_id != request.department_id:
        raise OtherDepartment
    if account.username == request.filed_by:
        raise OwnSignOff


def check_refusal(code: str, reason: str) -> None:
    """D809-21. The citation's form is checked in replies/laws.py. raises   RefusalWithoutReason"""
    if code not in REFUSALS or not reason.strip():
        raise RefusalWithoutReason(codes=list(REFUSALS.codes))
