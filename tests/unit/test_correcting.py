"""A wrong record: reported, looked at, answered once, told to whoever read it. The other side is scripted."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import orjson
import pytest
from django.test import Client

from hutong.control.agreements import actions as agreements
from hutong.control.agreements.models import Agreement
from hutong.control.clocks.models import Clock
from hutong.control.clocks.queries import overdue
from hutong.control.corrections import actions, content, hearing, looking, resuming, saying
from hutong.control.corrections.models import Correction, Heard, Told
from hutong.control.corrections.rules import (
    AnsweredAlready,
    CanaryReported,
    CorrectionLate,
    FindingWithoutReason,
    KeyMasked,
    NothingChanged,
    NotLookedYet,
    OutsideAgreement,
    ReportIncomplete,
)
from hutong.control.disputes import actions as disputes
from hutong.control.disputes import docket
from hutong.control.disputes.models import Dispute
from hutong.control.disputes.rules import DoneByTheTicket, NotCorrected
from hutong.control.identity.models import Account
from hutong.control.identity.rules import OtherDepartment
from hutong.control.notices.models import Notice
from hutong.exchange.entitlements import Application, NoEntitlement
from hutong.exchange.grants.store import load
from hutong.exchange.keys import create_key
from hutong.exchange.models import ExchangeRecord, Source
from hutong.exchange.tracing import canary_values
from hutong.ledger.models import AuditRecord, LedgerEntry
from hutong.node.events import Event
from hutong.node.keys import seal
from hutong.node.models import OutboxMessage
from hutong.node.receiving import Peer
from hutong.node.sealing import NotSealedForUs, open_box, seal_for
from hutong.vocabulary.errors import BadInput, NotAllowed
from hutong.vocabulary.ids import new_id
from hutong.vocabulary.moments import rfc3339
from tests.concluded import consumed, provided
from tests.disputing import open_against_us, paper, send, told
from tests.dsp_peer import MARKET, DspPeer, peer

pytestmark = pytest.mark.django_db
USCC, EVIDENCE = "91320100MA00000001", "营业执照复印件第7号"
WRONG = {"items": ["name"], "key_item": "uscc", "value": USCC, "fault": "wrong_value", "evidence": EVIDENCE}


@pytest.fixture
def register(tmp_path: Path) -> Path:
    file = tmp_path / "companies.sqlite"
    with closing(sqlite3.connect(file)) as database, database:
        database.execute("CREATE TABLE company (uscc TEXT PRIMARY KEY, name TEXT, phone TEXT)")
        database.execute("INSERT INTO company VALUES (?, '长江一号', '1')", [USCC])
    return file


def set_name(register: Path, name: str) -> None:
    with closing(sqlite3.connect(register)) as database, database:
        database.execute("UPDATE company SET name = ?", [name])


@pytest.fixture
def agreement(anhui: DspPeer, officer: Account, register: Path) -> Agreement:
    """Anhui reads our companies, and has done so once."""
    made, _ = provided(anhui, officer, masks={"name": {"action": "keep"}})
    Source.objects.update(location=seal(str(register).encode()), table="company", schema=[])
    ExchangeRecord.objects.create(
        exchange_id=new_id(), role="provider", peer="340000", agreement_id=made.id, purpose="licensing",
        case_digest="x", outcome="served", form="json", rows=1, request_digest="x", entry_digest="x",
        at=datetime.now(UTC),
    )  # fmt: skip
    return made


def said(kind: str) -> list[dict[str, Any]]:
    bodies = [orjson.loads(bytes(one.body)) for one in OutboxMessage.objects.order_by("id")]
    return [body["data"] for body in bodies if body.get("type") == kind]


def from_anhui(kind: str, ticket: str, data: dict[str, Any]) -> None:
    """An event of the peer; it comes twice, as happens."""
    event = Event(new_id(), "urn:x", kind, saying.subject(ticket), "now", {"ticket": ticket, **data})
    handler = {
        saying.REPORTED: hearing.hear_report,
        saying.RECEIVED: hearing.hear_due,
        saying.ANSWERED: hearing.hear_answer,
        saying.TOLD: hearing.hear_correction,
        saying.ACKNOWLEDGED: hearing.hear_acknowledgement,
        saying.SPREAD: hearing.hear_spread,
    }[kind]
    for _ in range(2):
        handler(Peer("340000", "urn:x", new_id()), event)


def reported(agreement: Agreement, **changes: Any) -> Correction:
    """Anhui's report, as we have it."""
    ticket = new_id()
    secret = orjson.dumps({"value": changes.pop("value", USCC), "evidence": EVIDENCE})
    plain = {"agreement": agreement.id, "items": ["name"], "key_item": "uscc", "fault": "wrong_value"} | changes
    box = seal_for("320000", secret, about=saying.subject(ticket))
    from_anhui(saying.REPORTED, ticket, {**plain, "at": rfc3339(datetime.now(UTC)), "box": box})
    return Correction.objects.get(ticket=ticket)


def test_d809_26_correction_late_the_clock_of_ten_working_days_runs_from_receipt_and_the_requester_hears_the_day(
    agreement: Agreement,
) -> None:
    one = reported(agreement)
    clock = Clock.objects.get(rule=CorrectionLate.name())
    assert (clock.days, clock.state, clock.due_on) == (10, "running", one.due_on)
    assert said(saying.RECEIVED) == [{"ticket": one.ticket, "due_on": clock.due_on and clock.due_on.isoformat()}]
    if clock.due_on is not None:
        assert [late.rule for late in overdue(clock.due_on + timedelta(days=1))] == ["D809-26/correction_late"]


def test_a_correction_is_answered_with_old_and_new_as_digests_and_the_subscriber_acknowledges(
    agreement: Agreement, officer: Account, register: Path
) -> None:
    one = reported(agreement)
    looking.look_at_all()
    set_name(register, "长江壹号")
    one = actions.answer_corrected(officer, one.pk)
    (change,) = one.changes
    assert change["old"] == one.before["name"]
    assert change["old"] != change["new"]
    assert change["new"].startswith("hmac-sha256:")
    assert Clock.objects.get(rule=CorrectionLate.name()).state == "met"
    told = Told.objects.get()
    assert (told.peer, told.state, told.items) == ("340000", "told", ["name"])
    (event,) = said(saying.TOLD)
    assert (event["answer"], event["digest"]) == (one.answer_digest, told.digest)
    acknowledged = {"agreement": agreement.id, "at": rfc3339(datetime.now(UTC)), "digest": told.digest}
    from_anhui(saying.ACKNOWLEDGED, one.ticket, acknowledged)
    assert Told.objects.get().state == "acknowledged"
    assert [one["subscribers"][0]["state"] for one in said(saying.SPREAD)] == ["told", "acknowledged"]
    assert AuditRecord.objects.filter(kind="correction.acknowledged").count() == 1


def test_who_was_suspended_hears_of_the_correction_once_when_its_data_flows_again(
    agreement: Agreement, officer: Account, register: Path
) -> None:
    one = reported(agreement)
    agreements.suspend(officer, agreement.id, "涉密排查", cause="secrecy")
    looking.look_at_all()
    set_name(register, "长江壹号")
    one = actions.answer_corrected(officer, one.pk)
    resuming.tell_resumed()
    assert Told.objects.get().state == "waiting"
    assert (said(saying.TOLD), said(saying.SPREAD)[-1]["subscribers"]) == ([], [])  # whose it is stays between the two
    agreements.resume(officer, agreement.id, "排查完成")
    register.rename(register.with_suffix(".gone"))
    resuming.tell_resumed()
    assert Told.objects.get().state == "waiting", "the source does not answer: asked again"
    register.with_suffix(".gone").rename(register)
    for _ in range(2):
        resuming.tell_resumed()
    told = Told.objects.get()
    (event,) = said(saying.TOLD)
    assert (told.state, event["digest"], event["items"]) == ("told", told.digest, ["name"])
    assert [each["state"] for each in said(saying.SPREAD)[-1]["subscribers"]] == ["told"]
    assert AuditRecord.objects.filter(kind="correction.told").count() == 1


def test_who_was_suspended_and_whose_agreement_ends_has_nothing_to_put_right(
    agreement: Agreement, officer: Account, register: Path
) -> None:
    one = reported(agreement)
    agreements.suspend(officer, agreement.id, "涉密排查", cause="secrecy")
    looking.look_at_all()
    set_name(register, "长江壹号")
    actions.answer_corrected(officer, one.pk)
    agreements.end(officer, agreement.id, "涉密", cause="secrecy")
    for _ in range(2):
        resuming.tell_resumed()
    assert (Told.objects.get().state, said(saying.TOLD)) == ("fell_away", [])
    assert AuditRecord.objects.filter(kind="correction.fell_away").count() == 1


def test_d809_26_correction_unchanged_is_no_correction(agreement: Agreement, officer: Account) -> None:
    one = reported(agreement)
    looking.look_at_all()
    with pytest.raises(NothingChanged):
        actions.answer_corrected(officer, one.pk)
    assert Correction.objects.get().state == "reported"
    assert not Told.objects.exists()


def test_d809_26_correction_not_looked_at_cannot_be_compared(
    agreement: Agreement, officer: Account, register: Path
) -> None:
    one = reported(agreement)
    register.rename(register.with_suffix(".gone"))
    looking.look_at_all()
    assert Correction.objects.get().look_failed
    with pytest.raises(NotLookedYet):
        actions.answer_corrected(officer, one.pk)
    register.with_suffix(".gone").rename(register)
    assert actions.look(officer, one.pk).before["name"]
    with pytest.raises(NothingChanged):
        actions.answer_corrected(officer, one.pk)


def test_d809_26_correction_answered_once_and_never_again(agreement: Agreement, officer: Account) -> None:
    one = reported(agreement)
    assert actions.answer_not_wrong(officer, one.pk, "与档案一致").state == "not_wrong"
    for again in (
        lambda: actions.answer_not_wrong(officer, one.pk, "再答"),
        lambda: actions.answer_forwarded(officer, one.pk, "税务局", "再答"),
        lambda: actions.answer_corrected(officer, one.pk),
    ):
        with pytest.raises(AnsweredAlready, match="not wrong"):
            again()
    assert len(said(saying.ANSWERED)) == 1


def test_d809_26_finding_without_reason_or_without_the_true_source_is_refused(
    agreement: Agreement, officer: Account
) -> None:
    one = reported(agreement)
    with pytest.raises(FindingWithoutReason):
        actions.answer_not_wrong(officer, one.pk, " ")
    with pytest.raises(FindingWithoutReason):
        actions.answer_forwarded(officer, one.pk, "", "不是本部门采集")
    assert actions.answer_forwarded(officer, one.pk, "税务局", "不是本部门采集").state == "forwarded"
    (answer,) = said(saying.ANSWERED)
    assert answer["finding"] == "forwarded"
    assert "税务局" not in json.dumps(answer, ensure_ascii=False)  # sealed for Anhui alone


def test_only_the_departments_own_people_answer(agreement: Agreement, health: dict[str, Account]) -> None:
    one = reported(agreement)
    with pytest.raises(OtherDepartment):
        actions.answer_not_wrong(health["officer"], one.pk, "与档案一致")
    with pytest.raises(NotAllowed):
        actions.answer_not_wrong(Account.objects.create(username="qian", role="auditor"), one.pk, "与档案一致")


def test_d809_26_report_outside_agreement_is_refused_by_either_side(
    anhui: DspPeer, health: dict[str, Account], agreement: Agreement
) -> None:
    mine = consumed(anhui, health)
    with pytest.raises(OutsideAgreement, match="phone"):
        actions.report(health["officer"], mine.id, **WRONG | {"items": ["name", "phone"]})
    with pytest.raises(OutsideAgreement, match="phone"):
        reported(agreement, items=["phone"])
    assert not Correction.objects.exists()


def test_d809_26_report_incomplete_names_what_is_missing(anhui: DspPeer, health: dict[str, Account]) -> None:
    mine = consumed(anhui, health)
    with pytest.raises(ReportIncomplete, match="the items, the key's value, the evidence"):
        actions.report(health["officer"], mine.id, **WRONG | {"items": [], "value": " ", "evidence": ""})
    with pytest.raises(ReportIncomplete, match="a fault of the list"):
        actions.report(health["officer"], mine.id, **WRONG | {"fault": "ugly"})


def test_d809_26_report_key_masked_names_no_record(
    anhui: DspPeer, officer: Account, health: dict[str, Account]
) -> None:
    mine = consumed(anhui, health, masks=({"action": "pseudonym"}, {"action": "keep"}))
    with pytest.raises(KeyMasked, match="uscc"):
        actions.report(health["officer"], mine.id, **WRONG)
    theirs, _ = provided(anhui, officer, masks={"uscc": {"action": "pseudonym"}})
    with pytest.raises(KeyMasked):
        reported(theirs)


def test_d809_26_report_of_a_canary_is_not_taken_and_says_why(anhui: DspPeer, officer: Account) -> None:
    tracing = {"canaries": {"item": "uscc", "kind": "credit_code", "count": 3}}
    made, _ = provided(anhui, officer, masks={"name": {"action": "keep"}}, tracing=tracing)
    canaries = sorted(canary_values(load(made.id)[0]))
    assert len(canaries) == 3
    for value in canaries:
        with pytest.raises(CanaryReported, match="describes nobody"):
            reported(made, value=value)
    assert not Correction.objects.exists()


def test_an_officer_or_an_application_reports_and_nothing_of_the_key_stands_in_clear(
    anhui: DspPeer, health: dict[str, Account]
) -> None:
    mine = consumed(anhui, health)
    by_officer = actions.report(health["officer"], mine.id, **WRONG)
    application = Application(mine.department, "窗口")
    by_application = actions.report_by_application(application, mine.id, WRONG)
    assert (by_officer.reported_by, by_application.reported_by) == ("h-officer", "application:窗口")
    with pytest.raises(NoEntitlement):
        actions.report_by_application(Application("11330105002500287C", "别处"), mine.id, WRONG)
    kept = [bytes(one) for one in OutboxMessage.objects.values_list("body", flat=True)]
    kept += [bytes(one) for one in LedgerEntry.objects.values_list("entry", flat=True)]
    kept += [
        json.dumps(one, ensure_ascii=False).encode() for one in AuditRecord.objects.values_list("detail", flat=True)
    ]
    kept += [bytes(one.content) for one in Correction.objects.all()]
    assert not any(USCC.encode() in one or EVIDENCE.encode() in one for one in kept)
    assert content.key_value(by_officer) == USCC


def test_the_answer_is_taken_once_and_only_where_it_follows_the_report(
    anhui: DspPeer, health: dict[str, Account]
) -> None:
    one = actions.report(health["officer"], consumed(anhui, health).id, **WRONG)
    from_anhui(saying.RECEIVED, one.ticket, {"due_on": "2026-12-07"})
    at = datetime.now(UTC).replace(microsecond=0)
    changes = [{"item": "name", "old": "hmac-sha256:1", "new": "hmac-sha256:2"}]
    words = orjson.dumps({"reason": "", "source": ""})
    box = seal_for("320000", words, about=saying.subject(one.ticket))
    answer = {"finding": "corrected", "changes": changes, "at": rfc3339(at), "corrected_at": rfc3339(at), "box": box}
    with pytest.raises(BadInput, match="does not follow"):
        from_anhui(saying.ANSWERED, one.ticket, answer | {"digest": "sha256:0"})
    digest = saying.answer_digest(one, "corrected", changes, at)
    from_anhui(saying.ANSWERED, one.ticket, answer | {"digest": digest})
    one.refresh_from_db()
    assert (one.state, one.changes, str(one.due_on)) == ("corrected", changes, "2026-12-07")
    assert AuditRecord.objects.filter(kind="correction.corrected").count() == 1
    spread = [{"node": "330000", "state": "told", "at": "2026-11-23T00:00:00.000Z"}]
    from_anhui(saying.SPREAD, one.ticket, {"subscribers": spread})
    one.refresh_from_db()
    assert one.subscribers == spread


def test_a_correction_of_what_we_read_is_heard_once_and_acknowledged_once(
    anhui: DspPeer, health: dict[str, Account]
) -> None:
    mine, ticket = consumed(anhui, health), new_id()
    digest = saying.told_digest("sha256:a", "320000", mine.id, ["name"])
    box = seal_for("320000", orjson.dumps({"value": USCC}), about=saying.subject(ticket))
    plain = {"agreement": mine.id, "items": ["name"], "key_item": "uscc", "fault": "wrong_value", "changes": []}
    chain = {"report": "sha256:r", "answer": "sha256:a", "corrected_at": rfc3339(datetime.now(UTC)), "box": box}
    from_anhui(saying.TOLD, ticket, {**plain, **chain, "digest": digest})
    heard = Heard.objects.get()
    for _ in range(2):
        actions.acknowledge(health["officer"], heard.pk)
    assert [one["digest"] for one in said(saying.ACKNOWLEDGED)] == [digest]


def test_a_report_the_provider_will_not_take_says_so_on_the_ticket(anhui: DspPeer, health: dict[str, Account]) -> None:
    one = actions.report(health["officer"], consumed(anhui, health).id, **WRONG)
    message = OutboxMessage.objects.get(process__startswith=f"event:{saying.REPORTED}")
    for _ in range(2):
        hearing.not_taken(message, 404, {"code": "not_found"})
    one.refresh_from_db()
    assert (one.state, one.code) == ("undelivered", "not_found")
    assert AuditRecord.objects.filter(kind="correction.undelivered").count() == 1


def test_a_sealed_value_opens_for_its_receiver_under_its_own_subject_alone(anhui: DspPeer) -> None:
    box = seal_for("320000", b"value", about="correction:1")
    assert open_box(box, about="correction:1") == b"value"
    with pytest.raises(NotSealedForUs):
        open_box(box, about="correction:2")
    with pytest.raises(NotSealedForUs):
        open_box(seal_for("340000", b"value", about="correction:1"), about="correction:1")
    with pytest.raises(BadInput):
        open_box({"alg": "none", "sealed": ""}, about="correction:1")
    assert b"value" not in box["sealed"].encode()


def test_an_application_reports_with_its_key_and_asks_how_it_stands(
    anhui: DspPeer, health: dict[str, Account], client: Client
) -> None:
    mine = consumed(anhui, health)
    made_for = {one: create_key("test", one, "窗口", days=1) for one in (mine.department, MARKET)}
    keys = {one: {"Authorization": f"Bearer {key}"} for one, key in made_for.items()}
    said = {"agreement": mine.id, "items": ["name"], "key": {"item": "uscc", "value": USCC}}
    said |= {"fault": "wrong_value", "evidence": EVIDENCE}

    def report(body: Any, office: str = mine.department) -> Any:
        raw = orjson.dumps(body)
        return client.generic("POST", "/hutong/corrections", raw, "application/json", headers=keys[office])

    made = report(said)
    assert (made.status_code, made.json()["state"]) == (201, "reported")
    address = f"/hutong/corrections/{made.json()['ticket']}"
    assert client.get(address, headers=keys[mine.department]).json() == made.json()
    assert client.get(address, headers=keys[MARKET]).status_code == 404
    assert report(said, MARKET).json()["code"] == "no_entitlement"
    assert client.get(address).status_code == 401
    for wrong in ({}, said | {"items": "name"}, said | {"key": USCC}, said | {"key": {"item": "uscc", "value": 1.5}}):
        assert report(wrong).status_code == 400
    assert report(said | {"fault": "ugly"}).json()["rule"] == "D809-26"
    assert Correction.objects.get().reported_by == "application:窗口"


# What the outcome of a dispute binds us to


@pytest.fixture
def bound(agreement: Agreement, officer: Account, anhui: DspPeer) -> tuple[Correction, Dispute, Any]:
    """We answered that nothing is wrong; Anhui brought it to the nation, which decides that it must be corrected."""
    one = reported(agreement)
    looking.look_at_all()
    actions.answer_not_wrong(officer, one.pk, "与登记档案一致")
    nation = peer("100000")
    about = disputes.about_correction(one.ticket, agreement.id).about
    dispute = open_against_us(anhui, "320000", **about)
    up = paper(anhui, dispute.id, "escalated", "claimant", level=2, forum="100000")
    assert send(anhui, dispute.id, up).status_code == 200
    dispute.refresh_from_db()
    effects = [disputes.effect_of(dispute, "correct").document()]
    words = {"citation": "条例第二十八条", "effects": effects}
    decision = paper(nation, dispute.id, "decided", "forum", level=2, **words)
    for _ in range(2):  # as messages come
        assert send(nation, dispute.id, decision).status_code == 200
    return one, dispute, nation


def test_a_decision_to_correct_opens_the_report_again_and_is_done_when_it_is_answered_so(
    bound: tuple[Correction, Dispute, Any], officer: Account, register: Path
) -> None:
    one, dispute, _ = bound
    one.refresh_from_db()
    assert (one.state, one.by_decision, one.answered_at) == ("reported", dispute.id, None)
    assert [clock.state for clock in Clock.objects.filter(rule=CorrectionLate.name()).order_by("id")] == [
        *("met", "running")
    ]
    assert [told.get("by_decision") for told in said(saying.RECEIVED)] == [None, dispute.id]
    with pytest.raises(DoneByTheTicket):
        disputes.carried_out(Account.objects.create(username="s", role="supervisor"), dispute.id, 0, "已更正。")
    set_name(register, "长江壹号")
    actions.answer_corrected(officer, one.pk)
    dispute.refresh_from_db()
    assert (dispute.state, dispute.mandates.get().state) == ("executed", "done")
    assert AuditRecord.objects.filter(kind="dispute.done").count() == 1
    assert Clock.objects.filter(rule=CorrectionLate.name(), state="met").count() == 2


def test_d809_28_not_corrected_is_seen_by_all_sides_and_opens_once_more_when_tried_again(
    bound: tuple[Correction, Dispute, Any], officer: Account, register: Path
) -> None:
    one, dispute, _nation = bound
    supervisor = Account.objects.create(username="s", role="supervisor")
    before = told("100000")
    actions.answer_not_wrong(officer, one.pk, "仍与登记档案一致")
    mandate = dispute.mandates.get()
    assert (mandate.state, mandate.code) == ("failed", NotCorrected.code)
    assert told("100000") == before + 1
    assert Notice.objects.filter(code="dispute_not_done").exists()
    statement = docket.papers_of(dispute.id)[-1]
    assert (statement.kind, statement.text) == ("statement", docket.NOT_CORRECTED)
    disputes.try_again(supervisor, dispute.id)
    one.refresh_from_db()
    assert (one.state, dispute.mandates.get().state) == ("reported", "waiting")
    set_name(register, "长江壹号")
    actions.answer_corrected(officer, one.pk)
    dispute.refresh_from_db()
    assert dispute.state == "executed"


def test_d809_28_done_by_the_ticket_is_told_to_the_reporting_side_and_its_report_is_open_again(
    anhui: DspPeer, health: dict[str, Account]
) -> None:
    made = consumed(anhui, health)
    one = actions.report(health["officer"], made.id, **WRONG)
    words = orjson.dumps({"reason": "一致", "source": ""})
    at = datetime.now(UTC).replace(microsecond=0)
    digest = saying.answer_digest(one, "not_wrong", [], at)
    box = seal_for("320000", words, about=saying.subject(one.ticket))
    answer = {"finding": "not_wrong", "changes": [], "at": rfc3339(at), "corrected_at": None}
    from_anhui(saying.ANSWERED, one.ticket, {**answer, "box": box, "digest": digest})
    from_anhui(saying.RECEIVED, one.ticket, {"due_on": "2026-12-07", "by_decision": "urn:uuid:1"})
    one.refresh_from_db()
    assert (one.state, one.by_decision, one.answer_digest) == ("reported", "urn:uuid:1", "")
