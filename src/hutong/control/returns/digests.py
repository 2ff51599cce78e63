"""Rows as digests, whatever their order: what two sides compare instead of the rows.

Each row is a pair: SHA-256 of its key and of the whole row, under the agreement's id, in hex. The pairs are kept
sorted in a Parquet file. A range is all pairs whose first digits are given; its digest is SHA-256 of its pairs in
order, and the root is that of the 256 ranges of two digits. Where two roots differ, ranges are compared down to the
rows. All of it is done by DuckDB and numpy on whole columns: no row passes through Python.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from sqlglot import exp

from hutong.exchange.shaping.engine import spilling
from hutong.exchange.shaping.row_digest import row_digest
from hutong.ledger.whole import place

VERSION: Final = 1  # of the way rows become digests; both sides must use the same
HEX: Final = 64  # of one SHA-256
PAIR: Final = 2 * HEX
STEP: Final = 2  # digits from a range to the ranges in it
GROUP_ROWS: Final = 65_536


@dataclass(frozen=True)
class Ranges:
    """The ranges within one, by their digits; those without a row are left out."""

    rows: int = 0
    of: dict[str, tuple[int, str]] = field(default_factory=dict)  # digits: rows, digest in hex

    @property
    def root(self) -> str:
        """One digest of them all."""
        lines = "".join(f"{digits} {rows} {digest}\n" for digits, (rows, digest) in sorted(self.of.items()))
        return "sha256:" + hashlib.sha256(f"v{VERSION} {self.rows}\n{lines}".encode()).hexdigest()

    def document(self) -> dict[str, list[Any]]:
        return {digits: [rows, digest] for digits, (rows, digest) in self.of.items()}

    def differing(self, other: Ranges) -> list[str]:
        """Digits of the ranges that are not the same in both."""
        return sorted(one for one in {*self.of, *other.of} if self.of.get(one) != other.of.get(one))


def read_ranges(document: Any) -> Ranges:
    """Ranges as another node states them.

    raises   ValueError
    """
    try:
        of = {str(digits): (int(rows), str(digest)) for digits, (rows, digest) in document.items()}
    except (AttributeError, TypeError, ValueError) as error:
        raise ValueError("these are no ranges") from error
    return Ranges(sum(rows for rows, _ in of.values()), of)


def write_pairs(rows: pa.RecordBatchReader, keys: Sequence[str], salt: str, file: Path) -> Ranges:
    """Digest rows into a sorted file of pairs, in constant memory.

    keys      names of the columns that tell rows apart; the whole row where there are none
    salt      the agreement's id: digests of two agreements cannot be compared
    returns   the ranges of the file
    """
    partial = file.with_name(file.name + ".part")
    schema = pa.schema([pa.field("pair", pa.string(), nullable=False)])
    connection = spilling(file.parent)
    try:
        connection.register("given", rows)
        sorted_pairs = connection.sql(_statement(rows.schema.names, keys, salt)).to_arrow_reader(GROUP_ROWS)
        with pq.ParquetWriter(partial, schema, compression="zstd") as writer:
            for batch in sorted_pairs:
                writer.write_table(pa.Table.from_batches([batch]).cast(schema), GROUP_ROWS)
    finally:
        connection.close()
    place(partial, file)
    return ranges(file)


def digest_file(file: Path, into: Path, keys: Sequence[str], salt: str) -> Ranges:
    """Digest a Parquet file of rows; one that is not there, or is none, holds no rows."""
    try:
        with pq.ParquetFile(file) as stored:
            rows = pa.RecordBatchReader.from_batches(stored.schema_arrow, stored.iter_batches())
            return write_pairs(rows, keys, salt, into)
    except (OSError, pa.ArrowException, duckdb.Error):
        pq.write_table(pa.table({"pair": pa.array([], pa.string())}), into)
        return ranges(into)


def ranges(file: Path, digits: str = "") -> Ranges:
    """The ranges that lie in one."""
    hashes: dict[str, Any] = {}
    counts: Counter[str] = Counter()
    for block in _blocks(file, digits):
        inner = block[:, : len(digits) + STEP]
        starts = np.flatnonzero(np.any(inner[1:] != inner[:-1], axis=1)) + 1
        for part in np.split(block, starts):
            named = part[0, : len(digits) + STEP].tobytes().decode("ascii")
            hashes.setdefault(named, hashlib.sha256()).update(part.tobytes())
            counts[named] += len(part)
    return Ranges(counts.total(), {one: (counts[one], hashes[one].hexdigest()) for one in hashes})


def pairs(file: Path, digits: str) -> list[str]:
    """The pairs of a range, in order. MUST be asked for small ranges only."""
    return [row.tobytes().decode("ascii") for block in _blocks(file, digits) for row in block]


@dataclass(frozen=True)
class Differences:
    """Rows by the digests of their keys, seen from our side."""

    missing: frozenset[str] = frozenset()
    extra: frozenset[str] = frozenset()
    changed: frozenset[str] = frozenset()


def compare(ours: Sequence[str], theirs: Sequence[str]) -> Differences:
    """What two sides' pairs of one range differ in."""
    here, there = Counter(ours), Counter(theirs)
    lacking = {one[:HEX] for one in there - here}
    surplus = {one[:HEX] for one in here - there}
    return Differences(frozenset(lacking - surplus), frozenset(surplus - lacking), frozenset(lacking & surplus))


def _blocks(file: Path, digits: str) -> Iterator[np.ndarray[Any, Any]]:
    """The pairs of a range as bytes, one row a pair, a row group at a time; groups outside the range are not read."""
    wanted = np.frombuffer(digits.encode("ascii"), dtype=np.uint8)
    with pq.ParquetFile(file) as kept:
        for number in range(kept.num_row_groups):
            span = kept.metadata.row_group(number).column(0).statistics
            if span is not None and span.has_min_max and not _meets(str(span.min), str(span.max), digits):
                continue
            for chunk in kept.read_row_group(number).column(0).chunks:
                start = chunk.offset * PAIR
                held: Any = chunk.buffers()[2]  # the texts, one after the other
                data = np.frombuffer(held, dtype=np.uint8)[start : start + len(chunk) * PAIR]
                block = data.reshape(-1, PAIR)
                inside = block[np.all(block[:, : len(digits)] == wanted, axis=1)] if digits else block
                if len(inside):
                    yield inside


def _meets(least: str, most: str, digits: str) -> bool:
    return least[: len(digits)] <= digits <= most[: len(digits)]


def _statement(names: Sequence[str], keys: Sequence[str], salt: str) -> str:
    """SELECT sha256(salt, key) || sha256(salt, row) AS pair FROM given ORDER BY pair."""
    pair = exp.DPipe(this=row_digest(keys or names, salt), expression=row_digest(names, salt))
    return exp.select(exp.alias_(pair, "pair")).from_("given").order_by("pair").sql(dialect="duckdb")
