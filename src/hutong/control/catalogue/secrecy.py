"""The secrecy gate: state and work secrets are refused before anything is stored.

1. Text is compared as a reader sees it: full-width forms made narrow, white space and invisible characters removed, so
   that a label does not slip through as "机 密".
2. Words that merely contain the characters (计算机密码, 时机密切, 机密性) are no label.
3. A statement that there are no secrets (不涉及国家秘密) is no label.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable

from hutong.vocabulary.rulebook import Rule

_DENIAL = re.compile(
    "(?:不涉及|未涉及|不包含|不属于|不含|非)(?:任何)?(?:国家秘密|工作秘密|商业秘密)"
    "(?:(?:、|和|或|及|与)(?:国家秘密|工作秘密|商业秘密))*"
)
_LABEL = re.compile("绝密|秘密级|工作秘密|国家秘密|秘密★|(?<![算时飞手司电主])机密(?![码度切性集封])")


_ENGLISH_LABEL = re.compile(r"\b(?:top|state|work)[\s_-]*secrets?\b")


class SecretRefused(Rule):
    """State secrets and work secrets are not shared here: {field} carries the label {label}."""

    zh = "国家秘密、工作秘密不得在此共享：{field} 标有“{label}”。"
    code = "secret_label"
    rule = "D809-3"
    status = 422
    next_en = "Take the material out of this system and handle it under the secrecy rules."
    next_zh = "请将该材料移出本系统，按保密规定处理。"


class SecretItem(SecretRefused):
    """State secrets and work secrets are not shared here: the item {field} is flagged secret."""

    zh = "国家秘密、工作秘密不得在此共享：信息项 {field} 标为涉密。"
    code = "secret_item"


def label(text: str) -> str:
    """The secrecy label in a text, or empty."""
    narrow = unicodedata.normalize("NFKC", text).lower()
    seen = "".join(one for one in narrow if not _invisible(one))
    found = _LABEL.search(_DENIAL.sub("", seen)) or _ENGLISH_LABEL.search(narrow)
    return found.group() if found else ""


def check(texts: Iterable[tuple[str, object]]) -> None:
    """Refuse when a text, or a text in a list, carries a secrecy label.

    texts    (field, value) pairs; values that are no text are passed over
    raises   SecretRefused
    """
    for field, value in texts:
        for text in value if isinstance(value, (list, tuple)) else (value,):
            if isinstance(text, str) and (found := label(text)):
                raise SecretRefused(field=field, label=found)


def _invisible(character: str) -> bool:
    return character.isspace() or unicodedata.category(character) in ("Cf", "Cc", "Mn")
