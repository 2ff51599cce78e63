"""Articles 27, 29 and 35 of decree 809 between two parties of an agreement. Decides and touches nothing."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from hutong.vocabulary import codes
from hutong.vocabulary.rulebook import ClockRule, Parameter, Rule

OF_THE_HOUSE = "decree 809 names a deadline and leaves its length to the parties"
OWNER = "the region's office"
PROVIDERS_CAUSES = ("misuse", "incident", "secrecy")


def _house_days(name: str, value: int, unit: str, unit_zh: str, local: str) -> Parameter:
    return Parameter(name, value, unit, unit_zh, OF_THE_HOUSE, OWNER, local)  # type: ignore[arg-type]


class RectificationLate(ClockRule):
    """The suspended side must rectify within {days} working days, by {due}; after that the agreement may be ended."""

    zh = "被暂停方应当在{days}个工作日内（{due}前）完成整改；逾期未整改的，可以终止协议。"
    code = "rectification_late"
    rule = "D809-27"
    declares = (_house_days("days", 10, "working days", "个工作日", "any"),)
    next_en = "File the rectification; or, as the side that suspended, end the agreement."
    next_zh = "请报送整改报告；暂停方可以终止协议。"


class DisposalLate(ClockRule):
    """An ended agreement's data must be disposed of and the proof filed within {days} working days, by {due}."""

    zh = "协议结束后，应当在{days}个工作日内（{due}前）妥善处置数据并报送处置证明。"
    code = "disposal_late"
    rule = "D809-27"
    declares = (_house_days("days", 10, "working days", "个工作日", "any"),)
    next_en = "Destroy the copies as the provider requires and file the proof."
    next_zh = "请按提供方要求销毁副本并报送处置证明。"


class PaperIncomplete(Rule):
    """The {paper} must say: {what}."""

    zh = "{paper}应当写明：{what}。"
    code = "paper_incomplete"
    status = 400
    rule = "D809-27"
    next_en = "Add it and file again; evidence stays with you, only its digest travels."
    next_zh = "请补充后重新报送；凭证由本方保存，仅报送其摘要。"


class ResumedWithoutRectification(Rule):
    """The agreement was suspended for {cause}, and no rectification has been filed that stands."""

    zh = "协议因“{cause}”暂停，尚无有效的整改报告，不能恢复。"
    code = "resumed_without_rectification"
    status = 409
    rule = "D809-27"
    next_en = "The suspended side files what it has put right; then you can resume."
    next_zh = "请被暂停方报送整改报告，之后方可恢复。"


class SupervisorsSuspension(Rule):
    """The supervisor suspended this agreement, so only the supervisor may resume it."""

    zh = "协议由主管部门暂停，只能由主管部门恢复。"
    code = "supervisors_suspension"
    rule = "D809-27"
    next_en = "File the rectification, then ask the supervisor to resume."
    next_zh = "请报送整改报告，并请主管部门恢复。"


class EndedBeforeDeadline(Rule):
    """The suspended side has until {due} to rectify, so the agreement cannot be ended for misuse before."""

    zh = "被暂停方可在{due}前整改，在此之前不能以逾期未整改为由终止协议。"
    code = "ended_before_deadline"
    status = 409
    rule = "D809-27"
    next_en = "Wait for the rectification or for the day after the deadline."
    next_zh = "请等待整改报告，或在期限届满次日办理。"


class StopWithoutNotice(Rule):
    """{count} agreements rest on this service: it may not be stopped without a notice that was filed and has run."""

    zh = "有 {count} 项协议依赖该服务，未报备或者报备期未满的，不得停止服务。"
    code = "stop_without_notice"
    status = 409
    rule = "D809-27"
    next_en = "Announce the stop with its start day and reason; misuse and secrecy emergencies need no notice."
    next_zh = "请报备停止服务的起始日期和理由；违规使用和保密紧急情况除外。"


class NoticeTooShort(Rule):
    """A service may stop {days} days after its notice at the earliest, on {earliest}."""

    zh = "停止或变更服务最早可在报备{days}天之后，即{earliest}起。"
    code = "notice_too_short"
    status = 400
    rule = "D809-27"
    declares = (_house_days("days", 30, "days", "天", "higher"),)
    next_en = "Choose that day or a later one."
    next_zh = "请选择该日或之后的日期。"


class DisposalBeforeEnd(Rule):
    """The agreement is still in force, so there is nothing to dispose of yet."""

    zh = "协议仍在生效，尚无须处置数据。"
    code = "disposal_before_end"
    status = 409
    rule = "D809-27"
    next_en = "End the agreement first, with its reason."
    next_zh = "请先说明理由并终止协议。"


class NoSuspensionOpen(Rule):
    """No suspension of the other side waits for a rectification."""

    zh = "没有待整改的暂停。"
    code = "no_suspension_open"
    status = 409
    rule = "D809-27"
    next_en = "See the agreement's timeline."
    next_zh = "请查看协议的办理过程。"


class UseRecordIncomplete(Rule):
    """A record of use tells scenario, process, effect, storage and destruction; missing: {what}."""

    zh = "使用记录应当写明使用场景、过程、成效、存储和销毁情况；缺少：{what}。"
    code = "use_record_incomplete"
    status = 400
    rule = "D809-29"
    next_en = "Add it; “not destroyed yet” is an answer, too."
    next_zh = "请补充；尚未销毁的可写“尚未销毁”。"


class IncidentIncomplete(Rule):
    """An incident report tells what happened, when it was found, what is affected, what was done; missing: {what}."""

    zh = "安全事件报告应当写明发生情况、发现日期、影响范围和已采取的措施；缺少：{what}。"
    code = "incident_incomplete"
    status = 400
    rule = "D809-35"
    next_en = "Report what is known now; a further report may follow."
    next_zh = "请先报告已知情况，可后续补报。"


class UseRecordsKept(Rule):
    """Records of use are kept {months} months: what is younger than {since} stays."""

    zh = "使用记录应当保存{months}个月：{since}之后的记录不得清除。"
    code = "use_records_kept"
    status = 409
    rule = "D809-29"
    declares = (Parameter("months", 36, "months", "个月", "decree 809, article 29", "State Council", "higher"),)
    next_en = "Purge what is older."
    next_zh = "请清除更早的记录。"


class LogsKept(Rule):
    """Network logs are kept {months} months: what is younger than {since} stays."""

    zh = "网络日志应当保存{months}个月：{since}之后的日志不得清除。"
    code = "logs_kept"
    status = 409
    rule = "CSL-23"
    since = date(2026, 1, 1)  # article 21 of the text before
    declares = (Parameter("months", 6, "months", "个月", "Cybersecurity Law, article 23", "NPC", "higher"),)
    next_en = "Purge what is older."
    next_zh = "请清除更早的日志。"


class CreditQueriesKept(Rule):
    """Queries of public credit information are kept {months} months: what is younger than {since} stays."""

    zh = "公共信用信息查询记录应当保存{months}个月：{since}之后的记录不得清除。"
    code = "credit_queries_kept"
    status = 409
    rule = "ZJCR-20"
    since = date(2018, 1, 1)
    declares = (
        Parameter(
            "months",
            120,
            "months",
            "个月",
            "Zhejiang public credit regulation, article 20",
            "Zhejiang",
            "any",
        ),
    )
    next_en = "Purge what is older."
    next_zh = "请清除更早的记录。"


def check_paper(kind: str, missing: Sequence[str]) -> None:
    """raises   PaperIncomplete, UseRecordIncomplete, IncidentIncomplete"""
    if not missing:
        return
    what, what_zh = [FIELDS[name][0] for name in missing], [FIELDS[name][1] for name in missing]
    if kind == "use":
        raise UseRecordIncomplete(what=what, what_zh=what_zh)
    if kind == "incident":
        raise IncidentIncomplete(what=what, what_zh=what_zh)
    raise PaperIncomplete(paper=PAPERS[kind][0], paper_zh=PAPERS[kind][1], what=what, what_zh=what_zh)


def check_may_suspend(role: str, cause: str, in_force: int) -> None:
    """A provider stops a consumer's data for misuse, an incident or secrecy; any other stop is announced.

    raises   StopWithoutNotice
    """
    if role == "provider" and cause not in PROVIDERS_CAUSES:
        raise StopWithoutNotice(count=in_force)


def check_whose(suspended_by: str, resumed_by: str) -> None:
    """Roles of who suspended and of who wants to resume. raises   SupervisorsSuspension"""
    if suspended_by == "supervisor" and resumed_by != "supervisor":
        raise SupervisorsSuspension


def check_may_resume(cause: str, rectified: bool) -> None:
    """raises   ResumedWithoutRectification"""
    if cause in ("misuse", "incident") and not rectified:
        named = codes.SUSPENSION_CAUSES
        raise ResumedWithoutRectification(cause=named.name(cause), cause_zh=named.name(cause, "zh"))


def check_may_end(role: str, cause: str, *, deadline: date | None, stop_has_run: bool, today: date) -> None:
    """A consumer may end when it no longer needs the data. A provider ends for misuse that was not rectified in time,
    for secrecy, or after a notice that has run.

    deadline   of the misuse suspension that stands; None where there is none
    raises     StopWithoutNotice, EndedBeforeDeadline
    """
    if role == "consumer" or cause == "secrecy":
        return
    if cause == "misuse" and deadline is not None:
        if today <= deadline:
            raise EndedBeforeDeadline(due=deadline.isoformat())
        return
    if not (cause == "announced_stop" and stop_has_run):
        raise StopWithoutNotice(count=1)


PAPERS = {
    "suspension": ("suspension", "暂停通知"),
    "rectification": ("rectification", "整改报告"),
    "disposal": ("proof of disposal", "处置证明"),
    "incident": ("incident report", "安全事件报告"),
    "stop": ("notice of a stop", "停止服务通知"),
    "use": ("record of use", "使用记录"),
}
FIELDS = {
    "cause": ("the cause", "原因类型"),
    "reason": ("the reason", "理由"),
    "done": ("what was done", "整改措施"),
    "by": ("by whom", "责任人"),
    "evidence": ("a digest of the evidence", "凭证摘要"),
    "copies": ("which copies there were", "数据副本情况"),
    "how": ("how they were destroyed", "销毁方式"),
    "on": ("when", "销毁日期"),
    "what": ("what happened", "发生情况"),
    "found_on": ("when it was found", "发现日期"),
    "affected": ("what is affected", "影响范围"),
    "measures": ("what was done", "已采取的措施"),
    "notice": ("the notice", "通知编号"),
    "change": ("whether it stops or changes", "停止或变更"),
    "starts_on": ("from which day", "起始日期"),
    "year": ("the year", "年度"),
    "scenario": ("the scenario", "使用场景"),
    "process": ("the process", "使用过程"),
    "effect": ("the effect", "使用成效"),
    "storage": ("the storage", "存储情况"),
    "destruction": ("the destruction", "销毁情况"),
}
