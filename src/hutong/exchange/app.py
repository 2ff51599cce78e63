"""The exchange as an ASGI application, mounted at /exchange/: two doors, and little between them and the socket.

The hot addresses are matched here by comparison; only the quiet ones go through Starlette.
"""

from __future__ import annotations

import asyncio
import logging
import sys
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from hutong.exchange.asgi import (
    PROBLEM_TYPE,
    ClientGone,
    Receive,
    Scope,
    Send,
    path_of,
    respond_refusal,
)
from hutong.exchange.asking import FILES_SUFFIX, PREFIX, SUFFIX, key_digest
from hutong.exchange.database import reading
from hutong.exchange.desk import Desk
from hutong.exchange.downloads import FETCHED, FILES
from hutong.exchange.editions.making import Editions
from hutong.exchange.editions.shelf import shelf_of
from hutong.exchange.editions.tidying import EVERY_S, tidy
from hutong.exchange.entitlements import application_of, readable
from hutong.exchange.fetching import Fetching
from hutong.exchange.files import FilesDoor
from hutong.exchange.gateway import Gateway
from hutong.exchange.handing import HandingDoor
from hutong.exchange.provider import ProviderDoor
from hutong.exchange.recovery import Recovery
from hutong.exchange.register import Register
from hutong.exchange.sharing.door import PREFIX as SHARING
from hutong.exchange.sharing.door import SharingDoor
from hutong.exchange.statements import withheld_in
from hutong.exchange.subscriptions.pushing import PATH
from hutong.exchange.subscriptions.taking import SUFFIX as EVENTS_SUFFIX
from hutong.exchange.subscriptions.taking import Taking
from hutong.node.client import NodeClient
from hutong.node.draining import draining
from hutong.node.keyring import ring
from hutong.vocabulary.errors import Broken, NotFound, Refused
from hutong.vocabulary.ids import is_id

# How long a thread that computes may keep the interpreter to itself while others wait, seconds. Python's own 5 ms is
# longer than a whole transaction here: with it a query spent most of its time waiting for its turn.
TURN_S = 0.0005
THREADS = 8  # for reading sources and the database; the writer and each stream have a thread of their own

log = logging.getLogger(__name__)


class Exchange:
    """Everything one worker process needs, made on its event loop at the first request or at lifespan startup."""

    def __init__(self) -> None:
        sys.setswitchinterval(TURN_S)
        keys = ring()
        self._unwatch = keys.watch()
        self.threads = ThreadPoolExecutor(THREADS, thread_name_prefix="hutong-exchange")
        self.register = Register()
        self.register.start()
        self.client = NodeClient(keys)
        desk = Desk(self.register, keys.settings.jurisdiction)
        self.provider = ProviderDoor(keys, self.register, desk, self.threads)
        self.editions = Editions(shelf_of(keys.settings))
        self.handing = HandingDoor(self.provider, self.register, desk, self.editions, self.threads)
        self.taking = Taking(self.threads)
        self.recovery = Recovery(keys, self.register, self.client, self.threads)
        self.gateway = Gateway(keys, self.register, self.client, self.threads, self.recovery.nudge)
        fetching = Fetching(self.gateway, self.register, self.client, self.threads)
        self.files = FilesDoor(self.gateway, fetching)
        self.sharing = SharingDoor(self.gateway, fetching, keys.settings.applications_url)

    def start(self) -> None:
        """What goes on beside the requests, on the event loop."""
        self.recovery.start()
        self._tidying = asyncio.get_running_loop().create_task(self._tidy())

    async def _tidy(self) -> None:
        while True:
            # The edge of a background task: whatever fails is logged and tried again.
            try:
                await asyncio.get_running_loop().run_in_executor(self.threads, tidy, self.editions.shelf)
            except Exception:
                log.exception("exchange: tidying failed")
            await asyncio.sleep(EVERY_S)

    async def stop(self) -> None:
        self._tidying.cancel()
        await self.recovery.stop()
        self.handing.stop()
        await self.client.close()
        await asyncio.to_thread(self._unwatch)
        await asyncio.to_thread(self.register.stop)
        self.threads.shutdown(wait=False, cancel_futures=True)


_running: Exchange | None = None
_starting = asyncio.Lock()


async def exchange() -> Exchange:
    """This process's exchange, started once."""
    global _running  # noqa: PLW0603 - one per process, as its loop and its database are
    if _running is None:
        async with _starting:
            if _running is None:
                loop = asyncio.get_running_loop()
                _running = await loop.run_in_executor(None, Exchange)
                _running.start()
    return _running


async def app(scope: Scope, receive: Receive, send: Send) -> None:
    """The ASGI application."""
    if scope["type"] == "lifespan":
        return await _lifespan(receive, send)
    if scope["type"] != "http":
        return None
    try:
        await _dispatch(scope, receive, send)
    except ClientGone:
        return None
    # Every door raises before it begins to answer, or not at all.
    except Refused as refused:
        await respond_refusal(send, refused)
    # The edge: what we did not foresee changes nothing, is logged, and says nothing of itself outside.
    except Exception:
        log.exception("exchange: %s failed", scope["path"])
        await respond_refusal(send, Broken())
    return None


Door = Callable[[Scope, Receive, Send], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Way:
    """A hot address, written as the OpenAPI document writes it, and the door behind it."""

    path: str
    door: Callable[[Exchange], Door]

    @property
    def ends(self) -> tuple[str, str]:
        """What a path to it begins and ends with."""
        return self.path.partition("{")[0], self.path.rpartition("}")[2]


WAYS = (
    Way("/exchange/queries", lambda one: one.provider.queries),
    Way(f"{PREFIX}{{agreement}}{SUFFIX}", lambda one: one.gateway.read),
    Way("/exchange/streams", lambda one: one.provider.streams),
    Way(f"{FETCHED}{{exchange}}/{{file}}", lambda one: one.files.fetch),
    Way(FILES, lambda one: one.handing.files),
    Way(f"{FILES}/{{exchange}}/{{file}}/{{piece}}", lambda one: one.handing.files),
    Way(f"{PREFIX}{{agreement}}{FILES_SUFFIX}", lambda one: one.files.open),
    Way(PATH, lambda one: one.provider.events),
    Way(f"{PREFIX}{{agreement}}{EVENTS_SUFFIX}", lambda one: one.taking.events),
    Way("/exchange/receipts", lambda one: one.provider.receipts),
    Way("/exchange/receipts/{exchange}", lambda one: one.provider.receipts),
)
_PLAIN = {way.path: way.door for way in WAYS if "{" not in way.path}
_NAMED = [(*way.ends, way.door) for way in WAYS if "{" in way.path]


async def _dispatch(scope: Scope, receive: Receive, send: Send) -> None:
    running = _running or await exchange()
    found = door_to(path_of(scope))
    await (_quiet if found is None else found(running))(scope, receive, send)


def door_to(path: str) -> Callable[[Exchange], Door] | None:
    """None for the quiet addresses, and for what is none of ours."""
    if plain := _PLAIN.get(path):
        return plain
    for begin, end, door in _NAMED:
        if path.startswith(begin) and path.endswith(end):
            return door
    return _sharing if path.startswith(SHARING) else None


def _sharing(one: Exchange) -> Door:
    return one.sharing.answer


async def _lifespan(receive: Receive, send: Send) -> None:
    while True:
        message = await receive()
        if message["type"] == "lifespan.startup":
            await exchange()
            await send({"type": "lifespan.startup.complete"})
        elif message["type"] == "lifespan.shutdown":
            if _running is not None:
                await _running.stop()
            await send({"type": "lifespan.shutdown.complete"})
            return


async def _agreements(request: Request) -> Response:
    """What the key's department may read."""
    key = key_digest(dict(request.headers))
    department = (await asyncio.to_thread(application_of, key)).department
    return JSONResponse({"agreements": await asyncio.to_thread(readable, department)})


async def _exchange(request: Request) -> Response:
    """How one of the department's own exchanges stands: for a client to check what it received."""
    key = key_digest(dict(request.headers))
    department = (await asyncio.to_thread(application_of, key)).department
    return JSONResponse(await asyncio.to_thread(_stands, request.path_params["exchange"], department))


def _stands(exchange_id: str, department: str) -> dict[str, object]:
    with reading("the use register") as cursor:
        cursor.execute(_STANDS, (exchange_id if is_id(exchange_id) else "", department))
        row = cursor.fetchone()
        if row is None:
            raise NotFound(what="exchange", name=exchange_id[:40])
        withheld = withheld_in(cursor, exchange_id, "consumer")
    names = ("exchange", "agreement", "outcome", "code", "rows", "bytes", "digest", "receipt")
    return dict(zip(names, (exchange_id, *row), strict=True)) | withheld


_STANDS = (
    'SELECT r.agreement_id, r.outcome, r.code, r."rows", r."bytes", r.response_digest, r.entry_digest'
    " FROM exchange_record r JOIN exchange_entitlement s ON s.agreement_id = r.agreement_id"
    " WHERE r.exchange_id = %s AND r.role = 'consumer' AND s.department = %s"
)


async def _health(_request: Request) -> Response:
    """503 while this server is being stopped: a load balancer takes its requests elsewhere."""
    if draining():
        return JSONResponse({"status": "draining"}, status_code=503)
    return JSONResponse({"status": "ok"})


async def _no_address(request: Request, _error: Exception) -> Response:
    refused = NotFound(what="address", name=request.url.path[:80])
    return JSONResponse(refused.problem(), status_code=404, media_type=PROBLEM_TYPE)


async def _refusal(_request: Request, error: Exception) -> Response:
    refused = error if isinstance(error, Refused) else Broken()
    return JSONResponse(refused.problem(), status_code=refused.status, media_type=PROBLEM_TYPE)


_quiet = Starlette(
    routes=[
        Route("/exchange/v1/agreements", _agreements),
        Route("/exchange/v1/exchanges/{exchange}", _exchange),
        Route("/exchange/health", _health),
    ],
    exception_handlers={404: _no_address, Refused: _refusal},
)
