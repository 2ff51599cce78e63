"""A node that is killed at every statement of an act: a program of its own, started by test_killed_in_each_act.

    python -m tests.faults.dying HOME ACT...

For each act a database is made ready by walking real actions. Then, from a copy of it each time, the act is done once
in full, and once for every statement it sends and both sides of every commit, killed there with SIGKILL. After each
death the database is looked at as the next process finds it, the act is done again, and it is looked at once more.
Prints one JSON line per act. Every attempt is a fork of this process, which has one thread and no connection.
"""

from __future__ import annotations

import gc
import json
import os
import shutil
import signal
import sqlite3
import sys
import tempfile
import traceback
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

Counts = dict[str, Any]
# An act with more statements is killed at so many of them, evenly spread; DEATHS=all kills at every one.
MOST_POINTS = 10_000 if os.environ.get("DEATHS") == "all" else 7
VOLATILE = {"django_migrations", "sqlite_sequence", "django_content_type", "auth_permission"}
KILLED, FAILED = -signal.SIGKILL, 70


def main(home: Path, names: list[str]) -> None:
    _make_node(home)
    from hutong.node.settings import setup

    setup(home)
    from tests.faults import (  # noqa: F401 - they register their acts
        acts_of_offerings,
        acts_of_replies,
        acts_under_agreements,
    )

    _read_the_program()
    gc.freeze()  # a child that collects would copy every page of its parent
    gc.disable()
    # In memory where there is such a folder: SIGKILL leaves the page cache alone, so a disk would only be slower.
    memory = Path("/dev/shm")
    with tempfile.TemporaryDirectory(dir=memory if os.access(memory, os.W_OK) else None) as shelf:
        _kill_in_each(Path(shelf), names)


def _read_the_program() -> None:
    """What every process finds out once about the program itself, and nothing about a database."""
    from django.apps import apps
    from django.db.models.sql import compiler  # noqa: F401

    from hutong.control.statute.book import rulebook
    from hutong.node import parts

    parts.load()
    rulebook()
    for model in apps.get_models():
        _ = model._meta.related_objects


def _kill_in_each(shelf: Path, names: list[str]) -> None:
    from tests.faults.acts import ACTS

    fresh = shelf / "fresh.db"
    _must(_forked(fresh, _migrate))
    for name in names:
        prepare, act, steps = ACTS[name]
        ready, given = shelf / f"{name}.db", shelf / f"{name}.json"
        shutil.copy(fresh, ready)
        _must(_forked(ready, lambda prepare=prepare, given=given: given.write_text(json.dumps(prepare()))))
        print(json.dumps({"act": name, "steps": steps, **_walk(shelf, ready, json.loads(given.read_text()), act)}))
        ready.unlink()


def _walk(shelf: Path, ready: Path, given: Any, act: Callable[[Any], None]) -> dict[str, Any]:
    whole, points = shelf / "whole.db", shelf / "points"
    _remove(whole)
    shutil.copy(ready, whole)
    _must(_forked(whole, lambda: points.write_text(str(_counted(lambda: act(given), None)))))
    before, after, many = _counts(ready), _counts(whole), int(points.read_text())
    wrong: list[Any] = []
    halves = 0
    for point in _spread(many):
        here = shelf / "here.db"
        _remove(here)
        shutil.copy(ready, here)
        ended = _forked(here, lambda point=point: _counted(lambda: act(given), point))
        found = _counts(here)
        half = found not in (before, after)
        halves += half
        again = 0 if found == after else _forked(here, lambda: act(given))
        healed = _counts(here)
        if ended != KILLED or again != 0 or healed != after:
            wrong.append([point, ended, again, _difference(healed, after)])
    return {"points": many, "halves": halves, "wrong": wrong, "changes": before != after}


def _spread(many: int) -> list[int]:
    """Every point, or MOST_POINTS of them; both sides of the last commit are always among them."""
    step = max(1.0, (many - 1) / (MOST_POINTS - 1))
    return sorted(
        {*(round(one * step) for one in range(min(many, MOST_POINTS))), many - 2, many - 1} & set(range(many))
    )


def _counted(act: Callable[[], None], die_at: int | None) -> int:
    """Run the act, dying at one point of it; returns how many points it has."""
    from django.db import connection

    passed = 0

    def pass_one() -> None:
        nonlocal passed
        if passed == die_at:
            os.kill(os.getpid(), signal.SIGKILL)
        passed += 1

    def each(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        pass_one()
        return execute(sql, params, many, context)

    commit = connection._commit  # type: ignore[attr-defined]

    def committing() -> None:
        pass_one()
        commit()
        pass_one()

    connection._commit = committing  # type: ignore[attr-defined]
    with connection.execute_wrapper(each):
        act()
    return passed


def _forked(database: Path, run: Callable[[], object]) -> int:
    """Run in a child on one database file: 0 done, KILLED, or FAILED with its traceback on stderr."""
    child = os.fork()
    if child:
        _, status = os.waitpid(child, 0)
        return os.waitstatus_to_exitcode(status)
    try:
        from django.db import connections

        connections.settings["default"]["NAME"] = str(database)
        connections["default"].settings_dict["NAME"] = str(database)
        run()
        connections.close_all()
        os._exit(0)
    except BaseException:
        traceback.print_exc()
        os._exit(FAILED)


def _migrate() -> None:
    from django.core.management import call_command

    call_command("migrate", verbosity=0)


def _counts(database: Path) -> Counts:
    """How many rows each table has in each state: what an act changes, without what differs from run to run."""
    found: Counts = {}
    with closing(sqlite3.connect(database)) as file:
        tables = [name for (name,) in file.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        for table in sorted(set(tables) - VOLATILE):
            columns = [row[1] for row in file.execute(f'PRAGMA table_info("{table}")')]
            chosen = [one for one in columns if one in ("state", "version", "kind") or one.endswith("_state")]
            groups = "".join(f'"{one}", ' for one in chosen)
            by = f" GROUP BY {groups[:-2]}" if groups else ""
            rows = file.execute(f'SELECT {groups}count(*) FROM "{table}"{by}')
            if counted := sorted(map(str, (row for row in rows if row[-1]))):
                found[table] = counted
    return found


def _difference(one: Counts, other: Counts) -> Counts:
    return {name: [one.get(name), other.get(name)] for name in {*one, *other} if one.get(name) != other.get(name)}


def _remove(database: Path) -> None:
    for suffix in ("", "-wal", "-shm"):
        Path(f"{database}{suffix}").unlink(missing_ok=True)


def _must(code: int) -> None:
    if code != 0:
        raise SystemExit(f"a step before the deaths ended with {code}")


def _make_node(home: Path) -> None:
    from hutong.node.keys import make_keys

    make_keys(home / "keys")
    (home / "hutong.toml").write_text(
        'jurisdiction = "320000"\nname_zh = "江苏省"\nname_en = "Jiangsu"\nplace = "province"\nregion = "yrd"\n'
        f'source_roots = "{tempfile.gettempdir()}"\n',
        encoding="utf-8",
    )


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2:])
