"""The publish gate: what decree 809 and the national template demand of an entry. Decides and touches nothing.

Every rule is a class: its docstring is the sentence people see, `rule` the article. `findings` collects all that
fail, so that an officer learns everything at once; a missing field is named in the words of the form.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date, timedelta
from typing import Any

from hutong.control.catalogue.fields import ITEM_FIELDS, MOST_ITEMS, RESOURCE_FIELDS, Field
from hutong.control.catalogue.models import Attribute, Item, Resource
from hutong.control.catalogue.secrecy import SecretItem, label
from hutong.control.statute.decisions import Facts, Law, Outcome, decider
from hutong.vocabulary.codes import strictest
from hutong.vocabulary.errors import Language, Refused
from hutong.vocabulary.rulebook import ClockRule, Parameter, Rule, working_days
from hutong.vocabulary.sentences import Sentence


class GateRule(Rule):
    """The entry does not satisfy a rule of the catalogue."""

    zh = "该条目不符合目录规则。"
    code = "gate_rule"
    status = 422
    next_en = "Complete the description and submit it again."
    next_zh = "请完善目录描述后重新提请发布。"


class FieldMissing(GateRule):
    """The field {name} ({field}) is missing."""

    zh = "缺少字段：{name_zh}（{field}）。"
    code = "field_missing"
    rule = "D809-13"


class ItemFieldMissing(FieldMissing):
    """The item {item} has no {name}."""

    zh = "信息项 {item} 缺少{name_zh}。"
    code = "item_field_missing"


class NoItems(GateRule):
    """The entry has no items (items)."""

    zh = "缺少数据项（items）。"
    code = "no_items"
    rule = "D809-13"


class SecrecyNotSignedOff(GateRule):
    """Nobody has signed off the assessment of secrecy and of personal information (sign_off)."""

    zh = "保密风险和个人信息保护影响评估尚未经部门负责人审核同意（sign_off）。"
    code = "secrecy_not_signed_off"
    rule = "D809-12"
    next_en = "Let the department's head sign it off: hutong resource sign-off DIR ID"
    next_zh = "请部门负责人审核同意：hutong resource sign-off DIR ID"


class RefusedWithoutCitation(GateRule):
    """Sharing of {what} may be refused only where a law, an administrative regulation or a State Council decision
    says so expressly: cite it (legal_citation)."""

    zh = "{what}列为不予共享，须有法律、行政法规或国务院决定的明确规定：请注明依据（legal_citation）。"
    code = "refused_without_citation"
    rule = "D809-14"


class ConditionsMissing(GateRule):
    """Conditional sharing must state its scope (conditions)."""

    zh = "有条件共享须列明共享范围（conditions）。"
    code = "conditions_missing"
    rule = "D809-15"


class PurposesMissing(GateRule):
    """Conditional sharing must state the purposes it may serve (permitted_purposes)."""

    zh = "有条件共享须列明用途（permitted_purposes）。"
    code = "purposes_missing"
    rule = "D809-15"


class OwnConditions(GateRule):
    """Unconditional sharing is for all departments: no scope and no purposes may be set ({field})."""

    zh = "无条件共享面向所有部门，不得自行增设条件（{field}）。"
    code = "own_conditions"
    rule = "D809-15"


class NoLiveSource(GateRule):
    """No source is attached that answers now: {reason}"""

    zh = "没有挂接可用的数据源：{reason_zh}"
    code = "no_live_source"
    rule = "CAT-1"  # national template: an entry is linked to its information system and a live resource


class ItemNotInSource(GateRule):
    """The source no longer has these items, or has them with another type: {items}."""

    zh = "数据源已没有以下信息项，或其类型已变：{items}。"
    code = "item_not_in_source"
    rule = "CAT-2"


class PublishRefused(Rule):
    """The entry cannot be published yet."""

    zh = "该条目暂不能发布。"
    code = "publish_refused"
    rule = "D809-13"
    status = 422
    next_en = "Complete what is named and submit it again."
    next_zh = "请补充上述内容后重新提请发布。"

    def __init__(self, findings: Sequence[Refused] = ()) -> None:
        self.findings = tuple(findings)
        super().__init__(
            missing=[field_of(one) for one in findings], rules=sorted({one.rule or "" for one in findings})
        )

    def say(self, language: Language = "en") -> str:
        sentences = ("" if language == "zh" else " ").join(one.say(language) for one in self.findings)
        return super().say(language) + (sentences if language == "zh" or not sentences else " " + sentences)

    def problem(self) -> dict[str, Any]:
        return super().problem() | {"findings": [one.problem() for one in self.findings]}


class ChangeNotFiled(ClockRule):
    """{title}: the change of {received} was to be filed within {days} working days, by {due}, and is not."""

    zh = "{title}：{received}的目录变更应当在{days}个工作日内（{due}前）报送，现已逾期。"
    code = "change_filing"
    rule = "D809-17"
    role = "officer"
    declares = (working_days(10, 17), working_days(5, 17, name="extension_days"))
    next_en = "Submit the changed description now."
    next_zh = "请立即提请发布变更后的目录描述。"


class ReviewNotDone(ClockRule):
    """{title}: submitted on {received}, to be reviewed within {days} working days, by {due}, and it is not."""

    zh = "{title}：{received}送审，应当在{days}个工作日内（{due}前）完成审核，现已逾期。"
    code = "review"
    rule = "D809-17"
    role = "supervisor"
    declares = (working_days(2, 17),)
    next_en = "Review it now: publish it, or send it back with every point."
    next_zh = "请立即审核：予以发布，或一次性列明全部意见后退回。"


class StaleData(Rule):
    """{title}: the update cycle is {cycle}, and the source has not changed since {changed_on}."""

    zh = "{title}：更新频率为{cycle}，而数据源自 {changed_on} 起未更新。"
    code = "stale_data"
    rule = "CAT-3"
    status = 409
    declares = tuple(
        Parameter(name, days, "days", "天", "national template, update cycle", "data authority", local="any")
        for name, days in (
            ("real_time", 1),
            ("daily", 1),
            ("weekly", 7),
            ("monthly", 31),
            ("quarterly", 92),
            ("half_yearly", 184),
            ("yearly", 366),
        )
    )
    next_en = "Bring the source up to date, or describe the cycle as it is."
    next_zh = "请更新数据源，或如实修改更新频率。"


@decider("catalogue.freshness")
def freshness(facts: Facts, law: Law) -> Outcome:
    """Until which day a resource keeps to its cycle. Irregular and other cycles promise no day, so none is said.

    facts   cycle: the update cycle's name; changed_on: the day the source last changed
    """
    if facts["cycle"] not in MEASURED.values():
        return {"fresh_until": None}
    limit = law.parameter(StaleData, facts["cycle"])
    last = date.fromisoformat(facts["changed_on"]) + timedelta(days=limit)
    return {"fresh_until": last.isoformat(), "days": limit}


# The cycles of the national template that promise a day. The others (1 irregular, 9 other) promise none.
MEASURED = {
    "2": "real_time",
    "3": "daily",
    "4": "weekly",
    "5": "monthly",
    "6": "quarterly",
    "7": "half_yearly",
    "8": "yearly",
}


class OwnSubmission(Rule):
    """You submitted this, so another person must review it."""

    zh = "该送审件由您提交，须由他人审核。"
    code = "own_submission"
    rule = "D809-16"
    next_en = "Ask another supervisor to review it."
    next_zh = "请由主管部门其他人员审核。"


class ReturnWithoutPoints(Rule):
    """A description is sent back with what is to be changed, all of it at once: 1 to {most} points."""

    zh = "退回目录须一次性列明全部需要修改之处：1 至 {most} 条意见。"
    code = "return_without_points"
    rule = "D809-16"
    status = 422
    next_en = "Name each field and what is wrong with it."
    next_zh = "请逐项列明字段及问题。"


class Submitted(Sentence):
    """{title}: submitted by {by}, to be reviewed."""

    zh = "{title}：{by} 已提请发布，请审核。"
    code = "resource_submitted"


class SentBack(Sentence):
    """{title}: sent back by the supervisor with {points} points. {reason}"""

    zh = "{title}：主管部门已退回，意见 {points} 条。{reason}"
    code = "resource_sent_back"


class Published(Sentence):
    """{title}: version {version} is published."""

    zh = "{title}：第 {version} 版已发布。"
    code = "resource_published"


class SourceChanged(Sentence):
    """{title}: the source no longer has {items}, or has them with another type. Agreements that need them are not
    served until it is put right."""

    zh = "{title}：数据源已没有信息项 {items}，或其类型已变。恢复之前，涉及这些信息项的共享协议暂不提供数据。"
    code = "source_changed"


class SourceRestored(Sentence):
    """{title}: the source has all described items again, and is served."""

    zh = "{title}：数据源已恢复全部信息项，可正常提供数据。"
    code = "source_restored"


class CodeTaken(Refused):
    """The catalogue code {code} belongs to another resource of this node."""

    zh = "目录代码 {code} 已用于本节点的其他数据资源。"
    code = "code_taken"
    status = 409
    next_en = "Leave the code empty: one is given at submission."
    next_zh = "请将代码留空，提请发布时自动赋码。"


class AlreadySubmitted(Refused):
    """This description is before the supervisor already."""

    zh = "该目录已送主管部门审核。"
    code = "already_submitted"
    status = 409
    next_en = "Wait for the review, or take it back."
    next_zh = "请等待审核结果，或先撤回送审。"


class UnderReview(Refused):
    """This description is before the supervisor, who reads it as it stands; it cannot be changed now."""

    zh = "该目录正由主管部门审核，审核期间不得修改。"
    code = "under_review"
    status = 409
    next_en = "Take it back first, change it, and submit it again."
    next_zh = "请先撤回送审，修改后重新提请发布。"


class AlreadyWithdrawn(Refused):
    """The entry was withdrawn already."""

    zh = "该条目已撤回。"
    code = "already_withdrawn"
    status = 409
    next_en = "Draft a new resource from the source to publish it anew."
    next_zh = "如需重新发布，请从数据源新建目录草稿。"


def effective_attribute(declared: str, items: Sequence[Item]) -> str:
    """The resource's attribute: the strictest of what is declared and of the items that may be shared at all.

    An item that is not shared stays out of every agreement; it does not bar the others. Where no item may be shared,
    neither may the resource. Items without an attribute of their own follow the resource.
    """
    own = [item.attribute for item in items if item.attribute]
    shared = [attribute for attribute in own if attribute != Attribute.REFUSED]
    if items and len(own) == len(items) and not shared:
        return str(Attribute.REFUSED)
    return strictest([declared, *shared])


def item_attribute(item: Item, resource: Resource) -> str:
    """An item's attribute: its own, or the resource's."""
    return item.attribute or resource.attribute


def effective_grade(items: Sequence[Item]) -> int:
    """The resource's grade, 1 to 4: that of its strictest item."""
    return max((item.grade for item in items), default=1)


def findings(
    resource: Resource,
    items: Sequence[Item],
    unavailable: Refused | None = None,
    listed: Sequence[Refused] = (),
) -> list[Refused]:
    """Everything that stands between a description and its publication, in the order of the form.

    items          in their order
    unavailable    why the source does not answer, where it does not
    listed         where it and the negative list disagree (demands/barring.py)
    """
    found: list[Refused] = [*_secrets(resource, items)]
    if not resource.secrecy_checked_by:
        found.append(SecrecyNotSignedOff())
    found += _missing_fields(resource)
    found += _items(items)
    found += [*_attribute_rules(resource, items), *listed]
    if unavailable is not None:
        found.append(unavailable)
    return found


def check_may_publish(
    resource: Resource,
    items: Sequence[Item],
    unavailable: Refused | None = None,
    listed: Sequence[Refused] = (),
) -> None:
    """raises   PublishRefused naming everything that is missing"""
    if found := findings(resource, items, unavailable, listed):
        raise PublishRefused(found)


def check_not_own(submitted_by: str, reviewer: str) -> None:
    """D809-16. Who submitted does not review.

    raises   OwnSubmission
    """
    if submitted_by == reviewer:
        raise OwnSubmission()


def field_of(finding: Refused) -> str:
    """The machine name of what is missing: a field, or item.field."""
    if isinstance(finding, ItemFieldMissing):
        return f"{finding.parameters['item']}.{finding.parameters['field']}"
    return str(finding.parameters.get("field") or _FIELD_OF_RULE.get(type(finding), finding.code))


_FIELD_OF_RULE: dict[type[Refused], str] = {
    NoItems: "items",
    SecrecyNotSignedOff: "sign_off",
    RefusedWithoutCitation: "legal_citation",
    ConditionsMissing: "conditions",
    PurposesMissing: "permitted_purposes",
    NoLiveSource: "source",
    ItemNotInSource: "source",
}


def _secrets(resource: Resource, items: Sequence[Item]) -> Iterator[Refused]:
    # Nothing secret is ever stored (secrecy.py); this is the second lock, for rows written by other means.
    for item in items:
        if item.secret:
            yield SecretItem(field=item.name, label="")
    for name in RESOURCE_FIELDS:
        value = getattr(resource, name)
        if isinstance(value, str) and (found := label(value)):
            yield SecretItem(field=name, label=found)


def _missing_fields(resource: Resource) -> Iterator[Refused]:
    for field in RESOURCE_FIELDS.values():
        if field.required and not getattr(resource, field.name):
            yield _missing(field)


def _missing(field: Field) -> FieldMissing:
    return FieldMissing(field=field.name, name=field.en, name_zh=field.zh)


def _items(items: Sequence[Item]) -> Iterator[Refused]:
    if not items:
        yield NoItems()
    if len(items) > MOST_ITEMS:
        yield FieldMissing(
            field="items", name=f"list of at most {MOST_ITEMS} items", name_zh=f"{MOST_ITEMS} 项以内的信息项"
        )
    for item in items:
        for field in ITEM_FIELDS.values():
            if field.required and not getattr(item, field.name):
                yield ItemFieldMissing(item=item.name, field=field.name, name=field.en, name_zh=field.zh)


def _attribute_rules(resource: Resource, items: Sequence[Item]) -> Iterator[Refused]:
    attribute = effective_attribute(resource.attribute, items)
    refused = [item.name for item in items if item_attribute(item, resource) == Attribute.REFUSED]
    if (attribute == Attribute.REFUSED or refused) and not resource.legal_citation:
        whole = attribute == Attribute.REFUSED
        yield RefusedWithoutCitation(
            what=resource.title_zh or "the resource" if whole else refused,
            what_zh=resource.title_zh or "该数据资源" if whole else refused,
        )
    if attribute == Attribute.CONDITIONAL and not resource.conditions:
        yield ConditionsMissing()
    if attribute == Attribute.CONDITIONAL and not resource.permitted_purposes:
        yield PurposesMissing()
    if attribute == Attribute.UNCONDITIONAL:
        for field in ("conditions", "permitted_purposes"):
            if getattr(resource, field):
                yield OwnConditions(field=field)
