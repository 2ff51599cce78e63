"""Replies to requests: who proposes, who signs, what is told once, what is cited, and until when."""

from __future__ import annotations

from datetime import date

import orjson
import pytest
from click.testing import CliRunner
from django.test import Client
from django.urls import reverse

from hutong.control.agreements import protocol
from hutong.control.agreements.cli import agreement as agreement_cli
from hutong.control.agreements.models import Agreement, Negotiation
from hutong.control.agreements.rules import SupplementTwice
from hutong.control.agreements.supplement import read_points
from hutong.control.clocks import actions as clocks
from hutong.control.clocks.models import Clock
from hutong.control.identity.models import Account
from hutong.control.notices.models import Notice
from hutong.control.replies import actions, laws
from hutong.control.replies.models import Reply
from hutong.control.replies.rules import (
    ArticleNotInLaw,
    CitationNotInForm,
    MissingNeverAsked,
    OwnReply,
    PointsUnclear,
    ReplyWaits,
)
from hutong.control.replies.term import resumed
from hutong.control.requests import actions as requests
from hutong.control.requests.models import ShareRequest
from hutong.control.requests.rules import PointsUnanswered
from hutong.control.statute import actions as statute
from hutong.control.statute import day, decisions
from hutong.control.statute import queries as decided
from hutong.ledger.models import AuditRecord
from hutong.node.settings import current
from hutong.vocabulary.calendar import PUBLISHED
from hutong.vocabulary.errors import NotAllowed
from hutong.vocabulary.ids import new_id, urn, uuid_of
from tests.dsp_peer import DspPeer, department, head_of, heard_of, published, terms

pytestmark = pytest.mark.django_db
CITED = "《政务数据共享条例》第二条"
FILING = {
    "basis": "《行政许可法》第三十一条",
    "scenario": "企业开办",
    "scope": "登记窗口",
    "items": ["uscc", "name"],
    "purpose": "licensing",
    "term_days": 365,
}


def blocked(pid: str) -> list[str]:
    found = AuditRecord.objects.filter(kind="reply.attempt_blocked", subject=f"negotiation:{pid}").order_by("id")
    return [one.detail["code"] for one in found]


def supervisor() -> Account:
    return Account.objects.get_or_create(username="shen", defaults={"role": "supervisor"})[0]


def local_rule(rule: str, name: str, value: int) -> None:
    """A local version of a parameter, proposed by one person and approved by another."""
    steward = Account.objects.get_or_create(username="steward", defaults={"role": "steward"})[0]
    made = statute.propose(steward, rule, name, level="local", value=value, since=day.today(), source="省政府令第 1 号")
    statute.decide_version(supervisor(), made.id, approve=True)


# --- who signs ------------------------------------------------------------------------------------------------


def test_d809_20_own_reply_an_officer_proposes_and_another_person_the_head_signs(
    anhui: DspPeer, officer: Account
) -> None:
    pid, _, _ = anhui.request(published(), terms())
    head = head_of(officer)
    reply = actions.propose_agreement(officer, pid, term_days=30)
    assert not anhui.heard(protocol.ContractAgreement)
    with pytest.raises(NotAllowed):
        actions.sign(officer, reply.id)
    made = actions.sign(head, reply.id)
    assert isinstance(made, Agreement)
    assert AuditRecord.objects.get(kind="agreement.agreed").actor == head.username
    assert AuditRecord.objects.get(kind="reply.signed").detail["proposed_by"] == officer.username
    other, _, _ = anhui.request(published(), terms())
    own = actions.propose_agreement(head, other)
    with pytest.raises(OwnReply):
        actions.sign(head, own.id)
    assert Negotiation.objects.get(pid=other).state == "REQUESTED"


def test_d809_20_reply_waits_one_proposal_at_a_time_and_one_sent_back_may_be_made_anew(
    anhui: DspPeer, officer: Account
) -> None:
    pid, _, _ = anhui.request(published(), terms())
    first = actions.propose_agreement(officer, pid)
    with pytest.raises(ReplyWaits):
        actions.propose_refusal(officer, pid, "not_held", "非本部门采集", CITED)
    actions.send_back(head_of(officer), first.id, "电话不得提供")
    assert Notice.objects.filter(code="reply_returned", said_zh__contains="电话不得提供").exists()
    actions.sign(head_of(officer), actions.propose_refusal(officer, pid, "not_held", "非本部门采集", CITED).id)
    assert list(Reply.objects.order_by("proposed_at").values_list("state", flat=True)) == ["returned", "signed"]


def test_a_local_rule_may_want_the_heads_signature_for_what_goes_by_rule_too(anhui: DspPeer, officer: Account) -> None:
    local_rule("D809-20/own_reply", "by_rule_without_head", 0)
    pid, _, _ = anhui.request(published("unconditional"), terms())
    reply = Reply.objects.get()
    assert (reply.proposed_by, reply.state) == ("rule:D809-21", "proposed")
    assert not Agreement.objects.exists()
    actions.sign(head_of(officer), reply.id)
    assert Negotiation.objects.get(pid=pid).state == "AGREED"


def test_what_was_proposed_is_dropped_when_the_applicant_withdraws(anhui: DspPeer, officer: Account) -> None:
    pid, mine, _ = anhui.request(published(), terms())
    actions.propose_agreement(officer, pid)
    assert anhui.say(f"/negotiations/{pid}/termination", protocol.ContractTermination(pid, mine)).status_code == 200
    assert Reply.objects.get().state == "dropped"
    assert [one.state for one in Clock.objects.filter(subject=f"negotiation:{pid}")] == ["dropped"]


# --- what is missing ------------------------------------------------------------------------------------------


def test_incomplete_request(anhui: DspPeer, officer: Account) -> None:
    """Provider can ask once with a full list; a second one or a direct reject is blocked and logged."""
    pid, mine, _ = anhui.request(published(), terms())
    with pytest.raises(MissingNeverAsked):
        actions.propose_refusal(officer, pid, "material_missing", "缺少授权文件", CITED)
    actions.ask_supplement(officer, pid, [("basis", "文号"), ("material", "授权文件")])
    offer = anhui.heard(protocol.ContractOffer)[0].offer
    counter = protocol.ContractRequest(mine, offer, provider_pid=pid)
    assert anhui.say(f"/negotiations/{pid}/request", counter).status_code == 200
    with pytest.raises(SupplementTwice):
        actions.ask_supplement(officer, pid, [("material", "又一份材料")])
    assert blocked(pid) == ["missing_never_asked", "supplement_twice"]
    actions.sign(head_of(officer), actions.propose_refusal(officer, pid, "material_missing", "仍缺", CITED).id)
    assert Negotiation.objects.get(pid=pid).refusal_code == "material_missing"


def test_d809_21_supplement_twice_is_blocked_and_logged(anhui: DspPeer, officer: Account) -> None:
    pid, mine, _ = anhui.request(published(), terms())
    actions.ask_supplement(officer, pid, [("basis", "文号")])
    offer = anhui.heard(protocol.ContractOffer)[0].offer
    anhui.say(f"/negotiations/{pid}/request", protocol.ContractRequest(mine, offer, provider_pid=pid))
    with pytest.raises(SupplementTwice):
        actions.ask_supplement(officer, pid, [("scope", "范围")])
    assert blocked(pid) == ["supplement_twice"]


def test_d809_21_missing_never_asked_is_blocked_and_logged(anhui: DspPeer, officer: Account) -> None:
    pid, _, _ = anhui.request(published(), terms())
    with pytest.raises(MissingNeverAsked):
        actions.propose_refusal(officer, pid, "material_missing", "缺少授权文件", CITED)
    assert (blocked(pid), Reply.objects.count()) == (["missing_never_asked"], 0)


@pytest.mark.parametrize(
    "points",
    [[], [("basis", " ")], [("colour", "红")], [("basis", "文号"), ("basis", "文号")]],
)
def test_d809_21_points_unclear_each_names_a_field_and_what_is_wanted(
    anhui: DspPeer, officer: Account, points: list[tuple[str, str]]
) -> None:
    pid, _, _ = anhui.request(published(), terms())
    with pytest.raises(PointsUnclear):
        actions.ask_supplement(officer, pid, points)
    assert Negotiation.objects.get(pid=pid).state == "REQUESTED"


def wanting(anhui: DspPeer, health: dict[str, Account], *points: tuple[str, str]) -> ShareRequest:
    """A request of ours to which the provider answers that something is missing."""
    filed = requests.file(health["officer"], resource_id=heard_of(anhui.node).id, **FILING)
    request = requests.sign_off(health["head"], filed.id)
    theirs, ours = urn(new_id()), request.negotiation_id
    Negotiation.objects.filter(pid=ours).update(peer_pid=theirs)
    asked = anhui.heard(protocol.ContractRequest)[0].offer
    missing = [{"field": field, "wanted": wanted} for field, wanted in points]
    document = {**asked.document, "hutong:supplement": missing}
    body = protocol.ContractOffer(theirs, asked, ours).document() | {"offer": document}
    assert anhui.call("POST", f"/negotiations/{ours}/offers", body).status_code == 200
    return request


def test_d809_21_points_unanswered_every_point_is_answered_and_takes_its_fields_place(
    anhui: DspPeer, health: dict[str, Account]
) -> None:
    request = wanting(anhui, health, ("basis", "条款"), ("term_days", "缩短"), ("material", "授权文件"))
    with pytest.raises(PointsUnanswered, match="2, 3"):
        requests.complete(health["head"], request.id, ["某法第三条"])
    requests.complete(health["head"], request.id, ["某法第三条", "90", "皖数〔2026〕3号"])
    request.refresh_from_db()
    assert (request.basis, request.term_days) == ("某法第三条", 90)
    counter = anhui.heard(protocol.ContractRequest)[1].offer
    assert [(one.field, one.answer) for one in read_points(counter.document)] == [
        ("basis", "某法第三条"),
        ("term_days", "90"),
        ("material", "皖数〔2026〕3号"),
    ]
    assert counter.document["hutong:terms"]["term_days"] == 90


def test_an_answer_that_makes_the_request_incomplete_is_refused_before_it_is_sent(
    anhui: DspPeer, health: dict[str, Account]
) -> None:
    request = wanting(anhui, health, ("term_days", "缩短"))
    for wrong in ("soon", "0"):
        with pytest.raises(Exception, match=r"whole number|term_days"):
            requests.complete(health["head"], request.id, [wrong])
    assert len(anhui.heard(protocol.ContractRequest)) == 1


# --- citations ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    [
        "《政务数据共享条例》第十四条",
        "《中华人民共和国数据安全法》第三十八条第二款",
        "《个人信息保护法》第五十五条；《政务数据共享条例》第14条",
        "《某省某条例》第一百零一条之一第三项",
        "Data Security Law, article 38",
    ],
)
def test_a_citation_in_its_form_is_kept_as_it_was_written(text: str) -> None:
    assert laws.checked_citation(f" {text} ") == text


@pytest.mark.parametrize(
    "text", ["条例第十四条", "《条例》", "第十四条", "no", "《数据安全法》第三十八条 等", "《法》第零条"]
)
def test_d809_15_citation_not_in_form_names_law_and_article(text: str) -> None:
    with pytest.raises(CitationNotInForm):
        laws.checked_citation(text)


def test_d809_15_article_not_in_law_where_the_list_knows_how_many_there_are() -> None:
    law = laws.law("809")
    assert law is not None
    assert law.cite(44) == "《政务数据共享条例》第四十四条"
    for text in ("《政务数据共享条例》第四十五条", "Regulations on Government Data Sharing, article 45"):
        with pytest.raises(ArticleNotInLaw, match="no article 45"):
            laws.checked_citation(text)
    with pytest.raises(ArticleNotInLaw):
        law.cite(0)


@pytest.mark.parametrize(
    ("number", "text"), [(1, "一"), (10, "十"), (14, "十四"), (20, "二十"), (101, "一百零一"), (110, "一百一十")]
)
def test_articles_are_counted_as_laws_count_them(number: int, text: str) -> None:
    assert laws.in_chinese(number) == text
    assert laws.checked_citation(f"《某法》第{text}条")


def test_a_refusal_reads_the_same_on_page_api_log_and_command_line(anhui: DspPeer, officer: Account) -> None:
    pid, _, _ = anhui.request(published(), terms())
    actions.sign(head_of(officer), actions.propose_refusal(officer, pid, "more_than_needed", "电话超出所需", CITED).id)
    message = anhui.heard(protocol.ContractTermination)[0]
    assert (message.code, message.refusal) == ("more_than_needed", {"reason": "电话超出所需", "citation": CITED})
    record = AuditRecord.objects.get(kind="negotiation.terminated").detail
    assert (record["code"], record["reason"], record["citation"]) == ("more_than_needed", "电话超出所需", CITED)
    client = Client(headers={"accept-language": "zh-hans"})
    client.force_login(officer)
    page = client.get(reverse("negotiation", args=[uuid_of(pid)])).content.decode()
    assert all(text in page for text in (CITED, "电话超出所需", "申请的信息项超出用途所需"))
    line = CliRunner().invoke(agreement_cli, ["inbox", str(current().home), "--all", "--json"])
    shown = orjson.loads(line.output)[0]
    assert (shown["refusal_code"], shown["refusal_citation"]) == ("more_than_needed", CITED)


def test_the_applicant_reads_the_same_refusal(anhui: DspPeer, health: dict[str, Account]) -> None:
    filed = requests.file(health["officer"], resource_id=heard_of(anhui.node).id, **FILING)
    request = requests.sign_off(health["head"], filed.id)
    theirs = urn(new_id())
    Negotiation.objects.filter(pid=request.negotiation_id).update(peer_pid=theirs)
    refusal = {"reason": "电话超出所需", "citation": CITED}
    said = protocol.ContractTermination(
        theirs, request.negotiation_id, "more_than_needed", ("电话超出所需", CITED), refusal
    )
    assert anhui.say(f"/negotiations/{request.negotiation_id}/termination", said).status_code == 200
    request.refresh_from_db()
    assert (request.refusal_code, request.refusal_citation) == ("more_than_needed", CITED)
    record = AuditRecord.objects.get(kind="request.refused").detail
    assert (record["code"], record["reason"], record["citation"]) == ("more_than_needed", "电话超出所需", CITED)
    client = Client(headers={"accept-language": "zh-hans"})
    client.force_login(health["officer"])
    page = client.get(reverse("request", args=[request.id])).content.decode()
    assert all(text in page for text in (CITED, "电话超出所需", "申请的信息项超出用途所需"))


# --- terms ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("attribute", "received", "due"),
    [("unconditional", date(2025, 9, 26), date(2025, 9, 28)), ("conditional", date(2025, 9, 22), date(2025, 10, 11))],
)
def test_request_reply_clock(
    anhui: DspPeer, officer: Account, monkeypatch: pytest.MonkeyPatch, attribute: str, received: date, due: date
) -> None:
    """无条件 on Friday 2025-09-26 is due on Sunday the 28th; 有条件 2025-09-22 on 2025-10-11."""
    monkeypatch.setattr(day, "today", lambda: received)
    pid, _, _ = anhui.request(published(attribute), terms())
    clock = Clock.objects.get(subject=f"negotiation:{pid}")
    assert (clock.due_on, Negotiation.objects.get(pid=pid).due_at) == (due, due)
    assert clock.state == ("met" if attribute == "unconditional" else "running")


def test_request_reply_clock_is_extended_once_with_the_supervisors_consent_and_the_applicant_is_told(
    anhui: DspPeer, officer: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(day, "today", lambda: date(2025, 9, 22))
    pid, mine, _ = anhui.request(published(), terms())
    clock = Clock.objects.get(subject=f"negotiation:{pid}")
    clocks.ask_extension(officer, clock.id, "需会同三个部门核对")
    with pytest.raises(NotAllowed):
        clocks.decide_extension(officer, clock.id, consent=True)
    assert Negotiation.objects.get(pid=pid).due_at == date(2025, 10, 11)
    clocks.decide_extension(supervisor(), clock.id, consent=True)
    due = PUBLISHED.due(date(2025, 9, 22), 20)
    assert Negotiation.objects.get(pid=pid).due_at == due == date(2025, 10, 24)
    with pytest.raises(Exception, match="already"):
        clocks.ask_extension(officer, clock.id, "还要更多时间")
    event = orjson.loads(bytes(anhui_event(anhui)))
    assert event["data"] == {
        "provider_pid": pid,
        "consumer_pid": mine,
        "due": "2025-10-24",
        "reason": "需会同三个部门核对",
    }


def anhui_event(anhui: DspPeer) -> bytes:
    from hutong.node.models import OutboxMessage

    return bytes(OutboxMessage.objects.get(peer=anhui.jurisdiction, process__startswith="event:request.due").body)


def test_the_applicants_node_shows_the_new_day_and_hears_its_own_provider_alone(
    anhui: DspPeer, health: dict[str, Account]
) -> None:
    from hutong.control.replies.duties import DUE_EVENT, take_due_day
    from hutong.node.events import Event
    from hutong.node.receiving import Peer

    filed = requests.file(health["officer"], resource_id=heard_of(anhui.node).id, **FILING)
    request = requests.sign_off(health["head"], filed.id)
    said = {"provider_pid": "urn:uuid:p", "consumer_pid": request.negotiation_id, "due": "2025-10-24", "reason": "核对"}
    event = Event("1", "urn:hutong:node:340000", DUE_EVENT, request.negotiation_id, "2025-09-25T00:00:00Z", said)
    with pytest.raises(Exception, match="no such request"):
        take_due_day(Peer("310000", "k", "m"), event)
    for _ in range(2):  # a message may come twice
        take_due_day(Peer("340000", "k", "m"), event)
    assert Negotiation.objects.get(pid=request.negotiation_id).due_at == date(2025, 10, 24)
    assert AuditRecord.objects.filter(kind="negotiation.extended").count() == 1
    client = Client(headers={"accept-language": "en"})
    client.force_login(health["officer"])
    assert "The provider answers by" in client.get(reverse("request", args=[request.id])).content.decode()


def test_a_local_rule_may_make_the_term_shorter_and_never_longer(anhui: DspPeer, officer: Account) -> None:
    local_rule("D809-21/conditional_reply_late", "days", 5)
    pid, _, _ = anhui.request(published(), terms())
    clock = Clock.objects.get(subject=f"negotiation:{pid}")
    assert clock.days == 5
    with pytest.raises(Exception, match="lower"):
        local_rule("D809-21/conditional_reply_late", "days", 11)


def test_d809_21_conditional_reply_late_is_found_and_the_supervisor_told(
    anhui: DspPeer, officer: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    supervisor()
    monkeypatch.setattr(day, "today", lambda: date(2025, 9, 22))
    pid, _, _ = anhui.request(published(), terms())
    monkeypatch.setattr(day, "today", lambda: date(2025, 10, 12))
    clocks.look()
    assert Clock.objects.get(subject=f"negotiation:{pid}").overdue_since == date(2025, 10, 12)
    assert Notice.objects.filter(code="conditional_reply_late").exists()


def test_d809_21_unconditional_reply_late_is_found_where_no_rule_could_answer(
    anhui: DspPeer, officer: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    supervisor()
    monkeypatch.setattr(day, "today", lambda: date(2025, 9, 26))
    anhui.request(published("unconditional"), None)
    for on, late in ((date(2025, 9, 28), 0), (date(2025, 9, 29), 1)):
        monkeypatch.setattr(day, "today", lambda on=on: on)
        clocks.look()
        assert Clock.objects.filter(rule="D809-21/unconditional_reply_late", overdue_since=on).count() == late
    assert Notice.objects.filter(code="unconditional_reply_late").exists()


def test_delivery(anhui: DspPeer, officer: Account, monkeypatch: pytest.MonkeyPatch) -> None:
    """Consent 2025-09-22, not delivered by 2025-10-24: overdue, escalates."""
    supervisor()
    monkeypatch.setattr(day, "today", lambda: date(2025, 9, 22))
    pid, _, _ = anhui.request(published(), terms())
    actions.sign(head_of(officer), actions.propose_agreement(officer, pid).id)
    clock = Clock.objects.get(rule="D809-22/delivery_late")
    assert clock.due_on == date(2025, 10, 24)
    monkeypatch.setattr(day, "today", lambda: date(2025, 10, 25))
    clocks.look()
    clock.refresh_from_db()
    assert clock.overdue_since == date(2025, 10, 25)
    assert AuditRecord.objects.filter(kind="clock.overdue", subject=clock.subject).count() == 1
    assert Notice.objects.filter(code="delivery_late").exists()


def test_d809_22_delivery_late_is_met_by_the_start_of_the_transfer(anhui: DspPeer, officer: Account) -> None:
    from hutong.control.agreements import delivery

    pid, mine, _ = anhui.request(published(), terms())
    made = actions.sign(head_of(officer), actions.propose_agreement(officer, pid).id)
    message = anhui.heard(protocol.ContractAgreement)[-1]
    verified = protocol.ContractVerification(pid, mine, anhui.countersign(message.agreement))
    anhui.say(f"/negotiations/{pid}/agreement/verification", verified)
    assert Clock.objects.get(rule="D809-22/delivery_late").state == "running"
    anhui.say("/transfers/request", protocol.TransferRequest(urn(new_id()), made.id, delivery.FORMAT, anhui.callback))
    assert Clock.objects.get(rule="D809-22/delivery_late").state == "met"


def test_d809_21_supplement_and_clock_the_clock_runs_on_and_the_decision_says_so(
    anhui: DspPeer, officer: Account
) -> None:
    pid, mine, _ = anhui.request(published(), terms())
    before = Clock.objects.get(subject=f"negotiation:{pid}")
    actions.ask_supplement(officer, pid, [("basis", "文号")])
    offer = anhui.heard(protocol.ContractOffer)[0].offer
    anhui.say(f"/negotiations/{pid}/request", protocol.ContractRequest(mine, offer, provider_pid=pid))
    after = Clock.objects.get(subject=f"negotiation:{pid}")
    assert (after.id, after.due_on, after.state) == (before.id, before.due_on, "running")
    kept = [one for one in decided.of(f"negotiation:{pid}") if one.name == "supplement.clock"]
    assert [one.outcome for one in kept] == [{"stops": False}]
    assert decisions.replay(kept[0]).same


def test_a_local_rule_may_stop_the_clock_while_the_applicant_supplies_what_is_missing(
    anhui: DspPeer, officer: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    local_rule("D809-21/supplement_and_clock", "stops_clock", 1)
    first = day.today()
    calendar = PUBLISHED
    pid, mine, _ = anhui.request(published(), terms())
    actions.ask_supplement(officer, pid, [("basis", "文号")])
    assert Clock.objects.get(subject=f"negotiation:{pid}").state == "dropped"
    later = calendar.due(first, 3)
    monkeypatch.setattr(day, "today", lambda: later)
    offer = anhui.heard(protocol.ContractOffer)[0].offer
    anhui.say(f"/negotiations/{pid}/request", protocol.ContractRequest(mine, offer, provider_pid=pid))
    running = Clock.objects.get(subject=f"negotiation:{pid}", state="running")
    assert running.due_on == calendar.due(later, 10), "no working day of the ten was used when it stopped"


def test_what_was_used_of_the_term_before_it_stopped_stays_used() -> None:
    law = decisions.Law(date(2025, 10, 20), PUBLISHED, lambda *_: None)  # type: ignore[arg-type, return-value]
    facts = {"received": "2025-09-22", "stopped": "2025-09-25", "resumed": "2025-10-20"}
    counted = date.fromisoformat(resumed(facts, law)["received_as"])
    assert PUBLISHED.left(counted, date(2025, 10, 20)) == 3
    assert PUBLISHED.due(counted, 10) == PUBLISHED.due(date(2025, 10, 20), 7)


def test_nobody_of_another_department_proposes_signs_or_sees(anhui: DspPeer, officer: Account, health) -> None:
    pid, _, _ = anhui.request(published(), terms())
    with pytest.raises(Exception, match="another department"):
        actions.propose_agreement(health["officer"], pid)
    reply = actions.propose_agreement(officer, pid)
    with pytest.raises(Exception, match="another department"):
        actions.sign(health["head"], reply.id)
    assert department().code == reply.department
