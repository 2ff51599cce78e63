"""What was published while somebody was away arrives, once, by whatever route is open."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.journeys.first_exchange import OFFICE, publish, put_before_the_supervisor_and_publish, staff
from tests.nodes import CommandFailed, Node, Region, until
from tests.postgres import new_database

KEEPER, JIANGSU, ANHUI = "yrd", "320000", "340000"
CSV = "name,uscc,registration_date,city\n企业甲,91320000000000000A,2001-02-03,南京\n"


@pytest.fixture
def region(tmp_path: Path, postgres_url: str) -> Iterator[Region]:
    """Jiangsu publishes from SQLite; the keeper and Anhui hold what they take in PostgreSQL."""

    def database(jurisdiction: str) -> str:
        return "" if jurisdiction == JIANGSU else new_database(postgres_url, f"harvest_{jurisdiction}")

    with Region(tmp_path, database) as region:
        region.start(KEEPER, JIANGSU, arguments=("--part", "control"))
        staff(region[JIANGSU], OFFICE, "江苏省市场监督管理局", "wang", "zhao")
        yield region


def entries(node: Node) -> dict[str, tuple[int, str]]:
    """Every entry a node holds: its version and state."""
    code = "import orjson\nfrom hutong.control.catalogue.models import Entry\n"
    rows = node.python(code + "print(orjson.dumps(list(Entry.objects.values_list('id', 'version', 'state'))).decode())")
    return {entry_id: (version, state) for entry_id, version, state in rows}


def harvest(node: Node, *arguments: str) -> str:
    return node.hutong("harvest", str(node.home), *arguments).strip()


def test_entries_arrive_after_joining_past_a_keeper_that_is_away_and_only_once(region: Region, tmp_path: Path) -> None:
    source = tmp_path / "companies.csv"
    source.write_text(CSV, encoding="utf-8")
    jiangsu = region[JIANGSU]
    first = publish(jiangsu, source, tmp_path)
    anhui = region.make(ANHUI)
    anhui.start("--part", "control")
    region.join(ANHUI, KEEPER)
    until(lambda: entries(anhui) == {first: (1, "published")}, what="what was published before it joined")

    region[KEEPER].stop()
    put_before_the_supervisor_and_publish(jiangsu, first, "wang")
    jiangsu.hutong("resource", "withdraw", str(jiangsu.home), first, "--as", "wang")
    with pytest.raises(CommandFailed, match="does not answer"):
        harvest(anhui)
    wanted = {first: (3, "withdrawn")}
    harvest(anhui, "--from", JIANGSU)  # or the serving node was faster
    assert entries(anhui) == wanted

    region[KEEPER].start("--part", "control")
    until(lambda: entries(region[KEEPER]) == wanted, what="the same at the keeper, by Jiangsu's own messages")
    until(lambda: not jiangsu.json("outbox", str(jiangsu.home)), what="every message delivered")
    assert harvest(anhui) == "yrd: 0 taken, 0 refused."
    assert harvest(anhui, "--again", "--from", JIANGSU) == "320000: 0 taken, 0 refused."
    assert entries(anhui) == wanted
