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
            raise Malformed(where=where or "the body", reason="an object is expected")
        self.document: dict[str, Any] = document
        self.where = where

    def path(self, name: str) -> str:
        return f"{self.where}.{name}" if self.where else name

    def fail(self, name: str, reason: str) -> Malformed:
        return Malformed(where=self.path(name), reason=reason)

    def has(self, name: str) -> bool:
        return name in self.document

    def text(self, name: str) -> str:
        value = self.document.get(name)
        if not isinstance(value, str):
            raise self.fail(name, "a string is expected" if name in self.document else "it is missing")
        if len(value) > LONGEST_TEXT or "\x00" in value:
            raise self.fail(name, f"at most {LONGEST_TEXT} characters, none of them NUL")
        return value

    def text_or_none(self, name: str) -> str | None:
        """None only when the member is absent: a present null is not a string."""
        return self.text(name) if name in self.document else None

    def identifier(self, name: str) -> str:
        value = self.text(name)
        if not value or len(value) > LONGEST_ID or not value.isprintable() or " " in value:
            raise self.fail(name, f"an id of 1 to {LONGEST_ID} printable characters without spaces is expected")
        return value

    def identifier_or_none(self, name: str) -> str | None:
        return self.identifier(name) if name in self.document else None

    def literal(self, name: str, *allowed: str) -> str:
        value = self.text(name)
        if value not in allowed:
            raise self.fail(name, "one of " + ", ".join(allowed) + " is expected")
        return value

    def integer(self, name: str, *, least: int, most: int) -> int:
        value = self.document.get(name)
        if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
            raise self.fail(name, f"a whole number from {least} to {most} is expected")
        return value

    def array(self, name: str) -> list[Any]:
        value = self.document.get(name)
        if not isinstance(value, list):
            raise self.fail(name, "a list is expected" if name in self.document else "it is missing")
        return value

    def many(self, name: str, read: Callable[[Any, str], T], *, fewest: int = 0) -> tuple[T, ...]:
        values = self.array(name)
        if len(values) < fewest:
            raise self.fail(name, f"at least {fewest} expected")
        return tuple(read(value, f"{self.path(name)}[{index}]") for index, value in enumerate(values))

    def many_or_none(self, name: str, read: Callable[[Any, str], T], *, fewest: int = 0) -> tuple[T, ...] | None:
        return self.many(name, read, fewest=fewest) if name in self.document else None

    def inner(self, name: str) -> Fields:
        if name not in self.document:
            raise self.fail(name, "it is missing")
        return Fields(self.document[name], self.path(name))


def text_value(value: Any, where: str) -> str:
    if not isinstance(value, str):
        raise Malformed(where=where, reason="a string is expected")
    return value


def any_value(value: Any, where: str) -> Any:  # noqa: ARG001 - read by `many`, which tells where
    return value
