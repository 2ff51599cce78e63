"""Consumers take turns at the provider's exchange: a flood waits behind itself, and no queue grows without end."""

from __future__ import annotations

import asyncio
import threading

import pytest

from hutong.exchange import turns
from hutong.exchange.grants.rules import ProviderBusy
from hutong.exchange.turns import Turns, Workers

FLOOD = turns.MOST_WAITING_EACH


async def queue(many: dict[str, int], at_once: int = 1, size: int = 0) -> list[str]:
    """Ask for so many turns each, in that order. returns whose turns they were, one after the other"""
    one, served = Turns(at_once), []

    async def message(consumer: str) -> None:
        async with one.turn(consumer, size):
            served.append(consumer)
            await asyncio.sleep(0)

    await asyncio.gather(*(message(consumer) for consumer, count in many.items() for _ in range(count)))
    return served


def test_one_consumers_flood_does_not_hold_up_another():
    served = asyncio.run(queue({"flood": FLOOD, "small": 10}))
    assert served.count("flood") == FLOOD
    # The small one came last, behind the whole flood, and is served every second time.
    assert max(place for place, who in enumerate(served) if who == "small") <= 21
    assert len(asyncio.run(queue({"flood": FLOOD, "small": 10}, at_once=6))) == FLOOD + 10


def test_what_costs_more_has_fewer_turns():
    async def both() -> list[str]:
        one, served = Turns(1), []

        async def message(consumer: str, size: int) -> None:
            async with one.turn(consumer, size):
                served.append(consumer)
                await asyncio.sleep(0)

        large = [message("large", 20_000) for _ in range(20)]
        small = [message("small", 0) for _ in range(20)]
        await asyncio.gather(*large, *small)
        return served

    served = asyncio.run(both())
    assert served[:24].count("small") == 20


def test_g_10_provider_busy_when_too_many_of_one_consumers_messages_wait():
    async def flooded() -> tuple[int, str]:
        one, held, refused = Turns(1), asyncio.Event(), 0

        async def message(consumer: str) -> None:
            nonlocal refused
            try:
                async with one.turn(consumer, 0):
                    await held.wait()
            except ProviderBusy:
                refused += 1

        flood = [asyncio.create_task(message("flood")) for _ in range(FLOOD + 11)]
        await asyncio.sleep(0)
        other = asyncio.create_task(message("other"))
        await asyncio.sleep(0)
        held.set()
        await asyncio.gather(*flood, other)
        return refused, other.exception() or ""

    assert asyncio.run(flooded()) == (10, "")
    assert ProviderBusy(waiting=64).problem()["retry_after_s"] == 1


def test_whoever_goes_away_leaves_no_turn_taken():
    async def gone() -> list[str]:
        one, held, served = Turns(1), asyncio.Event(), []

        async def message(consumer: str) -> None:
            async with one.turn(consumer, 0):
                served.append(consumer)
                await held.wait()

        first, second, third = (asyncio.create_task(message(who)) for who in ("first", "second", "third"))
        await asyncio.sleep(0)
        second.cancel()
        held.set()
        await asyncio.gather(first, third, return_exceptions=True)
        with pytest.raises(asyncio.CancelledError):
            await second
        async with asyncio.timeout(1), one.turn("fourth", 0):
            served.append("fourth")
        return served

    assert asyncio.run(gone()) == ["first", "third", "fourth"]


def test_one_consumers_long_work_does_not_hold_up_anothers():
    async def both() -> list[str]:
        workers, begun, go_on = Workers(1, "test"), [], threading.Event()

        def work(consumer: str) -> None:
            go_on.wait(10)
            begun.append(consumer)

        flood = [asyncio.create_task(workers.do("flood", work, "flood")) for _ in range(20)]
        await asyncio.sleep(0)
        small = asyncio.create_task(workers.do("small", work, "small"))
        await asyncio.sleep(0)
        go_on.set()
        await asyncio.gather(*flood, small)
        workers.stop()
        return begun

    # One of the flood was under way; of those that wait, the small one's first is worth as much as the flood's second.
    assert asyncio.run(both()).index("small") <= 2
