"""What the ledger asks of the node it lives in. The node installs its host when it starts; nothing is assumed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Protocol

from django.http import HttpRequest, HttpResponse

from hutong.ledger.note import Signer, VerifierKey
from hutong.ledger.reconcile import PeerLog
from hutong.vocabulary.errors import Unavailable

View = Callable[..., HttpResponse]
# Takes the request and the member who signed it; gives the body and its content type. May raise Refused.
MemberHandler = Callable[..., tuple[bytes, str]]


class Host(Protocol):
    """The node around the ledger."""

    @property
    def folder(self) -> Path: ...  # the ledger's own

    def signer(self) -> Signer: ...  # the log's key, named by its origin

    def log_keys(self, origin: str) -> Sequence[VerifierKey]: ...  # of a member's log; empty for others

    def for_members(self, handler: MemberHandler) -> View:
        """A view of signed GETs: checks the member's signature, calls `handler(request, jurisdiction, **captured)`,
        signs its answer. A refusal is answered as problem+json."""
        ...

    def peer_log(self, jurisdiction: str) -> AbstractContextManager[PeerLog]:
        """The log of a member, read by signed GETs."""
        ...


_host: Host | None = None


def install(host: Host) -> None:
    global _host  # noqa: PLW0603 - one node per process
    _host = host


def host() -> Host:
    """raises   Unavailable where no node has been started"""
    if _host is None:
        raise Unavailable(what="the node's ledger")
    return _host


def member_view(handler: MemberHandler) -> View:
    """The handler behind the member's signature, whichever host is installed when it is called."""

    def view(request: HttpRequest, **captured: object) -> HttpResponse:
        return host().for_members(handler)(request, **captured)

    return view
