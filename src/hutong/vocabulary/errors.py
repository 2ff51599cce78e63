"""One tree of refusals: made once, said everywhere (page, API, log, command line).

A refusal says what happened, whether anything changed, and what to do next, in Chinese and
English. It never carries a row's value, a key or an identity number: parameters are names,
numbers, codes and dates. A parameter made of English words is given twice, `reason` and `reason_zh`;
the few nouns and states that recur stand in the glossary below and are given once.
"""

from __future__ import annotations

from typing import Any, ClassVar, Final, Literal

Language = Literal["zh", "en"]

# The Chinese of the words that recur as parameters. Other words carry their own: reason="...", reason_zh="...".
GLOSSARY: Final[dict[str, str]] = {
    # things
    "address": "地址",
    "correction": "数据校核",
    "agreement": "共享协议",
    "checkpoint": "检查点",
    "clock": "期限",
    "data set": "数据集",
    "decision": "决定",
    "extension": "期限延长",
    "exchange": "交换",
    "file": "文件",
    "filing": "报送文书",
    "grant": "授权",
    "key": "密钥",
    "log": "日志",
    "negotiation": "协商",
    "piece": "分片",
    "published resource": "已发布的数据资源",
    "receipt": "回执",
    "request": "共享申请",
    "share": "共享",
    "table": "表",
    "the grant": "授权",
    "the grants' database": "授权数据库",
    "the node's database": "节点数据库",
    "the node's ledger": "节点账本",
    "the source": "数据源",
    "the use register": "使用登记",
    "transfer": "交付",
    "version": "版本",
    "witnessed checkpoint": "已见证的检查点",
    "witnessed log": "被见证的日志",
    # what a request and an agreement say
    "assignee": "被授权方",
    "assigner": "授权方",
    "basis": "使用依据",
    "department": "部门",
    "ends_at": "终止时间",
    "items": "信息项",
    "masks": "脱敏方式",
    "mode": "共享方式",
    "purpose": "用途",
    "quota_calls_per_day": "每日调用次数",
    "scenario": "使用场景",
    "scope": "使用范围",
    "starts_at": "起始时间",
    "target": "数据资源",
    "term_days": "使用时限",
    "where": "行条件",
    # states
    "active": "生效中",
    "agreed": "已同意",
    "asked": "已提出",
    "consented": "已同意延长",
    "declined": "未通过",
    "proposed": "待审定",
    "running": "计时中",
    "before the supervisor": "送审中",
    "draft": "草稿",
    "ended": "已终止",
    "expired": "已到期",
    "filed": "待负责人同意",
    "not finalised": "未完成签署",
    "open": "审核中",
    "published": "已发布",
    "refused": "已拒绝",
    "returned": "已退回",
    "signed_off": "提供方办理中",
    "suspended": "已暂停",
    "taken_back": "已撤回送审",
    "unknown here": "此处未知",
    "withdrawn": "已撤回",
    "listed": "已列入",
    "rejected": "未列入",
    "without a source": "无数据源",
    # who, and what they do
    "auditor": "审计员",
    "consumer": "使用方",
    "head": "共享工作机构负责人",
    "none": "无",
    "officer": "数据专员",
    "operator": "节点运维人员",
    "provider": "提供方",
    "steward": "数据管家",
    "supervisor": "主管部门",
    "end": "终止",
    "resume": "恢复",
    "suspend": "暂停",
}
# The parameters that take their Chinese from there. A name someone gave (an item, a key) never does.
SPOKEN: Final = frozenset({
    "action", "known", "missing", "possible", "role", "sender", "state", "suspended_by", "what",
})  # fmt: skip


class Refused(Exception):
    """The request was refused."""

    # The English sentence is the class's docstring (first paragraph), formatted with the parameters.
    zh: ClassVar[str] = "请求被拒绝。"
    code: ClassVar[str] = "refused"  # stable: partner agencies match on it
    status: ClassVar[int] = 403  # the HTTP status of the same refusal
    rule: ClassVar[str | None] = None  # the article, for example "D809-21"
    # Whether anything changed. Nearly every refusal happens before a change.
    changed_en: ClassVar[str] = "Nothing was changed."
    changed_zh: ClassVar[str] = "没有任何改动。"
    next_en: ClassVar[str] = ""
    next_zh: ClassVar[str] = ""
    retry_after_s: ClassVar[int] = 0  # when the same may be asked again, as Retry-After; 0 where nobody can say

    def __init__(self, **parameters: Any) -> None:
        self.parameters = parameters
        super().__init__(self.say("en"))

    def say(self, language: Language = "en") -> str:
        """The sentence people see, in one language."""
        return filled(self.zh if language == "zh" else self.__doc__, self.parameters, language)

    def changed(self, language: Language = "en") -> str:
        return self.changed_zh if language == "zh" else self.changed_en

    def next_step(self, language: Language = "en") -> str:
        return filled(self.next_zh if language == "zh" else self.next_en, self.parameters, language)

    def problem(self) -> dict[str, Any]:
        """The refusal as RFC 9457 problem details, in both languages."""
        problem: dict[str, Any] = {
            "type": f"urn:hutong:refusal:{self.code}",
            "title": self.say("en"),
            "title_zh": self.say("zh"),
            "status": self.status,
            "code": self.code,
            "changed": self.changed("en"),
            "changed_zh": self.changed("zh"),
            "next": self.next_step("en"),
            "next_zh": self.next_step("zh"),
        }
        if self.rule:
            problem["rule"] = self.rule
        if self.retry_after_s:
            problem["retry_after_s"] = self.retry_after_s
        for name, value in self.parameters.items():
            if isinstance(value, (str, int, float, bool)):
                problem.setdefault(name, value)
            elif isinstance(value, (list, tuple)):
                problem.setdefault(name, [str(one) for one in value])
        return problem


def filled(template: str | None, parameters: dict[str, Any], language: Language) -> str:
    """The first paragraph of a template with its parameters. In Chinese `what_zh` stands for `what` where it is given,
    else the glossary's word."""
    words = _Known(parameters)
    if language == "zh":
        spoken = {name: _in_chinese(value) for name, value in parameters.items() if name in SPOKEN}
        given = {name.removesuffix("_zh"): value for name, value in parameters.items() if name.endswith("_zh")}
        words = _Known(parameters | spoken | given, separator="、")
    return _first_paragraph(template).format_map(words)


class _Known(dict[str, Any]):
    """Parameters for a sentence; lists read as separated names, a missing one stays visible."""

    def __init__(self, parameters: dict[str, Any], separator: str = ", ") -> None:
        super().__init__(parameters)
        self.separator = separator

    def __missing__(self, name: str) -> str:
        return "{" + name + "}"

    def __getitem__(self, name: str) -> Any:
        value = super().__getitem__(name)
        return self.separator.join(str(one) for one in value) if isinstance(value, (list, tuple)) else value


def _in_chinese(value: Any) -> Any:
    """The glossary's word for one word, or for each of a list; anything else as it is."""
    if isinstance(value, (list, tuple)):
        return [_in_chinese(one) for one in value]
    return GLOSSARY.get(value, value) if isinstance(value, str) else value


def _first_paragraph(text: str | None) -> str:
    return " ".join((text or "").strip().split("\n\n")[0].split())


class BadInput(Refused):
    """The input cannot be read: {reason}."""

    zh = "输入无法读取：{reason}。"
    code = "bad_input"
    status = 400
    next_en = "Correct it and send it again."
    next_zh = "请更正后重新提交。"


class NotFound(Refused):
    """There is no {what} {name} here."""

    zh = "此处没有{what} {name}。"
    code = "not_found"
    status = 404
    next_en = "Check the name, or search the catalogue."
    next_zh = "请核对名称，或在目录中查找。"


class NotAllowed(Refused):
    """Your role ({role}) may not do this: {action}."""

    zh = "您的角色（{role}）不能执行此操作：{action}。"
    code = "not_allowed"
    status = 403
    next_en = "Ask an officer whose role allows it."
    next_zh = "请由具备相应角色的人员办理。"


class WrongState(Refused):
    """This cannot be done while the {what} is {state}; it is possible from: {possible}."""

    zh = "{what}处于“{state}”状态，不能执行此操作；可在以下状态执行：{possible}。"
    code = "wrong_state"
    status = 409
    next_en = "Open it to see its state and what can be done now."
    next_zh = "请打开查看当前状态及可办理的事项。"


class TooLarge(Refused):
    """The body is larger than the {limit} bytes allowed here."""

    zh = "正文超过此处允许的 {limit} 字节。"
    code = "too_large"
    status = 413
    next_en = "Send less at once."
    next_zh = "请分次发送。"


class Unavailable(Refused):
    """{what} does not answer now."""

    zh = "{what}目前没有响应。"
    code = "unavailable"
    status = 503
    next_en = "Try again shortly; if it lasts, run hutong doctor."
    next_zh = "请稍后重试；如持续，请运行 hutong doctor 检查。"


class WrongMethod(Refused):
    """This address takes {allowed} only."""

    zh = "此地址只接受 {allowed} 方法。"
    code = "method_not_allowed"
    status = 405
    next_en = "Use that method; see the wire documentation."
    next_zh = "请使用该方法；见接口文档。"


class Broken(Refused):
    """The node failed while it handled this; the failure is in its log."""

    zh = "节点处理时发生故障，已记入日志。"
    code = "internal_error"
    status = 500
    next_en = "Ask again; if it lasts, tell the node's operator the time."
    next_zh = "请重试；如持续，请将时间告知节点运维人员。"
