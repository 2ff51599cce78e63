"""Changes of a source: found against the round before, logged once, taken once, held back where nobody takes them."""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import orjson
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from django.db import transaction

from hutong.exchange.grants import Grant, GrantedItem, put, set_state
from hutong.exchange.grants.book import Book
from hutong.exchange.grants.ranges import Ranges
from hutong.exchange.grants.rules import (
    GrantExpired,
    GrantSuspended,
    PurposeNotGranted,
    QuotaSpent,
    Standing,
    check_changes,
)
from hutong.exchange.models import (
    ChangeBatch,
    ChangeFeed,
    Entitlement,
    ExchangeRecord,
    Source,
    Subscription,
    Webhook,
)
from hutong.exchange.register import Register
from hutong.exchange.subscriptions import arriving, changes, event, feeds, hooks, keeping, log, taking, watching
from hutong.exchange.subscriptions.arriving import ApplicationsBehind, NotSubscribed, NotTheNext
from hutong.ledger.models import AuditRecord, LedgerEntry
from hutong.ledger.receipt import BadReceipt, Receipt
from hutong.node.events import Event
from hutong.node.keys import seal
from hutong.node.models import OutboxMessage
from hutong.node.receiving import Peer
from hutong.node.settings import current
from hutong.vocabulary.errors import BadInput
from hutong.vocabulary.ids import new_id
from tests.region import neighbour, ourselves

AGREEMENT = "urn:uuid:0192f0c1-0000-7000-8000-000000000001"
CASE = "hmac-sha256:" + "0" * 64
PEER = "340000"
TYPES = {"code": "string", "n": "int64"}


# --- finding ---------------------------------------------------------------------------------------------------


def found(folder: Path, number: int) -> list[tuple[str, Any]]:
    """What a round found, as (change, row)."""
    rows = pq.read_table(changes.changes_file(folder, number)).drop_columns([changes.KEY]).to_pylist()
    return sorted(((one.pop(changes.CHANGE), one) for one in rows), key=repr)


def look(folder: Path, number: int, rows: list[dict[str, Any]], *keys: str, before: int, whole: bool = True) -> Any:
    schema = pa.schema([("code", pa.string()), ("n", pa.int64())])
    table = pa.Table.from_pylist(rows, schema=schema)
    changes.find(table.to_reader(), changes.Telling(keys, "salt"), folder, number, before=before, whole=whole)
    return [(word, row["code"], row["n"]) for word, row in found(folder, number)]


def row(code: str | None, n: int | None) -> dict[str, Any]:
    return {"code": code, "n": n}


def test_a_round_tells_what_came_what_changed_and_what_went(tmp_path):
    assert look(tmp_path, 1, [row("a", 1), row("b", 2)], "code", before=0) == [
        ("inserted", "a", 1),
        ("inserted", "b", 2),
    ]
    after = [row("a", 1), row("b", 3), row("c", None)]
    assert look(tmp_path, 2, after, "code", before=1) == [("inserted", "c", None), ("updated", "b", 3)]
    # What is gone is told as it was last sent.
    assert look(tmp_path, 3, [row("c", None)], "code", before=2) == [("deleted", "a", 1), ("deleted", "b", 3)]
    assert look(tmp_path, 4, [row("c", None)], "code", before=3) == []


def test_rows_without_a_key_are_told_apart_by_all_they_hold_and_counted(tmp_path):
    twice = [row("a", 1), row("a", 1), row("a", 2)]
    assert len(look(tmp_path, 1, twice, before=0)) == 3
    once = [row("a", 1), row("a", 3)]
    assert look(tmp_path, 2, once, before=1) == [("deleted", "a", 1), ("deleted", "a", 2), ("inserted", "a", 3)]


def test_where_only_the_changed_rows_are_read_the_others_stand(tmp_path):
    look(tmp_path, 1, [row("a", 1), row("b", 2), row("c", 3)], "code", before=0)
    part = [row("b", 20), row("d", 4)]
    assert look(tmp_path, 2, part, "code", before=1, whole=False) == [("inserted", "d", 4), ("updated", "b", 20)]
    whole = [row("a", 1), row("b", 20), row("d", 4)]
    assert look(tmp_path, 3, whole, "code", before=2) == [("deleted", "c", 3)]


def test_an_item_masked_anew_each_time_makes_no_change(tmp_path):
    telling = changes.Telling(("code",), "salt", frozenset({"n"}))
    for number, n in ((1, 7), (2, 8)):
        rows = pa.table({"code": ["a"], "n": [n]}).to_reader()
        changes.find(rows, telling, tmp_path, number, before=number - 1, whole=True)
    assert found(tmp_path, 2) == []


# --- a batch ---------------------------------------------------------------------------------------------------


def batch(at: int, many: int, **other: Any) -> bytes:
    """A batch as a provider of changes sends it."""
    rows = pa.record_batch(
        {changes.KEY: ["ab" * 32] * many, changes.CHANGE: ["inserted"] * many, "code": [f"c{n}" for n in range(many)]}
    )
    lot = next(event.bodies(rows, AGREEMENT, PEER, at, "2026-11-01T00:00:00.000Z"))
    head = {"exchange": new_id(), "agreement": AGREEMENT, "purpose": "licensing", "case": CASE}
    return event.batch_bytes({**head, "first": at, "last": at + many - 1} | other, lot)


def test_a_change_is_a_cloud_event_with_its_position_and_the_row():
    one = event.read(batch(5, 2)).events[1]
    assert one["id"] == AGREEMENT.removeprefix("urn:uuid:") + ":6"
    assert (one["specversion"], one["type"], one["sequence"]) == ("1.0", "hutong.row.inserted", "6")
    assert (one["data"], one["subject"], one["source"]) == ({"code": "c1"}, "ab" * 16, "urn:hutong:node:340000")


@pytest.mark.parametrize(
    "wrong",
    [
        *(b"", b"[]", b"{}", batch(1, 2, first=2), batch(1, 2, last=3), batch(1, 2, exchange=7), batch(1, 2, first=0)),
        *(batch(1, 2, last="2"), batch(1, 2, last=2**62), batch(1, 2, agreement="a\x00b"), batch(1, 2, first=None)),
    ],
)
def test_a_batch_that_is_not_its_positions_events_is_refused(wrong):
    with pytest.raises(event.BadBatch):
        event.read(wrong)


def test_a_receipt_of_a_batch_names_its_first_and_last_position():
    from hutong.exchange.subscriptions.pushing import receipt_of

    body = batch(3, 4)
    made = receipt_of(vars(event.read(body)), body, role="provider", provider="320000", consumer=PEER)
    assert (made.positions, made.rows, made.form) == ((3, 6), 4, "events")
    assert Receipt.from_entry(made.to_entry()) == made
    with pytest.raises(BadReceipt):
        Receipt.from_entry(made.to_entry().replace(b"[3,6]", b"[6,3]"))


# --- the provider ----------------------------------------------------------------------------------------------


def granted(**other: Any) -> Grant:
    now = datetime.now(UTC)
    span = Ranges(((now - timedelta(days=1), now + timedelta(days=1)),))
    terms = {"agreement": AGREEMENT, "provider": "320000", "consumer": PEER, "resource": "r", "source": "s"}
    limits = {"quota_calls": None, "quota_calls_per_day": None, "quota_rows": None, "rate_per_s": None, "where": None}
    items = (GrantedItem("code", {"action": "keep"}), GrantedItem("n", {"action": "keep"}))
    given = {**terms, **limits, "in_force": span, "items": items, "purposes": ("licensing",), "pseudonym_key": ""}
    return Grant(**(given | other))


@pytest.fixture
def source(db: None, tmp_path: Path) -> Iterator[sqlite3.Connection]:
    """Ten rows under a grant, fed to Anhui, which has subscribed."""
    ourselves()
    neighbour(PEER)
    file = current().data_folder / f"{tmp_path.name}.db"
    file.parent.mkdir(parents=True, exist_ok=True)
    with closing(sqlite3.connect(file)) as connection:
        connection.execute("CREATE TABLE t (code TEXT PRIMARY KEY, n INTEGER)")
        connection.executemany("INSERT INTO t VALUES (?, ?)", [(f"c{n}", n) for n in range(10)])
        connection.commit()
        types = [{"name": name, "type": type_, "nullable": True} for name, type_ in TYPES.items()]
        place = {"kind": "sqlite", "location": seal(str(file).encode()), "table": "t", "schema": types}
        Source.objects.create(id="s", department="11320000HTDEM00309", name="s", **place)
        put(granted(), "active")
        with transaction.atomic():
            feeds.feed(AGREEMENT, PEER, ["code"])
            feeds.opened(Peer(PEER, "urn:x", new_id()), opening(0))
        yield connection
    file.unlink()
    shutil.rmtree(feeds.folder_of(AGREEMENT))


def opening(after: int) -> Event:
    said = {"purpose": "licensing", "case": CASE, "after": after}
    return Event(new_id(), "urn:x", feeds.OPENED, AGREEMENT, "now", said)


def logged(after: int = 0) -> list[tuple[int, str, str]]:
    """(position, what, code) of everything in the provider's log after a position."""
    events = [one for kept in log.after(AGREEMENT, "provider", after, 100) for one in event.read(kept.body).events]
    return [(int(one["sequence"]), one["type"][11:], one.get("data", {}).get("code", "")) for one in events]


def test_the_source_is_told_whole_at_first_and_then_by_its_changes(source):
    watching.look(AGREEMENT, Book())
    assert [one[:2] for one in logged()] == [(n, "inserted") for n in range(1, 11)]
    watching.look(AGREEMENT, Book())
    assert ChangeFeed.objects.get().snapshot == 1  # the file says it is as it was: not read
    source.execute("UPDATE t SET n = -1 WHERE code = 'c3'")
    source.execute("DELETE FROM t WHERE code = 'c4'")
    source.commit()
    watching.look(AGREEMENT, Book())
    assert sorted(one[1:] for one in logged(10)) == [("deleted", "c4"), ("updated", "c3")]
    assert [one[0] for one in logged(10)] == [11, 12]


def test_a_copy_that_was_killed_goes_on_where_it_was(source, monkeypatch):
    monkeypatch.setattr(changes, "GROUP_ROWS", 3)
    whole = watching._append
    died = iter([False, False, True])

    def dies(fed: ChangeFeed, rows: pa.RecordBatch) -> None:
        if next(died, False):
            raise SystemExit
        whole(fed, rows)

    monkeypatch.setattr(watching, "_append", dies)
    with pytest.raises(SystemExit):
        watching.look(AGREEMENT, Book())
    assert 0 < ChangeFeed.objects.get().copied < 10
    watching.look(AGREEMENT, Book())
    assert sorted(code for _, _, code in logged()) == sorted(f"c{n}" for n in range(10))
    assert [one[0] for one in logged()] == list(range(1, 11))


def test_a_round_that_is_lost_begins_the_subscription_anew(source):
    watching.look(AGREEMENT, Book())
    changes.forget(feeds.folder_of(AGREEMENT), before=99)
    ChangeFeed.objects.update(mark="")
    watching.look(AGREEMENT, Book())
    assert [one[1] for one in logged(10)] == ["reset"] + ["inserted"] * 10


def test_a_round_whose_files_went_before_it_was_logged_is_made_again(source):
    watching.look(AGREEMENT, Book())
    ChangeFeed.objects.update(under_way=2)
    source.execute("DELETE FROM t WHERE n > 0")
    source.commit()
    watching.look_due()
    assert [one[1:] for one in logged(10)] == [("reset", ""), ("inserted", "c0")]


def test_a_number_that_only_grows_is_read_from_where_it_was(source):
    Source.objects.update(changed_item="n")
    watching.look(AGREEMENT, Book())
    assert ChangeFeed.objects.get().seen == "9"
    source.execute("UPDATE t SET n = 50 WHERE code = 'c1'")
    source.execute("DELETE FROM t WHERE code = 'c2'")
    source.commit()
    watching.look(AGREEMENT, Book())
    assert logged(10) == [(11, "updated", "c1")]  # what is gone is seen in a whole round
    assert ChangeFeed.objects.get().seen == "50"


def test_a_consumer_that_does_not_keep_up_is_logged_for_no_further(source, monkeypatch):
    monkeypatch.setattr(watching, "MOST_WAITING", 5)
    watching.look(AGREEMENT, Book())
    source.execute("DELETE FROM t")
    source.commit()
    watching.look(AGREEMENT, Book())
    assert ChangeFeed.objects.get().position == 10
    ChangeFeed.objects.update(acknowledged=10)
    watching.look(AGREEMENT, Book())
    assert ChangeFeed.objects.get().position == 20


def test_a_suspended_agreement_is_not_looked_at_and_an_ended_one_is_forgotten(
    source, django_capture_on_commit_callbacks
):
    set_state(AGREEMENT, "suspended")
    watching.look(AGREEMENT, Book())
    assert not ChangeBatch.objects.exists()
    set_state(AGREEMENT, "active")
    watching.look(AGREEMENT, Book())
    folder = feeds.folder_of(AGREEMENT)
    with django_capture_on_commit_callbacks(execute=True):
        feeds.stop(AGREEMENT)
        assert folder.exists()  # what is not committed has not ended
    assert not ChangeBatch.objects.exists()
    assert not folder.exists()


def test_what_the_consumer_has_is_forgotten_after_its_time_and_on_record(source):
    watching.look(AGREEMENT, Book())
    ChangeBatch.objects.update(at=datetime.now(UTC) - log.KEPT - timedelta(minutes=1))
    keeping.forget_due()
    assert ChangeBatch.objects.exists()  # the consumer has not acknowledged it
    ChangeFeed.objects.update(acknowledged=10)
    for _ in range(2):
        keeping.forget_due()
    assert not ChangeBatch.objects.exists()
    assert removals() == [("subscription.forgotten", {"role": "provider", "through": 10, "kept_days": 7})]


def test_rounds_that_a_killed_node_left_are_forgotten_and_the_last_one_stays(source):
    watching.look(AGREEMENT, Book())
    source.execute("UPDATE t SET n = 77 WHERE code = 'c7'")
    source.commit()
    watching.look(AGREEMENT, Book())
    folder = feeds.folder_of(AGREEMENT)
    kept = {changes.rows_file(folder, 2), changes.changes_file(folder, 2)}
    assert set(folder.iterdir()) == kept
    for one in ("00000001.rows.parquet", "00000001.changes.parquet.new", "00000001.part.parquet.new"):
        (folder / one).touch()
    keeping.forget_due()
    assert set(folder.iterdir()) == kept


def test_a_completed_delivery_ends_no_subscription_and_the_next_one_goes_on(source):
    watching.look(AGREEMENT, Book())
    set_state(AGREEMENT, "ended")  # by completion: the agreement stays
    keeping.forget_due()
    assert (ChangeFeed.objects.get().state, ChangeBatch.objects.exists()) == ("open", True)
    set_state(AGREEMENT, "active")
    with transaction.atomic():
        feeds.feed(AGREEMENT, PEER, ["code"])
        feeds.opened(Peer(PEER, "urn:x", new_id()), opening(0))
    source.execute("UPDATE t SET n = 77 WHERE code = 'c7'")
    source.commit()
    watching.look(AGREEMENT, Book())
    assert ChangeFeed.objects.get().position == 11  # what changed since, not everything anew
    assert removals() == []


def test_nothing_is_kept_of_an_agreement_whose_term_has_passed(source):
    watching.look(AGREEMENT, Book())
    folder = feeds.folder_of(AGREEMENT)
    now = datetime.now(UTC)
    put(granted(in_force=Ranges(((now - timedelta(days=1), now - timedelta(seconds=1)),))), "active")
    for _ in range(2):
        keeping.forget_due()
    assert not ChangeBatch.objects.exists()
    assert not folder.exists()
    assert removals() == [("subscription.ended", {"role": "provider", "batches_removed": 1})]
    folder.mkdir()  # by a look that was under way
    keeping.forget_due()
    assert not folder.exists()


def removals() -> list[tuple[str, dict[str, Any]]]:
    found = AuditRecord.objects.filter(kind__in=("subscription.forgotten", "subscription.ended")).order_by("id")
    return [(one.kind, one.detail) for one in found]


def test_changes_leave_under_the_grant_as_it_stands():
    now = datetime.now(UTC)
    check_changes(granted(quota_rows=10, quota_calls=0), Standing("active", 9, 9, 8), "licensing", 2, now)
    with pytest.raises(QuotaSpent):
        check_changes(granted(quota_rows=10), Standing("active", 0, 0, 8), "licensing", 3, now)
    with pytest.raises(GrantSuspended):
        check_changes(granted(), Standing("suspended", 0, 0, 0), "licensing", 1, now)
    with pytest.raises(PurposeNotGranted):
        check_changes(granted(), Standing("active", 0, 0, 0), "marketing", 1, now)
    with pytest.raises(GrantExpired):
        check_changes(granted(), Standing("active", 0, 0, 0), "licensing", 1, now + timedelta(days=2))


def test_a_consumer_asks_for_what_follows_a_position_while_it_is_kept(source):
    watching.look(AGREEMENT, Book())
    ChangeFeed.objects.update(acknowledged=10)
    peer = Peer(PEER, "urn:x", new_id())
    feeds.opened(peer, opening(4))
    assert ChangeFeed.objects.get().acknowledged == 0  # the batch that holds position 5 begins at 1
    ChangeFeed.objects.update(acknowledged=10)
    log.forget(AGREEMENT, "provider", until=10, now=datetime.now(UTC) + log.KEPT + timedelta(days=1))
    with pytest.raises(feeds.ReplayGone):
        feeds.opened(peer, opening(4))
    with pytest.raises(feeds.NotFedYet):
        feeds.opened(Peer("330000", "urn:x", new_id()), opening(0))


# --- the consumer ----------------------------------------------------------------------------------------------


@pytest.fixture
def register(transactional_db: None) -> Iterator[Register]:
    """We subscribe to Anhui's changes."""
    ourselves()
    neighbour(PEER)
    place = {"provider": PEER, "exchange_url": "http://anhui.example"}
    given = {**place, "department": "11320000HTDEM00309", "state": "active"}
    Entitlement.objects.create(agreement_id=AGREEMENT, case_key=b"k" * 32, **given)
    with transaction.atomic():
        feeds.subscribe(AGREEMENT, "licensing")
    Subscription.objects.update(case_digest=CASE)
    made = Register()
    made.start()
    yield made
    made.stop()


def arrives(register: Register, body: bytes) -> int:
    last, line = arriving.take(body, PEER, "320000")
    register.commit_now([line] if line else [])
    return last


def test_what_is_acknowledged_is_held_once_with_one_receipt(register):
    assert [one.content_type for one in OutboxMessage.objects.all()] == ["application/cloudevents+json"]
    first, second = batch(1, 3), batch(4, 2)
    with pytest.raises(NotTheNext):
        arrives(register, second)
    assert [arrives(register, one) for one in (first, first, second)] == [3, 3, 5]
    assert [kept.body for kept in log.after(AGREEMENT, "consumer", 0, 9)] == [first, second]
    assert (ExchangeRecord.objects.count(), LedgerEntry.objects.filter(kind="exchange").count()) == (2, 2)
    assert Subscription.objects.get().received == 5


def test_two_that_take_the_same_batch_at_once_store_it_once(register):
    body = batch(1, 3)
    lines = [arriving.take(body, PEER, "320000")[1] for _ in range(2)]
    register.commit_now([lines[0]])
    with pytest.raises(NotTheNext):
        register.commit_now([lines[1]])
    assert ChangeBatch.objects.count() == 1


def test_nothing_is_taken_from_another_node_for_another_purpose_or_after_the_end(register):
    with pytest.raises(NotSubscribed):
        arriving.take(batch(1, 1), "330000", "320000")
    with pytest.raises(event.BadBatch):
        arriving.take(batch(1, 1, purpose="marketing"), PEER, "320000")
    Entitlement.objects.update(state="suspended")
    with pytest.raises(NotSubscribed):
        arriving.take(batch(1, 1), PEER, "320000")


def test_while_no_application_takes_them_no_more_changes_are_held(register, monkeypatch):
    monkeypatch.setattr(arriving, "MOST_HELD", 4)
    arrives(register, batch(1, 4))
    with pytest.raises(ApplicationsBehind):
        arrives(register, batch(5, 1))
    Subscription.objects.update(taken=4)
    assert arrives(register, batch(5, 1)) == 5


def test_what_was_lost_here_is_asked_for_again(register):
    arrives(register, batch(1, 4))
    with pytest.raises(BadInput), transaction.atomic():
        feeds.replay(AGREEMENT, 9, "operator:root")
    with transaction.atomic():
        feeds.replay(AGREEMENT, 2, "operator:root")
    said = orjson.loads(bytes(OutboxMessage.objects.latest("id").body))
    assert said["data"]["after"] == 2
    assert arrives(register, batch(1, 4)) == 4  # overlapping: held once, from its first position
    assert ChangeBatch.objects.count() == 1


def test_what_applications_have_taken_is_forgotten_after_its_time_and_asking_for_it_is_refused(register):
    arrives(register, batch(1, 3))
    arrives(register, batch(4, 2))
    ChangeBatch.objects.update(at=datetime.now(UTC) - log.KEPT - timedelta(minutes=1))
    assert taking._taken(AGREEMENT, 3) == 5
    keeping.forget_due()
    assert [(kept.first, kept.last) for kept in log.after(AGREEMENT, "consumer", 0, 9)] == [(4, 5)]
    assert removals() == [("subscription.forgotten", {"role": "consumer", "through": 3, "kept_days": 7})]
    with pytest.raises(feeds.ReplayGone, match="kept are the changes after 3"):
        taking._taken(AGREEMENT, 1)
    assert taking._taken(AGREEMENT, 5) == 5
    keeping.forget_due()
    assert not ChangeBatch.objects.exists()
    assert taking._taken(AGREEMENT, 5) == 5
    with pytest.raises(feeds.ReplayGone, match="kept are the changes after 5"):
        taking._taken(AGREEMENT, 0)


def test_what_the_consumer_holds_stays_when_a_delivery_is_completed(register):
    arrives(register, batch(1, 3))
    Entitlement.objects.update(state="ended")
    keeping.forget_due()
    assert (Subscription.objects.get().state, ChangeBatch.objects.exists()) == ("open", True)


def test_what_waits_for_an_address_is_kept_until_it_is_sent_or_the_agreement_is_over(register):
    arrives(register, batch(1, 3))
    ChangeBatch.objects.update(at=datetime.now(UTC) - log.KEPT - timedelta(minutes=1))
    Webhook.objects.create(id=new_id(), agreement_id=AGREEMENT, url="https://a.example/", push_at=datetime.now(UTC))
    taking._taken(AGREEMENT, 3)
    keeping.forget_due()
    assert ChangeBatch.objects.exists()
    Entitlement.objects.update(ends_at=datetime.now(UTC))
    for _ in range(2):
        keeping.forget_due()
    assert not ChangeBatch.objects.exists()
    assert removals() == [("subscription.ended", {"role": "consumer", "batches_removed": 1})]


def test_an_address_that_the_operator_does_not_allow_is_not_written_to(register, monkeypatch):
    with pytest.raises(hooks.AddressNotAllowed):
        hooks.add(AGREEMENT, "https://apps.example/changes", "operator:root")
    monkeypatch.setenv("HUTONG_WEBHOOK_ADDRESSES", "https://apps.example/ http://127.0.0.1:9000/in")
    from hutong.node import settings

    settings._loaded.cache_clear()
    for wrong in ("https://apps.example.invalid/", "https://apps.example@evil.test/", "http://127.0.0.1:9000/inner"):
        with pytest.raises(hooks.AddressNotAllowed):
            hooks.check_allowed(wrong)
    hooks.check_allowed("https://apps.example/changes")
    monkeypatch.undo()
    settings._loaded.cache_clear()
