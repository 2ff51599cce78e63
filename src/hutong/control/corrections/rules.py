"""What a report of a wrong record needs, and what an answer to it needs. Decides and touches nothing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from hutong.vocabulary import codes
from hutong.vocabulary.errors import Refused
from hutong.vocabulary.rulebook import ClockRule, Rule, working_days


class CorrectionLate(ClockRule):
    """The report of a wrong record must be verified and answered within {days} working days, by {due}."""

    zh = "数据校核应当自收到之日起{days}个工作日内（{due}前）核实、更正并答复。"
    code = "correction_late"
    rule = "D809-26"
    declares = (working_days(10, 26),)
    next_en = "Verify the record now and answer: corrected, not wrong, or forwarded to the true source."
    next_zh = "请立即核实并答复：已更正、核实无误或已转数源部门。"


class ReportIncomplete(Rule):
    """A report of a wrong record names the items, the record's key, what is wrong, and the evidence.
    Missing: {what}."""

    zh = "数据校核应当写明信息项、记录的主键值、问题类型和依据。缺少：{what}。"
    code = "report_incomplete"
    status = 400
    rule = "D809-26"
    next_en = "Add it and report again."
    next_zh = "请补充后重新提交。"


class OutsideAgreement(Rule):
    """These items are not of agreement {agreement}, so nothing of them can be reported under it: {items}."""

    zh = "以下信息项不属于协议 {agreement}，不能据此提出校核：{items}。"
    code = "report_outside_agreement"
    status = 400
    rule = "D809-26"
    next_en = "Report the items you received under this agreement."
    next_zh = "请就依据该协议获得的信息项提出校核。"


class KeyMasked(Rule):
    """Agreement {agreement} does not show {item} in full, so no record can be named by it."""

    zh = "协议 {agreement} 未完整提供{item}，不能以其指明记录。"
    code = "report_key_masked"
    status = 400
    rule = "D809-26"
    next_en = "Name the record by an item that the agreement shows in full."
    next_zh = "请用协议完整提供的信息项指明记录。"


class CanaryReported(Rule):
    """This record is a canary under agreement {agreement}: it describes nobody, so there is nothing to correct."""

    zh = "该记录是协议 {agreement} 溯源条款中的诱饵记录，不对应任何主体，无需校核。"
    code = "report_of_a_canary"
    rule = "D809-26"
    next_en = "Take the row out of what you hold; the agreement's entry on tracing tells of such rows."
    next_zh = "请从所持数据中去除该行；协议的溯源条款对此已有说明。"


class AnsweredAlready(Rule):
    """This report was answered already, as: {finding}."""

    zh = "该校核已答复：{finding}。"
    code = "correction_answered"
    status = 409
    rule = "D809-26"
    next_en = "If it is still wrong, the requester reports it anew."
    next_zh = "如仍有误，请由使用方重新提出校核。"


class NothingChanged(Rule):
    """The source gives the same values as when the report came, so the record cannot be called corrected."""

    zh = "数据源给出的值与收到校核时相同，不能答复为已更正。"
    code = "correction_unchanged"
    status = 409
    rule = "D809-26"
    next_en = "Correct the record in the source (and take a file in again), or answer that it is not wrong."
    next_zh = "请先在数据源中更正（文件须重新接入），或者答复核实无误。"


class NotLookedYet(Rule):
    """The record has not been read from the source since the report came, so old and new cannot be compared."""

    zh = "收到校核后尚未从数据源读取该记录，无法比较新旧值。"
    code = "correction_not_looked"
    status = 409
    rule = "D809-26"
    next_en = "See that the source answers, read the record, then correct it and answer."
    next_zh = "请确认数据源可用，读取该记录后再更正并答复。"


class FindingWithoutReason(Rule):
    """“Not wrong” and “forwarded” need a reason, and “forwarded” the department it went to."""

    zh = "答复“核实无误”或“已转数源部门”应当说明理由，转办的应当写明数源部门。"
    code = "finding_without_reason"
    status = 400
    rule = "D809-26"
    next_en = "Say what was verified and how, or which department holds the true source."
    next_zh = "请说明如何核实，或者写明数源部门。"


class OutsideDirectory(Refused):
    """Agreement {agreement} is with a connector outside the directory, which cannot receive a sealed record key."""

    zh = "协议 {agreement} 的对方是名录外的连接器，无法接收密封的记录主键。"
    code = "correction_outside_directory"
    status = 409
    next_en = "Tell its operator by another way, and keep the proof."
    next_zh = "请以其他方式告知对方运维人员并留存凭证。"


def check_report(items: Sequence[str], agreed: Mapping[str, str], agreement: str, given: Mapping[str, str]) -> None:
    """agreed   item: what its mask does
    given    key_item, value, fault, evidence

    raises   ReportIncomplete, OutsideAgreement, KeyMasked
    """
    missing = [(en, zh) for name, (en, zh) in _NEEDED.items() if not given[name].strip()]
    if not items:
        missing.insert(0, ("the items", "信息项"))
    if given["fault"] and given["fault"] not in codes.FAULTS:
        missing.append(("a fault of the list", "列表中的问题类型"))
    if missing:
        raise ReportIncomplete(what=[en for en, _ in missing], what_zh=[zh for _, zh in missing])
    if strange := [name[:120] for name in (*items, given["key_item"]) if name not in agreed]:
        raise OutsideAgreement(agreement=agreement, items=strange[:20])
    if agreed[given["key_item"]] != "keep":
        raise KeyMasked(agreement=agreement, item=given["key_item"])


def check_open(state: str) -> None:
    """raises   AnsweredAlready"""
    if state != "reported":
        raise AnsweredAlready(finding=codes.FINDINGS.name(state), finding_zh=codes.FINDINGS.name(state, "zh"))


def check_changed(before: Mapping[str, str], after: Mapping[str, str]) -> None:
    """A record is corrected when the source gives another value, in any of the items, than when the report came.

    raises   NotLookedYet, NothingChanged
    """
    if not before:
        raise NotLookedYet
    if before == after:
        raise NothingChanged


def check_finding(finding: str, reason: str, source: str) -> None:
    """raises   FindingWithoutReason"""
    if not reason.strip() or (finding == "forwarded" and not source.strip()):
        raise FindingWithoutReason


_NEEDED = {
    "key_item": ("the key item", "主键信息项"),
    "value": ("the key's value", "主键值"),
    "fault": ("what is wrong", "问题类型"),
    "evidence": ("the evidence", "依据"),
}
