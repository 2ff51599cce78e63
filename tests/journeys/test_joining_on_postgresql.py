"""The same joining with every node on PostgreSQL: one setting, nothing else."""

from __future__ import annotations

from pathlib import Path

from tests.nodes import Region, until
from tests.postgres import new_database


def test_nodes_on_postgresql_join_push_and_answer(tmp_path: Path, postgres_url: str) -> None:
    with Region(tmp_path, databases=lambda one: new_database(postgres_url, f"joining_{one}")) as region:
        region.start("yrd", "320000", "340000", arguments=("--part", "control"))
        assert region.ask("340000", "320000", "GET", "/hutong/ping").object()["you"] == "340000"
        before = region.directory_version("340000")
        region["320000"].hutong("keys", "rotate", str(region["320000"].home), "--overlap", "1d")
        until(lambda: region.directory_version("340000") > before, within_s=60, what="the new key everywhere")
        states = {one["check"]: one["state"] for one in region["320000"].json("doctor", str(region["320000"].home))}
        assert "fail" not in states.values()
        assert not (region["320000"].home / "node.db").exists()
