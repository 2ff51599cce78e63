"""Connectors outside the directory: who the operator let in, the token each presents, where we may call it.

A member is known by its key; such a peer only by a token. In our tables it stands as `outside:` and its participant
id, a form that no jurisdiction has. The token is kept as a digest, what we present to the peer is sealed.
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from typing import Final
from urllib.parse import urlsplit

from django.db import transaction

from hutong.ledger.record import record
from hutong.node.directory import PARTICIPANT
from hutong.node.keys import seal, unseal
from hutong.node.models import OutboxMessage, OutsidePeer
from hutong.vocabulary.canonical import digest
from hutong.vocabulary.errors import NotFound, Refused
from hutong.vocabulary.text import checked, shown

MARK: Final = "outside:"
TOKEN_PREFIX: Final = "hp_"  # noqa: S105 - so that a token is recognised where it should not be: in code, in logs
LONGEST_PARTICIPANT: Final = 180
LONGEST_ADDRESS: Final = 300
MOST_ADDRESSES: Final = 20
LONGEST_AUTHORIZATION: Final = 8_000
THIS_MACHINE: Final = frozenset({"localhost", "127.0.0.1", "::1"})


class UnknownToken(Refused):
    """The token is not one this node gave to a connector outside the directory."""

    zh = "该令牌不是本节点发给名录外连接器的令牌。"
    code = "unknown_token"
    status = 401
    next_en = "Send it as: Authorization: Bearer TOKEN. The node's operator makes one with: hutong peer add"
    next_zh = "请以 Authorization: Bearer 令牌 发送；由节点运维人员用 hutong peer add 生成。"


class UnknownOutsidePeer(NotFound):
    """No connector outside the directory is let in as {name}."""

    zh = "没有以 {name} 接入的名录外连接器。"
    code = "unknown_outside_peer"
    next_en = "See who is: hutong peer list DIR"
    next_zh = "查看已接入的连接器：hutong peer list DIR"


class AlreadyLetIn(Refused):
    """{name} is let in already."""

    zh = "{name} 已经接入。"
    code = "already_let_in"
    status = 409
    next_en = "Change its addresses, its token or what is presented to it with: hutong peer change"
    next_zh = "如需更改地址、令牌或出示的凭据，请用：hutong peer change"


class BadPeer(Refused):
    """The connector cannot be let in: {reason}."""

    zh = "不能接入该连接器：{reason}。"
    code = "bad_peer"
    status = 400
    next_en = "Ask whoever runs it for its participant id and the address of its protocol."
    next_zh = "请向其运行方核实参与方标识和协议地址。"


def peer_of(participant: str) -> str:
    """The name of an outside participant in our tables."""
    return MARK + participant


def is_outside(peer: str) -> bool:
    return peer.startswith(MARK)


def participant_of(peer: str) -> str:
    return peer.removeprefix(MARK)


@transaction.atomic
def let_in(actor: str, participant: str, *, name: str, addresses: Sequence[str], authorization: str) -> str:
    """Let a connector in.

    addresses      protocol bases, as it will give them in `callbackAddress`; nothing is sent anywhere else
    authorization  the header we present to it; "" for none
    returns        the token it presents to us, this once; only its digest is kept
    raises         BadPeer, AlreadyLetIn
    """
    participant = _checked_participant(participant)
    if OutsidePeer.objects.filter(participant=participant).exists():
        raise AlreadyLetIn(name=participant)
    token = _new_token()
    one = OutsidePeer(
        participant=participant,
        name=checked("name", name, limit=200),
        addresses=_checked_addresses(addresses),
        token_digest=_digest(token),
        authorization=_sealed(authorization),
    )
    one.save(force_insert=True)
    _record("peer.let_in", one, actor, authorization=bool(authorization))
    return token


@transaction.atomic
def change(
    actor: str,
    participant: str,
    *,
    addresses: Sequence[str] | None = None,
    authorization: str | None = None,
    new_token: bool = False,
) -> str:
    """Change what is given, keep the rest. A new token ends the old one at once.

    returns   the new token; "" when it stays
    raises    UnknownOutsidePeer, BadPeer
    """
    one = OutsidePeer.objects.select_for_update().filter(participant=participant).first()
    if one is None:
        raise UnknownOutsidePeer(name=shown(participant))
    token = _new_token() if new_token else ""
    if addresses is not None:
        one.addresses = _checked_addresses(addresses)
    if authorization is not None:
        one.authorization = _sealed(authorization)
    if token:
        one.token_digest = _digest(token)
    one.save()
    _record("peer.changed", one, actor, authorization=authorization is not None, token=new_token)
    return token


@transaction.atomic
def shut_out(actor: str, participant: str) -> None:
    """Its token is refused from now on, and what still waited for it is dropped.

    raises   UnknownOutsidePeer
    """
    one = OutsidePeer.objects.select_for_update().filter(participant=participant).first()
    if one is None:
        raise UnknownOutsidePeer(name=shown(participant))
    _record("peer.shut_out", one, actor)
    OutboxMessage.objects.filter(peer=peer_of(participant), delivered_at=None, failed_at=None).delete()
    one.delete()


def let_in_peers() -> list[OutsidePeer]:
    """Every outside peer, by participant id."""
    return list(OutsidePeer.objects.order_by("participant"))


def holder(token: str) -> str:
    """The peer whose token this is.

    raises   UnknownToken
    """
    found = OutsidePeer.objects.filter(token_digest=_digest(token)).first()
    if found is None:
        raise UnknownToken
    return peer_of(found.participant)


def addresses(peer: str) -> tuple[str, ...]:
    """Where we may call a peer.

    raises   UnknownOutsidePeer
    """
    return tuple(_found(peer).addresses)


def allows(peer: str, address: str) -> bool:
    """True for an address below one of the peer's own that can be read in one way only.

    raises   UnknownOutsidePeer
    """
    return any(is_below(address, base) for base in addresses(peer))


def authorization(peer: str) -> str:
    """The header we present to it, "" for none.

    raises   UnknownOutsidePeer, Unsealable
    """
    sealed = bytes(_found(peer).authorization)
    return unseal(sealed).decode("utf-8") if sealed else ""


def is_below(address: str, base: str) -> bool:
    """True when an address is this base or lies below it, whatever way one reads it."""
    rest = address.removeprefix(base)
    # A dot segment would leave the base; a query or fragment would swallow what is appended.
    tricky = any(mark in rest.lower() for mark in ("?", "#", "\\", "//", "%2e", "%2f", "%5c"))
    dotted = any(segment in (".", "..") for segment in rest.split("/"))
    return address.startswith(base) and rest[:1] in ("", "/") and address.isascii() and not tricky and not dotted


def _found(peer: str) -> OutsidePeer:
    participant = participant_of(peer)
    found = OutsidePeer.objects.filter(participant=participant).first()
    if found is None:
        raise UnknownOutsidePeer(name=shown(participant))
    return found


def _checked_participant(given: str) -> str:
    plain = given.isprintable() and " " not in given and len(given) <= LONGEST_PARTICIPANT
    if not given or not plain or given.startswith((MARK, PARTICIPANT)):
        raise BadPeer(
            reason=f"its participant id has 1 to {LONGEST_PARTICIPANT} characters without spaces, and is no member's",
            reason_zh=f"参与方标识应为 1 至 {LONGEST_PARTICIPANT} 个字符、不含空格，且不是成员的标识",
        )
    return given


def _checked_addresses(given: Sequence[str]) -> list[str]:
    bases = list(dict.fromkeys(one.strip().rstrip("/") for one in given))
    if not 1 <= len(bases) <= MOST_ADDRESSES or not all(_is_base(one) for one in bases):
        raise BadPeer(
            reason=f"1 to {MOST_ADDRESSES} addresses with https:// are needed, without user name, query or fragment;"
            " http:// only on this machine, because tokens travel in the open there",
            reason_zh=f"应有 1 至 {MOST_ADDRESSES} 个 https:// 地址，不含用户名、查询和片段；"
            "http:// 会使令牌明文传输，只可用于本机",
        )
    return bases


def _is_base(text: str) -> bool:
    try:
        parts = urlsplit(text)
        port_reads = parts.port is None or parts.port > 0
    except ValueError:
        return False
    safe = parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in THIS_MACHINE)
    bare = bool(parts.hostname) and "@" not in parts.netloc and " " not in text and len(text) <= LONGEST_ADDRESS
    return safe and bare and port_reads and is_below(text, f"{parts.scheme}://{parts.netloc}")


def _new_token() -> str:
    return TOKEN_PREFIX + secrets.token_urlsafe(32)


def _digest(token: str) -> str:
    return digest(token.encode("utf-8"))


def _sealed(authorization: str) -> bytes:
    text = authorization.strip()
    if not text.isprintable() or not text.isascii() or len(text) > LONGEST_AUTHORIZATION:
        raise BadPeer(
            reason="what is presented to it is one line of ASCII characters",
            reason_zh="向其出示的凭据应为一行 ASCII 字符",
        )
    return seal(text.encode("utf-8")) if text else b""


def _record(kind: str, one: OutsidePeer, actor: str, **changed: bool) -> None:
    detail = {"participant": one.participant, "name": one.name, "addresses": one.addresses, **changed}
    record(kind, f"peer:{digest(one.participant.encode('utf-8'))}", actor, detail)
