"""From a transaction to a signed tree, and what is refused on the way."""

from __future__ import annotations

import shutil
import threading
from collections.abc import Callable
from datetime import UTC, datetime

import pytest
from django.db import connection, transaction

from hutong.ledger import checkpoint as checkpoints
from hutong.ledger import entries as finding
from hutong.ledger import sequencer
from hutong.ledger.frontier import EntryTooLarge
from hutong.ledger.models import AuditRecord, LedgerEntry
from hutong.ledger.proof import NotInLog
from hutong.ledger.record import enter, record
from hutong.ledger.sequencer import DatabaseBehindLog, LogDamaged, Pace, sequence_once
from hutong.ledger.shelf import Shelf
from hutong.ledger.tiles import LARGEST_ENTRY
from hutong.ledger.verify import verify_files
from hutong.vocabulary.canonical import canonical_bytes, canonical_digest, digest
from tests.ledger_keys import log_key

pytestmark = pytest.mark.django_db(transaction=True)
ORIGIN = "hutong/320000"
KEY = log_key(ORIGIN)


def waiting(count: int, name: str = "entry") -> None:
    with transaction.atomic():
        enter([("test", b"%s %d" % (name.encode(), number)) for number in range(count)])


def sequence(folder, **more) -> int:
    return sequence_once(folder, KEY, ORIGIN, **more)


def roll_back(action: Callable[[], object]) -> None:
    """Do it in a transaction that is undone."""
    with transaction.atomic():
        action()
        transaction.set_rollback(True)


def test_a_record_is_one_with_the_callers_transaction(tmp_path):
    with pytest.raises(RuntimeError, match="inside the transaction"):
        record("test.done", "thing:1", "ana", {})
    roll_back(lambda: record("test.done", "thing:1", "ana", {}))
    assert not AuditRecord.objects.exists()
    assert not LedgerEntry.objects.exists()
    with transaction.atomic():
        entry_digest = record("test.done", "thing:1", "ana", {"name": "王"}, commitment={"agreement": "urn:uuid:1"})
    audit, entry = AuditRecord.objects.get(), LedgerEntry.objects.get()
    assert audit.entry_digest == entry_digest == digest(bytes(entry.entry))
    assert bytes(entry.entry) == canonical_bytes(
        {
            "v": 1,
            "kind": "test.done",
            "subject": "thing:1",
            "at": audit.at.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
            "detail": canonical_digest({"name": "王"}),
            "agreement": "urn:uuid:1",
        }
    )
    sequence(tmp_path)
    assert finding.find_digest(tmp_path, entry_digest).entry == bytes(entry.entry)


def test_a_record_says_nothing_twice_and_nothing_too_long():
    with transaction.atomic():
        with pytest.raises(ValueError, match="may not replace kind"):
            record("test", "thing:1", "ana", {}, commitment={"kind": "other"})
        with pytest.raises(ValueError, match="float"):
            record("test", "thing:1", "ana", {"share": 0.5})
        with pytest.raises(EntryTooLarge):
            enter([("test", b"x" * (LARGEST_ENTRY + 1))])
    assert not LedgerEntry.objects.exists()


def test_an_empty_log_is_signed_too(tmp_path):
    assert sequence(tmp_path) == 0
    audit = verify_files(tmp_path, [KEY.vkey])
    assert audit.holds
    assert audit.checkpoint is not None
    assert audit.checkpoint.size == 0


def test_entries_stand_in_the_order_of_their_commits_and_rows_go_when_they_are_durable(tmp_path):
    waiting(300, "first")
    assert sequence(tmp_path) == 300
    waiting(300, "second")
    assert sequence(tmp_path) == 600
    assert LedgerEntry.objects.count() == 600
    sequencer.sync(tmp_path)
    assert list(LedgerEntry.objects.values_list("leaf_index", flat=True)) == [599]
    assert finding.entry_at(tmp_path, 0) == b"first 0"
    assert finding.entry_at(tmp_path, 599) == b"second 299"
    with pytest.raises(NotInLog):
        finding.entry_at(tmp_path, 600)
    assert verify_files(tmp_path, [KEY.vkey]).holds


@pytest.mark.parametrize("slice_entries", [1, 300, 512])
def test_a_round_in_slices_makes_the_same_log_and_signs_once(tmp_path, slice_entries, monkeypatch):
    signed = []
    monkeypatch.setattr(
        Shelf, "publish", lambda shelf, note, publish=Shelf.publish: (signed.append(note), publish(shelf, note))
    )
    waiting(100)
    sequence(tmp_path / "sliced", pace=Pace(slice_entries, rest=0.1))
    waiting(1_400)
    assert sequence(tmp_path / "sliced", pace=Pace(slice_entries, rest=0.1)) == 1_500
    assert len(signed) == 2
    assert sequence(tmp_path / "whole") == 1_500
    tiles = [
        {path.relative_to(folder): path.read_bytes() for path in (folder / "tile").rglob("*") if path.is_file()}
        for folder in (tmp_path / "sliced", tmp_path / "whole")
    ]
    assert tiles[1].items() <= tiles[0].items()
    assert verify_files(tmp_path / "sliced", [KEY.vkey]).holds


def test_a_round_without_news_signs_nothing_and_writes_nothing(tmp_path):
    waiting(5)
    sequence(tmp_path)
    before = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*")}
    assert sequence(tmp_path) == 5
    assert {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*")} == before


def test_rows_without_a_place_get_theirs_in_the_order_of_their_ids(tmp_path):
    for number in range(25):
        LedgerEntry.objects.create(kind="test", entry=b"orm %d" % number)
    assert [sequence(tmp_path, limit=10) for _ in range(4)] == [10, 20, 25, 25]
    assert finding.entry_at(tmp_path, 24) == b"orm 24"


def test_a_process_that_knows_nothing_goes_on_where_another_left(tmp_path):
    waiting(700)
    sequence(tmp_path)
    sequencer.sync(tmp_path)
    waiting(100)
    sequence(tmp_path)
    sequencer._open_logs.clear()
    waiting(100)
    assert sequence(tmp_path) == 900
    assert verify_files(tmp_path, [KEY.vkey]).holds


def test_unsynced_tiles_that_a_power_cut_took_are_written_again(tmp_path):
    waiting(300)
    sequence(tmp_path)
    sequencer.sync(tmp_path)
    kept = {path: path.read_bytes() for path in (tmp_path / "tile").rglob("*") if path.is_file()}
    waiting(500)
    sequence(tmp_path)
    # What was not synced is lost or empty; the checkpoint and the database were durable.
    for path in (tmp_path / "tile").rglob("*"):
        if path.is_file() and path not in kept:
            path.write_bytes(b"")
    sequencer._open_logs.clear()
    assert sequence(tmp_path) == 800
    assert verify_files(tmp_path, [KEY.vkey]).holds


def test_two_sequencers_at_once_make_one_log(tmp_path):
    waiting(500)
    failures = []

    def run() -> None:
        try:
            while sequence(tmp_path, limit=20) < 500:
                pass
        except Exception as error:
            failures.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=run) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    assert {finding.entry_at(tmp_path, index) for index in range(500)} == {b"entry %d" % n for n in range(500)}
    assert verify_files(tmp_path, [KEY.vkey]).holds


def test_a_database_put_back_to_an_older_state_is_refused(tmp_path):
    waiting(20)
    sequence(tmp_path)
    LedgerEntry.objects.filter(leaf_index__gte=10).delete()
    sequencer._open_logs.clear()
    before = Shelf(tmp_path).checkpoint_text()
    waiting(1, "would be a second entry 10")
    with pytest.raises(DatabaseBehindLog, match="knows 11 entries, and 20 are signed"):
        sequence(tmp_path)
    assert Shelf(tmp_path).checkpoint_text() == before


def test_an_emptied_database_beside_a_log_is_refused(tmp_path):
    waiting(20)
    sequence(tmp_path)
    LedgerEntry.objects.all().delete()
    sequencer._open_logs.clear()
    with pytest.raises(DatabaseBehindLog):
        sequence(tmp_path)


def test_a_folder_put_back_to_an_older_state_is_refused(tmp_path):
    waiting(20)
    sequence(tmp_path / "log")
    sequencer.sync(tmp_path / "log")
    shutil.copytree(tmp_path / "log", tmp_path / "backup")
    waiting(20)
    sequence(tmp_path / "log")
    sequencer.sync(tmp_path / "log")
    shutil.rmtree(tmp_path / "log")
    shutil.copytree(tmp_path / "backup", tmp_path / "log")
    with pytest.raises(LogDamaged, match="40 entries were signed, and the checkpoint says 20"):
        sequence(tmp_path / "log")


def test_another_logs_folder_is_refused(tmp_path):
    other = log_key("hutong/340000")
    waiting(3)
    sequence_once(tmp_path, other, other.keyid)
    sequencer._open_logs.clear()
    with pytest.raises(LogDamaged, match="holds the log hutong/340000"):
        sequence(tmp_path)
    with pytest.raises(ValueError, match="origin as its name"):
        sequence_once(tmp_path, KEY, "hutong/340000")


@pytest.mark.parametrize("place", ["tile/0/000", "tile/0/001.p/44", "tile/1/000.p/1"])
def test_a_changed_hash_at_the_edge_is_never_signed_over(tmp_path, place):
    waiting(300)
    sequence(tmp_path)
    sequencer.sync(tmp_path)
    path = tmp_path / place
    data = bytearray(path.read_bytes())
    data[-1] ^= 1
    path.write_bytes(data)
    sequencer._open_logs.clear()
    before = Shelf(tmp_path).checkpoint_text()
    waiting(1)
    if place == "tile/0/000":  # not part of the edge: the audit names it
        sequence(tmp_path)
        assert verify_files(tmp_path, [KEY.vkey]).faults[0].file == place
    else:
        with pytest.raises(LogDamaged):
            sequence(tmp_path)
        assert Shelf(tmp_path).checkpoint_text() == before


def test_a_log_goes_on_under_a_new_key_and_both_are_known(tmp_path):
    waiting(3)
    sequence(tmp_path)
    sequencer._open_logs.clear()
    newer = log_key(ORIGIN, "newer")
    waiting(3)
    assert sequence_once(tmp_path, newer, ORIGIN) == 6
    assert Shelf(tmp_path).log_keys() == [KEY.vkey, newer.vkey]
    note = Shelf(tmp_path).checkpoint()
    assert note is not None
    assert checkpoints.opened(note, [newer.vkey]).size == 6


def test_an_entry_is_found_by_its_digest_near_its_time_or_anywhere(tmp_path):
    with transaction.atomic():
        digests = [record("test", f"thing:{number}", "ana", {}) for number in range(600)]
    sequence(tmp_path)
    for number in (0, 255, 256, 599):
        for at in (None, datetime.now(UTC), datetime(2001, 1, 1, tzinfo=UTC)):
            assert finding.find_digest(tmp_path, digests[number], at=at).index == number
    with pytest.raises(NotInLog):
        finding.find_digest(tmp_path, "sha256:" + "0" * 64)
    with pytest.raises(NotInLog):
        finding.find_digest(tmp_path, "no digest")
