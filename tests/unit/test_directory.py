"""The signed directory: what is accepted, what is refused, and which key signs when."""

from __future__ import annotations

import base64
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from hutong.node import directory
from hutong.node.directory import BadDirectory, UnknownMember
from hutong.node.keyring import public_key, ring
from hutong.node.keys import SigningKey, key_id, load_node_keys, make_node_key
from hutong.node.models import DirectoryCopy, Member
from hutong.node.settings import current
from hutong.vocabulary.canonical import canonical_bytes
from hutong.vocabulary.moments import rfc3339

pytestmark = pytest.mark.django_db(transaction=True)
LONG_AGO = "2026-01-01T00:00:00.000Z"


@pytest.fixture(autouse=True)
def _fresh_ring() -> Iterator[None]:
    ring.cache_clear()
    yield
    ring.cache_clear()


def _key(jurisdiction: str) -> SigningKey:
    private = Ed25519PrivateKey.generate()
    public = private.public_key().public_bytes_raw()
    return SigningKey(key_id(jurisdiction, public), private, public)


YRD = _key("yrd")


def _entry(key: SigningKey, valid_from: str = LONG_AGO, valid_to: str | None = None) -> dict[str, Any]:
    return {
        "id": key.keyid,
        "alg": "ed25519",
        "public": key.public_text,
        "valid_from": valid_from,
        "valid_to": valid_to,
    }


def _member(jurisdiction: str, *keys: dict[str, Any], **changed: Any) -> dict[str, Any]:
    record = {
        "jurisdiction": jurisdiction,
        "name_zh": "省",
        "name_en": "Province",
        "place": "region" if jurisdiction == "yrd" else "province",
        "superior": "",
        "base_url": f"https://{jurisdiction}.example",
        "exchange_url": f"https://{jurisdiction}.example",
        "log_vkey": "",
        "keys": list(keys),
        "valid_from": LONG_AGO,
        "valid_to": None,
    }
    return record | changed


def _document(version: int, *members: dict[str, Any], region: str = "yrd") -> bytes:
    listed = [_member("yrd", _entry(YRD)), *members]
    return canonical_bytes(
        {"v": 1, "kind": "directory", "region": region, "version": version, "issued_at": LONG_AGO, "members": listed}
    )


def _accept(document: bytes, key: SigningKey = YRD, *, pinned: bool = False) -> bool:
    signature = base64.b64encode(key.sign(directory.CONTEXT + document)).decode()
    pin = public_key("yrd", _entry(YRD)) if pinned else None
    return directory.accept(document, signature, key.keyid, pinned=pin)


@pytest.fixture
def joined() -> None:
    assert _accept(_document(1), pinned=True)


def test_a_newer_version_replaces_the_copy_and_an_older_one_changes_nothing(joined: None) -> None:
    anhui = _member("340000", _entry(_key("340000")))
    assert _accept(_document(3, anhui))
    assert directory.member("340000").base_url == "https://340000.example"
    assert not _accept(_document(2))
    assert not _accept(_document(3))
    assert directory.member("340000")
    assert _accept(_document(4))
    with pytest.raises(UnknownMember):
        directory.member("340000")


def test_only_the_keeper_signs_the_directory(joined: None) -> None:
    anhui = _key("340000")
    _accept(_document(2, _member("340000", _entry(anhui))))
    with pytest.raises(BadDirectory, match="signed it"):
        _accept(_document(3), anhui)
    with pytest.raises(BadDirectory, match="does not keep"):
        _accept(_document(3, region="340000"), anhui)
    with pytest.raises(BadDirectory, match="not the keeper's"):
        _accept(_document(3), _key("yrd"))
    assert DirectoryCopy.objects.get().version == 2


def test_a_changed_byte_is_refused(joined: None) -> None:
    document = _document(2)
    signature = base64.b64encode(YRD.sign(directory.CONTEXT + document)).decode()
    with pytest.raises(BadDirectory, match="does not hold"):
        directory.accept(document.replace(b"https", b"httpz"), signature, YRD.keyid)
    with pytest.raises(BadDirectory, match="does not hold"):
        directory.accept(document, "AAAA", YRD.keyid)


@pytest.mark.parametrize(
    "changed",
    [
        {"base_url": "ftp://x.example"},
        {"base_url": "https://user:secret@x.example"},
        {"base_url": "https://x.example/"},
        {"exchange_url": "https://x.example/a b"},
        {"jurisdiction": "../etc"},
        {"place": "planet"},
        {"keys": []},
        {"keys": [{"id": "340000#0000000000000000", "alg": "ed25519", "public": YRD.public_text}]},
        {"valid_from": "yesterday"},
        {"valid_from": "2026-01-01T00:00:00"},
        {"name_zh": 1},
    ],
)
def test_a_member_that_makes_no_sense_is_refused_and_the_copy_stays(joined: None, changed: dict[str, Any]) -> None:
    with pytest.raises(BadDirectory):
        _accept(_document(2, _member("340000", _entry(_key("340000"))) | changed))
    assert DirectoryCopy.objects.get().version == 1


def test_the_ring_finds_new_keys_and_ends_them_with_their_member(joined: None) -> None:
    anhui = _key("340000")
    _accept(_document(2, _member("340000", _entry(anhui))))
    found = ring().lookup(anhui.keyid)
    assert found is not None
    assert found.valid_to == float("inf")
    ended = rfc3339(datetime.now(UTC) - timedelta(minutes=1))
    _accept(_document(3, _member("340000", _entry(anhui), valid_to=ended)))
    found = ring().lookup(anhui.keyid)
    assert found is not None
    assert found.valid_to < time.time()
    assert ring().addresses("340000") is None


def test_another_process_changing_the_directory_is_noticed(joined: None) -> None:
    keys = ring()
    keys.refresh(at_once=True)
    anhui = _key("340000")
    member = directory.read_record(_member("340000", _entry(anhui)), version=2)
    member.save()
    DirectoryCopy.objects.update(version=2)  # as the other process's commit leaves it
    assert keys.lookup(anhui.keyid) is None
    keys._looked_at = 0.0  # the time between two looks has passed
    keys.refresh()
    assert keys.lookup(anhui.keyid) is not None


def test_the_newest_of_our_keys_that_the_directory_lists_signs(joined: None) -> None:
    settings = current()
    assert ring().signing_key() == ring().lasting_key() == load_node_keys(settings)[0]
    old = load_node_keys(settings)[0]
    file = make_node_key(settings.keys_folder)
    try:
        new = load_node_keys(settings)[-1]
        now = time.time()
        begins, ends = (rfc3339(datetime.fromtimestamp(now + s, UTC)) for s in (600, 3600))
        own = _member("320000", _entry(old, valid_to=ends), _entry(new, valid_from=str(begins)))
        _accept(_document(2, own))
        keys = ring()
        keys.refresh(at_once=True)
        assert keys.signing_key(now).keyid == old.keyid
        assert keys.signing_key(now + 601).keyid == new.keyid
        assert keys.signing_key(now + 3601).keyid == new.keyid
        assert keys.lasting_key(now + 601).keyid == old.keyid
        assert keys.lasting_key(now + 3601).keyid == new.keyid
    finally:
        file.unlink()


def test_participant_ids_go_both_ways() -> None:
    assert directory.participant_id("320000") == "urn:hutong:node:320000"
    assert directory.jurisdiction_of("urn:hutong:node:320000") == "320000"
    with pytest.raises(UnknownMember):
        directory.jurisdiction_of("did:web:example")


def test_members_are_read_from_the_table(joined: None) -> None:
    assert [one.jurisdiction for one in directory.others()] == ["yrd"]
    assert Member.objects.get().version == 1
