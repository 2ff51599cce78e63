"""What decree 809 lets supervision hold against whom (articles 39 to 41): each as a measure that can be recounted.

The decree's lists are about failures; a measure says how often one happened among how many cases. Item numbers stand
where the text names them.
"""

from __future__ import annotations

from typing import ClassVar, Literal

from hutong.vocabulary.rulebook import Parameter, Rule

Side = Literal["provider", "requester", "supervisor"]


class ScoreRule(Rule):
    """A failure that supervision counts."""

    zh = "监督事项。"
    code: ClassVar[str] = "score"
    side: ClassVar[Side]
    article: ClassVar[str]  # with its item where the text names one
    title_en: ClassVar[str]
    title_zh: ClassVar[str]


class LateReplies(ScoreRule):
    """Of the requests whose reply fell due in the period, those not replied to by their statutory day."""

    zh = "期间内应当答复的共享申请中，未在法定期限内答复的申请。"
    code = "late_replies"
    rule = "D809-39"
    side, article = "provider", "39"
    title_en, title_zh = "Late replies", "逾期答复"


class LateDeliveries(ScoreRule):
    """Of the agreed requests whose delivery fell due in the period, those not delivered within twenty working days."""

    zh = "期间内应当提供的已同意申请中，未在同意之日起二十个工作日内提供数据的申请。"
    code = "late_deliveries"
    rule = "D809-39"
    side, article = "provider", "39(4)"
    title_en, title_zh = "Late deliveries", "逾期提供"


class NoReturnFlow(ScoreRule):
    """Of the returns of data to lower areas that fell due in the period, those not made in time or not complete."""

    zh = "期间内应当向下级回流的数据中，未按时、未完整回流的事项。"
    code = "no_return_flow"
    rule = "D809-39"
    side, article = "provider", "39(5)"
    title_en, title_zh = "Return flow not made", "未按要求回流"


class LateCorrections(ScoreRule):
    """Of the correction reports whose reply fell due in the period, those not verified and replied to in time."""

    zh = "期间内应当办结的校核申请中，未在法定期限内核实、更正并反馈的申请。"
    code = "late_corrections"
    rule = "D809-39"
    side, article = "provider", "39"
    title_en, title_zh = "Late corrections", "逾期校核"


class CatalogueLate(ScoreRule):
    """Of the changes whose filing in the catalogue fell due in the period, those not filed in time."""

    zh = "期间内应当报送的目录变更中，未在法定期限内报送更新的变更。"
    code = "catalogue_late"
    rule = "D809-39"
    side, article = "provider", "39"
    title_en, title_zh = "Catalogue not updated in time", "目录未及时更新"


class RefusalsWithoutCitation(ScoreRule):
    """Of the requests refused in the period, those without a legal citation. The node lets none pass (article 21), so
    anything but 0 means that its records were changed."""

    zh = "期间内被拒绝的共享申请中，未列明法律依据的申请。节点不允许无依据拒绝（第二十一条），非零即表明记录被改动。"
    code = "refusals_without_citation"
    rule = "D809-39"
    side, article = "provider", "39"
    title_en, title_zh = "Refusals without a citation", "拒绝未列明依据"


class StaleResources(ScoreRule):
    """Of the published resources that can be held against their update cycle, those behind it, and those whose source
    does not answer."""

    zh = "已发布且可按更新周期检查的数据资源中，超过更新周期未更新的，以及数据源无应答的资源。"
    code = "stale_resources"
    rule = "D809-39"
    side, article = "provider", "39"
    title_en, title_zh = "Stale resources", "数据过期的资源"


class RepeatCollection(ScoreRule):
    """Of the data sets published in the period, for the first time or with other data elements, and of the demands
    signed off, those for data that another department shares already, for the same area and as the lead source."""

    zh = "期间内首次发布（含数据元变化）的数据资源和经同意提出的数据需求中，同一区域数源部门已共享而仍重复采集的事项。"
    code = "repeat_collection"
    rule = "D809-40"
    side, article = "requester", "40"
    title_en, title_zh = "Repeat collection", "重复采集"


class OverUse(ScoreRule):
    """Of the reads of shared data in the period, those refused because they went beyond the agreement: another purpose,
    further items, or more than the quota."""

    zh = "期间内对共享数据的读取中，因超出协议约定的目的、信息项或额度而被拒绝的读取。"
    code = "over_use"
    rule = "D809-40"
    side, article = "requester", "40"
    title_en, title_zh = "Use beyond the agreement", "超范围使用"


class NoUseRecord(ScoreRule):
    """Of the reads of shared data in the period, those for which the department has no case number in its register."""

    zh = "期间内对共享数据的读取中，使用登记簿没有办件编号的读取。"
    code = "no_use_record"
    rule = "D809-40"
    side, article = "requester", "40"
    title_en, title_zh = "Use without a record", "无使用记录"


class NoDisposalProof(ScoreRule):
    """Of the disposals of shared data that fell due in the period, those not proven in time."""

    zh = "期间内应当处置的共享数据中，未按时提交处置证明的事项。"
    code = "no_disposal_proof"
    rule = "D809-40"
    side, article = "requester", "40"
    title_en, title_zh = "Disposal not proven", "未提交处置证明"


class NoLeadSource(ScoreRule):
    """Of the data collected by several departments whose lead source was to be named in the period, those without."""

    zh = "期间内应当明确数源部门的数据中，主管部门未按时明确的事项。"
    code = "no_lead_source"
    rule = "D809-41"
    side, article = "supervisor", "41"
    title_en, title_zh = "No lead source named", "未明确数源部门"


class LateReviews(ScoreRule):
    """Of the catalogue submissions whose review fell due in the period, those not reviewed within the term."""

    zh = "期间内应当审核的目录提请中，主管部门未在法定期限内审核的提请。"
    code = "late_reviews"
    rule = "D809-41"
    side, article = "supervisor", "41"
    title_en, title_zh = "Late reviews", "逾期审核"


class NoMediation(ScoreRule):
    """Of the disputes brought before the supervisor to be handled in the period, those not handled in time."""

    zh = "期间内应当协调处理的共享争议中，主管部门未按时处理的争议。"
    code = "no_mediation"
    rule = "D809-41"
    side, article = "supervisor", "41"
    title_en, title_zh = "Disputes not handled", "争议未协调处理"


class SmallCell(Rule):
    """A number of cases below {fewest} is published as “fewer than {fewest}”."""

    zh = "少于 {fewest} 件的数量，公开时以“少于 {fewest} 件”表示。"
    code = "small_cell"
    rule = "O-1"
    declares = (Parameter("fewest", 5, "cases", "件", "statistical disclosure practice", "supervisor", local="any"),)
    next_en = "The supervisor sees the number itself."
    next_zh = "主管部门可查看具体数量。"


class MonthOpen(Rule):
    """The month {month} cannot be closed before {day}: late messages may still belong to it."""

    zh = "{month} 在 {day} 之前不能封账：可能仍有属于该月的消息未到达。"
    code = "month_open"
    rule = "O-2"
    status = 409
    declares = (Parameter("grace_days", 3, "days", "天", "house rule", "supervisor", local="any"),)
    next_en = "Wait for that day; the node closes the month by itself."
    next_zh = "请等待；届时节点自动封账。"


class StatementStands(Rule):
    """The month {month} is closed; a signed statement is never made a second time."""

    zh = "{month} 已封账，已签署的报表不会重新生成。"
    code = "statement_stands"
    rule = "O-3"
    status = 409
    next_en = "Verify it: what differs from a recount is listed there."
    next_zh = "请核验报表：与重新统计不一致之处会逐一列出。"
