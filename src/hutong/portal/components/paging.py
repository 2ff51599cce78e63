"""Which pages to offer below a list."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Generic, TypeVar
from urllib.parse import urlencode

from django.core.exceptions import ValidationError
from django.db.models import Model, Q, QuerySet

COUNT_UP_TO = 10_000  # rows of a list; nobody asks how many more
Row = TypeVar("Row", bound=Model)
Key = tuple[datetime, Any]  # a row's moment and primary key


@dataclass(frozen=True)
class Pager:
    """A position in a long list. Pages count from 1; an empty list has one page."""

    page: int
    pages: int
    total: int
    first: int  # number of the first entry shown, 0 for an empty list
    last: int
    previous_url: str
    next_url: str
    more: bool = False  # True: there are more than `total`


def pager(
    path: str, query: Mapping[str, str | Sequence[str]], *, page: int, size: int, total: int, more: bool = False
) -> Pager:
    """The pager of a list at `path`; `query` is the rest of the address and stays in every link."""
    pages = max(1, -(-total // size))
    page = min(max(1, page), pages)

    def url(number: int) -> str:
        rest = {name: value for name, value in query.items() if value and name != "page"}
        return f"{path}?{urlencode({**rest, 'page': number}, doseq=True)}"

    return Pager(
        page=page,
        pages=pages,
        total=total,
        first=min(total, (page - 1) * size + 1),
        last=min(total, page * size),
        previous_url=url(page - 1) if page > 1 else "",
        next_url=url(page + 1) if page < pages else "",
        more=more,
    )


def page_number(text: str | None) -> int:
    """The page somebody asked for; anything else than a number means the first."""
    return max(1, int(text)) if text and text.isdecimal() and len(text) < 7 else 1


@dataclass(frozen=True)
class Sheet(Generic[Row]):
    """One page of a list too long to count off from its beginning, and the ways to its neighbours.

    A page is told by the row it follows, so the last costs what the first does, and rows that come meanwhile move
    nothing.
    """

    rows: tuple[Row, ...]
    total: int  # at most COUNT_UP_TO
    more: bool  # True: there are more than `total`
    first_url: str
    previous_url: str
    next_url: str
    last_url: str


def sheet(
    lists: Sequence[QuerySet[Row]],
    moment: str,
    path: str,
    query: Mapping[str, object],
    *,
    size: int,
    name: str = "",
    oldest_first: bool = False,
) -> Sheet[Row]:
    """The page of rows that `query` asks for, the newest first unless it is said otherwise.

    lists    disjoint querysets of one model; their rows are shown as one list. Each is one range of an index, which the
             same rows as one queryset with OR are not
    moment   the column of time they are ordered by; equals are ordered by primary key
    query    `after` or `before`: the place of a row; `end`: the last page; the rest stays in every link
    name     stands before those three where a page has several lists
    """
    after, before, end = (f"{name}{step}" for step in ("after", "before", "end"))
    rest = {one: value for one, value in query.items() if value and one not in (after, before, end)}
    backwards = bool(query.get(before) or query.get(end))
    rising = backwards is not oldest_first
    place = _place(str(query.get(before) or query.get(after) or ""), lists[0].model)
    keys = sorted(
        (key for one in lists for key in _keys(one, moment, place, size + 1, rising=rising)), reverse=not rising
    )
    beyond = len(keys) > size
    keys = sorted(keys[:size], reverse=not oldest_first)
    further_back, further_on = (beyond, place is not None) if backwards else (place is not None, beyond)
    counted = sum(one.order_by()[: COUNT_UP_TO + 1].count() for one in lists)

    def url(**step: str) -> str:
        return f"{path}?{urlencode({**rest, **step}, doseq=True)}"

    return Sheet(
        rows=_in_order(lists, [pk for _, pk in keys]),
        total=min(counted, COUNT_UP_TO),
        more=counted > COUNT_UP_TO,
        first_url=url() if further_back else "",
        previous_url=url(**{before: _text(keys[0])}) if further_back and keys else "",
        next_url=url(**{after: _text(keys[-1])}) if further_on and keys else "",
        last_url=url(**{end: "1"}) if further_on else "",
    )


def _keys(
    rows: QuerySet[Row], moment: str, place: Key | None, many: int, *, rising: bool
) -> list[tuple[datetime, Any]]:
    """(moment, primary key) of the next rows from a place on, read from an index alone."""
    if place is not None:
        at, pk = place
        side, beyond = ("gte", "gt") if rising else ("lte", "lt")
        # The first condition is the range of the index; the second leaves out what shares the moment with the place.
        rows = rows.filter(**{f"{moment}__{side}": at})
        rows = rows.filter(Q(**{f"{moment}__{beyond}": at}) | Q(**{f"pk__{beyond}": pk}))
    order = (moment, "pk") if rising else (f"-{moment}", "-pk")
    return list(rows.order_by(*order).values_list(moment, "pk")[:many])


def _in_order(lists: Sequence[QuerySet[Row]], keys: Sequence[Any]) -> tuple[Row, ...]:
    if not keys:
        return ()
    first = lists[0]
    found = first.model._default_manager.filter(pk__in=keys)
    if isinstance(first.query.select_related, dict):
        found = found.select_related(*first.query.select_related)
    by_key = {one.pk: one for one in found}
    return tuple(by_key[one] for one in keys if one in by_key)


def _text(key: tuple[datetime, Any]) -> str:
    return f"{key[0].astimezone(UTC):%Y%m%dT%H%M%S.%f}~{key[1]}"


def _place(text: str, model: type[Model]) -> Key | None:
    """The place somebody asked for; anything that is none means the beginning."""
    at, _, pk = text.partition("~")
    try:
        moment = datetime.strptime(at, "%Y%m%dT%H%M%S.%f").replace(tzinfo=UTC)
        return moment, model._meta.pk.to_python(pk[:100].replace("\0", ""))
    except (ValueError, ValidationError):
        return None
