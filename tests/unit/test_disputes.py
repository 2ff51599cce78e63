"""Disputes between nodes: who decides, what is signed, what follows by itself."""

from __future__ import annotations

import json
from datetime import date

import pytest
from click.testing import CliRunner
from django.db import transaction

from hutong.control.agreements.models import Agreement, Negotiation
from hutong.control.clocks.models import Clock
from hutong.control.disputes import actions, cli, docket, timing
from hutong.control.disputes.models import Dispute, DisputePaper
from hutong.control.disputes.papers import Effect, check_effects, read
from hutong.control.disputes.rules import (
    BadPaper,
    BeyondTheDispute,
    CoordinationOverdue,
    DecisionOverdue,
    DecisionWithoutGrounds,
    ExecutionOverdue,
    NegotiationOverdue,
    NotAParty,
    NotTheForum,
    OnlyMediates,
    OwnProposal,
    StepNotPossible,
)
from hutong.control.disputes.standing import standing
from hutong.control.identity.models import Account
from hutong.control.notices.models import Notice
from hutong.control.replies import actions as replies
from hutong.control.statute import decisions
from hutong.control.statute.models import Decision
from hutong.ledger.models import AuditRecord
from hutong.node.keyring import ring
from hutong.node.settings import current
from hutong.vocabulary.errors import NotAllowed, Refused
from tests.disputing import open_against_us, paper, send, told
from tests.dsp_peer import MARKET, DspPeer, department, peer, published, terms
from tests.region import neighbour, ourselves

pytestmark = pytest.mark.django_db
US = "320000"
WORDS = {"title": "企业登记信息未获答复", "text": "申请已逾期。"}


@pytest.fixture
def shanghai() -> DspPeer:
    ourselves()
    neighbour("yrd", "region")
    return peer("310000")


@pytest.fixture
def nation(shanghai: DspPeer) -> DspPeer:
    return peer("100000")


@pytest.fixture
def people(shanghai: DspPeer) -> dict[str, Account]:
    office = department()
    make = Account.objects.create
    named = {role: make(username=role, role=role, department=office) for role in ("officer", "head")}
    return named | {"supervisor": make(username="supervisor", role="supervisor")}


def refused(shanghai: DspPeer, people: dict[str, Account]) -> Negotiation:
    """Shanghai asked, and our officer refused."""
    pid, _, _ = shanghai.request(published(), terms())
    words = ("not_held", "非本部门采集", "《政务数据共享条例》第十九条")
    made = replies.sign(people["head"], replies.propose_refusal(people["officer"], pid, *words).id)
    assert isinstance(made, Negotiation)
    return made


def ours(people: dict[str, Account], respondent: str = "310000") -> Dispute:
    subject = actions.about_nothing_here(respondent, MARKET)
    return actions.open_dispute(people["officer"], subject, **WORDS)


def at_the_nation(shanghai: DspPeer, nation: DspPeer, about: dict[str, str] | None = None) -> Dispute:
    """Shanghai opened a dispute with us and brought it to the nation."""
    dispute = open_against_us(shanghai, US, **(about or {}))
    said = paper(shanghai, dispute.id, "escalated", "claimant", level=2, forum="100000")
    assert send(shanghai, dispute.id, said).status_code == 200
    dispute.refresh_from_db()
    return dispute


def decided(nation: DspPeer, dispute: Dispute, *effects: Effect, level: int = 2):
    documents = [one.document() for one in effects]
    return paper(nation, dispute.id, "decided", "forum", level=level, citation="条例第二十八条", effects=documents)


def request_about(negotiation: Negotiation) -> dict[str, str]:
    return actions.about_request(negotiation.pid).about | {"origin": "request"}


def test_dispute_between_shanghai_and_jiangsu_goes_to_the_nation_and_neither_province_decides(people, nation):
    dispute = ours(people)
    assert (dispute.level, dispute.state, dispute.mediator) == (1, "open", "yrd")
    up = actions.escalate(people["head"], dispute.id, "会商未能一致。")
    assert (up.level, up.forum) == (2, "100000")
    assert told("100000") == 1
    with pytest.raises(NotTheForum):
        actions.decide(people["supervisor"], dispute.id, "应当共享。", "条例第二十八条", [Effect("none", "", {})])
    end = decided(nation, up, Effect("none", "", {}))
    assert send(nation, dispute.id, end).status_code == 200
    dispute.refresh_from_db()
    assert (dispute.level, dispute.state) == (4, "closed")
    entry = AuditRecord.objects.get(kind="dispute.decided")
    assert entry.detail["document"] == end.digest
    decision = Decision.objects.get(name="dispute.route")
    assert decision.outcome == {"forum": "100000"}
    assert decisions.replay(decision).same


def test_dispute_inside_shanghai_goes_to_shanghai(shanghai):
    qingpu, minhang = peer("310118"), peer("310112")
    from hutong.control.disputes.routing import forum_for

    with transaction.atomic():
        assert forum_for("urn:uuid:1", qingpu.jurisdiction, minhang.jurisdiction) == "310000"
        assert forum_for("urn:uuid:2", qingpu.jurisdiction, "310000") == "310000"


def test_dispute_between_two_departments_of_one_node_is_decided_by_its_own_authority(people):
    other = department("11430000006122244L", "卫生健康委员会")
    subject = actions.about_nothing_here(US, MARKET)
    dispute = actions.open_dispute(people["officer"], subject, **WORDS)
    Dispute.objects.filter(id=dispute.id).update(respondent_department=other.code)
    up = actions.escalate(people["head"], dispute.id, "会商未能一致。")
    assert up.forum == US
    end = actions.decide(people["supervisor"], dispute.id, "无须处理。", "条例第二十八条", [Effect("none", "", {})])
    assert end.state == "closed"


def test_a_decision_that_the_provider_must_agree_is_carried_out_where_the_request_still_waits(shanghai, nation, people):
    pid, _, _ = shanghai.request(published(), terms())
    negotiation = Negotiation.objects.get(pid=pid)
    dispute = at_the_nation(shanghai, nation, request_about(negotiation))
    effect = actions.effect_of(dispute, "agree", items=["uscc"], term_days=30)
    assert send(nation, dispute.id, decided(nation, dispute, effect)).status_code == 200
    agreement = Agreement.objects.get()
    agreed = agreement.document["hutong:terms"]
    assert [one["name"] for one in agreed["items"]] == ["uscc"]
    assert agreed["term_days"] == 30
    dispute.refresh_from_db()
    assert dispute.state == "executed"
    assert DisputePaper.objects.filter(kind="executed").count() == 1
    assert AuditRecord.objects.get(kind="dispute.done").actor == f"dispute:{dispute.id}"
    assert Notice.objects.filter(code="dispute_paper").exists()


def test_a_refused_request_is_agreed_to_when_it_comes_again_after_the_decision(shanghai, nation, people):
    negotiation = refused(shanghai, people)
    dispute = at_the_nation(shanghai, nation, request_about(negotiation))
    send(nation, dispute.id, decided(nation, dispute, actions.effect_of(dispute, "agree")))
    assert not Agreement.objects.exists()
    dispute.refresh_from_db()
    assert dispute.state == "decided"
    from hutong.control.catalogue.models import Entry

    shanghai.request(Entry.objects.get(id=negotiation.dataset_id), terms(purpose="supervision"))
    assert not Agreement.objects.exists()  # another request is no part of the decision
    shanghai.request(Entry.objects.get(id=negotiation.dataset_id), terms())
    assert Agreement.objects.count() == 1
    dispute.refresh_from_db()
    assert dispute.state == "executed"


def test_the_same_message_again_changes_nothing(shanghai, nation, people):
    pid, _, _ = shanghai.request(published(), terms())
    dispute = at_the_nation(shanghai, nation, request_about(Negotiation.objects.get(pid=pid)))
    end = decided(nation, dispute, actions.effect_of(dispute, "agree"))
    for _ in range(2):
        assert send(nation, dispute.id, end).status_code == 200
    assert Agreement.objects.count() == 1
    assert AuditRecord.objects.filter(kind="dispute.decided").count() == 1


def test_papers_that_come_in_another_order_leave_the_same_standing(shanghai, nation, people):
    dispute = at_the_nation(shanghai, nation)
    send(nation, dispute.id, decided(nation, dispute, Effect("none", "", {})))
    papers = docket.papers_of(dispute.id)
    assert standing(reversed(papers)) == standing(papers)


def test_what_the_parties_settle_is_carried_out_without_anybody_above(shanghai, people):
    pid, _, _ = shanghai.request(published(), terms())
    negotiation = Negotiation.objects.get(pid=pid)
    dispute = open_against_us(shanghai, US, **request_about(negotiation))
    actions.propose(people["head"], dispute.id, "同意共享。", [actions.effect_of(dispute, "agree")])
    proposal = standing(docket.papers_of(dispute.id)).proposal
    settled = paper(shanghai, dispute.id, "settled", "claimant", proposal=proposal.digest)
    assert send(shanghai, dispute.id, settled).status_code == 200
    dispute.refresh_from_db()
    assert dispute.state == "closed"
    assert Agreement.objects.count() == 1


def test_what_cannot_be_done_stays_a_duty_that_a_person_carries_out(shanghai, nation, people):
    about = {"origin": "correction", "provider": US, "consumer": "310000", "ticket": "t-1"}
    dispute = at_the_nation(shanghai, nation, about)
    send(nation, dispute.id, decided(nation, dispute, actions.effect_of(dispute, "correct")))
    dispute.refresh_from_db()
    assert dispute.state == "decided"
    assert Clock.objects.get(rule=ExecutionOverdue.name()).state == "running"
    done = actions.carried_out(people["supervisor"], dispute.id, 0, "已更正登记信息。")
    assert done.state == "executed"
    assert Clock.objects.get(rule=ExecutionOverdue.name()).state == "met"


def test_only_the_supervisor_decides_and_only_a_head_settles(people, nation):
    dispute = ours(people)
    with pytest.raises(NotAllowed):
        actions.escalate(people["officer"], dispute.id, "会商未能一致。")
    with pytest.raises(NotAllowed):
        actions.decide(people["head"], dispute.id, "x", "条例第二十八条", [Effect("none", "", {})])


def overdue(rule) -> None:
    Clock.objects.filter(rule=rule.name()).update(due_on=date(2025, 9, 1))


def test_d809_28_negotiation_overdue_brings_it_to_the_common_superior(people, nation):
    dispute = ours(people)
    assert Clock.objects.get().days == NegotiationOverdue.declared("days").value
    timing.escalate_overdue()
    assert Dispute.objects.get().level == 1
    overdue(NegotiationOverdue)
    timing.escalate_overdue()
    timing.escalate_overdue()
    dispute.refresh_from_db()
    assert (dispute.level, dispute.forum) == (2, "100000")
    assert AuditRecord.objects.get(kind="dispute.escalated").actor == "rule:D809-28"
    assert Clock.objects.get().state == "late"


def test_d809_28_decision_overdue_brings_it_to_the_government(people):
    subject = actions.about_nothing_here(US, MARKET)
    dispute = actions.open_dispute(people["officer"], subject, **WORDS)
    actions.escalate(people["head"], dispute.id, "会商未能一致。")
    overdue(DecisionOverdue)
    timing.escalate_overdue()
    dispute.refresh_from_db()
    assert (dispute.level, dispute.forum) == (3, US)


def test_d809_28_coordination_overdue_runs_while_the_government_has_not_decided(people):
    subject = actions.about_nothing_here(US, MARKET)
    dispute = actions.open_dispute(people["officer"], subject, **WORDS)
    for _ in range(2):
        actions.escalate(people["supervisor"], dispute.id, "会商未能一致。")
    assert Clock.objects.get(rule=CoordinationOverdue.name()).state == "running"
    actions.decide(people["supervisor"], dispute.id, "府办函〔2026〕1 号", "条例第二十八条", [Effect("none", "", {})])
    assert Clock.objects.get(rule=CoordinationOverdue.name()).state == "met"


def test_d809_28_execution_overdue_runs_until_the_bound_side_has_done_it(shanghai, nation, people):
    negotiation = refused(shanghai, people)
    dispute = at_the_nation(shanghai, nation, request_about(negotiation))
    send(nation, dispute.id, decided(nation, dispute, actions.effect_of(dispute, "agree")))
    clock = Clock.objects.get(rule=ExecutionOverdue.name())
    assert (clock.state, clock.department) == ("running", MARKET)


def test_d809_28_not_a_party_says_nothing(shanghai, people):
    dispute, stranger = open_against_us(shanghai, US), peer("330000")
    said = paper(stranger, dispute.id, "statement", "respondent")
    answer = send(stranger, dispute.id, said)
    assert (answer.status_code, answer.json()["code"]) == (403, NotAParty.code)
    assert DisputePaper.objects.count() == 1


def test_d809_28_not_the_forum_a_province_cannot_be_named_as_one(shanghai):
    dispute = open_against_us(shanghai, US)
    for forum in ("310000", "320000", "yrd", "330000"):
        said = paper(shanghai, dispute.id, "escalated", "claimant", level=2, forum=forum)
        answer = send(shanghai, dispute.id, said)
        assert (answer.status_code, answer.json()["code"]) == (403, NotTheForum.code)


def test_d809_28_only_mediates_is_told_to_a_regions_office_that_decides(shanghai, people):
    dispute = open_against_us(shanghai, US)
    office = DspPeer(neighbour("yrd2", "region"))
    assert send(office, dispute.id, paper(office, dispute.id, "minutes", "mediator")).status_code == 403
    before = standing(docket.papers_of(dispute.id))
    said = paper(office, dispute.id, "decided", "forum", level=2, citation="x", effects=[])
    from dataclasses import replace

    from hutong.control.disputes.standing import check_possible

    with pytest.raises(OnlyMediates):
        check_possible(replace(before, mediator="yrd2"), said)


def test_d809_28_step_not_possible_once_it_is_decided(people, nation):
    dispute = ours(people)
    up = actions.escalate(people["head"], dispute.id, "会商未能一致。")
    send(nation, dispute.id, decided(nation, up, Effect("none", "", {})))
    with pytest.raises(StepNotPossible):
        actions.state(people["officer"], dispute.id, "补充说明。")
    with pytest.raises(StepNotPossible):
        actions.escalate(people["head"], dispute.id, "不服。")


def test_d809_28_own_settlement_is_not_accepted_by_whoever_proposed_it(people, nation):
    dispute = ours(people)
    actions.propose(people["head"], dispute.id, "双方撤回。", [Effect("none", "", {})])
    with pytest.raises(OwnProposal):
        actions.accept(people["head"], dispute.id)


def test_d809_28_decision_without_grounds_is_refused(people):
    dispute = ours(people, US)
    actions.escalate(people["head"], dispute.id, "会商未能一致。")
    for text, citation in ((" ", "条例第二十八条"), ("应当共享。", "无")):
        with pytest.raises(DecisionWithoutGrounds):
            actions.decide(people["supervisor"], dispute.id, text, citation, [Effect("none", "", {})])


def test_d809_28_beyond_the_dispute_nothing_is_decided(shanghai, nation):
    dispute = at_the_nation(shanghai, nation)
    for effect in (Effect("end", "", {}), Effect("none", US, {}), Effect("none", "", {"term_days": 1})):
        with pytest.raises(BeyondTheDispute):
            check_effects(dispute.about, [effect])
    # Another node's decision that goes beyond is kept as what it said, and has no effect.
    assert send(nation, dispute.id, decided(nation, dispute, Effect("end", "", {}))).status_code == 200
    dispute.refresh_from_db()
    assert dispute.state == "open"


def test_d809_28_bad_paper_is_one_whose_words_were_changed_or_whose_key_is_anothers(shanghai, nation):
    dispute = open_against_us(shanghai, US)
    said = paper(shanghai, dispute.id, "statement", "claimant")
    forged = paper(nation, dispute.id, "statement", "claimant")
    for document, signature in (
        (said.document | {"text": "另一内容"}, said.signature),
        (forged.document | {"by": "310000"}, forged.signature),
        ({name: value for name, value in said.document.items() if name != "height"}, said.signature),
    ):
        with pytest.raises(BadPaper):
            read({"document": document, "signature": signature}, ring())


def test_every_rule_of_disputes_speaks_both_languages():
    for rule in (NotAParty, NotTheForum, OnlyMediates, StepNotPossible, OwnProposal, BadPaper):
        made: Refused = rule(node="a", kind="b", claimant="c", respondent="d", state="e", level=1, reason="f")
        assert made.say("zh")
        assert made.say("en")


def test_a_dispute_is_opened_read_and_brought_up_at_the_command_line(people, nation):
    def at(*words: str) -> str:
        verb, *rest = words
        done = CliRunner().invoke(cli.dispute, [verb, str(current().home), *rest], catch_exceptions=False)
        assert done.exit_code == 0, done.output
        return done.output

    words = ("--title", "未获答复", "--text", "申请已逾期。", "--as", "officer")
    made = at("open", "--with", "310000", "--department", MARKET, *words).split()[1]
    at("minutes", made, "--text", "会商未能一致。", "--as", "officer")
    assert "level 2, open" in at("escalate", made, "--text", "请共同上级决定。", "--as", "head")
    shown = json.loads(at("show", made, "--json"))
    assert [one["document"]["kind"] for one in shown["papers"]] == ["opened", "minutes", "escalated"]
    assert made in at("list")
