"""Decree 809 article 28: who may say what in a dispute, and within which term. Decides and touches nothing.

The decree names the order (the parties, the common superior, that level's government) and no term; the terms here are
the house's, and a node may set others.
"""

from __future__ import annotations

from hutong.vocabulary.rulebook import ClockRule, Parameter, Rule

SHORTEST_CITATION = 4  # characters


def _days(value: int) -> tuple[Parameter, ...]:
    source = "house rule: decree 809, article 28, names no term"
    return (Parameter("days", value, "working days", "个工作日", source, "data authority", local="any"),)


class NegotiationOverdue(ClockRule):
    """The parties did not settle this by {due}, within {days} working days: it goes to their nearest common
    superior."""

    zh = "双方未能在{days}个工作日内（{due}前）会商一致，应当提请最近的共同上级主管部门处理。"
    code = "negotiation_overdue"
    rule = "D809-28"
    role = "head"
    declares = _days(10)
    next_en = "It is escalated by rule; add what the common superior should know."
    next_zh = "系统已按规则提请上级；请补充需要上级了解的情况。"


class DecisionOverdue(ClockRule):
    """The common superior's data authority did not decide by {due}, within {days} working days: it goes to that
    level's government."""

    zh = "共同上级主管部门未能在{days}个工作日内（{due}前）作出决定，应当报请本级人民政府决定。"
    code = "decision_overdue"
    rule = "D809-28"
    role = "supervisor"
    declares = _days(20)
    next_en = "Record what the government decides."
    next_zh = "请记录本级人民政府的决定。"


class CoordinationOverdue(ClockRule):
    """The government's decision was due on {due}, within {days} working days, and is not recorded."""

    zh = "本级人民政府的决定应当在{days}个工作日内（{due}前）作出，现已逾期。"
    code = "coordination_overdue"
    rule = "D809-28"
    role = "supervisor"
    declares = _days(20)


class ExecutionOverdue(ClockRule):
    """What was decided was to be carried out by {due}, within {days} working days, and is not."""

    zh = "协调决定应当在{days}个工作日内（{due}前）执行，现已逾期。"
    code = "execution_overdue"
    rule = "D809-28"
    role = "head"
    declares = _days(10)


class NotAParty(Rule):
    """{node} is no party of this dispute and may not say {kind} in it."""

    zh = "{node} 不是本争议的当事方，不能提交“{kind}”。"
    code = "not_a_party"
    rule = "D809-28"
    next_en = "Only the two parties, their mediator and their common superior take part."
    next_zh = "只有争议双方、调解方和共同上级可以参与。"


class NotTheForum(Rule):
    """{node} does not stand above both parties, so it may not decide between {claimant} and {respondent}."""

    zh = "{node} 不是 {claimant} 与 {respondent} 的共同上级，不能就其争议作出决定。"
    code = "not_the_forum"
    rule = "D809-28"
    next_en = "The nearest common superior in the administrative tree decides."
    next_zh = "由行政区划树中最近的共同上级决定。"


class OnlyMediates(Rule):
    """A region's office may mediate between the parties before their superior decides; it decides nothing."""

    zh = "区域机构可以在上级决定前进行调解，不能作出决定。"
    code = "only_mediates"
    rule = "D809-28"
    next_en = "Record the minutes of the mediation; a party brings the dispute to the common superior."
    next_zh = "请记录调解纪要；由当事方提请共同上级处理。"


class StepNotPossible(Rule):
    """This dispute is {state} at level {level}: {kind} is not possible now."""

    zh = "本争议处于第{level}级“{state}”，此时不能“{kind}”。"
    code = "step_not_possible"
    status = 409
    rule = "D809-28"
    next_en = "Read the papers of the dispute: another one may have come in between."
    next_zh = "请查看争议材料：其间可能已收到新的材料。"


class OwnProposal(Rule):
    """Your side made this proposal, so the other side must accept it."""

    zh = "该方案由贵方提出，应当由对方同意。"
    code = "own_settlement"
    rule = "D809-28"
    next_en = "Wait for the other side, or bring the dispute to the common superior."
    next_zh = "请等待对方答复，或提请共同上级处理。"


class DecisionWithoutGrounds(Rule):
    """A decision gives its reasons and the provision it rests on."""

    zh = "决定应当说明理由并列明依据。"
    code = "decision_without_grounds"
    status = 400
    rule = "D809-28"
    next_en = "Write the reasons, and cite the provision with its article."
    next_zh = "请写明理由，并注明依据及条款。"


class BeyondTheDispute(Rule):
    """This dispute is not about what the decision would do: {effect}."""

    zh = "决定事项超出本争议的范围：{effect}。"
    code = "beyond_the_dispute"
    status = 400
    rule = "D809-28"
    next_en = "Choose among what the dispute is about, or decide that nothing follows."
    next_zh = "请在争议事项范围内选择，或决定不采取措施。"


class NotCorrected(Rule):
    """The outcome of the dispute says that the record must be corrected; its report was answered otherwise:
    {finding}."""

    zh = "争议结果要求更正该记录，但校核已答复为：{finding}。"
    code = "not_corrected"
    status = 409
    rule = "D809-28"
    next_en = "Try again: the report opens anew. Correct the record, and answer that it is corrected."
    next_zh = "请重试以重新打开校核，更正记录后答复“已更正”。"


class DoneByTheTicket(Rule):
    """This duty is done when the report {ticket} is answered with a correction, and not by word."""

    zh = "该执行事项以校核 {ticket} 答复“已更正”为准，不能仅凭说明办结。"
    code = "done_by_the_ticket"
    status = 409
    rule = "D809-28"
    next_en = "Correct the record in its source, and answer the report."
    next_zh = "请在数据源中更正记录并答复校核。"


class BadPaper(Rule):
    """This paper of a dispute cannot be accepted: {reason}."""

    zh = "该争议材料无法接受：{reason}。"
    code = "bad_paper"
    status = 422
    rule = "D809-28"
    next_en = "The node where it was made must sign it with a key of the directory and send it again."
    next_zh = "请由制作该材料的节点以名录中的密钥签名后重新发送。"


def check_grounds(text: str, citation: str) -> None:
    """raises   DecisionWithoutGrounds"""
    if not text.strip() or len(citation.strip()) < SHORTEST_CITATION:
        raise DecisionWithoutGrounds
