"""What one member alone may read: sealed to its key in the directory, with HPKE (RFC 9180, base mode).

A signed message is not secret: it lies in the outbox, passes proxies, may be kept as evidence. A value that only its
receiver may see therefore travels in a box. The directory lists Ed25519 keys; the same key pair, carried over to
Curve25519 (RFC 7748, section 4.1), opens the box, so that no second key has to be spread and rotated. Who sealed it is
not said by the box: the message around it is signed.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.hpke import AEAD, KDF, KEM, Suite

from hutong.node.directory import member
from hutong.node.keyring import seconds
from hutong.node.keys import load_node_keys
from hutong.node.settings import current
from hutong.vocabulary.errors import BadInput, Refused

ALG: Final = "hpke-x25519-hkdf-sha256-chacha20poly1305"
_SUITE: Final = Suite(KEM.X25519, KDF.HKDF_SHA256, AEAD.CHACHA20_POLY1305)
_P: Final = 2**255 - 19
_SIGN_BIT: Final = 1 << 255

Box = dict[str, str]  # {"alg", "keyid", "sealed": base64}


class NotSealedForUs(Refused):
    """The sealed part of the message cannot be opened with a key of this node."""

    zh = "报文中的密封内容无法用本节点的密钥打开。"
    code = "not_sealed_for_us"
    status = 422
    next_en = "Follow the directory and seal it to the key that is listed now."
    next_zh = "请更新成员名录，并以其中现行密钥重新密封。"


class NoKeyToSealFor(Refused):
    """The directory lists no key of {peer} that is valid now."""

    zh = "成员名录中没有 {peer} 当前有效的密钥。"
    code = "no_key_to_seal_for"
    status = 409
    next_en = "Wait until the directory has followed its new key: hutong members"
    next_zh = "请等待名录更新其新密钥：hutong members"


def seal_for(peer: str, content: bytes, *, about: str) -> Box:
    """Seal a value so that only this member can read it.

    about    what it belongs to (an event's subject): the box opens under the same words only
    raises   UnknownMember, NoKeyToSealFor
    """
    now = datetime.now(UTC).timestamp()
    keys = [key for key in member(peer).keys if seconds(key["valid_from"]) <= now < seconds(key["valid_to"])]
    if not keys:
        raise NoKeyToSealFor(peer=peer)
    newest = max(keys, key=lambda key: seconds(key["valid_from"]))
    public = X25519PublicKey.from_public_bytes(_on_curve25519(base64.b64decode(newest["public"])))
    sealed = _SUITE.encrypt(content, public, info=_info(about))
    return {"alg": ALG, "keyid": newest["id"], "sealed": base64.b64encode(sealed).decode("ascii")}


def open_box(box: Any, *, about: str) -> bytes:
    """raises   BadInput, NotSealedForUs"""
    if not isinstance(box, Mapping) or box.get("alg") != ALG or not isinstance(box.get("sealed"), str):
        raise BadInput(reason="the sealed part is not a box", reason_zh="密封内容不是约定的格式")
    key = next((one for one in load_node_keys(current()) if one.keyid == box.get("keyid")), None)
    if key is None:
        raise NotSealedForUs
    try:
        return bytes(_SUITE.decrypt(base64.b64decode(box["sealed"], validate=True), _opener(key.private), _info(about)))
    except (InvalidTag, ValueError, binascii.Error) as error:
        raise NotSealedForUs from error


def _info(about: str) -> bytes:
    return f"hutong:sealed:1:{about}".encode()


def _on_curve25519(public: bytes) -> bytes:
    """The u coordinate of an Ed25519 public key: u = (1 + y) / (1 - y) modulo p."""
    y = int.from_bytes(public, "little") & ~_SIGN_BIT
    u = (1 + y) * pow(1 - y, -1, _P) % _P
    return u.to_bytes(32, "little")


def _opener(private: Ed25519PrivateKey) -> X25519PrivateKey:
    """The same secret number, as RFC 8032 takes it from the seed; X25519 clamps it alike."""
    return X25519PrivateKey.from_private_bytes(hashlib.sha512(private.private_bytes_raw()).digest()[:32])
