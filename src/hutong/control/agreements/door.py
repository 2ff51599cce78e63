"""Who may speak to this node by the Dataspace Protocol, and where its answers go: the one place that says so.

Now: members of the directory, by signed messages. A peer outside it would get its own `Peer` here.
"""

from __future__ import annotations

from typing import Final
from urllib.parse import quote, urlsplit

from hutong.control.agreements.models import Negotiation, Transfer
from hutong.control.agreements.rules import ForeignCallback, NotAcknowledged
from hutong.node.directory import member, participant_id
from hutong.node.messages import Peer, post, reader, receiver
from hutong.node.settings import current
from hutong.vocabulary.errors import Refused

__all__ = ["DSP_PATH", "Peer", "callback_from", "here", "ourselves", "participant_of", "reader", "receiver", "say"]

DSP_PATH: Final = "/dsp/2025-1"


def here() -> str:
    """Our protocol base, which we hand out as callback address."""
    return current().base_url + DSP_PATH


def ourselves() -> str:
    return participant_id(current().jurisdiction)


def participant_of(peer: str) -> str:
    """The participant id of a peer as our tables name it: a jurisdiction, or an outside connector's own id."""
    return peer if ":" in peer else participant_id(peer)


def callback_from(peer: Peer, address: str) -> str:
    """A-4. The path below the peer's own base URL that it wants its messages at. A member can send us nowhere else.

    raises   ForeignCallback
    """
    base_url = member(peer.jurisdiction).base_url
    path = address.removeprefix(base_url).rstrip("/")
    # A dot segment would leave the base; a query or fragment would swallow what we append.
    plain = not any(mark in path for mark in ("?", "#", "\\", "/../", "//")) and not path.endswith("/..")
    if not address.startswith(base_url + "/") or not plain or not address.isascii() or len(path) > 400:
        raise ForeignCallback(host=urlsplit(base_url).netloc)
    return path


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


def pids_of(refusal: Refused, provider: str, consumer: str) -> None:
    """Remember on a refusal which process it belongs to: the protocol's error objects name both ids."""
    refusal.parameters.setdefault("providerPid", provider)
    refusal.parameters.setdefault("consumerPid", consumer)
