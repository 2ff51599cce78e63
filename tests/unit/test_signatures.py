"""The signature profile: our own checks, the published vectors of RFC 9421, and another implementation as the judge."""

from __future__ import annotations

import base64
import hashlib
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from http_message_signatures import HTTPMessageSigner, HTTPMessageVerifier, HTTPSignatureKeyResolver, algorithms

from hutong.node.keys import SigningKey, key_id
from hutong.node.signatures import (
    TAG,
    BadSignature,
    PublicKey,
    StaleMessage,
    UnknownPeer,
    Unsigned,
    body_digest,
    content_digest,
    request_signature,
    sign_request,
    sign_response,
    verify_request,
    verify_response,
)
from hutong.vocabulary.errors import Refused

NOW = 1_800_000_000.0
URL = "https://jiangsu.example/dsp/2025-1/negotiations/request?x=1"
BODY = '{"城市":"南京"}'.encode()
MESSAGE_ID = "0197a3c2-7b1e-7cc1-8f00-000000000001"


def _key(jurisdiction: str, seed: bytes) -> SigningKey:
    private = Ed25519PrivateKey.from_private_bytes(hashlib.sha256(seed).digest())
    public = private.public_key().public_bytes_raw()
    return SigningKey(key_id(jurisdiction, public), private, public)


JIANGSU = _key("320000", b"jiangsu")
ANHUI = _key("340000", b"anhui")


@dataclass
class Keys:
    """A directory of one or two keys."""

    known: dict[str, PublicKey] = field(default_factory=dict)

    def lookup(self, keyid: str) -> PublicKey | None:
        return self.known.get(keyid)


def _keys(*keys: SigningKey, valid_from: float = 0.0, valid_to: float = float("inf")) -> Keys:
    return Keys(
        {
            key.keyid: PublicKey(key.keyid, key.jurisdiction, key.private.public_key(), valid_from, valid_to)
            for key in keys
        }
    )


def _signed(**changed: str) -> dict[str, str]:
    return sign_request("POST", URL, body_digest(BODY), JIANGSU, message_id=MESSAGE_ID, now=NOW) | changed


def _verify(
    headers: dict[str, str], *, method: str = "POST", url: str = URL, body: bytes = BODY, now: float = NOW
) -> str:
    verified = verify_request(method, url, headers, body_digest(body), keys=_keys(JIANGSU), now=now)
    assert verified.message_id == MESSAGE_ID
    return verified.jurisdiction


def test_a_signed_request_names_its_sender() -> None:
    assert _verify(_signed()) == "320000"
    assert _verify({name.lower(): value for name, value in _signed().items()}) == "320000"


def test_every_signature_has_a_nonce_of_its_own() -> None:
    inputs = {_signed()["Signature-Input"] for _ in range(50)}
    assert len(inputs) == 50


@pytest.mark.parametrize("missing", ["Date", "Content-Digest", "Hutong-Message-Id", "Signature-Input", "Signature"])
def test_a_request_without_one_of_the_headers_is_unsigned(missing: str) -> None:
    headers = _signed()
    del headers[missing]
    with pytest.raises(Unsigned, match=missing) as caught:
        _verify(headers)
    assert caught.value.status == 401


def test_nothing_that_is_covered_can_change() -> None:
    with pytest.raises(BadSignature):
        _verify(_signed(), method="PUT")
    with pytest.raises(BadSignature):
        _verify(_signed(), url=URL.replace("x=1", "x=2"))
    with pytest.raises(BadSignature):
        _verify(_signed(), url=URL.replace("jiangsu", "anhui"))
    with pytest.raises(BadSignature, match="digest of the body"):
        _verify(_signed(), body=BODY + b" ")
    with pytest.raises(BadSignature):
        _verify(_signed(**{"Hutong-Message-Id": MESSAGE_ID.replace("1", "2")}))


TRACE = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


def _traced(**changed: str) -> dict[str, str]:
    headers = sign_request("POST", URL, body_digest(BODY), JIANGSU, message_id=MESSAGE_ID, now=NOW, traceparent=TRACE)
    return headers | changed


def test_a_trace_is_signed_with_the_request_it_belongs_to() -> None:
    assert verify_request("POST", URL, _traced(), body_digest(BODY), keys=_keys(JIANGSU), now=NOW).traceparent == TRACE
    with pytest.raises(BadSignature):
        _verify(_traced(Traceparent=TRACE.replace("b7", "b8")))
    with pytest.raises(Unsigned, match="Traceparent"):
        _verify(_traced(Traceparent=""))


def test_a_trace_that_is_not_signed_is_not_looked_at() -> None:
    headers = _signed(Traceparent=TRACE)
    assert verify_request("POST", URL, headers, body_digest(BODY), keys=_keys(JIANGSU), now=NOW).traceparent == ""


@pytest.mark.parametrize("away", [-301, 301, 86400])
def test_an_old_or_early_date_is_refused_and_the_edge_is_not(away: int) -> None:
    with pytest.raises(StaleMessage):
        _verify(_signed(), now=NOW + away)
    assert _verify(_signed(), now=NOW + 300) == "320000"
    assert _verify(_signed(), now=NOW - 300) == "320000"


def test_date_and_created_must_be_one_time() -> None:
    later = sign_request("POST", URL, body_digest(BODY), JIANGSU, message_id=MESSAGE_ID, now=NOW + 1)["Date"]
    with pytest.raises(BadSignature, match="differ"):
        _verify(_signed(Date=later))


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ('"date" ', ""),
        (';alg="ed25519"', ';alg="hmac-sha256"'),
        (f';tag="{TAG}"', ""),
        ('";tag', '";expires=1;tag'),
        ("hutong=(", "other=("),
        ("created=", "created=-"),
        ("created=1", "created=x1"),
        ('nonce="', 'nonce="" ;nonce="'),
        (";keyid=", ";expires=1;keyid="),
        ('";alg', '" ;alg'),
    ],
)
def test_a_signature_written_in_any_other_way_is_refused(before: str, after: str) -> None:
    headers = _signed()
    changed = headers["Signature-Input"].replace(before, after)
    assert changed != headers["Signature-Input"]
    with pytest.raises(Refused) as caught:
        _verify(headers | {"Signature-Input": changed})
    assert caught.value.status == 401


@pytest.mark.parametrize(
    "signature", ["", "hutong=::", "hutong=:AAAA:", "hutong=:" + "*" * 88 + ":", "x=:" + "A" * 86 + "==:"]
)
def test_a_broken_signature_field_is_refused(signature: str) -> None:
    with pytest.raises(Refused) as caught:
        _verify(_signed(Signature=signature))
    assert caught.value.status == 401


def test_a_key_outside_the_directory_or_its_term_is_unknown() -> None:
    arguments = ("POST", URL, _signed(), body_digest(BODY))
    with pytest.raises(UnknownPeer):
        verify_request(*arguments, keys=_keys(ANHUI), now=NOW)
    with pytest.raises(UnknownPeer):
        verify_request(*arguments, keys=_keys(JIANGSU, valid_to=NOW), now=NOW)
    with pytest.raises(UnknownPeer):
        verify_request(*arguments, keys=_keys(JIANGSU, valid_from=NOW + 301), now=NOW)
    assert verify_request(*arguments, keys=_keys(JIANGSU, valid_from=NOW + 299), now=NOW).keyid == JIANGSU.keyid


def test_a_key_cannot_speak_under_another_name() -> None:
    with pytest.raises(BadSignature):
        verify_request(
            "POST", URL, _signed(), body_digest(BODY),
            keys=Keys({JIANGSU.keyid: _keys(ANHUI).known[ANHUI.keyid]}), now=NOW,
        )  # fmt: skip


def test_an_answer_is_bound_to_the_request_it_answers() -> None:
    first, second = request_signature(_signed()), request_signature(_signed())
    headers = sign_response(200, body_digest(b"{}"), first, ANHUI, NOW)
    verified = verify_response(200, headers, body_digest(b"{}"), first, keys=_keys(ANHUI), now=NOW)
    assert verified.jurisdiction == "340000"
    for status, body, bound in [(200, b"{}", second), (201, b"{}", first), (200, b"[]", first)]:
        with pytest.raises(BadSignature):
            verify_response(status, headers, body_digest(body), bound, keys=_keys(ANHUI), now=NOW)


def test_the_head_of_a_stream_covers_its_extra_headers_and_no_digest() -> None:
    bound = request_signature(_signed())
    headers = sign_response(200, None, bound, ANHUI, NOW, extra={"Hutong-Exchange": "e1"})
    assert "Content-Digest" not in headers
    verify_response(200, headers, None, bound, keys=_keys(ANHUI), now=NOW, extra=("Hutong-Exchange",))
    changed = headers | {"Hutong-Exchange": "e2"}
    with pytest.raises(BadSignature):
        verify_response(200, changed, None, bound, keys=_keys(ANHUI), now=NOW, extra=("Hutong-Exchange",))
    with pytest.raises(BadSignature):
        verify_response(200, headers, None, bound, keys=_keys(ANHUI), now=NOW)
    with pytest.raises(Unsigned):
        verify_response(200, headers, body_digest(b""), bound, keys=_keys(ANHUI), now=NOW)


# --- another implementation as the judge ---


class Resolver(HTTPSignatureKeyResolver):
    def resolve_public_key(self, key_id: str) -> Ed25519PublicKey:
        return {JIANGSU.keyid: JIANGSU, ANHUI.keyid: ANHUI}[key_id].private.public_key()

    def resolve_private_key(self, key_id: str) -> Ed25519PrivateKey:
        return {JIANGSU.keyid: JIANGSU, ANHUI.keyid: ANHUI}[key_id].private


@dataclass
class Request:
    method: str
    url: str
    headers: dict[str, str]
    body: bytes = BODY


@dataclass
class Response:
    status_code: int
    headers: dict[str, str]
    request: Request
    body: bytes = b"{}"


@pytest.fixture
def verifier() -> HTTPMessageVerifier:
    return HTTPMessageVerifier(signature_algorithm=algorithms.ED25519, key_resolver=Resolver())


def test_another_implementation_verifies_a_signed_trace(verifier: HTTPMessageVerifier) -> None:
    now = datetime.now().timestamp()
    digest = body_digest(BODY)
    headers = sign_request("POST", URL, digest, JIANGSU, message_id=MESSAGE_ID, now=now, traceparent=TRACE)
    results = verifier.verify(Request("POST", URL, headers), max_age=timedelta(minutes=5), expect_tag=TAG)
    assert '"traceparent"' in results[0].covered_components


def test_another_implementation_verifies_what_we_sign(verifier: HTTPMessageVerifier) -> None:
    now = datetime.now().timestamp()
    headers = sign_request("POST", URL, body_digest(BODY), JIANGSU, message_id=MESSAGE_ID, now=now)
    results = verifier.verify(Request("POST", URL, headers), max_age=timedelta(minutes=5), expect_tag=TAG)
    assert [result.label for result in results] == ["hutong"]
    answer = sign_response(200, body_digest(b"{}"), request_signature(headers), ANHUI, now)
    results = verifier.verify(
        Response(200, answer, Request("POST", URL, headers)), max_age=timedelta(minutes=5), expect_tag=TAG
    )
    assert results[0].covered_components['"signature";req;key="hutong"'] == f":{request_signature(headers)}:"


def test_we_verify_what_another_implementation_signs() -> None:
    ours = _signed()
    headers = {name: ours[name] for name in ("Date", "Content-Digest", "Hutong-Message-Id")}
    request = Request("POST", URL, headers)
    HTTPMessageSigner(signature_algorithm=algorithms.ED25519, key_resolver=Resolver()).sign(
        request,
        key_id=JIANGSU.keyid,
        created=datetime.fromtimestamp(NOW),
        nonce="AAAAAAAAAAAAAAAAAAAAAA",
        tag=TAG,
        label="hutong",
        include_alg=True,
        use_existing_digest=True,
        covered_component_ids=("@method", "@target-uri", "content-digest", "date", "hutong-message-id"),
    )
    assert _verify(request.headers) == "320000"


def test_rfc_9421_appendix_b_2_6_ed25519_vector() -> None:
    """RFC 9421, B.1.4 (the key) and B.2.6 (the signature): our primitive and our reading of a signature base."""
    pem = (
        "-----BEGIN PRIVATE KEY-----\n"
        "MC4CAQAwBQYDK2VwBCIEIJ+DYvh6SEqVTm50DFtMDoQikTmiCqirVv9mWG9qfSnF\n"
        "-----END PRIVATE KEY-----\n"
    )
    private = load_pem_private_key(pem.encode(), password=None)
    assert isinstance(private, Ed25519PrivateKey)
    base = (
        '"date": Tue, 20 Apr 2021 02:07:55 GMT\n'
        '"@method": POST\n'
        '"@path": /foo\n'
        '"@authority": example.com\n'
        '"content-type": application/json\n'
        '"content-length": 18\n'
        '"@signature-params": ("date" "@method" "@path" "@authority" "content-type" "content-length")'
        ';created=1618884473;keyid="test-key-ed25519"'
    )
    expected = "wqcAqbmYJ2ji2glfAMaRy4gruYYnx2nEFN2HN6jrnDnQCK1u02Gb04v9EDgwUPiu4A0w6vuQv5lIp5WPpBKRCw=="
    key = SigningKey("test-key-ed25519", private, private.public_key().public_bytes_raw())
    assert base64.b64encode(key.sign(base.encode())).decode() == expected


def test_rfc_9530_appendix_d_digest_vector() -> None:
    """RFC 9530, B.1: the SHA-256 Content-Digest of {"hello": "world"} and a line feed."""
    body = b'{"hello": "world"}\n'
    assert content_digest(body_digest(body)) == "sha-256=:RK/0qy18MlBSVnWgjwz6lZEWjP/lF5HF9bvEF8FabDg=:"
