"""What the conformance kit does not ask of the protocol's addresses: who signed, a peer that speaks the bare standard,
and one that uses our extensions to lie.
"""

from __future__ import annotations

import time
from dataclasses import replace
from typing import Any

import orjson
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from hutong.control.agreements import actions, outbound
from hutong.control.agreements.models import Agreement, Negotiation, Transfer
from hutong.control.agreements.terms import AgreedTerms
from hutong.control.identity.models import Account
from hutong.control.requests import actions as requests
from hutong.control.requests.models import ShareRequest
from hutong.exchange.models import Entitlement, Grant
from hutong.ledger.models import AuditRecord
from hutong.node.keys import SigningKey, key_id
from hutong.node.models import InboxMessage, OutboxMessage
from hutong.node.settings import current
from hutong.node.signatures import body_digest, sign_request
from hutong.vocabulary.ids import new_id, urn
from tests import dsp_messages
from tests.dsp_messages import PLACES, message
from tests.dsp_peer import DSP, DspPeer, agree, agreed, heard_of, published, terms
from tests.spec import dsp_schemas

pytestmark = pytest.mark.django_db

SCHEMAS = {
    "ContractAgreementMessage": "negotiation/contract-agreement-message",
    "ContractAgreementVerificationMessage": "negotiation/contract-agreement-verification-message",
    "ContractNegotiationEventMessage": "negotiation/contract-negotiation-event-message",
    "ContractOfferMessage": "negotiation/contract-offer-message",
    "ContractRequestMessage": "negotiation/contract-request-message",
    "TransferRequestMessage": "transfer/transfer-request-message",
    "TransferStartMessage": "transfer/transfer-start-message",
}
IN_NEGOTIATION = [said for said in PLACES if not said.startswith("TRANSFER")]


def counts() -> tuple[int, ...]:
    """Everything that a message could have left behind."""
    kept = (AuditRecord, Negotiation, Agreement, Transfer, Grant, OutboxMessage, InboxMessage)
    return tuple(model.objects.count() for model in kept)


# --- who signed -----------------------------------------------------------------------------------------------

BODY = orjson.dumps(message("TERMINATION", providerPid="p", consumerPid="c"))
ADDRESSES = [
    *(("POST", f"/negotiations/{place}") for place in ("request", "offers")),
    *(("POST", f"/negotiations/PID/{PLACES[said][1]}") for said in IN_NEGOTIATION),
    *(("POST", f"/transfers/{place}") for place in ("request", "PID/start", "PID/suspension", "PID/completion")),
    ("POST", "/transfers/PID/termination"),
    ("POST", "/catalog/request"),
    ("GET", "/negotiations/PID"),
    ("GET", "/transfers/PID"),
]


def stranger(name: str = "990000") -> SigningKey:
    private = Ed25519PrivateKey.generate()
    public = private.public_key().public_bytes_raw()
    return SigningKey(key_id(name, public), private, public)


def signed(anhui: DspPeer, method: str, path: str, body: bytes, fault: str) -> dict[str, str]:
    """The headers of a call with one fault."""
    key = {"a stranger's key": stranger(), "another's key under its name": replace(stranger(), keyid=anhui.key.keyid)}
    return sign_request(
        method,
        current().base_url + (DSP + path if fault != "for another address" else "/hutong/ping"),
        body_digest(b"{}" if fault == "over another body" else body),
        key.get(fault, anhui.key),
        message_id=new_id(),
        now=time.time() + {"too old": -400, "too new": 400}.get(fault, 0),
    )


FAULTS = {
    "none at all": "unsigned",
    "a stranger's key": "unknown_peer",
    "another's key under its name": "bad_signature",
    "over another body": "bad_signature",
    "for another address": "bad_signature",
    "too old": "stale_message",
    "too new": "stale_message",
}


@pytest.mark.parametrize("fault", FAULTS)
def test_no_address_of_the_protocol_takes_a_message_that_is_not_truly_signed(anhui: DspPeer, fault: str) -> None:
    pid, _, _ = anhui.request(published(), terms())
    before = counts()
    for method, place in ADDRESSES:
        path, body = place.replace("PID", pid), BODY if method == "POST" else b""
        headers = {} if fault == "none at all" else signed(anhui, method, path, body, fault)
        answer = anhui.client.generic(method, DSP + path, body, content_type="application/json", headers=headers)
        assert (answer.status_code, answer.json()["code"]) == (401, FAULTS[fault]), path
    assert counts() == before


def test_the_same_signed_bytes_again_are_a_replay_even_of_a_refused_message(anhui: DspPeer) -> None:
    pid, mine, _ = anhui.request(published(), terms())
    path = f"/negotiations/{pid}/events"
    body = orjson.dumps(message("ACCEPTED", providerPid=pid, consumerPid=mine))
    headers = signed(anhui, "POST", path, body, "")
    answers = [
        anhui.client.generic("POST", DSP + path, body, content_type="application/json", headers=headers)
        for _ in range(2)
    ]
    assert [(one.status_code, one.json()["code"]) for one in answers] == [(400, "illegal_move"), (409, "replayed")]
    assert Negotiation.objects.get().state == "REQUESTED"


# --- a peer that speaks the bare standard ---------------------------------------------------------------------


def told(anhui: DspPeer, said: str) -> dict[str, Any]:
    """The newest message of ours, which must be valid by the official schema."""
    newest = OutboxMessage.objects.filter(peer=anhui.jurisdiction).order_by("-id").first()
    assert newest is not None
    body = orjson.loads(bytes(newest.body))
    assert dsp_messages.said_by(body) == said
    assert dsp_schemas.complaints(SCHEMAS[body["@type"]], body) == []
    return body


def says(anhui: DspPeer, machine: str, said: str, pids: tuple[str, str], **members: Any) -> dict[str, Any]:
    """The bare peer says something of a process; our answer must be valid too."""
    ours = Negotiation if machine == "negotiation" else Transfer
    pid = next(one for one in pids if ours.objects.filter(pid=one).exists())
    body = message(said, providerPid=pids[0], consumerPid=pids[1], **members)
    answer = anhui.call("POST", f"/{machine}s/{pid}/{PLACES[said][1]}", body)
    assert answer.status_code == 200, answer.content
    kind = "negotiation/contract-negotiation" if machine == "negotiation" else "transfer/transfer-process"
    assert dsp_schemas.complaints(kind, answer.json()) == []
    return answer.json()


def requested(anhui: DspPeer, health: dict[str, Account], *items: str) -> ShareRequest:
    """A request of ours to the peer, signed off and on its way."""
    given = {"basis": "某法", "scenario": "窗口", "scope": "本市", "items": list(items), "purpose": "licensing"}
    filed = requests.file(health["officer"], resource_id=heard_of(anhui.node).id, term_days=30, **given)
    return requests.sign_off(health["head"], filed.id)


def bare_offer(dataset: dict[str, Any]) -> dict[str, Any]:
    """The offer as a connector that knows ODRL only takes it from the catalogue: its id, target and rules."""
    rules = dataset["hasPolicy"][0]
    kept = ("@id", "permission", "prohibition", "obligation")
    return {**{name: rules[name] for name in kept if name in rules}, "@type": "Offer", "target": dataset["@id"]}


@pytest.mark.usefixtures("real_data")
def test_a_bare_consumer_gets_its_agreement_and_data_once_an_officer_agrees(anhui: DspPeer, officer: Account) -> None:
    published("unconditional")
    asked = {"@context": [dsp_messages.CONTEXT], "@type": "CatalogRequestMessage"}
    [dataset] = anhui.call("POST", "/catalog/request", asked).json()["dataset"]
    mine = urn(new_id())
    first = message("REQUEST", consumerPid=mine, callbackAddress=anhui.callback, offer=bare_offer(dataset))
    answer = anhui.call("POST", "/negotiations/request", first)
    assert (answer.status_code, dsp_schemas.complaints("negotiation/contract-negotiation", answer.json())) == (201, [])
    pids = answer.json()["providerPid"], mine
    assert Negotiation.objects.get().state == "REQUESTED"  # D809-20: no rule agrees to it
    agree(officer, pids[0])
    agreement = told(anhui, "AGREEMENT")["agreement"]
    assert says(anhui, "negotiation", "VERIFICATION", pids)["state"] == "VERIFIED"
    told(anhui, "FINALIZED")
    assert Negotiation.objects.get().state == "FINALIZED"
    wanted = message(
        "TRANSFER_REQUEST",
        consumerPid=urn(new_id()),
        agreementId=agreement["@id"],
        format="HttpData-PULL",
        callbackAddress=anhui.callback,
    )
    process = anhui.call("POST", "/transfers/request", wanted).json()
    assert dsp_schemas.complaints("transfer/transfer-process", process) == []
    told(anhui, "TRANSFER_START")
    assert Grant.objects.get().state == "active"
    delivery = process["providerPid"], process["consumerPid"]
    assert says(anhui, "transfer", "TRANSFER_COMPLETION", delivery)["state"] == "COMPLETED"
    assert Grant.objects.get().state == "ended"


@pytest.mark.usefixtures("real_data")
def test_a_bare_provider_is_asked_agreed_with_and_read_from(anhui: DspPeer, health: dict[str, Account]) -> None:
    requested(anhui, health, "uscc")
    asked = told(anhui, "REQUEST")
    pids = urn(new_id()), asked["consumerPid"]
    purpose = {"leftOperand": "purpose", "operator": "eq", "rightOperand": "licensing"}
    made = {
        "@id": urn(new_id()),
        "@type": "Agreement",
        "target": asked["offer"]["target"],
        "assigner": anhui.participant,
        "assignee": f"urn:hutong:node:{current().jurisdiction}",
        "timestamp": "2026-11-23T10:00:00Z",
        "permission": [{"action": "use", "constraint": [purpose]}],
    }
    assert says(anhui, "negotiation", "AGREEMENT", pids, agreement=made)["state"] == "AGREED"
    told(anhui, "VERIFICATION")
    assert says(anhui, "negotiation", "FINALIZED", pids)["state"] == "FINALIZED"
    wanted = told(anhui, "TRANSFER_REQUEST")
    assert wanted["agreementId"] == made["@id"]
    delivery = urn(new_id()), wanted["consumerPid"]
    address = {"@type": "DataAddress", "endpointType": "https://w3id.org/idsa/v4.1/HTTP", "endpoint": anhui.callback}
    assert says(anhui, "transfer", "TRANSFER_START", delivery, dataAddress=address)["state"] == "STARTED"
    assert Entitlement.objects.get().state == "active"


# --- a peer that lies in our own extensions -------------------------------------------------------------------


def test_a2_a_signature_over_another_agreement_is_refused_with_the_reason_and_nothing_moves(
    anhui: DspPeer, health: dict[str, Account]
) -> None:
    filed = requested(anhui, health, "uscc")
    ours, theirs = Negotiation.objects.get().pid, urn(new_id())
    told_terms = agreed(requests.terms_of(filed))
    policy = anhui.agreement(filed.resource_id, told_terms)
    other = anhui.agreement(filed.resource_id, replace(told_terms, masks=({"action": "null"},)))
    before = counts()
    lies = {
        "another document": anhui.countersign(other).document(),
        "another algorithm": {**anhui.countersign(policy).document(), "alg": "none"},
        "no value": {"keyid": anhui.key.keyid, "alg": "ed25519"},
        "a key nobody has": {**anhui.countersign(policy).document(), "keyid": "320000#0000000000000000"},
        "not an object": "signed",
        "null": None,
    }
    for lie, signature in lies.items():
        body = message("AGREEMENT", providerPid=theirs, consumerPid=ours, agreement=policy.document)
        answer = anhui.call("POST", f"/negotiations/{ours}/agreement", {**body, "hutong:signature": signature})
        assert 400 <= answer.status_code < 404, lie
        told_why = answer.json()
        assert told_why["code"] in ("bad_agreement_signature", "malformed_message"), lie
        assert all(told_why["reason"]), lie
    assert counts() == before
    assert Negotiation.objects.get().state == "REQUESTED"


@pytest.mark.parametrize("terms_told", ["signed", [], {}, {"items": []}, {"items": ["uscc"], "mode": "by hand"}, None])
def test_terms_that_cannot_be_read_are_refused_and_never_ignored(anhui: DspPeer, terms_told: Any) -> None:
    """Ignoring them would agree to something else than was asked."""
    entry = published("unconditional")
    before = counts()
    offer = {**bare_offer(entry.dataset), "hutong:terms": terms_told}
    first = message("REQUEST", consumerPid=urn(new_id()), callbackAddress=anhui.callback, offer=offer)
    answer = anhui.call("POST", "/negotiations/request", first)
    assert (answer.status_code, answer.json()["code"]) == (400, "malformed_message")
    assert counts() == before


def agreement_body(anhui: DspPeer, pids: tuple[str, str], target: str, told_terms: AgreedTerms) -> dict[str, Any]:
    policy = anhui.agreement(target, told_terms)
    signature = anhui.countersign(policy).document()
    body = message("AGREEMENT", providerPid=pids[0], consumerPid=pids[1], agreement=policy.document)
    return {**body, "hutong:signature": signature}


def test_a1_an_agreement_beyond_the_accepted_offer_is_refused_even_within_the_request(
    anhui: DspPeer, health: dict[str, Account]
) -> None:
    filed = requested(anhui, health, "uscc", "name")
    pids = urn(new_id()), Negotiation.objects.get().pid
    asked = requests.terms_of(filed)
    offered = replace(asked, items=("uscc",))
    offer = {**told(anhui, "REQUEST")["offer"], "@id": urn(new_id()), "hutong:terms": offered.document()}
    assert says(anhui, "negotiation", "OFFER", pids, offer=offer)["state"] == "OFFERED"
    actions.accept_offer(health["head"], pids[1])
    before, path = counts(), f"/negotiations/{pids[1]}/agreement"
    answer = anhui.call("POST", path, agreement_body(anhui, pids, filed.resource_id, agreed(asked)))
    assert (answer.status_code, answer.json()["code"]) == (400, "agreement_differs")
    assert counts() == before
    assert Negotiation.objects.get().state == "ACCEPTED"
    answer = anhui.call("POST", path, agreement_body(anhui, pids, filed.resource_id, agreed(offered)))
    assert (answer.status_code, answer.json()["state"]) == (200, "AGREED")


def test_a1_an_agreement_other_than_the_offer_a_provider_opened_with_is_refused(
    anhui: DspPeer, health: dict[str, Account]
) -> None:
    dataset = heard_of(anhui.node).dataset
    theirs, offered = urn(new_id()), terms()
    offer = {**bare_offer(dataset), "hutong:terms": offered.document()}
    first = message("OFFER", providerPid=theirs, callbackAddress=anhui.callback, offer=offer)
    ours = anhui.call("POST", "/negotiations/offers", first).json()["consumerPid"]
    outbound.accept(ours, "h-head")
    before = counts()
    lie = agreement_body(anhui, (theirs, ours), dataset["@id"], agreed(replace(offered, purpose="statistics")))
    answer = anhui.call("POST", f"/negotiations/{ours}/agreement", lie)
    assert (answer.status_code, answer.json()["code"]) == (400, "agreement_differs")
    assert counts() == before


def test_an_offer_with_terms_that_cannot_be_read_is_refused_when_it_comes(anhui: DspPeer) -> None:
    offer = {**bare_offer(heard_of(anhui.node).dataset), "hutong:terms": {"items": []}}
    first = message("OFFER", providerPid=urn(new_id()), callbackAddress=anhui.callback, offer=offer)
    answer = anhui.call("POST", "/negotiations/offers", first)
    assert (answer.status_code, answer.json()["code"]) == (400, "malformed_message")
    assert not Negotiation.objects.exists()
