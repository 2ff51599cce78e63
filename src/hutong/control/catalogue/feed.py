"""The catalogue in pages: the whole of it, or what changed since an earlier reading.

Every entry carries a change number of this node: the microsecond in which the node kept it, pushed on where needed so
that each is greater than any before. A page is a range of that number. The last page costs what the first one does;
an entry that changes while somebody pages moves to the end, so that it may come twice, in two versions, and is never
left out. Numbers are this node's own: no two nodes' clocks are ever compared.
"""

from __future__ import annotations

import base64
import binascii
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Self

import orjson
from django.db.models import QuerySet

from hutong.control.catalogue.dataset import CONTEXT
from hutong.control.catalogue.models import ChangeClock, Entry
from hutong.node.directory import participant_id
from hutong.node.settings import current
from hutong.vocabulary.errors import BadInput, Refused
from hutong.vocabulary.text import shown

PAGE_ENTRIES = 100  # where the asker names no number; owner: catalogue
MOST_A_PAGE = 1000
PAGE_BYTES = 4 * 1024 * 1024  # a page is full at this size, whatever number was asked for
READ_AHEAD = 20  # entries in memory beyond the page
ANY = "any"
PROOF = "hutong:proof"
_LATEST = 2**63 - 1
_FILTERS = ("hutong:origin", "hutong:changes", "hutong:changedSince", "hutong:limit")


class MembersOnly(Refused):
    """Entries of other nodes are shown to members of the region only."""

    zh = "其他节点的条目仅向本区域成员提供。"
    code = "members_only"
    status = 403
    next_en = "Leave hutong:origin out, or ask the node that published them."
    next_zh = "请去掉 hutong:origin，或向发布节点查询。"


@dataclass(frozen=True)
class Wish:
    """What somebody wants to read: what of it, and from where on."""

    origin: str = ""  # a jurisdiction, ANY, or "" for our own
    changes: bool = False  # every change, withdrawals among them, each with its origin's signature
    since: int = 0  # nothing changed up to this number
    after: int = 0  # the page that follows this number
    before: int | None = None  # the page that ends before this number
    size: int = PAGE_ENTRIES

    def __post_init__(self) -> None:
        if self.origin == ANY and not self.changes:  # no index would serve it
            raise _wrong("hutong:origin")

    def token(self) -> str:
        """As it stands in the address of a page."""
        values = [self.origin, self.changes, self.since, self.after, self.before, self.size]
        return base64.urlsafe_b64encode(orjson.dumps(values)).decode("ascii").rstrip("=")

    @classmethod
    def of_token(cls, token: str) -> Self:
        """raises   BadInput"""
        try:
            values = orjson.loads(base64.urlsafe_b64decode(token[:400] + "=" * (-len(token) % 4)))
            origin, changes, since, after, before, size = values
        except (binascii.Error, ValueError, TypeError) as error:
            raise _wrong("continuationToken") from error
        numbers = (since, after, size, *(() if before is None else (before,)))
        if not isinstance(origin, str) or not isinstance(changes, bool) or not all(_is_count(n) for n in numbers):
            raise _wrong("continuationToken")
        return cls(origin, changes, since, after, before, min(max(size, 1), MOST_A_PAGE))

    @classmethod
    def of_filter(cls, given: tuple[Any, ...]) -> Self:
        """The members of a catalog request's filter that are ours; those of other connectors are left alone.

        raises   BadInput for one of ours that is unknown or has no such value
        """
        ours: dict[str, Any] = {}
        for one in given:
            if isinstance(one, dict):
                ours |= {name: value for name, value in one.items() if str(name).startswith("hutong:")}
        for name in ours:
            if name not in _FILTERS:
                raise _wrong(name)
        origin, limit = ours.get("hutong:origin", ""), ours.get("hutong:limit", PAGE_ENTRIES)
        if not isinstance(origin, str) or len(origin) > 40:
            raise _wrong("hutong:origin")
        if not _is_count(limit) or not 1 <= limit <= MOST_A_PAGE:
            raise _wrong("hutong:limit")
        since = _moment(ours["hutong:changedSince"]) if "hutong:changedSince" in ours else 0
        after = _cursor(ours["hutong:changes"]) if "hutong:changes" in ours else 0
        return cls(origin, "hutong:changes" in ours, since, after, None, limit)


@dataclass(frozen=True)
class Kept:
    """An entry as a page holds it."""

    change: int
    dataset: dict[str, Any]
    signature: str
    keyid: str


@dataclass(frozen=True)
class Page:
    """One page, in the order of changes."""

    wish: Wish
    entries: tuple[Kept, ...]
    earlier: bool  # there is a page before this one
    later: bool

    @property
    def next(self) -> Wish | None:
        return replace(self.wish, after=self.entries[-1].change, before=None) if self.later and self.entries else None

    @property
    def previous(self) -> Wish | None:
        return replace(self.wish, after=0, before=self.entries[0].change) if self.earlier and self.entries else None

    @property
    def cursor(self) -> str:
        """Where whoever has read this page goes on, now or in a month."""
        return str(self.entries[-1].change if self.entries else max(self.wish.after, self.wish.since))


def check_may_read(wish: Wish, *, is_member: bool) -> None:
    """raises   MembersOnly"""
    if not is_member and wish.origin not in ("", current().jurisdiction):
        raise MembersOnly


def hold() -> None:
    """Keep the clock until the caller's transaction ends.

    MUST come before any entry is locked: otherwise two transactions could wait for each other.
    """
    ChangeClock.objects.select_for_update().get_or_create(id=1)


def advance() -> int:
    """A change number greater than any before. Whoever holds it commits before the next one is given out."""
    clock, _ = ChangeClock.objects.select_for_update().get_or_create(id=1)
    clock.last = max(clock.last + 1, time.time_ns() // 1000)
    clock.save(update_fields=["last"])
    return clock.last


def page(wish: Wish) -> Page:
    """One page. Memory is bounded by PAGE_BYTES and READ_AHEAD entries, whatever the catalogue holds."""
    backwards = wish.before is not None
    entries: list[Kept] = []
    size, more = 0, False
    for kept in _rows(wish, backwards):
        size += len(orjson.dumps(kept.dataset))
        if more := bool(entries) and (len(entries) == wish.size or size > PAGE_BYTES):
            break
        entries.append(kept)
    if backwards:
        return Page(wish, tuple(reversed(entries)), earlier=more, later=bool(entries))
    # Only a reader who has come from somewhere has pages before this one.
    earlier = wish.after > wish.since and _wanted(wish, wish.since).filter(change__lte=wish.after).exists()
    return Page(wish, tuple(entries), earlier=earlier, later=more)


def catalog(page: Page) -> dict[str, Any]:
    """A page as a Dataspace Protocol catalog. An empty one has no data sets at all."""
    ourselves = participant_id(current().jurisdiction)
    catalog: dict[str, Any] = {
        "@context": [CONTEXT],
        "@id": ourselves + ":catalog",
        "@type": "Catalog",
        "participantId": ourselves,
    }
    if page.entries:
        catalog["dataset"] = [_within(kept, signed=page.wish.changes) for kept in page.entries]
    if page.wish.changes:
        catalog |= {"hutong:cursor": page.cursor, "hutong:more": page.later}
    return catalog


def signed_entries(catalog: dict[str, Any]) -> list[dict[str, Any]]:
    """The entries of a page of changes as `federation.accept` takes them: what `catalog` took apart, put together.

    raises   BadInput when it is no such page
    """
    found = []
    datasets = catalog.get("dataset", [])
    for one in datasets if isinstance(datasets, list) else [None]:
        proof = one.get(PROOF) if isinstance(one, dict) else None
        if not isinstance(one, dict) or not isinstance(proof, dict):
            raise _wrong("dataset")
        content = {"@context": [CONTEXT]} | {name: value for name, value in one.items() if name != PROOF}
        found.append({"dataset": content, "signature": proof.get("value"), "keyid": proof.get("keyid")})
    return found


def _wanted(wish: Wish, above: int) -> QuerySet[Entry]:
    # One lower bound: of two, SQLite begins at the first and passes over everything up to the second.
    held = Entry.objects.filter(change__gt=above)
    if wish.origin != ANY:
        held = held.filter(origin=wish.origin or current().jurisdiction)
    return held if wish.changes else held.filter(state="published")


def _rows(wish: Wish, backwards: bool) -> Iterator[Kept]:
    held = _wanted(wish, max(wish.since, wish.after))
    held = held.filter(change__lt=wish.before).order_by("-change") if backwards else held.order_by("change")
    rows = held.values_list("change", "dataset", "signature", "keyid")[: wish.size + 1]
    return (Kept(*row) for row in rows.iterator(chunk_size=READ_AHEAD))


def _within(kept: Kept, *, signed: bool) -> dict[str, Any]:
    """A data set inside a catalog has no context of its own."""
    dataset = {name: value for name, value in kept.dataset.items() if name != "@context"}
    proof = {"keyid": kept.keyid, "alg": "ed25519", "value": kept.signature}
    return dataset | ({PROOF: proof} if signed else {})


def _is_count(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= _LATEST


def _cursor(given: Any) -> int:
    if given == "":
        return 0
    if not isinstance(given, str) or not given.isascii() or not given.isdigit() or len(given) > 18:
        raise _wrong("hutong:changes")
    return int(given)


def _moment(given: Any) -> int:
    try:
        moment = datetime.fromisoformat(given)
        if moment.tzinfo is None:
            raise ValueError("no time zone")
        return max(0, int(moment.timestamp() * 1_000_000) - 1)
    except (TypeError, ValueError, OverflowError) as error:
        raise _wrong("hutong:changedSince") from error


def _wrong(name: str) -> BadInput:
    return BadInput(reason=f"{shown(name)} has no such value", reason_zh=f"{shown(name)} 的值有误")
