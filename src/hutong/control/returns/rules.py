"""Decree 809 article 24: an area's data, held above, return to that area, on no further condition.

Rules decide and touch nothing.
"""

from __future__ import annotations

from hutong.control.statute.decisions import Facts, Law, Outcome, decider
from hutong.vocabulary.rulebook import ClockRule, Parameter, Rule
from hutong.vocabulary.sentences import Sentence

LAW = "D809-24"  # the article an agreement's terms name when the law grants it
GRANT = "return.grant"


class FurtherCondition(Rule):
    """The law grants this return to {area}: no condition, mask, narrower scope, quota or refusal may be set
    ({what})."""

    zh = "法律规定数据应当向{area}回流：不得设置额外的限制条件（{what}）。"
    code = "further_condition"
    rule = "D809-24"
    next_en = "Agree to it as it was asked. What is a state secret is no item of the catalogue."
    next_zh = "请按申请内容同意；涉及国家秘密的内容不列入目录。"


class NotItsArea(Rule):
    """{asker} lies not below this node, or {area} is not of its area: the return of its rows cannot be asked for."""

    zh = "{asker} 不是本节点的下级，或 {area} 不属于其行政区域，不能申请回流。"
    code = "not_its_area"
    rule = "D809-24"
    next_en = "Ask for your own area at a superior of yours; for anything else, file a request for sharing."
    next_zh = "请就本行政区域向上级申请回流；其他数据请提出共享申请。"


class NoAreaItem(Rule):
    """The entry does not say which item holds the area code, so no area's rows can be told apart."""

    zh = "目录未标明哪个信息项为行政区划代码，无法区分各地区的数据。"
    code = "no_area_item"
    status = 409
    rule = "D809-24"
    next_en = "Its publisher maps that item to the data element “area code” and publishes again."
    next_zh = "请提供方将该信息项对应到数据元“行政区划代码”后重新发布。"


class AnotherCondition(Rule):
    """The rows asked for are not just those of {area}."""

    zh = "申请的行条件不是仅限于 {area} 的数据。"
    code = "another_condition"
    status = 400
    rule = "D809-24"
    next_en = "Ask for the area's rows by its code."
    next_zh = "请按行政区划代码申请该区域的数据。"


class RowsOutsideArea(Rule):
    """The batch holds {count} rows that are not of {area}: it was not kept."""

    zh = "该批次含有 {count} 行不属于 {area} 的数据，未予保存。"
    code = "rows_outside_area"
    status = 422
    rule = "D809-24"
    next_en = "Tell the superior; the next batch is tried by itself."
    next_zh = "请告知上级；系统将自动重试下一批次。"


class NothingReturnedYet(Rule):
    """Nothing has been returned here yet, so there is nothing to pass on."""

    zh = "尚无回流数据，无法向下级提供。"
    code = "nothing_returned_yet"
    status = 409
    rule = "D809-24"
    next_en = "Wait for the first batch, or fetch it now: hutong return fetch"
    next_zh = "请等待首个批次，或立即获取：hutong return fetch"


class NotToPassOn(Rule):
    """{peer} delivers these rows for the agreed purpose: they are not passed on to anybody without its consent."""

    zh = "{peer} 按约定用途提供该数据，未经其同意不得提供给第三方。"
    code = "not_to_pass_on"
    rule = "D809-25"
    next_en = "Ask the provider to offer it itself, to a zone or to all members: hutong offering propose"
    next_zh = "请由提供方自行面向示范区或全体成员共享：hutong offering propose"


class ReturnOverdue(ClockRule):
    """The return of “{title}” was due by {due}, within {days} working days, and has not come complete."""

    zh = "“{title}”的数据回流应当在{days}个工作日内（{due}前）完成，现尚未完整回流。"
    code = "return_overdue"
    rule = "D809-24"
    declares = (
        Parameter(
            "days", 5, "working days", "个工作日", "house rule: article 24 says “timely”", "data authority", "any"
        ),
    )
    next_en = "See what it failed with, and tell the superior; a dispute may be opened."
    next_zh = "请查看失败原因并告知上级；可提出争议。"


class BatchDiffers(Sentence):
    """Return of “{title}”, batch {number}: {missing} rows are missing, {extra} are too many, {changed} differ."""

    zh = "“{title}”回流批次 {number}：缺少 {missing} 行，多出 {extra} 行，{changed} 行不一致。"
    code = "return_differs"


class AgreesAgain(Sentence):
    """Return of “{title}”, batch {number}: both sides hold the same {rows} rows again."""

    zh = "“{title}”回流批次 {number}：双方 {rows} 行数据已一致。"
    code = "return_agrees"


class OfferedDown(Sentence):
    """{peer} offers the return of “{title}” for the area {area}."""

    zh = "{peer} 可回流“{title}”（{area}）。"
    code = "return_offered"


class ReturnRefused(Sentence):
    """{peer} did not return “{title}”: {code}. The law allows no refusal (decree 809, article 24)."""

    zh = "{peer} 未予回流“{title}”：{code}。法律不允许拒绝（条例第二十四条）。"
    code = "return_refused"


@decider(GRANT)
def grant(facts: Facts, law: Law) -> Outcome:
    """D809-24. What is asked is the asker's own area, just its rows: then the law has agreed already.

    facts    "us", "asker", "above": who stands above the asker, "covered": whether the area is the asker's,
             "area", "area_item", "condition_is_the_area"
    """
    law.applied(FurtherCondition)
    if facts["us"] not in facts["above"] or facts["us"] == facts["asker"] or not facts["covered"]:
        return {"granted": False, "code": NotItsArea.code}
    if not facts["area_item"]:
        return {"granted": False, "code": NoAreaItem.code}
    if not facts["condition_is_the_area"]:
        return {"granted": False, "code": AnotherCondition.code}
    return {"granted": True, "code": ""}
