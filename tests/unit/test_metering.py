"""Meters: every exchange counted once from the register, signed, told to the partner, compared, and counted again."""

from __future__ import annotations

import base64
import json
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from click.testing import CliRunner
from django.urls import reverse

from hutong.control.identity.models import Account
from hutong.control.metering import actions, cli, measuring, rules, verifying
from hutong.control.metering.models import MeterComparison, MeterFile
from hutong.control.metering.rules import BadMeter
from hutong.control.statute.day import CHINA
from hutong.exchange.models import ExchangeRecord
from hutong.ledger.models import AuditRecord, LedgerEntry
from hutong.node.events import Event
from hutong.node.models import OutboxMessage
from hutong.node.receiving import Peer
from hutong.node.settings import current
from hutong.portal.components.titles import title_of_entry
from hutong.vocabulary.canonical import canonical_bytes
from hutong.vocabulary.ids import new_id, uuid_of
from tests.concluded import consumed
from tests.dsp_peer import peer
from tests.region import Neighbour, neighbour, ourselves

AGREEMENT = "urn:uuid:0192f0c1-0000-7000-8000-000000000001"
DAY = date(2026, 11, 20)
ANHUI = "340000"
pytestmark = pytest.mark.django_db


@pytest.fixture
def anhui() -> Neighbour:
    ourselves()
    return neighbour(ANHUI)


def exchanged(hour: int = 12, **other: Any) -> ExchangeRecord:
    """One line of the register, at an hour of the day in China."""
    given = {
        "exchange_id": new_id(),
        "role": "provider",
        "peer": ANHUI,
        "agreement_id": AGREEMENT,
        "purpose": "licensing",
        "outcome": "served",
        "form": "json",
        "rows": 2,
        "bytes": 100,
        "took_ms": 7,
        "at": datetime(2026, 11, 20, tzinfo=CHINA) + timedelta(hours=hour),
    }
    return ExchangeRecord.objects.create(**(given | other))


def theirs(anhui: Neighbour, lines: list[dict[str, Any]], version: int = 1, **other: Any) -> dict[str, Any]:
    """The partner's file of the day, signed by its key."""
    head = {"v": 1, "kind": "meter", "author": ANHUI, "peer": current().jurisdiction, "day": DAY.isoformat()}
    document = {**head, "version": version, "lines": lines} | other
    signature = anhui.private.sign(actions.SIGNED_PREFIX + canonical_bytes(document))
    return {"document": document, "signature": base64.b64encode(signature).decode(), "keyid": anhui.keyid}


def comes(given: dict[str, Any]) -> None:
    actions.take(Peer(ANHUI, "urn:x", new_id()), Event(new_id(), "urn:x", actions.EVENT, "day", "now", given))


def seen_from_there(lines: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [line | {"role": rules.OTHER[line["role"]]} for line in lines]


def test_every_exchange_of_a_day_is_counted_once_by_what_it_was_and_how_it_ended():
    exchanged(age_s=30)
    exchanged(rows=0, took_ms=20, age_s=90)
    exchanged(outcome="refused", code="quota_spent", rows=0, bytes=0)
    exchanged(form="events", rows=50)
    exchanged(hour=-1)  # the day before, in China
    exchanged(hour=24)
    exchanged(peer="330000")
    by_form = {(one["outcome"], one["form"]): one for one in measuring.lines(DAY, ANHUI)}
    whole = by_form["served", "json"]
    assert {name: whole[name] for name in rules.COUNTS} == {
        "calls": 2, "hits": 1, "rows": 2, "bytes": 200, "took_ms": 27, "slowest_ms": 20, "aged": 2, "age_s": 120,
    }  # fmt: skip
    assert (by_form["served", "events"]["rows"], by_form["refused", "json"]["code"]) == (50, "quota_spent")
    assert sum(one["calls"] for one in by_form.values()) == 4


def test_a_file_is_signed_told_to_the_partner_and_its_digest_is_in_the_ledger(anhui):
    exchanged()
    made = actions.make(DAY, ANHUI)
    assert actions.make(DAY, ANHUI) is None  # nothing new to say
    said = json.loads(bytes(OutboxMessage.objects.get().body))["data"]
    _, read = actions.signed(said)
    assert (read["version"], read["lines"][0]["calls"]) == (1, 1)
    leaf = json.loads(bytes(LedgerEntry.objects.get(kind="meter.made").entry))
    assert leaf["meter"] == made.digest
    assert verifying.verify(said).holds


def test_a_day_whose_register_changed_gets_a_further_version_and_keeps_the_first(anhui):
    late = exchanged(outcome="open", rows=0)
    first = actions.make(DAY, ANHUI)
    ExchangeRecord.objects.filter(id=late.id).update(outcome="served", rows=9)
    second = actions.make(DAY, ANHUI)
    assert (first.version, second.version) == (1, 2)
    before, after = (rules.read(bytes(one.document))["lines"] for one in MeterFile.objects.order_by("version"))
    assert (before[0]["outcome"], after[0]["outcome"], after[0]["rows"]) == ("open", "served", 9)
    assert verifying.verify(actions.wire(first)).differences
    assert verifying.verify(actions.wire(second)).holds


def test_two_sides_that_counted_the_same_agree_and_what_differs_is_named(anhui):
    exchanged()
    exchanged(outcome="cut", rows=5, bytes=500)
    actions.make(DAY, ANHUI)
    assert MeterComparison.objects.get().state == "waiting"
    same = seen_from_there(measuring.lines(DAY, ANHUI))
    for line in same:
        if line["outcome"] == "cut":
            line["rows"], line["bytes"] = 1, 90  # each saw what it saw of a stream that broke
        else:
            line["outcome"] = "recovered"  # after a crash: served all the same
    comes(theirs(anhui, same))
    assert MeterComparison.objects.get().state == "agrees"
    more = [line | ({"calls": line["calls"] + 1} if line["outcome"] != "cut" else {}) for line in same]
    comes(theirs(anhui, more, version=2))
    comes(theirs(anhui, same, version=1))  # an older one that came late
    compared = MeterComparison.objects.get()
    assert (compared.state, compared.theirs) == ("differs", 2)
    assert compared.differences == [
        {"role": "provider", "agreement": AGREEMENT, "purpose": "licensing", "outcome": "served",
         "what": "calls", "ours": 1, "theirs": 2}
    ]  # fmt: skip
    assert AuditRecord.objects.filter(kind="meter.received").count() == 2


def test_a_file_that_its_author_did_not_sign_or_that_is_about_others_is_refused(anhui):
    good = theirs(anhui, [])
    other = neighbour("330000")
    for wrong in (
        {},
        good | {"document": good["document"] | {"version": 2}},
        good | {"keyid": other.keyid},
        theirs(anhui, [], day="tomorrow"),
        theirs(anhui, [{"calls": 1}]),
        theirs(anhui, [], peer="330000"),
        theirs(anhui, [], version=0),
    ):
        with pytest.raises(BadMeter):
            comes(wrong)
    assert not MeterFile.objects.exists()


def test_what_is_due_is_made_for_every_partner_of_the_last_days(anhui):
    exchanged()
    ExchangeRecord.objects.update(at=datetime.now(UTC) - timedelta(days=2))
    actions.make_due()
    actions.make_due()
    assert MeterFile.objects.get().day == actions.today() - timedelta(days=2)


def test_a_saved_file_is_verified_at_the_command_line(anhui, tmp_path, monkeypatch):
    exchanged()
    actions.make(DAY, ANHUI)
    monkeypatch.setattr(cli, "setup", lambda _: None)
    home, out = str(current().home), str(tmp_path / "day.json")
    run = CliRunner().invoke
    saved = run(cli.meter, ["save", home, current().jurisdiction, ANHUI, "--day", "2026-11-20", "-o", out])
    assert saved.exit_code == 0, saved.output
    assert "our register says the same" in run(cli.meter, ["verify", home, out]).output
    exchanged()
    assert isinstance(run(cli.meter, ["verify", home, out]).exception, rules.MeterDiffers)
    assert json.loads(run(cli.meter, ["list", home, "--json"]).output)[0]["state"] == "waiting"


def test_the_room_shows_use_by_agreement_and_each_file_with_what_differs(anhui, client):
    exchanged(at=datetime.now(UTC), age_s=7200)
    exchanged()
    actions.make(DAY, ANHUI)
    comes(theirs(anhui, []))
    client.force_login(Account.objects.create(username="a", role="auditor"))
    text = client.get(reverse("meters"), headers={"accept-language": "en"}).content.decode()
    assert "they differ" in text
    assert "calls 1 here, 0 there" in text
    assert "2 h" in text
    alone = client.get(reverse("meters"), {"agreement": "urn:uuid:other"}, headers={"accept-language": "en"})
    assert "Nothing was exchanged in these days" in alone.content.decode()
    saved = client.get(reverse("meter_file", args=[MeterFile.objects.get(author=current().jurisdiction).id]))
    assert verifying.verify(json.loads(saved.content)).author == current().jurisdiction
    client.force_login(Account.objects.create(username="o", role="officer"))
    assert client.get(reverse("meters")).status_code == 403


def test_the_room_names_an_agreement_by_the_title_of_its_resource(health, client):
    ourselves()
    neighbour("yrd", "region")
    agreement = consumed(peer(ANHUI), health)
    exchanged(role="consumer", peer=agreement.peer, agreement_id=agreement.id, at=datetime.now(UTC))
    client.force_login(Account.objects.create(username="a", role="auditor"))
    text = client.get(reverse("meters"), headers={"accept-language": "zh-hans"}).content.decode()
    address = reverse("agreement", args=[uuid_of(agreement.id)])
    assert f'<a href="{address}">{title_of_entry(agreement.resource_id)}</a>' in text
