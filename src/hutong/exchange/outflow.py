"""Rows on their way out: read, encoded and hashed in a thread, sent by the event loop, in constant memory."""

from __future__ import annotations

import asyncio
import hashlib
import logging
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pyarrow as pa

from hutong.exchange.asgi import Receive, Send, disconnected
from hutong.vocabulary.errors import Refused

CHUNKS_AHEAD = 4  # chunks read before the consumer has taken them; a chunk is about a megabyte

log = logging.getLogger(__name__)


class Outflow:
    """One answer that streams. `rows`, `bytes` and `digest` say what was handed to the network.

    reader     shaped rows; closed by close()
    encode     turns a reader into the chunks of one format
    rows_left  more rows of the source than this do not leave: the stream is cut
    too_many   the refusal that says so
    further    adds canaries, which nothing that the consumer sees tells apart: they count as rows
    """

    def __init__(
        self,
        reader: pa.RecordBatchReader,
        encode: Callable[[Any], Iterator[bytes]],
        *,
        rows_left: int | None,
        too_many: Callable[[], Refused],
        further: Callable[[Iterator[pa.RecordBatch]], Iterator[pa.RecordBatch]] | None = None,
    ) -> None:
        self.rows = 0
        self.bytes = 0
        self.code = ""  # why it was cut
        self._reader = reader
        self._rows_left = rows_left
        self._too_many = too_many
        self._hash = hashlib.sha256()
        self._room = threading.Semaphore(CHUNKS_AHEAD)
        self._stopped = threading.Event()
        rows = self._within_quota()
        self._chunks = encode(_Counted(reader.schema, self._counted(further(rows) if further else rows)))

    @property
    def digest(self) -> str:
        return "sha256:" + self._hash.hexdigest()

    async def run(self, receive: Receive, send: Send) -> bool:
        """Send every chunk. True when all were sent; False when it was cut, with the reason in `code`."""
        loop = asyncio.get_running_loop()
        chunks: asyncio.Queue[bytes | None] = asyncio.Queue()
        producer = threading.Thread(target=self._produce, args=(loop, chunks), name="hutong-outflow", daemon=True)
        gone = asyncio.ensure_future(disconnected(receive))
        gone.add_done_callback(lambda _: chunks.put_nowait(None))
        producer.start()
        try:
            while (chunk := await chunks.get()) is not None and not gone.done():
                await send({"type": "http.response.body", "body": chunk, "more_body": True})
                self.bytes += len(chunk)
                self._room.release()
            if gone.done():
                self.code = "consumer_gone"
        finally:
            gone.cancel()
            self._stop()
            await loop.run_in_executor(None, producer.join)
        return not self.code

    def close(self) -> None:
        self._stop()

    def _stop(self) -> None:
        self._stopped.set()
        self._room.release()

    def _produce(self, loop: asyncio.AbstractEventLoop, chunks: asyncio.Queue[bytes | None]) -> None:
        try:
            for chunk in self._chunks:
                self._room.acquire()
                if self._stopped.is_set():
                    break
                self._hash.update(chunk)
                loop.call_soon_threadsafe(chunks.put_nowait, chunk)
        except Refused as refused:
            self.code = self.code or refused.code
        except Exception as error:
            # The generator's own refusal arrives wrapped by the engine. Nothing else of the error is told:
            # engines put cell values into their messages.
            self.code = self.code or "source_failed"
            log.error("exchange: a stream was cut by %s", type(error).__name__)
        finally:
            self._reader.close()
            loop.call_soon_threadsafe(chunks.put_nowait, None)

    def _counted(self, batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        for batch in batches:
            self.rows += batch.num_rows
            yield batch

    def _within_quota(self) -> Iterator[pa.RecordBatch]:
        """The source's rows as they pass; one too many cuts the stream. Canaries never do."""
        passed = 0
        for batch in self._reader:
            passed += batch.num_rows
            if self._rows_left is not None and passed > self._rows_left:
                refused = self._too_many()
                self.code = refused.code
                raise refused
            yield batch


class _Counted:
    """What the formats need of a reader, without the cost of a real one for every batch."""

    def __init__(self, schema: pa.Schema, batches: Iterator[pa.RecordBatch]) -> None:
        self.schema = schema
        self._batches = batches

    def __iter__(self) -> Iterator[pa.RecordBatch]:
        return self._batches
