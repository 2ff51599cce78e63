"""The rules of the three lists: what a demand must say, one source for one kind of data, and what may be barred.

Decree 809 articles 14, 15 and 19; the Shanghai Data Regulation (上海市数据条例) articles 38 and 39, whose terms another
jurisdiction sets for itself. Decides and touches nothing.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import date
from typing import Final

from hutong.vocabulary.canonical import canonical_digest
from hutong.vocabulary.codes import CodeList
from hutong.vocabulary.rulebook import ClockRule, Parameter, Rule

SHANGHAI_DATA = date(2022, 1, 1)  # the regulation is in force from
MOST_ITEMS: Final = 60  # of one demand or duty
SHORTEST_ARTICLE: Final = 2  # characters: "§2" is one, "x" is not

FORBIDDEN: Final = "expressly_forbidden"  # of a demand, and of a request
# Why a demand may end without a resource. Stable codes: they travel, and the oversight board counts them.
REFUSALS: Final = CodeList([
    (FORBIDDEN, "法律、行政法规或国务院决定明确规定不予共享", "law expressly forbids sharing it"),
    ("secret", "涉及国家秘密或工作秘密", "it is a state secret or a work secret"),
    ("no_statutory_duty", "用途不属于需求方的法定职责", "the purpose is no statutory duty of the demander"),
    ("not_collected", "没有部门依法采集该数据", "no department collects it by law"),
    ("shared_already", "已有数据资源可满足该需求", "a resource that is shared already does"),
])  # fmt: skip
# Decree 809 article 14: nothing below these may keep data from being shared.
INSTRUMENTS: Final = CodeList([
    ("law", "法律", "law"),
    ("regulation", "行政法规", "administrative regulation"),
    ("decision", "国务院决定", "State Council decision"),
])  # fmt: skip


class DemandIncomplete(Rule):
    """A demand must state what the data is for, its legal basis, scope, purpose and at least one item; missing here:
    {missing}."""

    zh = "需求应当载明使用场景、使用依据、使用范围、用途和至少一个信息项；缺少：{missing}。"
    code = "demand_incomplete"
    status = 400
    rule = "D809-20"
    next_en = "Fill in what is missing and file it again."
    next_zh = "请补充缺少的内容后重新提交。"


class InCatalogue(Rule):
    """The catalogue has these data already, as {title}: request them, or say why that does not do."""

    zh = "目录中已有该数据（{title}）：请直接申请共享，或说明为何不能满足。"
    code = "in_catalogue"
    status = 409
    rule = "SHDR-39"
    since = SHANGHAI_DATA
    next_en = "Request {resource}, or file the demand again with the reason."
    next_zh = "请申请资源 {resource}，或填写理由后重新提交需求。"


class OwnDemand(Rule):
    """You filed this demand, so the head of your sharing body must sign it off, and not you."""

    zh = "该需求由您提交，应当由本部门共享工作机构负责人同意，不能由您本人同意。"
    code = "own_demand"
    rule = "D809-20"
    next_en = "Ask the head of your department's sharing body."
    next_zh = "请由本部门共享工作机构负责人办理。"


class LeadKnown(Rule):
    """There is a lead source of these data already: {department}, “{title}”; several collectors have one lead
    source."""

    zh = "该数据已有数源部门：{department}（{title}）。一数一源，不得重复采集。"
    code = "lead_known"
    status = 409
    rule = "D809-19"
    next_en = "Ask it to provide the data, or end its registration as lead source first."
    next_zh = "请由该部门提供，或先终止其数源登记。"


class CollectedAgain(Rule):
    """What sharing gives is not collected again: another department shares {share} % or more of these data elements,
    for the same area and as their lead source."""

    zh = "能够通过共享获取的数据不得重复采集：其他部门作为数源部门，已在同一区域共享其中{share}%以上的数据元。"
    code = "collected_again"
    status = 409
    rule = "D809-19"
    declares = (Parameter("share", 50, "percent", "%", "decree 809, article 19, which names no share", "node", "any"),)
    next_en = "Request the data from the lead source."
    next_zh = "请向数源部门申请共享。"


class DemandRefusedBare(Rule):
    """A demand ends with a published resource, or with a reason from the list, in words and with its provision;
    missing: {missing}."""

    zh = "需求应当以发布数据资源办结，或者列明理由代码、理由和依据后不予办理；缺少：{missing}。"
    code = "demand_refused_bare"
    status = 400
    rule = "D809-15"
    next_en = "Choose the reason, write it down, and cite the provision with its article."
    next_zh = "请选择理由代码，填写理由，并注明依据及条款。"


class NotFulfilled(Rule):
    """The resource does not have all that was wished; missing data elements: {elements}."""

    zh = "该资源未包含需求中的全部数据元；缺少：{elements}。"
    code = "not_fulfilled"
    status = 409
    rule = "SHDR-39"
    since = SHANGHAI_DATA
    next_en = "Map its items to these data elements and publish it again, or name another resource."
    next_zh = "请将信息项关联到上述数据元后重新发布，或选择其他资源。"


class CitationNotExpress(Rule):
    """Only a law, an administrative regulation or a State Council decision may bar sharing, and only expressly: name it
    and its article ({missing})."""

    zh = "只有法律、行政法规或者国务院决定明确规定的，方可不予共享：请注明名称和条款（{missing}）。"
    code = "citation_not_express"
    status = 400
    rule = "D809-14"
    next_en = "Cite the provision, for example: law, Statistics Law, article 9."
    next_zh = "请注明依据，例如：法律，《统计法》，第九条。"


class OwnReview(Rule):
    """You proposed this entry, so another person must review it."""

    zh = "该条目由您提出，应当由他人审核。"
    code = "own_review"
    rule = "D809-14"
    next_en = "Ask the supervisor to review it."
    next_zh = "请由主管部门审核。"


class BarredIsShared(Rule):
    """The negative list bars this from sharing, by {citation}: {what} cannot be published as shared."""

    zh = "负面清单规定不予共享（{citation}）：{what}不能以共享方式发布。"
    code = "barred_is_shared"
    status = 422
    rule = "SHDR-38"
    since = SHANGHAI_DATA
    next_en = "Set it to “not shared”, or have the supervisor end the entry of the list."
    next_zh = "请设为不予共享，或由主管部门移出负面清单。"


class NotListed(Rule):
    """Sharing is the rule, and only the negative list is the exception: {what} is not on it, so it cannot be
    withheld."""

    zh = "以共享为原则、不共享为例外：{what}不在负面清单上，不得列为不予共享。"
    code = "not_listed"
    status = 422
    rule = "SHDR-38"
    since = SHANGHAI_DATA
    next_en = "Propose it for the negative list with its provision; the supervisor reviews it."
    next_zh = "请注明依据提请列入负面清单，由主管部门审核。"


class ForbiddenNotListed(Rule):
    """A refusal because law forbids sharing must rest on an entry of the negative list, and none covers {what}."""

    zh = "以法律法规明确禁止为由不同意的，应当对应负面清单条目；没有条目涵盖{what}。"
    code = "forbidden_not_listed"
    status = 422
    rule = "D809-15"
    next_en = "Have the entry listed first, or choose the reason that is true."
    next_zh = "请先列入负面清单，或选择符合实际的理由。"


class LeadUnnamed(ClockRule):
    """“{title}” waits for its lead source since {received}; it was to be named within {days} working days, by {due}."""

    zh = "需求“{title}”自{received}起等待明确数源部门，应当在{days}个工作日内（{due}前）明确，现已逾期。"
    code = "lead_unnamed"
    rule = "D809-19"
    role = "supervisor"
    declares = (
        Parameter("days", 10, "working days", "个工作日", "decree 809, article 19, which sets no term", "node", "any"),
    )


class SourceOverdue(ClockRule):
    """The lead source of “{title}” was named on {received}; the data were to be catalogued and shared within {days}
    working days, by {due}."""

    zh = "“{title}”的数源部门于{received}明确，应当在{days}个工作日内（{due}前）完成编目和共享，现已逾期。"
    code = "source_overdue"
    rule = "SHDR-39"
    since = SHANGHAI_DATA
    role = "officer"
    declares = (
        Parameter("days", 15, "working days", "个工作日", "Shanghai Data Regulation, article 39", "node", "any"),
    )


class ListOverdue(ClockRule):
    """The list “{title}” was published on {received} and is to be brought up to date every {days} working days; it was
    due on {due}."""

    zh = "{title}于{received}发布，应当每{days}个工作日更新一次（{due}前），现已逾期。"
    code = "list_overdue"
    rule = "SHDR-38"
    since = SHANGHAI_DATA
    role = "steward"
    declares = (
        Parameter("days", 60, "working days", "个工作日", "zone agreement of 2022: “periodically”", "node", "any"),
    )


def missing_in(**texts: str) -> list[str]:
    """The names of empty texts, in their order."""
    return [name for name, text in texts.items() if not text.strip()]


def twins_of(elements: Collection[str], purpose: str, area_code: str) -> str:
    """The same for two demands of the same elements, purpose and area; "" where no element is named: words alone are
    no proof that two departments mean the same."""
    return canonical_digest([sorted(set(elements)), purpose, area_code]) if elements else ""


def leads_of(origin: str, elements: Collection[str], area_code: str) -> str | None:
    """The same for one jurisdiction's lead sources of the same elements and area; None where no element is named."""
    return canonical_digest([origin, sorted(set(elements)), area_code]) if elements else None


def enough_of(elements: int, share: int) -> int:
    """How many of so many data elements are that share of them, in percent; one at least."""
    return max(1, -(-elements * share // 100))


def check_may_sign_off(username: str, filed_by: str) -> None:
    """raises   OwnDemand"""
    if username == filed_by:
        raise OwnDemand


def check_refusal(code: str, reason: str, citation: str) -> None:
    """raises   DemandRefusedBare naming what is missing"""
    missing = missing_in(reason=reason, citation=citation)
    if code not in REFUSALS:
        missing.insert(0, "code")
    if missing:
        raise DemandRefusedBare(missing=missing)


def check_citation(kind: str, instrument: str, article: str) -> None:
    """raises   CitationNotExpress naming what is missing"""
    missing = missing_in(instrument=instrument)
    if kind not in INSTRUMENTS:
        missing.insert(0, "kind")
    if len(article.strip()) < SHORTEST_ARTICLE:
        missing.append("article")
    if missing:
        raise CitationNotExpress(missing=missing)
