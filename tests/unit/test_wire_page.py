"""The examples of docs/wire.md are what the code writes and reads."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from django.urls import resolve

from hutong.control.agreements.offered import read_offered
from hutong.control.agreements.protocol import CatalogRequest
from hutong.control.agreements.terms import check_within, read_agreed, read_terms
from hutong.control.catalogue.feed import ANY, Wish
from hutong.control.metering import rules
from hutong.exchange.grants.rules import GrantSuspended
from hutong.exchange.query import decode
from hutong.exchange.shaping.predicate import Predicate
from hutong.exchange.subscriptions import event
from hutong.ledger.receipt import Receipt
from hutong.node.directory import read_record, record
from hutong.node.signatures import PublicKey, body_digest, verify_request, verify_response
from hutong.vocabulary.canonical import canonical_bytes

ROOT = Path(__file__).resolve().parents[2]
PAGES = [*sorted(ROOT.glob("*.md")), *sorted((ROOT / "docs").rglob("*.md"))]
PAGE = (ROOT / "docs" / "wire.md").read_text(encoding="utf-8")
EXAMPLES = dict(re.findall(r"```(?:json|http) (\w+)\n(.*?)\n```", PAGE, re.DOTALL))
ADDRESSES = sorted(
    set(re.findall(r"(/(?:\.well-known|hutong|ledger|dsp)/[\w/.-]+\w)(?![\w/<])", PAGE)) - {"/dsp/2025-1"}
)
PUBLIC = Ed25519PrivateKey.from_private_bytes(bytes(range(32))).public_key()
KEYID = "340000#56475aa75463474c"


class OneKey:
    def lookup(self, keyid: str) -> PublicKey | None:
        return PublicKey(KEYID, "340000", PUBLIC, 0.0, float("inf")) if keyid == KEYID else None


def example(name: str) -> Any:
    return json.loads(EXAMPLES[name])


def headers_and_body(name: str) -> tuple[dict[str, str], bytes]:
    head, body = EXAMPLES[name].split("\n\n")
    return dict(line.split(": ", 1) for line in head.split("\n")[1:]), body.encode()


def test_the_batch_of_changes_is_read():
    batch = event.read(EXAMPLES["batch"].encode())
    assert (batch.first, batch.last, batch.events[0]["data"]) == (41, 41, {"insurance": "城镇职工"})


def test_the_offering_is_read():
    offered = read_offered(example("offering"))
    assert offered is not None
    assert offered.document() == example("offering")["hutong:offering"]
    asked = read_terms(example("offer"))
    assert asked is not None
    assert offered.beyond(asked) == ["items", "purpose"]


def test_the_meter_file_is_read():
    assert rules.read(canonical_bytes(example("meter")))["lines"][0]["hits"] == 1180


def test_the_signed_request_and_answer_verify():
    headers, body = headers_and_body("request")
    target = "http://" + headers["Host"] + "/exchange/queries"
    asked = verify_request("POST", target, headers, body_digest(body), keys=OneKey(), now=1_790_000_000)
    assert asked.jurisdiction == "340000"
    answer, body = headers_and_body("response")
    digest = body_digest(body)
    told = verify_response(200, answer, digest, asked.signature, keys=OneKey(), now=1_790_000_001)
    assert told.jurisdiction == "340000"


def test_the_wish_for_changes_is_read():
    request = CatalogRequest.read(example("changes"))
    assert Wish.of_filter(request.filter) == Wish(ANY, changes=True, after=1_790_000_000_123_456)


def test_the_receipt_is_a_leaf_letter_for_letter():
    leaf = canonical_bytes(example("receipt"))
    assert Receipt.from_entry(leaf).to_entry() == leaf


def test_the_query_and_the_condition_are_read():
    assert decode(example("query")).key is not None
    assert Predicate.from_document(example("condition")).to_document() == example("condition")


def test_the_agreement_is_within_the_offer():
    asked, agreed = read_terms(example("offer")), read_agreed(example("agreement"))
    assert asked is not None
    assert agreed is not None
    check_within(agreed, asked, agreed.starts_at)
    assert agreed.document() == example("agreement")["hutong:terms"]


def test_the_member_is_a_record_of_the_directory():
    assert record(read_record(example("member"), version=1)) == example("member")


def test_the_refusal_is_said_as_written():
    said = example("refusal")
    assert GrantSuspended(agreement=said["agreement"]).problem() == said


@pytest.mark.parametrize("address", ADDRESSES)
def test_every_address_of_the_control_plane_is_one(address: str):
    assert resolve(address)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_between_pages_lead_somewhere(page: Path):
    for link in re.findall(r"\]\((?!https?:)([^)#]+)", page.read_text(encoding="utf-8")):
        assert (page.parent / link).exists(), link
