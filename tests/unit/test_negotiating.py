"""One node and a scripted peer: both roles of a negotiation and a transfer, over the real addresses."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from hutong.control.agreements import actions, delivery, outbound, protocol, queries
from hutong.control.agreements.decisions import decides, forget
from hutong.control.agreements.models import Agreement, Negotiation, Transfer
from hutong.control.agreements.policy import Kind, read_policy
from hutong.control.agreements.rules import (
    NoOfferMade,
    NothingToChoose,
    NotTheSuspender,
    ReasonMissing,
    SupplementTwice,
    WiderThanAsked,
)
from hutong.control.agreements.signatures import Signature
from hutong.control.agreements.terms import read_agreed
from hutong.control.agreements.transitions import IllegalMove, Machine, Party
from hutong.control.identity.models import Account
from hutong.control.identity.rules import OtherDepartment
from hutong.control.replies import actions as replies
from hutong.control.requests import actions as requests
from hutong.control.requests.models import ShareRequest
from hutong.exchange.models import Entitlement, Grant
from hutong.exchange.shaping.masks import BadMask
from hutong.ledger.models import AuditRecord, LedgerEntry
from hutong.node.models import OutboxMessage
from hutong.vocabulary.canonical import canonical_digest
from hutong.vocabulary.errors import NotAllowed
from hutong.vocabulary.ids import new_id, urn
from tests.dsp_peer import DspPeer, agree, agreed, head_of, heard_of, peer, published, refuse, terms
from tests.region import an_item
from tests.spec import dsp_schemas

pytestmark = pytest.mark.django_db


def state_of(pid: str) -> str:
    return Negotiation.objects.get(pid=pid).state


def verified(anhui: DspPeer, pid: str, mine: str) -> protocol.ContractAgreement:
    """The peer countersigns the newest agreement we sent it."""
    message = anhui.heard(protocol.ContractAgreement)[-1]
    signature = anhui.countersign(message.agreement)
    said = protocol.ContractVerification(pid, mine, signature)
    assert anhui.say(f"/negotiations/{pid}/agreement/verification", said).status_code == 200
    return message


def in_force(anhui: DspPeer, officer: Account, **choice) -> tuple[Agreement, Transfer]:
    """An agreement of ours as provider, delivered: walked there by the real messages."""
    entry = published()
    pid, mine, _ = anhui.request(entry, terms())
    made = agree(officer, pid, **choice)
    verified(anhui, pid, mine)
    message = protocol.TransferRequest(urn(new_id()), made.id, delivery.FORMAT, anhui.callback)
    answer = anhui.say("/transfers/request", message)
    assert (answer.status_code, answer.json()["state"]) == (201, "REQUESTED")
    made.refresh_from_db()
    return made, Transfer.objects.get(agreement=made)


# --- as provider ----------------------------------------------------------------------------------------------


def test_d809_21_an_unconditional_resource_is_agreed_by_rule_at_once(anhui: DspPeer) -> None:
    entry = published("unconditional")
    pid, mine, answer = anhui.request(entry, terms())
    assert answer.status_code == 201
    assert answer.json()["state"] == "REQUESTED"  # the answer is to the request; the agreement is a message of its own
    assert state_of(pid) == "AGREED"
    message = anhui.heard(protocol.ContractAgreement)[0]
    assert (message.provider_pid, message.consumer_pid) == (pid, mine)
    assert message.agreement.assignee == "urn:hutong:node:340000"
    made = read_agreed(message.agreement.document)
    assert made.asked == terms()
    assert made.masks == ({"action": "keep"}, {"action": "name"})  # the catalogue's own masks
    assert AuditRecord.objects.get(kind="agreement.agreed").actor == "rule:D809-21"
    assert anhui.paths() == [f"/dsp/2025-1/negotiations/{mine}/agreement"]


def test_from_request_to_rows_by_rule(anhui: DspPeer) -> None:
    entry = published("unconditional")
    pid, mine, _ = anhui.request(entry, terms())
    message = verified(anhui, pid, mine)
    assert state_of(pid) == "FINALIZED"
    assert [one.event for one in anhui.heard(protocol.ContractEvent)] == ["FINALIZED"]
    assert not Grant.objects.exists()
    request = protocol.TransferRequest(urn(new_id()), message.agreement.id, delivery.FORMAT, anhui.callback)
    assert anhui.say("/transfers/request", request).status_code == 201
    grant = Grant.objects.get()
    assert (grant.state, grant.document["consumer"], grant.document["purposes"]) == ("active", "340000", ["licensing"])
    assert grant.document["items"] == [
        {"name": "uscc", "mask": {"action": "keep"}},
        {"name": "name", "mask": {"action": "name"}},
    ]
    assert Agreement.objects.get().state == "active"
    start = anhui.heard(protocol.TransferStart)[0]
    assert start.data_address["endpoint"].endswith("/exchange")


def test_every_step_leaves_an_audit_record_and_a_ledger_entry_in_the_same_transaction(anhui: DspPeer) -> None:
    pid, mine, _ = anhui.request(published("unconditional"), terms())
    message = verified(anhui, pid, mine)
    kinds = list(AuditRecord.objects.order_by("id").values_list("kind", flat=True))
    assert kinds == [
        *("clock.started", "negotiation.requested", "agreement.agreed", "clock.met", "clock.started"),
        *("agreement.verified", "agreement.finalized"),
    ]
    entries = [bytes(one).decode() for one in LedgerEntry.objects.order_by("id").values_list("entry", flat=True)]
    digest = canonical_digest(message.agreement.document)
    assert [digest in one for one in entries] == [False, False, True, False, False, True, True]
    assert not any("企业开办" in one for one in entries)


def test_d809_21_the_clock_of_a_conditional_request_starts_on_receipt(anhui: DspPeer) -> None:
    pid, _, _ = anhui.request(published(), terms())
    found = Negotiation.objects.get(pid=pid)
    assert found.state == "REQUESTED"
    record = AuditRecord.objects.get(kind="negotiation.requested")
    assert record.detail["attribute"] == "conditional"
    assert record.detail["due"] == (found.due_at.isoformat() if found.due_at else None)


def test_the_officer_agrees_with_a_mask_for_each_item(anhui: DspPeer, officer: Account) -> None:
    made, transfer = in_force(anhui, officer, masks={"name": {"action": "pseudonym"}}, term_days=30)
    assert (made.state, transfer.state) == ("active", "STARTED")
    document = Grant.objects.get().document
    assert document["items"][1] == {"name": "name", "mask": {"action": "pseudonym"}}
    assert document["pseudonym_key"]
    assert made.ends_at - made.starts_at == timedelta(days=30)


def test_a_1_wider_than_asked_the_officer_may_agree_to_less_and_never_to_more(anhui: DspPeer, officer: Account) -> None:
    pid, _, _ = anhui.request(published(), terms())
    for wider in ({"items": ["phone"]}, {"items": []}, {"term_days": 366}, {"masks": {"phone": {"action": "keep"}}}):
        with pytest.raises(WiderThanAsked):
            agree(officer, pid, **wider)
    with pytest.raises(BadMask):
        agree(officer, pid, masks={"name": {"action": "blur"}})
    assert state_of(pid) == "REQUESTED"
    assert agree(officer, pid, items=["name"]).state == "agreed"


def test_only_the_departments_own_officer_answers(anhui: DspPeer, health: dict[str, Account]) -> None:
    pid, _, _ = anhui.request(published(), terms())
    with pytest.raises(OtherDepartment):
        agree(health["officer"], pid)
    with pytest.raises(NotAllowed):
        agree(Account.objects.create(username="qian", role="auditor"), pid)
    assert state_of(pid) == "REQUESTED"


def test_d809_15_and_21_a_refusal_needs_a_reason_and_a_citation(anhui: DspPeer, officer: Account) -> None:
    pid, _, _ = anhui.request(published(), terms())
    with pytest.raises(Exception, match="code from the list"):
        refuse(officer, pid, "because", "不符合", "《政务数据共享条例》第二条")
    with pytest.raises(Exception, match="code from the list"):
        refuse(officer, pid, "no_statutory_duty", " ", "《政务数据共享条例》第二条")
    with pytest.raises(Exception, match="names a law and its article"):
        refuse(officer, pid, "no_statutory_duty", "不属于法定职责", "无")
    with pytest.raises(Exception, match="must cite"):
        refuse(officer, pid, "no_statutory_duty", "不属于法定职责", " ")
    refuse(officer, pid, "no_statutory_duty", "不属于法定职责", "《政务数据共享条例》第二条")
    message = anhui.heard(protocol.ContractTermination)[0]
    assert (message.code, message.refusal) == (
        "no_statutory_duty",
        {"reason": "不属于法定职责", "citation": "《政务数据共享条例》第二条"},
    )
    assert state_of(pid) == "TERMINATED"


def test_d809_14_what_law_forbids_is_refused_by_rule_with_the_catalogues_citation(anhui: DspPeer) -> None:
    pid, _, _ = anhui.request(published("refused"), terms())
    assert state_of(pid) == "TERMINATED"
    message = anhui.heard(protocol.ContractTermination)[0]
    assert (message.code, message.refusal["citation"]) == ("expressly_forbidden", "《某法》第九条")


def test_d809_14_an_item_that_is_not_shared_leaves_the_decision_to_the_officer_who_cannot_agree_to_it(
    anhui: DspPeer, officer: Account
) -> None:
    entry = published("unconditional", [an_item("uscc", "代码"), an_item("name", "名称", attribute="refused")])
    pid, _, _ = anhui.request(entry, terms())
    assert state_of(pid) == "REQUESTED"
    with pytest.raises(Exception, match="may not be shared: name"):
        agree(officer, pid)
    assert agree(officer, pid, items=["uscc"])


def test_d809_21_no_offer_made_without_a_word_of_what_is_missing(anhui: DspPeer, officer: Account) -> None:
    pid, _mine, _ = anhui.request(published(), terms())
    with pytest.raises(NoOfferMade):
        outbound.offer(pid, officer.username)
    assert state_of(pid) == "REQUESTED"


def test_d809_21_supplement_twice_is_refused_the_list_is_made_once_and_completely(
    anhui: DspPeer, officer: Account
) -> None:
    pid, mine, _ = anhui.request(published(), terms())
    replies.ask_supplement(officer, pid, [("basis", "使用依据的文号"), ("scope", "使用范围")])
    offer = anhui.heard(protocol.ContractOffer)[0].offer
    assert offer.document["hutong:supplement"] == [
        {"field": "basis", "wanted": "使用依据的文号"},
        {"field": "scope", "wanted": "使用范围"},
    ]
    counter = protocol.ContractRequest(mine, offer, provider_pid=pid)
    assert anhui.say(f"/negotiations/{pid}/request", counter).status_code == 200
    assert state_of(pid) == "REQUESTED"
    with pytest.raises(SupplementTwice):
        replies.ask_supplement(officer, pid, [("material", "又一份材料")])


def test_d809_16_unknown_dataset_or_items_are_refused_and_keep_nothing(anhui: DspPeer) -> None:
    entry = published()
    _, _, answer = anhui.request(entry, terms(items=("uscc", "salary; DROP TABLE item")))
    assert (answer.status_code, answer.json()["code"]) == (400, "unknown_items")
    assert answer.json()["@type"] == "ContractNegotiationError"
    _, _, answer = anhui.request(entry, terms(where={"op": "eq", "item": "salary", "value": 1}))
    assert answer.json()["code"] == "unknown_items"
    _, _, answer = anhui.request(entry, terms(basis=" "))
    assert answer.json()["code"] == "request_incomplete"
    entry.dataset["@id"] = new_id()
    _, _, answer = anhui.request(entry, terms())
    assert (answer.status_code, answer.json()["code"]) == (400, "unknown_dataset")
    assert not Negotiation.objects.exists()


def test_a_4_foreign_callback_is_refused(anhui: DspPeer) -> None:
    entry = published()
    base = anhui.node.settings.base_url
    for address in ("http://evil.example/dsp", base + ".evil.example/x", base + "/a/../b", base, base + "/x?y=", "x"):
        node = anhui.node
        message = protocol.ContractRequest(urn(new_id()), _offer(entry), callback=address)
        answer = DspPeer(node).say("/negotiations/request", message)
        assert (answer.status_code, answer.json()["code"]) == (400, "foreign_callback"), address
    message = protocol.ContractRequest(urn(new_id()), _offer(entry), callback=base + "/dsp/2025-1/")
    assert anhui.say("/negotiations/request/", message).status_code == 201  # trailing slashes are tolerated


def _offer(entry):
    from hutong.control.agreements.drafting import offer_for

    return offer_for(entry.dataset, terms())


def test_a_5_another_content_is_refused_and_the_same_request_again_is_one_negotiation(anhui: DspPeer) -> None:
    entry = published()
    pid = urn(new_id())
    message = protocol.ContractRequest(pid, _offer(entry), callback=anhui.callback)
    first = anhui.say("/negotiations/request", message)
    again = anhui.say("/negotiations/request", message)
    assert (first.status_code, again.status_code) == (201, 200)
    assert first.json() == again.json()
    assert Negotiation.objects.count() == 1
    other = protocol.ContractRequest(pid, _offer(published()), callback=anhui.callback)
    answer = anhui.say("/negotiations/request", other)
    assert (answer.status_code, answer.json()["code"]) == (400, "another_content")


def test_a5_the_first_request_again_is_the_same_negotiation_whatever_was_offered_since(
    anhui: DspPeer, officer: Account
) -> None:
    message = protocol.ContractRequest(urn(new_id()), _offer(published()), callback=anhui.callback)
    pid = anhui.say("/negotiations/request", message).json()["providerPid"]
    replies.ask_supplement(officer, pid, [("basis", "使用依据的文号")])
    again = anhui.say("/negotiations/request", message)  # our acknowledgement was lost
    assert (again.status_code, again.json()["providerPid"], again.json()["state"]) == (200, pid, "OFFERED")


def test_a_repeated_message_is_harmless_and_an_illegal_one_says_the_state_and_the_rule(anhui: DspPeer) -> None:
    pid, mine, _ = anhui.request(published("unconditional"), terms())
    message = anhui.heard(protocol.ContractAgreement)[0]
    verification = protocol.ContractVerification(pid, mine, anhui.countersign(message.agreement))
    path = f"/negotiations/{pid}/agreement/verification"
    assert anhui.say(path, verification).status_code == 200
    told = OutboxMessage.objects.count()
    answer = anhui.say(path, verification)  # a new message id, now in FINALIZED
    assert answer.status_code == 400
    problem = answer.json()["hutong:problem"]
    assert (problem["state"], problem["rule"], problem["code"]) == ("FINALIZED", "DSP-2025-1", "illegal_move")
    assert dsp_schemas.complaints("negotiation/contract-negotiation-error", answer.json()) == []
    assert OutboxMessage.objects.count() == told


def test_a_2_bad_agreement_signature_the_consumers_own_is_required_under_our_terms(anhui: DspPeer) -> None:
    shanghai = peer("310000")
    pid, mine, _ = anhui.request(published("unconditional"), terms())
    agreement = anhui.heard(protocol.ContractAgreement)[0].agreement
    path = f"/negotiations/{pid}/agreement/verification"
    answer = anhui.say(path, protocol.ContractVerification(pid, mine))
    assert (answer.status_code, answer.json()["code"]) == (400, "agreement_unsigned")
    wrong = [
        shanghai.countersign(agreement),  # another member's key
        Signature(anhui.node.keyid, shanghai.countersign(agreement).value),  # its name, another's signature
        anhui.countersign(anhui.agreement("x", None)),  # its key, another agreement
        Signature("340000#0000000000000000", anhui.countersign(agreement).value),
        Signature(anhui.node.keyid, "not base64"),
    ]
    for signature in wrong:
        answer = anhui.say(path, protocol.ContractVerification(pid, mine, signature))
        assert (answer.status_code, answer.json()["code"]) == (403, "bad_agreement_signature")
    assert state_of(pid) == "AGREED"
    assert anhui.say(path, protocol.ContractVerification(pid, mine, anhui.countersign(agreement))).status_code == 200


@pytest.mark.parametrize("attribute", ["unconditional", "conditional"])
def test_d809_20_without_our_terms_nothing_is_agreed_by_rule_and_an_officer_may_refuse(
    anhui: DspPeer, officer: Account, attribute: str
) -> None:
    pid, _, _ = anhui.request(published(attribute), None)
    assert state_of(pid) == "REQUESTED"
    assert pid in [one.pid for one in queries.inbox(officer)]
    assert not anhui.heard(protocol.ContractAgreement)
    refuse(officer, pid, "no_statutory_duty", "未说明法定职责", "《政务数据共享条例》第二十条")
    assert state_of(pid) == "TERMINATED"


def test_d809_20_nothing_to_choose_for_a_peer_without_our_terms_once_an_officer_agrees(
    anhui: DspPeer, officer: Account
) -> None:
    pid, mine, _ = anhui.request(published("unconditional"), None)
    for choice in ({"masks": {"phone": {"action": "null"}}}, {"items": ["uscc"]}, {"quota_calls_per_day": 5}):
        with pytest.raises(NothingToChoose):
            agree(officer, pid, **choice)
    with pytest.raises(WiderThanAsked):
        agree(officer, pid, term_days=366)
    made = agree(officer, pid, term_days=90)
    assert made.ends_at is not None
    assert round((made.ends_at - made.starts_at) / timedelta(days=1)) == 90
    assert AuditRecord.objects.get(kind="agreement.agreed").actor == head_of(officer).username
    agreement = anhui.heard(protocol.ContractAgreement)[0].agreement
    assert "hutong:terms" not in agreement.document
    plain = protocol.ContractVerification(pid, mine)
    assert anhui.say(f"/negotiations/{pid}/agreement/verification", plain).status_code == 200
    request = protocol.TransferRequest(urn(new_id()), agreement.id, delivery.FORMAT, anhui.callback)
    assert anhui.say("/transfers/request", request).status_code == 201
    assert [one["name"] for one in Grant.objects.get().document["items"]] == ["uscc", "name", "phone"]


def test_a_3_pids_differ_and_nobody_sees_or_moves_anothers_process(anhui: DspPeer) -> None:
    shanghai = peer("310000")
    pid, mine, _ = anhui.request(published(), terms())
    answer = shanghai.say(f"/negotiations/{pid}/termination", protocol.ContractTermination(pid, mine))
    assert (answer.status_code, answer.json()["@type"]) == (404, "ContractNegotiationError")
    assert shanghai.call("GET", f"/negotiations/{pid}").status_code == 404
    answer = anhui.say(f"/negotiations/{pid}/termination", protocol.ContractTermination(pid, urn(new_id())))
    assert (answer.status_code, answer.json()["code"]) == (400, "pids_differ")
    assert state_of(pid) == "REQUESTED"


def test_get_answers_with_a_valid_process_of_either_kind(anhui: DspPeer, officer: Account) -> None:
    made, transfer = in_force(anhui, officer)
    negotiation = anhui.call("GET", f"/negotiations/{made.negotiation_id}/").json()
    assert dsp_schemas.complaints("negotiation/contract-negotiation", negotiation) == []
    assert negotiation["state"] == "FINALIZED"
    process = anhui.call("GET", f"/transfers/{transfer.pid}").json()
    assert dsp_schemas.complaints("transfer/transfer-process", process) == []
    assert process["state"] == "STARTED"


def test_catalog_and_data_set_are_valid_and_an_unknown_one_is_a_catalog_error(anhui: DspPeer) -> None:
    entry = published("unconditional")
    catalog = anhui.say("/catalog/request", protocol.CatalogRequest()).json()
    assert dsp_schemas.complaints("catalog/catalog", catalog) == []
    assert [one["@id"] for one in catalog["dataset"]] == [entry.id]
    dataset = anhui.call("GET", f"/catalog/datasets/{entry.id}").json()
    assert dsp_schemas.complaints("catalog/dataset", dataset) == []
    missing = anhui.call("GET", f"/catalog/datasets/{new_id()}")
    assert (missing.status_code, missing.json()["@type"]) == (404, "CatalogError")
    assert dsp_schemas.complaints("catalog/catalog-error", missing.json()) == []


def test_version_discovery_is_open_and_valid(anhui: DspPeer) -> None:
    for path in ("/.well-known/dspace-version", "/.well-known/dspace-version/"):
        document = anhui.client.get(path).json()
        assert dsp_schemas.complaints("common/protocol-version", document) == []
        assert document["protocolVersions"][0]["path"] == "/dsp/2025-1"


# --- delivery -------------------------------------------------------------------------------------------------


def test_d809_27_reason_missing_is_refused_and_suspending_stops_the_grant_at_once(
    anhui: DspPeer, officer: Account
) -> None:
    made, transfer = in_force(anhui, officer)
    with pytest.raises(ReasonMissing):
        actions.suspend(officer, made.id, " ")
    assert actions.suspend(officer, made.id, "保密核查", cause="secrecy").state == "suspended"
    assert Grant.objects.get().state == "suspended"
    assert anhui.heard(protocol.TransferSuspension)[0].refusal == {"reason": "保密核查"}
    start = protocol.TransferStart(transfer.pid, transfer.peer_pid)
    answer = anhui.say(f"/transfers/{transfer.pid}/start", start)
    assert (answer.status_code, answer.json()["code"]) == (403, "not_the_suspender")
    assert dsp_schemas.complaints("transfer/transfer-error", answer.json()) == []
    assert actions.resume(officer, made.id, "核查完毕").state == "active"
    assert Grant.objects.get().state == "active"
    assert actions.end(officer, made.id, "保密要求", cause="secrecy").state == "ended"
    assert Grant.objects.get().state == "ended"
    with pytest.raises(Exception, match="ended"):
        actions.suspend(officer, made.id, "again")


def test_d809_27_not_the_suspender_the_consumer_alone_resumes_what_it_suspended(
    anhui: DspPeer, officer: Account
) -> None:
    made, transfer = in_force(anhui, officer)
    pids = (transfer.pid, transfer.peer_pid)
    path = f"/transfers/{transfer.pid}"
    assert anhui.say(f"{path}/suspension", protocol.TransferSuspension(*pids)).status_code == 200
    assert Grant.objects.get().state == "suspended"
    with pytest.raises(NotTheSuspender):
        actions.resume(officer, made.id, "why not")
    assert anhui.say(f"{path}/start", protocol.TransferStart(*pids)).status_code == 200
    assert Grant.objects.get().state == "active"
    assert anhui.say(f"{path}/termination", protocol.TransferTermination(*pids)).status_code == 200
    assert (Grant.objects.get().state, Agreement.objects.get().state) == ("ended", "ended")


def test_a_6_delivery_running_is_one_and_a_completed_one_may_be_asked_for_again(
    anhui: DspPeer, officer: Account
) -> None:
    made, transfer = in_force(anhui, officer)
    request = protocol.TransferRequest(urn(new_id()), made.id, delivery.FORMAT, anhui.callback)
    answer = anhui.say("/transfers/request", request)
    assert (answer.status_code, answer.json()["code"]) == (409, "delivery_running")
    completion = protocol.TransferCompletion(transfer.pid, transfer.peer_pid)
    assert anhui.say(f"/transfers/{transfer.pid}/completion", completion).status_code == 200
    assert Grant.objects.get().state == "ended"
    assert anhui.say("/transfers/request", request).status_code == 201
    assert Grant.objects.get().state == "active"


def test_a_request_for_delivery_is_idempotent_by_the_consumers_pid(anhui: DspPeer, officer: Account) -> None:
    made, transfer = in_force(anhui, officer)
    request = protocol.TransferRequest(transfer.peer_pid, made.id, delivery.FORMAT, anhui.callback)
    answer = anhui.say("/transfers/request", request)
    assert (answer.status_code, answer.json()["state"]) == (200, "STARTED")
    other = protocol.TransferRequest(transfer.peer_pid, urn(new_id()), delivery.FORMAT, anhui.callback)
    assert anhui.say("/transfers/request", other).json()["code"] == "another_content"


def test_a_7_unknown_format_is_not_delivered(anhui: DspPeer, officer: Account) -> None:
    pid, mine, _ = anhui.request(published(), terms())
    made = agree(officer, pid)
    verified(anhui, pid, mine)
    odd = protocol.TransferRequest(urn(new_id()), made.id, "AmazonS3-PUSH", anhui.callback)
    assert anhui.say("/transfers/request", odd).json()["code"] == "unknown_format"
    assert not Grant.objects.exists()


def test_d809_22_agreement_not_in_force_delivers_nothing(anhui: DspPeer, officer: Account) -> None:
    pid, mine, _ = anhui.request(published(), terms())
    made = agree(officer, pid)
    request = protocol.TransferRequest(urn(new_id()), made.id, delivery.FORMAT, anhui.callback)
    assert anhui.say("/transfers/request", request).json()["code"] == "agreement_not_in_force"
    verified(anhui, pid, mine)
    shanghai = peer("310000")
    foreign = protocol.TransferRequest(urn(new_id()), made.id, delivery.FORMAT, shanghai.callback)
    assert shanghai.say("/transfers/request", foreign).json()["code"] == "agreement_not_in_force"
    Agreement.objects.update(ends_at=datetime.now(UTC) - timedelta(seconds=1))
    assert anhui.say("/transfers/request", request).json()["code"] == "agreement_not_in_force"
    assert not Grant.objects.exists()


# --- as consumer ----------------------------------------------------------------------------------------------


def filed(health: dict[str, Account], entry_id: str, **changes) -> ShareRequest:
    given = {"basis": "某法", "scenario": "窗口", "scope": "本市", "items": ["uscc", "name"], "purpose": "licensing"}
    made = requests.file(health["officer"], resource_id=entry_id, term_days=365, **(given | changes))
    return requests.sign_off(health["head"], made.id)


def acknowledged(request: ShareRequest) -> tuple[str, str]:
    """The provider's answer to the first message has come. returns (provider pid, our pid)"""
    theirs = urn(new_id())
    Negotiation.objects.filter(pid=request.negotiation_id).update(peer_pid=theirs)
    return theirs, request.negotiation_id


def test_d809_20_a_signed_off_request_goes_out_with_its_terms(anhui: DspPeer, health: dict[str, Account]) -> None:
    entry = heard_of(anhui.node)
    request = filed(health, entry.id, row_condition={"op": "eq", "item": "uscc", "value": "91"})
    assert (request.state, request.signed_off_by) == ("signed_off", "h-head")
    message = anhui.heard(protocol.ContractRequest)[0]
    assert message.callback == "http://127.0.0.1:8399/dsp/2025-1"
    assert message.offer.target == entry.id
    assert message.offer.document["hutong:terms"]["where"] == {"op": "eq", "item": "uscc", "value": "91"}
    assert anhui.paths() == ["/dsp/2025-1/negotiations/request"]


def test_a_good_agreement_is_countersigned_finalised_and_delivery_asked_for_by_itself(
    anhui: DspPeer, health: dict[str, Account]
) -> None:
    request = filed(health, heard_of(anhui.node).id)
    theirs, ours = acknowledged(request)
    asked = requests.terms_of(request)
    policy = anhui.agreement(request.resource_id, agreed(asked))
    message = protocol.ContractAgreement(theirs, ours, policy, anhui.countersign(policy))
    answer = anhui.say(f"/negotiations/{ours}/agreement", message)
    assert (answer.status_code, answer.json()["state"]) == (200, "AGREED")
    assert state_of(ours) == "VERIFIED"
    made = Agreement.objects.get()
    signature = anhui.heard(protocol.ContractVerification)[0].signature
    assert signature.document() == made.consumer_signature
    assert anhui.say(f"/negotiations/{ours}/agreement", message).status_code == 400  # VERIFIED: no longer a repeat
    event = protocol.ContractEvent(theirs, ours, "FINALIZED")
    assert anhui.say(f"/negotiations/{ours}/events", event).status_code == 200
    assert anhui.say(f"/negotiations/{ours}/events", event).status_code == 200  # harmless
    request.refresh_from_db()
    assert request.state == "agreed"
    entitlement = Entitlement.objects.get()
    assert (entitlement.state, entitlement.items, entitlement.purposes) == (
        "pending",
        ["uscc", "name"],
        ["licensing"],
    )
    wanted = anhui.heard(protocol.TransferRequest)
    assert [one.agreement_id for one in wanted] == [policy.id]
    start = protocol.TransferStart(urn(new_id()), wanted[0].consumer_pid)
    assert anhui.say(f"/transfers/{wanted[0].consumer_pid}/start", start).status_code == 200
    assert (Entitlement.objects.get().state, Agreement.objects.get().state) == ("active", "active")
    assert [one.kind for one in queries.timeline(policy.id)][-1] == "transfer.started"
    ended = actions.end(health["officer"], policy.id, "用途已实现")
    assert (ended.state, Entitlement.objects.get().state) == ("ended", "ended")


LIES = {
    "a wider purpose": {"purpose": "statistics"},
    "another item": {"items": ("uscc", "phone")},
    "a longer term": {"term_days": 400},
    "a bigger quota": {"quota_calls_per_day": 100_001},
    "another basis": {"basis": "另一部法"},
    "another department": {"department": "11370800MB28559184"},
    "other rows": {"where": {"op": "is_null", "item": "uscc"}},
}


@pytest.mark.parametrize("lie", LIES)
def test_a_1_agreement_differs_what_says_something_else_is_refused(
    anhui: DspPeer, health: dict[str, Account], lie: str
) -> None:
    from dataclasses import replace

    request = filed(health, heard_of(anhui.node).id)
    theirs, ours = acknowledged(request)
    policy = anhui.agreement(request.resource_id, agreed(replace(requests.terms_of(request), **LIES[lie])))
    message = protocol.ContractAgreement(theirs, ours, policy, anhui.countersign(policy))
    answer = anhui.say(f"/negotiations/{ours}/agreement", message)
    assert (answer.status_code, answer.json()["code"]) == (400, "agreement_differs")
    assert state_of(ours) == "REQUESTED"
    assert not Agreement.objects.exists()


def test_a1_wrong_parties_target_or_days_are_refused(anhui: DspPeer, health: dict[str, Account]) -> None:
    request = filed(health, heard_of(anhui.node).id)
    theirs, ours = acknowledged(request)
    asked, target = requests.terms_of(request), request.resource_id
    later = datetime.now(UTC) + timedelta(days=400)
    wrong = [
        anhui.agreement(target, agreed(asked), assigner="urn:hutong:node:310000"),
        anhui.agreement(target, agreed(asked), assignee="urn:hutong:node:310000"),
        anhui.agreement(new_id(), agreed(asked)),
        anhui.agreement(target, agreed(asked, ends_at=later)),
        anhui.agreement(target, agreed(asked, starts_at=later, ends_at=later + timedelta(days=1))),
    ]
    for policy in wrong:
        message = protocol.ContractAgreement(theirs, ours, policy, anhui.countersign(policy))
        assert anhui.say(f"/negotiations/{ours}/agreement", message).json()["code"] == "agreement_differs"


def test_a_2_agreement_unsigned_terms_need_a_true_signature_and_a_plain_provider_none(
    anhui: DspPeer, health: dict[str, Account]
) -> None:
    shanghai = peer("310000")
    request = filed(health, heard_of(anhui.node).id)
    theirs, ours = acknowledged(request)
    path = f"/negotiations/{ours}/agreement"
    policy = anhui.agreement(request.resource_id, agreed(requests.terms_of(request)))
    answer = anhui.say(path, protocol.ContractAgreement(theirs, ours, policy))
    assert (answer.status_code, answer.json()["code"]) == (400, "agreement_unsigned")
    answer = anhui.say(path, protocol.ContractAgreement(theirs, ours, policy, shanghai.countersign(policy)))
    assert (answer.status_code, answer.json()["code"]) == (403, "bad_agreement_signature")
    plain = anhui.agreement(request.resource_id, None)
    assert anhui.say(path, protocol.ContractAgreement(theirs, ours, plain)).status_code == 200
    assert state_of(ours) == "VERIFIED"
    assert Agreement.objects.get().provider_signature is None


def test_a1_a_plain_agreement_for_another_purpose_is_refused(anhui: DspPeer, health: dict[str, Account]) -> None:
    request = filed(health, heard_of(anhui.node).id)
    theirs, ours = acknowledged(request)
    constraint = {"leftOperand": "purpose", "operator": "eq", "rightOperand": "statistics"}
    rule = {"permission": [{"action": "use", "constraint": [constraint]}]}
    policy = anhui.agreement(request.resource_id, None, **rule)
    answer = anhui.say(f"/negotiations/{ours}/agreement", protocol.ContractAgreement(theirs, ours, policy))
    assert answer.json()["code"] == "agreement_differs"


def test_a_refusal_reaches_the_department_with_reason_and_citation(anhui: DspPeer, health: dict[str, Account]) -> None:
    request = filed(health, heard_of(anhui.node).id)
    theirs, ours = acknowledged(request)
    refusal = {"reason": "不属于法定职责", "citation": "《政务数据共享条例》第二条"}
    message = protocol.ContractTermination(theirs, ours, "no_statutory_duty", ("x",), refusal)
    assert anhui.say(f"/negotiations/{ours}/termination", message).status_code == 200
    request.refresh_from_db()
    assert (request.state, request.refusal_reason, request.refusal_citation) == ("refused", *refusal.values())


def test_an_offer_is_left_to_the_head_who_may_accept_it_or_complete_the_request(
    anhui: DspPeer, health: dict[str, Account]
) -> None:
    request = filed(health, heard_of(anhui.node).id)
    theirs, ours = acknowledged(request)
    offer = anhui.heard(protocol.ContractRequest)[0].offer
    missing = {"hutong:supplement": [{"field": "basis", "wanted": "文号"}]}
    wanting = read_policy({**offer.document, **missing}, Kind.OFFER, "offer")
    assert anhui.say(f"/negotiations/{ours}/offers", protocol.ContractOffer(theirs, wanting, ours)).status_code == 200
    assert state_of(ours) == "OFFERED"
    requests.complete(health["head"], request.id, ["某法第三条"])
    assert anhui.heard(protocol.ContractRequest)[1].offer.document["hutong:terms"]["basis"] == "某法第三条"
    assert anhui.say(f"/negotiations/{ours}/offers", protocol.ContractOffer(theirs, offer, ours)).status_code == 200
    actions.accept_offer(health["head"], ours)
    assert [one.event for one in anhui.heard(protocol.ContractEvent)] == ["ACCEPTED"]


def test_a_provider_may_open_with_an_offer(anhui: DspPeer) -> None:
    offer = _offer(heard_of(anhui.node))
    message = protocol.ContractOffer(urn(new_id()), offer, callback=anhui.callback)
    answer = anhui.say("/negotiations/offers", message)
    assert (answer.status_code, answer.json()["state"]) == (201, "OFFERED")
    assert anhui.say("/negotiations/offers", message).status_code == 200
    assert Negotiation.objects.count() == 1


def test_a_scripted_officer_decides_before_the_nodes_own_rules(anhui: DspPeer) -> None:
    seen = []

    def scripted(negotiation: Negotiation) -> bool:
        seen.append(negotiation.pid)
        outbound.offer(negotiation.pid, "script", bare=True)
        return True

    decides(Machine.NEGOTIATION, "REQUESTED", Party.PROVIDER)(scripted)
    try:
        pid, mine, _ = anhui.request(published("unconditional"), terms())
        assert seen == [pid]
        assert state_of(pid) == "OFFERED"
        offer = anhui.heard(protocol.ContractOffer)[0].offer
        stated = read_policy({**offer.document, "hutong:terms": terms().document()}, Kind.OFFER, "offer")
        counter = protocol.ContractRequest(mine, stated, provider_pid=pid)
    finally:
        forget(scripted)
    assert anhui.say(f"/negotiations/{pid}/request", counter).status_code == 200
    assert state_of(pid) == "AGREED"  # the script is gone, the node's own rule decides
    with pytest.raises(IllegalMove):
        outbound.finalize(pid, "script")
