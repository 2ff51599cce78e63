"""What can go wrong, as the client says it. All are `hutong.Refused`: code, reason, next step, in two languages."""

from __future__ import annotations

import json
from typing import Any

from hutong.vocabulary.errors import Language, Refused


class RefusedByNode(Refused):
    """The node refused the request."""

    # A refusal made elsewhere and told again here: sentence, code, rule and next step are the node's.
    def __init__(self, problem: dict[str, Any], status: int) -> None:
        self.problem_document = problem
        self.code = str(problem.get("code", "refused"))  # type: ignore[misc]
        self.status = status  # type: ignore[misc]
        self.rule = problem.get("rule")  # type: ignore[misc]
        super().__init__()

    def say(self, language: Language = "en") -> str:
        title = self.problem_document.get("title_zh" if language == "zh" else "title")
        return str(title or f"the node answered {self.status}")

    def changed(self, language: Language = "en") -> str:
        return str(self.problem_document.get("changed_zh" if language == "zh" else "changed", ""))

    def next_step(self, language: Language = "en") -> str:
        return str(self.problem_document.get("next_zh" if language == "zh" else "next", ""))

    @property
    def reason(self) -> str:
        """Why, in English."""
        return self.say("en")

    @property
    def next(self) -> str:
        """What to do next, in English."""
        return self.next_step("en")

    def problem(self) -> dict[str, Any]:
        return dict(self.problem_document)

    def __str__(self) -> str:
        rule = f" ({self.rule})" if self.rule else ""
        return f"{self.say('en')}{rule} {self.next}".strip()


class NodeUnreachable(Refused):
    """The node at {url} does not answer."""

    zh = "节点 {url} 没有响应。"
    code = "node_unreachable"
    status = 503
    next_en = "Check the address and whether the node runs."
    next_zh = "请核对地址，并确认节点正在运行。"


class BrokenAnswer(Refused):
    """The answer of exchange {exchange} broke off: {reason}."""

    zh = "交换 {exchange} 的答复中断：{reason}。"
    code = "broken_answer"
    status = 502
    next_en = "Nothing of it may be used as a whole. Read again; the register holds what happened."
    next_zh = "不得将已收到的部分作为完整结果使用。请重新读取；使用登记中有记录。"


def refusal(status: int, body: bytes) -> RefusedByNode:
    """The refusal in an answer that is not a success."""
    try:
        problem = json.loads(body)
    except ValueError:
        problem = {}
    return RefusedByNode(problem if isinstance(problem, dict) else {}, status)
