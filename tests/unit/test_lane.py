"""Queries that wait for one peer travel together, and none waits for ever."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from hutong.exchange import lane
from hutong.exchange.asking import Ask
from hutong.exchange.entitlements import Application, Entitled
from hutong.exchange.lane import Busy, Lane, Reply, Waiting
from hutong.exchange.outgoing import Outgoing
from hutong.exchange.query import QUERIES_PER_MESSAGE
from hutong.vocabulary.errors import NotFound, Unavailable

REPLY = Reply(200, [], b"[]")
ENTITLED = Entitled(Application("d", "a"), "urn:uuid:1", "320000", b"k")


def one(limit: int | None = 1) -> Outgoing:
    ask = Ask("sha256:k", "urn:uuid:1", "p", "1", "json", {"items": None, "where": None, "limit": limit, "key": None})
    return Outgoing(ask, ENTITLED, "x", "c", b"{}", "sha256:r")


class Peer:
    """Answers when told to; remembers what each message held."""

    def __init__(self) -> None:
        self.messages: list[int] = []
        self.may_answer = asyncio.Event()
        self.asked = asyncio.Event()
        self.may_settle = asyncio.Event()
        self.may_settle.set()

    async def ask(self, _peer: str, batch: list[Waiting]) -> None:
        self.messages.append(len(batch))
        self.asked.set()
        await self.may_answer.wait()

    async def settle(self, batch: list[Waiting], _answered: None) -> None:
        await self.may_settle.wait()
        for waiting in batch:
            waiting.settle(REPLY)


def run(story: Callable[[Peer, Lane[None]], Awaitable[None]]) -> Peer:
    async def told() -> Peer:
        peer = Peer()
        await asyncio.wait_for(story(peer, Lane("320000", peer.ask, peer.settle)), 20)
        return peer

    return asyncio.run(told())


def test_a_lone_query_leaves_at_once():
    async def story(peer: Peer, queue: Lane[None]) -> None:
        peer.may_answer.set()
        assert await queue.put(one()) == REPLY

    assert run(story).messages == [1]


def test_queries_of_one_moment_travel_in_one_message():
    async def story(peer: Peer, queue: Lane[None]) -> None:
        peer.may_answer.set()
        await asyncio.gather(*(queue.put(one()) for _ in range(50)))

    assert run(story).messages == [50]


def test_what_comes_while_a_message_is_under_way_gathers_for_the_next():
    async def story(peer: Peer, queue: Lane[None]) -> None:
        first = queue.put(one())
        await peer.asked.wait()
        others = [queue.put(one()) for _ in range(20)]
        peer.may_answer.set()
        await asyncio.gather(first, *others)

    assert run(story).messages == [1, 20]


def test_a_slow_answer_does_not_hold_up_the_queries_behind_it():
    async def story(peer: Peer, queue: Lane[None]) -> None:
        first = queue.put(one())
        await peer.asked.wait()
        peer.asked.clear()
        second = queue.put(one())
        await peer.asked.wait()  # the second message left while the first was not answered
        peer.may_answer.set()
        await asyncio.gather(first, second)

    assert run(story).messages == [1, 1]


def test_many_that_wait_make_a_further_message_leave():
    async def story(peer: Peer, queue: Lane[None]) -> None:
        first = queue.put(one())
        await peer.asked.wait()
        others = [queue.put(one()) for _ in range(lane.WORTH_ANOTHER)]
        await asyncio.sleep(0)
        assert peer.messages == [1, lane.WORTH_ANOTHER]
        peer.may_answer.set()
        await asyncio.gather(first, *others)

    run(story)


def test_the_next_message_does_not_wait_until_the_last_answer_is_on_record():
    async def story(peer: Peer, queue: Lane[None]) -> None:
        peer.may_settle.clear()
        peer.may_answer.set()
        first = queue.put(one())
        await peer.asked.wait()
        peer.asked.clear()
        second = queue.put(one())
        await peer.asked.wait()
        assert not first.done()
        peer.may_settle.set()
        await asyncio.gather(first, second)

    assert run(story).messages == [1, 1]


def test_a_message_holds_no_more_queries_and_rows_than_the_wire_allows():
    async def story(peer: Peer, queue: Lane[None]) -> None:
        peer.may_answer.set()
        await asyncio.gather(*(queue.put(one()) for _ in range(QUERIES_PER_MESSAGE + 10)))

    assert max(run(story).messages) <= QUERIES_PER_MESSAGE

    async def large(peer: Peer, queue: Lane[None]) -> None:
        peer.may_answer.set()
        await asyncio.gather(*(queue.put(one(1000)) for _ in range(60)))

    assert max(run(large).messages) <= lane.ROWS_PER_MESSAGE // 1000


@pytest.mark.parametrize("failing", ["ask", "settle"])
@pytest.mark.parametrize(("error", "seen"), [(NotFound(what="x", name="y"), NotFound), (OSError(), Unavailable)])
def test_when_a_message_fails_everyone_in_it_is_told(error, seen, failing):
    async def story() -> list[object]:
        async def fails(*_: object) -> None:
            raise error

        peer = Peer()
        peer.may_answer.set()

        queue = Lane("320000", fails if failing == "ask" else peer.ask, fails if failing == "settle" else peer.settle)
        return await asyncio.gather(*(queue.put(one()) for _ in range(5)), return_exceptions=True)

    assert all(isinstance(found, seen) for found in asyncio.run(story()))


def test_when_too_many_wait_the_node_says_so_instead_of_growing(monkeypatch):
    monkeypatch.setattr(lane, "MOST_WAITING", 3)

    async def story(peer: Peer, queue: Lane[None]) -> None:
        first = queue.put(one())
        await peer.asked.wait()
        waiting = [queue.put(one()) for _ in range(3)]
        with pytest.raises(Busy):
            queue.put(one())
        peer.may_answer.set()
        await asyncio.gather(first, *waiting)

    run(story)


def test_an_application_that_went_away_disturbs_nobody_else():
    async def story(peer: Peer, queue: Lane[None]) -> None:
        gone, stays = queue.put(one()), queue.put(one())
        gone.cancel()
        peer.may_answer.set()
        assert await stays == REPLY

    run(story)
