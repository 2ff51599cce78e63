"""The portal's pages over 100,000 catalogue entries and a million requests: in the database, and to the browser.

The node has worked for three years (page_rows.py). Each page is asked for as an officer and as the supervisor, at its
beginning, in its middle and at its end. In the database: every statement a page makes, run again and read whole. To the
browser: the whole answer over loopback from the served node, its rendering included. The limit is the same page of a
node with a hundredth of the rows.

The province is written once and kept in this folder until the tables or the rows change (`seeded/`, some gigabytes);
with PAGES_ON=postgresql it is written anew into a PostgreSQL server of its own.
"""

from __future__ import annotations

import hashlib
import http.client
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from urllib.parse import quote, urlsplit

import tests.conftest  # noqa: F401 - gives this process a node of its own to be settings of
from bench.figure import Figure
from tests import postgres
from tests.nodes import ROOT, Node, Region, free_port

ENTRIES, REQUESTS = 100_000, 1_000_000
SMALLER = 100  # times, the node whose pages are the limit
GOAL_DATABASE_MS, GOAL_BROWSER_MS = 50, 150
ROUNDS = 6
SEEDED = Path(__file__).parent / "seeded"
SOURCES = ("bench/page_rows.py", "src/hutong/control/*/models.py", "src/hutong/control/*/migrations/0*.py",
           "src/hutong/exchange/models.py", "src/hutong/exchange/migrations/0*.py")  # fmt: skip
SEARCHES = {
    "common": ("q=企业", "q=信息", "q=registered companies", "q=licences"),
    "rare": ("q=渔船检验证书", "q=silkworm", "q=古树名木", "q=fishing vessel surveys"),
    "many words": ("q=苏州市空气质量监测数据", "q=南京市 企业登记信息 市场监督管理局", "q=pollution permits in Ningbo"),
    "filtered": ("q=企业&attribute=conditional", "q=permits&origin=310000&theme=market",
                 "attribute=refused&theme=health", "q=登记&origin=330000"),
}  # fmt: skip

# Run inside the node: what each page costs the database, and the cookies of the accounts that ask.
_INSIDE = """
import json, sys, time
from django.db import connection
from django.test import Client
from hutong.control.agreements.models import Agreement, Negotiation
from hutong.control.identity.models import Account
from hutong.control.requests.models import ShareRequest
clients = {{name: Client() for name in ("officer", "supervisor")}}
for name, client in clients.items():
    client.force_login(Account.objects.get(username="bench-" + name))
def middle(rows):
    at, pk = rows.order_by("created_at").values_list("created_at", "pk")[rows.count() // 2]
    return f"{{at:%Y%m%dT%H%M%S.%f}}~{{pk}}"
places = {{"requests": middle(ShareRequest.objects.all()), "agreements": middle(Agreement.objects.all()),
          "inbox": middle(Negotiation.objects.filter(role="provider"))}}
pages = [(kind, path.replace("MIDDLE", places.get(kind, ""))) for kind, path in json.loads({pages!r})]
took = {{}}
for who, client in clients.items():
    for kind, path in pages:
        asked = []
        def note(execute, sql, params, many, context):
            asked.append((sql, params))
            return execute(sql, params, many, context)
        with connection.execute_wrapper(note):
            status = client.get(path).status_code
        if status != 200:
            raise SystemExit(f"{{path}} was answered {{status}}")
        for _ in range({rounds}):
            spent = 0.0
            for sql, params in asked:
                with connection.cursor() as cursor:
                    began = time.perf_counter()
                    cursor.execute(sql, params)
                    cursor.fetchall()
                    spent += time.perf_counter() - began
            took.setdefault(kind, []).append(spent * 1000)
cookies = {{name: client.cookies.output(header="", sep=";") .split(";")[0].strip() for name, client in clients.items()}}
print(json.dumps({{"took": took, "cookies": cookies, "pages": pages}}))
"""


@dataclass(frozen=True)
class Measured:
    """Milliseconds of every asking, by kind of page."""

    database: dict[str, list[float]]
    browser: dict[str, list[float]]


def figures() -> Iterator[Figure]:
    on_postgresql = os.environ.get("PAGES_ON") == "postgresql"
    engine = "PostgreSQL" if on_postgresql else "SQLite"
    with province(ENTRIES // SMALLER, REQUESTS // SMALLER, on_postgresql=on_postgresql) as small:
        limit = measured(small)
    with province(ENTRIES, REQUESTS, on_postgresql=on_postgresql) as node:
        found = measured(node)
    name = f"a {SMALLER}th of the rows"
    for kind in found.database:
        yield Figure(f"pages: {kind}, database p95, {engine}", p95(found.database[kind]), "ms", GOAL_DATABASE_MS,
                     p95(limit.database[kind]), name, better="less")  # fmt: skip
        yield Figure(f"pages: {kind}, browser p95, {engine}", p95(found.browser[kind]), "ms", GOAL_BROWSER_MS,
                     p95(limit.browser[kind]), name, better="less")  # fmt: skip


def p95(values: list[float]) -> float:
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * 0.95))]


def paths() -> list[tuple[str, str]]:
    """Each kind of page with its addresses; MIDDLE stands for a place in the middle of that list."""
    last = ENTRIES // 20
    pages = [("home", "/"), ("catalogue", "/catalogue/"), ("catalogue", f"/catalogue/?page={last // 2}"),
             ("catalogue", f"/catalogue/?page={last}")]  # fmt: skip
    for kind, queries in SEARCHES.items():
        pages += [(f"search, {kind}", "/catalogue/?" + quote(query, safe="=&")) for query in queries]
    for kind in ("requests", "agreements"):
        pages += [(kind, f"/{kind}/{place}") for place in ("", "?after=MIDDLE", "?end=1")]
    pages += [("inbox", f"/inbox/{place}") for place in ("", "?page=100", "?page=100000")]
    pages += [("inbox", f"/inbox/?show=all{place}") for place in ("", "&after=MIDDLE", "&end=1")]
    return pages


def measured(node: Node) -> Measured:
    inside = node.python(_INSIDE.format(pages=json.dumps(paths()), rounds=ROUNDS))
    node.start("--part", "control")
    try:
        browser: dict[str, list[float]] = {}
        asked_of = urlsplit(node.base_url)
        connection = http.client.HTTPConnection(asked_of.hostname or "", asked_of.port, timeout=60)
        for turn in range(ROUNDS + 1):
            for cookie in inside["cookies"].values():
                for kind, path in inside["pages"]:
                    spent = _asked(connection, path, cookie)
                    if turn:  # the first warms templates and caches
                        browser.setdefault(kind, []).append(spent)
        connection.close()
    finally:
        node.stop()
    return Measured(inside["took"], browser)


def _asked(connection: http.client.HTTPConnection, path: str, cookie: str) -> float:
    """Milliseconds from the question to the last byte of the page."""
    began = time.perf_counter()
    connection.request("GET", path, headers={"Cookie": cookie})
    answer = connection.getresponse()
    answer.read()
    if answer.status != 200:
        raise RuntimeError(f"{path} was answered {answer.status}")
    return (time.perf_counter() - began) * 1000


@contextmanager
def province(entries: int, requests: int, *, on_postgresql: bool) -> Iterator[Node]:
    """A node with so many rows, its server at rest."""
    if on_postgresql:
        folder = Path(tempfile.mkdtemp(prefix="hutong-bench-"))
        try:
            with postgres.server() as url:
                region = Region(folder, lambda jurisdiction: postgres.new_database(url, f"pages_{jurisdiction}"))
                yield _written(region, entries, requests)
        finally:
            shutil.rmtree(folder, ignore_errors=True)
        return
    folder = SEEDED / f"{requests}-{_version()}"
    if not (folder / "done").exists():
        for older in SEEDED.glob(f"{requests}-*"):
            (older / "done").unlink(missing_ok=True)  # first: what is half removed is not taken for whole
            shutil.rmtree(older)
        folder.mkdir(parents=True)
        _written(Region(folder), entries, requests)
        (folder / "done").touch()
    node = Node(folder / "320000", "320000", {"HUTONG_SOURCE_ROOTS": str(folder)})
    listen = f"127.0.0.1:{free_port()}"
    node.environment |= {"HUTONG_LISTEN": listen, "HUTONG_BASE_URL": f"http://{listen}"}
    yield _At(node.home, node.jurisdiction, node.environment)


class _At(Node):
    """A node kept from an earlier run: where it listens is said by the environment, not by its file."""

    @property
    def base_url(self) -> str:
        return self.environment["HUTONG_BASE_URL"]


def _written(region: Region, entries: int, requests: int) -> Node:
    node = region.make("320000")
    code = (
        f"import sys\nsys.path.insert(0, {str(ROOT)!r})\nfrom hutong.node.settings import setup\n"
        f"setup({str(node.home)!r})\nfrom bench import page_rows\n"
        f"page_rows.seed(entries={entries}, requests={requests})"
    )
    subprocess.run([sys.executable, "-c", code], env=node._environment(), check=True)
    os.sync()  # gigabytes on their way to the disk would slow every page down that is measured first
    return node


@lru_cache(maxsize=1)
def _version() -> str:
    """Of the rows and of the tables they lie in."""
    digest = hashlib.sha256()
    for pattern in SOURCES:
        for file in sorted(ROOT.glob(pattern)):
            digest.update(file.read_bytes())
    return digest.hexdigest()[:12]


def main() -> None:
    for figure in figures():
        print(figure.line())


if __name__ == "__main__":
    sys.exit(main())
