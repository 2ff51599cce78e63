"""Which pages to offer below a list."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import urlencode


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


def pager(path: str, query: Mapping[str, str | Sequence[str]], *, page: int, size: int, total: int) -> Pager:
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
    )


def page_number(text: str | None) -> int:
    """The page somebody asked for; anything else than a number means the first."""
    return max(1, int(text)) if text and text.isdecimal() and len(text) < 7 else 1
