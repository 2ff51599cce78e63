"""A log's key for tests, always the same for one name."""

from __future__ import annotations

from dataclasses import dataclass, field
from hashlib import sha256

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from hutong.ledger.note import ED25519, VerifierKey


@dataclass(frozen=True)
class LogKey:
    keyid: str
    private: Ed25519PrivateKey = field(repr=False)

    @property
    def public(self) -> bytes:
        return self.private.public_key().public_bytes_raw()

    @property
    def vkey(self) -> VerifierKey:
        return VerifierKey(self.keyid, ED25519, self.public)

    def sign(self, message: bytes, /) -> bytes:
        return self.private.sign(message)


def log_key(name: str, seed: str = "") -> LogKey:
    return LogKey(name, Ed25519PrivateKey.from_private_bytes(sha256((name + seed).encode()).digest()))
