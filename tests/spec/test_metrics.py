"""What a node tells its operator about itself: counts that are right, from labels that say nothing of anybody."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

import pytest
from prometheus_client.parser import text_string_to_metric_families

from hutong.exchange.models import Source
from hutong.exchange.register import Line
from hutong.ledger.receipt import Receipt
from hutong.node import metrics, settings
from hutong.node.metrics import Reading
from hutong.node.models import OutboxMessage
from hutong.vocabulary.ids import new_id

pytestmark = pytest.mark.django_db


def measured() -> dict[tuple[str, frozenset[tuple[str, str]]], float]:
    text = metrics.document(settings.current()).decode()
    return {
        (one.name, frozenset(one.labels.items())): one.value
        for family in text_string_to_metric_families(text)
        for one in family.samples
    }


def value(name: str, **labels: str) -> float:
    return measured().get((name, frozenset(labels.items())), 0.0)


def line(outcome: str, *, rows: int, took_ms: int = 0) -> Line:
    receipt = Receipt(
        role="provider",
        exchange=new_id(),
        at="2026-03-01T00:00:00.000Z",
        agreement="urn:uuid:none",
        provider="320000",
        consumer="340000",
        purpose="p",
        case="c",
        request="",
        response="",
        rows=rows,
        bytes=rows * 8,
        outcome=outcome,
        code="",
        form="arrow",
    )
    return Line(receipt, took_ms)


def test_a_request_is_counted_at_its_door():
    before = value("hutong_requests_total", door="applications", status="2xx")
    metrics.count_request(metrics.door("/exchange/v1/agreements/urn:uuid:1/read"), 200, 0.004)
    assert value("hutong_requests_total", door="applications", status="2xx") == before + 1
    assert value("hutong_request_seconds_bucket", door="applications", le="0.005") >= 1


@pytest.mark.parametrize(
    ("path", "door"),
    [
        ("/exchange/queries", "queries"),
        ("/exchange/receipts/0192f0c1-0000-7000-8000-000000000001", "receipts"),
        ("/dsp/2025-1/catalog/request", "dsp"),
        ("/hutong/health", "health"),
        ("/catalogue/310000-1/", "pages"),
    ],
)
def test_every_address_has_a_door(path: str, door: str):
    assert metrics.door(path) == door


def test_a_connection_that_broke_before_an_answer_has_a_status_of_its_own():
    before = value("hutong_requests_total", door="streams", status="none")
    metrics.count_request("streams", 0, 1.0)
    assert value("hutong_requests_total", door="streams", status="none") == before + 1


def test_a_stream_counts_its_rows_once_and_its_time_when_it_ends():
    rows = value("hutong_exchange_rows_total", role="provider")
    calls = value("hutong_exchange_seconds_count", role="provider")
    metrics.count_exchanges([line("open", rows=0), line("served", rows=1000, took_ms=1500)])
    assert value("hutong_exchange_rows_total", role="provider") == rows + 1000
    assert value("hutong_exchange_seconds_count", role="provider") == calls + 1
    labels = {"role": "provider", "form": "arrow", "agreement": "unknown"}
    assert value("hutong_exchanges_total", outcome="open", **labels) >= 1
    assert value("hutong_exchanges_total", outcome="served", **labels) >= 1


def test_queues_are_read_when_they_are_asked_for():
    now = datetime.now(UTC)
    message = {"process": "p", "url": "/hutong/events", "body": b"{}", "next_at": now}
    OutboxMessage.objects.create(message_id=new_id(), peer="340000", **message)
    late = OutboxMessage.objects.create(message_id=new_id(), peer="340000", attempts=9, failed_at=now, **message)
    OutboxMessage.objects.filter(id=late.id).update(created_at=now - timedelta(hours=1))
    assert value("hutong_outbox_messages", state="waiting") == 1
    assert value("hutong_outbox_messages", state="given_up") == 1
    assert value("hutong_outbox_oldest_seconds") < 60


def test_sources_are_counted_by_kind_and_never_named():
    Source.objects.create(id=new_id(), department="d", name="机密名称", kind="csv", location=b"", check_ok=False)
    assert value("hutong_sources", kind="csv", state="never") == 1
    assert "机密名称" not in metrics.document(settings.current()).decode()


def test_a_number_that_cannot_be_had_is_said_to_be_missing_and_hides_no_other(monkeypatch):
    def broken(_settings: settings.Settings) -> list[Reading]:
        raise RuntimeError("row 7: 320101199001011234")

    monkeypatch.setattr(metrics, "_readers", [("broken", broken), *metrics._readers])
    assert value("hutong_reading_failed", reader="broken") == 1
    assert value("hutong_disk_free_bytes") > 0
    assert "320101199001011234" not in metrics.document(settings.current()).decode()


def test_labels_come_from_closed_lists():
    known = {"door", "status", "le", "role", "outcome", "form", "agreement", "state", "kind", "reader", "rule"}
    allowed = known | {"witness", "jurisdiction", "version", "which"}
    assert {label for _, labels in measured() for label, _ in labels} <= allowed
    assert not [name for name, _ in measured() if not re.fullmatch(r"hutong_[a-z_]+", name)]
