"""A node with nothing but a ledger, for tests that kill it. Run as a script; see the modes at the end."""

from __future__ import annotations

import json
import os
import random
import signal
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from types import FrameType
from typing import Any

HOME = Path(sys.argv[2])
ORIGIN = "hutong/320000"
PER_ROUND = 180  # entries; most rounds end a tile of 256
WATCHED = ("sequencer.py", "frontier.py", "tiles.py", "shelf.py", "record.py", "durable.py")


def start() -> None:
    """Make the folder and the ledger's tables if they are not there."""
    # Not by migrations: these are tests of the ledger alone.
    HOME.mkdir(exist_ok=True)
    (HOME / "hutong.toml").write_text('jurisdiction = "320000"\n', encoding="utf-8")
    from hutong.node.settings import setup

    setup(HOME)
    from django.db import connection

    from hutong.ledger.models import ForkEvidence, LedgerEntry, WitnessedCheckpoint

    if LedgerEntry._meta.db_table not in connection.introspection.table_names():
        with connection.schema_editor() as editor:
            for model in (LedgerEntry, WitnessedCheckpoint, ForkEvidence):
                editor.create_model(model)


def write(first: int, count: int) -> None:
    from django.db import transaction

    from hutong.ledger.record import enter

    with transaction.atomic():
        enter([("test", b"entry %d" % number) for number in range(first, first + count)])


def sequence() -> int:
    from hutong.ledger.sequencer import sequence_once
    from tests.ledger_keys import log_key

    return sequence_once(HOME / "ledger", log_key(ORIGIN), ORIGIN)


def committed() -> list[bytes]:
    """Every entry the node has: those in files, then those only in the database."""
    from django.db import connection

    from hutong.ledger.entries import bundles, signed_size

    size = signed_size(HOME / "ledger")
    logged = [entry for _, _, entries in bundles(HOME / "ledger", 0, size, size) for entry in entries]
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT entry FROM ledger_entry WHERE leaf_index IS NULL OR leaf_index >= %s ORDER BY leaf_index, id",
            [size],
        )
        return logged + [bytes(row[0]) for row in cursor.fetchall()]


def in_fork(action: Callable[[], None]) -> int:
    """Run in a process of its own; returns its exit status, negative for a signal."""
    from django.db import connections

    from hutong.ledger import sequencer

    connections.close_all()
    if connections["default"].vendor == "postgresql":
        connections["default"].close_pool()  # its threads do not come along
    child = os.fork()
    if child == 0:
        try:
            sequencer._open_logs.clear()
            action()
        except BaseException:
            import traceback

            traceback.print_exc()
            os._exit(1)
        os._exit(0)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def traced(see: Callable[[str, int], None], action: Callable[[], Any]) -> None:
    """Run with `see(file, line)` called before every line of the ledger's writing code."""

    def trace(frame: FrameType, event: str, _argument: object) -> Any:
        name = Path(frame.f_code.co_filename)
        if name.name not in WATCHED or name.parent.name != "ledger":
            return None
        if event == "line":
            see(name.name, frame.f_lineno)
        return trace

    threading.settrace(trace)
    sys.settrace(trace)
    try:
        action()
    finally:
        sys.settrace(None)


def one_round(number: int) -> Callable[[], None]:
    """What a node does, all of it in a few steps: write, sequence, sync; twice, across the end of a tile."""
    from hutong.ledger import sequencer

    def run() -> None:
        sequencer.SYNC_ENTRIES = PER_ROUND // 2
        for part in range(2):
            write(number * PER_ROUND + part * PER_ROUND // 2, PER_ROUND // 2)
            sequence()
        sequencer.sync(HOME / "ledger")

    return run


def lines_of_a_round() -> list[tuple[str, int]]:
    """Every line a round passes, each once, in order of first passing. Runs one round in a fork."""
    out = HOME / "lines.json"

    def run() -> None:
        seen: dict[tuple[str, int], None] = {}
        traced(lambda file, line: seen.setdefault((file, line)), one_round(0))
        out.write_text(json.dumps(list(seen)), encoding="utf-8")

    assert in_fork(run) == 0
    return [(file, line) for file, line in json.loads(out.read_text(encoding="utf-8"))]


def killed_at(point: tuple[str, int], passing: int, action: Callable[[], None]) -> bool:
    """Run and die by SIGKILL when `point` is passed for the n-th time; False when it never came to that."""
    left = [passing]

    def see(file: str, line: int) -> None:
        if (file, line) == point:
            left[0] -= 1
            if left[0] == 0:
                os.kill(os.getpid(), signal.SIGKILL)

    status = in_fork(lambda: traced(see, action))
    assert status in (0, -signal.SIGKILL), status
    return status == -signal.SIGKILL


def check(before: list[bytes], allowed: list[bytes], checkpoints: list[tuple[int, bytes]], *, thoroughly: bool) -> None:
    """After a repair: the log holds, extends all it ever signed, and has each entry once."""
    from hutong.ledger.checkpoint import parse
    from hutong.ledger.shelf import Shelf
    from hutong.ledger.tiles import TileFolder
    from hutong.ledger.trust import TrustedTiles
    from hutong.ledger.verify import verify_files
    from tests.ledger_keys import log_key

    if thoroughly:
        audit = verify_files(HOME / "ledger", [log_key(ORIGIN).vkey])
        assert audit.holds, audit.faults
    now = committed()
    assert now[: len(before)] == before, "an entry was lost or moved"
    assert len(set(now)) == len(now), "an entry stands twice"
    assert set(now[len(before) :]) <= set(allowed)
    note = Shelf(HOME / "ledger").checkpoint()
    assert note is not None
    tiles = TrustedTiles(parse(note.text), TileFolder(HOME / "ledger").read)
    for size, root in checkpoints if thoroughly else checkpoints[-1:]:
        assert tiles.root_at(size) == root, f"the log forked at {size}"


def published() -> tuple[int, bytes] | None:
    from hutong.ledger.checkpoint import parse
    from hutong.ledger.shelf import Shelf

    note = Shelf(HOME / "ledger").checkpoint()
    return (parse(note.text).size, parse(note.text).root) if note else None


def crash_at_every_line() -> None:
    """Die in the first, second or third passing of every (n-th) line of a round; repair and check after each."""
    start()
    points = lines_of_a_round()[:: int(sys.argv[3])]
    dice = random.Random(809)
    deaths, seen = 0, []
    for number, point in enumerate(points, start=1):
        before = committed()
        action = one_round(number)
        died = killed_at(point, dice.choice((1, 1, 2, 3)), action) or killed_at(point, 1, one_round(number + 10_000))
        deaths += died
        if found := published():
            seen.append(found)  # what anybody could have fetched between death and repair
        assert in_fork(lambda: [None for _ in range(3) if sequence() < 0] and None) == 0
        rounds = (number, number + 10_000)
        allowed = [b"entry %d" % (at * PER_ROUND + offset) for at in rounds for offset in range(PER_ROUND)]
        check(before, allowed, seen, thoroughly=number % 10 == 0 or number == len(points))
    print(json.dumps({"points": len(points), "deaths": deaths, "entries": len(committed())}))


def live() -> None:
    """Write and sequence until killed; says every commit, after it, on standard output."""
    start()
    from hutong.ledger import sequencer

    sequencer.SYNC_ENTRIES = 300
    dice = random.Random(time.time_ns())
    first = int(sys.argv[3])
    while True:
        count = dice.randint(1, 400)
        write(first, count)
        print(first, count, flush=True)
        first += count
        sequence()


def repair() -> None:
    """Sequence all that waits, and say what there is."""
    start()
    sequence()
    size = sequence()
    print(json.dumps({"size": size, "entries": [entry.decode() for entry in committed()]}))


def witness() -> None:
    """Six checkpoints of one log, each larger than the last, submitted as first ones at the same moment."""
    start()
    from concurrent.futures import ThreadPoolExecutor

    from django.db import connections

    from hutong.ledger import checkpoint as checkpoints
    from hutong.ledger.checkpoint import Checkpoint
    from hutong.ledger.frontier import Frontier
    from hutong.ledger.models import WitnessedCheckpoint
    from hutong.ledger.tiles import TileFolder
    from hutong.ledger.witness import Answer, add_checkpoint
    from tests.ledger_keys import log_key

    key, frontier, bodies = log_key(ORIGIN), Frontier(TileFolder(HOME / "log")), []
    for _ in range(6):
        frontier.append([b"entry"])
        note = checkpoints.sign(Checkpoint(ORIGIN, frontier.size, frontier.root), key)
        bodies.append(f"old 0\n\n{note}".encode())
    together = threading.Barrier(len(bodies))

    def submit(body: bytes) -> Answer:
        together.wait()
        try:
            return add_checkpoint(body, log_keys=lambda _origin: [key.vkey], signer=log_key("hutong/yrd"), time_s=1)
        finally:
            connections.close_all()

    with ThreadPoolExecutor(len(bodies)) as pool:
        answers = list(pool.map(submit, bodies))
    told = [[one.status, one.body.decode()] for one in answers]
    print(json.dumps({"answers": told, "size": WitnessedCheckpoint.objects.get().size}))


if __name__ == "__main__":
    {"crash": crash_at_every_line, "live": live, "repair": repair, "witness": witness}[sys.argv[1]]()
