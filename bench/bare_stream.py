"""The limits of bench/bulk: a Parquet file read by DuckDB and streamed as Arrow by the same server, with nothing in
between; and a relay that passes such a stream on and does nothing else."""

from __future__ import annotations

import asyncio
import os
import threading
from collections.abc import Iterator
from typing import Any

import aiohttp
import duckdb

BATCH_ROWS = 16_384
AHEAD = 4
UPSTREAM = os.environ.get("BENCH_UPSTREAM", "")

_connection = duckdb.connect(config={"threads": "2"})


def _chunks() -> Iterator[bytes]:
    cursor = _connection.cursor()
    reader = cursor.sql(os.environ["BENCH_SQL"]).to_arrow_reader(BATCH_ROWS)
    yield reader.schema.serialize().to_pybytes()
    for batch in reader:
        yield batch.serialize().to_pybytes()


async def app(scope: Any, _receive: Any, send: Any) -> None:
    if scope["type"] != "http":
        return
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await (_relay(send) if UPSTREAM else _read(send))
    await send({"type": "http.response.body", "body": b"", "more_body": False})


async def _relay(send: Any) -> None:
    async with aiohttp.ClientSession() as session, session.get(UPSTREAM) as answer:
        async for chunk in answer.content.iter_any():
            await send({"type": "http.response.body", "body": chunk, "more_body": True})


async def _read(send: Any) -> None:
    loop = asyncio.get_running_loop()
    chunks: asyncio.Queue[bytes | None] = asyncio.Queue()
    room = threading.Semaphore(AHEAD)

    def produce() -> None:
        for chunk in _chunks():
            room.acquire()
            loop.call_soon_threadsafe(chunks.put_nowait, chunk)
        loop.call_soon_threadsafe(chunks.put_nowait, None)

    threading.Thread(target=produce, daemon=True).start()
    while (chunk := await chunks.get()) is not None:
        await send({"type": "http.response.body", "body": chunk, "more_body": True})
        room.release()
