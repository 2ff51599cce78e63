"""Reconciling two ledgers: every exchange must stand in both, and tell the same.

Our side is read from our own files. The other side is read from the peer, and believed only so far as it is proven:
each of its receipts must stand, at the place it names, under a checkpoint that its log has signed and that extends the
one we cosigned before.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Literal, NamedTuple, Protocol

from hutong.ledger import checkpoint as checkpoints
from hutong.ledger import note as notes
from hutong.ledger.checkpoint import Checkpoint
from hutong.ledger.entries import Logged
from hutong.ledger.note import VerifierKey
from hutong.ledger.pages import Page
from hutong.ledger.receipt import BadReceipt, Receipt
from hutong.ledger.tiles import Tile
from hutong.ledger.tree import ProofRefused
from hutong.ledger.trust import TrustedTiles
from hutong.vocabulary.canonical import digest
from hutong.vocabulary.errors import Refused
from hutong.vocabulary.moments import rfc3339

SETTLES_WITHIN = timedelta(minutes=2)  # an exchange younger than this may still be under way on one side
FACTS = ("agreement", "provider", "consumer", "purpose", "case", "request", "form")  # the same on both sides, always
ANSWER = ("response", "rows", "bytes")  # the same when the answer was received whole
UNFINISHED = frozenset({"open", "cut"})

Kind = Literal["one_sided", "altered", "differing", "unproven"]
PageAfter = Callable[[int], Page]  # the page of receipts that stand after a place


class LogForked(Refused):
    """The log {origin} now shows another history than the one it signed before: entries 0 to {size} were changed."""

    zh = "日志 {origin} 现在显示的历史与其先前签署的不同：前 {size} 条已被改动。"
    code = "log_forked"
    status = 409
    next_en = "Both signed checkpoints are kept as evidence. Tell the supervisor of the other jurisdiction."
    next_zh = "两份签名检查点已作为证据保存，请通知对方的监督机构。"


class PeerLog(Protocol):
    """How the other side's log is read."""

    @property
    def keys(self) -> Sequence[VerifierKey]: ...  # the keys we trust for it

    def page(self, after: int) -> Page: ...

    def tile(self, tile: Tile, /) -> bytes: ...  # MUST raise NoTile for what is not there


@dataclass(frozen=True)
class Difference:
    """One exchange on which the two ledgers do not agree."""

    exchange: str
    kind: Kind
    what: str
    what_zh: str
    ours: int | None = None  # places in the logs
    theirs: int | None = None
    members: tuple[str, ...] = ()  # of the receipt, that differ


@dataclass
class Reconciliation:
    """What comparing two ledgers came to."""

    peer: str
    agreed: int = 0  # exchanges that both ledgers tell alike
    unanswered: int = 0  # a consumer asked, and nothing was answered or recorded: no data moved
    pending: int = 0  # too young to judge
    differences: list[Difference] = field(default_factory=list)
    our_size: int = 0
    their_size: int = 0
    behind: int = 0  # entries that the peer signed before and does not show now (an old copy, or a restored backup)

    @property
    def holds(self) -> bool:
        return not self.differences and not self.behind


@dataclass
class _Side:
    """One exchange on one side: its last receipt, and the digests of all."""

    index: int
    receipt: Receipt
    by_digest: dict[str, Receipt]


@dataclass(frozen=True)
class _Pair:
    """One exchange on both sides; at least one of them has it."""

    exchange: str
    ours: _Side | None
    theirs: _Side | None

    @property
    def sides(self) -> list[_Side]:
        return [side for side in (self.ours, self.theirs) if side]

    @property
    def ended(self) -> bool:
        """Both sides have it, and neither expects another receipt of it."""
        return len(self.sides) == 2 and not any(side.receipt.outcome in UNFINISHED for side in self.sides)

    @property
    def began_at(self) -> str:
        return min(receipt.at for side in self.sides for receipt in side.by_digest.values())

    @property
    def moved_nothing(self) -> bool:
        """Only a consumer's record of a request to which nothing came back."""
        alone = self.sides[0].receipt if len(self.sides) == 1 else None
        return (
            alone is not None and alone.role == "consumer" and not (alone.rows or alone.response or alone.peer_receipt)
        )

    def difference(self, kind: Kind, what: str, what_zh: str, members: tuple[str, ...] = ()) -> Difference:
        places = (self.ours.index if self.ours else None, self.theirs.index if self.theirs else None)
        return Difference(self.exchange, kind, what, what_zh, *places, members)


def reconcile(
    peer: str,
    our_page: PageAfter,
    their_log: PeerLog,
    *,
    now: datetime | None = None,
    known_checkpoint: str = "",
    on_fork: Callable[[str, str, str], None] = lambda _origin, _first, _second: None,
    since: str = "",
    start: tuple[int, int] = (0, 0),
) -> Reconciliation:
    """Compare all exchanges with one peer. Memory holds what has no end on both sides yet, not the logs.

    peer               its jurisdiction
    known_checkpoint   the note of its log that we cosigned last; "" if none
    on_fork            called with origin and the two notes before LogForked is raised
    since              RFC 3339; exchanges whose first receipt is older are left out
    start              places in our log and in theirs; no exchange since `since` has a receipt before them
    raises             LogForked, NotSigned, SignatureFails, TileRefused; Refused when the peer cannot be read
    """
    found = Reconciliation(peer)
    settled_before = rfc3339((now or datetime.now(UTC)) - SETTLES_WITHIN)  # before we look: looking may take long
    our_first, their_first = our_page(start[0] - 1), their_log.page(start[1] - 1)
    found.our_size = our_first.size
    checkpoint = checkpoints.opened(notes.parse(their_first.checkpoint), their_log.keys)
    found.their_size = checkpoint.size
    tiles = TrustedTiles(checkpoint, their_log.tile)
    if known_checkpoint:
        _check_extends(found, tiles, known_checkpoint, their_first.checkpoint, on_fork)
    comparison = _Comparison(found, since, settled_before)
    ours = _own(_read(our_page, our_first, our_first.size))
    comparison.take(_by_time(ours, _proven(found, _read(their_log.page, their_first, checkpoint.size), tiles)))
    if doubtful := comparison.judge():
        # What would be a difference is looked at once more with every receipt it ever had: one may stand before
        # `start`, or have been put aside with an exchange that both sides had told alike by then.
        ours = _own(_read(our_page, our_page(-1), our_first.size))
        theirs = _proven(Reconciliation(peer), _read(their_log.page, their_log.page(-1), checkpoint.size), tiles)
        every = [entry for entry in _by_time(ours, theirs) if entry.receipt.exchange in doubtful]
        before = _Comparison(Reconciliation(peer), since, settled_before)
        before.take(entry for entry in every if entry.logged.index >= start[0 if entry.ours else 1])
        found.agreed -= before.found.agreed  # judged now, and by all that is known of them
        comparison = _Comparison(found, since, settled_before, last=True)
        comparison.take(every)
        comparison.judge()
    return found


class _Comparison:
    """The exchanges of two logs that cannot be put aside yet."""

    def __init__(self, found: Reconciliation, since: str, settled_before: str, *, last: bool = False) -> None:
        self.found, self.since, self.settled_before, self.last = found, since, settled_before, last
        self._ours: dict[str, _Side] = {}
        self._theirs: dict[str, _Side] = {}

    def take(self, entries: Iterable[_Entry]) -> None:
        """Read both logs side by side by time, and put aside what has ended alike on both sides."""
        for entry in entries:
            pair = self._add(entry)
            if not self.last and pair.ended and _difference(pair) is None:
                self._put_aside(pair)

    def judge(self) -> frozenset[str]:
        """Count what is left; returns what would be a difference, to be looked at with all its receipts."""
        unproven = {difference.exchange for difference in self.found.differences}
        doubtful = set()
        for exchange in sorted((self._ours.keys() | self._theirs.keys()) - unproven):
            pair = _Pair(exchange, self._ours.get(exchange), self._theirs.get(exchange))
            if pair.began_at < self.since:
                continue
            difference = _difference(pair)
            if difference is None:
                self.found.agreed += 1
            elif max(side.receipt.at for side in pair.sides) >= self.settled_before:
                self.found.pending += 1
            elif pair.moved_nothing:
                self.found.unanswered += 1
            elif self.last:
                self.found.differences.append(difference)
            else:
                doubtful.add(exchange)
        return frozenset(doubtful)

    def _add(self, entry: _Entry) -> _Pair:
        exchange, sides = entry.receipt.exchange, self._ours if entry.ours else self._theirs
        by_digest = sides[exchange].by_digest if exchange in sides else {}
        by_digest[digest(entry.logged.entry)] = entry.receipt
        sides[exchange] = _Side(entry.logged.index, entry.receipt, by_digest)
        return _Pair(exchange, self._ours.get(exchange), self._theirs.get(exchange))

    def _put_aside(self, pair: _Pair) -> None:
        self.found.agreed += pair.began_at >= self.since
        del self._ours[pair.exchange], self._theirs[pair.exchange]


class _Entry(NamedTuple):
    """A receipt of one of the logs."""

    logged: Logged
    receipt: Receipt
    ours: bool


def _by_time(ours: Iterator[_Entry], theirs: Iterator[_Entry]) -> Iterator[_Entry]:
    return heapq.merge(ours, theirs, key=lambda entry: entry.receipt.at)


def _read(page_after: PageAfter, page: Page, size: int) -> Iterator[Logged]:
    """The receipts of a log as it was when it had `size` entries, from a page on."""
    while True:
        yield from (one for one in page.entries if one.index < size)
        if page.after + 1 >= size:
            return
        after, page = page.after, page_after(page.after)
        if page.after <= after:
            raise ProofRefused(reason="the pages of receipts do not go on", reason_zh="回执页没有接续")


def _own(logged: Iterator[Logged]) -> Iterator[_Entry]:
    return (_Entry(one, Receipt.from_entry(one.entry), True) for one in logged)


def _proven(found: Reconciliation, logged: Iterator[Logged], tiles: TrustedTiles) -> Iterator[_Entry]:
    """Their receipts, each proven; those that are not go into the differences."""
    for one in logged:
        try:
            receipt = Receipt.from_entry(one.entry)
        except BadReceipt as error:
            found.differences.append(Difference("", "unproven", error.say("en"), error.say("zh"), theirs=one.index))
            continue
        try:
            tiles.check_entry(one.index, one.entry)
        except ProofRefused:
            what = f"the peer shows a receipt that is not entry {one.index} of its own log"
            zh = f"对方出示的回执并非其日志第 {one.index} 条"
            found.differences.append(Difference(receipt.exchange, "unproven", what, zh, theirs=one.index))
            continue
        yield _Entry(one, receipt, False)


def _check_extends(
    found: Reconciliation, tiles: TrustedTiles, known: str, now: str, on_fork: Callable[[str, str, str], None]
) -> None:
    before: Checkpoint = checkpoints.parse(notes.parse(known).text)
    if before.size > tiles.size:
        found.behind = before.size - tiles.size
    elif tiles.root_at(before.size) != before.root:
        on_fork(before.origin, known, now)
        raise LogForked(origin=before.origin, size=before.size - 1)


def _difference(pair: _Pair) -> Difference | None:
    """Where the two sides part; None where they tell the same."""
    if pair.ours is None:
        return pair.difference("one_sided", "only the peer has it", "仅对方有记录")
    if pair.theirs is None:
        return pair.difference("one_sided", "only we have it", "仅我方有记录")
    roles = {side.receipt.role: side for side in pair.sides}
    if len(roles) < 2:
        what = f"both sides call themselves its {pair.ours.receipt.role}"
        return pair.difference("altered", what, "双方以同一角色登记", ("role",))
    provider, consumer = roles["provider"], roles["consumer"]
    if members := _altered(provider, consumer):
        names = ", ".join(members)
        return pair.difference("altered", f"the two sides differ in {names}", f"双方不一致：{names}", members)
    told = (provider.receipt.outcome, consumer.receipt.outcome)
    if not _fit(*told):
        what = f"the provider says {told[0]}, the consumer {told[1]}"
        return pair.difference("differing", what, f"提供方记为 {told[0]}，使用方记为 {told[1]}", ("outcome",))
    return None


def _altered(provider: _Side, consumer: _Side) -> tuple[str, ...]:
    """The members that must be the same and are not."""
    given, taken = provider.receipt, consumer.receipt
    if taken.peer_receipt:
        if taken.peer_receipt not in provider.by_digest:
            return ("peer_receipt",)
        given = provider.by_digest[taken.peer_receipt]  # the provider may have served the exchange more than once
    members = list(FACTS)
    if given.outcome == "served" and taken.outcome in ("served", "recovered"):
        members += ANSWER
    if given.outcome == "refused" and taken.outcome == "refused":
        members.append("code")
    return tuple(name for name in members if getattr(given, name) != getattr(taken, name))


def _fit(provider: str, consumer: str) -> bool:
    """Whether two outcomes tell one story."""
    if consumer == "recovered":
        return provider != "open"
    return provider == consumer or (provider in UNFINISHED and consumer in UNFINISHED)
