"""Who may speak to this node by the Dataspace Protocol, and where its answers go: the one place that says so.

Members of the directory, by signed messages; connectors that the operator let in from outside it, by their token.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Final
from urllib.parse import quote, urlsplit

from django.http import HttpRequest, HttpResponse
from django.views.decorators.csrf import csrf_exempt

from hutong.control.agreements.models import Negotiation, Transfer
from hutong.control.agreements.rules import AddressNeeded, ForeignCallback, NotAcknowledged
from hutong.node import bearers, messages, outside
from hutong.node.directory import PARTICIPANT, member, participant_id
from hutong.node.messages import Peer, Raw, post, withdraw
from hutong.node.receiving import Handler, View, Wording
from hutong.node.settings import current
from hutong.vocabulary.errors import Refused

__all__ = [
    "DSP_PATH",
    "Peer",
    "Raw",
    "callback_from",
    "here",
    "inquiry",
    "is_member",
    "ourselves",
    "participant_of",
    "reader",
    "receiver",
    "say",
]

DSP_PATH: Final = "/dsp/2025-1"
LONGEST_CALLBACK: Final = 400  # characters; what follows it must still fit an address


def receiver(*, refusal: Wording) -> Callable[[Handler], View]:
    """A view of `handler(request, peer, body, **captured)` for whoever may speak here."""
    return _either(messages.receiver(refusal=refusal), bearers.receiver(refusal=refusal))


def inquiry(*, refusal: Wording) -> Callable[[Handler], View]:
    """Like receiver, for a question that changes nothing."""
    return _either(messages.inquiry(refusal=refusal), bearers.inquiry(refusal=refusal))


def reader(*, refusal: Wording) -> Callable[[Handler], View]:
    """Like receiver, for a GET: `handler(request, peer, **captured)`."""
    return _either(messages.reader(refusal=refusal), bearers.reader(refusal=refusal))


def _either(signed: Callable[[Handler], View], by_token: Callable[[Handler], View]) -> Callable[[Handler], View]:
    def decorate(handler: Handler) -> View:
        of_members, of_others = signed(handler), by_token(handler)

        @csrf_exempt
        @wraps(handler)
        def view(request: HttpRequest, **captured: str) -> HttpResponse:
            return (of_others if bearers.knocks(request) else of_members)(request, **captured)

        return view

    return decorate


def here() -> str:
    """Our protocol base, which we hand out as callback address."""
    return current().base_url + DSP_PATH


def ourselves() -> str:
    return participant_id(current().jurisdiction)


def participant_of(peer: str) -> str:
    """The participant id of a peer as our tables name it."""
    return outside.participant_of(peer) if outside.is_outside(peer) else participant_id(peer)


def is_member(peer: Peer) -> bool:
    """Whether the directory lists it: members see what other members published."""
    return not outside.is_outside(peer.jurisdiction)


def actor(peer: str) -> str:
    """A peer as our records name it when it acts."""
    return peer if outside.is_outside(peer) else f"node:{peer}"


def evidence_of(peer: Peer) -> dict[str, str]:
    """What the ledger keeps of an unsigned message, since nothing else proves what was said; {} for a signed one."""
    return {"unsigned_message": peer.unsigned} if peer.unsigned else {}


def place_of(name: str, address: str = "") -> tuple[str, str]:
    """Whom a person means, and where its protocol is: what a first message needs to know.

    name     a jurisdiction, or the participant id of a connector let in from outside
    address  of the latter; its only one when not given
    returns  the peer as our tables name it, and its protocol base
    raises   UnknownMember, AddressNeeded
    """
    peer = outside.peer_of(name)
    try:
        bases = outside.addresses(peer)
    except outside.UnknownOutsidePeer:
        return member(name.removeprefix(PARTICIPANT)).jurisdiction, DSP_PATH
    if not address and len(bases) > 1:
        raise AddressNeeded(addresses=list(bases))
    base = address.rstrip("/") or bases[0]
    if not outside.allows(peer, base):
        raise messages.ForeignAddress(peer=peer, host=base[:100])
    return peer, base


def callback_from(peer: Peer, address: str) -> str:
    """A-4. Where a peer wants its messages, below an address of its own. It can send us nowhere else.

    returns  a member's path below its base URL; an outside connector's whole address
    raises   ForeignCallback
    """
    if not is_member(peer):
        return _outside_callback(peer, address.rstrip("/"))
    base_url = member(peer.jurisdiction).base_url
    path = address.removeprefix(base_url).rstrip("/")
    # A dot segment would leave the base; a query or fragment would swallow what we append.
    plain = not any(mark in path for mark in ("?", "#", "\\", "/../", "//")) and not path.endswith("/..")
    if not address.startswith(base_url + "/") or not plain or not address.isascii() or len(path) > LONGEST_CALLBACK:
        raise ForeignCallback(host=urlsplit(base_url).netloc)
    return path


def _outside_callback(peer: Peer, address: str) -> str:
    if len(address) > LONGEST_CALLBACK or not outside.allows(peer.jurisdiction, address):
        own = sorted({urlsplit(one).netloc for one in outside.addresses(peer.jurisdiction)})
        raise ForeignCallback(host=", ".join(own))
    return address


def say(
    process: Negotiation | Transfer, place: str, body: dict[str, object], *, kind: str, first: bool = False
) -> None:
    """Send the peer of a process a message, durably, in order with the process's other messages.

    place    below the process, for example "events"; with `first`, below the collection: "request"
    kind     "negotiation" or "transfer"
    """
    if not first and not process.peer_pid:
        raise NotAcknowledged
    where = place if first else f"{quote(process.peer_pid, safe=':')}/{place}"
    post(process.peer, f"{kind}:{process.pid}", f"{process.callback}/{kind}s/{where}", body)


def hush(process: Negotiation | Transfer, *, kind: str) -> None:
    """The peer has ended the process: what still waits to be told of it need not arrive."""
    withdraw(f"{kind}:{process.pid}")


def name_process(refusal: Refused, provider: str, consumer: str) -> None:
    """Remember on a refusal which process it belongs to: the protocol's error objects name both ids."""
    refusal.parameters.setdefault("providerPid", provider)
    refusal.parameters.setdefault("consumerPid", consumer)
