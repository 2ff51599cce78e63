"""The kinds of filings: who files them, what stands in them, and whether the other side answers."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

from hutong.vocabulary import codes
from hutong.vocabulary.codes import CodeList
from hutong.vocabulary.errors import BadInput
from hutong.vocabulary.text import checked

LONGEST: Final = 2_000  # characters of one text
_DIGEST: Final = re.compile(r"sha256:[0-9a-f]{64}\Z")


def a_text(name: str, value: Any) -> str:
    return checked(name, value, limit=LONGEST, lines=True)


def a_day(name: str, value: Any) -> str:
    try:
        return date.fromisoformat(str(value)).isoformat()
    except ValueError as error:
        raise BadInput(reason=f"{name} is not a day", reason_zh=f"{name} 不是日期") from error


def a_year(name: str, value: Any) -> str:
    if not re.fullmatch(r"20[0-9]{2}", str(value)):
        raise BadInput(reason=f"{name} is not a year", reason_zh=f"{name} 不是年度")
    return str(value)


def a_digest(name: str, value: Any) -> str:
    """Of the evidence; the evidence itself stays with whoever filed."""
    if value and not (isinstance(value, str) and _DIGEST.match(value)):
        raise BadInput(reason=f"{name} is not a SHA-256 digest", reason_zh=f"{name} 不是 SHA-256 摘要")
    return str(value)


def a_code(table: CodeList) -> Callable[[str, Any], str]:
    def read(name: str, value: Any) -> str:
        if value not in table:
            raise BadInput(reason=f"{name} is not in the list", reason_zh=f"{name} 不在列表中")
        return str(value)

    return read


@dataclass(frozen=True)
class Kind:
    """One kind of filing."""

    fields: Mapping[str, Callable[[str, Any], str]]
    needed: tuple[str, ...]
    authors: tuple[str, ...] = ("provider", "consumer")
    state: str = "filed"  # as filed
    answered: bool = False  # the other side accepts or objects


KINDS: Final[dict[str, Kind]] = {
    "suspension": Kind(
        {"cause": a_code(codes.SUSPENSION_CAUSES), "reason": a_text}, ("cause", "reason"), state="open"
    ),
    # The consumer's always: a provider suspends it for misuse, or its own supervisor does.
    "rectification": Kind(
        {"done": a_text, "by": a_text, "evidence": a_digest},
        ("done", "by", "evidence"),
        authors=("consumer",),
        answered=True,
    ),
    "disposal": Kind(
        {"copies": a_text, "how": a_text, "on": a_day, "by": a_text, "evidence": a_digest},
        ("copies", "how", "on", "by", "evidence"),
        authors=("consumer",),
        answered=True,
    ),
    "incident": Kind(
        {"what": a_text, "found_on": a_day, "affected": a_text, "measures": a_text},
        ("what", "found_on", "affected", "measures"),
    ),
    "stop": Kind(
        {"notice": a_text, "change": a_code(codes.SERVICE_CHANGES), "starts_on": a_day, "reason": a_text},
        ("notice", "change", "starts_on", "reason"),
        authors=("provider",),
    ),
    # Article 29: use scenario, process, effect, storage, destruction; one a year at least.
    "use": Kind(
        {"year": a_year, "scenario": a_text, "process": a_text, "effect": a_text, "storage": a_text,
         "destruction": a_text},
        ("year", "scenario", "process", "effect", "storage", "destruction"),
        authors=("consumer",),
    ),
}  # fmt: skip


def read(kind: str, given: Mapping[str, Any]) -> dict[str, str]:
    """The content of a filing, checked; fields that are not given are empty.

    raises   BadInput, TextTooLong and its like
    """
    fields = KINDS[kind].fields
    if strange := sorted(set(given) - set(fields)):
        raise BadInput(reason=f"unknown fields: {', '.join(strange)[:80]}", reason_zh="含有未知的字段")
    return {name: fields[name](name, value) if (value := given.get(name, "")) != "" else "" for name in fields}


def missing(kind: str, content: Mapping[str, str]) -> list[str]:
    """The needed fields that are empty."""
    return [name for name in KINDS[kind].needed if not content.get(name)]
