"""Search: entries of all members by words and filters, in a time that does not grow with the catalogue.

1. The words are taken the rarest first. Its entries are walked, the weightiest first, and each is asked for the other
   words by one look into an index; the walk ends with enough found.
2. What was found is weighed, ordered and counted here: it is at most MOST_FOUND entries. Where more would match, the
   answer says so instead of counting them.
3. Without words an index gives the newest entries, and another one the counts of every filter.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.db import connection
from django.db.models import BooleanField, Case, Count, OuterRef, Subquery, Value, When
from django.db.models.lookups import IsNull

from hutong.control.catalogue.models import Entry, EntryTerm
from hutong.control.catalogue.terms import query_terms
from hutong.vocabulary.codes import GRADES
from hutong.vocabulary.errors import BadInput
from hutong.vocabulary.text import checked, shown

LONGEST_QUERY = 200
PAGE_SIZE = 20
MOST_A_PAGE = 100
MOST_FOUND = 1000  # entries of one search by words; nobody reads further
RARE_ENOUGH = 10_000  # beyond so many entries, two words are equally common
SAMPLE = 100  # entries of the rarest word, by which the order of the others is chosen
PUBLISHED = {"state": "published"}
FILTERS = ("origin", "department_code", "attribute", "update_cycle", "theme", "grade", "state")
FACETS = ("origin", "attribute", "theme")

Faced = tuple[str, str, str]  # an entry's origin, attribute and theme


@dataclass(frozen=True)
class Found:
    """One page of a search, best first."""

    entries: tuple[Entry, ...]
    total: int
    page: int  # from 1
    size: int
    every_word: bool = True  # False: no entry has all the words, these have some
    more: bool = False  # True: more match than `total`; the best are here
    facets: dict[str, dict[str, int]] = field(default_factory=dict)

    @property
    def pages(self) -> int:
        return max(1, -(-self.total // self.size))


@dataclass(frozen=True)
class _Matches:
    """Entries with the words, each with what filters ask of it; in the order they were walked, by the first word's
    weight."""

    faced: dict[str, Faced]
    more: bool

    def where(self, chosen: dict[str, Any]) -> _Matches:
        kept = {one: faced for one, faced in self.faced.items() if _fits(faced, chosen)}
        return _Matches(kept, self.more)


def search(
    text: str = "", filters: dict[str, Any] | None = None, page: int = 1, size: int = PAGE_SIZE, *, facets: bool = False
) -> Found:
    """Entries of all members, best first; without text the newest first.

    text      Chinese or English words; all of them must occur, or, where no entry has all, as many as possible
    filters   exact values by the names in FILTERS; a list means any of them; without `state`, only published ones
    page      from 1; beyond the last one it is empty
    facets    also count what was found by origin, attribute and theme, each without the filter by itself
    raises    BadInput for an unknown filter, an impossible page, a text that is too long or holds control characters
    """
    if not 1 <= page <= 100_000 or not 1 <= size <= MOST_A_PAGE:
        raise BadInput(
            reason=f"a page is counted from 1 and holds 1 to {MOST_A_PAGE} entries",
            reason_zh=f"页码从 1 起，每页 1 至 {MOST_A_PAGE} 条",
        )
    wanted = query_terms(checked("text", text.replace("\n", " "), limit=LONGEST_QUERY))
    conditions = _conditions(filters or {})
    if wanted:
        return _best(wanted, conditions, page, size, facets=facets)
    return _newest(conditions, page, size, facets=facets) if not text.strip() else Found((), 0, page, size)


def _conditions(filters: dict[str, Any]) -> dict[str, Any]:
    """The filters as conditions on an entry's columns."""
    conditions: dict[str, Any] = {} if "state" in filters else dict(PUBLISHED)
    for name, value in filters.items():
        if name not in FILTERS:
            raise BadInput(
                reason=f"there is no filter {shown(name)}; filters are {', '.join(FILTERS)}",
                reason_zh=f"没有筛选条件 {shown(name)}；可用：{'、'.join(FILTERS)}",
            )
        values = list(value) if isinstance(value, (list, tuple, set)) else [value]
        if name == "grade" and not all(one in GRADES for one in values):
            raise BadInput(reason="a grade is 1 to 4", reason_zh="分级为 1 至 4")
        checked_values = values if name == "grade" else [checked(name, one, limit=200) for one in values]
        conditions[f"{name}__in"] = checked_values[:50]
    return conditions


def _newest(conditions: dict[str, Any], page: int, size: int, *, facets: bool) -> Found:
    base, chosen = _apart(conditions)
    first = (page - 1) * size
    ids = Entry.objects.filter(**conditions).order_by("-published_at", "id").values_list("id", flat=True)
    shown_ids = list(ids[first : first + size])
    counts: dict[Faced, int] = {
        (origin, attribute, theme): many
        for origin, attribute, theme, many in Entry.objects.filter(**base)
        .order_by()
        .values_list(*FACETS)
        .annotate(many=Count("*"))
    }
    total = sum(many for faced, many in counts.items() if _fits(faced, chosen))
    return Found(
        _entries(shown_ids),
        total,
        page,
        size,
        facets={name: _facet(name, counts.items(), chosen) for name in FACETS} if facets else {},
    )


def _best(wanted: Sequence[str], conditions: dict[str, Any], page: int, size: int, *, facets: bool) -> Found:
    base, chosen = _apart(conditions)
    terms = _rarest_first(wanted)
    every_word = len(terms) == len(wanted)
    whole = _having_all(terms, base) if every_word else _Matches({}, more=False)
    matches = _narrowed(whole, terms, base, chosen)
    if not matches.faced and len(wanted) > 1:
        every_word = False
        whole = _having_some(terms, base)
        matches = whole.where(chosen)
    ordered = _weighed(list(matches.faced), terms)[:MOST_FOUND]
    first = (page - 1) * size
    return Found(
        entries=_entries(ordered[first : first + size]),
        total=len(ordered),
        page=page,
        size=size,
        every_word=every_word or len(wanted) == 1,
        more=matches.more and len(ordered) == MOST_FOUND,
        facets={name: _facet_of(name, whole, matches, chosen) for name in FACETS} if facets else {},
    )


def _apart(conditions: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """What is counted within, and the choices among what is counted."""
    names = {f"{name}__in" for name in FACETS}
    base = {name: value for name, value in conditions.items() if name not in names}
    return base, {name: value for name, value in conditions.items() if name in names}


def _rarest_first(wanted: Sequence[str]) -> list[str]:
    """The words that any entry has, the rarest first."""
    held = f"(SELECT COUNT(*) FROM (SELECT 1 FROM catalogue_term WHERE term = %s LIMIT {RARE_ENOUGH}) AS held)"  # noqa: S608
    counted = ", ".join([held] * len(wanted))
    with connection.cursor() as cursor:  # a statement for each of many words takes longer than the counting
        cursor.execute(f"SELECT {counted}", list(wanted))
        counts = dict(zip(wanted, cursor.fetchone(), strict=True))
    return sorted((term for term in wanted if counts[term]), key=lambda term: counts[term])


def _having_all(terms: Sequence[str], conditions: dict[str, Any]) -> _Matches:
    """Entries that have every word; of more than MOST_FOUND, those where the rarest weighs most."""
    found = EntryTerm.objects.filter(term=terms[0])
    if others := _least_shared_first(terms):
        found = found.filter(_held_by_each(others))
    if conditions != PUBLISHED:  # only published entries have terms
        found = found.filter(**{f"entry__{name}": value for name, value in conditions.items()})
    rows = found.order_by("-weight", "-entry_id").values_list("entry_id", *(f"entry__{name}" for name in FACETS))
    one_more = rows[: MOST_FOUND + 1]  # by it is known that there are more
    faced = {entry_id: (origin, attribute, theme) for entry_id, origin, attribute, theme in one_more}
    return _Matches(faced, len(faced) > MOST_FOUND)


def _held_by_each(terms: Sequence[str]) -> Case:
    """That an entry has all of these, asked in this order; the first that it lacks ends it.

    EXISTS would be made a join each, and the joins be planned for longer than they take; AND would be put in an order
    of the database's own.
    """
    held = EntryTerm.objects.filter(entry=OuterRef("entry_id")).values("weight")
    lacks = [When(IsNull(Subquery(held.filter(term=one)[:1]), True), then=Value(False)) for one in terms]
    return Case(*lacks, default=Value(True), output_field=BooleanField())


def _least_shared_first(terms: Sequence[str]) -> list[str]:
    """The words beside the first, in the order to ask an entry for them: first what the fewest that have it share.

    Pairs of one phrase come together, so that how rare a word is by itself says little here.
    """
    others = list(terms[1:])
    if len(others) < 2:
        return others
    heaviest = EntryTerm.objects.filter(term=terms[0]).order_by("-weight", "-entry_id")
    sample = list(heaviest.values_list("entry_id", flat=True)[:SAMPLE])
    rows = EntryTerm.objects.filter(term__in=others, entry_id__in=sample).order_by()
    shared = Counter(rows.values_list("term", flat=True))
    return sorted(others, key=lambda term: shared[term])


def _having_some(terms: Sequence[str], conditions: dict[str, Any]) -> _Matches:
    """Entries that have any word, those with the rarest words first, until there are enough."""
    faced: dict[str, Faced] = {}
    more = False
    for term in terms:
        if len(faced) > MOST_FOUND:
            break
        having = _having_all([term], conditions)
        faced |= having.faced
        more = more or having.more
    return _Matches(faced, more or len(faced) > MOST_FOUND)


def _narrowed(whole: _Matches, terms: Sequence[str], base: dict[str, Any], chosen: dict[str, Any]) -> _Matches:
    """The matches that fit what was chosen. Where not all matches are known, they are looked for anew."""
    if whole.more and chosen:
        return _having_all(terms, base | chosen)
    return whole.where(chosen)


def _facet_of(name: str, whole: _Matches, matches: _Matches, chosen: dict[str, Any]) -> dict[str, int]:
    """Of the matches; of all that was found by the words where this facet is itself chosen."""
    counted = whole if f"{name}__in" in chosen else matches
    return _facet(name, ((faced, 1) for faced in list(counted.faced.values())[:MOST_FOUND]), chosen)


def _weighed(ids: Sequence[str], terms: Sequence[str]) -> Sequence[str]:
    """Most words first, then the greatest weight; among equals the newer (ids grow with time)."""
    if len(terms) == 1:
        return ids  # walked in just that order
    matched, score = Counter[str](), Counter[str]()
    rows = EntryTerm.objects.filter(term__in=terms, entry_id__in=ids).order_by().values_list("entry_id", "weight")
    for entry_id, weight in rows:
        matched[entry_id] += 1
        score[entry_id] += weight
    return sorted(ids, key=lambda one: (matched[one], score[one], one), reverse=True)


def _entries(ids: Sequence[str]) -> tuple[Entry, ...]:
    by_id = {one.id: one for one in Entry.objects.filter(id__in=ids).defer("dataset")}
    return tuple(by_id[one] for one in ids if one in by_id)


def _fits(faced: Faced, chosen: dict[str, Any]) -> bool:
    return all(value in chosen.get(f"{name}__in", (value,)) for name, value in zip(FACETS, faced, strict=True))


def _facet(name: str, counts: Iterable[tuple[Faced, int]], chosen: dict[str, Any]) -> dict[str, int]:
    """How many each value of one facet has, the choice of that facet left aside."""
    others = {one: values for one, values in chosen.items() if one != f"{name}__in"}
    counted: Counter[str] = Counter()
    for faced, many in counts:
        if _fits(faced, others):
            counted[faced[FACETS.index(name)]] += many
    return dict(sorted(counted.items(), key=lambda one: (-one[1], one[0])))
