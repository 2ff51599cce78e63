"""What people file under an agreement: suspension, rectification, proof of disposal, records of use, incidents."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from django.db import transaction

from hutong.control.agreements.models import Agreement
from hutong.control.agreements.queries import title_of
from hutong.control.agreements.transitions import Party
from hutong.control.clocks import actions as clocks
from hutong.control.conduct import kinds, papers, queries
from hutong.control.conduct.models import EndedAgreement, Filing
from hutong.control.conduct.rules import (
    DisposalBeforeEnd,
    DisposalLate,
    NoSuspensionOpen,
    RectificationLate,
    check_may_end,
    check_may_resume,
    check_may_suspend,
    check_paper,
    check_whose,
)
from hutong.control.conduct.sentences import IncidentReported
from hutong.control.identity.models import Account
from hutong.control.identity.rules import Action, Actor, check
from hutong.control.notices.actions import tell
from hutong.control.statute import day
from hutong.vocabulary.errors import NotFound, WrongState
from hutong.vocabulary.ids import uuid_of

# --- beside what agreements.actions does to the data: its callers hold the transaction -------------------------


def note_suspension(by: Actor, agreement: Agreement, cause: str, reason: str) -> Filing:
    """File a suspension with its cause; misuse and incidents get a day by which they must be put right.

    raises   StopWithoutNotice, BadInput
    """
    content = kinds.read("suspension", {"cause": cause, "reason": reason})
    check_paper("suspension", kinds.missing("suspension", content))
    check_may_suspend(agreement.role, cause, queries.resting_on(agreement.resource_id))
    return papers.file(agreement, "suspension", content, by.username)


def check_resumption(by: Actor, agreement: Agreement) -> None:
    """raises   ResumedWithoutRectification, SupervisorsSuspension"""
    suspension = queries.open_suspension(agreement, agreement.role)
    if suspension is not None:
        suspended_by = Account.objects.filter(username=suspension.filed_by).values_list("role", flat=True).first()
        check_whose(suspended_by or "", by.role)
        check_may_resume(suspension.content["cause"], queries.rectified(suspension))


def check_ending(agreement: Agreement, cause: str) -> None:
    """raises   StopWithoutNotice, EndedBeforeDeadline"""
    suspension = queries.open_suspension(agreement, agreement.role)
    check_may_end(
        agreement.role,
        cause,
        deadline=suspension.due_on if suspension is not None else None,
        stop_has_run=queries.stop_has_run(agreement.resource_id, day.today()),
        today=day.today(),
    )


# --- filings of their own -------------------------------------------------------------------------------------


@transaction.atomic
def rectify(by: Actor, agreement_id: str, given: Mapping[str, Any]) -> Filing:
    """File what was put right, as the side that was suspended. Repeated filings are allowed until one stands.

    given    done, by, evidence (a digest)
    raises   NotFound, NotAllowed, OtherDepartment, NoSuspensionOpen, PaperIncomplete
    """
    agreement = _agreement(by, agreement_id)
    suspension = queries.suspension_to_rectify(agreement)
    if suspension is None:
        raise NoSuspensionOpen
    paper = _file(agreement, "rectification", given, by, refers_to=suspension.id)
    clocks.meet(RectificationLate, f"suspension:{suspension.id}")
    return paper


@transaction.atomic
def dispose(by: Actor, agreement_id: str, given: Mapping[str, Any]) -> Filing:
    """File the proof that the data of an agreement that is over was disposed of, as the consumer's officer.

    given    copies, how, on (a day), by, evidence (a digest)
    raises   NotFound, NotAllowed, OtherDepartment, DisposalBeforeEnd, PaperIncomplete
    """
    agreement = _agreement(by, agreement_id, Party.CONSUMER)
    if not queries.is_over(agreement):
        raise DisposalBeforeEnd
    paper = _file(agreement, "disposal", given, by)
    clocks.meet(DisposalLate, papers.subject(agreement.id))
    return paper


@transaction.atomic
def answer(by: Actor, filing_id: str, *, accept: bool, reason: str = "") -> Filing:
    """Accept a rectification or a proof of disposal, or object to it with a reason, as the side it was filed with.

    raises   NotFound, NotAllowed, OtherDepartment, WrongState, PaperIncomplete
    """
    paper = Filing.objects.select_for_update().filter(id=filing_id).first()
    if paper is None or not kinds.KINDS[paper.kind].answered:
        raise NotFound(what="filing", name=filing_id[:40])
    agreement = paper.agreement
    check(by, Action.CHANGE_AGREEMENT, agreement.department or None)
    own_suspension = paper.kind == "rectification" and queries.open_suspension(agreement, agreement.role) is not None
    if paper.author == agreement.role and not own_suspension:
        raise WrongState(
            what="filing", state="ours", state_zh="本方报送", possible=["theirs"], possible_zh=["对方报送"]
        )
    if paper.state != "filed":
        raise WrongState(what="filing", state=paper.state, possible=["filed"])
    if not accept and not reason.strip():
        check_paper(paper.kind, ["reason"])
    papers.settle(paper, "accepted" if accept else "objected", by.username, reason.strip()[: kinds.LONGEST])
    if accept and paper.kind == "disposal":
        EndedAgreement.objects.filter(agreement=agreement).update(disposed_at=datetime.now(UTC))
    papers.tell_answer(paper)
    return paper


@transaction.atomic
def record_use(by: Actor, agreement_id: str, given: Mapping[str, Any]) -> Filing:
    """File a record of use of a year (D809-29), as the consumer's officer; provider and supervisors may read it.

    given    year, scenario, process, effect, storage, destruction
    raises   NotFound, NotAllowed, OtherDepartment, UseRecordIncomplete
    """
    return _file(_agreement(by, agreement_id, Party.CONSUMER), "use", given, by)


@transaction.atomic
def report_incident(by: Actor, agreement_id: str, given: Mapping[str, Any]) -> Filing:
    """Report a security incident under an agreement (D809-35): to the other side, and to our supervisor.

    given    what, found_on (a day), affected, measures
    raises   NotFound, NotAllowed, OtherDepartment, IncidentIncomplete
    """
    agreement = _agreement(by, agreement_id)
    suspension = queries.standing_suspension(agreement)
    paper = _file(agreement, "incident", given, by, refers_to=suspension.id if suspension else "")
    page = ("agreement", uuid_of(agreement.id))
    title = title_of(agreement.resource_id)
    said = IncidentReported(title=title.en or title.zh, title_zh=title.zh, found=paper.content["found_on"])
    tell(said, role="supervisor", subject=papers.subject(agreement.id), page=page)
    return paper


def _file(agreement: Agreement, kind: str, given: Mapping[str, Any], by: Actor, *, refers_to: str = "") -> Filing:
    content = kinds.read(kind, given)
    check_paper(kind, kinds.missing(kind, content))
    return papers.file(agreement, kind, content, by.username, refers_to=refers_to)


def _agreement(by: Actor, agreement_id: str, role: Party | None = None) -> Agreement:
    found = Agreement.objects.select_for_update(of=("self",)).filter(id=agreement_id).first()
    if found is None or role not in (None, found.role):
        raise NotFound(what="agreement", name=agreement_id[:80])
    check(by, Action.FILE_CONDUCT, found.department or None)
    return found
