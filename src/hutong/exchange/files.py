"""The application's door for files: opened by a read, then fetched whole or in ranges, as often as need be.

    POST     /exchange/v1/agreements/<agreement>/files   which files answer a read; 202 while the provider makes them
    GET,HEAD /exchange/v1/files/<exchange>/<file>        with Range; by the key that opened it, or by a signed address

Who may fetch is looked at for every request; what the agreement gives is the provider's to say, for every piece.
"""

from __future__ import annotations

import asyncio
import hmac
import logging
import re
import time
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qs

import orjson

from hutong.exchange.asgi import (
    Receive,
    Scope,
    Send,
    disconnected,
    has_body,
    headers_of,
    path_of,
    read_body,
    respond,
    respond_json,
)
from hutong.exchange.asking import LARGEST_ASK, NoKey, key_digest, read_ask
from hutong.exchange.database import moment, reading
from hutong.exchange.downloads import FETCHED, PIECE_BYTES, Download
from hutong.exchange.fetching import Fetching
from hutong.exchange.formats import MEDIA_TYPES, NoSuchForm
from hutong.exchange.gateway import Gateway
from hutong.exchange.query import BadQuery
from hutong.exchange.repeats import refuse_another_use
from hutong.node import telemetry
from hutong.vocabulary.errors import NotFound, Refused, WrongMethod

SIGNATURE = "X-Amz-Signature"  # some readers fetch over HTTP only where an address carries a name they know
EXPIRES = "expires"
URL_VALID_S = 3600  # of a signed address; owner: the application's door
ASK_AGAIN_S = 1
_RANGE = re.compile(r"bytes=(\d{0,18})-(\d{0,18})\Z")
_RECIPIENT = (
    "SELECT k.expires_at, k.revoked_at, s.case_key FROM exchange_api_key k, exchange_entitlement s"
    " WHERE k.key_digest = %s AND s.agreement_id = %s AND s.department = k.department"
)

log = logging.getLogger(__name__)


class AddressExpired(Refused):
    """This address is no longer valid, or was not made by this node."""

    zh = "该地址已失效，或不是由本节点生成。"
    code = "address_expired"
    next_en = "Ask for the files again; each answer has fresh addresses."
    next_zh = "请重新请求文件，每次答复都会给出新的地址。"


@dataclass(frozen=True, slots=True)
class Span:
    """The bytes asked for: first included, last included. `whole` where no range was asked for."""

    first: int
    last: int
    whole: bool

    @property
    def length(self) -> int:
        return self.last - self.first + 1


class FilesDoor:
    """One per process, on one event loop."""

    def __init__(self, gateway: Gateway, fetching: Fetching) -> None:
        self._gateway = gateway
        self._fetching = fetching

    async def open(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["method"] != "POST":
            raise WrongMethod(allowed="POST")
        headers = headers_of(scope)
        body = await read_body(receive, LARGEST_ASK) if has_body(headers) else b""
        ask = read_ask(path_of(scope), scope["query_string"], headers, body)
        if ask.form not in ("arrow", "parquet"):
            raise NoSuchForm(possible=[MEDIA_TYPES["arrow"], MEDIA_TYPES["parquet"]])
        if ask.wanted["key"] is not None or "keys" in ask.wanted or "replay" in ask.wanted:
            raise BadQuery(
                reason="files are asked for by condition, not by key or as a replay",
                reason_zh="文件应按条件请求，不能按键值或以补发方式请求",
            )
        one = await self._gateway.entitled(ask)
        if ask.idempotency_key:
            await asyncio.to_thread(refuse_another_use, one.exchange, one.request_digest)
        known = {"agreement": ask.agreement, "exchange": one.exchange, "form": ask.form}
        with telemetry.span("open files", kind="server", parent=headers.get("traceparent", ""), **known):
            stated = await self._fetching.open(one)
        if stated is None:
            again = [(b"content-type", b"application/json"), (b"retry-after", b"%d" % ASK_AGAIN_S)]
            return await respond(send, 202, again, orjson.dumps({"exchange": one.exchange, "preparing": True}))
        files = [{**file, "url": f"{FETCHED}{one.exchange}/{number}"} for number, file in enumerate(stated["files"])]
        return await respond_json(send, 201, {**stated, "files": files})

    async def fetch(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["method"] not in ("GET", "HEAD"):
            raise WrongMethod(allowed="GET, HEAD")
        headers, path = headers_of(scope), path_of(scope)
        exchange, _, number_text = path.removeprefix(FETCHED).partition("/")
        number = int(number_text) if number_text.isascii() and number_text.isdigit() and len(number_text) < 6 else -1
        download = await asyncio.to_thread(_allowed, exchange, number, headers, scope["query_string"])
        file = download.files[number]
        span = _span(headers.get("range", ""), file.bytes)
        head = [
            (b"accept-ranges", b"bytes"),
            (b"content-type", b"application/octet-stream"),
            (b"etag", f'"{file.digest}"'.encode("ascii")),
            (b"hutong-exchange", exchange.encode("ascii")),
            (b"cache-control", b"no-store"),
        ]
        if span is None:
            return await respond(send, 416, [*head, (b"content-range", b"bytes */%d" % file.bytes)], b"")
        head.append((b"content-length", b"%d" % span.length))
        if not span.whole:
            head.append((b"content-range", b"bytes %d-%d/%d" % (span.first, span.last, file.bytes)))
        status = 200 if span.whole else 206
        if scope["method"] == "HEAD":
            await send({"type": "http.response.start", "status": status, "headers": head})
            return await send({"type": "http.response.body", "body": b""})
        known = {"agreement": download.agreement, "exchange": exchange, "form": download.form}
        with telemetry.span("fetch file", kind="server", parent=headers.get("traceparent", ""), **known):
            async with aclosing(self._parts(download, number, span)) as parts:
                await self._send(send, receive, status, head, parts)
        return None

    async def _send(
        self, send: Send, receive: Receive, status: int, head: list[tuple[bytes, bytes]], parts: AsyncIterator[bytes]
    ) -> None:
        """Refused before the first byte, or broken off: a length is stated, so that a part is never taken for all."""
        first = await anext(parts, b"")
        await send({"type": "http.response.start", "status": status, "headers": head})
        gone = asyncio.ensure_future(disconnected(receive))
        try:
            await send({"type": "http.response.body", "body": first, "more_body": True})
            async for part in parts:
                if gone.done():
                    return
                await send({"type": "http.response.body", "body": part, "more_body": True})
            await send({"type": "http.response.body", "body": b"", "more_body": False})
        except Refused as refused:
            log.warning("exchange: a file was broken off: %s", refused.code)
        finally:
            gone.cancel()

    async def _parts(self, download: Download, number: int, span: Span) -> AsyncGenerator[bytes]:
        """The bytes of a span. The next piece is on its way while one is sent on."""
        if span.length <= 0:
            await self._fetching.piece(download, number, 0)
            await self._fetching.put_on_record(download)
            return
        first, last = span.first // PIECE_BYTES, span.last // PIECE_BYTES
        coming = asyncio.ensure_future(self._fetching.piece(download, number, first))
        try:
            for piece in range(first, last + 1):
                content = await coming
                if piece == first:
                    await self._fetching.put_on_record(download)
                if piece < last:
                    coming = asyncio.ensure_future(self._fetching.piece(download, number, piece + 1))
                begin, end = piece * PIECE_BYTES, piece * PIECE_BYTES + len(content)
                low, high = max(span.first, begin), min(span.last + 1, end)
                yield content if (low, high) == (begin, end) else content[low - begin : high - begin]
        finally:
            coming.cancel()


def signed_address(base: str, download: Download, number: int, case_key: bytes) -> tuple[str, int]:
    """A file's address for readers that send no key, and when it ends, in seconds since 1970."""
    expires = min(int(time.time()) + URL_VALID_S, int(download.expires_at.timestamp()))
    signature = _signature(case_key, download, number, str(expires))
    return f"{base}{FETCHED}{download.exchange}/{number}?{EXPIRES}={expires}&{SIGNATURE}={signature}", expires


def _signature(case_key: bytes, download: Download, number: int, expires: str) -> str:
    """Bound to the exchange, the file, the end and the key it was opened with; made with a secret of the agreement."""
    text = f"hutong file\n{download.exchange}\n{number}\n{expires}\n{download.key_digest}"
    return hmac.digest(case_key, text.encode("ascii"), "sha256").hex()


def _allowed(exchange: str, number: int, headers: dict[str, str], query_string: bytes) -> Download:
    """From a worker thread: the download, if whoever asks opened it and its key still opens anything.

    raises   NoKey, NotFound (also for somebody else's), AddressExpired, Unavailable
    """
    download = Download.find(exchange, "consumer")
    if download is None or not 0 <= number < len(download.files):
        raise NotFound(what="file", name=exchange[:40])
    with reading("the node's database") as cursor:
        cursor.execute(_RECIPIENT, (download.key_digest, download.agreement))
        row = cursor.fetchone()
    if row is None or row[1] is not None or (row[0] is not None and moment(row[0]) <= datetime.now(UTC)):
        raise NoKey()
    if SIGNATURE.encode("ascii") in query_string:
        _check_address(download, number, query_string, bytes(row[2]))
    elif key_digest(headers) != download.key_digest:
        raise NotFound(what="file", name=exchange[:40])
    return download


def _check_address(download: Download, number: int, query_string: bytes, case_key: bytes) -> None:
    given: dict[str, Any] = parse_qs(query_string.decode("latin-1"))
    expires, signature = given.get(EXPIRES, [""])[0], given.get(SIGNATURE, [""])[0]
    ours = _signature(case_key, download, number, expires if expires.isascii() else "")
    valid = hmac.compare_digest(ours.encode(), signature.encode())
    if not valid or not expires.isdigit() or int(expires) < time.time():
        raise AddressExpired()


def _span(asked: str, size: int) -> Span | None:
    """The bytes a Range header asks for (RFC 9110, section 14); None where there are none of them.

    Anything but one range of bytes is answered with the whole, as the standard allows.
    """
    whole = Span(0, size - 1, True)
    found = _RANGE.match(asked)
    if found is None or found[1] == found[2] == "":
        return whole
    if not found[1]:
        count = min(int(found[2]), size)
        return Span(size - count, size - 1, False) if count else None
    first = int(found[1])
    last = min(int(found[2]), size - 1) if found[2] else size - 1
    if found[2] and int(found[2]) < first:
        return whole
    return Span(first, last, False) if first < size else None
