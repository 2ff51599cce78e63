"""The life of a return flow, each step in the caller's transaction."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

from hutong.control.agreements.consent import Asked
from hutong.control.agreements.models import Agreement, Negotiation
from hutong.control.agreements.terms import Terms
from hutong.control.clocks import actions as clocks
from hutong.control.returns.areas import area_item
from hutong.control.returns.models import Onward, ReturnBatch, ReturnFlow
from hutong.control.returns.rules import ReturnOverdue
from hutong.ledger.record import record
from hutong.node import work
from hutong.node.settings import current
from hutong.vocabulary.ids import new_id

# How long after a batch the next one is fetched, by the catalogue's update cycle; owner: the area's node.
DAY = timedelta(days=1)
CYCLES = {"2": DAY / 24, "3": DAY, "4": 7 * DAY, "5": 30 * DAY, "6": 91 * DAY, "7": 182 * DAY, "8": 365 * DAY}
IRREGULAR = 30 * DAY


def place_of(flow: ReturnFlow) -> Path:
    """Where this node keeps the flow's files. A source may lie there: it is below the node's data."""
    return current().data_folder / "returns" / flow.id


def folder_of(flow: ReturnFlow) -> Path:
    """The same, made where it is not there."""
    folder = place_of(flow)
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def file_of(batch: ReturnBatch) -> Path:
    """The rows of a batch, at the area's node."""
    return folder_of(batch.flow) / f"{batch.number:06d}.parquet"


def pairs_of(batch: ReturnBatch) -> Path:
    """The digests of its rows, at either node."""
    return folder_of(batch.flow) / f"{batch.number:06d}.pairs"


def subject_of(flow: ReturnFlow) -> str:
    return f"return:{flow.id}"


def asked_in(negotiation: Negotiation) -> ReturnFlow | None:
    """The flow this negotiation of ours asks for."""
    return ReturnFlow.objects.select_for_update().filter(negotiation_id=negotiation.pid, role="consumer").first()


def keep_granted(negotiation: Negotiation, asked: Asked, terms: Terms) -> ReturnFlow:
    """The superior's side of what was just agreed. An older flow of the same rows has ended with it."""
    item, resource = area_item(asked.items), asked.resource
    known = ReturnFlow.objects.filter(
        role="provider", peer=negotiation.peer, resource_id=resource.id, area=terms.scope, state="active"
    )
    for older in known:
        end(older.agreement_id)
    flow = ReturnFlow.objects.create(
        id=new_id(),
        role="provider",
        peer=negotiation.peer,
        resource_id=resource.id,
        title_zh=resource.title_zh,
        title_en=resource.title_en,
        area=terms.scope,
        area_item=item.name if item else "",
        keys=[one.name for one in asked.items if one.key and one.name in terms.items],
        department=resource.department_id,
        purpose=terms.purpose,
        update_cycle=resource.update_cycle,
        negotiation_id=negotiation.pid,
        agreement_id=Agreement.objects.get(negotiation=negotiation).id,
        state="active",
        provenance=provenance_of(resource.id),
    )
    detail = {"peer": flow.peer, "area": flow.area, "resource": flow.resource_id, "agreement": flow.agreement_id}
    record("return.granted", subject_of(flow), "rule:D809-24", detail)
    return flow


def begin(flow: ReturnFlow, agreement_id: str) -> None:
    flow.agreement_id, flow.state, flow.next_at = agreement_id, "active", datetime.now(UTC)
    flow.save(update_fields=["agreement_id", "state", "next_at"])
    record("return.begun", subject_of(flow), flow.law, {"agreement": agreement_id, "area": flow.area})
    expect(flow)
    work.wake_on_commit("returns")


def refuse(flow: ReturnFlow, code: str) -> None:
    flow.state, flow.code = "refused", code[:64]
    flow.save(update_fields=["state", "code"])
    record("return.refused", subject_of(flow), f"node:{flow.peer}", {"code": flow.code, "area": flow.area})


def end(agreement_id: str) -> None:
    """Nothing more is returned under an agreement that has ended, or that another one of the same rows replaces."""
    for flow in ReturnFlow.objects.select_for_update().filter(agreement_id=agreement_id, state="active"):
        flow.state, flow.next_at = "ended", None
        flow.save(update_fields=["state", "next_at"])
        clocks.drop(ReturnOverdue, subject_of(flow), "ended")
        record("return.ended", subject_of(flow), flow.law, {"agreement": agreement_id})


def expect(flow: ReturnFlow) -> None:
    """The term of the next complete return runs from now on; the law sets none for what is delivered centrally."""
    if not flow.area:
        return
    clocks.start(
        ReturnOverdue,
        subject_of(flow),
        department=flow.department,
        title_zh=flow.title_zh,
        title_en=flow.title_en,
        page=("return", flow.id),
    )


def schedule(flow: ReturnFlow, now: datetime) -> None:
    """The next batch, by the resource's update cycle."""
    flow.next_at = now + CYCLES.get(flow.update_cycle, IRREGULAR)


def provenance_of(resource_id: str) -> list[dict[str, str]]:
    """Where a resource of ours comes from, the origin first, ourselves last."""
    onward = Onward.objects.select_related("flow").filter(resource_id=resource_id).first()
    before = list(onward.flow.provenance) if onward else []
    return [*before, {"node": current().jurisdiction, "resource": resource_id}]
