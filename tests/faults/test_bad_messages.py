"""What a running node says to messages that are wrong: each one clear refusal, nothing changed, and it serves on."""

from __future__ import annotations

import http.client
import time
from collections.abc import Iterator

import orjson
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from hutong.node.keys import SigningKey, key_id
from hutong.node.signatures import body_digest, sign_request
from hutong.vocabulary.ids import new_id
from tests.nodes import Region

EVENTS = "/hutong/events"
OWN_RECORD = """
import orjson
from hutong.node import membership, settings
print(orjson.dumps(membership.own_record(settings.current())).decode())
"""


@pytest.fixture(scope="module")
def region(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Region]:
    with Region(tmp_path_factory.mktemp("region")) as region:
        yield region.start("yrd", "320000", arguments=("--part", "control"))


@pytest.fixture
def wire(region: Region) -> Iterator[http.client.HTTPConnection]:
    """A bare connection to Jiangsu: it sends exactly what a test says."""
    host, port = region["320000"].settings.listen.split(":")
    connection = http.client.HTTPConnection(host, int(port), timeout=20)
    yield connection
    connection.close()


def _signed(
    region: Region, body: bytes, *, key: SigningKey | None = None, now: float | None = None, path: str = EVENTS
):
    return sign_request(
        "POST",
        region["320000"].base_url + path,
        body_digest(body),
        key or region["yrd"].key(),
        message_id=new_id(),
        now=time.time() if now is None else now,
    )


def _refusal(wire: http.client.HTTPConnection, method: str, path: str, body: bytes, headers: dict) -> tuple[int, str]:
    wire.request(method, path, body, headers)
    answer = wire.getresponse()
    said = orjson.loads(answer.read())
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert said["status"] == answer.status
    assert said["title"]
    assert said["title_zh"]
    return answer.status, said["code"]


def _event() -> bytes:
    named = {"id": new_id(), "source": "urn:hutong:node:yrd", "subject": "x", "time": "2026-01-01T00:00:00.000Z"}
    return orjson.dumps({"specversion": "1.0", "type": "nobody.knows.it", "data": {}, **named})


def test_without_a_signature_401(region: Region, wire: http.client.HTTPConnection) -> None:
    assert _refusal(wire, "POST", EVENTS, b"{}", {}) == (401, "unsigned")


def test_signed_by_a_stranger_401(region: Region, wire: http.client.HTTPConnection) -> None:
    private = Ed25519PrivateKey.generate()
    public = private.public_key().public_bytes_raw()
    stranger = SigningKey(key_id("990000", public), private, public)
    assert _refusal(wire, "POST", EVENTS, b"{}", _signed(region, b"{}", key=stranger)) == (401, "unknown_peer")


def test_signed_over_another_body_401(region: Region, wire: http.client.HTTPConnection) -> None:
    assert _refusal(wire, "POST", EVENTS, b"[]", _signed(region, b"{}")) == (401, "bad_signature")


def test_signed_for_another_path_or_node_401(region: Region, wire: http.client.HTTPConnection) -> None:
    assert _refusal(wire, "POST", EVENTS, b"{}", _signed(region, b"{}", path="/hutong/keys")) == (401, "bad_signature")
    url, key = region["yrd"].base_url + EVENTS, region["yrd"].key()
    elsewhere = sign_request("POST", url, body_digest(b"{}"), key, message_id=new_id(), now=time.time())
    host = region["yrd"].settings.listen  # a lying Host header changes nothing
    assert _refusal(wire, "POST", EVENTS, b"{}", elsewhere | {"Host": host}) == (401, "bad_signature")


@pytest.mark.parametrize("away", [-400, 400])
def test_dated_too_far_from_now_401(region: Region, wire: http.client.HTTPConnection, away: int) -> None:
    headers = _signed(region, b"{}", now=time.time() + away)
    assert _refusal(wire, "POST", EVENTS, b"{}", headers) == (401, "stale_message")


def test_the_same_signed_bytes_again_409(region: Region, wire: http.client.HTTPConnection) -> None:
    body = _event()
    headers = _signed(region, body)
    assert _refusal(wire, "POST", EVENTS, body, headers) == (422, "unknown_event")
    assert _refusal(wire, "POST", EVENTS, body, headers) == (409, "replayed")


def test_the_same_signed_get_again_409(region: Region, wire: http.client.HTTPConnection) -> None:
    url = region["320000"].base_url + "/hutong/ping"
    headers = sign_request("GET", url, body_digest(b""), region["yrd"].key(), message_id=new_id(), now=time.time())
    wire.request("GET", "/hutong/ping", headers=headers)
    answer = wire.getresponse()
    assert (answer.status, orjson.loads(answer.read())["you"]) == (200, "yrd")
    assert _refusal(wire, "GET", "/hutong/ping", b"", headers) == (409, "replayed")


@pytest.mark.parametrize(
    "body", [b"", b"{", b"[1]", b'"x"', b'{"a":NaN}', b"\xff\xfe", b'{"a":' * 65 + b"1" + b"}" * 65, b"[" * 100_000]
)
def test_not_a_json_object_or_too_deep_400(region: Region, wire: http.client.HTTPConnection, body: bytes) -> None:
    assert _refusal(wire, "POST", EVENTS, body, _signed(region, body)) == (400, "bad_input")


def test_a_body_over_one_mebibyte_413(region: Region, wire: http.client.HTTPConnection) -> None:
    body = b" " * (1024 * 1024 + 1)
    assert _refusal(wire, "POST", EVENTS, body, _signed(region, body)) == (413, "too_large")


def test_a_body_of_unannounced_length_over_one_mebibyte_413(region: Region, wire: http.client.HTTPConnection) -> None:
    wire.request("POST", EVENTS, iter([b" " * 65536] * 17), _signed(region, b""), encode_chunked=True)
    answer = wire.getresponse()
    assert (answer.status, orjson.loads(answer.read())["code"]) == (413, "too_large")


@pytest.mark.parametrize(
    "path",
    [
        "/hutong/../hutong/health",
        "/hutong/./health",
        "/hutong//health",
        "//hutong/health",
        "/hutong/%2e%2e/health",
        "/hutong%2fhealth",
        "/hutong%5chealth",
        "/hutong\\health",
        "/hutong/health%00",
        "/hutong/%ff",
        "/static/../../hutong.toml",
        "/static/%252e%252e/hutong.toml",
        "/exchange/../hutong/health",
        "/" + "a" * 3000,
    ],
)
def test_path_tricks_are_refused_before_routing_400(
    region: Region, wire: http.client.HTTPConnection, path: str
) -> None:
    wire.putrequest("GET", path, skip_host=False, skip_accept_encoding=True)
    wire.endheaders()
    answer = wire.getresponse()
    body = answer.read()
    assert answer.status == 400
    if body:  # what is not even HTTP is refused by the server below us, without words
        assert orjson.loads(body)["code"] == "bad_path"


def test_an_unknown_address_404_and_another_method_405(region: Region, wire: http.client.HTTPConnection) -> None:
    assert _refusal(wire, "GET", "/hutong/nothing", b"", {}) == (404, "no_such_address")
    assert _refusal(wire, "GET", EVENTS, b"", {}) == (405, "method_not_allowed")
    assert _refusal(wire, "GET", "/exchange/v1/agreements", b"", {}) == (404, "not_served_here")
    assert _refusal(wire, "GET", "/static/nothing.css", b"", {}) == (404, "no_such_file")


def test_a_join_without_an_invitation_403(region: Region) -> None:
    stranger = region.make("340000")
    body = orjson.dumps({"member": stranger.python(OWN_RECORD), "proof": "0" * 64})
    host, port = region["yrd"].settings.listen.split(":")
    wire = http.client.HTTPConnection(host, int(port), timeout=20)
    url = region["yrd"].base_url + "/hutong/join"
    headers = sign_request("POST", url, body_digest(body), stranger.key(), message_id=new_id(), now=time.time())
    assert _refusal(wire, "POST", "/hutong/join", body, headers) == (403, "bad_invitation")
    forged = sign_request("POST", url, body_digest(body), region["320000"].key(), message_id=new_id(), now=time.time())
    assert _refusal(wire, "POST", "/hutong/join", body, forged) == (401, "unknown_peer")
    wire.close()


def test_after_all_that_it_still_serves_and_nothing_was_noted(region: Region) -> None:
    assert region.ask("yrd", "320000", "GET", "/hutong/ping").status == 200
    noted = region["320000"].python(
        "from hutong.node.models import InboxMessage\n"
        "print(InboxMessage.objects.exclude(request_digest='').filter(peer='yrd', status__gte=400).count())"
    )
    assert noted == 0
