"""The provider's door for files: an edition is opened to a consumer, and fetched piece by piece.

POST /exchange/files                               one query; which files answer it, or that they are being made
GET  /exchange/files/<exchange>/<file>/<piece>     PIECE_BYTES of a file, counted from 0

Each piece is a signed answer of its own, and is checked against the agreement as it stands: a suspension stops the
next piece. The exchange is on record, whole, before its first piece leaves.
"""

from __future__ import annotations

import asyncio
import base64
import logging
import os
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import orjson

from hutong.exchange.asgi import Receive, Scope, Send, headers_of, path_of, respond
from hutong.exchange.desk import Admitted, Desk
from hutong.exchange.downloads import FILES, PIECE_BYTES, Download, OpenedFile, until
from hutong.exchange.editions.edition import schema_text
from hutong.exchange.editions.making import Editions
from hutong.exchange.editions.terms import terms_of
from hutong.exchange.grants.rules import ProviderBusy
from hutong.exchange.provider import ProviderDoor, Signed
from hutong.exchange.query import BadQuery, Query, decode
from hutong.exchange.register import ExchangeReused, Line, Register
from hutong.exchange.selecting import Selected, select
from hutong.exchange.shaping.converting import Withheld
from hutong.exchange.turns import COST_OF_A_PIECE, Workers
from hutong.exchange.withheld import NOTHING_KEPT, Keeping, Kept
from hutong.ledger.receipt import Receipt
from hutong.node import telemetry
from hutong.node.keys import SigningKey, unseal
from hutong.node.signatures import Verified
from hutong.vocabulary.canonical import digest
from hutong.vocabulary.errors import NotFound, Refused, Unavailable

FORMS = ("arrow", "parquet")
MAKE_WITHIN_S = 20.0  # then the consumer is told that it is being made, and asks again
FORGET_MADE_S = 120.0  # how long what was made waits for whoever asked
MAKERS = 2  # editions made at once in one process
BYTES_TYPE = "application/octet-stream"

log = logging.getLogger(__name__)


class FileGone(Refused):
    """These files are no longer kept, or the agreement's terms have changed since they were opened."""

    zh = "这些文件已不再保存，或协议条款在打开后已变更。"
    code = "file_gone"
    status = 410
    next_en = "Open them anew; what was fetched of them cannot be continued."
    next_zh = "请重新打开；已获取的部分不能继续。"


@dataclass(frozen=True)
class _Prepared:
    """What a query comes to: a download to be kept, or nothing where it only looked."""

    selected: Selected
    download: Download | None


class HandingDoor:
    """One per process."""

    def __init__(
        self, door: ProviderDoor, register: Register, desk: Desk, editions: Editions, threads: ThreadPoolExecutor
    ) -> None:
        self._door = door
        self._register = register
        self._desk = desk
        self._editions = editions
        self._threads = threads
        self._makers = Workers(MAKERS, "hutong-editions")
        self._making: dict[tuple[str, str], asyncio.Future[_Prepared]] = {}

    def stop(self) -> None:
        self._makers.stop()

    async def files(self, scope: Scope, receive: Receive, send: Send) -> None:
        path = path_of(scope)
        method = "POST" if path == FILES else "GET"
        body = await self._door.body(scope, receive, method)
        verified = await self._door.verified(send, method, path, headers_of(scope), body)
        if verified is None:
            return
        name = "open files" if path == FILES else "piece"
        try:
            with telemetry.span(name, kind="server", parent=verified.traceparent, peer=verified.jurisdiction):
                signed = await (self._open(verified, body) if path == FILES else self._piece(verified, path))
        except Refused as refused:
            await self._door.refuse(send, refused, verified)
            return
        await respond(send, signed.status, signed.headers, signed.body)

    async def _open(self, verified: Verified, body: bytes) -> Signed:
        document, form = _files_query(body)
        nonce = (verified.keyid, verified.nonce)
        loop = asyncio.get_running_loop()
        async with self._door.turn(verified.jurisdiction, len(body)):
            admitted = await loop.run_in_executor(self._threads, self._desk.admit, verified, document, form)
        if isinstance(admitted, tuple):
            line, refusal = admitted
            await self._register.commit([line], nonce)
            return self._door.refusal(refusal, verified, line)
        # What is asked for counts when its first piece leaves, not before.
        admitted.settled()
        await self._register.commit([], nonce)
        making = self._made(admitted, verified, form)
        done, _ = await asyncio.wait({making}, timeout=MAKE_WITHIN_S)
        if not done:
            return self._door.sign(202, orjson.dumps({"preparing": True}), verified, "application/json")
        try:
            prepared = making.result()
        except Refused as refused:
            self._making.pop((admitted.query.exchange, admitted.query.digest), None)
            if isinstance(refused, ProviderBusy):
                raise  # before anything was read for it: it is on no record, and may be asked for again
            receipt = self._desk.stream_receipt(
                admitted,
                verified.jurisdiction,
                form,
                outcome="refused",
                rows=0,
                bytes=0,
                response="",
                code=refused.code,
            )
            line = Line(receipt)
            await self._register.commit([line])
            return self._door.refusal(refused, verified, line)
        return self._door.sign(200, orjson.dumps(self._stated(admitted, prepared, form)), verified, "application/json")

    def _made(self, admitted: Admitted, verified: Verified, form: str) -> asyncio.Future[_Prepared]:
        """The work for one query, once however often it is asked for while it lasts."""
        name = (admitted.query.exchange, admitted.query.digest)
        making = self._making.get(name)
        if making is None:
            loop = asyncio.get_running_loop()
            consumer = verified.jurisdiction
            making = asyncio.ensure_future(self._makers.do(consumer, self._prepare, admitted, consumer, form))
            self._making[name] = making
            making.add_done_callback(lambda done: loop.call_later(FORGET_MADE_S, self._forget, name, done))
            making.add_done_callback(lambda found: found.cancelled() or found.exception())
        return making

    def _forget(self, name: tuple[str, str], done: asyncio.Future[_Prepared]) -> None:
        if self._making.get(name) is done:  # and not what was asked for anew after a refusal
            del self._making[name]

    def _prepare(self, admitted: Admitted, consumer: str, form: str) -> _Prepared:
        try:
            selected = select(self._editions, admitted, form)
        except Refused:
            raise
        except Exception as error:
            # Fail closed, and say nothing of the error outside: engines put cell values into their messages.
            log.error("exchange: files could not be made: %s", type(error).__name__)
            raise Unavailable(what="the source") from None
        rows_left = admitted.allowed.rows_left
        if rows_left is not None and sum(one.agreed for one in selected.files) > rows_left:
            raise self._desk.rows_refusal(admitted)
        if admitted.query.edition is not None and admitted.query.edition.look:
            return _Prepared(selected, None)
        query, chosen = admitted.query, selected.chosen
        download = Download(
            exchange=query.exchange,
            role="provider",
            agreement=query.agreement,
            peer=consumer,
            request=query.digest,
            purpose=query.purpose,
            case=query.case,
            form=form,
            files=selected.files,
            expires_at=until(),
            withheld=chosen.withheld,
            asked=_asked(query),
            base=chosen.terms,
            sealed=chosen.sealed,
        )
        download.keep()
        kept = Download.find(query.exchange, "provider")
        if kept is None or kept.request != query.digest or kept.peer != consumer:
            raise ExchangeReused(exchange=query.exchange)
        return _Prepared(Selected(chosen, kept.files), kept)

    def _stated(self, admitted: Admitted, prepared: _Prepared, form: str) -> dict[str, Any]:
        chosen, download = prepared.selected.chosen, prepared.download
        stated: dict[str, Any] = {
            "exchange": admitted.query.exchange,
            "agreement": admitted.query.agreement,
            "form": form,
            "version": chosen.version,
            "made_at": chosen.made_at_ms,
            "schema": schema_text(chosen.schema),
            "rows": chosen.rows,
            "files": [_file_stated(one) for one in prepared.selected.files],
            "withheld": dict(chosen.withheld),
            "expires_at": download.expires_at.isoformat() if download is not None else "",
        }
        return stated | {"signature": signature_of(stated, self._door.key())}

    async def _piece(self, verified: Verified, path: str) -> Signed:
        place = _place(path)
        loop = asyncio.get_running_loop()
        began = time.perf_counter()
        async with self._door.turn(verified.jurisdiction, COST_OF_A_PIECE):
            download, admitted, signed = await loop.run_in_executor(self._threads, self._cut, verified, *place)
        if isinstance(signed, Refused):
            return await self._refused_piece(verified, download, signed)
        try:
            lines = [self._line(admitted, download, began)] if admitted is not None else []
            await self._register.commit(lines, (verified.keyid, verified.nonce))
        finally:
            if admitted is not None:
                admitted.settled()
        return signed

    def _cut(
        self, verified: Verified, exchange: str, number: int, piece: int
    ) -> tuple[Download, Admitted | None, Signed | Refused]:
        """In a worker thread: a piece, signed, or why not; beside it what is to be put on record before it leaves."""
        download = Download.find(exchange, "provider")
        if download is not None and download.peer != verified.jurisdiction:
            log.warning("exchange %s: %s asked for a piece of another's file", exchange, verified.jurisdiction)
            download = None
        if download is None or number >= len(download.files):
            raise NotFound(what="file", name=exchange)
        try:
            admitted = self._again(download)
        except Unavailable:
            raise  # nothing was decided
        except Refused as refused:
            return download, None, refused
        try:
            content = self._read(download, download.files[number], piece)
            return download, admitted, self._door.sign(200, content, verified, BYTES_TYPE)
        except BaseException:
            if admitted is not None:
                admitted.settled()
            raise

    async def _refused_piece(self, verified: Verified, download: Download, refused: Refused) -> Signed:
        """On record once for each reason, however often the piece is asked for."""
        log.warning("exchange %s: a piece was refused: %s", download.exchange, refused.code)
        line = Line(download.refused(refused.code, self._desk.jurisdiction), once=True)
        await self._register.commit([line], (verified.keyid, verified.nonce))
        return self._door.refusal(refused, verified, line)

    def _again(self, download: Download) -> Admitted | None:
        """Decide on a piece. None where its exchange is on record and may go on.

        raises   what the grant refuses now, FileGone where its terms are others by now
        """
        query = decode(dict(download.asked))
        query.digest = download.request
        new = not download.receipt()
        admitted = self._desk.begin_files(query, download.peer, download, new=new)
        if terms_of(admitted.opened, query, download.form) != download.base:
            admitted.settled()
            raise FileGone()
        return admitted if new else None

    def _line(self, admitted: Admitted, download: Download, began: float) -> Line:
        receipt: Receipt = self._desk.stream_receipt(
            admitted,
            download.peer,
            download.form,
            outcome="served",
            rows=download.rows,
            bytes=download.bytes,
            response=download.digest,
            withheld=download.withheld,
        )
        keeping = NOTHING_KEPT
        if download.withheld:
            values = orjson.loads(unseal(download.sealed.encode("ascii")))
            stayed = Withheld(dict(download.withheld), {item: dict.fromkeys(some) for item, some in values.items()})
            keeping = Keeping(sealed=Kept.of(admitted.query, stayed).sealed())
        return Line(receipt, int((time.perf_counter() - began) * 1000), keeping=keeping, once=True)

    def _read(self, download: Download, file: OpenedFile, piece: int) -> bytes:
        edition = self._editions.shelf.get(download.agreement, file.terms, file.version)
        if edition is None or edition.digest != file.digest:
            raise FileGone()
        if piece >= max(1, file.pieces):
            raise NotFound(what="piece", name=str(piece))
        try:
            with edition.file.open("rb") as opened:
                return os.pread(opened.fileno(), PIECE_BYTES, piece * PIECE_BYTES)
        except FileNotFoundError:
            raise FileGone() from None


def signature_of(stated: dict[str, Any], key: SigningKey) -> dict[str, str]:
    """Over what a provider states of files, so that they can be proven later, away from both nodes."""
    return {"keyid": key.keyid, "value": base64.b64encode(key.sign(signed_text(stated))).decode("ascii")}


def signed_text(stated: dict[str, Any]) -> bytes:
    canonical = orjson.dumps(
        {name: stated[name] for name in stated if name != "signature"}, option=orjson.OPT_SORT_KEYS
    )
    return f"hutong files v1\n{stated['exchange']}\n{digest(canonical)}\n".encode()


def _file_stated(file: OpenedFile) -> dict[str, Any]:
    return {name: getattr(file, name) for name in ("kind", "version", "made_at", "rows", "bytes", "digest")}


def _asked(query: Query) -> dict[str, Any]:
    """The query once more, without the choice of an edition: what is decided on for each piece."""
    return {
        "exchange": query.exchange,
        "agreement": query.agreement,
        "purpose": query.purpose,
        "case": query.case,
        "items": list(query.items) if query.items is not None else None,
        "where": query.where.to_document() if query.where is not None else None,
        "limit": query.limit,
        "key": None,
    }


def _files_query(body: bytes) -> tuple[dict[str, Any], str]:
    try:
        document = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise BadQuery(reason="the message is not JSON", reason_zh="消息不是 JSON") from error
    form = document.pop("form", None) if isinstance(document, dict) else None
    if form not in FORMS:
        raise BadQuery(reason="form is one of " + ", ".join(FORMS), reason_zh="form 应为以下之一：" + "、".join(FORMS))
    if any(document.get(name) is not None for name in ("key", "keys", "replay")):
        raise BadQuery(
            reason="files are asked for by condition, not by key or as a replay",
            reason_zh="文件应按条件请求，不能按键值或以补发方式请求",
        )
    return document, form


def _place(path: str) -> tuple[str, int, int]:
    """exchange, file and piece of an address. raises   NotFound"""
    parts = path.removeprefix(FILES + "/").split("/")
    if len(parts) != 3 or not all(one.isascii() and one.isdigit() and len(one) < 8 for one in parts[1:]):
        raise NotFound(what="file", name="of that form", name_zh="（编号格式不符）")
    return parts[0], int(parts[1]), int(parts[2])
