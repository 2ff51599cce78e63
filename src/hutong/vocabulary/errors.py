"""One tree of refusals: made once, said everywhere (page, API, log, command line).

A refusal says what happened, whether anything changed, and what to do next, in Chinese and
English. It never carries a row's value, a key or an identity number: parameters are names,
numbers, codes and dates.
"""

from __future__ import annotations

from typing import Any, ClassVar, Literal

Language = Literal["zh", "en"]


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

    def __init__(self, **parameters: Any) -> None:
        self.parameters = parameters
        super().__init__(self.say("en"))

    def say(self, language: Language = "en") -> str:
        """The sentence people see, in one language."""
        template = self.zh if language == "zh" else _first_paragraph(self.__doc__)
        return template.format_map(self._words(language))

    def changed(self, language: Language = "en") -> str:
        return self.changed_zh if language == "zh" else self.changed_en

    def next_step(self, language: Language = "en") -> str:
        template = self.next_zh if language == "zh" else self.next_en
        return template.format_map(self._words(language))

    def _words(self, language: Language) -> _Known:
        """The parameters; in Chinese, `what_zh` stands for `what` wherever it is given."""
        words = _Known(self.parameters)
        if language == "zh":
            words.update({name.removesuffix("_zh"): value for name, value in words.items() if name.endswith("_zh")})
        return words

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
        for name, value in self.parameters.items():
            if isinstance(value, (str, int, float, bool)):
                problem.setdefault(name, value)
            elif isinstance(value, (list, tuple)):
                problem.setdefault(name, [str(one) for one in value])
        return problem


class _Known(dict[str, Any]):
    """Parameters for a sentence; lists read as comma-separated names, a missing one stays visible."""

    def __missing__(self, name: str) -> str:
        return "{" + name + "}"

    def __getitem__(self, name: str) -> Any:
        value = super().__getitem__(name)
        return ", ".join(str(one) for one in value) if isinstance(value, (list, tuple)) else value


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

    zh = "{what}处于{state}状态，不能执行此操作；可在以下状态执行：{possible}。"
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
