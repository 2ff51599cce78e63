"""Return flow, decree 809 article 24: what a superior may add (nothing), whose rows come, how two sides compare."""

from __future__ import annotations

import random
import shutil
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from django.db import transaction
from hypothesis import given, settings
from hypothesis import strategies as st

from hutong.control.agreements import actions as agreements
from hutong.control.agreements.models import Agreement, Negotiation
from hutong.control.agreements.protocol import (
    ContractAgreement,
    ContractEvent,
    ContractTermination,
    ContractVerification,
    TransferRequest,
)
from hutong.control.catalogue.sources import spec_of
from hutong.control.clocks.models import Clock
from hutong.control.conduct import ending
from hutong.control.conduct.models import EndedAgreement
from hutong.control.identity.models import Account
from hutong.control.notices.models import Notice
from hutong.control.replies import actions as replies
from hutong.control.returns import (
    actions,
    areas,
    consent,
    digests,
    fetching,
    flows,
    keeping,
    onward,
    reconciling,
    stating,
)
from hutong.control.returns.models import Onward, ReturnBatch, ReturnDifference, ReturnFlow, ReturnOffer, ReturnTicket
from hutong.control.returns.rules import (
    LAW,
    AnotherCondition,
    FurtherCondition,
    NoAreaItem,
    NothingReturnedYet,
    NotItsArea,
    NotToPassOn,
    ReturnOverdue,
    RowsOutsideArea,
)
from hutong.control.statute import decisions
from hutong.control.statute.models import Decision
from hutong.exchange.models import Grant, Source
from hutong.exchange.shaping.predicate import Predicate
from hutong.exchange.sources import open_source
from hutong.ledger.models import AuditRecord
from hutong.node.models import OutboxMessage
from hutong.vocabulary.areas import prefix_of
from hutong.vocabulary.errors import WrongState
from hutong.vocabulary.ids import new_id
from tests.dsp_peer import HEALTH, DspPeer, agreed, department, heard_of, peer, published, terms
from tests.messaging import tell
from tests.region import an_item, neighbour, ourselves

pytestmark = pytest.mark.django_db
US = "320000"
AGREEMENT = "urn:uuid:00000000-0000-4000-8000-000000000001"


def described() -> list[Any]:
    return [
        an_item("uscc", "代码", key=True),
        an_item("name", "名称", mask={"action": "name"}),
        an_item("area", "行政区划代码", element="area_code"),
        an_item("barred", "不予共享项", attribute="refused"),
    ]


@pytest.fixture
def suzhou() -> DspPeer:
    """A city of ours."""
    ourselves()
    neighbour("yrd", "region")
    return DspPeer(neighbour("320500", "city"))


@pytest.fixture
def nation(suzhou: DspPeer) -> DspPeer:
    return DspPeer(neighbour("100000", "nation"))


@pytest.fixture
def people() -> dict[str, Account]:
    office = department(HEALTH, "卫生健康委员会")
    make = Account.objects.create
    return {role: make(username=f"r-{role}", role=role, department=office) for role in ("officer", "head")}


def return_terms(area: str = "320500", **changes: Any) -> Any:
    given = {
        "items": ("uscc", "name", "area", "barred"),
        "where": areas.condition("area", "string", area),
        "scope": area,
        "law": LAW,
        "mode": "batch",
    }
    return terms(**(given | changes))


def refused_for(node: DspPeer) -> str:
    """The code our node refused the newest request with."""
    return node.heard(ContractTermination)[-1].code


def test_return_flow_is_agreed_by_law_with_just_the_areas_rows_and_every_item(suzhou, officer):
    entry = published("conditional", described())
    pid, _, _ = suzhou.request(entry, return_terms())
    agreement = Agreement.objects.get()
    said = agreement.document["hutong:terms"]
    assert said["where"] == {"op": "starts_with", "item": "area", "value": "3205"}
    assert [one["name"] for one in said["items"]] == ["uscc", "name", "area", "barred"]
    assert said["items"][1]["mask"] == {"action": "name"}  # the catalogue's own, and no other
    assert Negotiation.objects.get(pid=pid).decided_by == "rule:D809-24"
    flow = ReturnFlow.objects.get()
    assert (flow.role, flow.peer, flow.area, flow.state) == ("provider", "320500", "320500", "active")
    decision = Decision.objects.get(name="return.grant")
    assert decision.outcome["granted"]
    assert decisions.replay(decision).same


def test_nothing_is_stated_of_a_return_that_is_over_and_the_one_that_replaces_it_ends_it(suzhou, officer, caplog):
    entry = published("conditional", described())
    suzhou.request(entry, return_terms())
    flow = ReturnFlow.objects.get()
    stored = {"number": 1, "kind": "full", "rows": 0, "root": "sha256:0", "keys": ["uscc"]}
    asked = {"v": digests.VERSION, "step": "stored", "batch": new_id(), **stored}
    assert tell(suzhou, reconciling.EVENT, flow.agreement_id, asked).status_code == 200
    stating.state_asked()
    assert "was not stated" in caplog.text  # nothing is delivered yet: it is tried again
    caplog.clear()
    suzhou.request(entry, return_terms())
    flow.refresh_from_db()
    assert (flow.state, ReturnFlow.objects.filter(state="active").count()) == ("ended", 1)
    ended = AuditRecord.objects.get(kind="return.ended")
    assert (ended.subject, ended.detail) == (f"return:{flow.id}", {"agreement": flow.agreement_id})
    stating.state_asked()
    assert caplog.text == ""


def test_d809_24_further_condition_cannot_be_set_by_anybody_at_the_superior(suzhou, officer, monkeypatch):
    monkeypatch.setattr(consent, "decide", lambda *_: (_ for _ in ()).throw(FurtherCondition(area="", what="")))
    pid, _, _ = suzhou.request(published("conditional", described()), return_terms())
    assert Negotiation.objects.get(pid=pid).state == "REQUESTED"  # left to a person, who may only agree
    traced = {"tracing": {"watermark": ["name"]}}
    for chosen in ({"items": ["uscc"]}, {"term_days": 1}, {"masks": {"uscc": {"action": "null"}}}, traced):
        with pytest.raises(FurtherCondition):
            replies.propose_agreement(officer, pid, **chosen)
    with pytest.raises(FurtherCondition):
        replies.propose_refusal(officer, pid, "not_held", "不提供", "《政务数据共享条例》第十九条")
    with pytest.raises(FurtherCondition):
        replies.ask_supplement(officer, pid, [("basis", "说明")])


def test_d809_24_further_condition_the_superior_cannot_end_what_the_law_grants(suzhou, officer):
    pid, consumer_pid, _ = suzhou.request(published("conditional", described()), return_terms())
    sent = suzhou.heard(ContractAgreement)[-1]
    signature = suzhou.countersign(sent.agreement)
    suzhou.say(f"/negotiations/{pid}/agreement/verification", ContractVerification(pid, consumer_pid, signature))
    agreement = Agreement.objects.get()
    suzhou.say("/transfers/request", TransferRequest("urn:uuid:t", agreement.id, "HttpData-PULL", suzhou.callback))
    assert Grant.objects.get().state == "active"
    with pytest.raises(FurtherCondition):
        agreements.end(officer, agreement.id, "不再提供")
    assert agreements.suspend(officer, agreement.id, "滥用").state == "suspended"  # article 27 stays


def test_d809_24_not_its_area_is_refused_by_rule(suzhou):
    entry = published("conditional", described())
    for area in ("320100", "330400", "320000"):
        suzhou.request(entry, return_terms(area))
        assert refused_for(suzhou) == NotItsArea.code
    shanghai = peer("310000")
    shanghai.request(entry, return_terms("310000"))
    assert refused_for(shanghai) == NotItsArea.code
    assert not Agreement.objects.exists()


def test_d809_24_another_condition_is_refused_by_rule(suzhou):
    entry = published("conditional", described())
    for where in (None, {"op": "starts_with", "item": "area", "value": "32"}, {"op": "not_null", "item": "area"}):
        suzhou.request(entry, return_terms(where=where))
        assert refused_for(suzhou) == AnotherCondition.code


def test_d809_24_no_area_item_in_the_entry_says_so_on_both_sides(suzhou, nation, people):
    plain = [an_item("uscc", "代码"), an_item("area", "地区")]
    suzhou.request(published("conditional", plain), return_terms(items=("uscc", "area")))
    assert refused_for(suzhou) == NoAreaItem.code
    with pytest.raises(NoAreaItem):
        actions.ask(people["officer"], heard_of(nation.node, items=plain).id)


def asked(nation: DspPeer, people: dict[str, Account], **changes: Any) -> ReturnFlow:
    entry = heard_of(nation.node, items=described(), attribute="conditional", permitted_purposes=["licensing"])
    return actions.ask(people["officer"], entry.id, **changes)


def offered_agreement(nation: DspPeer, flow: ReturnFlow, **narrower: Any) -> Negotiation:
    """The superior's agreement for what we asked, or less of it."""
    negotiation = Negotiation.objects.get(pid=flow.negotiation_id)
    from hutong.control.agreements.drafting import asked_terms

    wanted = asked_terms(negotiation)
    given = agreed(type(wanted)(**{**vars(wanted), **narrower}))
    policy = nation.agreement(negotiation.dataset_id, given)
    pid = "urn:uuid:provider-" + flow.id
    message = ContractAgreement(pid, negotiation.pid, policy, nation.countersign(policy))
    answer = nation.say(f"/negotiations/{negotiation.pid}/agreement", message)
    assert answer.status_code == 200, answer.content
    negotiation.refresh_from_db()
    return negotiation


def test_an_area_asks_its_superior_and_the_first_batch_is_due_at_once(nation, people):
    flow = asked(nation, people)
    assert (flow.area, flow.area_item, flow.keys, flow.state) == (US, "area", ["uscc"], "asked")
    negotiation = offered_agreement(nation, flow)
    event = ContractEvent(negotiation.peer_pid, negotiation.pid, "FINALIZED")
    nation.say(f"/negotiations/{negotiation.pid}/events", event)
    flow.refresh_from_db()
    assert flow.state == "active"
    assert flow.next_at is not None
    assert Clock.objects.get(rule=ReturnOverdue.name()).state == "running"


@pytest.mark.parametrize("narrower", [{"items": ("uscc", "area")}, {"term_days": 30}, {"quota_calls_per_day": 10}])
def test_d809_24_further_condition_in_an_agreement_is_given_back_unsigned(nation, people, narrower):
    flow = asked(nation, people)
    negotiation = offered_agreement(nation, flow, **narrower)
    assert negotiation.state == "TERMINATED"
    flow.refresh_from_db()
    assert (flow.state, flow.code) == ("refused", FurtherCondition.code)
    assert Notice.objects.filter(code="return_refused").exists()


def test_d809_24_not_its_area_cannot_be_asked_for(nation, suzhou, people):
    for area in ("330000", "100000"):
        with pytest.raises(NotItsArea):
            asked(nation, people, area=area)
    with pytest.raises(NotItsArea):  # a city is no superior of its province
        asked(suzhou, people)
    asked(nation, people, area="320500")
    with pytest.raises(NotItsArea):
        asked(peer("310000"), people)


def test_the_same_return_is_not_asked_for_twice(nation, people):
    flow = asked(nation, people)
    with pytest.raises(WrongState):
        actions.ask(people["officer"], flow.resource_id)


def test_an_offer_from_above_is_kept_and_told_and_one_from_beside_refused(nation, suzhou, people):
    resource = new_id()
    data = {"resource": resource, "title_zh": "人口", "title_en": "", "area": US}
    data["provenance"] = [{"node": "100000", "resource": resource}]
    for _ in range(2):
        assert tell(nation, actions.OFFER_EVENT, resource, data).status_code == 200
    assert ReturnOffer.objects.get().peer == "100000"
    assert Notice.objects.filter(code="return_offered").count() == 2  # officer and head, once
    assert tell(suzhou, actions.OFFER_EVENT, resource, data).json()["code"] == NotItsArea.code
    wrong = data | {"area": "330000"}
    assert tell(nation, actions.OFFER_EVENT, resource, wrong).json()["code"] == NotItsArea.code


def test_a_resource_is_offered_to_each_node_right_below_for_its_own_area(suzhou, officer):
    DspPeer(neighbour("320100", "city"))
    DspPeer(neighbour("320583", "district"))  # lies below Suzhou, which offers it on
    DspPeer(neighbour("330000", "province"))
    entry = published("conditional", described())
    assert actions.offer_down(officer, entry.id) == ["320100", "320500"]
    assert OutboxMessage.objects.filter(process__startswith="event:return.offered").count() == 2


def test_d809_24_nothing_returned_yet_cannot_be_passed_on(nation, people):
    flow = asked(nation, people)
    with pytest.raises(NothingReturnedYet):
        onward.pass_on(people["head"], flow.id)


# --- areas ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("area", "prefix"),
    [
        ("100000", ""),
        ("330000", "33"),
        ("330400", "3304"),
        ("330421", "330421"),
        ("341000", "3410"),
        ("330421001", "330421001"),
        ("330421001000", "330421001"),
        ("330421001002", "330421001002"),
        ("330421000000", "330421"),
        ("330400000000", "3304"),
        ("310118", "310118"),
    ],
)
def test_an_areas_codes_begin_with_its_digits(area, prefix):
    assert prefix_of(area) == prefix


CODES = ["330421", "330421001", "330421001000", "330422", "330400", "330000", "310118", "333042", "330421001002"]


@pytest.mark.parametrize("type_", ["string", "int64"])
@pytest.mark.parametrize(
    ("area", "within"),
    [
        ("330421", {"330421", "330421001", "330421001000", "330421001002"}),
        ("330421001000", {"330421001", "330421001000", "330421001002"}),
        ("330400", {"330421", "330421001", "330421001000", "330422", "330400", "330421001002"}),
        ("330000", set(CODES) - {"310118"}),
    ],
)
def test_a_condition_is_true_of_just_the_areas_rows_as_text_and_as_number(area, within, type_, tmp_path):
    import pyarrow.parquet as pq

    from hutong.exchange.sources.parquet import ParquetSource

    column = pa.array(CODES) if type_ == "string" else pa.array([int(one) for one in CODES])
    pq.write_table(pa.table({"area": column}), tmp_path / "codes.parquet")
    condition = Predicate.from_document(areas.condition("area", type_, area))
    rows = ParquetSource(tmp_path / "codes.parquet").read(["area"], condition).read_all()
    found = [str(one) for one in rows.column("area").to_pylist()]
    assert set(found) == within
    assert areas.outside(column, area) == len(CODES) - len(within)


def test_d809_24_rows_outside_area_are_counted_missing_codes_too():
    assert areas.outside(pa.array(["330421", None, "310118"]), "330421") == 2
    refused = RowsOutsideArea(count=2, area="330421")
    assert "2" in refused.say("en")


# --- digests --------------------------------------------------------------------------------------------------

ROWS = [{"id": str(number), "area": "330421", "value": number * 0.5} for number in range(3000)]


def paired(rows: list[dict[str, Any]], file: Path) -> digests.Ranges:
    schema = pa.schema([("id", pa.string()), ("area", pa.string()), ("value", pa.float64())])
    return digests.write_pairs(pa.Table.from_pylist(rows, schema).to_reader(100), ["id"], AGREEMENT, file)


def test_the_order_of_rows_does_not_matter(tmp_path):
    mixed = random.Random(1).sample(ROWS, len(ROWS))
    assert paired(ROWS, tmp_path / "a.pairs").root == paired(mixed, tmp_path / "b.pairs").root


def test_reconciliation_names_each_row_that_is_missing_too_many_or_changed(tmp_path):
    ours, theirs = tmp_path / "ours.pairs", tmp_path / "theirs.pairs"
    altered = [one | {"value": None} if one["id"] == "7" else one for one in ROWS if one["id"] != "3"]
    here = paired([*altered, {"id": "new", "area": "330421", "value": 1.0}], ours)
    there = paired(ROWS, theirs)
    assert here.root != there.root
    found = [digests.compare(digests.pairs(ours, one), digests.pairs(theirs, one)) for one in here.differing(there)]
    named = {kind: [key for one in found for key in getattr(one, kind)] for kind in ("missing", "extra", "changed")}
    assert {kind: len(keys) for kind, keys in named.items()} == {"missing": 1, "extra": 1, "changed": 1}
    only_three = paired([ROWS[3]], tmp_path / "three.pairs")
    assert list(only_three.of) == [named["missing"][0][:2]]


def test_values_that_join_alike_do_not_digest_alike(tmp_path):
    split = [{"id": "1", "area": "ab", "value": 1.0}], [{"id": "1a", "area": "b", "value": 1.0}]
    none, dash = [{"id": "1", "area": None, "value": 1.0}], [{"id": "1", "area": "-", "value": 1.0}]
    roots = {paired(one, tmp_path / "x.pairs").root for one in (*split, none, dash)}
    assert len(roots) == 4


def test_digests_of_two_agreements_cannot_be_joined(tmp_path):
    table = pa.table({"id": ["1"]})
    one = digests.write_pairs(table.to_reader(), ["id"], "urn:uuid:1", tmp_path / "1.pairs")
    other = digests.write_pairs(table.to_reader(), ["id"], "urn:uuid:2", tmp_path / "2.pairs")
    assert one.root != other.root


@given(st.lists(st.integers(0, 40), max_size=60), st.lists(st.integers(0, 40), max_size=60))
@settings(max_examples=25)
def test_two_sides_agree_just_when_they_hold_the_same_rows_as_often(tmp_path_factory, here, there):
    folder = tmp_path_factory.mktemp("pairs")
    found = [
        digests.write_pairs(pa.table({"id": pa.array(rows, pa.int64())}).to_reader(), [], AGREEMENT, folder / name)
        for rows, name in ((here, "a.pairs"), (there, "b.pairs"))
    ]
    assert (found[0].root == found[1].root) == (sorted(here) == sorted(there))


# --- the conversation -----------------------------------------------------------------------------------------


@pytest.fixture
def stored(nation: DspPeer, people: dict[str, Account]) -> ReturnBatch:
    """A batch of ours, its file on disk, compared by nobody yet."""
    return store(asked(nation, people), AGREEMENT)


def store(flow: ReturnFlow, agreement: str) -> ReturnBatch:
    """The next batch of a flow under its agreement."""
    import pyarrow.parquet as pq

    with transaction.atomic():
        flows.begin(flow, agreement)
    batch = fetching._begin(flow)
    pq.write_table(pa.Table.from_pylist(ROWS), flows.file_of(batch))
    found = digests.digest_file(flows.file_of(batch), flows.pairs_of(batch), ["id"], agreement)
    ReturnFlow.objects.filter(id=flow.id).update(keys=["id"])
    flow.refresh_from_db()
    facts = {"rows": found.rows, "root": found.root, "exchange_id": new_id(), "receipt": "sha256:0"}
    fetching._stored(flow, batch, facts)
    batch.refresh_from_db()
    return batch


def said(step: str, batch: ReturnBatch, **more: Any) -> dict[str, Any]:
    return {"v": digests.VERSION, "step": step, "batch": batch.id, **more}


def converse(nation: DspPeer, batch: ReturnBatch, theirs: Path, above: digests.Ranges) -> list[str]:
    """The superior's side, answering from its own pairs until nothing more is asked. returns the steps we said"""
    import orjson

    outline = {"about": batch.root, "rows": above.rows, "root": above.root, "ranges": above.document()}
    tell(nation, reconciling.EVENT, AGREEMENT, said("statement", batch, provenance=[], **outline))
    steps: list[str] = []
    while True:
        ours = OutboxMessage.objects.filter(process__startswith=f"event:{reconciling.EVENT}").order_by("id")
        data = [orjson.loads(bytes(one.body))["data"] for one in ours][len(steps) :]
        steps += [one["step"] for one in data]
        wanted = [one for one in data if one["step"] == "asked"]
        if not wanted:
            return steps
        told = {digits: reconciling._told(theirs, digits) for digits in wanted[-1]["ranges"]}
        assert tell(nation, reconciling.EVENT, AGREEMENT, said("told", batch, told=told)).status_code == 200


def test_reconciliation_of_equal_rows_ends_with_the_same_leaf(nation, stored, tmp_path):
    above = paired(ROWS, tmp_path / "theirs.pairs")
    assert converse(nation, stored, tmp_path / "theirs.pairs", above) == ["stored", "agreed"]
    stored.refresh_from_db()
    assert (stored.state, stored.their_rows) == ("agreed", 3000)
    states = [one.state for one in Clock.objects.filter(rule=ReturnOverdue.name()).order_by("created_at")]
    assert states == ["met", "running"]


def test_reconciliation_opens_a_ticket_and_closes_it_after_the_repair(nation, stored, tmp_path, monkeypatch):
    monkeypatch.setattr(reconciling, "SMALL_RANGE", 5)  # so that ranges are divided further
    theirs = tmp_path / "theirs.pairs"
    above = paired([one | {"value": 0.25} if one["id"] == "9" else one for one in ROWS[1:]], theirs)
    steps = converse(nation, stored, theirs, above)
    assert steps[0] == "stored"
    assert steps[-1] == "differs"
    assert steps.count("asked") >= 2
    stored.refresh_from_db()
    assert (stored.state, stored.missing, stored.extra, stored.changed) == ("differs", 0, 1, 1)
    assert set(ReturnDifference.objects.values_list("kind", flat=True)) == {"extra", "changed"}
    assert ReturnTicket.objects.get().state == "open"
    assert Notice.objects.filter(code="return_differs").exists()
    converse(nation, stored, tmp_path / "same.pairs", paired(ROWS, tmp_path / "same.pairs"))
    assert ReturnTicket.objects.get().state == "closed"
    assert Notice.objects.filter(code="return_agrees").exists()


def agree(nation: DspPeer, batch: ReturnBatch) -> None:
    """The superior states what it holds: the same."""
    outline = {"about": batch.root, "rows": batch.rows, "root": batch.root, "ranges": {}, "provenance": []}
    answer = tell(nation, reconciling.EVENT, batch.flow.agreement_id, said("statement", batch, **outline))
    assert answer.status_code == 200


def test_what_is_passed_on_follows_a_renewed_return(nation, stored, people):
    agree(nation, stored)
    resource = onward.pass_on(people["officer"], stored.flow_id)
    with transaction.atomic():
        flows.end(AGREEMENT)
    renewed = actions.ask(people["officer"], stored.flow.resource_id)
    batch = store(renewed, AGREEMENT[:-1] + "2")
    assert Onward.objects.get().flow_id == stored.flow_id  # until both sides hold the same rows
    agree(nation, batch)
    assert Onward.objects.get().flow_id == renewed.id
    assert [one["batch"] for one in onward.behind(resource.id)] == [batch.id]
    shutil.rmtree(flows.place_of(stored.flow))  # disposed of
    source = Source.objects.get(id=resource.source_id)
    assert open_source(spec_of(source)).count() == len(ROWS)
    with pytest.raises(WrongState):  # it would be passed on twice
        onward.pass_on(people["officer"], renewed.id)
    passed = AuditRecord.objects.filter(kind="return.passed_on").order_by("id")
    assert [one.subject for one in passed] == [f"return:{stored.flow_id}", f"return:{renewed.id}"]
    onward.follow(stored)  # a late word about the earlier flow
    assert Onward.objects.get().flow_id == renewed.id


def test_the_same_step_again_changes_nothing(nation, stored, tmp_path):
    above = paired(ROWS, tmp_path / "theirs.pairs")
    outline = {"about": stored.root, "rows": above.rows, "root": above.root, "ranges": {}, "provenance": []}
    for _ in range(2):
        answer = tell(nation, reconciling.EVENT, AGREEMENT, said("statement", stored, **outline), message_id=stored.id)
    assert answer.status_code in (200, 409)
    assert AuditRecord.objects.filter(kind="return.agreed").count() == 1


def test_a_file_altered_on_disk_is_found_by_the_daily_look(nation, stored, tmp_path):
    import pyarrow.parquet as pq

    above = paired(ROWS, tmp_path / "theirs.pairs")
    converse(nation, stored, tmp_path / "theirs.pairs", above)
    pq.write_table(pa.Table.from_pylist(ROWS[:-1]), flows.file_of(stored))
    ReturnBatch.objects.update(compared_at=reconciling.datetime.now(reconciling.UTC) - timedelta(days=2))
    reconciling.compare_again()
    stored.refresh_from_db()
    assert (stored.state, stored.rows) == ("stored", 2999)


def test_statements_from_anybody_but_the_superior_are_refused(nation, suzhou, stored):
    data = said("statement", stored, about=stored.root, rows=1, root="sha256:1", ranges={}, provenance=[])
    assert tell(suzhou, reconciling.EVENT, AGREEMENT, data).status_code == 404
    wrong = data | {"rows": -1}
    assert tell(nation, reconciling.EVENT, AGREEMENT, wrong).status_code == 400


def test_d809_24_return_overdue_runs_from_the_agreement_until_the_rows_agree(stored):
    clock = Clock.objects.get(rule=ReturnOverdue.name())
    assert (clock.state, clock.days, clock.department) == ("running", 5, HEALTH)


def test_returned_rows_are_kept_until_they_must_be_disposed_of(nation, people, django_capture_on_commit_callbacks):
    flow = asked(nation, people)
    negotiation = offered_agreement(nation, flow)
    event = ContractEvent(negotiation.peer_pid, negotiation.pid, "FINALIZED")
    nation.say(f"/negotiations/{negotiation.pid}/events", event)
    flow.refresh_from_db()
    file = flows.file_of(fetching._begin(flow))
    file.write_bytes(b"rows")
    keeping.forget_due()
    with transaction.atomic():
        ending.over(Agreement.objects.get(id=flow.agreement_id), "expired")
    keeping.forget_due()
    flow.refresh_from_db()
    assert (flow.state, flow.next_at, file.exists()) == ("ended", None, True)  # by its term; it can be asked for again
    actions._check_not_running(flow)
    EndedAgreement.objects.update(due_on=date.today() - timedelta(days=2))
    for _ in range(2):
        with django_capture_on_commit_callbacks(execute=True):
            keeping.forget_due()
    assert not file.parent.exists()
    removed = AuditRecord.objects.filter(kind="return.removed")
    assert [(one.subject, one.detail) for one in removed] == [(f"return:{flow.id}", {"role": "consumer", "files": 1})]


# --- central: delivered into our node, not returned to it -------------------------------------------------------


def test_d809_25_not_to_pass_on_what_a_node_below_delivers_here(suzhou, people):
    flow = ReturnFlow.objects.create(
        id=new_id(), role="consumer", peer="320500", resource_id=new_id(), title_zh="企业", area="", state="active",
        purpose="credit", department=HEALTH,
    )  # fmt: skip
    with pytest.raises(NotToPassOn, match="320500"):
        onward.pass_on(people["officer"], flow.id)
    assert flow.law == "rule:D809-22"
