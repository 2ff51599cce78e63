"""A result of one gibibyte as an Arrow stream, from a Parquet file of invented persons.

Masked and filtered beside bare DuckDB with the same masks, which sends nothing anywhere; unmasked beside the same
server streaming what DuckDB reads with nothing in between. Each is measured at the provider's door (grant, masks,
digest, evidence, signatures) and through both nodes (the consumer's node checks and forwards every byte); the latter
unmasked has a bare relay behind the bare stream beside it.
"""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from statistics import median
from urllib.parse import urlsplit

import duckdb
import orjson
import psutil

import tests.conftest  # noqa: F401 - gives this process a node of its own to be settings of
from bench.figure import Figure
from hutong.exchange.shaping.masks import Keys, Mask, MaskedItem
from hutong.exchange.shaping.predicate import Predicate
from hutong.exchange.shaping.shape import select_masked
from hutong.node.signatures import body_digest, sign_request
from hutong.vocabulary.ids import new_id
from tests.nodes import ROOT, Node, free_port
from tests.pair import CONSUMER, PURPOSE, Pair, pair

ROWS = 13_000_000  # 1.1 GB
PLAIN = "urn:uuid:0192f0c1-0000-7000-8000-000000000001"
MASKED = "urn:uuid:0192f0c1-0000-7000-8000-000000000002"
ITEMS = ("n", "name", "identity_number", "phone", "city", "registered_on", "amount")
MASKS = {"name": Mask("name"), "identity_number": Mask("identity_number"), "phone": Mask("phone")}
WHERE = Predicate("ge", "amount", (200,))  # keeps nine rows of ten
RUNS = 3  # of each; the median counts
GOAL_MASKED, GOAL_PLAIN, GOAL_RSS_MB = 0.7, 0.9, 300
GET = b"GET / HTTP/1.1\r\nHost: node\r\n\r\n"
ENGINE, STREAM, RELAY = "bare DuckDB, same masks", "bare stream, same server", "bare stream through a bare relay"
ARROW = "application/vnd.apache.arrow.stream"


def figures() -> Iterator[Figure]:
    folder = Path(tempfile.mkdtemp(prefix="hutong-bench-"))
    try:
        file = make_source(folder / "persons.parquet")
        sql = masked_sql(file)
        with (
            bare(BENCH_SQL=f"SELECT * FROM read_parquet('{file}')") as port,
            bare(BENCH_UPSTREAM=f"http://127.0.0.1:{port}/") as relay,
            serving(folder, file) as nodes,
            largest_rss(nodes.provider, nodes.consumer) as peak,
        ):
            for node in (nodes.provider, nodes.consumer):
                node.stand_alone()
            rates = in_turn(
                engine=lambda: drain_engine(sql),
                masked=lambda: at_provider(nodes, MASKED),
                both_masked=lambda: at_consumer(nodes, MASKED),
                stream=lambda: drain("127.0.0.1", port, GET),
                plain=lambda: at_provider(nodes, PLAIN),
                relayed=lambda: drain("127.0.0.1", relay, GET),
                both_plain=lambda: at_consumer(nodes, PLAIN),
            )
        yield beside("masked, provider's door", rates["masked"], rates["engine"], ENGINE, GOAL_MASKED)
        yield beside("masked, through both nodes", rates["both_masked"], rates["engine"], ENGINE, GOAL_MASKED)
        yield beside("unmasked, provider's door", rates["plain"], rates["stream"], STREAM, GOAL_PLAIN)
        yield beside("unmasked, through both nodes", rates["both_plain"], rates["relayed"], RELAY, GOAL_PLAIN)
        yield Figure("bulk: memory of a node", max(peak), "MB", GOAL_RSS_MB, better="less")
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def beside(name: str, value: float, limit: float, limit_name: str, goal: float) -> Figure:
    return Figure(f"bulk: {name}", value, "MB/s", goal, limit, limit_name, judged="ratio")


def serving(folder: Path, file: Path) -> AbstractContextManager[Pair]:
    kept = {name: {"action": "keep"} for name in ITEMS}
    masked = kept | {name: mask.to_document() for name, mask in MASKS.items()}
    grants = {
        PLAIN: {"source": "s1", "items": kept},
        MASKED: {"source": "s1", "items": masked, "where": WHERE.to_document()},
    }
    return pair(folder, {"s1": {"kind": "parquet", "location": str(file)}}, grants)


def make_source(file: Path) -> Path:
    """Persons whose birth dates are impossible, so that none of them exists."""
    with duckdb.connect() as engine:
        engine.execute(
            "COPY (SELECT range AS n, '王小' || chr(19968 + (range % 5000)::INT) AS name,"
            " '320102' || (1900 + range % 99) || '1332' || lpad((range % 10000)::VARCHAR, 4, '0') AS identity_number,"
            " '138' || lpad((range % 100000000)::VARCHAR, 8, '0') AS phone,"
            " ['南京市', '苏州市', '无锡市', '常州市'][1 + range % 4] AS city,"
            " DATE '2000-01-01' + (range % 9000)::INT AS registered_on, (range * 7919) % 2000 AS amount"
            f" FROM range({ROWS})) TO '{file}' (ROW_GROUP_SIZE 122880)"
        )
    return file


def masked_sql(file: Path) -> str:
    with duckdb.connect() as engine:
        schema = engine.sql(f"SELECT * FROM read_parquet('{file}')").to_arrow_reader(1).schema
    items = [MaskedItem(name, MASKS.get(name, Mask())) for name in ITEMS]
    types = {field.name: field.type for field in schema}
    query = select_masked(schema, items, Keys()).from_(f"read_parquet('{file}')", dialect="duckdb")
    return query.where(WHERE.to_sql(types, "duckdb")).sql(dialect="duckdb")


def drain_engine(sql: str) -> int:
    with duckdb.connect(config={"threads": "2"}) as engine:
        return sum(batch.nbytes for batch in engine.sql(sql).to_arrow_reader(16_384))


def in_turn(**reads: Callable[[], int]) -> dict[str, float]:
    """Megabytes a second, the median of RUNS; each in turn, so that what else the machine does falls on all alike."""
    found: dict[str, list[float]] = {name: [] for name in reads}
    for _ in range(RUNS):
        for name, read in reads.items():
            began = time.perf_counter()
            size = read()
            found[name].append(size / 1e6 / (time.perf_counter() - began))
    return {name: median(rates) for name, rates in found.items()}


def at_consumer(nodes: Pair, agreement: str) -> int:
    return drain(*nodes.consumer_address, nodes.request(agreement, {}, ARROW))


def at_provider(nodes: Pair, agreement: str) -> int:
    """A consumer's node that does nothing with what it gets."""
    body = orjson.dumps(
        {
            "exchange": new_id(),
            "agreement": agreement,
            "purpose": PURPOSE,
            "case": "hmac-sha256:" + "0" * 64,
            "form": "arrow",
        }
    )
    url = nodes.provider.base_url + "/exchange/streams"
    key = nodes.region[CONSUMER].key()
    headers = sign_request("POST", url, body_digest(body), key, message_id=new_id(), now=time.time())
    lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    address = urlsplit(url)
    request = f"POST {address.path} HTTP/1.1\r\nHost: node\r\n{lines}Content-Length: {len(body)}\r\n\r\n".encode()
    return drain(str(address.hostname), int(address.port or 80), request + body)


def drain(host: str, port: int, request: bytes) -> int:
    """Read a chunked answer to its end. The bytes of an answer, chunk heads among them (one in ten thousand)."""
    buffer = bytearray(1 << 20)
    size = 0
    with socket.create_connection((host, port), timeout=60) as connection:
        connection.sendall(request)
        tail = b""
        while count := connection.recv_into(buffer):
            if not size and not buffer.startswith(b"HTTP/1.1 200"):
                raise RuntimeError(f"no stream: {bytes(buffer[:count])!r}")
            size += count
            tail = (tail + bytes(buffer[max(0, count - 5) : count]))[-5:]
            if tail == b"0\r\n\r\n":
                return size
    raise RuntimeError("the stream was cut")


@contextmanager
def bare(app: str = "bench.bare_stream:app", **settings: str) -> Iterator[int]:
    port = free_port()
    command = [str(Path(sys.executable).with_name("granian")), "--interface", "asgi", "--no-ws", "--port", str(port)]
    environment = os.environ | settings
    with subprocess.Popen([*command, "--log-level", "error", app], cwd=ROOT, env=environment) as server:
        try:
            for _ in range(600):
                with socket.socket() as probe:
                    if probe.connect_ex(("127.0.0.1", port)) == 0:
                        break
                time.sleep(0.1)
            yield port
        finally:
            server.terminate()


@contextmanager
def largest_rss(*nodes: Node) -> Iterator[list[float]]:
    """The most memory a node's processes held together, megabytes, one number a node."""
    peaks = [0.0] * len(nodes)
    done = threading.Event()

    def watch() -> None:
        while not done.wait(0.1):
            for number, node in enumerate(nodes):
                peaks[number] = max(peaks[number], rss_mb(node))

    watcher = threading.Thread(target=watch, daemon=True)
    watcher.start()
    yield peaks
    done.set()
    watcher.join()


def rss_mb(node: Node) -> float:
    """Proportional set size: pages the master and its worker share count once."""
    if node.process is None:
        return 0.0
    try:
        root = psutil.Process(node.process.pid)
        return sum(one.memory_full_info().pss for one in (root, *root.children(recursive=True))) / 1e6
    except psutil.Error:
        return 0.0
