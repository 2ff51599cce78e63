"""The pages of what follows an agreement: papers, corrections, announced stops, use."""

from __future__ import annotations

import hashlib
from datetime import timedelta
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from hutong.control.agreements import protocol
from hutong.control.agreements.models import Agreement
from hutong.control.catalogue.models import Resource
from hutong.control.conduct.models import Filing, StopNotice
from hutong.control.corrections.models import Correction
from hutong.control.identity.models import Account
from hutong.control.statute import day
from hutong.exchange.models import Grant
from hutong.vocabulary.ids import uuid_of
from tests.concluded import consumed, filed_by_peer, provided
from tests.dsp_peer import DspPeer
from tests.unit.test_correcting import EVIDENCE, USCC
from tests.visiting import visitor

pytestmark = pytest.mark.django_db


def address(agreement: Agreement, rest: str = "") -> str:
    return f"/agreements/{uuid_of(agreement.id)}/{rest}"


def shown(client: Client, path: str) -> str:
    answer = client.get(path)
    assert answer.status_code == 200, path
    return str(answer.content.decode())


def test_misuse_is_stopped_on_the_page_and_resume_says_what_it_waits_for(anhui: DspPeer, officer: Account) -> None:
    made, _ = provided(anhui, officer)
    desk = visitor(officer)
    given = {"do": "suspend", "cause": "misuse", "reason": "超出约定用途"}
    assert desk.post(address(made, "change/"), given).status_code == 302
    assert Grant.objects.get().state == "suspended"
    page = shown(desk, address(made))
    assert "no rectification has been filed" in page
    assert "to be put right" in page
    refused = desk.post(address(made, "change/"), given | {"do": "end", "cause": "announced_stop"})
    assert "stop_without_notice" in refused.content.decode()


def test_a_rectification_is_filed_with_the_digest_of_its_evidence_and_the_file_is_not_kept(
    anhui: DspPeer, health: dict[str, Account]
) -> None:
    made = consumed(anhui, health)
    transfer = made.transfers.get()
    said = protocol.TransferSuspension(transfer.peer_pid, transfer.pid)
    assert anhui.say(f"/transfers/{transfer.pid}/suspension", said).status_code == 200
    desk, form = visitor(health["officer"]), address(made, "papers/rectification/")
    assert "Nothing waits for a rectification." in shown(desk, form)
    filed_by_peer(made, "suspension", {"cause": "misuse", "reason": "查询量异常"})
    given = {"done": "已停用", "by": "科长李某"}
    assert "This field is required." in desk.post(form, given).content.decode()
    evidence = SimpleUploadedFile("整改报告.pdf", b"what was put right")
    assert desk.post(form, given | {"evidence": evidence}).status_code == 302
    paper = Filing.objects.get(kind="rectification")
    assert paper.content["evidence"] == "sha256:" + hashlib.sha256(b"what was put right").hexdigest()
    assert "科长李某" in shown(desk, address(made))


def test_a_report_shows_its_key_to_the_department_and_to_nobody_who_oversees(
    anhui: DspPeer, health: dict[str, Account]
) -> None:
    made, desk = consumed(anhui, health), visitor(health["officer"])
    form = address(made, "correct/")
    given: dict[str, Any] = {"items": ["name"], "key_item": "uscc", "fault": "wrong_value", "evidence": EVIDENCE}
    assert "This field is required." in desk.post(form, given).content.decode()
    answer = desk.post(form, given | {"value": USCC})
    assert answer.status_code == 302
    one = Correction.objects.get()
    page = shown(desk, answer["Location"])
    assert USCC in page
    assert EVIDENCE in page
    assert one.ticket in page
    auditor = visitor(Account.objects.create(username="qian", role="auditor"))
    page = shown(auditor, answer["Location"])
    assert one.ticket in page
    assert USCC not in page
    assert EVIDENCE not in page
    assert "Registered companies" in shown(auditor, "/corrections/")
    # The agreement and the entry lead to it; a dispute about the agreement is opened from there.
    for path in (address(made), f"/catalogue/{made.resource_id.removeprefix('urn:uuid:')}/"):
        assert answer["Location"] in shown(desk, path), path
    assert f"/disputes/new/agreement/{made.id.removeprefix('urn:uuid:')}/" in shown(desk, address(made))


def test_a_stop_is_announced_on_its_page_and_one_too_soon_is_refused(anhui: DspPeer, officer: Account) -> None:
    provided(anhui, officer)
    desk = visitor(officer)
    given = {"resource": Resource.objects.get().id, "change": "stop", "reason": "系统下线"}
    soon = (day.today() + timedelta(days=3)).isoformat()
    assert "notice_too_short" in desk.post("/stops/", given | {"starts_on": soon}).content.decode()
    later = (day.today() + timedelta(days=40)).isoformat()
    assert desk.post("/stops/", given | {"starts_on": later}).status_code == 302
    assert StopNotice.objects.get().told == 1
    assert "系统下线" in shown(desk, "/stops/")


def test_a_record_of_use_stands_beside_what_was_counted(anhui: DspPeer, health: dict[str, Account]) -> None:
    made, desk = consumed(anhui, health), visitor(health["officer"])
    told = dict.fromkeys(("scenario", "process", "effect", "storage", "destruction"), "窗口核验，减少材料两份")
    assert desk.post(address(made, "papers/use/"), told | {"year": "26"}).status_code == 200
    assert desk.post(address(made, "papers/use/"), told | {"year": "2026"}).status_code == 302
    assert "减少材料两份" in shown(desk, "/use/")
