"""Reconciling two ledgers: every exchange must stand in both, and tell the same.

Our side is read from our own files. The other side is read from the peer, and believed only so far as it is proven:
each of its receipts must stand, at the place it names, under a checkpoint that its log has signed and that extends the
one we cosigned before.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Literal, Protocol

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
    our_pages: Iterable[Page],
    their_log: PeerLog,
    *,
    now: datetime | None = None,
    known_checkpoint: str = "",
    on_fork: Callable[[str, str, str], None] = lambda _origin, _first, _second: None,
    since: str = "",
) -> Reconciliation:
    """Compare all exchanges with one peer.

    peer               its jurisdiction
    known_checkpoint   the note of its log that we cosigned last; "" if none
    on_fork            called with origin and the two notes before LogForked is raised
    since              RFC 3339; exchanges whose first receipt is older are left out
    raises             LogForked, NotSigned, SignatureFails, TileRefused; Refused when the peer cannot be read
    """
    found = Reconciliation(peer)
    theirs = _their_side(found, their_log, known_checkpoint, on_fork)
    ours: dict[str, _Side] = {}
    for page in our_pages:
        found.our_size = page.size
        for one in page.entries:
            _add(ours, one, Receipt.from_entry(one.entry))
    settled_before = rfc3339((now or datetime.now(UTC)) - SETTLES_WITHIN)
    unproven = {difference.exchange for difference in found.differences}
    for exchange in sorted((ours.keys() | theirs.keys()) - unproven):
        pair = _Pair(exchange, ours.get(exchange), theirs.get(exchange))
        if pair.began_at >= since:
            _count(found, pair, settled_before)
    return found


def _their_side(
    found: Reconciliation, log: PeerLog, known: str, on_fork: Callable[[str, str, str], None]
) -> dict[str, _Side]:
    """Their receipts, each proven; those that are not go into the differences."""
    first = log.page(-1)
    note = notes.parse(first.checkpoint)
    checkpoint = checkpoints.opened(note, log.keys)
    tiles = TrustedTiles(checkpoint, log.tile)
    found.their_size = checkpoint.size
    if known:
        _check_extends(found, tiles, known, first.checkpoint, on_fork)
    sides: dict[str, _Side] = {}
    page = first
    while True:
        for one in page.entries:
            _add_proven(found, sides, one, tiles)
        if page.after + 1 >= checkpoint.size:
            return sides
        after, page = page.after, log.page(page.after)
        if page.after <= after:
            raise ProofRefused(reason="the peer's pages of receipts do not go on", reason_zh="对方的回执页没有接续")


def _check_extends(
    found: Reconciliation, tiles: TrustedTiles, known: str, now: str, on_fork: Callable[[str, str, str], None]
) -> None:
    before: Checkpoint = checkpoints.parse(notes.parse(known).text)
    if before.size > tiles.size:
        found.behind = before.size - tiles.size
    elif tiles.root_at(before.size) != before.root:
        on_fork(before.origin, known, now)
        raise LogForked(origin=before.origin, size=before.size - 1)


def _add_proven(found: Reconciliation, sides: dict[str, _Side], one: Logged, tiles: TrustedTiles) -> None:
    if one.index >= tiles.size:
        return  # logged after the checkpoint we compare with
    try:
        receipt = Receipt.from_entry(one.entry)
    except BadReceipt as error:
        found.differences.append(Difference("", "unproven", error.say("en"), error.say("zh"), theirs=one.index))
        return
    try:
        tiles.check_entry(one.index, one.entry)
    except ProofRefused:
        what = f"the peer shows a receipt that is not entry {one.index} of its own log"
        zh = f"对方出示的回执并非其日志第 {one.index} 条"
        found.differences.append(Difference(receipt.exchange, "unproven", what, zh, theirs=one.index))
        return
    _add(sides, one, receipt)


def _add(sides: dict[str, _Side], one: Logged, receipt: Receipt) -> None:
    by_digest = sides[receipt.exchange].by_digest if receipt.exchange in sides else {}
    by_digest[digest(one.entry)] = receipt
    sides[receipt.exchange] = _Side(one.index, receipt, by_digest)


def _count(found: Reconciliation, pair: _Pair, settled_before: str) -> None:
    difference = _difference(pair)
    if difference is None:
        found.agreed += 1
    elif max(side.receipt.at for side in pair.sides) >= settled_before:
        found.pending += 1
    elif pair.moved_nothing:
        found.unanswered += 1
    else:
        found.differences.append(difference)


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
