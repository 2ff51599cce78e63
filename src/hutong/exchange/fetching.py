"""Files of a provider, fetched by its consumer's node: opened by one signed call, then piece by piece.

A piece that came is kept for PIECE_KEPT_S, because readers of Parquet look at one place several times within moments;
a suspension stops the next piece that much later at most.
"""

from __future__ import annotations

import asyncio
import time
from collections import OrderedDict
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import Any

from hutong.client.problems import RefusedByNode
from hutong.exchange.downloads import KINDS, PIECE_BYTES, Download, OpenedFile
from hutong.exchange.gateway import Gateway
from hutong.exchange.outgoing import Outgoing
from hutong.exchange.register import Line, Register
from hutong.exchange.wire import BadAnswer, counted
from hutong.ledger.receipt import Receipt
from hutong.node.client import NodeClient, SignedAnswer
from hutong.vocabulary.moments import rfc3339

PIECE_KEPT_S = 0.5  # owner: the application's door
PIECES_KEPT = 16  # in one process
ASK_WITHIN_S = 40.0  # the provider answers sooner: with what there is, or that it is being made


class Fetching:
    """One per process, on one event loop."""

    def __init__(self, gateway: Gateway, register: Register, client: NodeClient, threads: ThreadPoolExecutor) -> None:
        self._gateway = gateway
        self._register = register
        self._client = client
        self._threads = threads
        self._pieces: OrderedDict[tuple[str, int, int], tuple[float, asyncio.Task[bytes]]] = OrderedDict()
        self._recorded: OrderedDict[str, asyncio.Lock] = OrderedDict()

    async def open(self, one: Outgoing) -> dict[str, Any] | None:
        """What the provider states of the files; None while it is still making them: ask again for the same exchange.

        raises   RefusedByNode with the provider's own words, BadAnswer, NoAnswer
        """
        peer, form = one.entitled.provider, one.ask.form
        body = one.document[:-1] + b',"form":"' + form.encode("ascii") + b'"}'
        url = self._gateway.address(peer) + "/exchange/files"
        answer = await self._client.call("POST", url, body, peer=peer, timeout_s=ASK_WITHIN_S)
        if answer.status == 202:
            return None
        if answer.status != 200:
            await self._refused(one, answer)
        stated = answer.object()
        if stated.get("exchange") != one.exchange or stated.get("agreement") != one.ask.agreement:
            raise BadAnswer(reason="it is for another exchange", reason_zh="属于另一次交换")
        download = _download(one, stated)
        if download.files:
            await self._in_thread(download.keep)
        return stated

    async def piece(self, download: Download, number: int, piece: int) -> bytes:
        """One piece of a file, as its provider signed it now or moments ago.

        raises   RefusedByNode, NoAnswer, UnsignedAnswer, BadAnswer
        """
        name = (download.exchange, number, piece)
        kept = self._pieces.get(name)
        if kept is None or (kept[0] < time.monotonic() and kept[1].done()):
            task = asyncio.ensure_future(self._fetch(download, number, piece))
            self._pieces[name] = kept = (time.monotonic() + PIECE_KEPT_S, task)
            task.add_done_callback(lambda done: self._came(name, done))
            while len(self._pieces) > PIECES_KEPT:
                self._pieces.popitem(last=False)
        return await asyncio.shield(kept[1])

    async def put_on_record(self, download: Download) -> None:
        """Our line of the exchange, once, before its first byte goes on; it names the provider's. The first piece has
        come, so the provider has its own.

        raises   BadAnswer, NoAnswer, Unavailable
        """
        lock = self._recorded.setdefault(download.exchange, asyncio.Lock())
        async with lock:
            if await self._in_thread(download.receipt):
                return
            url = f"{self._gateway.address(download.peer)}/exchange/receipts/{download.exchange}"
            answer = await self._client.call("GET", url, peer=download.peer)
            stated = answer.object() if answer.status == 200 else {}
            if stated.get("outcome") != "served" or stated.get("digest") != download.digest:
                raise BadAnswer(reason="its receipt names other files", reason_zh="其回执所载文件不一致")
            await self._register.commit([self._line(download, str(stated["receipt"]))])
        while len(self._recorded) > 1_000:
            self._recorded.popitem(last=False)

    async def _fetch(self, download: Download, number: int, piece: int) -> bytes:
        url = f"{self._gateway.address(download.peer)}/exchange/files/{download.exchange}/{number}/{piece}"
        answer = await self._client.call("GET", url, peer=download.peer)
        if answer.status != 200:
            raise await self._refused_piece(download, answer)
        file = download.files[number]
        if len(answer.body) != min(PIECE_BYTES, file.bytes - piece * PIECE_BYTES):
            raise BadAnswer(reason="a piece has another length than its file", reason_zh="有分片的长度与文件不符")
        return answer.body

    def _came(self, name: tuple[str, int, int], done: asyncio.Task[bytes]) -> None:
        if done.cancelled() or done.exception() is not None:
            self._pieces.pop(name, None)
        elif name in self._pieces:
            self._pieces[name] = (time.monotonic() + PIECE_KEPT_S, done)
            asyncio.get_running_loop().call_later(PIECE_KEPT_S, self._forget, name, done)

    def _forget(self, name: tuple[str, int, int], done: asyncio.Task[bytes]) -> None:
        if name in self._pieces and self._pieces[name][1] is done:
            del self._pieces[name]

    async def _refused_piece(self, download: Download, answer: SignedAnswer) -> RefusedByNode:
        """The refusal to pass on; on record here when the provider says it is on record there. raises   BadAnswer"""
        refused = _passed_on(answer)
        code, receipt = refused.code[:64], refused.problem_document.get("receipt")
        if isinstance(receipt, str) and refused.problem_document.get("exchange") == download.refusal(code):
            ours = download.refused(code, self._gateway.jurisdiction, receipt[:80])
            line = Line(ours, application=download.application, case_number=download.case_number, once=True)
            await self._register.commit([line])
        return refused

    async def _refused(self, one: Outgoing, answer: SignedAnswer) -> None:
        """raises   RefusedByNode, on record here when the provider says it is on record there"""
        refused = _passed_on(answer)
        receipt = refused.problem_document.get("receipt")
        if isinstance(receipt, str):
            counts: dict[str, Any] = {"rows": 0, "bytes": 0, "response": "", "code": refused.code[:64]}
            line = self._gateway.line(
                one, rfc3339(datetime.now(UTC)), 0, form=one.ask.form, outcome="refused", peer_receipt=receipt, **counts
            )
            await self._register.commit([line])
        raise refused

    def _line(self, download: Download, peer_receipt: str) -> Line:
        receipt = Receipt(
            role="consumer",
            exchange=download.exchange,
            at=rfc3339(datetime.now(UTC)),
            agreement=download.agreement,
            provider=download.peer,
            consumer=self._gateway.jurisdiction,
            purpose=download.purpose,
            case=download.case,
            request=download.request,
            response=download.digest,
            rows=download.rows,
            bytes=download.bytes,
            outcome="served",
            form=download.form,
            peer_receipt=peer_receipt,
            withheld=download.withheld,
        )
        return Line(receipt, application=download.application, case_number=download.case_number, once=True)

    async def _in_thread(self, function: Any, *arguments: Any) -> Any:
        return await asyncio.get_running_loop().run_in_executor(self._threads, function, *arguments)


def _passed_on(answer: SignedAnswer) -> RefusedByNode:
    """The provider's refusal in its own words. raises   BadAnswer when it gave none"""
    problem = answer.object() if answer.signed else {}
    if not isinstance(problem.get("code"), str):
        raise BadAnswer(
            reason=f"it answered {answer.status} without a signed reason",
            reason_zh=f"答复 {answer.status}，但没有签名的理由",
        )
    return RefusedByNode(problem, answer.status)


def _download(one: Outgoing, stated: dict[str, Any]) -> Download:
    """What we keep of it. raises   BadAnswer"""
    try:
        files = tuple(_file(one_file) for one_file in stated["files"])
        expires = stated["expires_at"]
        return Download(
            exchange=one.exchange,
            role="consumer",
            agreement=one.ask.agreement,
            peer=one.entitled.provider,
            request=one.request_digest,
            purpose=one.ask.purpose,
            case=one.case,
            form=one.ask.form,
            files=files,
            expires_at=datetime.fromisoformat(expires) if expires else datetime.now(UTC),
            withheld=counted(stated["withheld"]),
            application=one.entitled.application.name,
            case_number=one.ask.case_number,
            key_digest=one.ask.key_digest,
        )
    except (KeyError, TypeError, ValueError) as error:
        raise BadAnswer(reason="its list of files cannot be read", reason_zh="其文件列表无法读取") from error


def _file(stated: dict[str, Any]) -> OpenedFile:
    counts = [stated[name] for name in ("rows", "bytes", "version", "made_at")]
    if not all(type(count) is int and count >= 0 for count in counts) or stated["kind"] not in KINDS:
        raise ValueError("a file has counts and a kind")
    rows, size, version, made_at = counts
    return OpenedFile(rows, size, str(stated["digest"])[:80], version, made_at, stated["kind"])
