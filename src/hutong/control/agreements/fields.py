"""Reading one JSON object strictly: every value is asked for by name and type, a wrong one is named by its path."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, TypeVar

from hutong.vocabulary.errors import BadInput

T = TypeVar("T")
LONGEST_TEXT: Final = 20_000  # characters in one text of a message; the whole message is bounded by the receiver
LONGEST_ID: Final = 80  # characters in a process, offer, data set or agreement id: what our tables keep


class Malformed(BadInput):
    """The message is not well formed at {where}: {reason}."""

    zh = "报文在 {where} 处格式有误：{reason}。"
    code = "malformed_message"
    status = 400
    next_en = "Compare it with the JSON Schemas of the Dataspace Protocol 2025-1, correct it and send it again."
    next_zh = "请对照 Dataspace Protocol 2025-1 的 JSON Schema 更正后重新发送。"


class Fields:
    """One JSON object being read. Members nobody asks for are left alone, as the protocol's extensibility wants."""

    def __init__(self, document: Any, where: str = "") -> None:
        if not isinstance(document, dict):
            raise Malformed(
                where=where or "the body",
                where_zh=where or "报文",
                reason="an object is expected",
                reason_zh="应为对象",
            )
        self.document: dict[str, Any] = document
        self.where = where

    def path(self, name: str) -> str:
        return f"{self.where}.{name}" if self.where else name

    def fail(self, name: str, reason: str, reason_zh: str) -> Malformed:
        return Malformed(where=self.path(name), reason=reason, reason_zh=reason_zh)

    def missing(self, name: str) -> Malformed:
        return self.fail(name, "it is missing", "缺失")

    def unless_missing(self, name: str, reason: str, reason_zh: str) -> Malformed:
        """What is wrong with a member that is there; that it is missing, otherwise."""
        return self.fail(name, reason, reason_zh) if name in self.document else self.missing(name)

    def has(self, name: str) -> bool:
        return name in self.document

    def text(self, name: str) -> str:
        value = self.document.get(name)
        if not isinstance(value, str):
            raise self.unless_missing(name, "a string is expected", "应为字符串")
        if len(value) > LONGEST_TEXT or "\x00" in value:
            raise self.fail(
                name,
                f"at most {LONGEST_TEXT} characters, none of them NUL",
                f"至多 {LONGEST_TEXT} 个字符，且不含 NUL",
            )
        return value

    def text_or_none(self, name: str) -> str | None:
        """None only when the member is absent: a present null is not a string."""
        return self.text(name) if name in self.document else None

    def identifier(self, name: str) -> str:
        value = self.text(name)
        if not value or len(value) > LONGEST_ID or not value.isprintable() or " " in value:
            raise self.fail(
                name,
                f"an id of 1 to {LONGEST_ID} printable characters without spaces is expected",
                f"应为 1 至 {LONGEST_ID} 个可打印字符的编号，不含空格",
            )
        return value

    def identifier_or_none(self, name: str) -> str | None:
        return self.identifier(name) if name in self.document else None

    def literal(self, name: str, *allowed: str) -> str:
        value = self.text(name)
        if value not in allowed:
            raise self.fail(name, f"one of {', '.join(allowed)} is expected", f"应为以下之一：{'、'.join(allowed)}")
        return value

    def integer(self, name: str, *, least: int, most: int) -> int:
        value = self.document.get(name)
        if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
            raise self.fail(
                name, f"a whole number from {least} to {most} is expected", f"应为 {least} 至 {most} 的整数"
            )
        return value

    def array(self, name: str) -> list[Any]:
        value = self.document.get(name)
        if not isinstance(value, list):
            raise self.unless_missing(name, "a list is expected", "应为列表")
        return value

    def many(self, name: str, read: Callable[[Any, str], T], *, fewest: int = 0) -> tuple[T, ...]:
        values = self.array(name)
        if len(values) < fewest:
            raise self.fail(name, f"at least {fewest} expected", f"至少应有 {fewest} 项")
        return tuple(read(value, f"{self.path(name)}[{index}]") for index, value in enumerate(values))

    def many_or_none(self, name: str, read: Callable[[Any, str], T], *, fewest: int = 0) -> tuple[T, ...] | None:
        return self.many(name, read, fewest=fewest) if name in self.document else None

    def inner(self, name: str) -> Fields:
        if name not in self.document:
            raise self.missing(name)
        return Fields(self.document[name], self.path(name))


def text_value(value: Any, where: str) -> str:
    if not isinstance(value, str):
        raise Malformed(where=where, reason="a string is expected", reason_zh="应为字符串")
    return value


def any_value(value: Any, where: str) -> Any:  # noqa: ARG001 - read by `many`, which tells where
    return value
