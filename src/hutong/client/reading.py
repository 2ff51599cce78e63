"""One answer: as Arrow, pandas, polars, DuckDB, or piece by piece."""

from __future__ import annotations

import hashlib
import io
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import urllib3

from hutong.client.problems import BrokenAnswer

if TYPE_CHECKING:
    import duckdb
    import pandas as pd
    import polars as pl
    import pyarrow as pa

    from hutong.client.connection import Connection

PIECE = 1024 * 1024  # bytes read from the network at once
LONG_READ_S = 1.0  # a bar appears on reads that take longer


class Reading:
    """An answer on its way. Its rows come once: as a whole (to_arrow and what builds on it) or as batches()."""

    def __init__(self, response: urllib3.BaseHTTPResponse | None, connection: Connection, exchange: str) -> None:
        self.exchange = exchange  # its id, in both nodes' registers and ledgers
        self.bytes = 0
        self._response = response
        self._connection = connection
        self._hash = hashlib.sha256()
        self._table: pa.Table | None = None
        self._started = False

    def __repr__(self) -> str:
        return f"<hutong reading, exchange {self.exchange}>"

    @property
    def arrow(self) -> pa.Table:
        return self.to_arrow()

    def to_arrow(self) -> pa.Table:
        """All rows, as a pyarrow Table.

        raises   BrokenAnswer when it broke off, or is not what the register says
        """
        if self._table is None:
            import pyarrow as pa

            reader, batches = self.reader(), []
            for batch in reader:
                batches.append(batch)
            self._table = pa.Table.from_batches(batches, schema=reader.schema)
        return self._table

    def to_pandas(self) -> pd.DataFrame:
        return self.to_arrow().to_pandas()

    def to_polars(self) -> pl.DataFrame:
        import polars as pl

        frame = pl.from_arrow(self.to_arrow())
        if not isinstance(frame, pl.DataFrame):
            raise TypeError("a table of one column is still a table")
        return frame

    def to_duckdb(self, connection: duckdb.DuckDBPyConnection | None = None) -> duckdb.DuckDBPyRelation:
        """A DuckDB relation over the rows.

        connection   yours; by default DuckDB's shared one
        """
        import duckdb

        table = self.to_arrow()
        return (connection or duckdb.default_connection()).from_arrow(table)

    def batches(self) -> Iterator[pa.RecordBatch]:
        """The rows in batches as they come, in constant memory.

        raises   BrokenAnswer, possibly after the first batches: use them as a whole only when the loop has ended
        """
        yield from self.reader()

    def chunks(self) -> Iterator[bytes]:
        """The answer's bytes as they come, checked against the register at the end.

        raises   BrokenAnswer
        """
        self._start()
        response = self._response
        if response is None:
            return
        with progress_bar(self._connection.progress) as advance:
            try:
                while piece := response.read(PIECE, decode_content=False):
                    self._hash.update(piece)
                    self.bytes += len(piece)
                    advance(len(piece))
                    yield piece
            except urllib3.exceptions.HTTPError as error:
                raise BrokenAnswer(
                    exchange=self.exchange,
                    reason="the connection was closed before its end",
                    reason_zh="连接在结束前已断开",
                ) from error
            finally:
                response.release_conn()
        self._check()

    def _start(self) -> None:
        if self._started:
            raise RuntimeError("this answer has already been read; read it again from the node")
        self._started = True

    def _check(self) -> None:
        """The register, written before the stream's end, states what the provider proved to have sent."""
        stands = self._connection.exchange(self.exchange)
        if stands["outcome"] != "served" or stands["digest"] != "sha256:" + self._hash.hexdigest():
            raise BrokenAnswer(
                exchange=self.exchange,
                reason="it is not what the register says was served",
                reason_zh="与使用登记所载的内容不一致",
            )

    def reader(self) -> pa.RecordBatchReader:
        """The rows with their schema, as batches() gives them; of an answer without rows it has the schema alone.

        raises   BrokenAnswer, possibly after the first batches
        """
        import pyarrow as pa

        source = _Pieces(self.chunks())
        try:
            reader = pa.ipc.open_stream(pa.PythonFile(source, mode="r"))
        except pa.ArrowInvalid as error:
            raise BrokenAnswer(exchange=self.exchange, reason="it holds no table", reason_zh="其中没有表") from error
        return pa.RecordBatchReader.from_batches(reader.schema, self._whole(reader, source))

    def _whole(self, reader: pa.RecordBatchReader, source: _Pieces) -> Iterator[pa.RecordBatch]:
        import pyarrow as pa

        try:
            yield from reader
            source.drain()
        except (pa.ArrowInvalid, OSError) as error:
            if source.error is not None:
                raise source.error from error
            raise BrokenAnswer(
                exchange=self.exchange, reason="its rows cannot be read", reason_zh="其中的行无法读取"
            ) from error


class _Pieces(io.RawIOBase):
    """Chunks as a file for Arrow. Keeps what went wrong, which Arrow would turn into an error of its own."""

    def __init__(self, chunks: Iterator[bytes]) -> None:
        self._chunks = chunks
        self._left = memoryview(b"")
        self.error: Exception | None = None

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1) -> bytes:
        parts: list[bytes | memoryview] = []
        wanted = size if size >= 0 else sys.maxsize
        while wanted:
            if not self._left:
                piece = self._next()
                if piece is None:
                    break
                self._left = memoryview(piece)
            part = self._left[:wanted]
            self._left = self._left[len(part) :]
            parts.append(part)
            wanted -= len(part)
        return b"".join(parts)

    def drain(self) -> None:
        """Read to the end, so that the end is checked."""
        while self._next() is not None:
            pass

    def _next(self) -> bytes | None:
        try:
            return next(self._chunks, None)
        except Exception as error:
            self.error = error
            raise


@contextmanager
def progress_bar(wanted: bool | None, total: int | None = None) -> Iterator[Any]:
    """Something to watch on long reads, on a terminal: how much has come, how fast, and of how much where it is known.

    yields   what is called with the size of each piece that came
    """
    if not (sys.stderr.isatty() if wanted is None else wanted):
        yield lambda _size: None
        return
    from rich.console import Console
    from rich.progress import (
        DownloadColumn,
        Progress,
        SpinnerColumn,
        TextColumn,
        TimeElapsedColumn,
        TransferSpeedColumn,
    )

    began = time.monotonic()
    columns = (SpinnerColumn(), TextColumn("reading"), DownloadColumn(), TransferSpeedColumn(), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task("reading", total=total, visible=False)

        def advance(size: int) -> None:
            progress.update(task, advance=size, visible=time.monotonic() - began > LONG_READ_S)

        yield advance
