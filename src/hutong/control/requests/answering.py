"""An answer to one point of what the provider said is missing, put where it belongs in the request."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from hutong.control.agreements.supplement import FIELDS, Point
from hutong.control.requests.models import ShareRequest
from hutong.exchange.shaping.predicate import parse_text
from hutong.vocabulary.errors import BadInput


class BadAnswer(BadInput):
    """The answer to {field} cannot be read: {reason}."""

    zh = "对“{field}”的答复无法读取：{reason}。"
    code = "bad_point_answer"
    next_en = "Write a whole number; a code of the list; items separated by commas; or a condition."
    next_zh = "请填写整数、清单中的代码、以逗号分隔的信息项，或者行条件。"


def _names(text: str) -> list[str]:
    return [one.strip() for one in text.replace("，", ",").split(",") if one.strip()]


# Field of the request -> its attribute and how the answer is read. `material` stands beside the request.
_READ: Final[dict[str, tuple[str, Callable[[str], Any]]]] = {
    "basis": ("basis", str),
    "scenario": ("scenario", str),
    "scope": ("scope", str),
    "purpose": ("purpose", str),
    "mode": ("mode", str),
    "items": ("items", _names),
    "where": ("row_condition", lambda text: parse_text(text).to_document()),
    "term_days": ("term_days", int),
    "quota_calls_per_day": ("quota_calls_per_day", int),
}


def answer_point(request: ShareRequest, point: Point) -> None:
    """Change the request as the answer says; whether the whole holds is checked by the caller.

    raises   BadAnswer, BadPredicate
    """
    if point.field not in _READ:
        return
    attribute, read = _READ[point.field]
    try:
        setattr(request, attribute, read(point.answer))
    except ValueError as error:
        name = FIELDS[point.field]
        said = {"reason": "a whole number is expected", "reason_zh": "应为整数"}
        raise BadAnswer(field=name.en, field_zh=name.zh, **said) from error


def present_answer(request: ShareRequest, field: str) -> str:
    """What the request says of the field now: where an answer begins from."""
    if field not in _READ or field == "where":
        return ""
    value = getattr(request, _READ[field][0])
    return ", ".join(value) if isinstance(value, list) else str(value)
