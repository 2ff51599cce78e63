"""The catalogue read whole: 100,000 entries in pages, from a node on SQLite and from one on PostgreSQL.

A member follows the Link header from the first page to the last, every page signed both ways. The last pages must cost
what the first ones did, and the server's memory must not grow with what it has served.
"""

from __future__ import annotations

import asyncio
import re
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from typing import Any

import orjson
import psutil

import tests.conftest  # noqa: F401 - gives this process a node of its own to be settings of
from bench.figure import Figure
from hutong.node.client import NodeClient, SignedAnswer
from tests import postgres
from tests.nodes import Node, Region

ENTRIES = 100_000
A_PAGE = 500  # entries; about a megabyte
EDGE = 20  # pages at either end whose times are compared
MOST_SLOWER = 1.25  # the last pages against the first
MOST_MB = 20.0  # that the server may grow between the first tenth and the end
PROVIDER, READER = "yrd", "320000"
FIRST = {
    "@context": ["https://w3id.org/dspace/2025/1/context.jsonld"],
    "@type": "CatalogRequestMessage",
    "filter": [{"hutong:limit": A_PAGE}],
}

# Run inside the node while it rests: one entry as publication makes it, then copies under ids and numbers of their own.
_SEED = """
import uuid
from datetime import UTC, datetime
from django.db import connection, transaction
from hutong.control.catalogue import dataset as datasets, federation
from hutong.control.catalogue.models import ChangeClock, Entry, Item, Resource
from hutong.control.organisations.models import Department
from hutong.node.settings import current
office = Department(code="11370800MB28559184", name_zh="市场监督管理局", name_en="Market Regulation")
resource = Resource(id=str(uuid.uuid4()), department=office, title_zh="企业登记信息", title_en="Registered companies",
    summary_zh="企业名称、统一社会信用代码、成立日期", keywords=["法人", "企业"], theme="legal_entity",
    category="basic", data_format="csv", update_cycle="3", attribute="unconditional", source_system="登记系统")
items = [Item(name=f"item_{{n}}", title_zh=f"信息项{{n}}", type="string") for n in range(5)]
now = datetime.now(UTC)
dataset = datasets.build(resource, items, current(), state="published", version=1, published_at=now)
first = federation.store(federation.sign(dataset))
made = "'00000000-0000-0000-0000-' || substr(CAST(1000000000000 + n AS text), 2)"
copied = f"replace(CAST(dataset AS text), '{{first.id}}', {{made}})"
if connection.vendor == "postgresql":
    copied = f"CAST({{copied}} AS jsonb)"
own = {{"id": made, "change": "change + n", "dataset": copied}}
names = [one.column for one in Entry._meta.concrete_fields]
with transaction.atomic(), connection.cursor() as cursor:
    columns, values = (", ".join(of.get(name, name) for name in names) for of in ({{}}, own))
    cursor.execute(
        "WITH RECURSIVE numbers(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < {entries} - 1) "
        f"INSERT INTO catalogue_entry ({{columns}}) SELECT {{values}} FROM numbers CROSS JOIN catalogue_entry")
    ChangeClock.objects.update(last=first.change + {entries})
"""


@dataclass
class Walk:
    """What one reading of the whole catalogue saw."""

    ids: set[str] = field(default_factory=set)
    addresses: list[str] = field(default_factory=list)  # of each page but the first
    first_s: float = 0.0  # median of the first pages, and of the last, asked for in turn
    last_s: float = 0.0
    memory_mb: list[float] = field(default_factory=list)  # of the server, after each page


def figures() -> Iterator[Figure]:
    for name, database in (("SQLite", nullcontext()), ("PostgreSQL", postgres.server())):
        with database as url:
            walk = walked(_new_databases(url))
        if len(walk.ids) != ENTRIES:
            raise RuntimeError(f"{len(walk.ids)} of {ENTRIES} entries came")
        yield Figure(
            f"feed: last pages of {ENTRIES:,}, {name}", walk.last_s * 1000, "ms", MOST_SLOWER, walk.first_s * 1000,
            "the first pages", judged="ratio", better="less",
        )  # fmt: skip
        tenth = len(walk.memory_mb) // 10
        grown = max(walk.memory_mb[tenth:]) - walk.memory_mb[tenth]
        yield Figure(
            f"feed: memory grown over {ENTRIES:,}, {name}", max(grown, 0.0), "MB", MOST_MB, walk.memory_mb[tenth],
            "the server after a tenth", better="less",
        )  # fmt: skip


def walked(databases: Callable[[str], str] | None) -> Walk:
    """A node with the entries, read from the first page to the last by a member."""
    folder = Path(tempfile.mkdtemp(prefix="hutong-bench-"))
    try:
        with Region(folder, databases) as region:
            region.start(PROVIDER, arguments=("--part", "control"))
            region.make(READER)
            region.join(READER, PROVIDER)
            node = region[PROVIDER]
            node.stop()
            node.python(_SEED.format(entries=ENTRIES))
            node.start("--part", "control")
            return asyncio.run(_walk(node, NodeClient(region.ring(READER))))
    finally:
        shutil.rmtree(folder, ignore_errors=True)


async def _walk(node: Node, client: NodeClient) -> Walk:
    walk = Walk()
    async with client:
        first = f"{node.base_url}/dsp/2025-1/catalog/request"
        answer = await client.call("POST", first, orjson.dumps(FIRST), peer=PROVIDER)
        walk.ids.update(_ids(answer))
        while address := _next(answer):
            walk.addresses.append(address)
            answer = await client.call("GET", address, peer=PROVIDER)
            walk.ids.update(_ids(answer))
            walk.memory_mb.append(_memory_mb(node))
        pairs = zip(walk.addresses[:EDGE], walk.addresses[-EDGE - 1 : -1], strict=True)
        took = [(await _took_s(client, one), await _took_s(client, other)) for one, other in pairs]
    walk.first_s, walk.last_s = (median(times) for times in zip(*took, strict=True))
    return walk


async def _took_s(client: NodeClient, address: str) -> float:
    """The better of two: other work of the machine falls on either."""
    took = []
    for _ in range(2):
        began = time.perf_counter()
        await client.call("GET", address, peer=PROVIDER)
        took.append(time.perf_counter() - began)
    return min(took)


def _ids(answer: SignedAnswer) -> list[str]:
    if answer.status != 200:
        raise RuntimeError(f"a page was answered {answer.status}: {answer.body[:300]!r}")
    held: Any = answer.object().get("dataset", [])
    return [one["@id"] for one in held]


def _next(answer: SignedAnswer) -> str:
    found = re.search(r'<([^>]+)>; rel="next"', answer.headers.get("Link", ""))
    return found[1] if found else ""


def _memory_mb(node: Node) -> float:
    """Resident memory of every process of the server."""
    if node.process is None:
        return 0.0
    served = psutil.Process(node.process.pid)
    return float(sum(one.memory_info().rss for one in (served, *served.children(recursive=True))) / 2**20)


def _new_databases(url: str | None) -> Callable[[str], str] | None:
    if url is None:
        return None
    return lambda jurisdiction: postgres.new_database(url, f"feed_{jurisdiction}")


def main() -> None:
    for figure in figures():
        print(figure.line())


if __name__ == "__main__":
    sys.exit(main())
