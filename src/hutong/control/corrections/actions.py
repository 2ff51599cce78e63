"""What people do about a wrong record: report it, answer the report, acknowledge a correction."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from django.db import transaction

from hutong.control.agreements.models import Agreement
from hutong.control.agreements.terms import read_agreed
from hutong.control.agreements.transitions import Party
from hutong.control.clocks import actions as clocks
from hutong.control.corrections import content, looking, reopening, resuming, saying, telling
from hutong.control.corrections.models import Correction, Heard
from hutong.control.corrections.rules import (
    CorrectionLate,
    OutsideDirectory,
    check_changed,
    check_finding,
    check_open,
    check_report,
)
from hutong.control.identity.rules import Action, Actor, check
from hutong.exchange.entitlements import Application, NoEntitlement
from hutong.exchange.models import Entitlement
from hutong.ledger.record import record
from hutong.node import outside
from hutong.node.events import post_event
from hutong.node.keys import unseal
from hutong.vocabulary.errors import NotFound
from hutong.vocabulary.ids import new_id
from hutong.vocabulary.moments import rfc3339, to_the_millisecond


@transaction.atomic
def report(
    by: Actor, agreement_id: str, *, items: Sequence[str], key_item: str, value: str | int, fault: str, evidence: str
) -> Correction:
    """Report that a record received under an agreement is wrong (D809-26), as the consumer's officer.

    key_item, value   which record: the item that tells records apart, and its value
    fault             a code of FAULTS
    raises            NotFound, NotAllowed, OtherDepartment, ReportIncomplete, OutsideAgreement, OutsideDirectory
    """
    agreement = _consumed(agreement_id)
    check(by, Action.REPORT_CORRECTION, agreement.department or None)
    given = {"key_item": key_item, "value": value, "fault": fault, "evidence": evidence}
    return _report(by.username, agreement, items, given)


@transaction.atomic
def report_by_application(application: Application, agreement_id: str, wrong: Mapping[str, Any]) -> Correction:
    """The same, by an application with a key of the department.

    wrong    items, key_item, value, fault, evidence
    raises   NoEntitlement, ReportIncomplete, OutsideAgreement, OutsideDirectory
    """
    agreement = Agreement.objects.filter(id=agreement_id, role=Party.CONSUMER).first()
    if agreement is None or agreement.department != application.department:
        raise NoEntitlement(agreement=agreement_id[:80])
    given = {name: wrong[name] for name in ("key_item", "value", "fault", "evidence")}
    return _report(f"application:{application.name}", agreement, wrong["items"], given)


def look(by: Actor, pk: int) -> Correction:
    """Read the record of a report from the source now, as the provider's officer, where it could not be read before.

    raises   NotFound, NotAllowed, OtherDepartment
    """
    _answerable(by, pk)
    return looking.look_at(pk)


def answer_corrected(by: Actor, pk: int) -> Correction:
    """Answer that the record is corrected: the source gives another value now, and every subscriber hears of it.

    raises   NotFound, NotAllowed, OtherDepartment, AnsweredAlready, NotLookedYet, NothingChanged, and what the source
             raises that does not answer
    """
    one = _answerable(by, pk)
    check_open(one.state)
    if not one.digest_key:
        check_changed({}, {})
    seen = looking.see(one, unseal(bytes(one.digest_key)))
    check_changed(one.before, seen.digests)
    with transaction.atomic():
        one = _locked(pk)
        changed = [name for name in one.items if one.before.get(name) != seen.digests[name]]
        changes = [{"item": name, "old": one.before.get(name, ""), "new": seen.digests[name]} for name in changed]
        one.corrected_at = to_the_millisecond(datetime.now(UTC))
        _answer(by, one, "corrected", changes, {"reason": "", "source": ""})
        told = telling.spread(one, seen.reached)
        resuming.wait_for(one, set(seen.resting) - told)
    return one


@transaction.atomic
def answer_not_wrong(by: Actor, pk: int, reason: str) -> Correction:
    """Answer that the record was verified and is not wrong.

    raises   NotFound, NotAllowed, OtherDepartment, AnsweredAlready, FindingWithoutReason
    """
    return _found(by, pk, "not_wrong", reason, "")


@transaction.atomic
def answer_forwarded(by: Actor, pk: int, source: str, reason: str) -> Correction:
    """Answer that another department holds the true source, and has the report now.

    raises   NotFound, NotAllowed, OtherDepartment, AnsweredAlready, FindingWithoutReason
    """
    return _found(by, pk, "forwarded", reason, source)


@transaction.atomic
def acknowledge(by: Actor, pk: int) -> Heard:
    """Confirm that a correction was taken over into what we hold, as the subscriber's officer. Again: nothing happens.

    raises   NotFound, NotAllowed, OtherDepartment
    """
    one = Heard.objects.select_for_update().filter(pk=pk).first()
    if one is None:
        raise NotFound(what="correction", name=str(pk)[:20])
    check(by, Action.REPORT_CORRECTION, one.department or None)
    if one.acknowledged_at is not None:
        return one
    one.acknowledged_at, one.acknowledged_by = to_the_millisecond(datetime.now(UTC)), by.username
    one.save(update_fields=["acknowledged_at", "acknowledged_by"])
    at = rfc3339(one.acknowledged_at)
    data = {"ticket": one.ticket, "agreement": one.agreement_id, "at": at, "digest": one.digest}
    post_event(one.peer, saying.ACKNOWLEDGED, saying.subject(one.ticket), data)
    record(
        "correction.acknowledged",
        saying.subject(one.ticket),
        by.username,
        {"agreement": one.agreement_id, "peer": one.peer},
        commitment={"ticket": one.ticket, "told": one.digest},
    )
    return one


def _report(actor: str, agreement: Agreement, items: Sequence[str], given: dict[str, Any]) -> Correction:
    texts = {name: str(value) for name, value in given.items()}
    check_report(items, _agreed_items(agreement), agreement.id, texts)
    if outside.is_outside(agreement.peer):
        raise OutsideDirectory(agreement=agreement.id)
    secret = {"value": given["value"], "evidence": texts["evidence"].strip()[: content.LONGEST_TEXT]}
    ticket = new_id()
    said = saying.Report(
        ticket=ticket,
        agreement=agreement.id,
        items=tuple(dict.fromkeys(items)),
        key_item=texts["key_item"],
        fault=texts["fault"],
        at=to_the_millisecond(datetime.now(UTC)),
        box=content.sent(agreement.peer, secret, saying.subject(ticket)),
    )
    one = telling.keep_report(said, agreement, Party.CONSUMER, secret, actor)
    post_event(agreement.peer, saying.REPORTED, saying.subject(ticket), said.document())
    return one


def _found(by: Actor, pk: int, finding: str, reason: str, source: str) -> Correction:
    one = _answerable(by, pk, hold=True)
    check_open(one.state)
    check_finding(finding, reason, source)
    limit = content.LONGEST_TEXT
    _answer(by, one, finding, [], {"reason": reason.strip()[:limit], "source": source.strip()[:limit]})
    return one


def _answer(by: Actor, one: Correction, finding: str, changes: list[dict[str, str]], words: dict[str, str]) -> None:
    """Keep the answer and send it to who reported. In the caller's transaction, the row held."""
    check_open(one.state)
    one.state, one.changes, one.answer = finding, changes, content.kept(words)
    one.answered_at, one.answered_by = to_the_millisecond(datetime.now(UTC)), by.username
    one.answer_digest = saying.answer_digest(one, finding, changes, one.answered_at)
    one.save()
    subject = saying.subject(one.ticket)
    data = {"ticket": one.ticket, "finding": finding, "changes": changes, "at": rfc3339(one.answered_at)}
    sealed = {"box": content.sent(one.peer, words, subject), "digest": one.answer_digest}
    post_event(one.peer, saying.ANSWERED, subject, {**data, "corrected_at": rfc3339(one.corrected_at), **sealed})
    clocks.meet(CorrectionLate, subject)
    record(
        f"correction.{finding}",
        subject,
        by.username,
        {"agreement": one.agreement_id, "peer": one.peer, "items": one.items, "changes": changes},
        commitment={"ticket": one.ticket, "report": one.report_digest, "answer": one.answer_digest},
    )
    reopening.answered(one)


def _consumed(agreement_id: str) -> Agreement:
    found = Agreement.objects.filter(id=agreement_id, role=Party.CONSUMER).first()
    if found is None:
        raise NotFound(what="agreement", name=agreement_id[:80])
    return found


def _agreed_items(agreement: Agreement) -> dict[str, str]:
    """Item: what its mask does. An agreement without our terms says nothing of masks."""
    agreed = read_agreed(agreement.document)
    if agreed is not None:
        return {name: str(mask["action"]) for name, mask in zip(agreed.asked.items, agreed.masks, strict=True)}
    known = Entitlement.objects.filter(agreement_id=agreement.id).first()
    return dict.fromkeys(known.items, "keep") if known else {}


def _answerable(by: Actor, pk: int, *, hold: bool = False) -> Correction:
    one = _locked(pk) if hold else Correction.objects.filter(pk=pk, role=Party.PROVIDER).first()
    if one is None:
        raise NotFound(what="correction", name=str(pk)[:20])
    check(by, Action.ANSWER_CORRECTION, one.department or None)
    return one


def _locked(pk: int) -> Correction:
    found = Correction.objects.select_for_update().filter(pk=pk, role=Party.PROVIDER).first()
    if found is None:
        raise NotFound(what="correction", name=str(pk)[:20])
    return found
