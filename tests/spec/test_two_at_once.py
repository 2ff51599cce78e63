"""Messages that meet: two negotiations for one offer, and one negotiation begun twice in the same moment."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import date
from functools import partial
from threading import Barrier, BrokenBarrierError
from typing import Any

import pytest
from django.db import connections, transaction
from django.test import Client

from hutong.control.agreements import delivery, outbound, protocol
from hutong.control.agreements.decisions import decides, forget
from hutong.control.agreements.drafting import offer_for
from hutong.control.agreements.models import Agreement, Negotiation, Transfer
from hutong.control.agreements.transitions import Machine, Party
from hutong.control.demands import actions as demands
from hutong.control.demands.models import Demand
from hutong.control.disputes import actions as disputes
from hutong.control.disputes import docket, effects, reopened
from hutong.control.disputes.models import Mandate
from hutong.control.statute import day
from hutong.exchange.models import Grant
from hutong.ledger.models import AuditRecord, LedgerEntry
from hutong.node import work
from hutong.vocabulary.ids import new_id, urn
from tests.demanding import delta
from tests.disputing import open_against_us, paper, send
from tests.dsp_peer import DspPeer, peer, published, terms
from tests.region import neighbour, ourselves

AT_ONCE = 6


@pytest.fixture
def anhui(database_file: None) -> DspPeer:
    ourselves()
    neighbour("yrd", "region")
    return peer("340000")


def at_once(*calls: Callable[[], Any]) -> list[Any]:
    """Every call in a thread of its own, let go together. returns their answers in order"""
    gate = Barrier(len(calls))

    def go(call: Callable[[], Any]) -> Any:
        gate.wait()
        try:
            return call()
        finally:
            connections.close_all()

    with ThreadPoolExecutor(len(calls)) as pool:
        return list(pool.map(go, calls))


def asking(member: DspPeer, path: str, message: Any, message_id: str = "") -> Callable[[], Any]:
    client = DspPeer(member.node, Client())
    return lambda: client.say(path, message, message_id=message_id or new_id())


def first_request(member: DspPeer, dataset: dict[str, Any]) -> protocol.ContractRequest:
    return protocol.ContractRequest(urn(new_id()), offer_for(dataset, terms()), callback=member.callback)


def test_negotiations_for_one_offer_at_once_are_each_their_own(anhui: DspPeer) -> None:
    shanghai, entry = peer("310000"), published("unconditional")
    members = [anhui, shanghai] * (AT_ONCE // 2)
    answers = at_once(*(asking(one, "/negotiations/request", first_request(one, entry.dataset)) for one in members))
    assert [answer.status_code for answer in answers] == [201] * AT_ONCE
    assert len({answer.json()["providerPid"] for answer in answers}) == AT_ONCE
    assert set(Negotiation.objects.values_list("state", flat=True)) == {"AGREED"}
    assert Agreement.objects.count() == AT_ONCE
    assert AuditRecord.objects.filter(kind="agreement.agreed").count() == AT_ONCE
    for one in (anhui, shanghai):
        assert len(one.heard(protocol.ContractAgreement)) == AT_ONCE // 2
        told = {message.agreement.assignee for message in one.heard(protocol.ContractAgreement)}
        assert told == {one.participant}


@pytest.mark.parametrize("message_id", [new_id(), ""], ids=["one message", "a message each"])
def test_a5_one_first_request_many_times_at_once_is_one_negotiation(anhui: DspPeer, message_id: str) -> None:
    message = first_request(anhui, published("unconditional").dataset)
    answers = at_once(*[asking(anhui, "/negotiations/request", message, message_id)] * AT_ONCE)
    assert {answer.status_code for answer in answers} <= {200, 201}
    assert len({answer.json()["providerPid"] for answer in answers}) == 1
    assert Negotiation.objects.get().state == "AGREED"
    kinds = list(AuditRecord.objects.order_by("kind").values_list("kind", flat=True))
    assert kinds == ["agreement.agreed", "clock.met", "clock.started", "clock.started", "negotiation.requested"]
    assert LedgerEntry.objects.count() == 5


def in_force(member: DspPeer) -> str:
    """An agreement finalised by the real messages. returns its id"""
    pid, mine, _ = member.request(published("unconditional"), terms())
    agreement = member.heard(protocol.ContractAgreement)[-1].agreement
    verification = protocol.ContractVerification(pid, mine, member.countersign(agreement))
    assert member.say(f"/negotiations/{pid}/agreement/verification", verification).status_code == 200
    return str(agreement.id)


def test_a5_one_request_for_delivery_many_times_at_once_is_one_delivery(anhui: DspPeer) -> None:
    message = protocol.TransferRequest(urn(new_id()), in_force(anhui), delivery.FORMAT, anhui.callback)
    answers = at_once(*[asking(anhui, "/transfers/request", message)] * AT_ONCE)
    assert {answer.status_code for answer in answers} <= {200, 201}, [answer.content for answer in answers]
    assert Transfer.objects.get().state == "STARTED"
    assert Grant.objects.count() == 1


def test_a6_two_requests_for_delivery_at_once_are_one_delivery_and_one_refusal(anhui: DspPeer) -> None:
    agreement = in_force(anhui)
    wanted = [protocol.TransferRequest(urn(new_id()), agreement, delivery.FORMAT, anhui.callback) for _ in range(2)]
    answers = at_once(*(asking(anhui, "/transfers/request", one) for one in wanted))
    assert sorted(answer.status_code for answer in answers) == [201, 409]
    assert {answer.json().get("code") for answer in answers} == {None, "delivery_running"}
    assert Transfer.objects.count() == 1


def test_moves_of_both_sides_that_meet_leave_one_of_them_refused(anhui: DspPeer) -> None:
    """The peer ends what our officer agrees to in the same moment: one comes first, and the other is told so."""
    from hutong.vocabulary.errors import Refused

    pid, mine, _ = anhui.request(published(), None)

    def agree() -> str:
        try:
            outbound.agree(pid, None, "tester")
        except Refused as refused:
            return refused.code
        return "agreed"

    ending = asking(anhui, f"/negotiations/{pid}/termination", protocol.ContractTermination(pid, mine))
    ours, theirs = at_once(agree, ending)
    # Ending is legal before and after the agreement; agreeing only before the end.
    assert theirs.status_code == 200
    assert ours in ("agreed", "illegal_move")
    assert Negotiation.objects.get().state == "TERMINATED"
    steps = AuditRecord.objects.exclude(kind__startswith="clock.").order_by("id")
    kinds = list(steps.values_list("kind", flat=True))
    between = ["agreement.agreed"] if ours == "agreed" else []
    assert kinds == ["negotiation.requested", *between, "negotiation.terminated"]
    assert not Agreement.objects.exclude(state="ended").exists()


def test_d809_19_demands_alike_signed_off_at_once_are_one_in_work_and_the_others_join_it(
    database_file: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(day, "today", lambda: date(2026, 11, 23))
    here = delta()
    filed = [here.filed(target="320000") for _ in range(AT_ONCE)]
    at_once(*(partial(demands.sign_off, here.head, one.id) for one in filed))
    (main,) = Demand.objects.filter(state="open")
    assert set(Demand.objects.exclude(id=main.id).values_list("state", "joined_to")) == {("joined", main.id)}
    assert AuditRecord.objects.filter(kind="demand.signed_off").count() == AT_ONCE


def test_a_decision_and_the_request_it_is_about_in_one_moment_end_in_the_agreement(
    anhui: DspPeer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each transaction looks for what the other one writes, and ends only when both have looked."""
    nation, entry = peer("100000"), published()
    pid, _, _ = anhui.request(entry, terms())
    with transaction.atomic():
        outbound.terminate(pid, "not_held", "非本部门采集", "《政务数据共享条例》第十九条", "tester")
    about = disputes.about_request(pid).about | {"origin": "request"}
    dispute = open_against_us(anhui, "320000", **about)
    brought_up = paper(anhui, dispute.id, "escalated", "claimant", level=2, forum="100000")
    assert send(anhui, dispute.id, brought_up).status_code == 200
    effect = disputes.effect_of(dispute, "agree").document()
    end = paper(nation, dispute.id, "decided", "forum", level=2, citation="条例第二十八条", effects=[effect])
    both_looked, agree, woken = Barrier(2), effects._agree, list[str]()

    def wait() -> None:
        with suppress(BrokenBarrierError):  # where one writer is let in at a time, the second looks after the first
            both_looked.wait(timeout=1.0)

    def agree_slowly(mandate: Mandate) -> bool:
        done = agree(mandate)
        wait()
        return done

    @decides(Machine.NEGOTIATION, "REQUESTED", Party.PROVIDER)
    def answer_slowly(negotiation: Negotiation) -> bool:
        done = reopened.agree_as_decided(negotiation)
        wait()
        return done

    monkeypatch.setitem(effects._DO, "agree", agree_slowly)
    monkeypatch.setattr(work, "wake", woken.append)
    request = asking(anhui, "/negotiations/request", first_request(anhui, entry.dataset))
    client = DspPeer(nation.node, Client())
    try:
        decided, asked = at_once(lambda: send(client, dispute.id, end), request)
    finally:
        forget(answer_slowly)
    assert (decided.status_code, asked.status_code) == (200, 201)
    assert effects.AGREEING in woken
    monkeypatch.setitem(effects._DO, "agree", agree)
    docket.agree_waiting()
    dispute.refresh_from_db()
    assert (dispute.state, Agreement.objects.count()) == ("executed", 1)
