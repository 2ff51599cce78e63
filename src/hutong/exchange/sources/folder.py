"""Folders of Parquet files, read in place, on this machine or on S3-compatible storage.

The folder is listed anew at every read, so a file that was added is read, and one that lacks a described column, or has
it with another type, stops the read. A column that only some files have is left out. Row groups and partitions that a
condition rules out are not read; what is read is tested again, by the one meaning of conditions (vector.py).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import reduce
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.dataset as ds

from hutong.exchange.shaping.predicate import Predicate
from hutong.exchange.shaping.values import Kind, Scalar, kind_of, literal
from hutong.exchange.shaping.vector import kept
from hutong.exchange.sources.columns import ColumnType
from hutong.exchange.sources.places import Found, Place, partitions
from hutong.exchange.sources.source import BATCH_ROWS, Source, cut, needed, shareable
from hutong.exchange.sources.spec import SourceSpec, SourceUnreadable

FOOTERS_AT_ONCE = 8
Files = dict[Found, tuple[pa.Schema, int]]  # with each footer: its schema and number of rows
PRUNED = (Kind.TEXT, Kind.INTEGER, Kind.DATE, Kind.TIMESTAMP)


class FolderSource(Source):
    """A folder of Parquet files."""

    def __init__(self, spec: SourceSpec) -> None:
        """raises   SourceRefused"""
        self._place = Place(spec)
        self._format = ds.ParquetFileFormat()
        self._footers: Files = {}
        self.schema, self.left_out = self._schema(self._listed())

    def look(self) -> pa.Schema:
        return self._schema(self._listed())[0]

    def changes(self) -> str:
        return self._place.mark()

    def count(self) -> int:
        return sum(rows for _schema, rows in self._listed().values())

    def _rows(self, schema: pa.Schema, where: Predicate | None, limit: int | None) -> Iterator[pa.RecordBatch]:
        files = self._listed()
        self._check_same(files)
        return cut(self._scanned(files, needed(schema, where), where), schema, where, limit)

    def close(self) -> None:
        self._footers = {}

    def _listed(self) -> Files:
        """The files there now, each with its footer."""
        known = self._footers
        found = self._place.found()
        new = [one for one in found if one not in known]
        try:
            with ThreadPoolExecutor(FOOTERS_AT_ONCE) as threads:
                read = dict(zip(new, threads.map(self._read_footer, new), strict=True))
        except (OSError, pa.ArrowException):
            raise SourceUnreadable(
                kind="parquet",
                reason="a file in it is damaged, or no Parquet file",
                reason_zh="其中有文件已损坏或不是 Parquet",
            ) from None
        self._footers = {one: read.get(one) or known[one] for one in found}
        return self._footers

    def _read_footer(self, found: Found) -> tuple[pa.Schema, int]:
        fragment: Any = self._format.make_fragment(found.path, self._place.files)
        return fragment.physical_schema, fragment.metadata.num_rows

    def _schema(self, files: Files) -> tuple[pa.Schema, tuple[str, ...]]:
        schemas = [_plain(schema) for schema, _rows in files.values()]
        names = list(dict.fromkeys(name for schema in schemas for name in schema.names))
        alike = [name for name in names if len({_type_in(schema, name) for schema in schemas}) == 1]
        fields = [schemas[0].field(name) for name in alike] + self._partition_fields(files)
        if len({one.name.casefold() for one in fields}) != len(fields):
            raise SourceUnreadable(
                kind="parquet", reason="two columns differ only in case", reason_zh="有两列仅大小写不同"
            )
        schema, unshareable = shareable(pa.schema(fields))
        return schema, (*(name for name in names if name not in alike), *unshareable)

    def _partition_fields(self, files: Files) -> list[pa.Field[Any]]:
        names = partitions(list(files), _uneven)
        fields = []
        for number, name in enumerate(names):
            type_ = ColumnType(name)
            type_.see(pa.array([one.parts[number][1] for one in files], pa.string()))
            fields.append(pa.field(name, type_.decide()))
        return fields

    def _check_same(self, files: Files) -> None:
        there, _ = self._schema(files)
        types = {one.name: one.type for one in there}
        if changed := [one.name for one in self.schema if types.get(one.name) != one.type]:
            raise self.drifted(tuple(changed))

    def _scanned(self, files: Files, names: list[str], where: Predicate | None) -> Iterator[pa.RecordBatch]:
        """Every row that may meet the condition."""
        for found, (stored, _rows) in files.items():
            if where is None or not self._ruled_out(found, where):
                yield from self._file_batches(found, stored, names, where)
        self._place.check_same(list(files))

    def _file_batches(
        self, found: Found, stored: pa.Schema, names: list[str], where: Predicate | None
    ) -> Iterator[pa.RecordBatch]:
        parts = dict(found.parts)
        columns = [name for name in names if name not in parts]
        fragment = self._format.make_fragment(found.path, self._place.files)
        scanned = fragment.to_batches(
            columns=columns,
            filter=pruning(where, {name: stored.field(name).type for name in columns}) if where else None,
            batch_size=BATCH_ROWS,
            batch_readahead=2,
            fragment_readahead=1,
        )
        schema = self.fields(names)
        for batch in scanned:
            arrays = [
                _constant(parts[field.name], field.type, batch.num_rows)
                if field.name in parts
                else batch.column(field.name).cast(field.type)
                for field in schema
            ]
            yield pa.RecordBatch.from_arrays(arrays, schema=schema)

    def _ruled_out(self, found: Found, where: Predicate) -> bool:
        """Whether the partitions alone make the condition untrue."""
        names = {name for name, _ in found.parts}
        parts = [one for one in (where.args if where.op == "and" else (where,)) if one.items() <= names]
        if not parts:
            return False
        values = {name: _constant(value, self.schema.field(name).type, 1) for name, value in found.parts}
        return any(kept(pa.table(values), one).num_rows == 0 for one in parts)


def pruning(where: Predicate, types: Mapping[str, pa.DataType]) -> Any:
    """What can be asked of a file's statistics: true wherever the condition is, and wherever it cannot be said."""
    if where.op in ("and", "or"):
        parts = [pruning(one, types) for one in where.args]
        if where.op == "or" and any(one is None for one in parts):
            return None
        said = [one for one in parts if one is not None]
        return reduce(lambda a, b: a & b if where.op == "and" else a | b, said) if said else None
    type_ = types.get(where.item)
    if type_ is None or kind_of(type_) not in PRUNED or pa.types.is_uint64(type_):
        return None
    item = pc.field(where.item)
    values = [_scalar(value, type_, where.item) for value in where.values]
    if where.op == "in":
        return reduce(lambda a, b: a | b, [item == value for value in values])
    if where.op == "between":
        return (item >= values[0]) & (item <= values[1])
    tests = {"eq": item.__eq__, "lt": item.__lt__, "le": item.__le__, "gt": item.__gt__, "ge": item.__ge__}
    return tests[where.op](values[0]) if where.op in tests else None


def _scalar(value: Scalar, type_: pa.DataType, item: str) -> Any:
    read = literal(value, type_, item)
    if kind_of(type_) is Kind.INTEGER:
        return pa.scalar(read, pa.int64())
    return pa.scalar(read, pa.timestamp("us", tz=type_.tz) if pa.types.is_timestamp(type_) else type_)


def _plain(schema: pa.Schema) -> pa.Schema:
    return pa.schema([pa.field(field.name, _plain_type(field.type)) for field in schema])


def _plain_type(type_: Any) -> Any:
    if pa.types.is_dictionary(type_):
        return _plain_type(type_.value_type)
    return pa.string() if pa.types.is_large_string(type_) else type_


def _type_in(schema: pa.Schema, name: str) -> str:
    return str(schema.field(name).type) if schema.names.count(name) == 1 else ""


def _constant(value: str | None, type_: Any, rows: int) -> Any:
    scalar = pa.scalar(value, pa.string()).cast(type_)
    return pa.repeat(scalar, rows)


def _uneven() -> SourceUnreadable:
    return SourceUnreadable(
        kind="parquet", reason="its files lie in folders of different partitions", reason_zh="文件所在分区目录不一致"
    )
