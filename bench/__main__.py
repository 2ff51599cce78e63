"""`python -m bench [NAME ...] [--json FILE]`: every benchmark, a line each.

A benchmark is a module here with `figures() -> Iterable[Figure]`. It runs in a process of its own, so
that one benchmark's memory and threads do not colour the next. Exit code 0 when all ran, reached or short;
1 when one failed to run.
"""

from __future__ import annotations

import argparse
import importlib
import json
import os
import platform
import signal
import subprocess
import sys
import threading
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from bench.figure import Figure

NAMES = ("ledger", "query", "bulk", "masks", "first_byte", "events", "feed", "sharing", "pages")
APART = ("soak",)  # run only when named
LONGEST_S = 420  # one benchmark; all together stay under ten minutes once `pages` has written its province
LONGER_S = {"soak": 3600, "pages": 1800}  # to write that province, on PostgreSQL each time


def run_here(name: str) -> None:
    """Run one benchmark in this process; each figure is one JSON line on standard output."""
    for figure in importlib.import_module(f"bench.{name}").figures():
        print(json.dumps(figure.document()), flush=True)


def run_apart(name: str) -> list[dict[str, Any]]:
    """Run one benchmark in a process of its own and print its lines as they come.

    raises   RuntimeError when it fails or takes longer than it may
    """
    command = [sys.executable, "-m", "bench", "--here", name]
    found: list[dict[str, Any]] = []
    longest_s = LONGER_S.get(name, LONGEST_S)
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=os.environ.copy()) as process:
        assert process.stdout is not None
        watch = threading.Timer(longest_s, process.kill)
        watch.start()
        for line in process.stdout:
            if not line.startswith("{"):
                continue
            document = json.loads(line)
            print(from_document(document).line(), flush=True)
            found.append(document)
        watch.cancel()
    if process.returncode == -signal.SIGKILL:
        raise RuntimeError(f"{name} was killed, or took longer than {longest_s} s")
    if process.returncode:
        raise RuntimeError(f"{name} ended with exit code {process.returncode}")
    return found


def from_document(document: dict[str, Any]) -> Figure:
    known = {key: value for key, value in document.items() if key not in ("ratio", "verdict")}
    return Figure(**known)


def machine() -> dict[str, Any]:
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return {
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
        "cores": os.cpu_count(),
        "memory_gib": round(memory / 2**30, 1),
        "system": platform.platform(),
        "python": platform.python_version(),
    }


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument(
        "names",
        nargs="*",
        metavar="NAME",
        help=f"of: {', '.join(NAMES)}; all of these when none is named; or {', '.join(APART)}",
    )
    parser.add_argument("--json", type=Path, metavar="FILE", help="keep the figures")
    parser.add_argument("--here", metavar="NAME", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.here:
        run_here(given.here)
        return 0
    figures: list[dict[str, Any]] = []
    failed = []
    for name in given.names or NAMES:
        try:
            figures += run_apart(name)
        except RuntimeError as error:
            failed.append(name)
            print(f"{name}: failed: {error}", flush=True)
    if given.json:
        given.json.parent.mkdir(parents=True, exist_ok=True)
        given.json.write_text(json.dumps({"machine": machine(), "figures": figures}, indent=1) + "\n", encoding="utf-8")
    return 1 if failed else 0


if __name__ == "__main__":
    raise SystemExit(main())
