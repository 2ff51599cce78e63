"""Later batches of a return: changed rows alone are fetched, in regional codes, and both sides hold the same rows."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from tests.pair import CONSUMER, DEPARTMENT, PROVIDER, PURPOSE, Pair, pair, query

AGREEMENT = "urn:uuid:0192f0c1-0000-7000-8000-0000000000f1"
FLOW = "0192f0c1-0000-7000-8000-0000000000f2"
AREA, KEEP = "320500", {"action": "keep"}
WAIT_S = 90.0
_FLOWS = """
import json, sys
from hutong.control.returns.models import ReturnFlow
given = json.load(sys.stdin)
if given["maps"]:
    from hutong.exchange.models import CodeMap
    for name, pairs in given["maps"].items():
        CodeMap.objects.create(id=name, pairs=pairs)
ReturnFlow.objects.create(**given["flow"])
"""
_FETCH = """
import json, sys
from hutong.control.returns import fetching, flows
from hutong.control.returns.models import ReturnFlow
given = json.load(sys.stdin)
flow = ReturnFlow.objects.get(id=given["flow"])
if given["lose"]:
    flows.file_of(flow.batches.order_by("-number").first()).write_bytes(b"PAR1 damaged")
fetching.fetch(flow)
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("pair")


@pytest.fixture(scope="module")
def register(folder: Path) -> Path:
    """People of two areas; who has no number yet was written down today."""
    file = folder / "people.sqlite"
    areas = ("320100", AREA, AREA, AREA)
    rows: list[tuple[Any, ...]] = [(f"{n:04d}", areas[n % 4], "MF"[n % 2], "2026-01-05") for n in range(400)]
    rows.append((None, AREA, "M", today()))
    with closing(sqlite3.connect(file)) as database, database:
        database.execute("CREATE TABLE people (id TEXT, area TEXT, sex TEXT, updated DATE)")
        database.executemany("INSERT INTO people VALUES (?, ?, ?, ?)", rows)
    return file


@pytest.fixture(scope="module")
def nodes(register: Path, folder: Path) -> Iterator[Pair]:
    source = {"kind": "sqlite", "location": str(register), "table": "people"}
    terms = {
        **{"source": "s1", "items": dict.fromkeys(("id", "area", "sex", "updated"), KEEP)},
        **{"codes": {"sex": "sex@1"}, "where": {"op": "eq", "item": "area", "value": AREA}},
    }
    flow = {
        **{"id": FLOW, "resource_id": "r", "title_zh": "人口", "area": AREA, "area_item": "area", "keys": ["id"]},
        **{"changed_item": "updated", "department": DEPARTMENT, "purpose": PURPOSE, "negotiation_id": "n"},
        **{"agreement_id": AGREEMENT, "state": "active", "update_cycle": "5"},
    }
    with pair(folder, {"s1": source}, {AGREEMENT: terms}) as made:
        maps = {"sex@1": {"M": "1", "F": "2"}}
        made.provider.python(_FLOWS, {"maps": maps, "flow": flow | {"role": "provider", "peer": CONSUMER}})
        made.consumer.python(_FLOWS, {"maps": {}, "flow": flow | {"role": "consumer", "peer": PROVIDER}})
        yield made


def today() -> str:
    return datetime.now(UTC).date().isoformat()


def fetched(nodes: Pair, *, lose: bool = False) -> dict[str, Any]:
    """The next batch, as both sides have compared it."""
    nodes.consumer.python(_FETCH, {"flow": FLOW, "lose": lose})
    until = time.monotonic() + WAIT_S
    while time.monotonic() < until:
        batch = query(nodes.consumer, "SELECT * FROM return_batch ORDER BY number")[-1]
        if batch["state"] in ("agreed", "differs"):
            return batch
        time.sleep(0.3)
    raise AssertionError(f"the batch was not compared in {WAIT_S} s: {batch['state']}")


def held(nodes: Pair, batch: dict[str, Any]) -> list[tuple[Any, ...]]:
    file = nodes.consumer.settings.data_folder / "returns" / FLOW / f"{batch['number']:06d}.parquet"
    return sorted((row["id"] or "", row["area"], row["sex"]) for row in pq.read_table(file).to_pylist())


def moved(nodes: Pair) -> int:
    """Rows of the newest exchange."""
    return int(nodes.register(nodes.consumer)[-1]["rows"])


def test_changed_rows_alone_are_fetched_in_regional_codes_and_both_sides_agree(nodes: Pair, register: Path) -> None:
    first = fetched(nodes)
    assert (first["kind"], first["state"], first["rows"]) == ("full", "agreed", 301)
    before = held(nodes, first)
    assert {sex for _, _, sex in before} == {"1", "2"}
    with closing(sqlite3.connect(register)) as database, database:
        database.execute("UPDATE people SET sex = 'F', updated = ? WHERE id = '0002'", [today()])
        database.execute("INSERT INTO people VALUES ('0401', ?, 'F', ?)", [AREA, today()])
        database.execute("INSERT INTO people VALUES ('0402', ?, 'X', ?)", [AREA, today()])  # in no map: stays behind
    second = fetched(nodes)
    assert (second["kind"], second["state"], second["rows"]) == ("changed", "agreed", 302)
    assert moved(nodes) == 3  # the changed one, the new one, and the one without a number
    wanted = [("0002", AREA, "2") if row[0] == "0002" else row for row in before]
    assert held(nodes, second) == sorted([*wanted, ("0401", AREA, "2")])


def test_where_the_batch_before_is_damaged_the_next_is_fetched_whole(nodes: Pair) -> None:
    batch = fetched(nodes, lose=True)
    assert (batch["kind"], batch["state"], batch["rows"], moved(nodes)) == ("full", "agreed", 302, 302)
