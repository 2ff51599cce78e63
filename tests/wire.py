"""Our courier with the wire replaced: what comes of each message is the test's word."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import orjson

from hutong.node import delivery
from hutong.node.client import NoAnswer, NodeClient, SignedAnswer
from hutong.node.keyring import ring

# What a message gets: a status and the answer's JSON; None when nothing comes back.
Fate = tuple[int, dict[str, Any]] | None


class Wire(NodeClient):
    """Stands in for the network alone: says what a peer would say, and remembers the order. A 404 comes unsigned."""

    def __init__(self, fate: Callable[[dict[str, Any]], Fate]) -> None:
        super().__init__(ring())
        self._fate, self.sent = fate, list[dict[str, Any]]()

    async def call(self, method: str, url: str, body: bytes = b"", **_: Any) -> SignedAnswer:
        said = orjson.loads(body)
        self.sent.append(said)
        await asyncio.sleep(0)
        fate = self._fate(said)
        if fate is None:
            raise NoAnswer(peer="340000", reason="test")
        status, answer = fate
        return SignedAnswer(status, {}, orjson.dumps(answer), signed=status != 404)


def deliver(wire: Wire) -> None:
    """Carry what is due, and what becomes due by that, until nothing is."""

    async def run() -> None:
        courier = delivery.Courier()
        await courier._look(wire)
        while courier._carrying:
            await asyncio.gather(*courier._carrying.values())
            await courier._look(wire)
        await courier._in_database(delivery.connections.close_all)

    asyncio.run(run())
