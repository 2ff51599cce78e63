"""Signatures of agreements: detached Ed25519 over one line and canonical JSON, our documented extension.

The provider's stands beside the agreement in its ContractAgreementMessage, the consumer's in the
ContractAgreementVerificationMessage, each as `hutong:signature` {"keyid", "alg", "value"}. Both are
over the same bytes, so that either party can show a third one what both signed.
"""

from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass
from typing import Any, Final

from cryptography.exceptions import InvalidSignature

from hutong.control.agreements.fields import Fields
from hutong.control.agreements.rules import BadAgreementSignature
from hutong.node.keys import SigningKey
from hutong.node.signatures import KeyLookup
from hutong.vocabulary.canonical import canonical_bytes

ALGORITHM: Final = "ed25519"
MEMBER: Final = "hutong:signature"
SIGNED_PREFIX: Final = b"hutong agreement v1\n"  # a signature over an agreement can stand for nothing else


@dataclass(frozen=True)
class Signature:
    keyid: str
    value: str  # base64 of 64 bytes

    def document(self) -> dict[str, str]:
        return {"keyid": self.keyid, "alg": ALGORITHM, "value": self.value}


def read_signature(fields: Fields) -> Signature | None:
    """The message's `hutong:signature`, or None where it has none. A malformed one is refused, never ignored."""
    if not fields.has(MEMBER):
        return None
    inner = fields.inner(MEMBER)
    inner.literal("alg", ALGORITHM)
    return Signature(inner.text("keyid"), inner.text("value"))


def sign(agreement: dict[str, Any], key: SigningKey) -> Signature:
    value = key.sign(SIGNED_PREFIX + canonical_bytes(agreement))
    return Signature(key.keyid, base64.b64encode(value).decode("ascii"))


def check_signature(agreement: dict[str, Any], signature: Signature, signer: str, keys: KeyLookup, now: float) -> None:
    """A-2. An agreement's signature is by a key that the directory gives its signer now.

    signer   the jurisdiction that must have signed
    now      seconds since 1970
    raises   BadAgreementSignature
    """
    known = keys.lookup(signature.keyid)
    if known is None or known.jurisdiction != signer:
        raise BadAgreementSignature(
            signer=signer, reason="the key is not listed for that node", reason_zh="该密钥未列在该节点名下"
        )
    if not known.valid_from <= now < known.valid_to:
        raise BadAgreementSignature(signer=signer, reason="the key is not valid now", reason_zh="该密钥目前无效")
    try:
        value = binascii.a2b_base64(signature.value, strict_mode=True)
        known.key.verify(value, SIGNED_PREFIX + canonical_bytes(agreement))
    except (InvalidSignature, binascii.Error, ValueError) as error:
        raise BadAgreementSignature(
            signer=signer, reason="it does not hold over this agreement", reason_zh="签名与该协议内容不符"
        ) from error
