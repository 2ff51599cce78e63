"""A stream of batches as bytes, a batch at a time, in constant memory.

json     one array of objects; decimals and times as text, whole numbers beyond 2**53 - 1 as text too, so that
         every JSON reader keeps them; NaN and infinity are null
csv      RFC 4180 with a header, UTF-8; text in quotes, so that an empty text differs from a missing value
arrow    IPC stream
parquet  zstd; the file is complete only with its last bytes
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cache
from typing import Any

import numpy as np
import orjson
import pyarrow as pa
import pyarrow.compute
import pyarrow.csv
import pyarrow.parquet as pq

from hutong.vocabulary.canonical import MAX_INTEGER

pc: Any = pyarrow.compute  # its stubs know only some of the types it takes

END_OF_STREAM = b"\xff\xff\xff\xff\x00\x00\x00\x00"  # of an Arrow IPC stream
GROUP_ROWS = 122_880  # of a Parquet row group
GROUP_BYTES = 64 << 20


def encode(reader: pa.RecordBatchReader, form: str) -> Iterator[bytes]:
    """The bytes of a whole answer; raises what the reader raises, in the middle.

    raises   KeyError for a form that choose() does not give
    """
    return _FORMS[form](reader)


def _json(reader: pa.RecordBatchReader) -> Iterator[bytes]:
    opened = b"["
    for batch in reader:
        rows = json_rows(batch)
        if rows:
            yield opened + rows
            opened = b","
    yield b"[]" if opened == b"[" else b"]"


def json_rows(batch: pa.RecordBatch) -> bytes:
    """The rows of a batch as JSON objects with commas between them, without the array's brackets."""
    names, columns = batch.schema.names, [_jsonable(column) for column in batch.columns]
    if any(isinstance(column, list) for column in columns):
        values = zip(*(_listed(column) for column in columns), strict=True)
        return orjson.dumps([dict(zip(names, row, strict=True)) for row in values])[1:-1]
    return orjson.dumps(pa.RecordBatch.from_arrays(columns, names=names).to_pylist())[1:-1]


def json_columns(table: pa.Table) -> list[list[Any]]:
    """The columns as Python values that orjson writes as json_rows() does; for point reads."""
    return [_listed(_jsonable(column)) for column in table.columns]


def _listed(column: Any) -> list[Any]:
    return column if isinstance(column, list) else column.to_pylist()


def _jsonable(column: Any) -> Any:
    """The column in types that JSON has; a list where its values need different ones."""
    type_ = column.type
    if pa.types.is_decimal(type_):
        return pc.cast(column, pa.string())
    if pa.types.is_timestamp(type_):
        return pc.strftime(column, "%Y-%m-%dT%H:%M:%SZ" if type_.tz else "%Y-%m-%dT%H:%M:%S")
    if pa.types.is_int64(type_) or pa.types.is_uint64(type_):
        extremes = pc.min_max(column).as_py()
        if max(abs(extremes["min"] or 0), abs(extremes["max"] or 0)) > MAX_INTEGER:
            # Each for itself: how one value is written must not tell what stands in another row.
            return [str(one) if one is not None and abs(one) > MAX_INTEGER else one for one in column.to_pylist()]
    return column


def _csv(reader: pa.RecordBatchReader) -> Iterator[bytes]:
    yield _csv_bytes(pa.RecordBatch.from_pylist([], schema=reader.schema), header=True)
    for batch in reader:
        yield _csv_bytes(batch, header=False)


def _csv_bytes(batch: pa.RecordBatch, *, header: bool) -> bytes:
    sink = pa.BufferOutputStream()
    options = pyarrow.csv.WriteOptions(include_header=header, quoting_style="needed")
    pyarrow.csv.write_csv(batch, sink, options)
    return sink.getvalue().to_pybytes()


def _arrow(reader: pa.RecordBatchReader) -> Iterator[bytes]:
    yield reader.schema.serialize().to_pybytes()
    for batch in reader:
        yield bare(batch).serialize().to_pybytes()
    yield END_OF_STREAM


def bare(batch: pa.RecordBatch) -> pa.RecordBatch:
    """The batch with nothing in its memory but its values.

    An IPC message is the columns' memory as it lies. Where a value is missing, engines leave whatever stood there:
    DuckDB left names of another column under the nulls of a masked one. And a slice of an array is written with up to
    63 bytes of what follows it.
    """
    return pa.RecordBatch.from_arrays([_bare(column) for column in batch.columns], schema=batch.schema)


def _bare(column: Any) -> Any:
    if not len(column):
        return pa.array([], column.type)
    if column.offset or not _ends_with_its_values(column):
        column = column.take(pa.array(np.arange(len(column))))
    if not column.null_count:
        return column
    filled = pc.fill_null(column, _nothing(column.type))
    valid = pc.is_valid(column).buffers()[1]
    return pa.Array.from_buffers(column.type, len(column), [valid, *filled.buffers()[1:]])


def _ends_with_its_values(column: Any) -> bool:
    type_, rows, (_, first, *rest) = column.type, len(column), column.buffers()
    if not rest:
        return bool(first.size <= (rows * type_.bit_width + 7) // 8)
    width = 8 if pa.types.is_large_string(type_) else 4
    end = int.from_bytes(memoryview(first)[rows * width : (rows + 1) * width], "little")
    return bool(first.size <= (rows + 1) * width and (rest[0] is None or rest[0].size <= end))


@cache
def _nothing(type_: pa.DataType) -> Any:
    """The value of a type whose memory is zeros."""
    if pa.types.is_string(type_) or pa.types.is_large_string(type_):
        return pa.scalar("", type_)
    return pa.Array.from_buffers(type_, 1, [None, pa.py_buffer(bytes(16))])[0]


class _Chunks:
    """A file that hands what was written to whoever streams it."""

    closed = False

    def __init__(self) -> None:
        self._parts: list[bytes] = []
        self._written = 0

    def write(self, data: Any) -> int:
        part = bytes(data)
        self._parts.append(part)
        self._written += len(part)
        return len(part)

    def tell(self) -> int:
        return self._written

    def flush(self) -> None:
        return None

    def close(self) -> None:
        return None

    def readable(self) -> bool:
        return False

    def writable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return False

    def take(self) -> bytes:
        parts, self._parts = self._parts, []
        return b"".join(parts)


def _parquet(reader: pa.RecordBatchReader) -> Iterator[bytes]:
    sink: Any = _Chunks()
    with pq.ParquetWriter(pa.PythonFile(sink, mode="w"), reader.schema, compression="zstd") as writer:
        kept: list[pa.RecordBatch] = []
        for batch in reader:
            kept.append(batch)
            full = sum(one.num_rows for one in kept) >= GROUP_ROWS or sum(one.nbytes for one in kept) >= GROUP_BYTES
            if full:
                writer.write_table(pa.Table.from_batches(kept), GROUP_ROWS)
                kept = []
                yield sink.take()
        if kept:
            writer.write_table(pa.Table.from_batches(kept), GROUP_ROWS)
    yield sink.take()


_FORMS: dict[str, Callable[[pa.RecordBatchReader], Iterator[bytes]]] = {
    "json": _json,
    "csv": _csv,
    "arrow": _arrow,
    "parquet": _parquet,
}
