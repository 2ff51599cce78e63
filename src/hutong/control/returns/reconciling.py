"""Whether both sides of a return hold the same rows (对账): counts and digests first, then down to the rows.

    area's node                                superior
    stored {rows, root}          ------------> digests what it serves under the agreement (a duty, in its own time)
                                 <------------ statement {rows, root, ranges where they differ, provenance}
    asks for differing ranges    ------------> pairs of small ranges, ranges of large ones
    differs {counts} or agreed   ------------> the same words in both ledgers

All of it is one type of event about one agreement, so it arrives in order. Each step is repeatable.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

from django.db import transaction

from hutong.control.clocks import actions as clocks
from hutong.control.notices.actions import tell
from hutong.control.returns import digests, flows, onward, stating
from hutong.control.returns.digests import HEX, PAIR
from hutong.control.returns.models import ReturnBatch, ReturnDifference, ReturnFlow, ReturnTicket
from hutong.control.returns.rules import AgreesAgain, BatchDiffers, ReturnOverdue
from hutong.ledger.record import record
from hutong.node.events import Event, on_event, post_event
from hutong.node.receiving import Peer
from hutong.vocabulary.errors import BadInput, NotFound
from hutong.vocabulary.ids import is_id
from hutong.vocabulary.sentences import Sentence

EVENT: Final = "return.reconciliation"
RANGES_AT_ONCE: Final = 8  # asked for in one message
SMALL_RANGE: Final = 500  # rows whose pairs fit in a message eight times
MOST_NAMED: Final = 1_000  # rows named of one batch; more than that is no repair of rows
AGAIN_AFTER: Final = timedelta(days=1)  # what is stored is compared again

log = logging.getLogger("hutong.returns")


def ask_to_compare(batch: ReturnBatch) -> None:
    """Tell the superior what is stored, in the caller's transaction."""
    _post(batch, "stored", number=batch.number, kind=batch.kind, rows=batch.rows, root=batch.root, keys=batch.flow.keys)


def compare_again() -> None:
    """The daily look at what is stored: digest the newest batch of each flow as it lies on disk, and compare."""
    before = datetime.now(UTC) - AGAIN_AFTER
    for flow in ReturnFlow.objects.filter(role="consumer", state="active").order_by("id"):
        newest = flow.batches.exclude(state="fetching").order_by("-number").first()
        looked_at = (newest.compared_at or newest.stored_at) if newest else None
        if newest is not None and looked_at is not None and looked_at < before:
            compare_now(newest)


def compare_now(batch: ReturnBatch) -> None:
    """Digest a stored batch anew and ask to compare it. A file that is gone holds no rows."""
    found = _digested(batch)
    with transaction.atomic():
        batch = ReturnBatch.objects.select_for_update().get(id=batch.id)
        batch.rows, batch.root, batch.state, batch.pending = found.rows, found.root, "stored", []
        batch.save()
        detail = {"batch": batch.id, "rows": batch.rows, "root": batch.root}
        record("return.looked_at_again", flows.subject_of(batch.flow), batch.flow.law, detail)
        ask_to_compare(batch)


@on_event(EVENT)
def take(peer: Peer, event: Event) -> None:
    """One step of the comparison, from the other side.

    raises   NotFound, BadInput
    """
    step = _STEPS.get(str(event.data.get("step")))
    if step is None or event.data.get("v") != digests.VERSION:
        raise BadInput(reason="this step of a comparison is not known", reason_zh="未知的对账步骤")
    role, act = step
    rows = ReturnFlow.objects.select_for_update().filter(peer=peer.jurisdiction, agreement_id=event.subject, role=role)
    flow = rows.exclude(agreement_id="").first()
    batch_id = event.data.get("batch")
    if flow is None or not isinstance(batch_id, str) or not is_id(batch_id):
        raise NotFound(what="return", what_zh="数据回流", name=event.subject[:80])
    act(flow, batch_id, event.data)


# --- at the superior ------------------------------------------------------------------------------------------


def _hear_stored(flow: ReturnFlow, batch_id: str, data: dict[str, Any]) -> None:
    values = {
        "flow": flow,
        "number": _count(data, "number"),
        "kind": "changed" if data.get("kind") == "changed" else "full",
        "rows": _count(data, "rows"),
        "root": _text(data, "root"),
        "state": "asked",
        "pending": [str(one)[:120] for one in data.get("keys", [])][:100],  # the items that tell its rows apart
    }
    now = datetime.now(UTC)
    if ReturnBatch.objects.filter(id=batch_id).exclude(flow=flow).exists():
        raise NotFound(what="batch", what_zh="回流批次", name=batch_id)
    ReturnBatch.objects.update_or_create(id=batch_id, defaults=values, create_defaults=values | {"started_at": now})
    stating.wake()


def _hear_asked(flow: ReturnFlow, batch_id: str, data: dict[str, Any]) -> None:
    batch = _batch(flow, batch_id)
    file = flows.pairs_of(batch)
    if not file.exists():
        raise NotFound(what="statement", what_zh="回流对账清单", name=batch_id)
    asked = [str(one) for one in data.get("ranges", [])][:RANGES_AT_ONCE]
    if not all(len(one) < HEX and set(one) <= set("0123456789abcdef") for one in asked):
        raise BadInput(reason="these are no ranges", reason_zh="范围有误")
    _post(batch, "told", told={digits: _told(file, digits) for digits in asked})


def _told(file: Path, digits: str) -> dict[str, Any]:
    within = digests.ranges(file, digits)
    if within.rows <= SMALL_RANGE:
        return {"pairs": digests.pairs(file, digits)}
    return {"ranges": within.document()}


def _hear_outcome(flow: ReturnFlow, batch_id: str, data: dict[str, Any]) -> None:
    """What the area's node found: agreed, or how many rows differ."""
    batch = _batch(flow, batch_id)
    agreed = data.get("step") == "agreed"
    for name in ("missing", "extra", "changed"):
        setattr(batch, name, 0 if agreed else _count(data, name))
    named = [] if agreed else [(str(kind), str(key)) for kind, key in data.get("named", [])][:MOST_NAMED]
    _name(batch, named)
    _conclude(batch, agreed=agreed, actor=f"node:{flow.peer}")


# --- at the area's node ---------------------------------------------------------------------------------------


def _hear_statement(flow: ReturnFlow, batch_id: str, data: dict[str, Any]) -> None:
    batch = _batch(flow, batch_id)
    if data.get("about") != batch.root:
        return  # it is about what was stored before; the newer one is on its way
    batch.their_rows, batch.their_root = _count(data, "rows"), _text(data, "root")
    batch.provenance = _provenance(data)
    batch.missing = batch.extra = batch.changed = 0
    batch.differences.all().delete()
    if (batch.their_rows, batch.their_root) == (batch.rows, batch.root):
        batch.pending = []
        _agreed(batch)
        return
    ours = digests.ranges(_own_pairs(batch))
    batch.pending = ours.differing(_ranges(data.get("ranges")))
    _go_on(batch)


def _hear_told(flow: ReturnFlow, batch_id: str, data: dict[str, Any]) -> None:
    batch = _batch(flow, batch_id)
    told = data.get("told")
    if not isinstance(told, dict):
        raise BadInput(reason="nothing is told", reason_zh="缺少内容")
    if batch.state != "stored" or not batch.pending:
        return  # concluded already, or compared anew since
    file, deeper = _own_pairs(batch), []
    for digits in [one for one in batch.pending if one in told]:
        given = told[digits]
        if "pairs" in given:
            _compare_rows(batch, digests.pairs(file, digits), _pairs(given["pairs"], digits))
        else:
            deeper += digests.ranges(file, digits).differing(_ranges(given["ranges"]))
    batch.pending = [*deeper, *(one for one in batch.pending if one not in told)]
    _go_on(batch)


def _go_on(batch: ReturnBatch) -> None:
    """Ask about the next ranges; with none left, or rows enough named, conclude."""
    named = batch.missing + batch.extra + batch.changed
    if batch.pending and named < MOST_NAMED:
        batch.save()
        _post(batch, "asked", ranges=batch.pending[:RANGES_AT_ONCE])
        return
    batch.pending = []
    counts = {"missing": batch.missing, "extra": batch.extra, "changed": batch.changed}
    rows = list(batch.differences.order_by("id").values_list("kind", "key")[:MOST_NAMED])
    _post(batch, "differs", named=rows, **counts)
    _conclude(batch, agreed=False, actor=batch.flow.law)


def _agreed(batch: ReturnBatch) -> None:
    _post(batch, "agreed")
    _conclude(batch, agreed=True, actor=batch.flow.law)
    clocks.meet(ReturnOverdue, flows.subject_of(batch.flow))
    flows.expect(batch.flow)
    onward.follow(batch)


def _compare_rows(batch: ReturnBatch, ours: list[str], theirs: list[str]) -> None:
    found = digests.compare(ours, theirs)
    for kind, keys in (("missing", found.missing), ("extra", found.extra), ("changed", found.changed)):
        setattr(batch, kind, getattr(batch, kind) + len(keys))
        _name(batch, [(kind, key) for key in sorted(keys)])


# --- both -----------------------------------------------------------------------------------------------------


def _conclude(batch: ReturnBatch, *, agreed: bool, actor: str) -> None:
    """The end of one comparison: the state, a ticket or its end, a notice, and the same leaf in both ledgers."""
    flow = batch.flow
    batch.state, batch.compared_at = "agreed" if agreed else "differs", datetime.now(UTC)
    batch.save()
    counts = {"missing": batch.missing, "extra": batch.extra, "changed": batch.changed}
    detail = {"batch": batch.id, "number": batch.number, "rows": batch.rows, **counts}
    leaf = {"batch": batch.id, "rows": batch.rows, "root": batch.root}
    record(f"return.{batch.state}", flows.subject_of(flow), actor, detail, commitment=leaf)
    titles = {"title": flow.title_en or flow.title_zh, "title_zh": flow.title_zh, "number": batch.number}
    if not agreed:
        ticket, new = ReturnTicket.objects.get_or_create(batch=batch, defaults={"flow": flow})
        if new or ticket.state == "closed":
            ReturnTicket.objects.filter(batch=batch).update(state="open", closed_at=None, closed_by="")
            _tell(flow, BatchDiffers(**titles, **counts))
        return
    now = datetime.now(UTC)
    closed = ReturnTicket.objects.filter(flow=flow, state="open")
    if closed.update(state="closed", closed_at=now, closed_by=batch.id):
        _tell(flow, AgreesAgain(**titles, rows=batch.rows))


def _name(batch: ReturnBatch, named: list[tuple[str, str]]) -> None:
    room = max(0, MOST_NAMED - batch.differences.count())
    rows = [
        ReturnDifference(batch=batch, kind=kind, key=key[:HEX])
        for kind, key in named[:room]
        if kind in ("missing", "extra", "changed")
    ]
    ReturnDifference.objects.bulk_create(rows, ignore_conflicts=True)


def _tell(flow: ReturnFlow, sentence: Sentence) -> None:
    for role in ("officer", "head"):
        if flow.department:
            page = ("return", flow.id)
            tell(sentence, role=role, department=flow.department, subject=flows.subject_of(flow), page=page)
    tell(sentence, role="supervisor", subject=flows.subject_of(flow), page=("return", flow.id))


def _batch(flow: ReturnFlow, batch_id: str) -> ReturnBatch:
    batch = ReturnBatch.objects.select_for_update(of=("self",)).select_related("flow").filter(flow=flow, id=batch_id)
    found = batch.first()
    if found is None:
        raise NotFound(what="batch", what_zh="回流批次", name=batch_id)
    return found


def _own_pairs(batch: ReturnBatch) -> Path:
    """The digests of what is stored, made anew where they are gone."""
    file = flows.pairs_of(batch)
    if not file.exists():
        _digested(batch)
    return file


def _digested(batch: ReturnBatch) -> digests.Ranges:
    return digests.digest_file(flows.file_of(batch), flows.pairs_of(batch), batch.flow.keys, batch.flow.agreement_id)


def _post(batch: ReturnBatch, step: str, **more: Any) -> None:
    data = {"v": digests.VERSION, "step": step, "batch": batch.id, **more}
    post_event(batch.flow.peer, EVENT, batch.flow.agreement_id, data)


def _count(data: dict[str, Any], name: str) -> int:
    value = data.get(name)
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value < 2**53:
        raise BadInput(reason=f"{name} is no count", reason_zh=f"{name} 不是计数")
    return value


def _text(data: dict[str, Any], name: str) -> str:
    value = data.get(name)
    if not isinstance(value, str) or len(value) > 80 or not value.isascii():
        raise BadInput(reason=f"{name} is no digest", reason_zh=f"{name} 不是摘要")
    return value


def _ranges(given: Any) -> digests.Ranges:
    try:
        return digests.read_ranges(given)
    except ValueError as error:
        raise BadInput(reason=str(error), reason_zh="范围有误") from error


def _pairs(given: Any, digits: str) -> list[str]:
    if not isinstance(given, list) or not all(
        isinstance(one, str) and len(one) == PAIR and one.startswith(digits) for one in given
    ):
        raise BadInput(reason="these are no digests of rows", reason_zh="行摘要有误")
    return given


def _provenance(data: dict[str, Any]) -> list[dict[str, Any]]:
    """How the rows came to the superior, as it states: by node, with counts, roots and receipts of each hop."""
    given = data.get("provenance")
    if not isinstance(given, list) or len(given) > 10:
        raise BadInput(reason="the provenance is no list", reason_zh="来源链有误")
    names = ("node", "resource", "batch", "root", "receipt")
    steps = [one if isinstance(one, dict) else {} for one in given]
    return [{name: str(one.get(name, ""))[:80] for name in names} | {"rows": _count(one, "rows")} for one in steps]


Act = Callable[[ReturnFlow, str, dict[str, Any]], None]
# What is said, whose role hears it, and what it does there.
_STEPS: dict[str, tuple[str, Act]] = {
    "stored": ("provider", _hear_stored),
    "statement": ("consumer", _hear_statement),
    "asked": ("provider", _hear_asked),
    "told": ("consumer", _hear_told),
    "agreed": ("provider", _hear_outcome),
    "differs": ("provider", _hear_outcome),
}
