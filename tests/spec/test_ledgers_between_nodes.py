"""Ledgers of real nodes: witnessed by each other, read by signed requests only, reconciled over the network."""

from __future__ import annotations

import os
import urllib.error
import urllib.request
from datetime import UTC, datetime, timedelta

import orjson
import pytest

from hutong.ledger import checkpoint as checkpoints
from hutong.ledger import note as notes
from hutong.ledger.note import VerifierKey
from hutong.ledger.receipt import Receipt
from hutong.vocabulary.moments import rfc3339
from tests.nodes import CommandFailed, Node, Region, until
from tests.postgres import new_database
from tests.unit.test_ledger_reconcile import SERVED, consumers, numbered

JIANGSU, ANHUI = "320000", "340000"


@pytest.fixture(scope="module")
def region(postgres_url, tmp_path_factory):
    """Jiangsu's log stands in PostgreSQL, the region's and Anhui's in SQLite."""

    def database(jurisdiction: str) -> str:
        return new_database(postgres_url, f"ledgers_{os.getpid()}") if jurisdiction == JIANGSU else ""

    with Region(tmp_path_factory.mktemp("region"), database) as started:
        yield started.start("yrd", JIANGSU, ANHUI)


def log(node: Node, *receipts: Receipt) -> None:
    """Enter receipts in a node's ledger by its own writing code; the next round takes them in."""
    entries = [receipt.to_entry().decode() for receipt in receipts]
    node.python(
        "from django.db import transaction\nfrom hutong.ledger.record import enter\n"
        f"with transaction.atomic():\n    enter([('exchange', one.encode()) for one in {entries!r}])"
    )


def log_vkey(region: Region, jurisdiction: str) -> VerifierKey:
    said = region[jurisdiction].python(
        "from hutong.ledger.host import host\nfrom hutong.ledger.note import ED25519, VerifierKey\nimport json\n"
        "key = host().signer()\nprint(json.dumps(str(VerifierKey(key.keyid, ED25519, key.public))))"
    )
    return VerifierKey.parse(said)


def size_of(node: Node) -> int:
    return checkpoints.parse(notes.parse(node.get("/ledger/checkpoint")[1]).text).size


def test_a_members_log_is_witnessed_by_the_region_and_the_regions_by_its_members(region):
    keys = {one: log_vkey(region, one) for one in ("yrd", JIANGSU, ANHUI)}
    for one, witnesses in ((JIANGSU, ["yrd"]), ("yrd", [JIANGSU, ANHUI])):
        expected = {keys[one], *(keys[witness].as_witness() for witness in witnesses)}

        def witnessed(node: Node = region[one], expected: set[VerifierKey] = expected) -> bool:
            status, body = node.get("/ledger/checkpoint.witnessed")
            return status == 200 and set(notes.verified(notes.parse(body), list(expected))) == expected

        until(witnessed, within_s=60, what=f"the witnessing of {one}")
    told = region[JIANGSU].json("ledger", "verify", str(region[JIANGSU].home), "--key", str(keys[JIANGSU]))
    assert told["holds"]
    assert told["witnesses"] == ["hutong/yrd"]


def test_hash_tiles_are_open_and_entries_answer_signed_requests_only(region):
    log(region[JIANGSU], numbered(900))
    size = until(lambda: size_of(region[JIANGSU]), what="entries in the log")
    assert region[JIANGSU].get(f"/ledger/tile/0/000.p/{size}")[0] == 200
    bundle = f"/ledger/tile/entries/000.p/{size}"
    assert region[JIANGSU].get(bundle)[0] == 401
    assert region[JIANGSU].get("/ledger/exchanges")[0] == 401
    answer = region.ask(ANHUI, JIANGSU, "GET", bundle)
    assert (answer.status, answer.signed) == (200, True)
    refused = region.ask(ANHUI, JIANGSU, "GET", "/ledger/exchanges?with=yrd")
    assert refused.status == 403


def test_two_nodes_reconcile_and_an_altered_and_a_one_sided_exchange_are_named(region):
    # In a first exchange both agree; in 2 the consumer's rows are altered; 3 was left out by the consumer.
    given = [SERVED, numbered(2), numbered(3), numbered(900)]
    log(region[JIANGSU], *given[:3])
    log(region[ANHUI], consumers(SERVED), consumers(numbered(2), rows=4), consumers(numbered(900)))

    def reconciled() -> dict[str, object]:
        try:
            return dict(region[ANHUI].json("ledger", "reconcile", str(region[ANHUI].home), JIANGSU))
        except CommandFailed as failed:
            return dict(orjson.loads(failed.output)) if failed.output.startswith("{") else {}

    told = until(lambda: found if (found := reconciled()).get("agreed") == 2 else None, what="both logs' sequencing")
    assert told["holds"] is False
    seen = {one["exchange"]: (one["kind"], one["members"]) for one in told["differences"]}  # type: ignore[attr-defined]
    assert seen == {given[1].exchange: ("altered", ["rows"]), given[2].exchange: ("one_sided", [])}


def test_a_receipt_is_proven_to_somebody_who_has_only_the_proof_and_the_keys(region, tmp_path):
    log(region[JIANGSU], numbered(77))
    home, out = region[JIANGSU].home, tmp_path / "receipt.tlog-proof"

    def proven() -> bool:
        try:
            region[JIANGSU].hutong("ledger", "prove", str(home), "--exchange", numbered(77).exchange, "--out", str(out))
        except CommandFailed:
            return False
        return True

    until(proven, what="the proof")
    key = str(log_vkey(region, JIANGSU))
    assert numbered(77).to_entry().decode() in region[JIANGSU].hutong("ledger", "check", str(out), "--key", key)


def test_a_witness_remembers_what_it_cosigned_and_takes_nothing_older(region):
    known = (region[JIANGSU].home / "ledger" / "checkpoint.witnessed").read_bytes()
    door = region["yrd"].base_url + "/ledger/witness/add-checkpoint"
    with pytest.raises(urllib.error.HTTPError) as refused:
        urllib.request.urlopen(door, data=b"old 0\n\n" + known, timeout=10)
    with refused.value as answer:
        assert answer.code == 409
        assert int(answer.read()) >= checkpoints.parse(notes.parse(known).text).size


RECONCILE = (
    "from datetime import UTC, datetime\nimport json\nfrom hutong.control.identity.models import Account\n"
    "from hutong.control.notices.queries import notices\n"
    "from hutong.control.oversight.reconciling import reconcile_one\n"
    "account, _ = Account.objects.get_or_create(username='audit', role='auditor')\n"
    f"row = reconcile_one({JIANGSU!r}, datetime.now(UTC))\n"
    "told = [one.notice.said_en for one in notices(account)]\n"
    "print(json.dumps([row.state, row.trouble, [one['exchange'] for one in row.differences], told]))"
)


def test_the_daily_comparison_names_an_exchange_that_stands_in_one_ledger_alone_and_tells_the_auditor_once(region):
    alone = numbered(950, at=rfc3339(datetime.now(UTC) - timedelta(minutes=10)))
    before = size_of(region[ANHUI])
    log(region[ANHUI], consumers(alone))
    until(lambda: size_of(region[ANHUI]) > before, what="the next round of the log")
    first = until(lambda: (said := region[ANHUI].python(RECONCILE))[0] == "differs" and said, what="a difference")
    assert alone.exchange in first[2]
    again = region[ANHUI].python(RECONCILE)
    assert len(again[3]) == len(first[3]) == 1, "the same difference is told once"
    assert JIANGSU in again[3][0]


def test_the_members_that_are_due_are_compared_in_a_process_of_its_own(region):
    compared = region[ANHUI].python(
        "import json\nfrom hutong.control.oversight import reconciling\n"
        "from hutong.ledger.models import DailyReconciliation\nDailyReconciliation.objects.all().delete()\n"
        "due = reconciling.due()\nreconciling.reconcile_apart()\n"
        "kept = sorted(DailyReconciliation.objects.values_list('peer', flat=True))\n"
        "print(json.dumps([due, kept, reconciling.due()]))"
    )
    assert compared == [[JIANGSU, "yrd"], [JIANGSU, "yrd"], []]
    assert region[ANHUI].hutong("oversight", "compare", str(region[ANHUI].home)) == "", "nobody is due any more"


def test_a_member_that_does_not_answer_is_noted_and_asked_again(region):
    region[JIANGSU].stop()
    try:
        assert region[ANHUI].python(RECONCILE)[0] == "unreachable"
    finally:
        region[JIANGSU].start()
