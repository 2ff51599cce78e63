"""A masked share of five million rows, read warm by the Delta Sharing client into pandas, through both nodes.

Warm: the provider has written the edition before. The limit is the same Parquet file read by the same client from a
bare Delta Sharing server: no second node, no key, no record. Beside it the first read, which writes the edition.
"""

from __future__ import annotations

import os
import shutil
import tempfile
import time
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from statistics import median
from typing import Any

import duckdb
import orjson

import tests.conftest  # noqa: F401 - gives this process a node of its own to be settings of
from bench.bulk import MASKS, bare
from bench.figure import Figure
from hutong.exchange.shaping.masks import Mask
from tests.pair import DEPARTMENT, PURPOSE, Pair, pair

ROWS = 5_000_000
AGREEMENT = "urn:uuid:0192f0c1-0000-7000-8000-000000000001"
ITEMS = ("n", "code", "name", "phone", "city", "registered_on", "amount")
RUNS = 3  # of each, in turn; the median counts
GOAL_ROWS = 1_000_000
BARE = "the same file, the same client, a bare server"


def figures() -> Iterator[Figure]:
    import delta_sharing

    warnings.simplefilter("ignore")
    folder = Path(tempfile.mkdtemp(prefix="hutong-bench-"))
    try:
        file = make_source(folder / "companies.parquet")
        masks = MASKS | {"code": Mask("pseudonym")}  # 32 digits that no codec makes smaller
        items = {name: masks[name].to_document() if name in masks else {"action": "keep"} for name in ITEMS}
        grants: dict[str, dict[str, Any]] = {AGREEMENT: {"source": "s1", "items": items}}
        with pair(folder, {"s1": {"kind": "parquet", "location": str(file)}}, grants) as nodes:
            url = f"{profile_of(nodes, folder)}#{AGREEMENT.removeprefix('urn:uuid:')}.320000.rows"
            first_s = took(lambda: len(delta_sharing.load_as_pandas(url)))
            edition = next((nodes.provider.home / "editions").glob("*/*/*/rows"))
            with bare("bench.bare_share:app", BENCH_FILE=str(edition)) as port:
                bare_url = f"{bare_profile(folder, port)}#s.s.rows"
                rates = in_turn(
                    shared=lambda: len(delta_sharing.load_as_pandas(url)),
                    bare=lambda: len(delta_sharing.load_as_pandas(bare_url)),
                )
        yield Figure("sharing: warm read", rates["shared"], "rows/s", GOAL_ROWS, rates["bare"], BARE)
        yield Figure("sharing: first read, the edition written", first_s, "s", 30, better="less")
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def profile_of(nodes: Pair, folder: Path) -> Path:
    file = folder / "bench.share"
    named = ("--department", DEPARTMENT, "--application", "bench", "--purpose", PURPOSE, "--case", "1")
    nodes.consumer.hutong("share", "profile", str(nodes.consumer.home), *named, "-o", str(file))
    orjson.loads(file.read_bytes())
    return file


def bare_profile(folder: Path, port: int) -> Path:
    file = folder / "bare.share"
    named = {"shareCredentialsVersion": 1, "endpoint": f"http://127.0.0.1:{port}", "bearerToken": "none"}
    file.write_bytes(orjson.dumps(named))
    return file


def in_turn(**reads: Callable[[], int]) -> dict[str, float]:
    """Rows a second, the median of RUNS; in turn, so that what else the machine does falls on both alike."""
    found: dict[str, list[float]] = {name: [] for name in reads}
    for _ in range(RUNS):
        for name, read in reads.items():
            found[name].append(ROWS / took(read))
    return {name: median(rates) for name, rates in found.items()}


def took(read: Callable[[], int]) -> float:
    began = time.perf_counter()
    if (rows := read()) != ROWS:
        raise RuntimeError(f"{rows} rows came, not {ROWS}")
    return time.perf_counter() - began


def make_source(file: Path) -> Path:
    """Companies that do not exist."""
    with duckdb.connect() as engine:
        engine.execute(
            "COPY (SELECT range AS n, 'HT' || hash(range) AS code, '王小' || chr(19968 + (range % 5000)::INT) AS name,"
            " '138' || lpad((range % 100000000)::VARCHAR, 8, '0') AS phone,"
            " ['南京市', '苏州市', '无锡市', '常州市'][1 + range % 4] AS city,"
            " DATE '2000-01-01' + (range % 9000)::INT AS registered_on, (range * 7919) % 2000 AS amount"
            f" FROM range({ROWS})) TO '{file}' (ROW_GROUP_SIZE 122880)"
        )
    written = file.stat().st_mtime - 60  # long ago enough for its time to tell that nothing has changed since
    os.utime(file, (written, written))
    return file
