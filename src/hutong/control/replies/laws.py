"""The laws a refusal may cite, from a versioned list, and the form of a citation.

A citation is one text, shown everywhere as it was written: 《政务数据共享条例》第十四条. Chosen from the
list it is built here; typed, it is held against the same form, and against the list where the list knows its title.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any, Final

from hutong.control.replies.rules import ArticleNotInLaw, CitationNotInForm
from hutong.control.requests.rules import RefusalWithoutCitation

LONGEST_CITATION: Final = 200  # characters; the wire and both sides' tables keep as much
MOST_ARTICLES: Final = 2_000
_DIGITS: Final = "零一二三四五六七八九"
_NUMBER: Final = r"[零〇一二三四五六七八九十百千0-9]{1,9}"
# 《title》第N条, then perhaps 之N, paragraph 款 and item 项.
_CHINESE: Final = re.compile(
    rf"《(?P<title>[^《》]{{2,80}})》第(?P<article>{_NUMBER})条(之{_NUMBER})?(第{_NUMBER}款)?(第{_NUMBER}项)?\Z"
)
_ENGLISH: Final = re.compile(
    r"(?P<title>[^,;]{4,120}), (?:article|art\.) (?P<article>[0-9]{1,4})(\([0-9a-z]{1,3}\))*\Z"
)


@dataclass(frozen=True)
class Law:
    """One law of the list."""

    code: str
    title_zh: str
    title_en: str
    kind: str  # law, regulation, State Council document, local
    articles: int | None = None  # how many it has, where we know

    def cite(self, article: int) -> str:
        """raises   ArticleNotInLaw"""
        self.check_article(article)
        return f"《{self.title_zh}》第{in_chinese(article)}条"

    def check_article(self, article: int) -> None:
        """raises   ArticleNotInLaw"""
        if not 1 <= article <= (self.articles or MOST_ARTICLES):
            raise ArticleNotInLaw(title=self.title_en, title_zh=self.title_zh, article=article)


@cache
def laws() -> tuple[Law, ...]:
    """The list, in its own order."""
    return tuple(Law(**one) for one in _file()["laws"])


@cache
def version() -> str:
    """Of the list; it is recorded with each refusal."""
    return str(_file()["version"])


def law(code: str) -> Law | None:
    return next((one for one in laws() if one.code == code), None)


def checked_citation(text: str) -> str:
    """A citation in the form of one, without space around it; several are separated by semicolons.

    raises   RefusalWithoutCitation, CitationNotInForm, ArticleNotInLaw
    """
    said = text.strip()
    if not said:
        raise RefusalWithoutCitation
    if len(said) > LONGEST_CITATION:
        raise CitationNotInForm
    for one in re.split("[；;]", said):
        found = _CHINESE.match(one.strip()) or _ENGLISH.match(one.strip())
        if found is None:
            raise CitationNotInForm
        _check_known(found["title"], _number(found["article"]))
    return said


def in_chinese(number: int) -> str:
    """1 to 9,999 as laws count: 十, 十四, 二十, 一百零一."""
    text, zero = "", False
    for unit, name in ((1000, "千"), (100, "百"), (10, "十"), (1, "")):
        digit, number = divmod(number, unit)
        if digit:
            text += ("零" if zero else "") + _DIGITS[digit] + name
            zero = False
        elif text and number:
            zero = True
    return text.removeprefix("一") if text.startswith("一十") else text


def _check_known(title: str, article: int) -> None:
    bare = title.removeprefix("中华人民共和国").strip()
    for one in laws():
        if bare == one.title_zh or bare.lower() == one.title_en.lower():
            one.check_article(article)


def _number(text: str) -> int:
    """raises   CitationNotInForm"""
    if text.isdecimal():
        return int(text)
    total, digit = 0, 0
    for character in text.replace("〇", "零"):
        if character in _DIGITS:
            digit = _DIGITS.index(character)
        else:
            total += (digit or 1) * {"十": 10, "百": 100, "千": 1000}.get(character, 0)
            digit = 0
    total += digit
    if total < 1:
        raise CitationNotInForm
    return total


def _file() -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads(
        files("hutong.control.replies").joinpath("laws.json").read_text(encoding="utf-8")
    )
    return loaded
