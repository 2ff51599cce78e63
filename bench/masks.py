"""A million invented persons in memory, a number and one masked item: rows per second of one core.

Processor time is counted, of all threads together, so that what else the machine does does not show.
"""

from __future__ import annotations

import time
from collections.abc import Iterator

import numpy as np
import pyarrow as pa

from bench.figure import Figure
from hutong.exchange.shaping.masks import Mask, MaskedItem
from hutong.exchange.shaping.shape import shape
from hutong.vocabulary.identifiers import identity_check

ROWS = 1_000_000
DIFFERENT = 50_000  # identity numbers, so that making them is not what takes the time
KEY = bytes(range(32))
# Mask: its item and the fewest rows a second.
GOALS = {
    Mask("keep"): ("id", 5_000_000),
    Mask("name"): ("name", 2_000_000),
    Mask("identity_number"): ("id", 750_000),
    Mask("alphanum"): ("id", 150_000),
    Mask("pseudonym"): ("id", 250_000),
    Mask("pseudonym", suite="sm"): ("id", 200_000),
    Mask("encrypt_identity_number", keeps="area"): ("id", 400_000),
    Mask("encrypt_identity_number", keeps="area", suite="sm"): ("id", 150_000),
}


def figures() -> Iterator[Figure]:
    table = persons()
    for mask, (item, goal) in GOALS.items():
        said = mask.to_document()
        name = " ".join(str(value) for value in said.values())
        yield Figure(f"masks: {name}", rate(table, item, mask), "/s", goal)


def rate(table: pa.Table, item: str, mask: Mask) -> float:
    """Rows per second of processor time, the better of two runs."""
    took = []
    for _ in range(2):
        began = time.process_time()
        items = [MaskedItem("n"), MaskedItem(item, mask)]
        rows = sum(batch.num_rows for batch in shape(table.to_reader(), items, KEY))
        took.append(time.process_time() - began)
        if rows != table.num_rows:
            raise RuntimeError("rows were lost")
    return table.num_rows / min(took)


def persons() -> pa.Table:
    """Born before 1870, so that none of them lives."""
    draw = np.random.default_rng(7)
    years, days = draw.integers(1850, 1870, DIFFERENT), draw.integers(1, 29, DIFFERENT)
    sequences, month = draw.integers(0, 1_000, DIFFERENT), draw.integers(1, 13, DIFFERENT)
    bodies = [
        f"310115{year}{month:02d}{day:02d}{sequence:03d}"
        for year, month, day, sequence in zip(years, month, days, sequences, strict=True)
    ]
    numbers = pa.array([body + identity_check(body) for body in bodies])
    names = pa.array(["王小明", "欧阳娜娜", "李四", "司马相如"])
    return pa.table(
        {
            "n": np.arange(ROWS),
            "id": numbers.take(pa.array(draw.integers(0, DIFFERENT, ROWS))),
            "name": names.take(pa.array(draw.integers(0, 4, ROWS))),
        }
    )
