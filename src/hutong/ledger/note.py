"""Signed notes (c2sp.org/signed-note@v1.0.0): text, a blank line, signature lines.

Two signature types are spoken: 0x01, Ed25519 over the text, and 0x04, the timestamped Ed25519
cosignature of a witness (c2sp.org/tlog-cosignature). Any other type is left unread, as the
specification asks.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Protocol

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from hutong.vocabulary.errors import Refused

ED25519 = 0x01
COSIGNATURE = 0x04
MOST_SIGNATURES = 100  # the specification asks for at least 16
MOST_BYTES = 512 * 1024  # room for MOST_SIGNATURES post-quantum signatures of nearly 5 kB
DASH = "— "
LATEST_TIME = 2**63 - 1  # seconds since 1970, tlog-cosignature


class Signer(Protocol):
    """What signs for a log or a witness. The key's name goes into every signature line."""

    @property
    def keyid(self) -> str: ...  # the key's name: no spaces, no plus; for a log its origin

    @property
    def public(self) -> bytes: ...  # raw Ed25519 public key, 32 bytes

    def sign(self, message: bytes, /) -> bytes: ...


class BadNote(Refused):
    """This is not a signed note: {reason}."""

    zh = "这不是有效的签名文书：{reason}。"
    code = "bad_note"
    status = 400
    next_en = "Ask the sender for it again, byte for byte."
    next_zh = "请向发送方重新索取原文。"


class BadVerifierKey(Refused):
    """This is not a verifier key: {reason}."""

    zh = "这不是有效的验证公钥：{reason}。"
    code = "bad_verifier_key"
    status = 400
    next_en = "A verifier key reads NAME+8 hex digits+base64; copy it whole."
    next_zh = "验证公钥的格式为 名称+8位十六进制+base64，请完整复制。"


class NotSigned(Refused):
    """No key you trust has signed this note."""

    zh = "该文书没有任何受信任密钥的签名。"
    code = "not_signed"
    status = 403
    next_en = "Compare the verifier key with the one in the directory of members."
    next_zh = "请与成员名录中的验证公钥核对。"


class SignatureFails(Refused):
    """The signature of {name} does not fit this note."""

    zh = "{name} 的签名与该文书不符。"
    code = "signature_fails"
    status = 403
    next_en = "The note or its signature was changed: ask for it again, and keep this copy."
    next_zh = "文书或签名已被改动：请重新索取，并保留此副本。"


@dataclass(frozen=True)
class VerifierKey:
    """A public key with the name and the type it signs under."""

    name: str
    type: int  # ED25519 or COSIGNATURE
    public: bytes  # raw, 32 bytes

    def __post_init__(self) -> None:
        if not _is_key_name(self.name):
            raise BadVerifierKey(
                reason="its name is empty, or has a space or a plus", reason_zh="名称为空，或含空格或加号"
            )
        if self.type not in (ED25519, COSIGNATURE):
            raise BadVerifierKey(reason=f"type {self.type} is not spoken here", reason_zh=f"此处不使用类型 {self.type}")
        if len(self.public) != 32:
            raise BadVerifierKey(reason="an Ed25519 key has 32 bytes", reason_zh="Ed25519 公钥应为 32 字节")

    @property
    def id(self) -> bytes:
        """The key id: 4 bytes."""
        return sha256(self.name.encode() + b"\n" + bytes([self.type]) + self.public).digest()[:4]

    def __str__(self) -> str:
        return f"{self.name}+{self.id.hex()}+{_b64(bytes([self.type]) + self.public)}"

    @classmethod
    def parse(cls, text: str) -> VerifierKey:
        """raises   BadVerifierKey"""
        parts = text.strip().split("+", 2)
        if len(parts) != 3:
            raise BadVerifierKey(reason="it has no three parts", reason_zh="不是由三部分组成")
        try:
            material = base64.b64decode(parts[2], validate=True)
        except binascii.Error as error:
            raise BadVerifierKey(reason="its last part is not base64", reason_zh="最后一部分不是 base64") from error
        if len(material) != 33:
            raise BadVerifierKey(
                reason="an Ed25519 key has 32 bytes after its type", reason_zh="Ed25519 公钥在类型之后应为 32 字节"
            )
        key = cls(parts[0], material[0], material[1:])
        if key.id.hex() != parts[1]:
            raise BadVerifierKey(
                reason="its key id does not fit its name and key", reason_zh="密钥编号与名称和公钥不符"
            )
        return key

    def as_witness(self) -> VerifierKey:
        """The same key as the cosigner it is when its node witnesses others."""
        return VerifierKey(self.name, COSIGNATURE, self.public)


@dataclass(frozen=True)
class Signature:
    """One signature line."""

    name: str
    key_id: bytes  # 4 bytes
    value: bytes

    def line(self) -> str:
        return f"{DASH}{self.name} {_b64(self.key_id + self.value)}\n"

    @property
    def time(self) -> int:
        """Seconds since 1970, in a cosignature's first 8 bytes."""
        return int.from_bytes(self.value[:8], "big")


@dataclass(frozen=True)
class Note:
    """A note as read: nothing of it is to be believed before `verified`."""

    text: str  # ends in a newline
    signatures: tuple[Signature, ...]

    def __str__(self) -> str:
        return self.text + "\n" + "".join(one.line() for one in self.signatures)

    def with_signatures(self, more: Iterable[Signature]) -> Note:
        """The note with further signatures; a newer one of the same key replaces the older."""
        kept = {(one.name, one.key_id): one for one in self.signatures}
        kept.update({(one.name, one.key_id): one for one in more})
        return Note(self.text, tuple(kept.values()))


def parse(content: str | bytes) -> Note:
    """raises   BadNote"""
    text = _text(content)
    at = text.rfind("\n\n")
    if at < 0 or not text.endswith("\n"):
        raise BadNote(reason="it has no blank line before its signatures", reason_zh="签名之前没有空行")
    lines = text[at + 2 :].split("\n")[:-1]
    if not lines or len(lines) > MOST_SIGNATURES:
        raise BadNote(reason=f"it has {len(lines)} signatures", reason_zh=f"有 {len(lines)} 个签名")
    return Note(text[: at + 1], tuple(parse_signature(line) for line in lines))


def parse_signature(line: str) -> Signature:
    """One signature line, without its newline.

    raises   BadNote
    """
    name, _, encoded = line.removeprefix(DASH).partition(" ")
    if not line.startswith(DASH) or not _is_key_name(name):
        raise BadNote(reason="a signature line is malformed", reason_zh="有签名行格式有误")
    try:
        value = base64.b64decode(encoded, validate=True)
    except (binascii.Error, ValueError) as error:
        raise BadNote(reason="a signature is not base64", reason_zh="有签名不是 base64") from error
    if len(value) < 5 or _b64(value) != encoded:
        raise BadNote(reason="a signature is malformed", reason_zh="有签名格式有误")
    return Signature(name, value[:4], value[4:])


def sign(text: str, signer: Signer) -> Note:
    """A note with one Ed25519 signature."""
    if not text.endswith("\n"):
        raise BadNote(reason="its text does not end in a newline", reason_zh="正文末尾没有换行")
    key = VerifierKey(signer.keyid, ED25519, signer.public)
    return Note(text, (Signature(key.name, key.id, signer.sign(text.encode())),))


def cosign(text: str, signer: Signer, *, time_s: int) -> Signature:
    """A witness's signature over a checkpoint's text, at a time in seconds since 1970."""
    key = VerifierKey(signer.keyid, COSIGNATURE, signer.public)
    return Signature(key.name, key.id, time_s.to_bytes(8, "big") + signer.sign(_cosigned(text, time_s)))


def verified(note: Note, keys: Sequence[VerifierKey]) -> dict[VerifierKey, Signature]:
    """The signatures that hold, by key. Lines of unknown keys are passed over.

    raises   SignatureFails when a known key's signature is wrong, NotSigned when no known key has signed
    """
    known = {(key.name, key.id): key for key in keys}
    held: dict[VerifierKey, Signature] = {}
    for signature in note.signatures:
        key = known.get((signature.name, signature.key_id))
        if key is None:
            continue
        if not _holds(note.text, signature, key):
            raise SignatureFails(name=key.name)
        held[key] = signature
    if not held:
        raise NotSigned
    return held


def _holds(text: str, signature: Signature, key: VerifierKey) -> bool:
    message, value = text.encode(), signature.value
    if key.type == COSIGNATURE:
        if len(value) != 72 or signature.time > LATEST_TIME:
            return False
        message, value = _cosigned(text, signature.time), value[8:]
    try:
        Ed25519PublicKey.from_public_bytes(key.public).verify(value, message)
    except (InvalidSignature, ValueError):
        return False
    return True


def _cosigned(text: str, time_s: int) -> bytes:
    return f"cosignature/v1\ntime {time_s}\n{text}".encode()


def _text(content: str | bytes) -> str:
    if len(content) > MOST_BYTES:
        raise BadNote(reason=f"it is longer than {MOST_BYTES} bytes", reason_zh=f"超过 {MOST_BYTES} 字节")
    try:
        text = content if isinstance(content, str) else content.decode("utf-8")
    except UnicodeDecodeError as error:
        raise BadNote(reason="it is not UTF-8", reason_zh="不是 UTF-8") from error
    if any(character < " " and character != "\n" for character in text):
        raise BadNote(reason="it holds control characters", reason_zh="含有控制字符")
    return text


def _is_key_name(name: str) -> bool:
    return bool(name) and "+" not in name and not any(character.isspace() for character in name)


def _b64(data: bytes) -> str:
    return base64.b64encode(data).decode("ascii")
