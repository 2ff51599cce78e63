"""Acts under an agreement that a node is killed in: corrections, and what the two sides file with each other."""

from __future__ import annotations

import sqlite3
import tempfile
from contextlib import closing, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import orjson
from django.db import transaction

from hutong.control.agreements import actions as agreements
from hutong.control.agreements.models import Agreement
from hutong.control.catalogue.models import Resource
from hutong.control.conduct import actions as conduct
from hutong.control.conduct import ending, hearing, papers, retention, stopping
from hutong.control.conduct.models import Filing
from hutong.control.corrections import actions as corrections
from hutong.control.corrections import hearing as corrected
from hutong.control.corrections import looking, saying
from hutong.control.corrections.models import Correction, Heard
from hutong.control.disputes import actions as disputes
from hutong.control.identity.rules import Operator
from hutong.control.statute import day
from hutong.exchange.models import ExchangeRecord, Source
from hutong.node.events import Event
from hutong.node.keys import seal
from hutong.node.receiving import Peer
from hutong.node.sealing import seal_for
from hutong.vocabulary.canonical import digest
from hutong.vocabulary.errors import Refused
from hutong.vocabulary.ids import new_id
from hutong.vocabulary.moments import rfc3339
from tests import dsp_peer
from tests.concluded import consumed, provided
from tests.faults.acts import a_decision_that_binds_us_comes, act, decided, person, region

USCC = "91320100MA00000001"
ANHUI = Peer("340000", "urn:x", "")
DIGEST = "sha256:" + "ab" * 32
RECTIFIED = {"done": "已停用", "by": "科长", "evidence": DIGEST}
DISPOSED = {"copies": "一份", "how": "覆写", "on": "2026-11-20", "by": "管理员", "evidence": DIGEST}
WRONG = {"items": ["name"], "key_item": "uscc", "value": USCC, "fault": "wrong_value", "evidence": "凭证"}


def _we_read() -> str:
    anhui = region()
    return consumed(anhui, {role: person(role) for role in ("officer", "head")}).id


def _they_read() -> str:
    made, _ = provided(region(), person("officer", dsp_peer.MARKET), masks={"name": {"action": "keep"}})
    return made.id


@act(_we_read)
def a_wrong_record_is_reported(agreement: str) -> None:
    if not Correction.objects.exists():
        corrections.report(person("officer"), agreement, **WRONG)


def _a_report() -> dict[str, Any]:
    agreement, ticket = _they_read(), new_id()
    box = seal_for("320000", orjson.dumps({"value": USCC, "evidence": "凭证"}), about=saying.subject(ticket))
    plain = {"ticket": ticket, "agreement": agreement, "items": ["name"], "key_item": "uscc", "fault": "wrong_value"}
    return {**plain, "at": rfc3339(datetime.now(UTC)), "box": box}


@act(_a_report)
def a_report_is_heard(data: dict[str, Any]) -> None:
    with transaction.atomic():  # the inbox's, as in all hearing below
        corrected.hear_report(ANHUI, _event(saying.REPORTED, saying.subject(data["ticket"]), data))


def _looked_at() -> int:
    file = Path(tempfile.gettempdir()) / "hutong-dying-companies.sqlite"  # where a source may lie
    file.unlink(missing_ok=True)
    with closing(sqlite3.connect(file)) as database, database:
        database.execute("CREATE TABLE company (uscc TEXT PRIMARY KEY, name TEXT, phone TEXT)")
        database.execute("INSERT INTO company VALUES (?, '长江一号', '1')", [USCC])
    data = _a_report()
    Source.objects.update(location=seal(str(file).encode()), table="company", schema=[])
    a_report_is_heard(data)
    ExchangeRecord.objects.create(
        exchange_id=new_id(), role="provider", peer="340000", agreement_id=data["agreement"], purpose="licensing",
        case_digest="x", outcome="served", form="json", rows=1, request_digest="x", entry_digest="x",
        at=datetime.now(UTC),
    )  # fmt: skip
    looking.look_at_all()
    with closing(sqlite3.connect(file)) as database, database:
        database.execute("UPDATE company SET name = '长江壹号'")
    return Correction.objects.get().pk


@act(_looked_at)
def a_correction_is_answered_and_spread(number: int) -> None:
    with suppress(Refused):
        corrections.answer_corrected(person("officer", dsp_peer.MARKET), number)


def _to_be_corrected() -> dict[str, Any]:
    """We answered that nothing is wrong, and the nation decides that the record must be corrected."""
    one = Correction.objects.get(pk=_looked_at())
    corrections.answer_not_wrong(person("officer", dsp_peer.MARKET), one.pk, "与档案一致")
    nation = dsp_peer.peer("100000")
    subject = disputes.about_correction(one.ticket, one.agreement_id)
    dispute = disputes.open_dispute(person("officer", dsp_peer.MARKET), subject, "某项校核", "各执一词")
    return decided(nation, disputes.escalate(person("head", dsp_peer.MARKET), dispute.id, "会商未能一致"), "correct")


@act(_to_be_corrected)
def a_decision_to_correct_opens_the_report_again(came: dict[str, Any]) -> None:
    a_decision_that_binds_us_comes(came)


def _heard() -> int:
    agreement, ticket = _we_read(), new_id()
    box = seal_for("320000", orjson.dumps({"value": USCC}), about=saying.subject(ticket))
    plain = {"ticket": ticket, "agreement": agreement, "items": ["name"], "key_item": "uscc", "fault": "wrong_value"}
    chain = {"report": "r", "answer": "a", "digest": saying.told_digest("a", "320000", agreement, ["name"])}
    data = {**plain, **chain, "changes": [], "corrected_at": rfc3339(datetime.now(UTC)), "box": box}
    with transaction.atomic():
        corrected.hear_correction(ANHUI, _event(saying.TOLD, saying.subject(ticket), data))
    return Heard.objects.get().pk


@act(_heard)
def a_correction_is_acknowledged(number: int) -> None:
    corrections.acknowledge(person("officer"), number)


@act(_they_read)
def an_agreement_is_suspended_for_misuse(agreement: str) -> None:
    with suppress(Refused):
        agreements.suspend(person("officer", dsp_peer.MARKET), agreement, "超出约定用途")


def _suspended() -> dict[str, Any]:
    agreement = _they_read()
    an_agreement_is_suspended_for_misuse(agreement)
    found = Agreement.objects.get(id=agreement)
    paper = Filing(id=new_id(), agreement=found, kind="rectification", author="consumer", content=RECTIFIED)
    paper.refers_to, paper.filed_at = Filing.objects.get().id, datetime.now(UTC).replace(microsecond=0)
    paper.digest = papers.digest_of(paper)
    return papers.document(paper)


@act(_suspended)
def a_rectification_is_heard(data: dict[str, Any]) -> None:
    with transaction.atomic():
        hearing.hear_filing(ANHUI, _event(papers.FILED, f"agreement:{data['agreement']}", data))


def _rectified() -> str:
    data = _suspended()
    a_rectification_is_heard(data)
    return str(data["agreement"])


@act(_rectified)
def an_agreement_is_resumed(agreement: str) -> None:
    with suppress(Refused):
        agreements.resume(person("officer", dsp_peer.MARKET), agreement, "已整改")


@act(_we_read)
def an_agreement_is_ended(agreement: str) -> None:
    with suppress(Refused):
        agreements.end(person("officer"), agreement, "用途已实现")


def _run_out() -> str:
    agreement = _we_read()
    Agreement.objects.filter(id=agreement).update(ends_at=datetime.now(UTC) - timedelta(days=1))
    return agreement


@act(_run_out)
def an_agreement_is_found_run_out(_: str) -> None:
    ending.look()


@act(_run_out)
def a_proof_of_disposal_is_filed(agreement: str) -> None:
    if not Filing.objects.exists():
        conduct.dispose(person("officer"), agreement, DISPOSED)


@act(_they_read)
def a_stop_is_announced(_: str) -> None:
    if not Filing.objects.exists():
        starts = day.today() + timedelta(days=40)
        given = {"change": "stop", "starts_on": starts, "reason": "系统下线"}
        stopping.announce(person("officer", dsp_peer.MARKET), Resource.objects.get().id, **given)


def _old_use() -> str:
    agreement = _they_read()
    for number in range(5):
        ExchangeRecord.objects.create(
            exchange_id=new_id(), role="provider", peer="340000", agreement_id=agreement, purpose="licensing",
            case_digest="x", outcome="served", form="json", rows=1, request_digest="x",
            entry_digest=digest(str(number).encode()), at=datetime(2020, 1, 1, tzinfo=UTC),
        )  # fmt: skip
    return agreement


@act(_old_use)
def old_records_of_use_are_purged(_: str) -> None:
    retention.purge(Operator("operator:test"), day.today() - timedelta(days=1500))


def _event(kind: str, subject: str, data: dict[str, Any]) -> Event:
    return Event(new_id(), "urn:x", kind, subject, "now", data)
