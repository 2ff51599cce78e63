"""Conduct under an agreement: suspended and put right, ended and disposed of, announced before it stops, told of."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

import orjson
import pytest
from click.testing import CliRunner

from hutong.control.agreements import actions as agreements
from hutong.control.agreements import protocol
from hutong.control.agreements.cli import agreement as agreement_cli
from hutong.control.agreements.models import Agreement
from hutong.control.catalogue import publication
from hutong.control.catalogue.models import Entry, Resource
from hutong.control.clocks.models import Clock
from hutong.control.clocks.queries import overdue
from hutong.control.conduct import actions, ending, hearing, papers, queries, retention, stopping, use
from hutong.control.conduct.models import EndedAgreement, Filing, StopNotice
from hutong.control.conduct.rules import (
    CreditQueriesKept,
    DisposalBeforeEnd,
    DisposalLate,
    EndedBeforeDeadline,
    IncidentIncomplete,
    LogsKept,
    NoSuspensionOpen,
    NoticeTooShort,
    PaperIncomplete,
    RectificationLate,
    ResumedWithoutRectification,
    StopWithoutNotice,
    SupervisorsSuspension,
    UseRecordIncomplete,
    UseRecordsKept,
)
from hutong.control.identity.models import Account
from hutong.control.identity.rules import Operator
from hutong.control.notices.queries import notices
from hutong.control.statute import day
from hutong.exchange.models import DailyUse, Entitlement, ExchangeRecord, Grant
from hutong.ledger.models import AuditRecord, LedgerEntry
from hutong.node.events import Event
from hutong.node.models import OutboxMessage
from hutong.node.receiving import Peer
from hutong.node.settings import current
from hutong.vocabulary.canonical import canonical_digest
from hutong.vocabulary.errors import NotAllowed, NotFound, WrongState
from hutong.vocabulary.ids import new_id, uuid_of
from hutong.vocabulary.moments import rfc3339
from tests.concluded import consumed, filed_by_peer, provided
from tests.dsp_peer import DspPeer

pytestmark = pytest.mark.django_db
DIGEST = "sha256:" + "ab" * 32
RECTIFIED = {"done": "已停用越权查询", "by": "科长李某", "evidence": DIGEST}
DISPOSED = {"copies": "业务库一份", "how": "多次覆写", "on": "2026-11-20", "by": "管理员", "evidence": DIGEST}
USED = {
    "year": "2026",
    "scenario": "开办核验",
    "process": "逐件核验",
    "effect": "减少材料两份",
    "storage": "不落库",
    "destruction": "尚未销毁",
}
INCIDENT = {"what": "接口密钥外泄", "found_on": "2026-11-20", "affected": "查询日志", "measures": "已吊销密钥"}


@pytest.fixture
def supervisor(db: None) -> Account:
    return Account.objects.create(username="chen", role="supervisor")


@pytest.fixture(autouse=True)
def at(monkeypatch: pytest.MonkeyPatch) -> Any:
    """What day it is: one whose working days are known, until a test says another."""

    def set_day(moment: date) -> None:
        monkeypatch.setattr(day, "today", lambda: moment)

    set_day(date(2026, 11, 23))
    return set_day


def said(kind: str) -> list[dict[str, Any]]:
    """Events of one type in our outbox."""
    bodies = [orjson.loads(bytes(one.body)) for one in OutboxMessage.objects.order_by("id")]
    return [body["data"] for body in bodies if body.get("type") == kind]


# --- suspension, rectification, resumption, end (article 27) --------------------------------------------------------


def test_misuse_the_supervisor_suspends_calls_fail_at_once_and_only_a_rectification_lets_them_go_on(
    anhui: DspPeer, officer: Account, supervisor: Account
) -> None:
    made, _ = provided(anhui, officer)
    agreements.suspend(supervisor, made.id, "超出约定用途", cause="misuse")
    assert Grant.objects.get().state == "suspended"  # every gateway reads it for every batch
    (suspension,) = said(papers.FILED)
    clock = Clock.objects.get(rule=RectificationLate.name())
    assert (clock.rule, clock.days) == ("D809-27/rectification_late", 10)
    assert suspension["due_on"] == (clock.due_on.isoformat() if clock.due_on else None)
    with pytest.raises(ResumedWithoutRectification):
        agreements.resume(supervisor, made.id, "算了")
    assert Grant.objects.get().state == "suspended"
    filed_by_peer(made, "rectification", RECTIFIED, suspension["id"])
    assert agreements.resume(supervisor, made.id, "已整改").state == "active"
    assert {one.kind: one.state for one in queries.of(made)} == {"suspension": "lifted", "rectification": "accepted"}
    assert Clock.objects.get(rule=RectificationLate.name()).state == "met"
    kinds = [one.kind for one in AuditRecord.objects.filter(subject=f"agreement:{made.id}").order_by("id")]
    assert kinds.count("filing.rectification") == 1
    assert kinds[-2:] == ["filing.suspension_lifted", "filing.rectification_accepted"]


def test_d809_27_resumed_without_rectification_is_refused_also_when_the_one_filed_was_objected_to(
    anhui: DspPeer, officer: Account
) -> None:
    made, _ = provided(anhui, officer)
    agreements.suspend(officer, made.id, "超出约定用途")
    suspension = queries.open_suspension(made, "provider")
    paper = filed_by_peer(made, "rectification", RECTIFIED, suspension.id)
    actions.answer(officer, paper.id, accept=False, reason="未附凭证")
    assert [one["state"] for one in said(papers.ANSWERED)] == ["objected"]
    with pytest.raises(ResumedWithoutRectification):
        agreements.resume(officer, made.id, "已整改")
    filed_by_peer(made, "rectification", RECTIFIED, suspension.id)
    assert agreements.resume(officer, made.id, "已整改").state == "active"


def test_d809_27_ended_before_deadline_is_refused_and_possible_the_day_after(
    anhui: DspPeer, officer: Account, at: Any
) -> None:
    made, _ = provided(anhui, officer)
    agreements.suspend(officer, made.id, "超出约定用途")
    with pytest.raises(EndedBeforeDeadline):
        agreements.end(officer, made.id, "不再等待", cause="misuse")
    due = queries.open_suspension(made, "provider").due_on
    assert due is not None
    at(due)
    with pytest.raises(EndedBeforeDeadline):
        agreements.end(officer, made.id, "不再等待", cause="misuse")
    at(due + timedelta(days=1))
    assert agreements.end(officer, made.id, "逾期未整改", cause="misuse").state == "ended"
    assert Grant.objects.get().state == "ended"
    assert queries.of(made).get().state == "ended"


def test_d809_27_rectification_late_is_found_overdue(anhui: DspPeer, officer: Account) -> None:
    made, _ = provided(anhui, officer)
    agreements.suspend(officer, made.id, "超出约定用途")
    due = Clock.objects.get(rule=RectificationLate.name()).due_on
    assert [one.rule for one in overdue(due + timedelta(days=1))] == ["D809-27/rectification_late"]
    assert not overdue(due).exists()


def test_d809_27_no_suspension_open_and_nothing_can_be_rectified(anhui: DspPeer, health: dict[str, Account]) -> None:
    made = consumed(anhui, health)
    with pytest.raises(NoSuspensionOpen):
        actions.rectify(health["officer"], made.id, RECTIFIED)
    assert not Filing.objects.exists()


def test_d809_27_paper_incomplete_names_what_is_missing(anhui: DspPeer, health: dict[str, Account]) -> None:
    made = consumed(anhui, health)
    filed_by_peer(made, "suspension", {"cause": "misuse", "reason": "查询量异常"})
    with pytest.raises(PaperIncomplete, match="by whom, a digest of the evidence"):
        actions.rectify(health["officer"], made.id, {"done": "已整改"})


def test_the_suspended_side_files_and_the_peer_reads_the_same_digest(
    anhui: DspPeer, health: dict[str, Account]
) -> None:
    made = consumed(anhui, health)
    transfer = made.transfers.get()
    said_so = protocol.TransferSuspension(transfer.peer_pid, transfer.pid)
    assert anhui.say(f"/transfers/{transfer.pid}/suspension", said_so).status_code == 200
    suspension = filed_by_peer(made, "suspension", {"cause": "misuse", "reason": "查询量异常"})
    paper = actions.rectify(health["officer"], made.id, RECTIFIED)
    (sent,) = said(papers.FILED)
    assert (sent["refers_to"], sent["digest"]) == (suspension.id, paper.digest)
    with pytest.raises(WrongState):
        actions.answer(health["officer"], paper.id, accept=True)
    answered = {"id": paper.id, "state": "accepted", "answer": "", "at": rfc3339(datetime.now(UTC))}
    event = Event(new_id(), "urn:x", papers.ANSWERED, f"agreement:{made.id}", "now", answered)
    for _ in range(2):
        hearing.hear_answer(Peer("340000", "urn:x", new_id()), event)
    paper.refresh_from_db()
    assert paper.state == "accepted"
    assert AuditRecord.objects.filter(kind="filing.rectification_accepted").count() == 1


def test_a_suspension_heard_of_after_the_data_flows_again_does_not_stand(
    anhui: DspPeer, health: dict[str, Account]
) -> None:
    made = consumed(anhui, health)
    transfer = made.transfers.get()
    filed_at = datetime.now(UTC)
    for message in (protocol.TransferSuspension, protocol.TransferStart):
        step = "suspension" if message is protocol.TransferSuspension else "start"
        said_so = message(transfer.peer_pid, transfer.pid)
        assert anhui.say(f"/transfers/{transfer.pid}/{step}", said_so).status_code == 200
    late = filed_by_peer(made, "suspension", {"cause": "secrecy", "reason": "核查"}, filed_at=filed_at)
    assert late.state == "lifted"
    now = filed_by_peer(made, "suspension", {"cause": "secrecy", "reason": "核查"})
    assert now.state == "open"  # its own message of the protocol is still on the way


def test_d809_27_supervisors_suspension_is_lifted_by_the_supervisor_alone_on_either_side(
    anhui: DspPeer, officer: Account, health: dict[str, Account], supervisor: Account
) -> None:
    theirs, _ = provided(anhui, officer)
    agreements.suspend(supervisor, theirs.id, "超出约定用途")
    filed_by_peer(theirs, "rectification", RECTIFIED, queries.open_suspension(theirs, "provider").id)
    ours = consumed(anhui, health)
    agreements.suspend(supervisor, ours.id, "本地检查发现超范围使用")
    actions.rectify(health["officer"], ours.id, RECTIFIED)
    for who, agreement in ((officer, theirs), (health["officer"], ours)):
        with pytest.raises(SupervisorsSuspension):
            agreements.resume(who, agreement.id, "已整改")
        assert agreements.resume(supervisor, agreement.id, "已整改").state == "active"


def test_the_side_that_suspended_cannot_put_right_what_the_other_did(anhui: DspPeer, officer: Account) -> None:
    made, _ = provided(anhui, officer)
    agreements.suspend(officer, made.id, "超出约定用途")
    with pytest.raises(NoSuspensionOpen):
        actions.rectify(officer, made.id, RECTIFIED)
    with pytest.raises(ResumedWithoutRectification):
        agreements.resume(officer, made.id, "已整改")


# --- disposal -----------------------------------------------------------------------------------------------------


def ended_by_consumer(anhui: DspPeer, officer: Account) -> Agreement:
    made, transfer = provided(anhui, officer)
    message = protocol.TransferTermination(transfer.pid, transfer.peer_pid)
    assert anhui.say(f"/transfers/{transfer.pid}/termination", message).status_code == 200
    made.refresh_from_db()
    return made


def test_the_proof_of_disposal_is_accepted_or_objected_to_by_the_provider(anhui: DspPeer, officer: Account) -> None:
    made = ended_by_consumer(anhui, officer)
    assert EndedAgreement.objects.get().how == "ended"
    first = filed_by_peer(made, "disposal", DISPOSED)
    with pytest.raises(PaperIncomplete, match="the reason"):
        actions.answer(officer, first.id, accept=False)
    actions.answer(officer, first.id, accept=False, reason="备份未说明")
    assert EndedAgreement.objects.get().disposed_at is None
    second = filed_by_peer(made, "disposal", DISPOSED | {"copies": "业务库与备份各一份"})
    actions.answer(officer, second.id, accept=True)
    assert EndedAgreement.objects.get().disposed_at is not None
    assert [one.state for one in queries.of(made)] == ["objected", "accepted"]


def test_d809_27_disposal_before_end_is_refused_and_after_it_the_clock_runs(
    anhui: DspPeer, health: dict[str, Account]
) -> None:
    made = consumed(anhui, health)
    with pytest.raises(DisposalBeforeEnd):
        actions.dispose(health["officer"], made.id, DISPOSED)
    agreements.end(health["officer"], made.id, "用途已实现")
    clock = Clock.objects.get(rule=DisposalLate.name())
    assert (clock.days, clock.state, clock.department) == (10, "running", made.department)
    assert notices(health["officer"]).filter(notice__code="disposal_due").exists()
    actions.dispose(health["officer"], made.id, DISPOSED)
    clock.refresh_from_db()
    assert clock.state == "met"


def test_d809_27_disposal_late_is_found_overdue(anhui: DspPeer, health: dict[str, Account]) -> None:
    made = consumed(anhui, health)
    agreements.end(health["officer"], made.id, "用途已实现")
    due = Clock.objects.get(rule=DisposalLate.name()).due_on
    assert [one.subject for one in overdue(due + timedelta(days=1))] == [f"agreement:{made.id}"]


def test_a_completed_delivery_ends_nothing_and_its_copies_are_disposed_of_when_the_term_is_over(
    anhui: DspPeer, health: dict[str, Account]
) -> None:
    made = consumed(anhui, health)
    transfer = made.transfers.get()
    said = protocol.TransferCompletion(transfer.peer_pid, transfer.pid)
    assert anhui.say(f"/transfers/{transfer.pid}/completion", said).status_code == 200
    ending.look()
    assert not EndedAgreement.objects.exists()
    with pytest.raises(DisposalBeforeEnd):
        actions.dispose(health["officer"], made.id, DISPOSED)
    Agreement.objects.filter(id=made.id).update(ends_at=datetime.now(UTC) - timedelta(days=1))
    for _ in range(2):
        ending.look()
    assert EndedAgreement.objects.get().how == "expired"
    assert Clock.objects.filter(rule=DisposalLate.name(), state="running").count() == 1


def test_the_consumer_completes_a_delivery_and_asks_for_the_next_one(
    anhui: DspPeer, health: dict[str, Account]
) -> None:
    made = consumed(anhui, health)
    as_officer = [str(current().home), made.id, "--as", health["officer"].username]
    for command, state, there in (("complete", "COMPLETED", "ended"), ("ask-delivery", "REQUESTED", "pending")):
        done = CliRunner().invoke(agreement_cli, [command, *as_officer])
        assert done.output == f"delivery under agreement {made.id} is {state}.\n"
        assert Entitlement.objects.get().state == there
    assert len(anhui.heard(protocol.TransferCompletion)) == 1
    assert len(anhui.heard(protocol.TransferRequest)) == 2


def test_a_provider_neither_completes_a_delivery_nor_asks_for_one(anhui: DspPeer, officer: Account) -> None:
    made, _ = provided(anhui, officer)
    for move in (agreements.complete_delivery, agreements.ask_delivery):
        with pytest.raises(NotFound):
            move(officer, made.id)
    assert Grant.objects.get().state == "active"


def test_an_agreement_that_runs_out_is_disposed_of_like_one_that_was_ended(
    anhui: DspPeer, health: dict[str, Account]
) -> None:
    made = consumed(anhui, health)
    Agreement.objects.filter(id=made.id).update(ends_at=datetime.now(UTC) - timedelta(days=1))
    for _ in range(2):
        ending.look()
    assert EndedAgreement.objects.get().how == "expired"
    assert Clock.objects.filter(rule=DisposalLate.name(), state="running").count() == 1
    assert AuditRecord.objects.filter(kind="agreement.over").count() == 1
    assert actions.dispose(health["officer"], made.id, DISPOSED).state == "filed"


# --- announced stops ------------------------------------------------------------------------------------------------


def test_d809_27_stop_without_notice_is_refused_for_a_withdrawal_and_for_an_end_unless_secrecy_demands_it(
    anhui: DspPeer, officer: Account
) -> None:
    made, _ = provided(anhui, officer)
    with pytest.raises(StopWithoutNotice):
        agreements.end(officer, made.id, "系统下线")
    with pytest.raises(StopWithoutNotice):
        agreements.suspend(officer, made.id, "系统维护", cause="own_pause")
    resource = Resource.objects.get()
    with pytest.raises(StopWithoutNotice, match="1 agreements"):
        publication.withdraw(officer, resource.id)
    assert Agreement.objects.get().state == "active"
    publication.withdraw(officer, resource.id, emergency="保密部门要求立即停止")
    assert AuditRecord.objects.get(kind="service.emergency_stop").detail["reason"] == "保密部门要求立即停止"


def test_an_announced_stop_is_told_to_every_consumer_and_may_happen_on_its_day(
    anhui: DspPeer, officer: Account, supervisor: Account, at: Any
) -> None:
    made, _ = provided(anhui, officer)
    resource, starts = Resource.objects.get(), day.today() + timedelta(days=30)
    notice = stopping.announce(officer, resource.id, change="stop", starts_on=starts, reason="系统下线")
    assert notice.told == 1
    (told,) = said(papers.FILED)
    assert (told["kind"], told["content"]["starts_on"]) == ("stop", starts.isoformat())
    assert notices(supervisor).get().notice.code == "stop_announced"
    at(starts - timedelta(days=1))
    with pytest.raises(StopWithoutNotice):
        agreements.end(officer, made.id, "系统下线", cause="announced_stop")
    at(starts)
    assert agreements.end(officer, made.id, "系统下线", cause="announced_stop").state == "ended"
    publication.withdraw(officer, resource.id)


def test_d809_27_notice_too_short_is_refused_with_the_earliest_day(anhui: DspPeer, officer: Account) -> None:
    provided(anhui, officer)
    early = day.today() + timedelta(days=29)
    with pytest.raises(NoticeTooShort, match=(day.today() + timedelta(days=30)).isoformat()):
        stopping.announce(officer, Resource.objects.get().id, change="stop", starts_on=early, reason="系统下线")
    assert not StopNotice.objects.exists()


# --- use, incidents -------------------------------------------------------------------------------------------------


def test_d809_29_use_record_incomplete_names_what_is_missing_and_a_whole_one_travels(
    anhui: DspPeer, health: dict[str, Account]
) -> None:
    made = consumed(anhui, health)
    with pytest.raises(UseRecordIncomplete, match="the effect, the destruction"):
        actions.record_use(health["officer"], made.id, USED | {"effect": " ", "destruction": ""})
    actions.record_use(health["officer"], made.id, USED)
    assert [one["content"] for one in said(papers.FILED)] == [USED]
    (line,) = use.by_year(use.of_account(health["officer"]))
    assert (line.year, line.told) == (2026, [USED])


def test_use_is_counted_by_agreement_and_year_on_either_side(
    anhui: DspPeer, officer: Account, health: dict[str, Account]
) -> None:
    theirs, _ = provided(anhui, officer)
    ours = consumed(anhui, health)
    for moment, calls in ((date(2025, 12, 31), 3), (date(2026, 1, 1), 4), (date(2026, 1, 2), 5)):
        DailyUse.objects.create(agreement_id=theirs.id, day=moment, calls=calls, refused=1, rows=10)
        used(ours.id, china_noon(moment), count=calls)
    ExchangeRecord.objects.filter(agreement_id=ours.id).update(role="consumer")
    for account, agreement in ((officer, theirs), (health["officer"], ours)):
        lines = use.by_year(use.of_account(account))
        assert {one.agreement for one in lines} == {agreement.id}
        assert [(one.year, one.calls) for one in lines] == [(2026, 9), (2025, 3)]
    assert [(one.refused, one.rows) for one in use.by_year([theirs])] == [(2, 20), (1, 10)]


def test_d809_35_incident_incomplete_and_a_whole_one_reaches_the_supervisor_and_the_other_side(
    anhui: DspPeer, officer: Account, supervisor: Account
) -> None:
    made, _ = provided(anhui, officer)
    with pytest.raises(IncidentIncomplete, match="what is affected"):
        actions.report_incident(officer, made.id, INCIDENT | {"affected": ""})
    agreements.suspend(officer, made.id, "先行暂停", cause="incident")
    paper = actions.report_incident(officer, made.id, INCIDENT)
    assert paper.refers_to == queries.open_suspension(made, "provider").id
    assert notices(supervisor).get().notice.code == "incident_reported"
    assert [one["kind"] for one in said(papers.FILED)] == ["suspension", "incident"]
    filed_by_peer(made, "incident", INCIDENT)
    assert notices(supervisor).count() == 2


# --- how long the register is kept ----------------------------------------------------------------------------------

OPERATOR = Operator("operator:test")


def used(agreement_id: str, moment: datetime, count: int = 1) -> None:
    """Rows of the register as the exchange writes them, of an earlier time."""
    for number in range(count):
        ExchangeRecord.objects.create(
            exchange_id=new_id(), role="provider", peer="340000", agreement_id=agreement_id, purpose="licensing",
            case_digest="x", outcome="served", form="json", rows=1, request_digest="x",
            entry_digest=canonical_digest([agreement_id, number]), at=moment,
        )  # fmt: skip


def china_noon(moment: date) -> datetime:
    return datetime(moment.year, moment.month, moment.day, 12, tzinfo=day.CHINA)


def test_audit_retention_a_record_of_two_years_and_eleven_months_stays_and_one_past_its_time_leaves_a_proof(
    anhui: DspPeer, officer: Account
) -> None:
    made, _ = provided(anhui, officer)
    young = retention.months_before(day.today(), 35)
    old = retention.months_before(day.today(), 36) - timedelta(days=1)
    used(made.id, china_noon(young))
    used(made.id, china_noon(old), count=3)
    with pytest.raises(UseRecordsKept) as refused:
        retention.purge(OPERATOR, young + timedelta(days=1))
    assert (refused.value.rule, refused.value.parameters["months"]) == ("D809-29", 36)
    assert ExchangeRecord.objects.count() == 4
    gone = list(ExchangeRecord.objects.filter(at__lt=china_noon(young)).values_list("entry_digest", flat=True))
    done = retention.purge(OPERATOR, old + timedelta(days=1))
    assert (done.rows, ExchangeRecord.objects.count()) == (3, 1)
    assert done.proofs == (retention.root_of(gone),)
    proof = AuditRecord.objects.get(kind="use.purged")
    assert (proof.detail["count"], proof.detail["root"]) == (3, done.proofs[0])
    assert done.proofs[0].encode() in bytes(LedgerEntry.objects.get(kind="use.purged").entry)
    assert retention.purge(OPERATOR, old + timedelta(days=1)).rows == 0


def test_d809_29_use_records_kept_by_the_operator_alone_and_for_longer_where_a_local_rule_says_so(
    anhui: DspPeer, officer: Account, supervisor: Account
) -> None:
    from hutong.control.statute.models import ParameterVersion

    made, _ = provided(anhui, officer)
    old = retention.months_before(day.today(), 37)
    used(made.id, china_noon(old))
    with pytest.raises(NotAllowed):
        retention.purge(supervisor, old + timedelta(days=1))
    ParameterVersion.objects.create(
        id=new_id(), rule=UseRecordsKept.name(), name="months", level="local", value=60, since=day.today(),
        state="approved", proposed_at=datetime.now(UTC), decided_at=datetime.now(UTC),
    )  # fmt: skip
    with pytest.raises(UseRecordsKept) as refused:
        retention.purge(OPERATOR, old + timedelta(days=1))
    assert refused.value.parameters["months"] == 60


def test_zjcr_20_credit_queries_kept_ten_years_where_the_resource_is_of_credit(
    anhui: DspPeer, officer: Account
) -> None:
    made, _ = provided(anhui, officer)
    Entry.objects.filter(id=uuid_of(made.resource_id)).update(theme="credit")
    nine_years = retention.months_before(day.today(), 108)
    used(made.id, china_noon(nine_years))
    with pytest.raises(CreditQueriesKept):
        retention.purge(OPERATOR, nine_years + timedelta(days=1))
    eleven_years = retention.months_before(day.today(), 132)
    used(made.id, china_noon(eleven_years))
    assert retention.purge(OPERATOR, eleven_years + timedelta(days=1)).rows == 1


def test_csl_23_logs_kept_wins_where_it_is_the_longest() -> None:
    class Days:
        """The law with a local version that keeps logs longest."""

        def parameter(self, rule: Any, name: str) -> int:
            return {LogsKept: 48, UseRecordsKept: 36}[rule]

    outcome = retention.retention({"theme": ""}, Days())  # type: ignore[arg-type]
    assert outcome == {"months": 48, "rule": LogsKept.name()}


def test_months_are_counted_back_to_the_same_day_or_the_months_last() -> None:
    assert retention.months_before(date(2026, 11, 23), 36) == date(2023, 11, 23)
    assert retention.months_before(date(2026, 3, 31), 1) == date(2026, 2, 28)
    assert retention.months_before(date(2024, 3, 31), 1) == date(2024, 2, 29)
    assert retention.months_before(date(2026, 1, 15), 13) == date(2024, 12, 15)
