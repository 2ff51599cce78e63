"""Rows that stayed behind: what is kept of them, and how exactly they are read when a code map covers them.

1. No row is kept. The provider keeps, sealed, what the exchange asked for and the values its maps did not hold.
2. A replay asks the same again, under the agreement as it stands, of the rows that have one of these values which the
   map holds by now. Each value is replayed once: who took it is noted in the commit that closes the replay. A row with
   two such values comes when the last of them is held, and then once.
3. The consumer keeps counts alone.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import orjson

from hutong.exchange.database import reading
from hutong.exchange.query import Query, complete
from hutong.exchange.shaping.codes import CodeMap
from hutong.exchange.shaping.converting import Withheld
from hutong.exchange.shaping.predicate import Predicate
from hutong.ledger.receipt import Receipt
from hutong.node.keys import seal, unseal
from hutong.vocabulary.errors import Refused

_SELECT = (
    "SELECT sealed, turn FROM exchange_withheld WHERE exchange_id = %s AND role = 'provider' AND agreement_id = %s"
)
_INSERT = (
    "INSERT INTO exchange_withheld (exchange_id, role, agreement_id, items, state, sealed, turn, at)"
    " VALUES (%s, %s, %s, %s, 'waiting', %s, 0, %s) ON CONFLICT (exchange_id, role) DO NOTHING"
)
_TAKE = (
    "UPDATE exchange_withheld SET sealed = %s, state = %s, turn = turn + 1"
    " WHERE exchange_id = %s AND role = 'provider' AND turn = %s"
)
_TAKEN = "UPDATE exchange_withheld SET state = %s WHERE exchange_id = %s AND role = 'consumer'"


class NothingToReplay(Refused):
    """Exchange {exchange} has no withheld rows that could be sent now."""

    zh = "交换 {exchange} 目前没有可补发的暂留行。"
    code = "nothing_to_replay"
    status = 409
    next_en = "They come when the provider's code map covers their values, and each once; your node is told."
    next_zh = "提供方的代码映射覆盖相应取值后方可补发，每行仅一次；届时会通知贵方节点。"


class ReplayedMeanwhile(Refused):
    """The withheld rows of exchange {exchange} were sent in another replay at the same time."""

    zh = "交换 {exchange} 的暂留行已在同时进行的另一次补发中发送。"
    code = "replayed_meanwhile"
    status = 409
    next_en = "Use the rows of the other replay."
    next_zh = "请使用另一次补发的结果。"


@dataclass(frozen=True)
class Kept:
    """What the provider keeps of one exchange's withheld rows. Sealed at rest; never leaves, never logged."""

    exchange: str
    asked: Mapping[str, Any]  # items, where, key, keys, as in the query
    values: Mapping[str, Mapping[str, str]]  # by item: unmapped value: the exchange that replayed it, or ""
    turn: int = 0

    @classmethod
    def of(cls, query: Query, withheld: Withheld) -> Kept:
        asked = {
            "items": list(query.items) if query.items is not None else None,
            "where": query.where.to_document() if query.where else None,
            "key": {"item": query.key.item, "value": query.key.value} if query.key else None,
            "keys": {"item": query.keys.item, "values": list(query.keys.values)} if query.keys else None,
        }
        return cls(query.exchange, asked, {item: dict.fromkeys(values, "") for item, values in withheld.values.items()})

    @classmethod
    def unsealed(cls, exchange: str, sealed: bytes, turn: int = 0) -> Kept:
        document = orjson.loads(unseal(sealed))
        return cls(exchange, document["asked"], document["values"], turn)

    def sealed(self) -> bytes:
        return seal(orjson.dumps({"asked": self.asked, "values": self.values}))

    def waiting(self) -> dict[str, list[str]]:
        """By item, the values nobody has replayed."""
        return {item: [one for one, taker in values.items() if not taker] for item, values in self.values.items()}

    def held_now(self, maps: Mapping[str, CodeMap], replay: str = "") -> dict[str, tuple[str, ...]]:
        """By item, the values that the maps hold by now and no replay but this one has taken."""
        held = {
            item: tuple(one for one, taker in values.items() if one in maps[item].pairs and taker in ("", replay))
            for item, values in self.values.items()
            if item in maps
        }
        return {item: values for item, values in held.items() if values}

    def taken(self, held: Mapping[str, tuple[str, ...]], replay: str) -> Kept:
        values = {
            item: {one: replay if one in held.get(item, ()) else taker for one, taker in of_item.items()}
            for item, of_item in self.values.items()
        }
        return Kept(self.exchange, self.asked, values, self.turn)


@dataclass(frozen=True)
class Replay:
    """One replay under way."""

    kept: Kept
    held: Mapping[str, tuple[str, ...]]  # local codes, by item

    @property
    def only(self) -> Predicate:
        """The rows it reads, in local codes."""
        parts = tuple(Predicate("in", item, values) for item, values in self.held.items())
        return Predicate("or", args=parts) if len(parts) > 1 else parts[0]


def begin_replay(query: Query, maps: Mapping[str, CodeMap]) -> Replay:
    """Make the query what its exchange asked for, and say which rows of it are due now.

    raises   NothingToReplay, also for an exchange under another agreement
    """
    with reading("the use register") as cursor:
        cursor.execute(_SELECT, (query.replay, query.agreement))
        row = cursor.fetchone()
    if row is None or not bytes(row[0]):
        raise NothingToReplay(exchange=query.replay)
    kept = Kept.unsealed(query.replay, bytes(row[0]), row[1])
    held = kept.held_now(maps, query.exchange)
    if not held:
        raise NothingToReplay(exchange=query.replay)
    replayed = query.replay
    complete(query, dict(kept.asked))
    query.replay = replayed
    return Replay(kept, held)


@dataclass(frozen=True)
class Keeping:
    """What a line of the register does to the withheld rows, in its own commit.

    sealed   of an exchange that left rows behind, provider's side
    replay   of a replay, provider's side
    replays  the exchange a replay repeated, consumer's side
    """

    sealed: bytes = b""
    replay: Replay | None = None
    replays: str = ""

    def write(self, cursor: Any, receipt: Receipt, at: Any) -> None:
        """raises   ReplayedMeanwhile; then nothing was written"""
        if receipt.outcome != "served":
            return
        if self.replay is not None:
            taken = self.replay.kept.taken(self.replay.held, receipt.exchange)
            state = "waiting" if any(taken.waiting().values()) else "replayed"
            cursor.execute(_TAKE, (taken.sealed(), state, taken.exchange, taken.turn))
            if cursor.rowcount == 0:
                raise ReplayedMeanwhile(exchange=taken.exchange)
        elif self.replays:
            cursor.execute(_TAKEN, ("waiting" if receipt.withheld else "replayed", self.replays))
        elif receipt.withheld:
            items = orjson.dumps(dict(receipt.withheld)).decode()
            cursor.execute(_INSERT, (receipt.exchange, receipt.role, receipt.agreement, items, self.sealed, at))


NOTHING_KEPT = Keeping()
