"""How well something that exists, or is owed, fits a wish: a score out of 100, and its reasons in words. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from hutong.vocabulary.areas import within
from hutong.vocabulary.codes import UPDATE_CYCLES
from hutong.vocabulary.errors import Language

# What each reason is worth; owner: control/demands. Elements weigh most: they say what a field is, words only how
# somebody calls it.
ELEMENTS_WORTH = 50
WORDS_WORTH = 25
AREA_WORTH = 10
LEAD_WORTH = 10
CYCLE_WORTH = 5
WORDS_SHOWN = 5
TITLE_WEIGHT = 16  # of a term that stands in the title (catalogue/terms.py)

# From the most to the least frequent; what is irregular or other is not compared.
_CYCLES = ("2", "3", "4", "5", "6", "7", "8")
Kind = Literal["resource", "duty"]


@dataclass(frozen=True)
class Wished:
    """A data element that somebody looks for, as it is called today."""

    zh: str
    en: str
    names: frozenset[str]  # its own, and those of the elements it took the place of

    def say(self, language: Language) -> str:
        return self.zh if language == "zh" else self.en


@dataclass(frozen=True)
class Wish:
    """What somebody looks for."""

    terms: tuple[str, ...] = ()  # of its title and words, as the catalogue's search cuts them
    elements: tuple[Wished, ...] = ()
    area_code: str = ""
    update_cycle: str = ""

    @property
    def every_name(self) -> frozenset[str]:
        return frozenset().union(*(one.names for one in self.elements))


@dataclass(frozen=True)
class Known:
    """What exists (a published resource) or is owed (a duty without one)."""

    kind: Kind
    id: str
    origin: str
    department_code: str
    department_name: str
    department_name_en: str
    title_zh: str
    title_en: str
    elements: frozenset[str]
    weights: Mapping[str, int] = field(hash=False)  # of the terms it is found by
    area_code: str = ""
    update_cycle: str = ""
    lead: bool = False
    attribute: str = ""  # of a resource


@dataclass(frozen=True)
class Reason:
    """Why something fits or does not, in both languages."""

    code: str
    en: str
    zh: str
    helps: bool = True

    def say(self, language: Language = "en") -> str:
        return self.zh if language == "zh" else self.en


@dataclass(frozen=True)
class Candidate:
    known: Known
    score: int
    reasons: tuple[Reason, ...]
    complete: bool  # it has every data element wished, in the area wished


def ranked(wish: Wish, everything: Iterable[Known], *, most: int) -> tuple[Candidate, ...]:
    """The best first; what shares neither an element nor a word is left out. Equal ones stand in order of their ids."""
    scored = [candidate(wish, one) for one in everything]
    found = [one for one in scored if one.score and any(r.code in ("elements", "words") for r in one.reasons)]
    return tuple(sorted(found, key=lambda one: (-one.score, one.known.id))[:most])


def candidate(wish: Wish, known: Known) -> Candidate:
    """One thing against the wish."""
    has = [element for element in wish.elements if element.names & known.elements]
    lacks = [element for element in wish.elements if not element.names & known.elements]
    parts = [_elements(wish.elements, has, lacks), _words(wish.terms, known.weights)]
    fits, in_area = _area(wish.area_code, known.area_code)
    parts += [fits, _lead(known), _cycle(wish.update_cycle, known.update_cycle)]
    score = sum(points for points, _ in parts)
    reasons = tuple(reason for _, found in parts for reason in found)
    return Candidate(known, min(100, score), reasons, bool(wish.elements) and not lacks and in_area)


_Part = tuple[int, tuple[Reason, ...]]


def _elements(wished: Sequence[Wished], has: Sequence[Wished], lacks: Sequence[Wished]) -> _Part:
    if not has:
        return 0, ()
    found = [Reason("elements", f"has {_names(has, 'en')}", f"含{_names(has, 'zh')}")]
    if lacks:
        found.append(Reason("lacks", f"lacks {_names(lacks, 'en')}", f"缺{_names(lacks, 'zh')}", helps=False))
    return ELEMENTS_WORTH * len(has) // len(wished), tuple(found)


def _words(wished: Sequence[str], weights: Mapping[str, int]) -> _Part:
    matched = [term for term in wished if term in weights]
    if not matched:
        return 0, ()
    # A word in the title counts in full, one deep in the summary half.
    worth = sum(1 if weights[term] >= TITLE_WEIGHT else 0.5 for term in matched)
    shown = phrases(matched)[:WORDS_SHOWN]
    said = "says " + ", ".join(f"“{one}”" for one in shown), "含词：" + "、".join(shown)
    return max(1, int(WORDS_WORTH * worth / len(wished))), (Reason("words", *said),)


def phrases(terms: Sequence[str]) -> list[str]:
    """Overlapping pairs of Chinese characters put together again: 食品, 品生, 生产 are 食品生产."""
    found: list[str] = []
    for term in terms:
        if found and len(term) == 2 and not term.isascii() and found[-1][-1] == term[0]:
            found[-1] += term[1]
        else:
            found.append(term)
    return found


def _area(wished: str, has: str) -> tuple[_Part, bool]:
    """The part of the score, and whether the whole area is covered. What names no area covers its jurisdiction's, which
    is written into it when it is made; so none at all is taken as everywhere."""
    if not wished:
        return (0, ()), True
    if not has or within(wished, has):
        return (AREA_WORTH, (Reason("area", "covers the area", "覆盖所需区域"),)), True
    if within(has, wished):
        return (AREA_WORTH // 2, (Reason("area_part", f"covers {has}, a part", f"覆盖其中的 {has}"),)), False
    return (0, (Reason("area_other", f"is of another area, {has}", f"属于其他区域 {has}", helps=False),)), False


def _lead(known: Known) -> _Part:
    return (LEAD_WORTH, (Reason("lead", "is the lead source", "已登记为数源"),)) if known.lead else (0, ())


def _cycle(wished: str, has: str) -> _Part:
    if wished not in _CYCLES or has not in _CYCLES:
        return 0, ()
    if _CYCLES.index(has) <= _CYCLES.index(wished):
        return CYCLE_WORTH, (Reason("cycle", "is updated often enough", "更新周期满足要求"),)
    en, zh = UPDATE_CYCLES.name(has, "en"), UPDATE_CYCLES.name(has, "zh")
    return 0, (Reason("cycle_slow", f"is updated only {en}", f"更新周期仅为{zh}", helps=False),)


def _names(elements: Sequence[Wished], language: Language) -> str:
    return ("、" if language == "zh" else ", ").join(one.say(language) for one in elements)
