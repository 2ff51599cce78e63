"""Filing, signing off and withdrawing a request, and what the provider's answers do to it."""

from __future__ import annotations

import json

import orjson
import pytest
from click.testing import CliRunner
from django.db import transaction

from hutong.control.agreements import answers, protocol
from hutong.control.agreements.models import Agreement, Negotiation, Transfer
from hutong.control.agreements.protocol import NegotiationProcess
from hutong.control.agreements.rules import NotAcknowledged
from hutong.control.identity.models import Account
from hutong.control.identity.rules import Operator, OtherDepartment
from hutong.control.organisations.succession import succeed
from hutong.control.replies import laws
from hutong.control.requests import actions
from hutong.control.requests.cli import request as request_cli
from hutong.control.requests.models import ShareRequest
from hutong.control.requests.rules import (
    REFUSALS,
    ItemsNotShared,
    OwnResource,
    OwnSignOff,
    RefusalWithoutCitation,
    RefusalWithoutReason,
    RequestIncomplete,
    UnknownItems,
    check_refusal,
    missing_in,
)
from hutong.exchange.models import Entitlement
from hutong.ledger.models import AuditRecord
from hutong.node.models import OutboxMessage
from hutong.node.settings import current
from hutong.vocabulary.errors import BadInput, NotAllowed, NotFound, Refused, WrongState
from hutong.vocabulary.ids import new_id, urn
from tests.dsp_peer import HEALTH, MARKET, DspPeer, agreed, department, heard_of, published
from tests.region import an_item

pytestmark = pytest.mark.django_db
WORDS = {"basis": "某法第三条", "scenario": "窗口", "scope": "本市", "items": ["uscc", "name"]}
FILING = WORDS | {"purpose": "licensing", "term_days": 365}


@pytest.fixture
def people() -> dict[str, Account]:
    office = department(HEALTH, "卫生健康委员会")
    make = Account.objects.create
    named = {role: make(username=role, role=role, department=office) for role in ("officer", "head")}
    named["auditor"] = make(username="auditor", role="auditor")
    named["other"] = make(username="other", role="head", department=department())
    return named


@pytest.fixture
def sent(anhui: DspPeer, people: dict[str, Account]) -> ShareRequest:
    filed = actions.file(people["officer"], resource_id=heard_of(anhui.node).id, **FILING)
    return actions.sign_off(people["head"], filed.id)


def blank(**changes) -> ShareRequest:
    given = {"basis": "a", "scenario": "b", "scope": "c", "items": ["x"], "mode": "interface", "term_days": 1}
    return ShareRequest(**(given | {"purpose": "licensing", "quota_calls_per_day": 1} | changes))


@pytest.mark.parametrize(
    ("changes", "missing"),
    [
        ({}, []),
        ({"basis": "  "}, ["basis"]),
        ({"scenario": "", "scope": ""}, ["scenario", "scope"]),
        ({"items": []}, ["items"]),
        ({"mode": "pigeon"}, ["mode"]),
        ({"term_days": 0}, ["term_days"]),
        ({"term_days": 3651}, ["term_days"]),
        ({"purpose": "curiosity"}, ["purpose"]),
        ({"quota_calls_per_day": 0}, ["quota_calls_per_day"]),
    ],
)
def test_d809_20_request_incomplete_everything_missing_is_named_at_once(changes, missing) -> None:
    assert missing_in(blank(**changes)) == missing


@pytest.mark.parametrize(("code", "reason"), [("not_held", ""), ("", "非本部门采集"), ("whatever", "非本部门采集")])
def test_d809_21_refusal_without_reason_is_none(code, reason) -> None:
    check_refusal("not_held", "非本部门采集")
    with pytest.raises(RefusalWithoutReason):
        check_refusal(code, reason)


@pytest.mark.parametrize("citation", ["", "  "])
def test_d809_15_refusal_without_citation_is_none(citation) -> None:
    with pytest.raises(RefusalWithoutCitation):
        laws.checked_citation(citation)


def test_every_refusal_code_has_a_sentence_in_both_languages() -> None:
    assert all(one.zh and one.en for one in REFUSALS)


def test_d809_14_items_not_shared_cannot_be_asked_for(anhui: DspPeer, people) -> None:
    items = [an_item("uscc", "代码"), an_item("name", "名称", attribute="refused")]
    entry = heard_of(anhui.node, items=items)
    with pytest.raises(ItemsNotShared, match="name"):
        actions.file(people["officer"], resource_id=entry.id, **FILING)
    assert not ShareRequest.objects.exists()


def test_d809_20_unknown_items_and_odd_conditions_cannot_be_asked_for(anhui: DspPeer, people) -> None:
    entry = heard_of(anhui.node, items=[an_item("uscc", "代码"), an_item("name", "名称")])
    with pytest.raises(UnknownItems, match="salary"):
        actions.file(people["officer"], resource_id=entry.id, **(FILING | {"items": ["uscc", "salary"]}))
    where = {"op": "eq", "item": "secret'; --", "value": "x"}
    with pytest.raises(UnknownItems):
        actions.file(people["officer"], resource_id=entry.id, row_condition=where, **(FILING | {"items": ["uscc"]}))
    where = {"op": "gt", "item": "uscc", "value": 1.5}
    with pytest.raises(BadInput, match="decimals as text"):
        actions.file(people["officer"], resource_id=entry.id, row_condition=where, **(FILING | {"items": ["uscc"]}))
    assert not ShareRequest.objects.exists()
    assert not AuditRecord.objects.filter(kind="request.filed").exists()


def test_d809_20_own_resource_and_unknown_ones_cannot_be_asked_for(anhui: DspPeer, people) -> None:
    with pytest.raises(OwnResource):
        actions.file(people["officer"], resource_id=published().id, **FILING)
    with pytest.raises(NotFound):
        actions.file(people["officer"], resource_id=new_id(), **FILING)
    entry = heard_of(anhui.node)
    with pytest.raises(RequestIncomplete):
        actions.file(people["officer"], resource_id=entry.id, **(FILING | {"term_days": 0}))
    with pytest.raises((NotAllowed, RequestIncomplete)):
        actions.file(people["auditor"], resource_id=entry.id, **FILING)


def test_d809_20_own_sign_off_is_refused_and_only_the_departments_head_signs_off(anhui: DspPeer, people) -> None:
    entry = heard_of(anhui.node)
    filed = actions.file(people["officer"], resource_id=entry.id, **FILING)
    with pytest.raises(NotAllowed):
        actions.sign_off(people["officer"], filed.id)
    with pytest.raises(OtherDepartment):
        actions.sign_off(people["other"], filed.id)
    own = actions.file(people["head"], resource_id=entry.id, **FILING)
    with pytest.raises(OwnSignOff):
        actions.sign_off(people["head"], own.id)
    assert not OutboxMessage.objects.filter(url__contains="/dsp/").exists()
    assert actions.sign_off(people["head"], filed.id).state == "signed_off"
    with pytest.raises(WrongState):
        actions.sign_off(people["head"], filed.id)


def answered(process: Negotiation | Transfer, status: int | None, answer: dict | None) -> None:
    """The courier has the peer's answer to our last message of this process."""
    kind = "negotiation" if isinstance(process, Negotiation) else "transfer"
    message = OutboxMessage.objects.filter(process=f"{kind}:{process.pid}").order_by("-id")[0]
    with transaction.atomic():
        getattr(answers, f"{kind}_answered")(message, status, answer)
    process.refresh_from_db()


def test_the_acknowledgement_gives_the_providers_pid_once(sent: ShareRequest) -> None:
    ours = Negotiation.objects.get(pid=sent.negotiation_id)
    answered(ours, 201, NegotiationProcess("urn:uuid:p1", ours.pid, "REQUESTED").document())
    assert ours.peer_pid == "urn:uuid:p1"
    answered(ours, 200, NegotiationProcess("urn:uuid:p2", ours.pid, "REQUESTED").document())
    assert ours.peer_pid == "urn:uuid:p1"


def test_an_acknowledgement_that_cannot_be_read_is_noted(sent: ShareRequest) -> None:
    ours = Negotiation.objects.get(pid=sent.negotiation_id)
    answered(ours, 201, {"state": "fine"})
    assert ours.peer_pid == ""
    assert AuditRecord.objects.filter(kind="process.bad_acknowledgement").count() == 1


@pytest.mark.parametrize(
    ("status", "answer", "code"),
    [
        (
            400,
            {"@type": "ContractNegotiationError", "code": "unknown_items", "reason": ["no item x", "没有 x"]},
            "unknown_items",
        ),
        (404, None, "404"),
        (None, None, "undelivered"),
    ],
)
def test_a_first_message_that_is_refused_ends_the_request_with_the_reason(sent, status, answer, code) -> None:
    ours = Negotiation.objects.get(pid=sent.negotiation_id)
    answered(ours, status, answer)
    sent.refresh_from_db()
    assert (ours.state, ours.refusal_code, sent.state) == ("TERMINATED", code, "refused")
    assert sent.refusal_reason


def test_a_later_message_that_is_refused_ends_the_negotiation_and_tells_the_peer(anhui, sent) -> None:
    ours = Negotiation.objects.get(pid=sent.negotiation_id)
    Negotiation.objects.filter(pid=ours.pid).update(peer_pid="urn:uuid:p")
    policy = anhui.agreement(sent.resource_id, agreed(actions.terms_of(sent)))
    message = protocol.ContractAgreement("urn:uuid:p", ours.pid, policy, anhui.countersign(policy))
    assert anhui.say(f"/negotiations/{ours.pid}/agreement", message).status_code == 200
    answered(ours, 403, {"code": "bad_agreement_signature", "reason": ["it does not hold"]})
    assert (ours.state, Agreement.objects.get().state) == ("TERMINATED", "ended")
    assert anhui.heard(protocol.ContractTermination)[0].code == "message_refused"
    answered(ours, 400, {"code": "illegal_move"})  # the termination itself: nothing more to do
    assert ours.state == "TERMINATED"


def test_a_provider_that_will_not_deliver_leaves_the_agreement_to_ask_again(anhui, sent, people) -> None:
    ours = Negotiation.objects.get(pid=sent.negotiation_id)
    Negotiation.objects.filter(pid=ours.pid).update(peer_pid="urn:uuid:p")
    policy = anhui.agreement(sent.resource_id, agreed(actions.terms_of(sent)))
    message = protocol.ContractAgreement("urn:uuid:p", ours.pid, policy, anhui.countersign(policy))
    anhui.say(f"/negotiations/{ours.pid}/agreement", message)
    anhui.say(f"/negotiations/{ours.pid}/events", protocol.ContractEvent("urn:uuid:p", ours.pid, "FINALIZED"))
    transfer = Transfer.objects.get()
    answered(transfer, 400, {"code": "unknown_format", "reason": ["no"]})
    assert (transfer.state, Agreement.objects.get().state, Entitlement.objects.get().state) == (
        "TERMINATED",
        "agreed",
        "ended",
    )
    from hutong.control.agreements.actions import ask_delivery

    case_key = bytes(Entitlement.objects.get().case_key)
    assert ask_delivery(people["officer"], policy.id).state == "REQUESTED"
    assert bytes(Entitlement.objects.get().case_key) == case_key


def test_a_request_is_withdrawn_before_or_after_it_was_sent(anhui, sent, people) -> None:
    filed = actions.file(people["officer"], resource_id=sent.resource_id, **FILING)
    assert actions.withdraw(people["officer"], filed.id).state == "withdrawn"
    with pytest.raises(NotAcknowledged):
        actions.withdraw(people["officer"], sent.id, "已不需要")
    sent.refresh_from_db()
    assert sent.state == "signed_off"
    Negotiation.objects.filter(pid=sent.negotiation_id).update(peer_pid=urn(new_id()))
    actions.withdraw(people["officer"], sent.id, "已不需要")
    assert ShareRequest.objects.get(id=sent.id).state == "withdrawn"
    assert anhui.heard(protocol.ContractTermination)[0].refusal["reason"] == "已不需要"


def test_the_commands_file_sign_off_list_and_show(anhui: DspPeer, people) -> None:
    entry = heard_of(anhui.node)
    home, runner = str(current().home), CliRunner()
    words = [part for name in ("basis", "scenario", "scope") for part in (f"--{name}", WORDS[name])]
    line = ["file", home, entry.id, "--items", "uscc, name", "--purpose", "licensing", "--term-days", "30", *words]
    made = runner.invoke(request_cli, [*line, "--where", "uscc = '91' and name is not null", "--as", "officer"])
    assert made.exit_code == 0, made.output
    request_id = made.output.split()[1]
    done = runner.invoke(request_cli, ["sign-off", home, request_id, "--as", "head"])
    assert "on its way to 340000" in done.output
    listed = json.loads(runner.invoke(request_cli, ["list", home, "--json"]).output)
    assert [(one["id"], one["state"], one["items"]) for one in listed] == [(request_id, "signed_off", ["uscc", "name"])]
    shown = orjson.loads(runner.invoke(request_cli, ["show", home, request_id, "--json"]).output)
    assert shown["where"]["op"] == "and"
    assert [one["kind"] for one in shown["timeline"]] == [
        "request.filed",
        "request.signed_off",
        "negotiation.requested",
    ]
    refused = runner.invoke(request_cli, ["sign-off", home, request_id, "--as", "officer"])
    assert isinstance(refused.exception, Refused)


def test_the_requests_of_a_merged_department_go_to_its_successor_which_acts_on_them(
    sent: ShareRequest, people: dict[str, Account]
) -> None:
    filed = actions.file(people["officer"], resource_id=sent.resource_id, **FILING)
    moved = succeed(Operator("operator:root"), HEALTH, MARKET, reason="苏编办〔2026〕3 号").moved
    assert (moved["requests"], moved["negotiations as consumer"]) == (2, 1)
    sent.refresh_from_db()
    assert (sent.department_id, Negotiation.objects.get(pid=sent.negotiation_id).department) == (MARKET, MARKET)
    assert AuditRecord.objects.filter(kind="request.inherited", subject=f"request:{sent.id}").count() == 1
    with pytest.raises(OtherDepartment):
        actions.sign_off(people["head"], filed.id)
    assert actions.sign_off(people["other"], filed.id).state == "signed_off"
