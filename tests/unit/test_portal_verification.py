"""The verify button: a receipt that holds, and everything that can be wrong with one."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest
from django.db import transaction
from django.utils import translation

from hutong.exchange.models import ExchangeRecord
from hutong.ledger.receipt import Receipt
from hutong.ledger.record import enter
from hutong.ledger.sequencer import sequence_once
from hutong.ledger.shelf import Shelf
from hutong.portal.auditors.verification import Verification, entry_of, verify
from hutong.vocabulary.canonical import digest
from hutong.vocabulary.ids import new_id, urn
from hutong.vocabulary.moments import rfc3339
from tests.ledger_keys import log_key

pytestmark = pytest.mark.django_db(transaction=True)
ORIGIN = "hutong/320000"
KEY = log_key(ORIGIN)
AT = datetime(2026, 3, 2, 8, 30, tzinfo=UTC)


def receipt(**changes: object) -> Receipt:
    made = Receipt(
        role="provider",
        exchange=new_id(),
        at=rfc3339(AT),
        agreement=urn(new_id()),
        provider="320000",
        consumer="340000",
        purpose="licensing",
        case="hmac-sha256:" + "0" * 64,
        request=digest(b"request"),
        response=digest(b"response"),
        rows=3,
        bytes=120,
        outcome="served",
    )
    return replace(made, **changes)


def registered(one: Receipt, **changes: object) -> ExchangeRecord:
    """The register's row of a receipt."""
    given = {
        "exchange_id": one.exchange,
        "role": one.role,
        "peer": one.peer,
        "agreement_id": one.agreement,
        "purpose": one.purpose,
        "case_digest": one.case,
        "outcome": one.outcome,
        "form": one.form,
        "rows": one.rows,
        "bytes": one.bytes,
        "request_digest": one.request,
        "response_digest": one.response,
        "entry_digest": one.digest(),
        "at": AT,
    }
    return ExchangeRecord.objects.create(**(given | changes))


def logged(folder, *receipts: Receipt) -> None:
    with transaction.atomic():
        enter([("exchange", one.to_entry()) for one in receipts])
    sequence_once(folder, KEY, ORIGIN)
    Shelf(folder).keep_log_key(KEY.vkey)


def tones(made: Verification) -> list[str]:
    return [step.tone for step in made.steps]


def test_a_receipt_that_holds_is_told_step_by_step_in_both_languages(tmp_path):
    receipts = [receipt() for _ in range(5)]
    logged(tmp_path, *receipts)
    record = registered(receipts[2])
    with translation.override("en"):
        made = verify(record, tmp_path)
    assert made.holds
    assert tones(made) == ["good", "good", "good", "good", "wait"], "no witness yet is told, and no failure"
    assert "Entry 2 has the digest" in made.steps[1].detail
    with translation.override("zh-hans"):
        assert verify(record, tmp_path).steps[0].say == "检查点由本账本签名"
    assert entry_of(record, tmp_path) == {"v": 1, "kind": "exchange"} | {
        name: getattr(receipts[2], name) for name in Receipt.__slots__ if name not in ("withheld", "positions")
    }


@pytest.mark.parametrize("changed", [{"rows": 4}, {"outcome": "cut"}, {"agreement_id": "urn:uuid:other"}])
def test_a_register_changed_afterwards_is_named(tmp_path, changed):
    one = receipt()
    logged(tmp_path, one)
    with translation.override("en"):
        made = verify(registered(one, **changed), tmp_path)
    assert not made.holds
    assert tones(made) == ["good", "good", "bad"]
    assert next(iter(changed)).removesuffix("_id") in made.steps[2].detail


def test_a_receipt_the_log_does_not_hold_fails(tmp_path):
    logged(tmp_path, receipt())
    record = registered(receipt())
    made = verify(record, tmp_path)
    assert not made.holds
    assert tones(made) == ["good", "bad"]
    assert entry_of(record, tmp_path) is None


def test_a_receipt_still_waiting_for_its_place_is_told_so(tmp_path):
    logged(tmp_path, receipt())
    late = receipt()
    with transaction.atomic():
        enter([("exchange", late.to_entry())])
    made = verify(registered(late), tmp_path)
    assert tones(made) == ["good", "wait"]
    assert not made.holds, "what is not in the tree is not proven"
    assert made.waits


def test_a_checkpoint_of_another_key_proves_nothing(tmp_path):
    one = receipt()
    logged(tmp_path, one)
    other = log_key(ORIGIN, "another")
    (tmp_path / "keys.log").write_text(f"{other.vkey}\n", encoding="utf-8")
    made = verify(registered(one), tmp_path)
    assert not made.holds
    assert tones(made) == ["bad"]


def test_a_changed_byte_in_the_log_is_found(tmp_path):
    receipts = [receipt() for _ in range(3)]
    logged(tmp_path, *receipts)
    bundle = next(path for path in tmp_path.rglob("*") if path.is_file() and "entries" in path.parts)
    bundle.write_bytes(bundle.read_bytes().replace(b'"rows":3', b'"rows":9', 1))
    assert not verify(registered(receipts[0]), tmp_path).holds


def test_an_empty_log_says_so(tmp_path):
    made = verify(registered(receipt()), tmp_path)
    assert not made.holds
    assert tones(made) == ["bad"]
