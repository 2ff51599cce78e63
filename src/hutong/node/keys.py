"""A node's own secrets: its signing keys, its log key, and the key that seals what must not be read at rest.

Folder `keys/` (0700), every file 0600:

    node-<fingerprint>.pem   Ed25519, PKCS 8; signs messages. More than one while a rotation overlaps.
    log.pem                  Ed25519; signs the ledger's checkpoints. A log keeps its key for life.
    seal.key                 Fernet; seals source locations and pseudonym keys in the database.
    django.secret            Django's secret key.

A key's name on the wire is `<jurisdiction>#<first 16 hex digits of SHA-256(raw public key)>`.
"""

from __future__ import annotations

import base64
import hashlib
import secrets
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path

from cryptography.fernet import Fernet, InvalidToken
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)

from hutong.ledger.whole import put_secret
from hutong.node.settings import Settings, current
from hutong.vocabulary.errors import Refused

NODE_KEYS = "node-*.pem"
LOG_KEY = "log.pem"
SEAL_KEY = "seal.key"
DJANGO_SECRET = "django.secret"  # noqa: S105 - a file name


class NoKeys(Refused):
    """This node has no usable key: {reason}."""

    zh = "本节点没有可用的密钥：{reason}。"
    code = "no_keys"
    status = 500
    next_en = "Restore the folder keys/ from your backup, or make a new node with: hutong init"
    next_zh = "请从备份恢复 keys/ 文件夹，或用 hutong init 建立新节点。"


class Unsealable(Refused):
    """A sealed value cannot be opened with this node's key."""

    zh = "密封的内容无法用本节点的密钥打开。"
    code = "unsealable"
    status = 500
    next_en = "Restore keys/seal.key from your backup; it must belong to the same database."
    next_zh = "请从备份恢复与数据库配套的 keys/seal.key。"


@dataclass(frozen=True)
class SigningKey:
    """An Ed25519 key that signs for one node."""

    keyid: str
    private: Ed25519PrivateKey = field(repr=False, compare=False)
    public: bytes  # raw, 32 bytes

    def sign(self, message: bytes) -> bytes:
        return self.private.sign(message)

    @property
    def public_text(self) -> str:
        return base64.b64encode(self.public).decode("ascii")

    @property
    def jurisdiction(self) -> str:
        return self.keyid.partition("#")[0]


def fingerprint(public: bytes) -> str:
    return hashlib.sha256(public).hexdigest()[:16]


def key_id(jurisdiction: str, public: bytes) -> str:
    return f"{jurisdiction}#{fingerprint(public)}"


def make_keys(folder: Path) -> None:
    """Make every key a new node needs. Never overwrites: a second call adds only what is missing."""
    folder.mkdir(parents=True, exist_ok=True)
    folder.chmod(0o700)
    if not any(folder.glob(NODE_KEYS)):
        make_node_key(folder)
    if not (folder / LOG_KEY).exists():
        put_secret(folder / LOG_KEY, _pem(Ed25519PrivateKey.generate()))
    if not (folder / SEAL_KEY).exists():
        put_secret(folder / SEAL_KEY, Fernet.generate_key())
    if not (folder / DJANGO_SECRET).exists():
        put_secret(folder / DJANGO_SECRET, secrets.token_urlsafe(50).encode("ascii"))


def make_node_key(folder: Path) -> Path:
    """A further signing key. It signs nothing until the directory lists it as valid."""
    private = Ed25519PrivateKey.generate()
    file = folder / f"node-{fingerprint(private.public_key().public_bytes_raw())}.pem"
    put_secret(file, _pem(private))
    return file


def load_node_keys(settings: Settings) -> list[SigningKey]:
    """All signing keys in the node's folder, oldest first.

    raises   NoKeys
    """
    files = sorted(settings.keys_folder.glob(NODE_KEYS), key=lambda file: (file.stat().st_mtime_ns, file.name))
    if not files:
        raise NoKeys(reason="keys/ holds no node key", reason_zh="keys/ 中没有节点密钥")
    return [_load(file, settings.jurisdiction) for file in files]


def load_signing_key(settings: Settings, valid: Iterable[str] = ()) -> SigningKey:
    """The key that signs now: the one named latest in `valid` that we hold, else the oldest we hold.

    valid    key ids the directory lists as valid now, oldest first; empty before the node has joined
    """
    held = load_node_keys(settings)
    by_id = {key.keyid: key for key in held}
    listed = [by_id[keyid] for keyid in valid if keyid in by_id]
    return listed[-1] if listed else held[0]


def load_log_key(settings: Settings) -> SigningKey:
    """The key of this node's log. Its name is the log's origin, `hutong/<jurisdiction>`.

    raises   NoKeys
    """
    key = _load(settings.keys_folder / LOG_KEY, settings.jurisdiction)
    return SigningKey(f"hutong/{settings.jurisdiction}", key.private, key.public)


def seal(value: bytes) -> bytes:
    """Encrypt with this node's own secret. Only this node opens it again."""
    return _fernet(current().keys_folder).encrypt(value)


def unseal(sealed: bytes) -> bytes:
    """raises   Unsealable"""
    try:
        return _fernet(current().keys_folder).decrypt(bytes(sealed))
    except InvalidToken as error:
        raise Unsealable from error


def too_open(folder: Path) -> list[str]:
    """Names of the folder and files under it that anyone but the owner may read."""
    loose = [file.name for file in sorted(folder.iterdir()) if file.stat().st_mode & 0o077]
    return ([folder.name + "/"] if folder.stat().st_mode & 0o077 else []) + loose


def _load(file: Path, jurisdiction: str) -> SigningKey:
    try:
        private = load_pem_private_key(file.read_bytes(), password=None)
    except (OSError, ValueError) as error:
        raise NoKeys(reason=f"{file.name} cannot be read", reason_zh=f"{file.name} 无法读取") from error
    if not isinstance(private, Ed25519PrivateKey):
        raise NoKeys(reason=f"{file.name} is not an Ed25519 key", reason_zh=f"{file.name} 不是 Ed25519 密钥")
    public = private.public_key().public_bytes_raw()
    return SigningKey(key_id(jurisdiction, public), private, public)


def _pem(private: Ed25519PrivateKey) -> bytes:
    return private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


@lru_cache(maxsize=8)
def _fernet(folder: Path) -> Fernet:
    try:
        return Fernet((folder / SEAL_KEY).read_bytes())
    except (OSError, ValueError) as error:
        raise NoKeys(reason="keys/seal.key cannot be read", reason_zh="keys/seal.key 无法读取") from error
