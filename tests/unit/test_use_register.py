"""The register's writer: all of a line or nothing of it, once, whatever is sent again."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
from django.db import connection

from hutong.exchange.models import DailyUse, ExchangeRecord
from hutong.exchange.models import Grant as GrantRow
from hutong.exchange.register import ExchangeReused, Job, Line, Register
from hutong.ledger.models import LedgerEntry
from hutong.ledger.receipt import Receipt
from hutong.node.models import SeenNonce
from hutong.node.replay import Replayed
from hutong.vocabulary.errors import Unavailable
from hutong.vocabulary.ids import new_id

pytestmark = pytest.mark.django_db(transaction=True)
AGREEMENT = "urn:uuid:0192f0c1-7d35-7c3e-8a11-5f2d3c4b5a69"


class Clock:
    def __init__(self) -> None:
        self.now = datetime(2026, 3, 2, 15, 59, tzinfo=UTC).timestamp()  # 23:59 in Shanghai

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def register(clock) -> Iterator[Register]:
    GrantRow.objects.create(agreement_id=AGREEMENT, state="active", document={})
    made = Register(clock)
    made.start()
    yield made
    made.stop()


def line(exchange: str, outcome: str = "served", *, role: str = "provider", request: str = "a", rows: int = 3) -> Line:
    response = "sha256:" + "b" * 64 if outcome in ("served", "recovered") else ""
    return Line(
        Receipt(
            role=role,
            exchange=exchange,
            at="2026-03-02T15:59:00.000Z",
            agreement=AGREEMENT,
            provider="320000",
            consumer="340000",
            purpose="licensing",
            case="hmac-sha256:" + "0" * 64,
            request="sha256:" + request * 64,
            response=response,
            rows=rows if outcome in ("served", "recovered", "cut") else 0,
            bytes=9,
            outcome=outcome,
            code="no_grant" if outcome == "refused" else "",
        ),
        5,
        case_number="2026-1" if role == "consumer" else "",
    )


def used() -> tuple[int, int, int]:
    """calls, refused, rows of the day; the grant's totals must agree."""
    days = list(DailyUse.objects.all())
    grant = GrantRow.objects.get()
    assert grant.calls_used == sum(day.calls for day in days)
    assert grant.rows_used == sum(day.rows for day in days)
    return sum(d.calls for d in days), sum(d.refused for d in days), sum(d.rows for d in days)


def test_a_line_becomes_a_register_row_and_a_ledger_entry_of_the_same_digest(register):
    one = line(new_id())
    register.commit_now([one])
    row, entry = ExchangeRecord.objects.get(), LedgerEntry.objects.get()
    assert bytes(entry.entry) == one.entry
    assert row.entry_digest == one.entry_digest
    assert (row.outcome, row.rows, row.peer, row.took_ms) == ("served", 3, "340000", 5)
    assert used() == (1, 0, 3)


def test_the_case_number_stays_in_the_register_and_out_of_the_ledger(register):
    register.commit_now([line(new_id(), role="consumer")])
    assert ExchangeRecord.objects.get().case_number == "2026-1"
    assert b"2026-1" not in bytes(LedgerEntry.objects.get().entry)
    assert used() == (0, 0, 0)


def test_a_refusal_is_on_record_and_counted_as_one(register):
    register.commit_now([line(new_id(), "refused")])
    assert ExchangeRecord.objects.get().code == "no_grant"
    assert LedgerEntry.objects.count() == 1
    assert used() == (0, 1, 0)


def test_a_stream_opens_and_closes_as_one_call_with_two_entries(register):
    exchange = new_id()
    register.commit_now([line(exchange, "open")])
    assert used() == (1, 0, 0)
    register.commit_now([line(exchange, "served", rows=7)])
    assert ExchangeRecord.objects.get().outcome == "served"
    assert LedgerEntry.objects.count() == 2
    assert used() == (1, 0, 7)


def test_a_repeat_counts_no_second_call_and_its_newest_receipt_stands(register):
    exchange = new_id()
    register.commit_now([line(exchange, rows=3)])
    again = line(exchange, rows=5)
    register.commit_now([again])
    assert ExchangeRecord.objects.get().entry_digest == again.entry_digest
    assert LedgerEntry.objects.count() == 2
    assert used() == (1, 0, 5)


def test_a_stream_asked_again_counts_its_rows_once(register):
    exchange = new_id()
    for outcome in ("open", "served", "open", "served"):
        register.commit_now([line(exchange, outcome, rows=7)])
    assert used() == (1, 0, 7)


def test_a_refused_exchange_that_is_allowed_later_is_counted_then(register):
    exchange = new_id()
    register.commit_now([line(exchange, "refused")])
    register.commit_now([line(exchange, "served")])
    assert used() == (1, 1, 3)


def test_an_exchange_id_for_another_query_is_refused_and_nothing_is_written(register):
    exchange = new_id()
    register.commit_now([line(exchange)])
    with pytest.raises(ExchangeReused):
        register.commit_now([line(new_id()), line(exchange, request="c")])
    assert ExchangeRecord.objects.count() == 1
    assert used() == (1, 0, 3)


def test_an_exchange_id_is_not_served_again_long_after(register, clock):
    exchange = new_id()
    register.commit_now([line(exchange)])
    clock.now += 3601
    with pytest.raises(ExchangeReused):
        register.commit_now([line(exchange)])


def test_a_new_day_begins_at_the_nodes_midnight(register, clock):
    register.commit_now([line(new_id())])
    clock.now += 120
    register.commit_now([line(new_id())])
    assert [day.day.isoformat() for day in DailyUse.objects.order_by("day")] == ["2026-03-02", "2026-03-03"]


def test_a_nonce_is_taken_once_and_the_replay_leaves_nothing(register):
    async def twice() -> None:
        await register.commit([line(new_id())], ("340000#k", "n1"))
        await register.commit([line(new_id())], ("340000#k", "n1"))

    with pytest.raises(Replayed):
        asyncio.run(twice())
    assert ExchangeRecord.objects.count() == SeenNonce.objects.count() == 1


def test_of_two_jobs_in_one_group_with_one_nonce_only_the_first_is_written(register):
    jobs = [Job([line(new_id())], ("340000#k", "n1")) for _ in range(2)]
    register._write(jobs)
    connection.close()
    assert jobs[0].refusal is None
    assert isinstance(jobs[1].refusal, Replayed)
    assert ExchangeRecord.objects.count() == 1


def test_of_two_lines_of_one_exchange_in_one_group_one_call_is_counted(register):
    exchange = new_id()
    register.commit_now([line(exchange, "open"), line(exchange, "served")])
    assert ExchangeRecord.objects.get().outcome == "served"
    assert used() == (1, 0, 3)


@pytest.mark.parametrize(
    ("before", "recovered_stands"), [("open", True), ("cut", True), ("served", False), ("refused", False)]
)
def test_recovery_adds_what_was_lost_and_nothing_else(register, before, recovered_stands):
    exchange = new_id()
    register.commit_now([line(exchange, before, role="consumer")])
    register.commit_now([line(exchange, "recovered", role="consumer")])
    assert (ExchangeRecord.objects.get().outcome == "recovered") is recovered_stands
    assert LedgerEntry.objects.count() == (2 if recovered_stands else 1)


def test_an_answer_that_arrives_after_its_recovery_stands(register):
    exchange = new_id()
    register.commit_now([line(exchange, "recovered", role="consumer")])
    register.commit_now([line(exchange, "served", role="consumer")])
    assert ExchangeRecord.objects.get().outcome == "served"


def test_both_roles_of_one_exchange_stand_side_by_side(register):
    exchange = new_id()
    register.commit_now([line(exchange), line(exchange, role="consumer")])
    assert ExchangeRecord.objects.count() == 2


def test_many_that_wait_are_written_in_one_transaction(register):
    jobs = [Job([line(new_id())]) for _ in range(50)]
    told = threading.Event()
    jobs[-1].done = told.set
    with register._wake:
        register._waiting.extend(jobs)
        register._wake.notify()
    assert told.wait(20)
    assert ExchangeRecord.objects.count() == 50
    assert len({row.created_at for row in LedgerEntry.objects.all()}) == 1


def test_when_nothing_can_be_written_every_waiting_answer_is_refused(register, monkeypatch):
    def broken(_jobs: list[Job]) -> None:
        raise OSError("disk")

    monkeypatch.setattr(register, "_write_once", broken)
    with pytest.raises(Unavailable):
        register.commit_now([line(new_id())])
    assert not ExchangeRecord.objects.exists()
