"""Changes of a source: what differs between its agreed, masked rows as they are and as they were.

Each round leaves two files: the rows of now, each with the digest of its key, and the changes against the round before,
in a fixed order. Rows are told apart by their key; where there is none, or it is masked, by all of their values, and
then a change is a row deleted and another inserted. DuckDB works on whole columns; no row passes through Python.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import duckdb
import pyarrow as pa
import pyarrow.dataset as pads
import pyarrow.parquet as pq
from sqlglot import exp

from hutong.exchange.shaping.engine import spilling
from hutong.exchange.shaping.row_digest import row_digest
from hutong.ledger.whole import place

KEY, NTH, ROW, CHANGE = "hutong:key", "hutong:nth", "hutong:row", "hutong:change"
OWN: Final = (KEY, NTH, ROW, CHANGE)
INSERTED, UPDATED, DELETED, RESET = "inserted", "updated", "deleted", "reset"
GROUP_ROWS: Final = 20_000  # of a row group: what is read at once when a round is logged


def rows_file(folder: Path, number: int) -> Path:
    """The rows as a round saw them."""
    return folder / f"{number:08d}.rows.parquet"


def changes_file(folder: Path, number: int) -> Path:
    """What a round found changed, in the order it is logged in."""
    return folder / f"{number:08d}.changes.parquet"


@dataclass(frozen=True)
class Telling:
    """How rows are told apart, and when one has changed.

    keys     names of the items that tell rows apart; the whole row where there are none
    unlike   items whose mask gives another value each time: they make no change
    salt     the agreement's id
    """

    keys: tuple[str, ...]
    salt: str
    unlike: frozenset[str] = frozenset()


def find(rows: pa.RecordBatchReader, telling: Telling, folder: Path, number: int, *, before: int, whole: bool) -> int:
    """Compare rows with the round before, into the two files of this round.

    rows     as the consumer would be served them
    before   the number of the round to compare with, 0 for none
    whole    False where the rows are only those that may have changed: none is missed then
    returns  how many changes there are
    """
    earlier = rows_file(folder, before) if before else None
    connection = spilling(folder)
    try:
        names = rows.schema.names
        connection.register("given", rows)
        read = rows_file(folder, number) if whole else folder / f"{number:08d}.part.parquet"
        _write(connection, _marked(names, telling), read)
        if not whole and earlier is not None:
            connection.register("part", pads.dataset(read))
            connection.register("earlier", pads.dataset(earlier))
            _write(connection, _completed(names), rows_file(folder, number))
            read.unlink()
        connection.register("after", pads.dataset(rows_file(folder, number)))
        connection.register("earlier", pads.dataset(earlier) if earlier else _no_rows(rows_file(folder, number)))
        return _write(connection, _changed(names), changes_file(folder, number))
    finally:
        connection.close()


def holds(file: Path, schema: pa.Schema) -> bool:
    """Whether a round's rows have just these items, of these types."""
    return [(one.name, one.type) for one in pq.read_schema(file) if one.name not in OWN] == [
        (one.name, one.type) for one in schema
    ]


def forget(folder: Path, *, before: int) -> None:
    """Remove the files of rounds older than this one, and what a killed writer left of them."""
    for old in folder.glob("[0-9]*.parquet*"):
        if int(old.name.partition(".")[0]) < before:
            old.unlink(missing_ok=True)


def _write(connection: duckdb.DuckDBPyConnection, statement: exp.Expression, file: Path) -> int:
    """A statement's rows into a file that is whole or not there, also after the power fails. returns how many"""
    partial, written = file.with_name(file.name + ".new"), 0
    reader = connection.sql(statement.sql(dialect="duckdb")).to_arrow_reader(GROUP_ROWS)
    with pq.ParquetWriter(partial, reader.schema, compression="zstd") as writer:
        for batch in reader:
            writer.write_table(pa.Table.from_batches([batch]), GROUP_ROWS)
            written += batch.num_rows
    place(partial, file)
    return written


def _marked(names: Sequence[str], telling: Telling) -> Any:
    """Each row with the digest of its key, of itself, and its number among rows of the same key."""
    alike = [name for name in names if name not in telling.unlike]
    digests = [
        exp.alias_(row_digest(telling.keys or alike, telling.salt), KEY, quoted=True),
        exp.alias_(row_digest(alike, telling.salt), ROW, quoted=True),
    ]
    told = exp.select(*digests, *_columns(names)).from_("given").subquery("told")
    nth = exp.Window(
        this=exp.Anonymous(this="row_number"),
        partition_by=[exp.column(KEY, quoted=True)],
        order=exp.Order(expressions=[exp.column(ROW, quoted=True)]),
    )
    marks = [exp.column(KEY, quoted=True), exp.alias_(nth, NTH, quoted=True), exp.column(ROW, quoted=True)]
    return exp.select(*marks, *_columns(names)).from_(told)


def _completed(names: Sequence[str]) -> Any:
    """The rows read now, and of the earlier ones those whose key was not read."""
    wanted = (KEY, NTH, ROW, *names)
    same = exp.EQ(this=exp.column(KEY, "e", quoted=True), expression=exp.column(KEY, "p", quoted=True))
    read = exp.Exists(this=exp.select("1").from_("part AS p").where(same))
    kept = exp.select(*_columns(wanted, "e")).from_("earlier AS e").where(exp.Not(this=read))
    return exp.union(exp.select(*_columns(wanted)).from_("part"), kept, distinct=False)


def _changed(names: Sequence[str]) -> Any:
    """What is not in both, or not alike: the row of now, of what is gone the row of before."""
    here, there = exp.column(KEY, "a", quoted=True), exp.column(KEY, "e", quoted=True)
    absent, gone = (exp.Is(this=one.copy(), expression=exp.Null()) for one in (there, here))
    word = exp.Case(
        ifs=[
            exp.If(this=absent, true=exp.Literal.string(INSERTED)),
            exp.If(this=gone, true=exp.Literal.string(DELETED)),
        ],
        default=exp.Literal.string(UPDATED),
    )
    told = [
        exp.alias_(
            exp.Case(ifs=[exp.If(this=gone.copy(), true=exp.column(one, "e", quoted=True))],
                     default=exp.column(one, "a", quoted=True)),
            one,
            quoted=True,
        )
        for one in names
    ]  # fmt: skip
    key = exp.Coalesce(this=here.copy(), expressions=[there.copy()])
    nth = exp.Coalesce(this=exp.column(NTH, "a", quoted=True), expressions=[exp.column(NTH, "e", quoted=True)])
    pairs = [
        exp.EQ(this=exp.column(one, "a", quoted=True), expression=exp.column(one, "e", quoted=True))
        for one in (KEY, NTH)
    ]
    differs = exp.NullSafeNEQ(this=exp.column(ROW, "a", quoted=True), expression=exp.column(ROW, "e", quoted=True))
    found = exp.select(exp.alias_(key, KEY, quoted=True), exp.alias_(word, CHANGE, quoted=True), *told)
    found = found.from_("after AS a").join("earlier AS e", on=exp.and_(*pairs), join_type="full")
    return found.where(differs).order_by(key.copy(), nth)


def _columns(names: Sequence[str], table: str = "") -> list[exp.Column]:
    return [exp.column(name, table or None, quoted=True) for name in names]


def _no_rows(file: Path) -> pa.Table:
    return pq.read_schema(file).empty_table()
