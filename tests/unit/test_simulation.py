"""Who could read what, before it is published or agreed to: the same code, so the same rows."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import orjson
import pytest
from click.testing import CliRunner
from django.test import Client
from django.urls import reverse

from hutong.control.agreements import delivery, protocol
from hutong.control.agreements.consent import Choice
from hutong.control.agreements.models import Agreement, Negotiation
from hutong.control.catalogue.cli import resource as resource_cli
from hutong.control.catalogue.models import Entry, Resource
from hutong.control.identity.models import Account
from hutong.control.identity.rules import OtherDepartment
from hutong.control.replies import actions, simulation
from hutong.control.replies.models import Reply
from hutong.control.statute.models import Decision
from hutong.control.zones import actions as zones
from hutong.exchange.grants.book import Book
from hutong.exchange.grants.rules import check
from hutong.exchange.models import Grant, Source
from hutong.exchange.query import Query
from hutong.exchange.records import read_rows
from hutong.ledger.models import AuditRecord
from hutong.node.keys import seal
from hutong.node.models import OutboxMessage
from hutong.node.settings import current
from hutong.vocabulary.errors import NotAllowed
from hutong.vocabulary.ids import new_id, urn, uuid_of
from tests.dsp_peer import DspPeer, head_of, published, terms
from tests.region import an_item

pytestmark = pytest.mark.django_db
PEOPLE = [(f"9132{n:014d}", f"公司{n}", f"1390000{n:04d}", "南京" if n % 2 else "苏州") for n in range(50)]
NAMES = ("uscc", "name", "phone", "city")


@pytest.fixture
def entry(tmp_path: Path) -> Iterator[Entry]:
    file = tmp_path / "companies.sqlite"
    with closing(sqlite3.connect(file)) as database, database:
        database.execute("CREATE TABLE company (uscc TEXT, name TEXT, phone TEXT, city TEXT)")
        database.executemany("INSERT INTO company VALUES (?, ?, ?, ?)", PEOPLE)
    items = [
        an_item("uscc", "代码"),
        an_item("name", "名称", mask={"action": "name"}),
        an_item("phone", "电话", mask={"action": "phone"}, grade=3, sensitive=True),
        an_item("city", "城市", attribute="refused"),
    ]
    made = published("conditional", items, sharing_modes=["interface"])
    schema = [{"name": name, "type": "string", "nullable": True} for name in NAMES]
    Source.objects.filter(resources__id=made.id).update(
        location=seal(str(file).encode()), table="company", schema=schema, checked_at=datetime.now(UTC), check_ok=True
    )
    return made


def delivered(anhui: DspPeer, pid: str, mine: str, made: Agreement) -> None:
    message = anhui.heard(protocol.ContractAgreement)[-1]
    said = protocol.ContractVerification(pid, mine, anhui.countersign(message.agreement))
    assert anhui.say(f"/negotiations/{pid}/agreement/verification", said).status_code == 200
    request = protocol.TransferRequest(urn(new_id()), made.id, delivery.FORMAT, anhui.callback)
    assert anhui.say("/transfers/request", request).status_code == 201


def really_read(agreement: str, purpose: str = "licensing") -> list[dict[str, Any]]:
    """As the exchange answers another node: the grant from the database, checked and read."""
    opened = Book().open([agreement], date.today())[agreement]
    query = Query(new_id(), agreement, purpose, "", None, None, None, None, "")
    allowed = check(opened.grant, opened.standing, query, "340000", datetime.now(UTC))
    return [orjson.loads(row) for row in read_rows(opened, allowed, query, 20)]


CHOICES = [
    Choice(),
    Choice(masks={"name": {"action": "first", "n": 1}, "phone": {"action": "null"}}),
    Choice(items=("name", "uscc"), masks={"uscc": {"action": "last", "n": 4}}),
]


@pytest.mark.parametrize("choice", CHOICES, ids=["as published", "masks", "fewer items"])
@pytest.mark.parametrize("where", [None, {"op": "eq", "item": "city", "value": "南京"}], ids=["all rows", "some rows"])
def test_what_is_simulated_is_what_is_then_agreed_to_and_read(
    anhui: DspPeer, officer: Account, entry: Entry, choice: Choice, where: dict[str, Any] | None
) -> None:
    pid, mine, _ = anhui.request(entry, terms(items=("uscc", "name", "phone"), where=where))
    seen = simulation.of_request(officer, pid, choice=choice, sample_as="member")
    given = {"items": choice.items, "masks": choice.masks}
    made = actions.sign(head_of(officer), actions.propose_agreement(officer, pid, **given).id)
    assert isinstance(made, Agreement)
    delivered(anhui, pid, mine, made)
    rows = really_read(made.id)
    assert len(rows) == 20
    assert [dict(row) for row in seen.rows] == rows
    granted = {one["name"]: one["mask"] for one in Grant.objects.get().document["items"]}
    member = next(one for one in seen.standings if one.kind == "member")
    assert {one.name: one.mask for one in member.items if one.mask is not None} == granted
    assert member.is_applicant


def test_what_is_simulated_for_the_zone_is_what_its_member_reads_by_rule(
    anhui: DspPeer, officer: Account, entry: Entry
) -> None:
    steward, supervisor = (Account.objects.create(username=one, role=one) for one in ("steward", "supervisor"))
    zone = zones.propose(
        steward, name_zh="区", members=["320000", "340000"], reference="协议", valid_from=date(2022, 1, 1)
    )
    zones.put_in_force(supervisor, zone.id)
    before = simulation.of_resource(officer, entry.id, sample_as="zone")
    local = simulation.of_resource(officer, entry.id, sample_as="local")
    assert before.rows == local.rows
    pid, mine, _ = anhui.request(entry, terms(items=("uscc", "name", "phone")))
    assert Negotiation.objects.get(pid=pid).state == "AGREED"
    made = Agreement.objects.get()
    delivered(anhui, pid, mine, made)
    assert [dict(row) for row in before.rows] == really_read(made.id)


def test_each_kind_of_requester_has_its_verdict_and_what_is_barred_leaves_for_nobody(
    officer: Account, entry: Entry
) -> None:
    found = simulation.of_resource(officer, entry.id)
    verdicts = {one.kind: (one.verdict.answer, one.verdict.why) for one in found.standings}
    assert verdicts == {
        "local": ("agree", "same_as_local"),
        "zone": ("agree", "same_as_local"),
        "member": ("officer", "conditional"),
        "outside": ("officer", "no_terms"),
    }
    for standing in found.standings:
        masks = {item.name: item.mask for item in standing.items}
        assert masks["city"] is None
        assert masks["phone"] == {"action": "phone"}
    Resource.objects.update(attribute="refused", legal_citation="《某法》第九条")
    assert all(
        item.mask is None and one.verdict.answer == "refuse"
        for one in simulation.of_resource(officer, entry.id).standings
        for item in one.items
    )


@pytest.mark.parametrize("kind", ["local", "zone", "member", "outside"])
def test_a_draft_is_simulated_too_for_every_kind(officer: Account, entry: Entry, kind: Any) -> None:
    Resource.objects.update(state="draft", version=0)
    Entry.objects.all().delete()
    found = simulation.of_resource(officer, entry.id, sample_as=kind)
    assert len(found.rows) == 20
    assert set(found.rows[0]) == {"uscc", "name", "phone"}
    assert all("*" in row["phone"] for row in found.rows)


def test_nothing_is_kept_but_that_somebody_looked(officer: Account, entry: Entry) -> None:
    simulation.of_resource(officer, entry.id, sample_as="member")
    record = AuditRecord.objects.get()
    assert (record.kind, record.actor) == ("resource.simulated", officer.username)
    assert record.detail == {
        "resource": entry.id, "as": "member", "items": ["uscc", "name", "phone"], "rows": 20
    }  # fmt: skip
    for kept in (Negotiation, Agreement, Grant, Reply, OutboxMessage, Decision):
        assert not kept.objects.exists()


def test_only_the_departments_own_people_look(
    officer: Account, entry: Entry, health: dict[str, Account], caplog: pytest.LogCaptureFixture
) -> None:
    with pytest.raises(OtherDepartment):
        simulation.of_resource(health["officer"], entry.id, sample_as="member")
    for role in ("steward", "supervisor", "auditor"):
        with pytest.raises(NotAllowed):
            simulation.of_resource(Account.objects.create(username=role, role=role), entry.id)
    assert not AuditRecord.objects.exists()
    simulation.of_resource(officer, entry.id, sample_as="member")
    assert "公司" not in caplog.text


def test_a_source_that_does_not_answer_is_said_and_the_rest_is_shown(officer: Account, entry: Entry) -> None:
    Source.objects.update(location=seal(b"/nowhere/x.sqlite"))
    client = Client(headers={"accept-language": "en"})
    client.force_login(officer)
    page = client.post(reverse("resource_simulate", args=[entry.id]), {"sample": "member"}).content.decode()
    assert "an officer decides" in page
    assert "公司" not in page
    assert 'role="alert"' in page


def test_the_pages_and_the_command_line_show_the_same_and_no_cache_keeps_it(
    anhui: DspPeer, officer: Account, entry: Entry
) -> None:
    client = Client(headers={"accept-language": "en"})
    client.force_login(officer)
    answer = client.post(reverse("resource_simulate", args=[entry.id]), {"sample": "member"})
    assert answer["Cache-Control"] == "no-store"
    assert "139****0001" in answer.content.decode()
    pid, _, _ = anhui.request(entry, terms(items=("uscc", "name", "phone")))
    address = reverse("negotiation_simulate", args=[uuid_of(pid)])
    chosen = {"agree-give_0": "on", "agree-give_1": "on", "agree-give_2": "on"}
    chosen |= {"agree-mask_0": "keep", "agree-mask_1": "first:1", "agree-mask_2": "null"}
    page = client.post(address, chosen | {"sample": "member", "csrfmiddlewaretoken": "x"}).content.decode()
    assert "this applicant" in page
    assert "139" not in page
    line = ["simulate", str(current().home), entry.id, "--sample", "member", "--json", "--as", officer.username]
    said = CliRunner().invoke(resource_cli, line)
    assert said.exit_code == 0, said.output
    rows = orjson.loads(said.output)["rows"]
    assert rows == [dict(row) for row in simulation.of_resource(officer, entry.id, sample_as="member").rows]
