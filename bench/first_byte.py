"""From the head's sign-off to the first byte of data, for an unconditional resource agreed by rule.

Between the two: the request, the agreement with both signatures, its verification, the finalization, the transfer's
request and start (six signed messages, each durable on both sides before it is answered), and the application's read.
Beside it, measured in the same run: six signed round trips between the same nodes that decide and store nothing.
"""

from __future__ import annotations

import shutil
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from statistics import median

import tests.conftest  # noqa: F401 - gives this process a node of its own to be settings of
from bench.figure import Figure
from tests.journeys.first_exchange import CONSUMER, PROVIDER, begin
from tests.nodes import Node, Region

COMPANIES = 1_000
TIMES = 15
MESSAGES = 6
GOAL_S = 0.2

# Run inside the consumer's node: a person's sign-off, then an application that reads as soon as it may.
_ASK = """
import time, urllib.request, json, orjson
from hutong.control.identity.queries import account
from hutong.control.requests.actions import file, sign_off
from hutong.exchange.models import Entitlement
from hutong.node.settings import current
officer, head = account("li"), account("sun")

def agreed(known):
    return next((one for one in Entitlement.objects.filter(state="active") if one.agreement_id not in known), None)

def once(number):
    known = set(Entitlement.objects.values_list("agreement_id", flat=True))
    made = file(officer, resource_id={resource!r}, items=["name", "uscc"], row_condition=None, purpose="licensing",
        basis="b", scenario="s", scope="s", mode="interface", term_days=30, quota_calls_per_day=1000)
    began = time.perf_counter()
    sign_off(head, made.id)
    while (found := agreed(known)) is None:
        time.sleep(0.001)
    asked = urllib.request.Request(
        f"{{current().exchange_url}}/exchange/v1/agreements/{{found.agreement_id}}/read", data=b'{{"limit": 10}}',
        headers={{"Authorization": "Bearer " + {key!r}, "Hutong-Purpose": "licensing", "Hutong-Case": str(number)}})
    with urllib.request.urlopen(asked, timeout=20) as answer:
        answer.read(1)
    return time.perf_counter() - began

print(orjson.dumps([once(number) for number in range({times})]).decode())
"""
_PING = """
import asyncio, time, orjson
from hutong.node.client import NodeClient
from hutong.node.directory import member
from hutong.node.keyring import ring
keys, url = ring(), member({peer!r}).base_url + "/hutong/ping"
keys.refresh()

async def rounds():
    async with NodeClient(keys) as client:
        took = []
        for _ in range({times}):
            began = time.perf_counter()
            for _ in range({messages}):
                await client.call("GET", url, peer={peer!r})
            took.append(time.perf_counter() - began)
        return took

print(orjson.dumps(asyncio.run(rounds())).decode())
"""


def figures() -> Iterator[Figure]:
    folder = Path(tempfile.mkdtemp(prefix="hutong-bench-"))
    try:
        source = folder / "companies.csv"
        rows = (f"企业{number},CODE{number:06},2001-02-03,南京\n" for number in range(COMPANIES))
        source.write_text("name,uscc,registration_date,city\n" + "".join(rows), encoding="utf-8")
        with Region(folder) as region:
            made = begin(region, source, folder)
            settle()
            limit = median_s(region[CONSUMER], _PING.format(peer=PROVIDER, times=TIMES, messages=MESSAGES))
            took = median_s(region[CONSUMER], _ASK.format(resource=made.resource, key=made.key, times=TIMES))
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    yield Figure("first byte: agreed by rule", took, "s", GOAL_S, limit, "six signed round trips", better="less")


def settle() -> None:
    """The witnesses' round that follows the first agreement is over."""
    time.sleep(2)


def median_s(node: Node, code: str) -> float:
    """The median of what a script in the node measured, without its first: that one warms up both nodes."""
    return median(node.python(code)[1:])
