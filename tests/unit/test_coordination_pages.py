"""The rooms of disputes and of returns: what is shown, what may be done, and why not."""

from __future__ import annotations

import pytest
from django.test import Client
from django.urls import reverse

from hutong.control.agreements.models import Negotiation
from hutong.control.disputes import actions
from hutong.control.disputes.models import Dispute
from hutong.control.identity.models import Account
from hutong.control.returns.models import ReturnFlow, ReturnOffer
from hutong.vocabulary.ids import uuid_of
from tests.disputing import open_against_us
from tests.dsp_peer import DspPeer, department, heard_of, peer, published, terms
from tests.region import an_item, neighbour, ourselves

pytestmark = pytest.mark.django_db


@pytest.fixture
def shanghai() -> DspPeer:
    ourselves()
    neighbour("yrd", "region")
    neighbour("100000", "nation")
    return peer("310000")


def signed_in(role: str) -> Client:
    own = None if role == "supervisor" else department()
    client = Client(headers={"accept-language": "en"})
    client.force_login(Account.objects.create(username=role, role=role, department=own))
    return client


def page(client: Client, dispute: Dispute) -> str:
    return client.get(reverse("dispute", args=[uuid_of(dispute.id)])).content.decode()


def act(client: Client, dispute: Dispute, **said: str) -> str:
    address = reverse("dispute_act", args=[uuid_of(dispute.id)])
    return client.post(address, said, follow=True).content.decode()


def test_a_dispute_is_opened_from_a_request_and_walked_up_by_its_head(shanghai):
    pid, _, _ = shanghai.request(published(), terms())
    head = signed_in("head")
    address = reverse("dispute_request", args=[uuid_of(pid)])
    assert "企业登记信息" in head.get(address).content.decode()
    said = {"open-respondent": "310000", "open-title": "申请范围", "open-text": "申请超出目录列明的用途。"}
    shown = head.post(address, said, follow=True).content.decode()
    assert "Opened." in shown
    dispute = Dispute.objects.get()
    assert dispute.about["provider_pid"] == pid
    assert "Only the common superior decides." not in page(head, dispute)
    assert "The parties negotiate first." in page(head, dispute)
    shown = act(head, dispute, do="escalate", **{"say-text": "会商未能一致。"})
    dispute.refresh_from_db()
    assert (dispute.level, dispute.forum) == (2, "100000")
    assert "Only the common superior decides." in shown


def test_an_officer_reads_and_states_and_sees_why_more_is_not_possible(shanghai):
    pid, _, _ = shanghai.request(published(), terms())
    dispute = open_against_us(shanghai, "320000", provider_pid=pid, provider="320000", consumer="310000")
    officer = signed_in("officer")
    assert dispute.department == Negotiation.objects.get(pid=pid).department
    assert "As data officer you may not settle a dispute" in page(officer, dispute)
    assert "不宜提供" in act(officer, dispute, do="state", **{"say-text": "不宜提供。"})
    refused = act(officer, dispute, do="escalate", **{"say-text": "……"})
    assert "not_allowed" in refused


def test_a_supervisor_decides_between_two_departments_of_its_node(shanghai):
    supervisor, head = (
        signed_in("supervisor"),
        Account.objects.create(username="h", role="head", department=department()),
    )
    dispute = actions.open_dispute(head, actions.about_nothing_here("320000", head.department_id), "内部争议", "……")
    actions.escalate(head, dispute.id, "会商未能一致。")
    shown = act(supervisor, dispute, do="decide", **{"outcome-text": "无须处理。", "outcome-do": "none"})
    assert "decision_without_grounds" in shown
    said = {"outcome-text": "无须处理。", "outcome-citation": "条例第二十八条", "outcome-do": "none"}
    assert "closed" in act(supervisor, dispute, do="decide", **said)


def test_an_offer_from_above_is_asked_for_with_its_area(shanghai):
    nation = DspPeer(neighbour("110000", "province"))
    described = [an_item("uscc", "代码", key=True), an_item("area", "行政区划代码", element="area_code")]
    entry = heard_of(nation.node, items=described)
    officer = signed_in("officer")
    refused = officer.post(
        reverse("return_ask", args=[entry.id]), {"ask-area": "320000", "ask-purpose": "supervision"}
    ).content.decode()
    assert "not_its_area" in refused
    assert not ReturnFlow.objects.exists()


def test_the_room_of_returns_lists_offers_and_says_what_waits(shanghai):
    given = {"peer": "100000", "area": "320000", "title_zh": "人口基础信息", "title_en": "Population"}
    ReturnOffer.objects.create(
        resource_id="01a208c7-b9f2-74b8-bc49-9e15b284a799", provenance=[{"node": "100000", "resource": "r"}], **given
    )
    shown = signed_in("officer").get(reverse("returns")).content.decode()
    assert "Population" in shown
    assert "Ask for it" in shown
