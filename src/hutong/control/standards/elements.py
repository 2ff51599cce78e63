"""Which data element an item could be mapped to: proposed from its values and its name, each with its score and why.

A person confirms; nothing is mapped by itself. Values are looked at, never shown.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Any

import pyarrow as pa
import pyarrow.compute

from hutong.control.catalogue.models import Item, Resource
from hutong.control.catalogue.sources import spec_of
from hutong.control.standards import queries
from hutong.control.standards.models import Definition
from hutong.exchange.shaping.codes import as_text
from hutong.exchange.sources.draft import NAMES
from hutong.exchange.sources.opening import open_source
from hutong.vocabulary.recognisers import RECOGNISERS, valid_share

pc: Any = pyarrow.compute  # its stubs know only some of the types it takes

SAMPLE_ROWS = 5_000  # from the start: a page waits for it
MOST_SHOWN = 3  # suggestions of one item
LEAST_SCORE = 0.45
LEAST_LIKE = 0.75  # likeness of names below this says nothing
# What an observation weighs. A check digit proves; a code list with few codes is met by chance; names lie.
PROOF, CODES, SAME_NAME, LIKE_NAME = 0.95, 0.75, 0.8, 0.55


@dataclass(frozen=True)
class Reason:
    """Why an element is proposed. `share` is of the sampled values, or the likeness of the names."""

    kind: str  # check, codes, code_names, same_name, like_name, name_pattern
    share: float
    what: str = ""  # the code table, or the name that matched


@dataclass(frozen=True)
class Suggestion:
    """One element for one item, the score from 0 to 1."""

    item: str
    element: Definition
    score: float
    reasons: tuple[Reason, ...]


def suggest(resource: Resource) -> dict[str, tuple[Suggestion, ...]]:
    """For each item without an element its best suggestions; an item with none is left out.

    raises   SourceRefused and what is below it
    """
    items = [one for one in resource.items.all() if not one.element]
    if not items or resource.source is None:
        return {}
    elements = queries.all_in_force("element")
    tables = {name: queries.in_force("table", name) for name in {str(one.document["table"]) for one in elements} - {""}}
    known = {name: _Codes.of(table) for name, table in tables.items() if table is not None}
    source = open_source(spec_of(resource.source))
    try:
        names = [item.name for item in items if item.name in source.schema.names]
        reader = source.read(names, limit=SAMPLE_ROWS) if names else None
        sample = reader.read_all() if reader is not None else None
    finally:
        source.close()
    found: dict[str, tuple[Suggestion, ...]] = {}
    for item in items:
        values = sample.column(item.name) if sample is not None and item.name in sample.column_names else None
        if best := _best(item, values, elements, known):
            found[item.name] = best
    return found


@dataclass(frozen=True)
class _Codes:
    codes: Any  # pa.Array of text
    names: Any

    @classmethod
    def of(cls, table: Definition) -> _Codes:
        rows = queries.codes_of(table)
        names = [name for row in rows for name in (row.title_zh, row.title_en) if name]
        return cls(pa.array([row.code for row in rows], pa.string()), pa.array(names, pa.string()))


def _best(
    item: Item, values: Any, elements: Sequence[Definition], known: Mapping[str, _Codes]
) -> tuple[Suggestion, ...]:
    text = _text(values)
    suggestions = []
    for element in elements:
        reasons = [*_by_values(element, text, known), *_by_name(element, item)]
        score = _score(reasons)
        if score >= LEAST_SCORE:
            suggestions.append(Suggestion(item.name, element, round(score, 2), tuple(reasons)))
    suggestions.sort(key=lambda one: (-one.score, one.element.name))
    return tuple(suggestions[:MOST_SHOWN])


def _score(reasons: Sequence[Reason]) -> float:
    """Independent observations add up as doubts multiply: two of 0.6 leave a doubt of 0.16."""
    doubt = 1.0
    for reason in reasons:
        doubt *= 1.0 - _WEIGHTS[reason.kind] * reason.share
    return 1.0 - doubt


_WEIGHTS = {
    "check": PROOF,
    "codes": CODES,
    "code_names": PROOF,
    "same_name": SAME_NAME,
    "like_name": LIKE_NAME,
    "name_pattern": LIKE_NAME,
}


def _by_values(element: Definition, text: Any, known: Mapping[str, _Codes]) -> list[Reason]:
    if text is None or not len(text):
        return []
    check, table = str(element.document["check"]), str(element.document["table"])
    if check in RECOGNISERS:
        share = valid_share(text, check)
        return [Reason("check", share, check)] if share >= 0.5 else []
    if table not in known:
        return []
    reasons = []
    for kind, among in (("codes", known[table].codes), ("code_names", known[table].names)):
        share = (pc.sum(pc.is_in(text, value_set=among)).as_py() or 0) / len(text)
        if share >= 0.5:
            reasons.append(Reason(kind, share, table))
    return reasons


def _by_name(element: Definition, item: Item) -> list[Reason]:
    mine = {_plain(one) for one in (item.name, item.title_zh, item.title_en)} - {""}
    titles = [element.name, element.title_zh, element.title_en, *element.document["aliases"]]
    theirs = {_plain(one): one for one in titles if one}
    if same := sorted(mine & theirs.keys()):
        return [Reason("same_name", 1.0, theirs[same[0]])]
    if any(name == element.name and pattern.search(item.name) for name, pattern in NAMES):
        return [Reason("name_pattern", 1.0, item.name)]
    share, name = max(
        ((SequenceMatcher(None, one, other).ratio(), theirs[other]) for one in mine for other in theirs),
        default=(0.0, ""),
    )
    return [Reason("like_name", share, name)] if share >= LEAST_LIKE else []


def _text(values: Any) -> Any:
    """The values present, as trimmed text; None where the type has none."""
    if values is None or not (pa.types.is_string(values.type) or pa.types.is_integer(values.type)):
        return None
    trimmed = pc.utf8_trim_whitespace(as_text(values).drop_null())
    return trimmed.filter(pc.not_equal(trimmed, ""))


def _plain(text: str) -> str:
    return re.sub(r"[\s_\-./()（）]+", "", unicodedata.normalize("NFKC", text)).casefold()
