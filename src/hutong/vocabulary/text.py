"""Text that people type: cut nowhere, changed nowhere, refused where it cannot be kept or shown safely."""

from __future__ import annotations

import unicodedata
from typing import Any

from hutong.vocabulary.errors import Refused

# Characters that turn the reading direction, so that text shows as something it is not.
DIRECTION_MARKS = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")


class WrongText(Refused):
    """The field {field} must be text."""

    zh = "字段 {field} 必须为文本。"
    code = "wrong_text"
    status = 400
    next_en = "Correct the field and send it again."
    next_zh = "请更正该字段后重新提交。"


class TextTooLong(WrongText):
    """The field {field} has {found} characters; at most {limit} are allowed."""

    zh = "字段 {field} 有 {found} 个字符，最多允许 {limit} 个。"
    code = "text_too_long"


class TextUnsafe(WrongText):
    """The field {field} holds a control character at position {position}."""

    zh = "字段 {field} 的第 {position} 个字符是控制字符。"
    code = "text_unsafe"


class TextMissing(WrongText):
    """The field {field} is empty."""

    zh = "字段 {field} 为空。"
    code = "text_missing"


def shown(value: object, limit: int = 60) -> str:
    """A name from outside as a refusal may repeat it: short, without control characters."""
    return "".join(one for one in str(value)[:limit] if one.isprintable())


def checked(field: str, value: Any, *, limit: int, lines: bool = False, required: bool = False) -> str:
    """The text without space around it.

    limit    in characters, after trimming
    lines    true where line breaks and tabs are allowed
    raises   WrongText, TextTooLong, TextUnsafe, TextMissing
    """
    if not isinstance(value, str):
        raise WrongText(field=field)
    text = str(value).strip()
    if len(text) > limit:
        raise TextTooLong(field=field, found=len(text), limit=limit)
    for position, character in enumerate(text, 1):
        if character in "\n\r\t" and lines:
            continue
        if unicodedata.category(character) in ("Cc", "Cs") or character in DIRECTION_MARKS:
            raise TextUnsafe(field=field, position=position)
    if required and not text:
        raise TextMissing(field=field)
    return text
