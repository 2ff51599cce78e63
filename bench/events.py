"""Changes of a source through two nodes to an application: found, logged, receipted, pushed, taken by position.

Rows of an SQLite source are changed in one commit; the clock runs from that commit until the application at the
consumer has the last event. The limit is measured in the same run: the same events, in the same batches, posted to a
bare server on this machine that writes each to disk (fsync) before it answers, with nothing found, signed or proven.
"""

from __future__ import annotations

import http.client
import json
import os
import shutil
import sqlite3
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import closing
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from statistics import median

import tests.conftest  # noqa: F401 - gives this process a node of its own to be settings of
from bench.figure import Figure
from tests.pair import Pair, pair
from tests.subscribing import begin

AGREEMENT = "urn:uuid:0192f0c1-0000-7000-8000-000000000001"
ITEMS = ("code", "name", "city", "address", "changed")
ROWS, CHANGED, ROUNDS = 100_000, 50_000, 3
GOAL_PER_S = 5_000
BATCH = 2_000


def figures() -> Iterator[Figure]:
    folder = Path(tempfile.mkdtemp(prefix="hutong-bench-"))
    source = folder / "companies.db"
    make_source(source)
    sources = {"s1": {"kind": "sqlite", "location": str(source), "table": "companies"}}
    grants = {AGREEMENT: {"source": "s1", "items": {name: {"action": "keep"} for name in ITEMS}}}
    try:
        with pair(folder, sources, grants) as nodes:
            began = time.perf_counter()
            begin(nodes, AGREEMENT, keys=["code"])
            after, _ = taken(nodes, 0, ROWS)
            first_s = time.perf_counter() - began
            rates = []
            for number in range(ROUNDS):
                at = change(source, number)
                after, sample = taken(nodes, after, CHANGED)
                rates.append(CHANGED / (time.perf_counter() - at))
        bare = posted_bare(sample, folder)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    limit = "the same batches posted to a bare server, with fsync"
    yield Figure("events: changes end to end", median(rates), "/s", GOAL_PER_S, bare, limit)
    yield Figure("events: a first load", ROWS / first_s, "/s", GOAL_PER_S, bare, limit)


def make_source(file: Path) -> None:
    rows = ((f"c{n:08d}", f"江苏长江{n}号信息科技有限公司", "南京市", f"中山路{n % 900}号", 0) for n in range(ROWS))
    with closing(sqlite3.connect(file)) as connection, connection:
        connection.execute(
            "CREATE TABLE companies (code TEXT PRIMARY KEY, name TEXT, city TEXT, address TEXT, changed INT)"
        )
        connection.executemany("INSERT INTO companies VALUES (?, ?, ?, ?, ?)", rows)


def change(file: Path, number: int) -> float:
    """Change every second row. returns when that was committed"""
    with closing(sqlite3.connect(file)) as connection, connection:
        connection.execute("UPDATE companies SET changed = ? WHERE rowid % 2 = ?", (number + 1, number % 2))
    return time.perf_counter()


def taken(nodes: Pair, after: int, wanted: int) -> tuple[int, list[bytes]]:
    """Take so many events as an application does. returns the position, and the bytes that came"""
    host, port = nodes.consumer_address
    until, got = after + wanted, []
    application = http.client.HTTPConnection(host, port, timeout=60)
    while after < until:
        path = f"/exchange/v1/agreements/{AGREEMENT}/events?after={after}&limit={BATCH}&wait=30"
        application.request("GET", path, headers={"Authorization": f"Bearer {nodes.key}"})
        answer = application.getresponse()
        body = answer.read()
        if answer.status != 200:
            raise RuntimeError(f"{answer.status}: {body[:300]!r}")
        after = json.loads(body)["position"]
        got.append(body)
    application.close()
    return after, got


def posted_bare(batches: list[bytes], folder: Path) -> float:
    """Events a second when the same bytes are posted, written and answered, and nothing else."""
    with tempfile.TemporaryFile(dir=folder.parent) as file:

        class Bare(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                file.write(self.rfile.read(int(self.headers["Content-Length"])))
                file.flush()
                os.fsync(file.fileno())
                self.send_response(200)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_: object) -> None:
                pass

        server = ThreadingHTTPServer(("127.0.0.1", 0), Bare)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        began = time.perf_counter()
        wire = http.client.HTTPConnection("127.0.0.1", server.server_port)
        for one in batches:
            wire.request("POST", "/", one)
            wire.getresponse().read()
        took_s = time.perf_counter() - began
        server.shutdown()
        server.server_close()
    return CHANGED / took_s


def main() -> None:
    for figure in figures():
        print(figure.line())


if __name__ == "__main__":
    sys.exit(main())
