"""What people are told when a demand moves."""

from __future__ import annotations

from hutong.vocabulary.sentences import Sentence


class DemandArrived(Sentence):
    """A demand waits for its lead source: “{title}”, wished by {department}."""

    zh = "有需求待明确数源部门：“{title}”，需求部门：{department}。"
    code = "demand_arrived"


class DemandToMediate(Sentence):
    """A demand between two jurisdictions was handed up to you: “{title}”, wished by {department}."""

    zh = "有跨区域需求提请协调：“{title}”，需求部门：{department}。"
    code = "demand_to_mediate"


class LeadNamed(Sentence):
    """Your department was named the lead source of “{title}”: catalogue and share it by {due}."""

    zh = "您所在部门被明确为“{title}”的数源部门，请于{due}前完成编目和共享。"
    code = "lead_named"


class DemandInWork(Sentence):
    """For your demand “{title}”, {lead} was named the lead source; it is due on {due}."""

    zh = "您的需求“{title}”已明确数源部门：{lead}，应于{due}前完成。"
    code = "demand_in_work"


class DemandJoined(Sentence):
    """Your demand “{title}” is the same as one already in work, and ends together with it."""

    zh = "您的需求“{title}”与在办需求相同，已并入一并办理。"
    code = "demand_joined"


class DemandFulfilled(Sentence):
    """Your demand “{title}” is met: the resource is in the catalogue, and the request can be filed in one step."""

    zh = "您的需求“{title}”已满足：数据资源已发布，可一键提出共享申请。"
    code = "demand_fulfilled"


class DemandRefused(Sentence):
    """Your demand “{title}” ends without a resource: {reason} ({citation})."""

    zh = "您的需求“{title}”不予办理：{reason}（{citation}）。"
    code = "demand_refused"


class DemandSignOff(Sentence):
    """A demand of your department waits for your signature: “{title}”."""

    zh = "本部门有需求待您审核同意：“{title}”。"
    code = "demand_sign_off"


class DemandGone(Sentence):
    """The demand “{title}” was withdrawn by {department}."""

    zh = "需求“{title}”已由{department}撤回。"
    code = "demand_gone"


class BarredToReview(Sentence):
    """An entry for the negative list waits for your review: “{title}”, {citation}."""

    zh = "有负面清单条目待您审核：“{title}”，{citation}。"
    code = "barred_to_review"


class BarredReviewed(Sentence):
    """Your entry for the negative list, “{title}”, was {decided}."""

    zh = "您提请的负面清单条目“{title}”{decided}。"
    code = "barred_reviewed"


class TwoLeads(Sentence):
    """A data element was replaced, and two departments are lead sources of the same data now: {one} (“{title}”) and
    {other}. End the registration of one."""

    zh = "数据元已被替代，现有两个部门登记为同一数据的数源：{one}（{title}）和{other}。请终止其中一项登记。"
    code = "two_leads"
