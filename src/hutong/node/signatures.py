"""HTTP Message Signatures (RFC 9421) over Content-Digest (RFC 9530), one strict profile.

A request covers, in this order, "@method" "@target-uri" "content-digest" "date" "hutong-message-id", with the
parameters created, keyid, alg="ed25519", nonce, tag="hutong-1" in this order, under the label `hutong`; a request that
is part of a trace covers "traceparent" after them. A response
covers "@status" "content-digest" "date", then any named extra headers, then "signature";req;key="hutong": the
request's own signature, so that an answer cannot be moved to another request.

One profile, not a general parser: a signature written any other way is refused. That keeps the check to a few string
comparisons and one Ed25519 verification. Clocks are passed in, as seconds since 1970. Nonces are remembered in
replay.py; the caller MUST do that after verify_request.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import os
from collections.abc import Mapping
from dataclasses import dataclass
from email.utils import formatdate
from functools import lru_cache
from typing import NamedTuple, Protocol

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from hutong.node.keys import SigningKey
from hutong.vocabulary.errors import Refused
from hutong.vocabulary.ids import is_id

WINDOW_S = 300  # how far a signature's time may be from ours, either way; owner: this profile
TAG = "hutong-1"
_REQUEST_COVERED = '("@method" "@target-uri" "content-digest" "date" "hutong-message-id")'
_BINDING = '"signature";req;key="hutong"'
_TRACED_COVERED = _REQUEST_COVERED[:-1] + ' "traceparent")'
_INPUT_PREFIX = f"hutong={_REQUEST_COVERED};created="
_TRACED_PREFIX = f"hutong={_TRACED_COVERED};created="
_REQUEST_END = f'";tag="{TAG}"'
_RESPONSE_END = f'";alg="ed25519";tag="{TAG}"'
_NONCE_LENGTH = 22  # 16 random bytes, base64url without padding


class Unsigned(Refused):
    """This address answers only to signed messages, and the signature is missing ({missing})."""

    zh = "此地址只接受签名消息，缺少签名（{missing}）。"
    code = "unsigned"
    status = 401
    next_en = "Send it through your own node, which signs it."
    next_zh = "请通过本单位节点发送，由节点签名。"


class BadSignature(Refused):
    """The message's signature does not hold: {reason}."""

    zh = "消息签名不成立：{reason}。"
    code = "bad_signature"
    status = 401
    next_en = "Check that nothing between the nodes rewrites messages, and that base_url is the address others use."
    next_zh = "请检查节点之间是否有设备改写消息，以及 base_url 是否为他人访问的地址。"


class UnknownPeer(Refused):
    """No member's valid key is named {keyid}."""

    zh = "没有成员的有效密钥名为 {keyid}。"
    code = "unknown_peer"
    status = 401
    next_en = "Join the region, or wait until the newest directory has arrived: hutong members"
    next_zh = "请先加入区域，或等待最新成员名录到达：hutong members"


class StaleMessage(Refused):
    """The message's time is {seconds} seconds away from this node's clock; at most {window} are allowed."""

    zh = "消息时间与本节点时钟相差 {seconds} 秒，最多允许 {window} 秒。"
    code = "stale_message"
    status = 401
    next_en = "Set both clocks by a time server: hutong doctor"
    next_zh = "请校准双方时钟：hutong doctor"


class PublicKey(NamedTuple):
    """A key as the directory lists it; times are seconds since 1970."""

    keyid: str
    jurisdiction: str
    key: Ed25519PublicKey
    valid_from: float
    valid_to: float  # infinity when it has no end


class KeyLookup(Protocol):
    """Where a verifier finds keys. Must be fast: called once per message."""

    def lookup(self, keyid: str) -> PublicKey | None: ...


@dataclass(frozen=True, slots=True)
class Verified:
    """What a signature proved."""

    keyid: str
    jurisdiction: str
    message_id: str  # "" for a response
    nonce: str  # "" for a response
    signature: str  # base64; a response to this request must cover it
    created: int
    traceparent: str = ""  # of a request that is part of a trace


def body_digest(body: bytes) -> bytes:
    """SHA-256 of a body, 32 bytes: what the functions here take as `digest`."""
    return hashlib.sha256(body).digest()


@lru_cache(maxsize=64)
def http_date(seconds: int) -> str:
    return formatdate(seconds, usegmt=True)


def content_digest(digest: bytes) -> str:
    return "sha-256=:" + binascii.b2a_base64(digest, newline=False).decode("ascii") + ":"


def sign_request(
    method: str,
    target_uri: str,
    digest: bytes,
    key: SigningKey,
    *,
    message_id: str,
    now: float,
    traceparent: str = "",
) -> dict[str, str]:
    """The headers that sign one request: Date, Content-Digest, Hutong-Message-Id, Signature-Input, Signature.

    Traceparent too, where one is given.

    target_uri   exactly the bytes that go on the wire, scheme and host included, without fragment
    digest       SHA-256 of the body, 32 bytes; of b"" where there is none
    """
    created = int(now)
    date = http_date(created)
    content = content_digest(digest)
    nonce = base64.urlsafe_b64encode(os.urandom(16))[:_NONCE_LENGTH].decode("ascii")
    covered = _TRACED_COVERED if traceparent else _REQUEST_COVERED
    parameters = f'{covered};created={created};keyid="{key.keyid}";alg="ed25519";nonce="{nonce}";tag="{TAG}"'
    signed = key.sign(_request_base(method, target_uri, (content, date, message_id, traceparent), parameters))
    return {
        **({"Traceparent": traceparent} if traceparent else {}),
        "Date": date,
        "Content-Digest": content,
        "Hutong-Message-Id": message_id,
        "Signature-Input": "hutong=" + parameters,
        "Signature": f"hutong=:{binascii.b2a_base64(signed, newline=False).decode('ascii')}:",
    }


def verify_request(
    method: str,
    target_uri: str,
    headers: Mapping[str, str],
    digest: bytes,
    *,
    keys: KeyLookup,
    now: float,
    window_s: int = WINDOW_S,
) -> Verified:
    """Who signed this request.

    headers   any mapping that finds the names as written here (Date, Content-Digest, ...) or in lower case
    raises    Unsigned, StaleMessage, UnknownPeer, BadSignature

    1. Every header is there, each once. 2. The parameters are ours, letter for letter. 3. The time is near.
    4. The body is the one described. 5. The key is a member's and valid. 6. The signature holds.
    Does not protect against replay: the caller MUST remember (keyid, nonce), see replay.py.
    """
    # 1.
    date = _header(headers, "Date")
    content = _header(headers, "Content-Digest")
    message_id = _header(headers, "Hutong-Message-Id")
    signature_input = _header(headers, "Signature-Input")
    signature = _signature(_header(headers, "Signature"))
    # 2.
    traced = signature_input.startswith(_TRACED_PREFIX)
    traceparent = _header(headers, "Traceparent") if traced else ""
    prefix = _TRACED_PREFIX if traced else _INPUT_PREFIX
    if not signature_input.startswith(prefix):
        raise BadSignature(
            reason="Signature-Input is not in the form this region uses",
            reason_zh="Signature-Input 不是本区域使用的格式",
        )
    created, keyid, nonce = _parameters(signature_input[len(prefix) :])
    if not is_id(message_id):
        raise BadSignature(reason="Hutong-Message-Id is not a UUID", reason_zh="Hutong-Message-Id 不是 UUID")
    # 3.
    _check_time(created, date, now, window_s)
    # 4.
    if content != content_digest(digest):
        raise BadSignature(
            reason="Content-Digest is not the digest of the body", reason_zh="Content-Digest 与正文的摘要不符"
        )
    # 5. and 6.
    known = _valid_key(keys, keyid, now)
    base = _request_base(method, target_uri, (content, date, message_id, traceparent), signature_input[7:])
    _check_signature(known, signature, base)
    return Verified(keyid, known.jurisdiction, message_id, nonce, signature, created, traceparent)


def sign_response(
    status: int,
    digest: bytes | None,
    request_signature: str,
    key: SigningKey,
    now: float,
    *,
    extra: Mapping[str, str] | None = None,
) -> dict[str, str]:
    """The headers that sign an answer and bind it to the request it answers.

    digest              SHA-256 of the body; None for a stream, whose digest its closing receipt carries
    request_signature   Verified.signature of the request
    extra               further headers to send and to cover, for example {"Hutong-Exchange": id}; names are
                        lower-cased in the signature, values must be plain ASCII
    """
    created = int(now)
    date = http_date(created)
    content = None if digest is None else content_digest(digest)
    extra = extra or {}
    parameters = (
        f'{_response_covered(content is not None, tuple(extra))};created={created};keyid="{key.keyid}{_RESPONSE_END}'
    )
    signed = key.sign(_response_base(_response_lines(status, content, date, extra), request_signature, parameters))
    headers = {"Date": date, **extra}
    if content is not None:
        headers["Content-Digest"] = content
    headers["Signature-Input"] = "hutong=" + parameters
    headers["Signature"] = f"hutong=:{binascii.b2a_base64(signed, newline=False).decode('ascii')}:"
    return headers


def verify_response(
    status: int,
    headers: Mapping[str, str],
    digest: bytes | None,
    request_signature: str,
    *,
    keys: KeyLookup,
    now: float,
    extra: tuple[str, ...] = (),
    window_s: int = WINDOW_S,
) -> Verified:
    """Who signed this answer to our request.

    digest   None for a stream: then the signature must not cover a Content-Digest
    extra    names of the further headers that must be covered, in the order they are signed
    raises   Unsigned, StaleMessage, UnknownPeer, BadSignature

    The caller MUST compare `jurisdiction` with the peer it asked.
    """
    date = _header(headers, "Date")
    content = None if digest is None else _header(headers, "Content-Digest")
    signature_input = _header(headers, "Signature-Input")
    signature = _signature(_header(headers, "Signature"))
    values = {name: _header(headers, name) for name in extra}
    prefix = f"hutong={_response_covered(content is not None, extra)};created="
    if not signature_input.startswith(prefix):
        raise BadSignature(
            reason="the answer's Signature-Input is not in the form this region uses",
            reason_zh="答复的 Signature-Input 不是本区域使用的格式",
        )
    created, keyid = _response_parameters(signature_input[len(prefix) :])
    _check_time(created, date, now, window_s)
    if digest is not None and content != content_digest(digest):
        raise BadSignature(
            reason="the answer's Content-Digest is not the digest of its body",
            reason_zh="答复的 Content-Digest 与其正文的摘要不符",
        )
    known = _valid_key(keys, keyid, now)
    lines = _response_lines(status, content, date, values)
    _check_signature(known, signature, _response_base(lines, request_signature, signature_input[7:]))
    return Verified(keyid, known.jurisdiction, "", "", signature, created)


def request_signature(headers: Mapping[str, str]) -> str:
    """The base64 signature inside headers made by sign_request: what the answer must cover."""
    return headers["Signature"][8:-1]


def _request_base(method: str, target: str, covered: tuple[str, str, str, str], parameters: str) -> bytes:
    content, date, message_id, traceparent = covered
    traced = f'"traceparent": {traceparent}\n' if traceparent else ""
    return (
        f'"@method": {method}\n"@target-uri": {target}\n"content-digest": {content}\n"date": {date}\n'
        f'"hutong-message-id": {message_id}\n{traced}"@signature-params": {parameters}'
    ).encode()


def _response_lines(status: int, content: str | None, date: str, extra: Mapping[str, str]) -> list[str]:
    lines = [f'"@status": {status}']
    if content is not None:
        lines.append(f'"content-digest": {content}')
    lines.append(f'"date": {date}')
    lines.extend(f'"{name.lower()}": {value}' for name, value in extra.items())
    return lines


def _response_base(lines: list[str], request_signature: str, parameters: str) -> bytes:
    bound = [*lines, f"{_BINDING}: :{request_signature}:", f'"@signature-params": {parameters}']
    return "\n".join(bound).encode()


@lru_cache(maxsize=32)
def _response_covered(with_content: bool, extra: tuple[str, ...]) -> str:
    names = ["@status", *(["content-digest"] if with_content else []), "date", *(name.lower() for name in extra)]
    return "(" + " ".join(f'"{name}"' for name in names) + f" {_BINDING})"


def _header(headers: Mapping[str, str], name: str) -> str:
    value = headers.get(name) or headers.get(name.lower())
    if not value:
        raise Unsigned(missing=name)
    return value


def _signature(field: str) -> str:
    if not (field.startswith("hutong=:") and field.endswith(":") and len(field) == 97):
        raise BadSignature(
            reason="the Signature field is not one Ed25519 signature labelled hutong",
            reason_zh="Signature 字段不是标为 hutong 的一个 Ed25519 签名",
        )
    return field[8:-1]


def _parameters(rest: str) -> tuple[int, str, str]:
    """created, keyid and nonce of `<created>;keyid="..";alg="ed25519";nonce="..";tag=".."`."""
    created, first, rest = rest.partition(';keyid="')
    keyid, second, rest = rest.partition('";alg="ed25519";nonce="')
    nonce = rest[:_NONCE_LENGTH]
    fixed = first and second and rest[_NONCE_LENGTH:] == _REQUEST_END
    if not (fixed and _is_keyid(keyid) and nonce.isascii() and '"' not in nonce):
        raise BadSignature(
            reason="the signature's parameters are not in the form this region uses",
            reason_zh="签名参数不是本区域使用的格式",
        )
    return _created(created), keyid, nonce


def _response_parameters(rest: str) -> tuple[int, str]:
    created, found, rest = rest.partition(';keyid="')
    keyid = rest[: -len(_RESPONSE_END)]
    if not (found and rest.endswith(_RESPONSE_END) and _is_keyid(keyid)):
        raise BadSignature(
            reason="the answer's signature parameters are not in the form this region uses",
            reason_zh="答复的签名参数不是本区域使用的格式",
        )
    return _created(created), keyid


def _is_keyid(text: str) -> bool:
    return 0 < len(text) <= 120 and text.isascii() and '"' not in text


def _created(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) < 12):
        raise BadSignature(
            reason="the signature's created is not a whole number of seconds", reason_zh="签名的 created 不是整数秒"
        )
    return int(text)


def _check_time(created: int, date: str, now: float, window_s: int) -> None:
    if abs(now - created) > window_s:
        raise StaleMessage(seconds=int(abs(now - created)), window=window_s)
    # One time, written twice: a Date that differs from created is not in our profile.
    if date != http_date(created):
        raise BadSignature(reason="Date and the signature's created differ", reason_zh="Date 与签名的 created 不一致")


def _valid_key(keys: KeyLookup, keyid: str, now: float) -> PublicKey:
    known = keys.lookup(keyid)
    # The directory's times come from another clock, hence the same tolerance before a key begins.
    if known is None or not known.valid_from - WINDOW_S <= now < known.valid_to:
        raise UnknownPeer(keyid=keyid)
    return known


def _check_signature(known: PublicKey, signature: str, base: bytes) -> None:
    try:
        known.key.verify(binascii.a2b_base64(signature, strict_mode=True), base)
    except (InvalidSignature, binascii.Error, ValueError) as error:
        raise BadSignature(
            reason="it was not made by that key over this message", reason_zh="不是由该密钥对此消息所作的签名"
        ) from error
