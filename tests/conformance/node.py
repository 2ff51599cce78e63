"""The node of the conformance profile: the product's own application, the scripted officer, and two triggers beside it.

`python -m tests.conformance.node DIR` serves it. The kit has no way to make a connector act as consumer, so it wants an
address of ours to post to:

    POST /conformance/negotiations   {"providerId", "offerId", "datasetId", "connectorAddress"}
    POST /conformance/transfers      {"providerId", "agreementId", "format", "connectorAddress"}

One scenario names a data set by an id of the kit's own; the profile puts ours in its place.
"""

from __future__ import annotations

import asyncio
import os
import sys
from pathlib import Path
from typing import Any

import orjson
from granian import Granian
from granian.constants import HTTPModes, Interfaces
from granian.log import LogLevels

from hutong.node import application
from hutong.node.application import Application, Message, Receive, Scope, Send
from hutong.node.settings import load
from tests.conformance import scenarios

NEGOTIATE = "/conformance/negotiations"
TRANSFER = "/conformance/transfers"


class Profile:
    """The product's application with the kit's triggers in front."""

    def __init__(self, product: Application, names: dict[bytes, bytes]) -> None:
        self.product = product
        self.names = names  # the kit's for a data set, and ours

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["method"] != "POST":
            await self.product(scope, receive, send)
        elif scope["path"] in (NEGOTIATE, TRANSFER):
            given = orjson.loads(await _body(receive))
            act = _negotiate if scope["path"] == NEGOTIATE else _transfer
            await asyncio.to_thread(_in_database, act, given)
            await send({"type": "http.response.start", "status": 200, "headers": []})
            await send({"type": "http.response.body", "body": b""})
        else:
            await self._renamed(scope, receive, send)

    async def _renamed(self, scope: Scope, receive: Receive, send: Send) -> None:
        body = await _body(receive)
        for theirs, ours in self.names.items():
            body = body.replace(theirs, ours)
        others = [(name, value) for name, value in scope["headers"] if name.lower() != b"content-length"]
        scope = {**scope, "headers": [*others, (b"content-length", str(len(body)).encode())]}
        whole: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

        async def replayed() -> Message:
            return whole.pop() if whole else await receive()

        await self.product(scope, replayed, send)


async def _body(receive: Receive) -> bytes:
    parts = []
    while True:
        message = await receive()
        parts.append(message.get("body", b""))
        if not message.get("more_body"):
            return b"".join(parts)


def _in_database(act: Any, given: dict[str, str]) -> None:
    from django.db import connections

    try:
        act(given)
    finally:
        connections.close_all()


def _negotiate(given: dict[str, str]) -> None:
    from hutong.control.agreements import door, outbound
    from tests.conformance.officer import plain_offer

    peer, callback = door.place_of(given["providerId"], given["connectorAddress"])
    outbound.request(peer, plain_offer(given["offerId"], given["datasetId"]), None, "kit", callback=callback)


def _transfer(given: dict[str, str]) -> None:
    from hutong.control.agreements import delivery

    delivery.request(given["agreementId"], "kit")


def make() -> Profile:
    """The application of the one worker."""
    product = application.make()
    from tests.conformance import officer

    home = Path(os.environ["HUTONG_HOME"])
    officer.take_office(home)
    plan = orjson.loads((home / scenarios.PLAN_FILE).read_bytes())
    fixed = next(resource for resource, name in plan.items() if name == scenarios.FIXED_IN)
    return Profile(product, {f'"{scenarios.FIXED_NAME}"'.encode(): f'"{fixed}"'.encode()})


def serve(home: Path) -> None:
    settings = load(home)
    os.environ["HUTONG_HOME"] = str(settings.home)
    host, _, port = settings.listen.rpartition(":")
    Granian(
        "tests.conformance.node:make",
        factory=True,
        address=host,
        port=int(port),
        interface=Interfaces.ASGI,
        http=HTTPModes.http1,
        websockets=False,
        log_level=LogLevels.warning,
    ).serve()


if __name__ == "__main__":
    serve(Path(sys.argv[1]))
