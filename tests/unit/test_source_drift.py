"""A source that changes under a published description: noticed at a look and at a read, refused, flagged, told."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from datetime import date
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from hutong.control.agreements import delivery, interruption, protocol
from hutong.control.agreements.models import Agreement
from hutong.control.catalogue import actions, freshness
from hutong.control.catalogue import health as state_of_health
from hutong.control.catalogue.models import Entry, Resource, ResourceDrift
from hutong.control.notices.models import Notice
from hutong.exchange.grants.book import Book
from hutong.exchange.models import Source
from hutong.exchange.sources import Source as OpenSource
from hutong.exchange.sources import SourceSpec, open_source, take_in
from hutong.exchange.sources.spec import SourceDrifted
from hutong.node.events import Event
from hutong.node.models import OutboxMessage
from hutong.node.receiving import Peer
from hutong.vocabulary.errors import NotFound
from hutong.vocabulary.ids import new_id, urn
from tests.companies import COMPLETE, ITEMS
from tests.concluded import consumed
from tests.dsp_peer import DspPeer, agree, terms
from tests.publication import publish

COLUMNS = {"uscc": ["91320509MA0000001X"], "company": ["甲"], "contact": ["13800000000"], "capital": [1]}
pytestmark = pytest.mark.django_db


def write(file: Path, **columns: object) -> None:
    pq.write_table(pa.table({**COLUMNS, **columns}), file)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    write(tmp_path / "drifting.parquet")
    return tmp_path / "drifting.parquet"


@pytest.fixture
def agreement(people, anhui: DspPeer, file: Path) -> Agreement:
    """Anhui may read the code and the contact of companies in a Parquet file of ours."""
    source = actions.register_source(people["officer"], name="企业登记", kind="parquet", location=str(file))
    drafted = actions.draft_resource(people["officer"], source.id)
    actions.describe(people["officer"], drafted.id, COMPLETE | {"permitted_purposes": ["licensing"]}, ITEMS)
    entry: Entry = publish(people["head"], drafted.id)
    pid, mine, _ = anhui.request(entry, terms(items=("uscc", "contact")))
    made = agree(people["officer"], pid)
    signature = anhui.countersign(anhui.heard(protocol.ContractAgreement)[-1].agreement)
    said = protocol.ContractVerification(pid, mine, signature)
    assert anhui.say(f"/negotiations/{pid}/agreement/verification", said).status_code == 200
    message = protocol.TransferRequest(urn(new_id()), made.id, delivery.FORMAT, anhui.callback)
    assert anhui.say("/transfers/request", message).status_code == 201
    return made


@pytest.fixture
def region(anhui: DspPeer) -> None:
    """The region is in the directory already."""


def served(book: Book, agreement: Agreement) -> OpenSource | SourceDrifted:
    found = book.open([agreement.id], date.today())[agreement.id].source
    assert isinstance(found, (OpenSource, SourceDrifted))
    return found


def told() -> list[list[str]]:
    bodies = [json.loads(bytes(one.body)) for one in OutboxMessage.objects.order_by("id")]
    return [one["data"]["items"] for one in bodies if one.get("type") == interruption.EVENT]


def test_a_change_found_by_a_look_is_flagged_refused_and_told_until_the_source_is_as_described(
    agreement: Agreement, file: Path
) -> None:
    source, book = Source.objects.get(), Book()
    write(file, contact=[138])
    freshness.look(source.id)
    refused = served(book, agreement)
    assert isinstance(refused, SourceDrifted)
    assert "contact" in refused.say("en")
    assert "contact" in refused.say("zh")
    assert ResourceDrift.objects.get().items == ["contact"]
    (found,) = state_of_health.of(list(state_of_health.published()))
    assert (found.state, found.missing) == ("changed", ("contact",))  # its name is there, with another type
    assert told() == [["contact"]]
    assert Notice.objects.filter(code="source_changed").count() == 1
    freshness.look_at_drifted()
    assert told() == [["contact"]]  # once
    write(file)
    freshness.look_at_drifted()
    assert isinstance(served(book, agreement), OpenSource)
    assert not ResourceDrift.objects.exists()
    assert state_of_health.of(list(state_of_health.published()))[0].missing == ()
    assert told() == [["contact"], []]
    assert Notice.objects.filter(code="source_restored").count() == 1


def test_a_change_found_by_a_read_stops_that_read_and_every_next_one(agreement: Agreement, file: Path) -> None:
    book = Book()
    source = served(book, agreement)
    assert isinstance(source, OpenSource)
    pq.write_table(pa.table({"uscc": ["x"], "company": ["乙"], "telephone": ["1"], "capital": [1]}), file)
    with pytest.raises(SourceDrifted, match="contact"):
        source.read(["uscc", "contact"])
    assert Source.objects.get().drift == ["contact"]
    for one in (book, Book()):
        assert isinstance(served(one, agreement), SourceDrifted)
    freshness.look_at_drifted()
    assert told() == [["contact"]]


def test_a_process_that_opens_the_source_after_the_change_refuses_too(agreement: Agreement, file: Path) -> None:
    write(file, uscc=[1])
    assert isinstance(served(Book(), agreement), SourceDrifted)
    assert Source.objects.get().drift == ["uscc"]


def test_an_item_that_was_added_or_that_nobody_is_given_stops_no_agreement(agreement: Agreement, file: Path) -> None:
    book = Book()
    write(file, more=["y"], company=[7])
    freshness.look(Source.objects.get().id)
    assert isinstance(served(book, agreement), OpenSource)
    assert ResourceDrift.objects.get().items == ["company"]
    assert told() == []


def test_reading_the_source_again_accepts_its_types_but_not_against_what_was_published(
    people, agreement: Agreement, file: Path
) -> None:
    write(file, contact=[138])
    source = actions.refresh_source(people["officer"], Source.objects.get().id)
    assert {one["name"]: one["type"] for one in source.schema}["contact"] == "int64"
    assert isinstance(served(Book(), agreement), SourceDrifted)
    assert Resource.objects.get().changed_at is not None  # article 17: the change is to be filed


def test_a_consumer_hears_of_it_from_its_provider_alone(anhui: DspPeer, health) -> None:
    made = consumed(anhui, health)
    say = Event(new_id(), "urn:x", interruption.EVENT, made.id, "now", {"agreement": made.id, "items": ["name"]})
    interruption.hear(Peer(made.peer, "urn:x", new_id()), say)
    notice = Notice.objects.filter(code="provider_source_changed")[0]
    assert "name" in notice.said_en
    assert "name" in notice.said_zh
    assert notice.page == ["agreement", made.id]
    with pytest.raises(NotFound):
        interruption.hear(Peer("310000", "urn:x", new_id()), say)


def test_sqlite_never_answers_with_the_name_of_a_column_that_is_gone(tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / "x.db")) as connection, connection:
        connection.execute("CREATE TABLE t (code TEXT, word TEXT)")
        connection.execute("INSERT INTO t VALUES ('1', 'x')")
    source = open_source(SourceSpec("sqlite", str(tmp_path / "x.db"), "t"))
    heard: list[object] = []
    source.on_drift = heard.append
    with closing(sqlite3.connect(tmp_path / "x.db")) as connection, connection:
        connection.execute("ALTER TABLE t RENAME COLUMN word TO words")
    for read in (lambda: source.read(["word"]), lambda: source.lookup(["word"], "code", ["1"])):
        with pytest.raises(SourceDrifted, match="word"):
            read()
    assert heard == [("word",), ("word",)]
    source.close()


def test_an_emptied_table_is_no_other_table(tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / "x.db")) as connection, connection:
        connection.execute("CREATE TABLE t (n INTEGER, share REAL, word TEXT)")
    source = open_source(SourceSpec("sqlite", str(tmp_path / "x.db"), "t"))
    assert source.differing({"n": "int64", "share": "double", "word": "string"}) == ()
    assert source.differing({"n": "int64", "gone": "string"}) == ("gone",)
    source.close()


def test_a_file_taken_in_again_keeps_the_types_it_was_described_with_where_its_values_fit(tmp_path: Path) -> None:
    file = tmp_path / "x.csv"
    before = {"number": "int64", "code": "string", "share": "double", "day": "date32[day]"}
    file.write_text("number,code,share,day\n,12345,7,\n", encoding="utf-8")
    taken = take_in(SourceSpec("csv", str(file)), tmp_path / "s", "x", described=before)
    assert {one.name: str(one.type) for one in taken.schema} == before
    file.write_text("number,code,share,day\nseven,1,x,2024-01-01\n", encoding="utf-8")
    taken = take_in(SourceSpec("csv", str(file)), tmp_path / "s", "x", described=before)
    assert [str(one.type) for one in taken.schema] == ["string", "string", "string", "date32[day]"]
