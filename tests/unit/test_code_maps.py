"""A code map of ours at work: what it covers, when agreements convert by it, how well a resource keeps to standards."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import orjson
import pytest
from django.db import transaction
from django.test import Client
from django.urls import reverse

from hutong.control.agreements import delivery, protocol
from hutong.control.agreements.models import Agreement
from hutong.control.catalogue import actions as catalogue
from hutong.control.catalogue import dataset as datasets
from hutong.control.catalogue.models import Entry, Resource
from hutong.control.corrections import content, hearing, looking, saying
from hutong.control.corrections.models import Correction
from hutong.control.identity.models import Account
from hutong.control.identity.rules import Operator
from hutong.control.replies import simulation
from hutong.control.standards import actions, code_maps, queries
from hutong.control.standards.elements import suggest
from hutong.control.standards.files import from_csv
from hutong.control.standards.models import Definition, ItemCodes
from hutong.control.standards.rules import BadDefinition, UnknownElement
from hutong.control.standards.scoring import ask_for_score, measure, newest_score
from hutong.control.standards.shipped import shipped
from hutong.exchange.grants.book import Book
from hutong.exchange.grants.store import load
from hutong.exchange.models import CodeMap, WithheldRows
from hutong.exchange.records import granted_rows
from hutong.exchange.withheld import Kept
from hutong.ledger.models import AuditRecord, LedgerEntry
from hutong.node.events import Event
from hutong.node.models import OutboxMessage
from hutong.node.receiving import Peer
from hutong.node.sealing import seal_for
from hutong.vocabulary.errors import NotAllowed
from hutong.vocabulary.identifiers import identity_check
from hutong.vocabulary.ids import new_id, urn
from hutong.vocabulary.moments import rfc3339
from tests.dsp_peer import DspPeer, department, terms
from tests.publication import publish, supervisor

pytestmark = pytest.mark.django_db
OPERATOR = Operator("operator:root")
DESCRIPTION = {
    **{"title_zh": "人口基本信息", "summary_zh": "本省常住人口", "category": "basic", "theme": "population"},
    **{"update_cycle": "3", "attribute": "unconditional", "sharing_modes": ["interface"], "source_system": "人口库"},
}
MAP = "local,zh,regional\nM,男,1\nF,女,2\n"


def identity(number: int) -> str:
    body = f"320509197802{number % 28 + 1:02d}{number % 1000:03d}"
    return body + identity_check(body)


@pytest.fixture
def people() -> dict[str, Account]:
    make = Account.objects.create
    return {
        "officer": make(username="wang", role="officer", department=department()),
        "head": make(username="li", role="head", department=department()),
        "steward": make(username="chen", role="steward"),
    }


@pytest.fixture
def standards() -> None:
    for proposal in shipped():
        actions.approve(supervisor(), actions.propose(OPERATOR, proposal).id)


@pytest.fixture
def resource(anhui: DspPeer, people: dict[str, Account], standards: None, tmp_path: Path) -> Resource:
    """People with the province's own codes: M, F, 男 and an X; nation by name; a wrong identity number."""
    lines = ["sfzh,xb,nation,csrq,note"]
    for number in range(60):
        nation = ("汉族", "回族", "满族")[number % 3]
        lines.append(f"{identity(number)},{'MF'[number % 2]},{nation},1978-02-{number % 28 + 1:02d},n{number}")
    lines += ["320509197802280014,男,汉族,1978-02-28,x", f"{identity(61)},X,汉族,1978-02-01,y", f"{identity(62)},,,,z"]
    file = tmp_path / "people.csv"
    file.write_text("\n".join(lines) + "\n", encoding="utf-8")
    source = catalogue.register_source(people["officer"], name="人口", kind="csv", location=str(file))
    made = catalogue.draft_resource(people["officer"], source.id)
    items = [{"name": one.name, "title_zh": one.name} for one in made.items.all()]
    return catalogue.describe(people["officer"], made.id, DESCRIPTION, items)


def mapped(resource: Resource, people: dict[str, Account], **elements: str) -> None:
    items = [{"name": one.name, "element": elements.get(one.name, one.element)} for one in resource.items.all()]
    catalogue.describe(people["officer"], resource.id, {}, items)


def code_map(resource: Resource, people: dict[str, Account], text: str = MAP, item: str = "xb") -> Definition:
    described = {"name": "js-sex", "title_zh": "江苏性别代码", "table": "gbt2261.1", "local": "人口库"}
    made = actions.propose(people["steward"], from_csv(text, [[resource.id, item]], **described)[0])
    return actions.approve(supervisor(), made.id)


def agreed(anhui: DspPeer, resource: Resource) -> Agreement:
    """An agreement in force about the resource, walked there by the real messages."""
    entry = Entry.objects.get(id=resource.id)
    asked = terms(items=("sfzh", "xb"))
    pid, mine, _ = anhui.request(entry, asked)
    message = anhui.heard(protocol.ContractAgreement)[-1]
    said = protocol.ContractVerification(pid, mine, anhui.countersign(message.agreement))
    assert anhui.say(f"/negotiations/{pid}/agreement/verification", said).status_code == 200
    request = protocol.TransferRequest(urn(new_id()), message.agreement.id, delivery.FORMAT, anhui.callback)
    assert anhui.say("/transfers/request", request).status_code == 201
    return Agreement.objects.get(id=message.agreement.id)


def codes_in(agreement: Agreement) -> dict[str, str]:
    return {one.name: one.codes for one in load(agreement.id)[0].items}


def test_what_really_occurs_is_counted_and_equal_names_are_proposed(resource, people):
    seen = code_maps.coverage(resource, "xb", {"M": "1", "F": "2"}, "gbt2261.1")
    assert (seen.rows, seen.rows_covered, seen.covered, seen.more) == (62, 60, 2, False)
    found = {one.code: (one.rows, one.regional, one.suggested) for one in seen.values}
    assert found == {"男": (1, "", "1"), "X": (1, "", ""), "M": (30, "1", ""), "F": (30, "2", "")}
    assert [one.code for one in seen.values][:2] == ["X", "男"]  # what is lacking stands first
    assert code_maps.suggestions(["汉", "汉族", "Hui", " 回族 ", "古"], "gbt3304") == {
        "汉": "01", "汉族": "01", "Hui": "03", " 回族 ": "03",
    }  # fmt: skip


def test_an_agreement_gives_what_the_catalogue_said_when_it_was_made(resource, people, anhui):
    publish(people["head"], resource.id)
    before = agreed(anhui, resource)
    mapped(resource, people, xb="sex")
    code_map(resource, people)
    between = agreed(anhui, resource)  # the map is approved, and the catalogue does not say so yet
    publish(people["head"], resource.id)
    entry = datasets.read(Entry.objects.get(id=resource.id).dataset)
    assert (entry.item("xb").codes, entry.item("xb").type) == ("gbt2261.1", "string")
    assert entry.item("sfzh").codes == ""
    after = agreed(anhui, resource)
    assert codes_in(before) == codes_in(between) == {"sfzh": "", "xb": ""}
    assert codes_in(after) == {"sfzh": "", "xb": "js-sex@1"}
    assert CodeMap.objects.get(id="js-sex@1").pairs == {"M": "1", "F": "2"}
    # A further version: who converts by the map goes on with the newest, the others are untouched.
    code_map(resource, people, MAP + "男,,1\n")
    assert codes_in(after) == {"sfzh": "", "xb": "js-sex@2"}
    assert codes_in(before) == {"sfzh": "", "xb": ""}
    assert CodeMap.objects.get(id="js-sex@1").pairs == {"M": "1", "F": "2"}  # never changed afterwards


def test_what_is_simulated_before_publication_is_what_is_read_after_it_in_regional_codes(resource, people, anhui):
    mapped(resource, people, xb="sex")
    code_map(resource, people)
    before = simulation.of_resource(people["officer"], resource.id, sample_as="member").rows
    assert {row["xb"] for row in before} == {"1", "2"}
    publish(people["head"], resource.id)
    agreement = agreed(anhui, resource)
    served = granted_rows(Book().open([agreement.id], date.today())[agreement.id]).read_all()
    assert [row["xb"] for row in before] == served.column("xb").to_pylist()[: len(before)]
    assert served.num_rows == 61  # X and 男 stay behind
    assert simulation.of_resource(people["officer"], resource.id, sample_as="member").rows == before


def test_a_report_by_a_converted_key_finds_the_local_record_and_each_side_sees_its_own_code(resource, people, anhui):
    mapped(resource, people, xb="sex")
    code_map(resource, people)
    publish(people["head"], resource.id)
    agreement = agreed(anhui, resource)
    ticket = new_id()
    secret = orjson.dumps({"value": "2", "evidence": "户口簿"})
    said = {"agreement": agreement.id, "items": ["sfzh"], "key_item": "xb", "fault": "wrong_value"}
    box = seal_for("320000", secret, about=saying.subject(ticket))
    said |= {"ticket": ticket, "at": rfc3339(datetime.now(UTC)), "box": box}
    hearing.hear_report(
        Peer("340000", "urn:x", new_id()),
        Event(new_id(), "urn:x", saying.REPORTED, saying.subject(ticket), "now", said),
    )
    one = looking.look_at(Correction.objects.get(ticket=ticket).pk)
    assert one.look_failed == ""
    assert one.before["sfzh"].startswith("hmac-sha256:"), "the record is found by its local code"
    kept = content.opened(bytes(one.content))
    assert (kept["value"], kept["local"]) == ("2", ["F"])
    assert kept["reached"] == {agreement.id: "2"}, "the partner hears its own code"
    page = browser(people["officer"]).get(reverse("correction", args=[one.pk])).content.decode()
    assert "<dt>xb</dt><dd><code>F</code></dd>" in page
    assert "<dt>As the other side knows it</dt><dd><code>2</code></dd>" in page


def test_an_approved_map_makes_the_catalogue_entry_due_for_publication(resource, people):
    publish(people["head"], resource.id)
    assert Resource.objects.get(id=resource.id).changed_at is None
    mapped(resource, people, xb="sex")
    code_map(resource, people)
    assert Resource.objects.get(id=resource.id).changed_at is not None


def test_a_map_for_an_item_that_is_not_there_or_has_another_map_changes_nothing(resource, people):
    with pytest.raises(BadDefinition):
        code_map(resource, people, item="nothing")
    code_map(resource, people)
    described = {"name": "other", "title_zh": "别的", "table": "gbt2261.1", "local": ""}
    other = actions.propose(people["steward"], from_csv(MAP, [[resource.id, "xb"]], **described)[0])
    with pytest.raises(BadDefinition, match="js-sex"):
        actions.approve(supervisor(), other.id)
    assert ItemCodes.objects.get().map_name == "js-sex"
    assert queries.newest_map("other") is None


def test_an_element_must_be_known(resource, people):
    with pytest.raises(UnknownElement):
        mapped(resource, people, xb="soul")
    mapped(resource, people, nation="ethnic_group")  # of the standards in force, not of the product
    assert resource.items.get(name="nation").element == "ethnic_group"


def test_elements_are_suggested_from_names_and_values_with_score_and_reason(resource, people):
    mapped(resource, people, sfzh="")
    found = suggest(resource)
    best = {item: suggestions[0] for item, suggestions in found.items()}
    assert {item: one.element.name for item, one in best.items()} == {
        **{"sfzh": "person_id", "xb": "sex", "nation": "ethnic_group", "csrq": "birth_date"},
    }
    assert [one.kind for one in best["sfzh"].reasons] == ["check", "same_name"]
    assert best["sfzh"].reasons[0].share > 0.9
    assert {one.kind for one in best["nation"].reasons} == {"code_names", "same_name"}
    assert best["nation"].score > 0.95
    assert "note" not in found
    assert not Resource.objects.get(id=resource.id).items.filter(element="sex").exists()  # nothing maps itself


def test_a_resource_is_measured_on_its_source_and_each_score_opens_to_its_findings(resource, people):
    mapped(resource, people, sfzh="person_id", xb="sex", nation="ethnic_group", csrq="birth_date")
    run = measure(ask_for_score(people["officer"], resource.id))
    found = {one.item: (one.held_to, one.present, one.conforming) for one in run.findings.all()}
    assert found == {
        "sfzh": ("check:person_id", 63, 62),  # one of them has a wrong check digit
        "xb": ("table:gbt2261.1", 62, 0),
        "nation": ("table:gbt3304", 62, 0),
        "csrq": ("type:date", 62, 62),
        "note": ("", 63, 0),
    }
    assert (run.items, run.items_mapped, run.rows_read, run.state) == (5, 4, 63, "done")
    assert run.checked == sum(present for held, present, _ in found.values() if held)
    # With the map, its codes count as the region's.
    code_map(resource, people)
    again = measure(ask_for_score(people["officer"], resource.id))
    assert again.findings.get(item="xb").conforming == 60
    assert again.findings.get(item="xb").held_to == "map:js-sex@1"
    assert newest_score(resource.id).id == again.id
    assert again.conforming - run.conforming == 60


def test_only_counts_of_a_source_are_kept(resource, people):
    mapped(resource, people, sfzh="person_id")
    measure(ask_for_score(people["officer"], resource.id))
    for record in AuditRecord.objects.all():
        assert identity(1) not in str(record.detail)
    for entry in LedgerEntry.objects.all():
        assert identity(1).encode() not in bytes(entry.entry)


def test_measuring_is_for_the_department_and_the_steward(resource, people):
    with pytest.raises(NotAllowed):
        ask_for_score(supervisor(), resource.id)
    first = ask_for_score(people["steward"], resource.id)
    assert ask_for_score(people["officer"], resource.id).id == first.id  # one at a time


def test_a_source_that_does_not_answer_fails_the_run_and_says_why(resource, people, tmp_path):
    from hutong.node.settings import current

    for file in current().snapshots_folder.glob("*"):
        if file.name == resource.source.snapshot:
            file.unlink()
    run = measure(ask_for_score(people["officer"], resource.id))
    assert (run.state, bool(run.refusal)) == ("failed", True)
    assert newest_score(resource.id) is None


# --- pages ----------------------------------------------------------------------------------------------------


def browser(account: Account, language: str = "en") -> Client:
    client = Client(headers={"accept-language": language})
    client.force_login(account)
    return client


def test_the_steward_makes_a_map_in_the_editor_and_the_supervisor_approves_it(resource, people):
    mapped(resource, people, xb="sex")
    steward = browser(people["steward"])
    assert b"gbt2261.1" in steward.get("/standards/maps/").content
    page = steward.get(f"/standards/maps/?table=gbt2261.1&item={resource.id}/xb").content.decode()
    assert "0 of 4 codes are covered" in page
    assert "proposed by name" in page
    given = {"name": "js-sex", "title_zh": "江苏性别代码", "local": "人口库", "items": [f"{resource.id}/xb"], "csv": ""}
    pairs = {"code-0": "M", "target-0": "1", "code-1": "F", "target-1": "2", "code-2": "X", "target-2": ""}
    answer = steward.post("/standards/maps/?table=gbt2261.1", given | pairs)
    made = Definition.objects.get(kind="map")
    assert answer.url == f"/standards/{made.id}/"
    assert queries.pairs_of(made) == {"M": "1", "F": "2"}
    assert steward.post(f"/standards/{made.id}/approve/").status_code == 403
    answer = browser(supervisor()).post(f"/standards/{made.id}/approve/")
    assert answer.status_code == 302
    assert queries.newest_map("js-sex").version == 1
    csv = steward.get("/standards/maps/js-sex/pairs.csv").content.decode()
    assert csv == "local,zh,regional\nM,,1\nF,,2\n"
    again = steward.post("/standards/maps/?map=js-sex", given | {"csv": csv + "男,,1\n"})
    assert again.status_code == 302
    assert queries.pairs_of(Definition.objects.get(kind="map", version=2)) == {"M": "1", "F": "2", "男": "1"}


def test_a_wrong_target_is_said_beside_the_pairs_and_proposes_nothing(resource, people):
    steward = browser(people["steward"])
    given = {"name": "js-sex", "title_zh": "江苏性别代码", "local": "人口库", "code-0": "M", "target-0": "7"}
    answer = steward.post("/standards/maps/?table=gbt2261.1", given)
    assert answer.status_code == 400
    assert b"map_target_unknown" in answer.content
    assert not Definition.objects.filter(kind="map").exists()


@pytest.mark.parametrize("language", ["en", "zh-hans"])
def test_every_page_of_the_standards_opens_to_whom_it_should(resource, people, language):
    mapped(resource, people, sfzh="person_id")
    one = Definition.objects.filter(kind="table").first()
    measure(ask_for_score(people["officer"], resource.id))
    addresses = [f"/standards/?kind={kind}" for kind in ("element", "table", "map")]
    addresses += [
        f"/standards/{one.id}/",
        "/withheld/",
        "/withheld/?show=ready",
        f"/resources/{resource.id}/standards/?look=1",
    ]
    for who in ("officer", "steward"):
        for address in addresses:
            assert browser(people[who], language).get(address).status_code == 200, (who, address)
    other = Account.objects.create(
        username="zhao", role="officer", department=department("11430000006122244L", "卫健委")
    )
    assert browser(other).get(f"/resources/{resource.id}/standards/").status_code == 404
    assert browser(people["officer"]).get("/standards/maps/").status_code == 403


def test_a_suggestion_is_mapped_when_a_person_confirms_it(resource, people):
    officer = browser(people["officer"])
    page = officer.get(f"/resources/{resource.id}/standards/?look=1").content.decode()
    assert "Confirm" in page
    assert identity(1) not in page
    officer.post(f"/resources/{resource.id}/standards/map/", {"item": "xb", "element": "sex"})
    assert resource.items.get(name="xb").element == "sex"
    assert resource.items.get(name="nation").element == ""


def test_what_an_exchange_leaves_behind_after_the_map_was_extended_is_offered_once(resource, people, anhui):
    mapped(resource, people, xb="sex")
    code_map(resource, people)
    publish(people["head"], resource.id)
    agreement = agreed(anhui, resource)
    code_map(resource, people, MAP + "男,,1\n")
    for exchange, values in (("late", {"男": ""}), ("unmapped", {"X": ""})):  # both began by the first version
        kept = Kept(exchange, {}, {"xb": values}).sealed()
        WithheldRows.objects.create(
            exchange_id=exchange, role="provider", agreement_id=agreement.id, items={"xb": 1}, sealed=kept,
            at=datetime.now(UTC),
        )  # fmt: skip
    for _ in range(2):
        code_maps.offer_late()
    assert dict(WithheldRows.objects.values_list("exchange_id", "state")) == {"late": "ready", "unmapped": "waiting"}
    told = OutboxMessage.objects.filter(peer="340000", process__startswith=f"event:{code_maps.REPLAY_EVENT}")
    assert told.count() == 1
    assert AuditRecord.objects.filter(kind="standard.replay_offered").count() == 1


def test_what_is_kept_sealed_goes_when_it_no_longer_serves(resource, people, anhui):
    mapped(resource, people, xb="sex")
    code_map(resource, people)
    publish(people["head"], resource.id)
    live, ended = agreed(anhui, resource), agreed(anhui, resource)
    now = datetime.now(UTC)
    with transaction.atomic():
        delivery.terminate(ended.transfers.get().pid, "用途已完成", "wang")
    for agreement, state, days in (
        (live, "waiting", 1),
        (live, "waiting", 181),
        (live, "replayed", 3),
        (ended, "waiting", 1),
    ):
        WithheldRows.objects.create(
            exchange_id=new_id(), role="provider", agreement_id=agreement.id, items={"xb": 1}, state=state, sealed=b"x",
            at=now - timedelta(days=days),
        )  # fmt: skip
    assert code_maps.forget_old() == 3
    left = WithheldRows.objects.exclude(sealed=b"").get()
    assert (left.agreement_id, left.state) == (live.id, "waiting")
    assert WithheldRows.objects.count() == 4  # the counts stay
