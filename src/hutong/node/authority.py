"""A certificate authority for a closed network: one folder on the keeper's machine, and no service.

    CA_DIR/ca.key        ECDSA P-256; 0600. Whoever holds it can let anybody in: keep it off the network.
    CA_DIR/ca.pem        its certificate; what every node trusts
    CA_DIR/issued.jsonl  what it has issued, a line each: serial, jurisdiction, names, until

A node makes its own key and asks with a request (PKCS 10); the key never travels. After a renewal ca.pem holds the new
authority's certificate and the old one's, so that nodes trust both until the last old certificate has ended.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import orjson
from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from hutong.ledger.whole import PRIVATE, put_whole
from hutong.vocabulary.errors import Refused
from hutong.vocabulary.moments import rfc3339

AUTHORITY_DAYS = 3650
LONGEST_DAYS = 825  # of a node's certificate; owner: this authority
BACKDATED = timedelta(minutes=5)  # a node whose clock is a little behind can use it at once
NODE_URI = "urn:hutong:node:"


class NoAuthority(Refused):
    """There is no certificate authority in {folder}."""

    zh = "{folder} 中没有证书颁发机构。"
    code = "no_authority"
    next_en = "Make one with: hutong ca init {folder}"
    next_zh = "请先建立：hutong ca init {folder}"


class AuthorityExists(Refused):
    """There is already a certificate authority in {folder}."""

    zh = "{folder} 中已经有证书颁发机构。"
    code = "authority_exists"
    status = 409
    next_en = "Renew it with: hutong ca renew {folder}; or choose another folder."
    next_zh = "可用 hutong ca renew {folder} 更新，或另选文件夹。"


class BadRequestFile(Refused):
    """No certificate was issued: {reason}."""

    zh = "未签发证书：{reason}。"
    code = "bad_certificate_request"
    status = 400
    next_en = "Have the node make its request anew: hutong tls request DIR"
    next_zh = "请由该节点重新生成请求：hutong tls request DIR"


@dataclass(frozen=True)
class Issued:
    """A certificate that was issued, with the authority's own after it."""

    pem: str
    jurisdiction: str
    names: tuple[str, ...]
    serial: str
    until: datetime


def new_key() -> ec.EllipticCurvePrivateKey:
    return ec.generate_private_key(ec.SECP256R1())


def key_pem(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def write_private(file: Path, content: bytes) -> None:
    """Write a file that only its owner can read, all at once."""
    put_whole(file, content, mode=PRIVATE)


def make(folder: Path, name: str) -> x509.Certificate:
    """A new authority.

    raises   AuthorityExists
    """
    if (folder / "ca.key").exists():
        raise AuthorityExists(folder=str(folder))
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    return _install(folder, name, [])


def renew(folder: Path) -> x509.Certificate:
    """A new key and certificate under the same name; the older ones that have not ended stay trusted beside it.

    raises   NoAuthority
    """
    before = certificates(_read(folder / "ca.pem", folder))
    name = str(before[0].subject.get_attributes_for_oid(NameOID.COMMON_NAME)[0].value)
    running = [one for one in before if one.not_valid_after_utc > datetime.now(UTC)]
    return _install(folder, name, running)


def request(key: ec.EllipticCurvePrivateKey, jurisdiction: str, names: Sequence[str]) -> bytes:
    """A request (PKCS 10, PEM) for a certificate of a node under these host names and addresses."""
    builder = x509.CertificateSigningRequestBuilder().subject_name(_named(jurisdiction))
    builder = builder.add_extension(_alternatives(jurisdiction, names), critical=False)
    return builder.sign(key, hashes.SHA256()).public_bytes(Encoding.PEM)


def issue(folder: Path, asked: bytes, jurisdiction: str, *, days: int) -> Issued:
    """Sign a node's request.

    jurisdiction   whose request it is, as the operator knows it
    raises         NoAuthority; BadRequestFile when it is no request, is another node's, asks for a name that another
                   node's running certificate holds, or for what no node needs
    """
    key = load_pem_private_key(_read(folder / "ca.key", folder), None)
    authority = certificates(_read(folder / "ca.pem", folder))[0]
    if not isinstance(key, ec.EllipticCurvePrivateKey):
        raise NoAuthority(folder=str(folder))
    signed = _decode(asked)
    names = _asked_names(signed, jurisdiction)
    _check_not_anothers(folder, jurisdiction, names)
    now = datetime.now(UTC)
    until = min(now + timedelta(days=days), authority.not_valid_after_utc)
    identifier = x509.AuthorityKeyIdentifier.from_issuer_public_key(key.public_key())
    certificate = (
        x509.CertificateBuilder()
        .subject_name(_named(jurisdiction))
        .issuer_name(authority.subject)
        .public_key(signed.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - BACKDATED)
        .not_valid_after(until)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_usage(signs_certificates=False), critical=True)
        .add_extension(
            x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH]), critical=False
        )
        .add_extension(_alternatives(jurisdiction, names), critical=False)
        .add_extension(identifier, critical=False)
        .sign(key, hashes.SHA256())
    )
    issued = Issued(_pem(certificate), jurisdiction, names, f"{certificate.serial_number:x}", until)
    _note(folder, issued)
    return issued


def issued(folder: Path) -> list[dict[str, object]]:
    """What this authority has issued, oldest first. raises NoAuthority"""
    _read(folder / "ca.pem", folder)
    file = folder / "issued.jsonl"
    return [orjson.loads(line) for line in file.read_bytes().splitlines()] if file.exists() else []


def certificates(pem: bytes) -> list[x509.Certificate]:
    """Every certificate in a PEM file, in its order.

    raises   ValueError when there is none
    """
    return x509.load_pem_x509_certificates(pem)


def signed_by(certificate: x509.Certificate, authorities: Iterable[x509.Certificate]) -> bool:
    """Whether one of these authorities made it."""
    for authority in authorities:
        try:
            certificate.verify_directly_issued_by(authority)
        except (ValueError, TypeError, InvalidSignature):
            continue
        return True
    return False


def _install(folder: Path, name: str, before: list[x509.Certificate]) -> x509.Certificate:
    key = new_key()
    now = datetime.now(UTC)
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - BACKDATED)
        .not_valid_after(now + timedelta(days=AUTHORITY_DAYS))
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_usage(signs_certificates=True), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .sign(key, hashes.SHA256())
    )
    # The certificates first: one whose key is not there yet trusts nobody new, a key without them is of no use.
    write_private(folder / "ca.pem", "".join(_pem(one) for one in [certificate, *before]).encode())
    write_private(folder / "ca.key", key_pem(key))
    return certificate


def _decode(asked: bytes) -> x509.CertificateSigningRequest:
    try:
        signed = x509.load_pem_x509_csr(asked)
        holds = signed.is_signature_valid
    except ValueError as error:
        raise BadRequestFile(reason="the file is no certificate request", reason_zh="文件不是证书请求") from error
    if not holds or not isinstance(signed.public_key(), ec.EllipticCurvePublicKey):
        raise BadRequestFile(
            reason="it is not signed by its own ECDSA key", reason_zh="请求未由其自身的 ECDSA 密钥签名"
        )
    return signed


def _asked_names(signed: x509.CertificateSigningRequest, jurisdiction: str) -> tuple[str, ...]:
    try:
        found = signed.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except (x509.ExtensionNotFound, ValueError) as error:
        raise BadRequestFile(reason="it names no host", reason_zh="请求未写明主机名") from error
    who = found.get_values_for_type(x509.UniformResourceIdentifier)
    if who != [NODE_URI + jurisdiction]:
        named = ", ".join(who)[:80] or "nobody"
        raise BadRequestFile(
            reason=f"it is the request of {named}, not of {jurisdiction}",
            reason_zh=f"这是 {named} 的请求，不是 {jurisdiction} 的",
        )
    hosts = found.get_values_for_type(x509.DNSName)
    names = (*hosts, *(str(one) for one in found.get_values_for_type(x509.IPAddress)))
    if not names or len(names) != len(list(found)) - 1 or any("*" in one for one in hosts):
        raise BadRequestFile(reason="it asks for more than host names", reason_zh="请求中有主机名以外的内容或通配名")
    return names


def _check_not_anothers(folder: Path, jurisdiction: str, names: tuple[str, ...]) -> None:
    now = rfc3339(datetime.now(UTC))
    for one in issued(folder):
        held = set(names) & set(one["names"]) if isinstance(one["names"], list) else set()
        if held and one["jurisdiction"] != jurisdiction and str(one["until"]) > now and not held <= _LOCAL:
            name = sorted(held)[0]
            raise BadRequestFile(
                reason=f"{name} is in a running certificate of {one['jurisdiction']}",
                reason_zh=f"{name} 在 {one['jurisdiction']} 的有效证书中",
            )


_LOCAL = {"127.0.0.1", "::1", "localhost"}  # several nodes on one machine


def _note(folder: Path, issued: Issued) -> None:
    line = {
        "serial": issued.serial,
        "jurisdiction": issued.jurisdiction,
        "names": list(issued.names),
        "until": rfc3339(issued.until),
    }
    with (folder / "issued.jsonl").open("ab") as file:
        file.write(orjson.dumps(line) + b"\n")


def _named(jurisdiction: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, jurisdiction)])


def _alternatives(jurisdiction: str, names: Sequence[str]) -> x509.SubjectAlternativeName:
    return x509.SubjectAlternativeName(
        [x509.UniformResourceIdentifier(NODE_URI + jurisdiction), *(_host(one) for one in names)]
    )


def _host(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        return x509.DNSName(name)


def _usage(*, signs_certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not signs_certificates,
        key_cert_sign=signs_certificates,
        crl_sign=signs_certificates,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )


def _pem(certificate: x509.Certificate) -> str:
    return certificate.public_bytes(Encoding.PEM).decode("ascii")


def _read(file: Path, folder: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError as error:
        raise NoAuthority(folder=str(folder)) from error
