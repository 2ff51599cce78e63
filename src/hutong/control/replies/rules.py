"""Decree 809 articles 15, 20, 21 and 22 on replies: their form, their term, who signs. Decides and touches nothing."""

from __future__ import annotations

from collections.abc import Sequence

from hutong.vocabulary.rulebook import ClockRule, Parameter, Rule, working_days

HOUSE = "the node's own rule book"


class UnconditionalReplyLate(ClockRule):
    """A request for unconditionally shared data must be answered within {days} working days, by {due}."""

    zh = "申请无条件共享的政务数据，应当自收到之日起{days}个工作日内（{due}前）答复。"
    code = "unconditional_reply_late"
    rule = "D809-21"
    declares = (working_days(1, 21),)
    next_en = "Answer it now."
    next_zh = "请立即答复。"


class ConditionalReplyLate(ClockRule):
    """A request for conditionally shared data must be answered within {days} working days, by {due}."""

    zh = "申请有条件共享的政务数据，应当自收到之日起{days}个工作日内（{due}前）答复。"
    code = "conditional_reply_late"
    rule = "D809-21"
    declares = (working_days(10, 21), working_days(10, 21, name="extension_days"))
    next_en = "Answer it now, or ask the supervisor for the one extension before it is due."
    next_zh = "请立即答复；到期前可报主管部门同意延期一次。"


class DeliveryLate(ClockRule):
    """Data agreed on must be delivered within {days} working days of the consent, by {due}."""

    zh = "同意共享的，应当自同意之日起{days}个工作日内（{due}前）共享数据。"
    code = "delivery_late"
    rule = "D809-22"
    declares = (working_days(20, 22),)
    next_en = "Start the delivery, or settle with the applicant why it cannot start."
    next_zh = "请开始交付；不能交付的，请与申请方商定。"


class SupplementAndClock(Rule):
    """Asking for missing material does not stop the clock of the reply, unless the local rule says so."""

    zh = "一次性告知补正不停止计算答复期限，本地规则另有规定的除外。"
    code = "supplement_and_clock"
    rule = "D809-21"
    declares = (Parameter("stops_clock", 0, "1 yes, 0 no", "1 是，0 否", HOUSE, "the node's operator", "any"),)


class PointsUnclear(Rule):
    """A list of missing material names for each point the field and what is wanted, each once; wrong: {points}."""

    zh = "一次性告知清单应当逐项列明字段和所需内容，且不重复；有误：{points}。"
    code = "points_unclear"
    status = 400
    rule = "D809-21"
    next_en = "Write each point completely: the list can be sent once only."
    next_zh = "请逐项填写完整，清单只能告知一次。"


class MissingNeverAsked(Rule):
    """Missing material must be told once, completely, before a request may be refused for it."""

    zh = "材料不全的，应当一次性告知申请方补正，不得直接拒绝。"
    code = "missing_never_asked"
    status = 409
    rule = "D809-21"
    next_en = "Send the complete list of what is missing first."
    next_zh = "请先一次性告知全部需补正的内容。"


class OwnReply(Rule):
    """A reply needs the signature of the head of the sharing body, and nobody signs what they proposed themselves."""

    zh = "答复应当经本部门共享工作机构负责人同意；拟办人不得签批本人拟办的答复。"
    code = "own_reply"
    rule = "D809-20"
    declares = (Parameter("by_rule_without_head", 1, "1 yes, 0 no", "1 是，0 否", HOUSE, "the node's operator", "any"),)
    next_en = "Ask the head of your department's sharing body."
    next_zh = "请由本部门共享工作机构负责人签批。"


class ReplyWaits(Rule):
    """A proposed reply to this request waits for the head of the sharing body already."""

    zh = "该申请已有拟办答复，正待共享工作机构负责人签批。"
    code = "reply_waits"
    status = 409
    rule = "D809-20"
    next_en = "Let the head sign it or send it back first."
    next_zh = "请先由负责人签批或退回。"


class CitationNotInForm(Rule):
    """A citation names a law and its article, as in 《政务数据共享条例》第十四条 or: Data Security Law, article 38."""

    zh = "依据应当写明法律、法规名称和条款，例如：《政务数据共享条例》第十四条。"
    code = "citation_not_in_form"
    status = 400
    rule = "D809-15"
    next_en = "Choose the law from the list and give the article, or write it in this form."
    next_zh = "请从清单中选择并填写条款，或按此格式填写。"


class ArticleNotInLaw(Rule):
    """{title} has no article {article}."""

    zh = "《{title}》没有第{article}条。"
    code = "article_not_in_law"
    status = 400
    rule = "D809-15"
    next_en = "Correct the article."
    next_zh = "请更正条款。"


def check_signer(username: str, proposed_by: str) -> None:
    """D809-20. raises   OwnReply"""
    if username == proposed_by:
        raise OwnReply


def check_points(points: Sequence[tuple[str, str]], fields: Sequence[str]) -> None:
    """D809-21. Each point is a known field and what is wanted of it.

    raises   PointsUnclear
    """
    wrong = [str(place) for place, (field, wanted) in enumerate(points, 1) if field not in fields or not wanted.strip()]
    if wrong or not points or len(set(points)) != len(points):
        raise PointsUnclear(points=wrong or ["-"])


def check_was_asked(code: str, *, asked_before: bool) -> None:
    """D809-21. raises   MissingNeverAsked"""
    if code == "material_missing" and not asked_before:
        raise MissingNeverAsked
