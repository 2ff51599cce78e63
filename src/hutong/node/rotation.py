"""Changing a node's signing key without a moment in which anyone refuses its messages.

The new key is announced to the keeper, signed by the old one and proven by the new one. The directory then lists both:
the new one begins after a settling time in which the directory reaches everyone, the old one ends after the overlap.
Each node signs with the newest of its keys that the directory lists as valid (keyring.py), so nothing else switches.
"""

from __future__ import annotations

import base64
import binascii
from datetime import UTC, datetime, timedelta
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from django.db import transaction
from django.http import HttpRequest

from hutong.ledger.record import record as record_in_ledger
from hutong.node import directory, messages
from hutong.node.directory import UnknownMember
from hutong.node.keys import load_node_keys, make_node_key
from hutong.node.membership import NotJoined, publish
from hutong.node.models import Member
from hutong.node.receiving import Answer, Peer, receiver
from hutong.node.settings import Settings, current
from hutong.vocabulary.canonical import canonical_bytes
from hutong.vocabulary.errors import BadInput
from hutong.vocabulary.moments import rfc3339

CONTEXT = b"hutong key v1\n"
PATH = "/hutong/keys"
SETTLE_S = 600  # longest wait before a new key signs: time for the directory to reach everyone; owner: wire contract
LONGEST_OVERLAP_S = 366 * 86400


def rotate(settings: Settings, *, overlap_s: int) -> str:
    """Make a new key and announce it. An overlap of 0 ends the old key at once: for a key that was exposed.

    returns   the new key's id; it begins to sign once the directory lists it and it has settled
    raises    NotJoined
    """
    try:
        directory.member(settings.jurisdiction)
    except UnknownMember as error:
        raise NotJoined from error
    file = make_node_key(settings.keys_folder)
    key = next(one for one in load_node_keys(settings) if file.name == f"node-{one.keyid.partition('#')[2]}.pem")
    offer = {"jurisdiction": settings.jurisdiction, "id": key.keyid, "public": key.public_text}
    proof = base64.b64encode(key.sign(CONTEXT + canonical_bytes(offer))).decode("ascii")
    body = {"id": key.keyid, "public": key.public_text, "overlap_s": overlap_s, "proof": proof}
    with transaction.atomic():
        record_in_ledger(
            "key.rotated", f"member:{settings.jurisdiction}", f"node:{settings.jurisdiction}", {"keyid": key.keyid}
        )
        if settings.keeps_directory:
            _list_key(settings.jurisdiction, body)
        else:
            messages.post(directory.keeper(), "keys", PATH, body)
    return key.keyid


@receiver
def take_key(_request: HttpRequest, peer: Peer, body: dict[str, Any]) -> Answer:
    """The keeper's side: POST /hutong/keys, signed with a key that is still valid."""
    return 200, {"version": _list_key(peer.jurisdiction, body)}


def _list_key(jurisdiction: str, body: dict[str, Any]) -> int:
    entry, overlap_s = _read(jurisdiction, body)
    now = datetime.now(UTC)
    member = Member.objects.select_for_update().get(jurisdiction=jurisdiction)
    ends = now + timedelta(seconds=overlap_s)
    entry["valid_from"] = rfc3339(now + timedelta(seconds=min(SETTLE_S, overlap_s // 2)))
    for key in member.keys:
        if key["valid_to"] is None or datetime.fromisoformat(key["valid_to"]) > ends:
            key["valid_to"] = rfc3339(ends)
    member.keys = [key for key in member.keys if key["id"] != entry["id"]] + [entry]
    member.save(update_fields=["keys"])
    detail = {"keyid": entry["id"], "former_keys_end": rfc3339(ends)}
    record_in_ledger("member.key_listed", f"member:{jurisdiction}", f"node:{current().jurisdiction}", detail)
    return publish()


def _read(jurisdiction: str, body: dict[str, Any]) -> tuple[dict[str, Any], int]:
    keyid, public, overlap_s, proof = (body.get(name) for name in ("id", "public", "overlap_s", "proof"))
    if not (isinstance(keyid, str) and isinstance(public, str) and isinstance(proof, str)):
        raise BadInput(reason="the key has no id, public and proof", reason_zh="密钥缺少 id、public 或 proof")
    if not isinstance(overlap_s, int) or isinstance(overlap_s, bool) or not 0 <= overlap_s <= LONGEST_OVERLAP_S:
        raise BadInput(
            reason=f"overlap_s is not between 0 and {LONGEST_OVERLAP_S}",
            reason_zh=f"overlap_s 不在 0 至 {LONGEST_OVERLAP_S} 之间",
        )
    offer = {"jurisdiction": jurisdiction, "id": keyid, "public": public}
    entry = directory.read_key(
        jurisdiction,
        {"id": keyid, "alg": "ed25519", "public": public, "valid_from": rfc3339(datetime.now(UTC)), "valid_to": None},
    )
    try:
        key = Ed25519PublicKey.from_public_bytes(base64.b64decode(public, validate=True))
        key.verify(base64.b64decode(proof, validate=True), CONTEXT + canonical_bytes(offer))
    except (InvalidSignature, binascii.Error, ValueError) as error:
        raise BadInput(reason="the new key's proof does not hold", reason_zh="新密钥的证明不成立") from error
    return entry, overlap_s
