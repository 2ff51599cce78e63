"""A nation, a province and a county, by command line: rows return to their area, are compared, and sink further."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import orjson
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.journeys.first_exchange import oversee, put_before_the_supervisor_and_publish
from tests.logs import logged
from tests.nodes import CommandFailed, Node, Region, until

NATION, ZHEJIANG, JIASHAN = "100000", "330000", "330421"
OFFICE = "11370800MB28559184"
ROWS = [
    ("1", "甲", "330421"),
    ("2", "乙", "330421001000"),
    ("3", "丙", "330421"),
    ("4", "丁", "310118"),
    ("5", "戊", "310118"),
]
ELSEWHERE = [("6", "己", "330402"), ("7", "庚", "330000")]
WORDS = {
    "title_en": "Residents",
    "summary_zh": "居民信息",
    "category": "basic",
    "theme": "population",
    "data_format": "database",
    "update_cycle": "3",
    "sharing_modes": ["batch"],
    "source_system": "人口信息系统",
    "business_matter": "户籍管理",
    "attribute": "conditional",
    "conditions": "公安机关",
    "permitted_purposes": ["supervision"],
}


class Three:
    """The nation keeps the directory; Jiashan lies in Zhejiang."""

    def __init__(self, region: Region, folder: Path) -> None:
        self.region, self.folder = region, folder

    def __getitem__(self, jurisdiction: str) -> Node:
        return self.region[jurisdiction]

    def at(self, jurisdiction: str, *words: str, json: bool = False) -> Any:
        """`hutong WORD WORD DIR REST` on one of the nodes."""
        node = self[jurisdiction]
        line = (*words[:2], str(node.home), *words[2:])
        return node.json(*line) if json else node.hutong(*line)

    def people(self) -> None:
        for one in (NATION, ZHEJIANG, JIASHAN):
            self.at(one, "department", "add", OFFICE, "公安局")
            oversee(self[one])
            for role in ("officer", "head"):
                self.at(one, "account", "add", role, "--role", role, "--department", OFFICE, "--generate")

    def source(self, name: str, rows: list[tuple[str, str, str]]) -> Path:
        file = self.folder / f"{name}.sqlite"
        with closing(sqlite3.connect(file)) as database, database:
            database.execute("CREATE TABLE resident (id TEXT PRIMARY KEY, name TEXT, area TEXT)")
            database.executemany("INSERT INTO resident VALUES (?, ?, ?)", rows)
        return file

    def publish(self, jurisdiction: str, file: Path, title: str) -> str:
        """A conditional resource whose `area` holds the area code. returns its id"""
        line = ("source", "add", str(file), "--name", title, "--table", "resident", "--as", "officer")
        source = self.at(jurisdiction, *line).split()[1].rstrip(":")
        description = self.folder / f"{jurisdiction}.json"
        drafted = self.at(jurisdiction, "resource", "draft", source, "--out", str(description), "--as", "officer")
        resource = drafted.split()[1].rstrip(":")
        whole = orjson.loads(description.read_bytes()) | WORDS | {"title_zh": title}
        for item in whole["items"]:
            item.update(title_zh=item["name"], attribute="conditional", mask={"action": "keep"})
            item.update(key=item["name"] == "id", element="area_code" if item["name"] == "area" else "")
        description.write_bytes(orjson.dumps(whole))
        self.at(jurisdiction, "resource", "describe", resource, "--file", str(description), "--as", "officer")
        self.release(jurisdiction, resource)
        return resource

    def release(self, jurisdiction: str, resource: str) -> None:
        self.at(jurisdiction, "resource", "sign-off", resource, "--as", "head")
        put_before_the_supervisor_and_publish(self[jurisdiction], resource, "officer")

    def ask(self, jurisdiction: str, resource: str) -> str:
        """Ask for the return, once the entry has come. returns the return's id"""
        until(lambda: self._asked(jurisdiction, resource), what=f"the entry at {jurisdiction}")
        listed = self.at(jurisdiction, "return", "list", json=True)["returns"]
        return next(one["id"] for one in listed if (one["resource_id"], one["role"]) == (resource, "consumer"))

    def _asked(self, jurisdiction: str, resource: str) -> bool:
        try:
            self.at(jurisdiction, "return", "ask", resource, "--as", "officer")
        except CommandFailed as failed:
            if "no catalogue entry" in str(failed) or "not_found" in str(failed) or "There is no" in str(failed):
                return False
            raise
        return True

    def newest(self, jurisdiction: str, flow: str) -> Any:
        batches = self.at(jurisdiction, "return", "show", flow, json=True)["batches"]
        return batches[0] if batches else None

    def in_state(self, jurisdiction: str, flow: str, state: str, number: int = 1) -> Any:
        def there() -> Any:
            newest = self.newest(jurisdiction, flow)
            return newest if newest and newest["state"] == state and newest["number"] >= number else None

        return until(there, within_s=120, what=f"a batch that is {state} at {jurisdiction}")

    def file(self, jurisdiction: str, flow: str, number: int) -> Path:
        return self[jurisdiction].home / "data" / "returns" / flow / f"{number:06d}.parquet"

    def superiors_flow(self, jurisdiction: str, resource: str) -> str:
        listed = self.at(jurisdiction, "return", "list", json=True)["returns"]
        return next(one["id"] for one in listed if (one["resource_id"], one["role"]) == (resource, "provider"))

    def leaves(self, jurisdiction: str, kind: str) -> list[dict[str, Any]]:
        """The entries of one kind in a node's published log, in their order."""
        return logged(self[jurisdiction].settings.ledger_folder, kind)


@pytest.fixture(scope="module")
def three(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Three]:
    folder = tmp_path_factory.mktemp("returning")
    with Region(folder) as region:
        region.start(NATION, ZHEJIANG, JIASHAN)
        made = Three(region, folder)
        made.people()
        yield made


@pytest.fixture(scope="module")
def returned(three: Three) -> dict[str, str]:
    """Zhejiang's rows of Jiashan are back in Jiashan."""
    resource = three.publish(ZHEJIANG, three.source("zhejiang", ROWS), "居民信息")
    flow = three.ask(JIASHAN, resource)
    three.in_state(JIASHAN, flow, "agreed")
    return {"resource": resource, "flow": flow}


def test_return_flow_brings_an_area_just_its_own_rows_and_both_ledgers_say_so(three: Three, returned: Any) -> None:
    batch = three.newest(JIASHAN, returned["flow"])
    rows = pq.read_table(three.file(JIASHAN, returned["flow"], batch["number"])).to_pylist()
    assert sorted(one["id"] for one in rows) == ["1", "2", "3"]
    assert (batch["rows"], batch["their_rows"], batch["root"]) == (3, 3, batch["their_root"])
    manifest = orjson.loads(three.file(JIASHAN, returned["flow"], batch["number"]).with_suffix(".json").read_bytes())
    assert (manifest["rows"], manifest["area"], manifest["provider"]) == (3, JIASHAN, ZHEJIANG)
    for one in (ZHEJIANG, JIASHAN):
        until(lambda one=one: three.leaves(one, "return.agreed"), what=f"the agreement of counts at {one}")
    here, there = three.leaves(JIASHAN, "return.agreed")[0], three.leaves(ZHEJIANG, "return.agreed")[0]
    assert {name: here[name] for name in ("batch", "rows", "root")} == {
        name: there[name] for name in ("batch", "rows", "root")
    }


def test_reconciliation_names_the_rows_altered_where_they_are_kept_and_agrees_after_repair(
    three: Three, returned: Any
) -> None:
    flow, before = returned["flow"], three.newest(JIASHAN, returned["flow"])
    file = three.file(JIASHAN, flow, before["number"])
    table = pq.read_table(file)
    altered = [one | {"name": "改"} if one["id"] == "1" else one for one in table.to_pylist() if one["id"] != "2"]
    pq.write_table(pa.Table.from_pylist(altered, table.schema), file)
    three.at(JIASHAN, "return", "compare", flow)
    found = three.in_state(JIASHAN, flow, "differs")
    assert (found["number"], found["missing"], found["extra"], found["changed"]) == (before["number"], 1, 0, 1)
    assert sorted(one["kind"] for one in found["differences"]) == ["changed", "missing"]
    theirs = three.superiors_flow(ZHEJIANG, returned["resource"])
    told = three.in_state(ZHEJIANG, theirs, "differs")
    assert told["differences"] == found["differences"]
    three.at(JIASHAN, "return", "fetch", flow, "--as", "officer")
    after = three.in_state(JIASHAN, flow, "agreed", before["number"] + 1)
    assert (after["rows"], after["kind"]) == (3, "full")
    three.in_state(ZHEJIANG, theirs, "agreed", before["number"] + 1)


def test_a_node_killed_while_it_fetches_ends_with_each_batch_once(three: Three, returned: Any) -> None:
    flow, before = returned["flow"], three.newest(JIASHAN, returned["flow"])["number"]
    for pause in (0.05, 0.3, 0.8):
        three.at(JIASHAN, "return", "fetch", flow, "--as", "officer")
        time.sleep(pause)
        three[JIASHAN].kill()
        three[JIASHAN].start()
    three.in_state(JIASHAN, flow, "agreed", before + 1)
    shown = three.at(JIASHAN, "return", "show", flow, json=True)["batches"]
    numbers = [one["number"] for one in shown]
    assert numbers == sorted(set(numbers), reverse=True)
    stored = [one["batch"] for one in three.leaves(JIASHAN, "return.stored")]
    assert len(stored) == len(set(stored))
    assert all(one["state"] in ("agreed", "differs", "stored") for one in shown)


def test_a_resource_of_the_nation_sinks_to_province_and_county_with_its_provenance(three: Three) -> None:
    origin = three.publish(NATION, three.source("nation", ROWS + ELSEWHERE), "全国居民信息")
    assert ZHEJIANG in three.at(NATION, "return", "offer", origin, "--as", "officer")
    upper = three.ask(ZHEJIANG, origin)
    at_province = three.in_state(ZHEJIANG, upper, "agreed")
    held = pq.read_table(three.file(ZHEJIANG, upper, at_province["number"])).column("id").to_pylist()
    assert sorted(held) == ["1", "2", "3", "6", "7"]  # nothing of 310118 reaches Zhejiang
    onward = three.at(ZHEJIANG, "return", "pass-on", upper, "--as", "officer").split()[1]
    three.release(ZHEJIANG, onward)
    assert JIASHAN in three.at(ZHEJIANG, "return", "offer", onward, "--as", "officer")
    lower = three.ask(JIASHAN, onward)
    at_county = three.in_state(JIASHAN, lower, "agreed")
    kept = pq.read_table(three.file(JIASHAN, lower, at_county["number"])).column("id").to_pylist()
    assert sorted(kept) == ["1", "2", "3"]
    came_by = at_county["provenance"]
    assert [one["node"] for one in came_by] == [NATION]
    assert (came_by[0]["root"], came_by[0]["rows"]) == (at_province["root"], 5)
    assert came_by[0]["receipt"] == at_province["receipt"]
    shown = three.at(JIASHAN, "return", "show", lower, json=True)
    assert [one["node"] for one in shown["provenance"]] == [NATION, ZHEJIANG]
    entry = three[JIASHAN].json("search", str(three[JIASHAN].home), "居民")
    assert onward in [one["id"] for one in entry]
