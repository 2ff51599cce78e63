"""What the ledger needs of its node: our log's key, the members' log keys, signed reads both ways, witnesses."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

import orjson
from django.db.models import Q
from django.http import HttpRequest

from hutong.ledger.host import MemberHandler, View
from hutong.ledger.note import Signer, VerifierKey
from hutong.ledger.pages import Page
from hutong.ledger.tiles import NoTile, Tile
from hutong.ledger.witness import Answer, Outcome, Witnesses
from hutong.node import directory, receiving
from hutong.node.keyring import ring
from hutong.node.keys import load_log_key
from hutong.node.models import Member
from hutong.node.settings import current
from hutong.vocabulary.errors import Unavailable

if TYPE_CHECKING:  # it brings an HTTP client, which a command that only reads its own ledger does without
    from hutong.node.client import NodeClient, SignedAnswer

WITNESS_WITHIN_S = 10.0
REST_AFTER_FAILURE_S = 60.0  # how long a witness that failed is left alone
READ_WITHIN_S = 30.0

log = logging.getLogger("hutong.witness")


class NodeHost:
    """The `Host` of the ledger in this process."""

    @property
    def folder(self) -> Path:
        return current().ledger_folder

    def signer(self) -> Signer:
        return load_log_key(current())

    def log_keys(self, origin: str) -> Sequence[VerifierKey]:
        present = Member.objects.filter(log_vkey__startswith=origin + "+")
        present = present.filter(Q(valid_to=None) | Q(valid_to__gt=datetime.now(UTC)))
        return [VerifierKey.parse(member.log_vkey) for member in present]

    def for_members(self, handler: MemberHandler) -> View:
        @receiving.reader
        def read(request: HttpRequest, peer: receiving.Peer, **captured: Any) -> receiving.Answer:
            return 200, receiving.Raw(*handler(request, peer.jurisdiction, **captured))

        return read

    @contextmanager
    def peer_log(self, jurisdiction: str) -> Iterator[MemberLog]:
        member = directory.member(jurisdiction)
        from hutong.node.client import NodeClient

        keys = ring()
        keys.refresh()  # here, in a thread: the client's coroutines may not read the database
        with asyncio.Runner() as runner:
            client = NodeClient(keys)
            try:
                yield MemberLog(member, current().jurisdiction, runner, client)
            finally:
                runner.run(client.close())


@dataclass(frozen=True)
class MemberLog:
    """A member's log over the network, as `reconcile` reads it."""

    member: Member
    us: str
    runner: asyncio.Runner
    client: NodeClient

    @property
    def keys(self) -> Sequence[VerifierKey]:
        return [VerifierKey.parse(self.member.log_vkey)]

    def page(self, after: int) -> Page:
        answer = self._get("exchanges?" + urlencode({"with": self.us, "after": after}), self.member.jurisdiction)
        if answer.status != 200:
            raise Unavailable(
                what=f"the ledger of {self.member.jurisdiction} (status {answer.status})",
                what_zh=f"{self.member.jurisdiction} 的账本（状态 {answer.status}）",
            )
        return Page.from_document(orjson.loads(answer.body))

    def tile(self, tile: Tile, /) -> bytes:
        # Hash tiles are open and unsigned: they are believed by the signed root alone.
        answer = self._get(f"tile/{tile.name}", "")
        if answer.status == 404:
            raise NoTile(name=tile.name)
        if answer.status != 200:
            raise Unavailable(
                what=f"the ledger of {self.member.jurisdiction} (status {answer.status})",
                what_zh=f"{self.member.jurisdiction} 的账本（状态 {answer.status}）",
            )
        return answer.body

    def _get(self, path: str, signed_by: str) -> SignedAnswer:
        url = f"{self.member.base_url}/ledger/{path}"
        return self.runner.run(self.client.call("GET", url, peer=signed_by, timeout_s=READ_WITHIN_S))


@dataclass
class WitnessRounds:
    """Has our checkpoints cosigned: the region's by every member, a member's by the region."""

    _asked: Witnesses | None = None
    _rest_until: dict[str, float] = field(default_factory=dict)  # by name of the witness: time.monotonic()
    _addresses: dict[str, str] = field(default_factory=dict)

    def run(self) -> list[Outcome]:
        """Ask every witness that has not cosigned the newest checkpoint."""
        now = time.monotonic()
        keys = [key for key in self._witnesses() if self._rest_until.get(key.name, 0.0) <= now]
        self._asked = self._asked or Witnesses(current().ledger_folder, self._post)
        outcomes = self._asked.ask(keys)
        for one in outcomes:
            if one.state == "cosigned":
                continue
            self._rest_until[one.witness] = now + REST_AFTER_FAILURE_S
            say = log.error if one.alarming else log.warning
            say("witness %s did not cosign: %s %s", one.witness, one.state, one.said)
        return outcomes

    def _witnesses(self) -> list[VerifierKey]:
        settings = current()
        wanted = directory.others() if settings.keeps_directory else Member.objects.filter(pk=directory.keeper())
        witnesses = []
        for member in wanted:
            if member.log_vkey:
                key = VerifierKey.parse(member.log_vkey).as_witness()
                self._addresses[key.name] = member.base_url
                witnesses.append(key)
        return witnesses

    def _post(self, name: str, body: bytes) -> Answer:
        return asyncio.run(_send(f"{self._addresses[name]}/ledger/witness/add-checkpoint", body))


async def _send(url: str, body: bytes) -> Answer:
    """The cosignature in the answer is its own proof, so the answer needs no signature.

    raises   NoAnswer
    """
    from hutong.node.client import NodeClient

    async with NodeClient(ring()) as client:
        answer = await client.call(
            "POST", url, body, peer="", content_type="text/plain; charset=utf-8", timeout_s=WITNESS_WITHIN_S
        )
    return Answer(answer.status, answer.body, answer.headers.get("Content-Type", ""))
