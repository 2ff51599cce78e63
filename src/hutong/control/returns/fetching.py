"""Fetching a batch, through this node's own exchange: evidence at both ends, files that are whole or not there.

A batch is known by its number. What a killed fetch left behind is overwritten; a batch already stored is not fetched
again. The rows are checked to be of the area before anything is kept.
"""

from __future__ import annotations

import hashlib
import logging
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

import duckdb
import orjson
import pyarrow as pa
import pyarrow.dataset as pads
import pyarrow.parquet as pq
from django.db import transaction
from sqlglot import exp

from hutong.client import connect
from hutong.control.returns import flows, reconciling
from hutong.control.returns.areas import outside
from hutong.control.returns.digests import digest_file
from hutong.control.returns.models import ReturnBatch, ReturnFlow, ReturnKey
from hutong.control.returns.rules import RowsOutsideArea
from hutong.exchange.keys import create_key
from hutong.exchange.models import Entitlement
from hutong.exchange.shaping.engine import spilling
from hutong.ledger.record import record
from hutong.ledger.whole import place, put_whole
from hutong.node.keys import seal, unseal
from hutong.node.settings import current
from hutong.vocabulary.errors import Refused
from hutong.vocabulary.ids import new_id

APPLICATION: Final = "数据回流"
KEY_DAYS: Final = 365
KEPT_BATCHES: Final = 2  # files of older ones are removed; owner: the area's node
WHOLE_EVERY: Final = 10  # batches: rows that are gone above are seen in a whole one only
LOOK_BACK: Final = timedelta(days=2)  # clocks and slow transactions of the source
FIRST_PAUSE, LONGEST_PAUSE = timedelta(minutes=1), timedelta(hours=6)

log = logging.getLogger("hutong.returns")


def fetch_due() -> None:
    """Fetch every batch that is due. One that fails holds up no other and is tried again, later each time."""
    now = datetime.now(UTC)
    due = ReturnFlow.objects.filter(role="consumer", state="active", next_at__lte=now).order_by("next_at")
    for flow_id in list(due.values_list("id", flat=True)):
        flow = ReturnFlow.objects.get(id=flow_id)
        if not Entitlement.objects.filter(agreement_id=flow.agreement_id, state="active").exists():
            continue  # delivery has not begun, or is suspended
        try:
            fetch(flow)
        except Refused as refused:
            _failed(flow_id, refused)


def fetch(flow: ReturnFlow) -> ReturnBatch:
    """Fetch and store the next batch, and ask the superior to compare it.

    raises   what the exchange refuses, RowsOutsideArea, BrokenAnswer; then nothing is kept
    """
    batch = _begin(flow)
    folder = flows.folder_of(flow)
    file = flows.file_of(batch)
    exchange, stands = _download(flow, batch, file)
    if batch.kind == "changed" and not _merged(flow, batch, file):
        batch.kind = "full"
        batch.save(update_fields=["kind"])
        exchange, stands = _download(flow, batch, file)
    found = digest_file(file, flows.pairs_of(batch), flow.keys, flow.agreement_id)
    facts = {"exchange_id": exchange, "receipt": str(stands["receipt"]), "rows": found.rows, "root": found.root}
    _write_manifest(flow, batch, file, facts)
    _stored(flow, batch, facts)
    _sweep(folder, batch.number)
    return batch


@transaction.atomic
def _begin(flow: ReturnFlow) -> ReturnBatch:
    """The batch under way, or a new one."""
    ReturnFlow.objects.select_for_update().get(id=flow.id)
    newest = flow.batches.order_by("-number").first()
    if newest is not None and newest.state == "fetching":
        return newest
    number = newest.number + 1 if newest else 1
    whole = newest is None or newest.state != "agreed" or number % WHOLE_EVERY == 0
    changed = bool(flow.changed_item and flow.keys) and not whole
    return ReturnBatch.objects.create(
        id=new_id(),
        flow=flow,
        number=number,
        kind="changed" if changed else "full",
        state="fetching",
        started_at=datetime.now(UTC),
    )


def _download(flow: ReturnFlow, batch: ReturnBatch, file: Path) -> tuple[str, dict[str, Any]]:
    """The rows into a file. returns the exchange and how it stands in our register"""
    where = _since(flow, batch) if batch.kind == "changed" else None
    case = f"{'回流' if flow.area else '汇聚'} {batch.id}"
    with connect(current().exchange_url, _key(flow.department), progress=False) as node:
        reading = node.read(flow.agreement_id, where=where, purpose=flow.purpose, case=case)
        rows = reading.reader()
        partial = file.with_name(file.name + ".part")
        with pq.ParquetWriter(partial, rows.schema, compression="zstd") as writer:
            for one in rows:
                if flow.area and (strange := outside(one.column(flow.area_item), flow.area)) > 0:
                    raise RowsOutsideArea(count=strange, area=flow.area)
                writer.write_batch(one)
        place(partial, file)
        return reading.exchange, node.exchange(reading.exchange)


def _since(flow: ReturnFlow, batch: ReturnBatch) -> dict[str, Any]:
    before = flow.batches.filter(number=batch.number - 1).get().started_at - LOOK_BACK
    return {"op": "ge", "item": flow.changed_item, "value": before.date().isoformat()}


def _before(flow: ReturnFlow, batch: ReturnBatch) -> Path:
    return flows.folder_of(flow) / f"{batch.number - 1:06d}.parquet"


def _merged(flow: ReturnFlow, batch: ReturnBatch, file: Path) -> bool:
    """Whether the changes could be put into the earlier rows, whose file may be gone, damaged or of other columns."""
    try:
        _merge(_before(flow, batch), file, flow.keys)
    except (OSError, pa.ArrowException, duckdb.Error) as error:
        log.warning("batch %s is fetched whole: the one before it cannot be used (%s)", batch.id, type(error).__name__)
        return False
    return True


def _merge(before: Path, changes: Path, keys: list[str]) -> None:
    """The earlier rows with the changed ones in their places, into the file of the changes."""
    partial = changes.with_name(changes.name + ".merged")
    schema = pq.read_schema(before)
    connection = spilling(changes.parent)
    try:
        connection.register("earlier", pads.dataset(before))
        connection.register("changes", pads.dataset(changes))
        names = [exp.column(name, quoted=True) for name in schema.names]
        same = [
            exp.NullSafeEQ(this=exp.column(key, "e", quoted=True), expression=exp.column(key, "c", quoted=True))
            for key in keys
        ]
        newer = exp.select("1").from_("changes AS c").where(*same)
        kept = exp.select(*[exp.column(name, "e", quoted=True) for name in schema.names]).from_("earlier AS e")
        kept = kept.where(exp.Not(this=exp.Exists(this=newer)))
        whole = exp.union(exp.select(*names).from_("changes"), kept, distinct=False)
        rows = connection.sql(whole.sql(dialect="duckdb")).to_arrow_reader(65_536)
        with pq.ParquetWriter(partial, schema, compression="zstd") as writer:
            for one in rows:
                writer.write_table(pa.Table.from_batches([one]).cast(schema))
    finally:
        connection.close()
    place(partial, changes)


@transaction.atomic
def _stored(flow: ReturnFlow, batch: ReturnBatch, facts: dict[str, Any]) -> None:
    """The batch is on disk: say so here, in the ledger, and to the superior, as one."""
    flow = ReturnFlow.objects.select_for_update().get(id=flow.id)
    now = datetime.now(UTC)
    for name, value in facts.items():
        setattr(batch, name, value)
    batch.state, batch.stored_at = "stored", now
    batch.save()
    flows.schedule(flow, now)
    flow.failures, flow.trouble = 0, ""
    flow.save(update_fields=["next_at", "failures", "trouble"])
    detail = {"batch": batch.id, "number": batch.number, "kind": batch.kind, **facts}
    leaf = {"batch": batch.id, "rows": batch.rows, "root": batch.root}
    record("return.stored", flows.subject_of(flow), flow.law, detail, commitment=leaf)
    reconciling.ask_to_compare(batch)


@transaction.atomic
def _failed(flow_id: str, refused: Refused) -> None:
    flow = ReturnFlow.objects.select_for_update().get(id=flow_id)
    flow.failures += 1
    pause = min(FIRST_PAUSE * 2 ** min(flow.failures - 1, 10), LONGEST_PAUSE)
    flow.next_at, flow.trouble = datetime.now(UTC) + pause, f"{refused.code}: {refused.say('en')}"[:300]
    flow.save(update_fields=["failures", "next_at", "trouble"])
    detail = {"code": refused.code, "failures": flow.failures}
    record("return.failed", flows.subject_of(flow), flow.law, detail)
    log.warning("return %s failed: %s", flow_id, refused.code)


def _key(department: str) -> str:
    """The key this node reads with for a department; made when there is none, or it ends soon."""
    with transaction.atomic():
        soon = datetime.now(UTC) + timedelta(days=1)
        held = ReturnKey.objects.select_for_update().filter(department=department, expires_at__gt=soon).first()
        if held is not None:
            return unseal(bytes(held.sealed)).decode("ascii")
        made = create_key("rule:D809-24", department, APPLICATION, days=KEY_DAYS)
        values = {"sealed": seal(made.encode("ascii")), "expires_at": datetime.now(UTC) + timedelta(days=KEY_DAYS)}
        ReturnKey.objects.update_or_create(department=department, defaults=values)
        return made


def _write_manifest(flow: ReturnFlow, batch: ReturnBatch, file: Path, facts: dict[str, Any]) -> None:
    """What the file is, for whoever finds it without this node."""
    with file.open("rb") as content:
        digest = "sha256:" + hashlib.file_digest(content, "sha256").hexdigest()
    manifest = {
        "v": 1,
        "kind": "return" if flow.area else "central",
        "batch": batch.id,
        "number": batch.number,
        "what": batch.kind,
        "resource": flow.resource_id,
        "title": flow.title_zh,
        "provider": flow.peer,
        "consumer": current().jurisdiction,
        "area": flow.area,
        "agreement": flow.agreement_id,
        "provenance": flow.provenance,
        "file": file.name,
        "sha256": digest,
        **facts,
    }
    put_whole(file.with_suffix(".json"), orjson.dumps(manifest, option=orjson.OPT_INDENT_2))


def _sweep(folder: Path, newest: int) -> None:
    for old in folder.glob("[0-9]*.*"):
        if int(old.name.partition(".")[0]) <= newest - KEPT_BATCHES:
            old.unlink(missing_ok=True)
