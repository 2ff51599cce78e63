"""The words an entry is found by: pairs of Chinese characters, and English words.

The same index serves SQLite and PostgreSQL: one row per term and entry, with the weight of the best place the term
stands in. Chinese has no spaces, so its text is cut into overlapping pairs (企业登记: 企业, 业登, 登记) and
single characters; a query of pairs that all match is, in practice, a phrase.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator

from hutong.control.catalogue.dataset import EntryDocument

TITLE, KEYWORD, DEPARTMENT, ITEM, SUMMARY = 16, 8, 4, 2, 1
LONGEST_TERM = 40
MOST_TERMS = 4000  # of one entry; the weightiest are kept
MOST_QUERY_TERMS = 24  # of one query; a longer one is cut
_ELEMENT = "element:"  # no word has a colon, so no text is ever taken for a data element
_RUNS = re.compile(r"[\u3400-\u9fff\U00020000-\U0003ffff]+|[^\W_\u3400-\u9fff]+")


def terms(text: str) -> Iterator[str]:
    """Every term of a text, as indexed."""
    for run in _runs(text):
        if _chinese(run):
            yield from run
            yield from _pairs(run)
        else:
            yield _stem(run)[:LONGEST_TERM]


def query_terms(text: str) -> list[str]:
    """The terms a query asks for, each once: pairs of Chinese characters, one only where it stands alone."""
    found: list[str] = []
    for run in _runs(text):
        if _chinese(run):
            found += _pairs(run) or [run]
        else:
            found.append(_stem(run)[:LONGEST_TERM])
    return list(dict.fromkeys(found))[:MOST_QUERY_TERMS]


def element_term(element: str) -> str:
    """The term of a data element, by which whatever has such an item is found."""
    return (_ELEMENT + element)[:LONGEST_TERM]


def weighted_terms(entry: EntryDocument) -> dict[str, int]:
    """The terms of an entry with the weight of the best place each stands in."""
    weights: dict[str, int] = {}
    for weight, texts in _places(entry):
        for text in texts:
            for term in terms(text):
                weights[term] = max(weight, weights.get(term, 0))
    weights |= {element_term(item.element): ITEM for item in entry.items if item.element}
    if len(weights) > MOST_TERMS:
        heaviest = sorted(weights.items(), key=lambda one: -one[1])
        return dict(heaviest[:MOST_TERMS])
    return weights


def _places(entry: EntryDocument) -> Iterator[tuple[int, Iterable[str]]]:
    yield TITLE, (entry.title_zh, entry.title_en)
    yield KEYWORD, entry.keywords
    yield DEPARTMENT, (entry.department_name, entry.department_name_en, entry.code)
    for item in entry.items:
        yield ITEM, (item.title_zh, item.title_en, item.name)
    yield SUMMARY, (entry.summary_zh, entry.summary_en, entry.business_matter, entry.source_system)


def _runs(text: str) -> list[str]:
    return _RUNS.findall(unicodedata.normalize("NFKC", text).lower().replace("\0", " "))


def _pairs(run: str) -> list[str]:
    return [run[at : at + 2] for at in range(len(run) - 1)]


def _chinese(run: str) -> bool:
    return "\u3400" <= run[0] <= "\u9fff" or run[0] >= "\U00020000"


def _stem(word: str) -> str:
    """English plurals found by their singular: cities, companies, permits."""
    if not word.isascii() or len(word) < 4 or not word.endswith("s") or word.endswith("ss"):
        return word
    return word[:-3] + "y" if word.endswith("ies") else word[:-1]
