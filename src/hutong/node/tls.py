"""TLS between nodes: this node's certificate, whom it trusts, and why a handshake failed, in words.

Signatures say who wrote a message; TLS keeps it from being read on the way, and keeps strangers from the door. With
`tls_authority` a node trusts that authority's certificates alone, and shows its own to every node it calls.
"""

from __future__ import annotations

import os
import ssl
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from pathlib import Path
from urllib.parse import urlsplit

from cryptography import x509
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from hutong.node import authority, settings
from hutong.node.checkup import Finding
from hutong.node.metrics import Reading
from hutong.node.settings import Settings
from hutong.vocabulary.errors import Refused

WARN_BEFORE = timedelta(days=30)  # owner: operations
KEY, NEXT_KEY = "tls.key", "tls-next.key"  # below keys/
CERTIFICATE, AUTHORITY = "tls.pem", "authority.pem"  # in the node's folder

# What OpenSSL says of the other side's certificate, by its number.
_THEIRS = {
    9: ("its certificate is not valid yet: compare the clocks", "对方证书尚未生效：请核对双方时钟"),
    10: ("its certificate has expired", "对方证书已过期"),
    18: ("its certificate is signed by itself alone", "对方证书为自签名"),
    19: ("its authority is not one this node trusts", "对方证书的颁发机构不受本节点信任"),
    20: ("its authority is not one this node trusts", "对方证书的颁发机构不受本节点信任"),
    21: ("its authority is not one this node trusts", "对方证书的颁发机构不受本节点信任"),
    62: ("its certificate is for another host name", "对方证书属于其他主机名"),
    64: ("its certificate is for another address", "对方证书属于其他地址"),
}
# What the other side says of ours, or of the attempt.
_OURS = {
    "CERTIFICATE_REQUIRED": (
        "it wants to see this node's certificate, and none was shown: hutong tls request DIR",
        "对方要求出示本节点证书，但未出示：hutong tls request DIR",
    ),
    "UNKNOWN_CA": (
        "it does not trust the authority of this node's certificate",
        "对方不信任本节点证书的颁发机构",
    ),
    "CERTIFICATE_EXPIRED": ("this node's certificate has expired", "本节点证书已过期"),
    "CERTIFICATE_UNKNOWN": ("it refuses this node's certificate", "对方拒绝本节点证书"),
    "BAD_CERTIFICATE": ("it refuses this node's certificate", "对方拒绝本节点证书"),
    "DECRYPT_ERROR": (
        "it does not trust the authority of this node's certificate",
        "对方不信任本节点证书的颁发机构",
    ),
    "WRONG_VERSION_NUMBER": ("it does not speak TLS at that address", "该地址不使用 TLS"),
    "PROTOCOL_VERSION": ("it speaks no version of TLS that is safe", "对方不支持安全的 TLS 版本"),
}


class BadCertificate(Refused):
    """The certificate was not installed: {reason}."""

    zh = "未安装证书：{reason}。"
    code = "bad_certificate"
    status = 400
    next_en = "Make a request and have the authority issue it: hutong tls request DIR; hutong ca issue CA_DIR FILE"
    next_zh = "请生成请求并由颁发机构签发：hutong tls request DIR；hutong ca issue CA_DIR FILE"


@dataclass(frozen=True)
class Expiry:
    """When something this node relies on ends."""

    which: str  # own, authority
    name: str
    until: datetime


def peer_context() -> ssl.SSLContext | bool:
    """What a call to another node is made with: our certificate and whom we trust; True for what the system trusts.

    Read anew when a file has changed, so that a renewed certificate is shown from the next connection on.
    """
    node = settings.current()
    if not node.tls_authority:
        return True
    files = (node.tls_authority, node.tls_certificate, node.tls_key)
    return _context(files, tuple(_written(one) for one in files))


def reason(error: BaseException) -> tuple[str, str] | None:
    """Why TLS failed, in English and Chinese; None when the error is not TLS's."""
    for one in _chain(error):
        if isinstance(one, ssl.SSLCertVerificationError) and (code := getattr(one, "verify_code", 0)):
            said = str(getattr(one, "verify_message", ""))
            unforeseen = (f"its certificate does not hold ({said})", f"对方证书无效（{said}）")
            return _THEIRS.get(code, unforeseen)
        text = str(one).upper().replace(" ", "_")
        for name, words in _OURS.items():
            if name in text and ("SSL" in text or isinstance(one, ssl.SSLError)):
                return words
    return None


def request(node: Settings, names: tuple[str, ...]) -> bytes:
    """Make a new key, beside the one in use, and a request for its certificate.

    names   further host names and addresses; those of base_url and exchange_url are always in it
    """
    key = authority.new_key()
    authority.write_private(node.keys_folder / NEXT_KEY, authority.key_pem(key))
    addresses = (urlsplit(one).hostname for one in (node.base_url, node.exchange_url, node.portal_url))
    hosts = dict.fromkeys([one for one in addresses if one] + list(names))
    return authority.request(key, node.jurisdiction, tuple(hosts))


def install(node: Settings, certificate: bytes, trusted: bytes) -> Expiry:
    """Take the certificate into use, with the key it was asked for; trust these authorities from now on.

    Servers show it after `kill -HUP`, or a restart; the files are replaced one after the other, key last.
    raises   BadCertificate; then nothing was changed
    """
    try:
        own, authorities = authority.certificates(certificate)[0], authority.certificates(trusted)
    except ValueError as error:
        raise BadCertificate(reason="a file holds no certificate", reason_zh="文件中没有证书") from error
    if not authority.signed_by(own, authorities):
        raise BadCertificate(reason="the authority given did not issue it", reason_zh="不是由所给的颁发机构签发")
    if own.not_valid_after_utc <= datetime.now(UTC):
        raise BadCertificate(reason="it has expired", reason_zh="证书已过期")
    key = _key_of(node, own)
    authority.write_private(node.home / AUTHORITY, trusted)
    authority.write_private(node.home / CERTIFICATE, certificate)
    authority.write_private(node.keys_folder / KEY, key)
    (node.keys_folder / NEXT_KEY).unlink(missing_ok=True)
    settings.change(
        node.home / settings.FILE_NAME,
        tls_certificate=str(node.home / CERTIFICATE),
        tls_key=str(node.keys_folder / KEY),
        tls_authority=str(node.home / AUTHORITY),
    )
    return Expiry("own", _name(own), own.not_valid_after_utc)


def trust(node: Settings, trusted: bytes) -> int:
    """Trust these authorities and no others. Our own certificate must be one of theirs.

    returns  how many
    raises   BadCertificate; then nothing was changed
    """
    try:
        authorities = authority.certificates(trusted)
        own = authority.certificates(Path(node.tls_certificate).read_bytes())[0] if node.tls_certificate else None
    except (ValueError, OSError) as error:
        raise BadCertificate(reason="a file holds no certificate", reason_zh="文件中没有证书") from error
    if own is not None and not authority.signed_by(own, authorities):
        raise BadCertificate(
            reason="none of the authorities given issued this node's own", reason_zh="所给颁发机构均未签发本节点证书"
        )
    authority.write_private(node.home / AUTHORITY, trusted)
    settings.change(node.home / settings.FILE_NAME, tls_authority=str(node.home / AUTHORITY))
    return len(authorities)


def expiries(node: Settings) -> list[Expiry]:
    """When our certificate and each authority we trust end; [] where this node does no TLS itself.

    raises   BadCertificate
    """
    found = []
    for which, file in (("own", node.tls_certificate), ("authority", node.tls_authority)):
        if not file:
            continue
        try:
            read = authority.certificates(Path(file).read_bytes())
        except (OSError, ValueError) as error:
            raise BadCertificate(reason=f"{file} cannot be read", reason_zh=f"无法读取 {file}") from error
        kept = read[:1] if which == "own" else read
        found += [Expiry(which, _name(one), one.not_valid_after_utc) for one in kept]
    return found


def check(node: Settings) -> Iterator[Finding]:
    """For `hutong doctor`."""
    now = datetime.now(UTC)
    for one in expiries(node):
        days = (one.until - now).days
        said = f"{one.which} certificate {one.name}: until {one.until:%Y-%m-%d} ({days} days)"
        if one.until <= now:
            yield Finding("tls", "fail", f"{one.which} certificate {one.name} expired on {one.until:%Y-%m-%d}")
        elif one.until - now < WARN_BEFORE:
            renew = "hutong tls request DIR" if one.which == "own" else "hutong ca renew CA_DIR"
            yield Finding("tls", "warn", f"{said}; renew it: {renew}")
        else:
            yield Finding("tls", "ok", said)


def read(node: Settings) -> Iterator[Reading]:
    """For the metrics."""
    now = datetime.now(UTC)
    soonest: dict[str, float] = {}
    for one in expiries(node):
        left_s = (one.until - now).total_seconds()
        soonest[one.which] = min(left_s, soonest.get(one.which, left_s))
    for which, left_s in soonest.items():
        said = "Until the certificate that ends first ends."
        yield Reading("hutong_certificate_expires_seconds", left_s, said, {"which": which})


def _key_of(node: Settings, own: x509.Certificate) -> bytes:
    for name in (NEXT_KEY, KEY):
        file = node.keys_folder / name
        if file.exists():
            content = file.read_bytes()
            if load_pem_private_key(content, None).public_key() == own.public_key():
                return content
    raise BadCertificate(
        reason="it is not for a key this node has asked with", reason_zh="证书不属于本节点申请所用的密钥"
    )


@lru_cache(maxsize=4)
def _context(files: tuple[str, str, str], _written: tuple[int, ...]) -> ssl.SSLContext:
    trusted, certificate, key = files
    context = ssl.create_default_context(cafile=trusted)
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    if certificate and key:
        context.load_cert_chain(certificate, key)
    return context


def _written(file: str) -> int:
    try:
        return os.stat(file).st_mtime_ns if file else 0  # noqa: PTH116 - asked for on every message
    except OSError:
        return 0


def _chain(error: BaseException) -> Iterator[BaseException]:
    seen: list[BaseException] = []
    one: BaseException | None = error
    while one is not None and one not in seen:
        seen.append(one)
        yield one
        inner = getattr(one, "certificate_error", None) or getattr(one, "os_error", None)
        one = inner or one.__cause__ or one.__context__


def _name(certificate: x509.Certificate) -> str:
    return certificate.subject.rfc4514_string()
