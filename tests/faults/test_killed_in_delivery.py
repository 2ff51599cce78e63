"""kill -9 at any moment: every message is acted on exactly once, in order, and no process outlives its master."""

from __future__ import annotations

import random
import sqlite3
from contextlib import closing
from pathlib import Path

import orjson
import psutil

from tests.nodes import Node, Region, until

MESSAGES = 40
KILLS = 5
CONTROL = ("--part", "control")

ROTATE = f"""
import orjson
from hutong.node import rotation
from hutong.node.settings import current
print(orjson.dumps([rotation.rotate(current(), overlap_s=86400) for _ in range({MESSAGES})]).decode())
"""


def _ask(node: Node, statement: str) -> list[tuple[object, ...]]:
    """Look into a node's database from outside, while it runs."""
    with closing(sqlite3.connect(f"file:{node.home / 'node.db'}?mode=ro", uri=True, timeout=20)) as database:
        return database.execute(statement).fetchall()


def _listed(region: Region) -> list[str]:
    """The keys the keeper has listed for Jiangsu, in the order in which it did."""
    rows = _ask(
        region["yrd"],
        "SELECT detail FROM audit_record WHERE kind = 'member.key_listed' AND subject = 'member:320000' ORDER BY id",
    )
    return [orjson.loads(str(row[0]))["keyid"] for row in rows]


def _waiting(region: Region) -> list[tuple[object, ...]]:
    return _ask(region["320000"], "SELECT id FROM outbox_message WHERE delivered_at IS NULL")


def _workers(node: Node) -> list[psutil.Process]:
    assert node.process is not None
    return psutil.Process(node.process.pid).children(recursive=True)


def test_messages_survive_kills_of_both_sides_and_act_exactly_once_in_order(tmp_path: Path) -> None:
    chance = random.Random(809)
    with Region(tmp_path) as region:
        region.start("yrd", "320000", arguments=CONTROL)
        region["yrd"].stop()
        sent = region["320000"].python(ROTATE)
        region["yrd"].launch(*CONTROL)
        for _ in range(KILLS):
            victim = region[chance.choice(["yrd", "320000"])]
            enough = min(len(_listed(region)) + chance.randint(1, 4), MESSAGES)
            until(lambda enough=enough: len(_listed(region)) >= enough, within_s=90, what="progress")
            victim.kill()
            victim.launch(*CONTROL)
        until(lambda: not _waiting(region), within_s=90, what="an empty outbox")
        assert _listed(region) == sent


def test_no_worker_outlives_a_killed_master(tmp_path: Path) -> None:
    with Region(tmp_path) as region:
        node = region.make("yrd")
        node.start("--part", "control", "--workers", "2")
        workers = _workers(node)
        assert len(workers) >= 2
        node.kill()
        _, alive = psutil.wait_procs(workers, timeout=10)
        assert alive == []


def test_a_killed_worker_is_replaced_and_the_work_goes_on(tmp_path: Path) -> None:
    with Region(tmp_path) as region:
        node = region.make("yrd")
        node.start("--part", "control")
        [worker] = [one for one in _workers(node) if one.is_running()]
        worker.kill()
        psutil.wait_procs([worker], timeout=10)
        until(node._serves, what="a new worker")


def test_asked_to_stop_it_ends_at_once_and_cleanly(tmp_path: Path) -> None:
    with Region(tmp_path) as region:
        node = region.make("yrd")
        node.start("--part", "control")
        workers = _workers(node)
        assert node.stop() == 0
        _, alive = psutil.wait_procs(workers, timeout=10)
        assert alive == []
