"""The request form, the head's desk, the provider's inbox and the agreement page, as a browser posts them."""

from __future__ import annotations

import re
from datetime import timedelta
from html import unescape

import pytest
from django.test import Client
from django.urls import reverse

from hutong.control.agreements.drafting import new_offer
from hutong.control.agreements.models import Agreement, Negotiation
from hutong.control.agreements.protocol import ContractOffer
from hutong.control.agreements.supplement import Point
from hutong.control.catalogue.models import Entry
from hutong.control.identity.models import Account
from hutong.control.requests.models import ShareRequest
from hutong.exchange.models import ApiKey
from hutong.portal.heads import desk
from hutong.vocabulary.canonical import digest
from hutong.vocabulary.ids import new_id, urn, uuid_of
from tests.dsp_peer import DspPeer, department, heard_of, published, terms

pytestmark = pytest.mark.django_db
FORM = {
    "purpose": "licensing",
    "basis": "《行政许可法》第三十一条",
    "scenario": "企业迁入核验",
    "scope": "登记窗口",
    "items": ["uscc", "name"],
    "joint": "and",
    "condition_item_0": "name",
    "condition_op_0": "contains",
    "condition_value_0": "南京",
    "mode": "interface",
    "term_days": "365",
    "quota_calls_per_day": "1000",
}


@pytest.fixture
def entry(anhui: DspPeer) -> Entry:
    return heard_of(anhui.node)


def signed_in(role: str, username: str = "") -> Client:
    account = Account.objects.create(username=username or role, role=role, department=department())
    client = Client(headers={"accept-language": "en"})
    client.force_login(account)
    return client


def shown(answer: object) -> str:
    return answer.content.decode()  # type: ignore[attr-defined]


def test_a_request_is_filed_signed_off_and_sent(entry: Entry):
    officer, head = signed_in("officer"), signed_in("head")
    answer = officer.post(reverse("request_new", args=[entry.id]), FORM)
    request = ShareRequest.objects.get()
    assert answer["Location"] == reverse("request", args=[request.id])
    assert request.row_condition == {"op": "contains", "item": "name", "value": "南京"}
    assert "As data officer you may not sign off a request." in shown(officer.get(answer["Location"]))
    desk = shown(head.get(reverse("desk")))
    assert "企业名称 contains “南京”" in desk
    assert head.post(reverse("request_sign_off", args=[request.id])).status_code == 302
    request.refresh_from_db()
    assert request.state == "signed_off"
    assert "with the provider" in shown(officer.get(reverse("request", args=[request.id])))


def test_the_heads_desk_begins_with_what_has_waited_longest_and_has_pages(entry: Entry, monkeypatch):
    monkeypatch.setattr(desk, "ROWS", 2)
    officer, head = signed_in("officer"), signed_in("head")
    for scope in ("第一", "第二", "第三"):
        officer.post(reverse("request_new", args=[entry.id]), FORM | {"scope": f"{scope}窗口"})
    first = head.get(reverse("desk"))
    assert [scope in shown(first) for scope in ("第一窗口", "第二窗口", "第三窗口")] == [True, True, False]
    assert shown(first).index("第一窗口") < shown(first).index("第二窗口")
    second = head.get(unescape(re.search(r'rel="next" href="([^"]+)"', shown(first))[1]))
    assert [scope in shown(second) for scope in ("第一窗口", "第二窗口", "第三窗口")] == [False, False, True]
    back = head.get(unescape(re.search(r'rel="prev" href="([^"]+)"', shown(second))[1]))
    assert [scope in shown(back) for scope in ("第一窗口", "第二窗口", "第三窗口")] == [True, True, False]
    assert "第三窗口" in shown(head.get(reverse("desk"), {"request_end": "1"}))


def test_what_is_missing_is_said_beside_each_field_and_nothing_is_lost(entry: Entry):
    answer = signed_in("officer").post(reverse("request_new", args=[entry.id]), FORM | {"basis": "", "items": []})
    page = shown(answer)
    assert not ShareRequest.objects.exists()
    for field in ("basis", "items"):
        assert f'<a href="#id_{field}">' in page
    assert 'aria-describedby="id_basis_error id_basis_hint"' in page
    assert "企业迁入核验" in page, "what was typed stays"


def test_the_condition_is_repeated_in_plain_words_as_it_is_typed(entry: Entry):
    officer, address = signed_in("officer"), reverse("request_preview", args=[entry.id])
    assert "企业名称 contains “南京”" in shown(officer.post(address, FORM))
    assert "every row" in shown(officer.post(address, FORM | {"condition_item_0": ""}))
    text = {"condition_text": "uscc = '91' or name is null"}
    assert "统一社会信用代码 is “91” or 企业名称 is empty" in shown(officer.post(address, FORM | text))


@pytest.mark.parametrize("text", ["name = ", "capital > 1", "name = '1'; drop table resource", "length(name) > 3"])
def test_a_condition_that_is_none_is_refused_beside_its_field(entry: Entry, text: str):
    answer = signed_in("officer").post(reverse("request_new", args=[entry.id]), FORM | {"condition_text": text})
    assert not ShareRequest.objects.exists()
    assert 'id="id_condition_text_error"' in shown(answer)


def test_the_button_is_closed_with_its_reason_where_nothing_can_be_asked(anhui: DspPeer):
    barred = heard_of(anhui.node, attribute="refused", legal_citation="《某法》第九条")
    officer = signed_in("officer")
    page = shown(officer.get(reverse("resource", args=[barred.id])))
    assert 'aria-disabled="true" aria-describedby="why-request"' in page
    assert "It cites: 《某法》第九条" in page
    refused = officer.post(reverse("request_new", args=[barred.id]), FORM)
    assert refused.status_code == 403
    assert "not_offered" in shown(refused)
    auditor = Client(headers={"accept-language": "en"})
    auditor.force_login(Account.objects.create(username="auditor", role="auditor"))
    page = shown(auditor.get(reverse("resource", args=[heard_of(anhui.node).id])))
    assert "As auditor you may not file a request." in page


def test_the_applicant_completes_what_the_provider_says_is_missing(anhui: DspPeer, entry: Entry):
    officer, head = signed_in("officer"), signed_in("head")
    officer.post(reverse("request_new", args=[entry.id]), FORM)
    request = ShareRequest.objects.get()
    head.post(reverse("request_sign_off", args=[request.id]))
    negotiation = Negotiation.objects.get()
    their_pid = urn(new_id())
    offer = new_offer(negotiation, (Point("material", "授权文件"), Point("basis", "条款")), None)
    Negotiation.objects.filter(pid=negotiation.pid).update(peer_pid=their_pid)
    answer = anhui.say(
        f"/negotiations/{negotiation.pid}/offers", ContractOffer(their_pid, offer, consumer_pid=negotiation.pid)
    )
    assert answer.status_code == 200
    page = shown(officer.get(reverse("request", args=[request.id])))
    assert "授权文件" in page
    assert "As data officer you may not sign off a request." in page
    given = {"complete-answer_0": "皖数〔2026〕3号", "complete-answer_1": "某法第三条"}
    assert 'id="id_complete-answer_0_error"' in shown(
        head.post(reverse("request_complete", args=[request.id]), given | {"complete-answer_0": ""})
    )
    assert head.post(reverse("request_complete", args=[request.id]), given).status_code == 302
    negotiation.refresh_from_db()
    request.refresh_from_db()
    assert (negotiation.state, request.basis) == ("REQUESTED", "某法第三条")


def asked_for(anhui: DspPeer) -> Negotiation:
    anhui.request(published(), terms())
    return Negotiation.objects.get()


def test_the_provider_decides_item_by_item_and_signs(anhui: DspPeer):
    negotiation, officer = asked_for(anhui), signed_in("officer")
    page = shown(officer.get(reverse("negotiation", args=[uuid_of(negotiation.pid)])))
    assert "Answer by" in page
    assert "working days left" in page
    chosen = {"agree-give_0": "on", "agree-mask_0": "first:6", "agree-mask_1": "keep"}
    wrong = shown(officer.post(reverse("negotiation_agree", args=[uuid_of(negotiation.pid)]), chosen | {
        "agree-canary_item": "uscc", "agree-canary_kind": "credit_code", "agree-canary_count": "5",
    }))  # fmt: skip
    assert "item uscc cannot name canaries" in wrong
    chosen["agree-watermark"] = "uscc"
    answer = officer.post(reverse("negotiation_agree", args=[uuid_of(negotiation.pid)]), chosen)
    assert not Agreement.objects.exists(), "nothing leaves before the head has signed"
    page = shown(officer.get(answer["Location"]))
    assert "As data officer you may not sign a reply." in page
    assert "A proposed reply waits for the head" in page
    head = signed_in("head")
    assert "keeps the first 6" in shown(head.get(reverse("desk")))
    answer = head.post(reverse("negotiation_sign", args=[uuid_of(negotiation.pid)]))
    agreement = Agreement.objects.get()
    assert answer["Location"] == reverse("agreement", args=[uuid_of(agreement.id)])
    items = agreement.document["hutong:terms"]["items"]
    assert items == [{"name": "uscc", "mask": {"action": "first", "n": 6}}]
    assert agreement.document["hutong:terms"]["tracing"] == {"watermark": ["uscc"]}
    page = shown(officer.get(answer["Location"]))
    assert "these bear the recipient&#x27;s mark: " in page or "these bear the recipient's mark: " in page
    assert "signed, Ed25519" in page
    assert "not signed yet" in page
    assert "Not while the agreement is “agreed, not yet started”." in page


def test_an_agreement_with_a_peer_without_our_terms_lasts_as_long_as_the_provider_says(anhui: DspPeer):
    anhui.request(published(), None)
    negotiation, officer = Negotiation.objects.get(), signed_in("officer")
    here, address = (reverse(name, args=[uuid_of(negotiation.pid)]) for name in ("negotiation", "negotiation_agree"))
    page = shown(officer.get(here))
    assert 'name="agree-term_days" value="365" min="1" max="365"' in page
    assert "agree-mask_0" not in page
    for wrong in ("", "0", "366"):
        assert 'id="id_agree-term_days_error"' in shown(officer.post(address, {"agree-term_days": wrong}))
    assert not Agreement.objects.exists()
    assert officer.post(address, {"agree-term_days": "30"}).status_code == 302
    assert signed_in("head").post(reverse("negotiation_sign", args=[uuid_of(negotiation.pid)])).status_code == 302
    agreement = Agreement.objects.get()
    assert round((agreement.ends_at - agreement.starts_at) / timedelta(days=1)) == 30


def test_a_refusal_needs_reason_and_citation(anhui: DspPeer):
    negotiation, officer = asked_for(anhui), signed_in("officer")
    address = reverse("negotiation_refuse", args=[uuid_of(negotiation.pid)])
    given = {"refuse-code": "more_than_needed", "refuse-reason": "信息项过多", "refuse-citation": "条例第二十五条"}
    for wrong in ({"refuse-citation": ""}, {}):
        page = shown(officer.post(address, given | wrong))
        assert 'id="id_refuse-citation_error"' in page
        assert "信息项过多" in page
    chosen = {"refuse-law": "809", "refuse-article": "45"}
    assert "has no article 45" in shown(officer.post(address, given | chosen))
    assert officer.post(address, given | {"refuse-law": "809", "refuse-article": "25"}).status_code == 302
    head = signed_in("head")
    note = {"back-note": "请补充理由"}
    assert head.post(reverse("negotiation_send_back", args=[uuid_of(negotiation.pid)]), note).status_code == 302
    assert "请补充理由" in shown(officer.get(reverse("negotiation", args=[uuid_of(negotiation.pid)])))
    officer.post(address, given | {"refuse-law": "809", "refuse-article": "25"})
    assert head.post(reverse("negotiation_sign", args=[uuid_of(negotiation.pid)])).status_code == 302
    negotiation.refresh_from_db()
    assert (negotiation.state, negotiation.refusal_citation) == ("TERMINATED", "《政务数据共享条例》第二十五条")


def test_missing_material_is_asked_for_once(anhui: DspPeer):
    negotiation, officer = asked_for(anhui), signed_in("officer")
    address = reverse("negotiation_supplement", args=[uuid_of(negotiation.pid)])
    points = {"supplement-field_0": "material", "supplement-wanted_0": "授权文件"}
    assert "Choose the field" in shown(officer.post(address, points | {"supplement-wanted_1": "系统备案证明"}))
    points |= {"supplement-field_1": "basis", "supplement-wanted_1": "系统备案证明"}
    assert officer.post(address, points).status_code == 302
    page = shown(officer.get(reverse("negotiation", args=[uuid_of(negotiation.pid)])))
    assert "授权文件" in page
    assert "系统备案证明" in page


def test_an_auditor_reads_the_inbox_and_may_not_answer(anhui: DspPeer):
    negotiation = asked_for(anhui)
    auditor = Client(headers={"accept-language": "en"})
    auditor.force_login(Account.objects.create(username="auditor", role="auditor"))
    page = shown(auditor.get(reverse("negotiation", args=[uuid_of(negotiation.pid)])))
    assert "As auditor you may not answer a request." in page
    chosen = {"agree-give_0": "on", "agree-mask_0": "keep", "agree-mask_1": "keep"}
    answer = auditor.post(reverse("negotiation_agree", args=[uuid_of(negotiation.pid)]), chosen)
    assert answer.status_code == 403
    assert not Agreement.objects.exists()


def test_a_key_is_shown_once_and_kept_as_a_digest():
    officer = signed_in("officer")
    page = shown(officer.post(reverse("keys"), {"application": "迁入登记系统", "days": "30"}))
    secret = page.split('class="once" tabindex="0">')[1].split("<")[0]
    key = ApiKey.objects.get()
    assert key.key_digest == digest(secret.encode())
    again = shown(officer.get(reverse("keys")))
    assert secret not in again
    assert key.prefix in again
    assert officer.post(reverse("key_revoke", args=[key.prefix])).status_code == 302
    key.refresh_from_db()
    assert key.revoked_at is not None
