"""Between hearing a message and answering it with the next one lies no timer: with an hour between any two looks at the
outbox, a whole negotiation and the start of its delivery still take no longer than their messages.
"""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, suppress
from dataclasses import replace

import orjson
import pytest
from aiohttp import web
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from hutong.control.agreements import delivery as transfers
from hutong.control.agreements import protocol
from hutong.control.agreements.drafting import offer_for
from hutong.node import delivery, messages, work
from hutong.node.keyring import ring
from hutong.node.settings import Settings, current
from hutong.node.signatures import body_digest, request_signature, sign_response
from hutong.vocabulary.ids import new_id, urn
from tests import dsp_messages
from tests.dsp_peer import DspPeer, published, terms
from tests.region import Neighbour, enrol, ourselves
from tests.this_machine import free_port

AN_HOUR_S = 3600.0
ENOUGH_S = 60.0  # for a busy machine; a timer would take AN_HOUR_S


class Listening(DspPeer):
    """A consumer with an address: takes what our node sends it, and signs that it has."""

    def __init__(self, node: Neighbour) -> None:
        super().__init__(node)
        self.came: asyncio.Queue[dict] = asyncio.Queue()

    @asynccontextmanager
    async def open(self) -> AsyncIterator[None]:
        app = web.Application()
        app.router.add_post("/{path:.*}", self._take)
        runner = web.AppRunner(app)
        await runner.setup()
        host, port = self.node.settings.base_url.removeprefix("http://").split(":")
        await web.TCPSite(runner, host, int(port)).start()
        try:
            yield
        finally:
            await runner.cleanup()

    async def _take(self, request: web.Request) -> web.Response:
        body = orjson.loads(await request.read())
        said = b"{}"
        bound = request_signature({"Signature": request.headers["Signature"]})
        headers = sign_response(200, body_digest(said), bound, self.key, time.time())
        self.came.put_nowait(body)
        return web.Response(body=said, headers=headers, content_type="application/json")

    async def hears(self) -> tuple[str, dict]:
        body = await asyncio.wait_for(self.came.get(), ENOUGH_S)
        return dsp_messages.said_by(body), body

    async def tells(self, path: str, message: object) -> dict:
        answer = await asyncio.to_thread(self.say, path, message)
        assert answer.status_code < 300, answer.content
        return answer.json()


@pytest.fixture
def anhui(database_file: None) -> Listening:
    ourselves()
    private = Ed25519PrivateKey.generate()
    address = f"http://127.0.0.1:{free_port()}"
    anhui = Settings(home=current().home, jurisdiction="340000", place="province", region="yrd", base_url=address)
    enrol(replace(anhui, jurisdiction="yrd", place="region"), "yrd#0", b"\0" * 32)
    made = Neighbour(anhui, private)
    enrol(anhui, made.keyid, private.public_key().public_bytes_raw())
    return Listening(made)


@pytest.fixture
def wakes() -> Iterator[None]:
    """The ear of this node's work, which hears a wake from any process, for the length of a test."""
    threading.Thread(target=work._listen, daemon=True).start()
    yield
    work.listen(messages.OUTBOX, lambda: None)  # the courier is gone
    ring.cache_clear()


@asynccontextmanager
async def courier() -> AsyncIterator[None]:
    running = asyncio.create_task(delivery.Courier().run())
    try:
        yield
    finally:
        running.cancel()
        with suppress(asyncio.CancelledError):
            await running


@pytest.mark.usefixtures("wakes")
def test_a_decision_leaves_with_the_commit_and_waits_for_no_timer(
    anhui: Listening, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(delivery, "LOOK_EVERY_S", AN_HOUR_S)
    entry = published("unconditional")

    async def story() -> list[str]:
        async with anhui.open(), courier():
            heard = []
            first = protocol.ContractRequest(urn(new_id()), offer_for(entry.dataset, terms()), callback=anhui.callback)
            process = await anhui.tells("/negotiations/request", first)
            pids = process["providerPid"], process["consumerPid"]
            said, body = await anhui.hears()
            heard.append(said)
            agreement = protocol.ContractAgreement.read(body).agreement
            countersigned = protocol.ContractVerification(*pids, anhui.countersign(agreement))
            await anhui.tells(f"/negotiations/{pids[0]}/agreement/verification", countersigned)
            said, _ = await anhui.hears()
            heard.append(said)
            wanted = protocol.TransferRequest(urn(new_id()), agreement.id, transfers.FORMAT, anhui.callback)
            await anhui.tells("/transfers/request", wanted)
            said, _ = await anhui.hears()
            return [*heard, said]

    assert asyncio.run(story()) == ["AGREEMENT", "FINALIZED", "TRANSFER_START"]
