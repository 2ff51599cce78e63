"""The room of offerings: proposing, signing, how each member stands, and what others offer to us."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from hutong.control.agreements.models import Negotiation
from hutong.control.catalogue.models import Entry
from hutong.control.identity.models import Account
from hutong.control.offerings import queries, spreading
from hutong.control.offerings.models import Offering
from hutong.control.requests.models import ShareRequest
from hutong.vocabulary.ids import uuid_of
from tests.dsp_peer import DspPeer, head_of, heard_of, terms
from tests.offering import decline, signed, take_up
from tests.unit.test_offerings import companies, offered_to_us

pytestmark = pytest.mark.django_db


def of(account: Account, language: str = "en") -> Client:
    client = Client(headers={"accept-language": language})
    client.force_login(account)
    return client


def shown(client: Client, name: str, *given: str) -> str:
    answer = client.get(reverse(name, args=given))
    assert answer.status_code == 200
    return str(answer.content.decode())


def test_an_officer_proposes_the_head_signs_and_the_page_tells_how_each_member_stands(
    anhui: DspPeer, officer: Account
) -> None:
    entry, wang, head = companies(), of(officer), of(head_of(officer))
    assert reverse("offering_new") + f"?resource={entry.id}" in shown(wang, "resource", entry.id)
    address = f"{reverse('offering_new')}?resource={entry.id}"
    assert b"secret_note" not in wang.get(address).content
    said: dict[str, Any] = {"to": "members:", "items": ["uscc", "name"], "purposes": ["licensing"], "mode": "interface"}
    said |= {"term_days": 365, "quota_calls_per_day": 100_000, "answer_days": 30}
    assert wang.post(address, said | {"items": []}).status_code == 200
    assert not Offering.objects.exists()
    assert wang.post(address, said).status_code == 302
    made = Offering.objects.get()
    page = shown(wang, "offering", made.id)
    assert "As data officer you may not sign a reply." in page, "a disabled button shows its reason"
    assert wang.post(reverse("offering_sign", args=[made.id])).status_code != 302
    assert head.post(reverse("offering_sign", args=[made.id])).status_code == 302
    spreading.keep_up()
    take_up(anhui, entry, terms(items=("uscc",)))
    page = shown(wang, "offering", made.id)
    assert "1 agreed" in page
    assert "1 sent, its node has not heard yet" in page
    assert "1 已同意" in shown(of(officer, "zh-hans"), "offering", made.id)
    assert "1 agreed" in shown(wang, "offerings")
    assert head.post(reverse("offering_withdraw", args=[made.id]), {"end-reason": ""}).status_code == 200
    assert head.post(reverse("offering_withdraw", args=[made.id]), {"end-reason": "调整"}).status_code == 302
    spreading.keep_up()
    assert "ending, announced" in shown(wang, "offering", made.id)


def test_a_refusal_of_a_member_is_shown_with_its_reason(anhui: DspPeer, officer: Account) -> None:
    made = signed(officer, companies())
    decline(anhui, "本部门无此职责")
    page = shown(of(officer), "offering", made.id)
    assert "1 refused" in page
    assert "本部门无此职责" in page


def test_an_offer_to_us_is_taken_up_with_a_form_begun_or_declined_with_a_reason(
    anhui: DspPeer, health: dict[str, Account]
) -> None:
    entry = heard_of(anhui.node)
    negotiation = offered_to_us(anhui, entry, term_days=90)
    asking, head = of(health["officer"]), of(health["head"])
    page = shown(asking, "offerings")
    assert reverse("request_new", args=[entry.id]) in page
    assert "Decline" not in page, "a head declines"
    form = shown(asking, "request_new", entry.id)
    assert "what stays within the offer is agreed at once" in form
    assert 'value="90"' in form
    given = {"purpose": "licensing", "basis": "某法", "scenario": "窗口", "scope": "本市", "items": ["uscc"]}
    given |= {"mode": "interface", "term_days": "90", "quota_calls_per_day": "1000", "joint": "and"}
    assert asking.post(reverse("request_new", args=[entry.id]), given).status_code == 302
    request = ShareRequest.objects.get()
    assert head.post(reverse("request_sign_off", args=[request.id])).status_code == 302
    negotiation.refresh_from_db()
    assert (negotiation.state, negotiation.request_id) == ("REQUESTED", request.id)
    assert not queries.offered_to_us().exists()


def test_a_head_declines_an_offer(anhui: DspPeer, health: dict[str, Account]) -> None:
    negotiation = offered_to_us(anhui, heard_of(anhui.node))
    bare, head = uuid_of(negotiation.pid), of(health["head"])
    address = reverse("offer_decline", args=[bare])
    assert head.post(address, {f"{bare}-reason": ""}).status_code == 200
    assert head.post(address, {f"{bare}-reason": "无需"}).status_code == 302
    assert Negotiation.objects.get().state == "TERMINATED"


def test_an_offer_whose_entry_is_not_here_is_shown_and_not_taken_up(anhui: DspPeer, health: dict[str, Account]) -> None:
    entry = heard_of(anhui.node)
    offered_to_us(anhui, entry)
    asking, form = of(health["officer"]), reverse("request_new", args=[entry.id])
    said = entry.dataset["hutong:entry"]
    Entry.objects.update(dataset=entry.dataset | {"hutong:entry": said | {"state": "withdrawn"}})
    assert "withdrawn this resource" in shown(asking, "offerings")
    Entry.objects.all().delete()
    page = shown(asking, "offerings")
    assert "Its entry has not arrived here yet." in page
    assert entry.id in page
    assert form not in page


def test_many_offers_to_us_cost_as_many_queries_as_one(anhui: DspPeer, health: dict[str, Account]) -> None:
    asking = of(health["officer"])

    def queries_of_the_page() -> int:
        with CaptureQueriesContext(connection) as caught:
            shown(asking, "offerings")
        return len(caught)

    offered_to_us(anhui, heard_of(anhui.node))
    queries_of_the_page()  # what a process asks once
    for_one = queries_of_the_page()
    for number in range(3):
        offered_to_us(anhui, heard_of(anhui.node, title_zh=f"企业{number}"))
    assert queries_of_the_page() == for_one
