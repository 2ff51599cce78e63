"""The ASGI application of one worker: looks at each request once, then hands it to the exchange, Django or a file.

1. The path must be in its normal form; tricks are refused before anything is routed.
2. /exchange/ goes to the data plane, which does its own limiting and streaming.
3. /metrics is the operator's: what this server counts, whichever part it serves.
4. Everything else has a limited body, answers with security headers, and goes to a static file or to Django.
"""

from __future__ import annotations

import asyncio
import gc
import logging
import os
import sys
import time
from collections.abc import Awaitable, Callable, MutableMapping
from contextlib import AbstractContextManager, nullcontext
from functools import lru_cache
from importlib import import_module
from importlib.abc import MetaPathFinder
from importlib.util import find_spec
from typing import Any, cast
from urllib.parse import unquote_to_bytes

import orjson

from hutong.node import metrics, operator, telemetry
from hutong.node.settings import Settings
from hutong.node.static import StaticFiles
from hutong.vocabulary.errors import NotFound, Refused, TooLarge

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

LARGEST_MESSAGE = 1024 * 1024  # bytes, node to node
LARGEST_FORM = 8 * 1024 * 1024  # bytes, from a person's browser
LONGEST_PATH = 2048
DJANGO_AT_ONCE = 32  # requests in Django together; the rest wait their turn
COLLECT_AFTER = (20_000, 20, 20)  # new objects, then rounds, before the collector looks at the next generation
HIDDEN = ("pandas",)  # no part of a node uses it; pyarrow and DuckDB import it wherever it is: 34 MB and half a second
MACHINE_PATHS = ("/hutong/", "/dsp/", "/ledger/", "/.well-known/")
METRICS_PATH = "/metrics"
NODES_ONLY = (
    *("/hutong/directory", "/hutong/join", "/hutong/keys", "/hutong/events", "/hutong/ping", "/dsp/"),
    *("/exchange/queries", "/exchange/streams", "/exchange/files", "/exchange/receipts"),
)
NODES_TOO = ("/hutong/health", "/exchange/health", "/.well-known/", "/ledger/", "/dcat-ap/", "/lists/", METRICS_PATH)
SECURITY_HEADERS = (
    (
        b"content-security-policy",
        b"default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; "
        b"connect-src 'self'; manifest-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'",
    ),
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"same-origin"),
)

log = logging.getLogger("hutong.server")


class BadPath(Refused):
    """The address is not in its normal form."""

    zh = "地址不是规范形式。"
    code = "bad_path"
    status = 400
    next_en = "Use the address as documented, without dots, doubled slashes or encoded separators."
    next_zh = "请使用文档中的地址，不要含点段、重复斜线或编码的分隔符。"


class NotServedHere(NotFound):
    """This process does not serve {name}."""

    zh = "本进程不提供 {name}。"
    code = "not_served_here"
    next_en = "The exchange may run apart from the control plane: see exchange_url in the directory."
    next_zh = "交换服务可能单独运行：见名录中的 exchange_url。"


class AtTheNodesDoor(Refused):
    """Other nodes are heard at {address} only, each with its certificate."""

    zh = "其他节点只能在 {address} 凭证书访问。"
    code = "at_the_nodes_door"
    status = 421
    next_en = "Use the addresses in the directory: hutong members"
    next_zh = "请使用成员名录中的地址：hutong members"


class NoSuchFile(NotFound):
    """There is no static file {name}."""

    zh = "没有静态文件 {name}。"
    code = "no_such_file"
    next_en = "Load the page again; its files may have changed with an update."
    next_zh = "请重新载入页面，升级后文件可能已改变。"


class _BodyTooLarge(Exception):
    """Raised inside `receive`; answered at the edge."""


@lru_cache(maxsize=1024)  # busy addresses are few, and looking at every character costs as much as a lookup
def check_path(raw: bytes) -> str:
    """The decoded path, when there is only one way to read it.

    raises   BadPath for dot segments, doubled or encoded slashes, backslashes, control characters and bad UTF-8
    """
    path = raw.partition(b"?")[0]
    lowered = path.lower()
    decoded = unquote_to_bytes(path)
    try:
        text = decoded.decode("utf-8")
    except UnicodeDecodeError as error:
        raise BadPath from error
    tricky = (
        not path.startswith(b"/")
        or len(path) > LONGEST_PATH
        or any(one in lowered for one in (b"%2f", b"%5c", b"%2e", b"//", b"%25"))
        or "\\" in text
        or any(segment in (".", "..") for segment in text.split("/"))
        or any(ord(one) < 0x20 or ord(one) == 0x7F for one in text)
    )
    if tricky:
        raise BadPath
    return text


class Application:
    """What granian calls."""

    def __init__(self, settings: Settings, part: str) -> None:
        self._part = part
        self._control = _django() if part != "exchange" else None
        self._exchange = _exchange() if part != "control" else None
        self._static = StaticFiles() if self._control else None
        self._settings = settings
        self._turns = asyncio.Semaphore(DJANGO_AT_ONCE)
        secure = settings.base_url.startswith("https://")
        hsts = (b"strict-transport-security", b"max-age=31536000")
        self._headers = (*SECURITY_HEADERS, hsts) if secure else SECURITY_HEADERS

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._lifespan(scope, receive, send)
        elif scope["type"] == "http":
            await self._http(scope, receive, send)

    async def _http(self, scope: Scope, receive: Receive, send: Send) -> None:
        began, status = time.perf_counter(), 0

        async def counted(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self._answer(scope, receive, counted)
        finally:
            metrics.count_request(metrics.door(scope["path"]), status, time.perf_counter() - began)

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            path = check_path(scope.get("raw_path") or scope["path"].encode())
            self._check_door(path)
            if path == METRICS_PATH:
                await self._metrics(scope, send)
            elif path.startswith("/exchange/"):
                await self._to_exchange(scope, receive, send)
            else:
                await self._to_control(path, scope, receive, self._guarded(send))
        except Refused as refused:
            await _answer(refused, self._guarded(send))

    async def _metrics(self, scope: Scope, send: Send) -> None:
        operator.check(dict(scope["headers"]).get(b"authorization", b""))
        metrics.flush()
        body = await asyncio.to_thread(_measured, self._settings)
        fields = [(b"content-type", metrics.CONTENT_TYPE.encode()), (b"content-length", str(len(body)).encode())]
        await send({"type": "http.response.start", "status": 200, "headers": fields})
        await send({"type": "http.response.body", "body": body})

    def _check_door(self, path: str) -> None:
        """Where other nodes have a door of their own, they are heard there alone, and there is nothing else."""
        if self._part == "nodes" and not path.startswith((*NODES_ONLY, *NODES_TOO)):
            raise NotServedHere(name=path[:200])
        if self._part != "nodes" and self._settings.listen_nodes and path.startswith(NODES_ONLY):
            raise AtTheNodesDoor(address=self._settings.base_url)

    async def _to_exchange(self, scope: Scope, receive: Receive, send: Send) -> None:
        if self._exchange is None:
            raise NotServedHere(name="/exchange/")
        await self._exchange(scope, receive, send)

    async def _to_control(self, path: str, scope: Scope, receive: Receive, send: Send) -> None:
        if self._control is None:
            raise NotServedHere(name=path)
        headers = dict(scope["headers"])
        if self._static and path.startswith("/static/") and scope["method"] in ("GET", "HEAD"):
            if await self._static(path, headers, send, head=scope["method"] == "HEAD"):
                return
            raise NoSuchFile(name=path[:200])
        limit = LARGEST_MESSAGE if path.startswith(MACHINE_PATHS) else LARGEST_FORM
        length = headers.get(b"content-length", b"0")
        if not length.isdigit() or int(length) > limit:
            raise TooLarge(limit=limit)
        try:
            async with self._turns:
                with self._traced(path):
                    await self._control(scope, _limited(receive, limit), send)
        except _BodyTooLarge as error:
            raise TooLarge(limit=limit) from error

    @staticmethod
    def _traced(path: str) -> AbstractContextManager[object]:
        """A person's request begins a trace; a node's is part of the one it names (receiving.py)."""
        if path.startswith(MACHINE_PATHS):
            return nullcontext()
        return telemetry.span("page", kind="server", door=metrics.door(path))

    def _guarded(self, send: Send) -> Send:
        async def guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                present = {name.lower() for name, _ in message["headers"]}
                added = [(name, value) for name, value in self._headers if name not in present]
                message = {**message, "headers": [*message["headers"], *added]}
            await send(message)

        return guarded

    async def _lifespan(self, scope: Scope, receive: Receive, send: Send) -> None:
        if self._control is not None:
            _start_work()
        telemetry.start(self._settings)
        await asyncio.to_thread(_rest_the_collector, with_pages=self._control is not None)
        try:
            await self._run(scope, receive, send)
        finally:
            await asyncio.to_thread(telemetry.stop)

    async def _run(self, scope: Scope, receive: Receive, send: Send) -> None:
        if self._exchange is not None:
            await self._exchange(scope, receive, send)
        else:
            await receive()
            await send({"type": "lifespan.startup.complete"})
            await receive()
            await send({"type": "lifespan.shutdown.complete"})


def _measured(settings: Settings) -> bytes:
    from django.db import connections

    try:
        return metrics.document(settings)
    finally:
        connections.close_all()


def _start_work() -> None:
    from hutong.node import delivery, work

    work.start(then=delivery.start)


def _rest_the_collector(*, with_pages: bool) -> None:
    """Have Python's cycle collector leave alone what was imported, and look at the rest less often.

    Half a million objects of Django, Arrow and SQL grammar live as long as the process. Walking them again and again
    took 40 % of the event loop's time under load, and held up a page by tens of milliseconds.
    """
    if with_pages:
        from django.urls import get_resolver

        _ = get_resolver().url_patterns  # imports every view, which the first request would otherwise do
    gc.collect()
    gc.freeze()
    gc.set_threshold(*COLLECT_AFTER)


def _limited(receive: Receive, limit: int) -> Receive:
    read = 0

    async def limited() -> Message:
        nonlocal read
        message = await receive()
        read += len(message.get("body", b""))
        if read > limit:
            raise _BodyTooLarge
        return message

    return limited


async def _answer(refused: Refused, send: Send) -> None:
    body = orjson.dumps(refused.problem())
    fields = [(b"content-type", b"application/problem+json"), (b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": refused.status, "headers": fields})
    await send({"type": "http.response.body", "body": body})


def _django() -> App:
    from django.core.asgi import get_asgi_application

    return cast(App, get_asgi_application())  # its own types name dict where the protocol says mapping


def _exchange() -> App | None:
    if find_spec("hutong.exchange.app") is None:
        return None
    application: App = import_module("hutong.exchange.app").app
    return application


class _Hiding(MetaPathFinder):
    """Packages that are not there for this process, wherever else they are used on the machine."""

    def find_spec(self, fullname: str, _path: object = None, _target: object = None) -> None:
        if fullname in HIDDEN:
            raise ModuleNotFoundError(f"a node does without {fullname}", name=fullname)


def make() -> Application:
    """The application of this worker process, for the node and the part named in its environment."""
    from hutong.node import making, parts, settings
    from hutong.node.processes import die_with_parent

    sys.meta_path.insert(0, _Hiding())
    die_with_parent()
    node = settings.setup(os.environ["HUTONG_HOME"])
    parts.load()
    part = os.environ.get("HUTONG_PART", "all")
    if part != "exchange":
        making.migrate()
    return Application(node, part)
