"""Passing on what was returned: a resource of ours whose source is the newest batch that agrees.

So a resource of the nation sinks to a province, and from there to its cities: each hop an agreement of its own, for an
area of its own, with receipts of its own. Nobody on the way holds more than its area, so nobody can pass on more.
"""

from __future__ import annotations

import logging
import os
from pathlib import Path
from typing import Any

from django.db import transaction

from hutong.control.catalogue import actions as catalogue
from hutong.control.catalogue import queries as entries
from hutong.control.catalogue.dataset import EntryDocument
from hutong.control.catalogue.models import Resource
from hutong.control.catalogue.sources import look_again
from hutong.control.identity.rules import Action, Actor, check
from hutong.control.returns import flows
from hutong.control.returns.models import Onward, ReturnBatch, ReturnFlow
from hutong.control.returns.rules import NothingReturnedYet, NotToPassOn
from hutong.exchange.models import Source
from hutong.ledger.record import record
from hutong.ledger.whole import place
from hutong.node.settings import current
from hutong.vocabulary.errors import NotFound, Refused, WrongState

log = logging.getLogger("hutong.returns")

KEPT_FIELDS = ("title_zh", "title_en", "summary_zh", "summary_en", "category", "theme", "update_cycle", "attribute")
MORE_FIELDS = ("conditions", "legal_citation", "national_level", "time_range", "business_matter")


def pass_on(account: Actor, flow_id: str) -> Resource:
    """Draft a resource of ours from what was returned, described as its origin describes it.

    It is published like any other: the head signs the assessment off, the gate is passed. Then it can be offered down.

    raises   NotAllowed, OtherDepartment, NotFound, WrongState, NothingReturnedYet, NotToPassOn
    """
    flow = ReturnFlow.objects.filter(id=flow_id, role="consumer").first()
    if flow is None:
        raise NotFound(what="return", what_zh="数据回流", name=flow_id[:60])
    check(account, Action.DESCRIBE_RESOURCE, flow.department)
    if not flow.area:
        raise NotToPassOn(peer=flow.peer)
    if passing_on(flow) is not None:
        raise WrongState(what="return", what_zh="数据回流", state="passed on", state_zh="已向下级提供", possible=[])
    batch = flow.batches.filter(state="agreed").order_by("-number").first()
    if batch is None:
        raise NothingReturnedYet
    _point(batch)
    document = entries.document(flow.resource_id)
    source = catalogue.register_source(
        account,
        name=f"{document.title_zh}（{flow.area}）"[:200],
        kind="parquet",
        location=str(newest_of(flow)),
        department_code=flow.department,
    )
    with transaction.atomic():
        resource = catalogue.draft_resource(account, source.id)
        described = _described(document, flow)
        items = _items(document, resource)
        resource = catalogue.describe(account, resource.id, described, items)
        Onward.objects.create(resource_id=resource.id, flow=flow)
        detail = {"resource": resource.id, "provenance": flows.provenance_of(resource.id)}
        record("return.passed_on", flows.subject_of(flow), account.username, detail)
    return resource


def passing_on(flow: ReturnFlow) -> Onward | None:
    """What passes a flow's rows on: drafted from it, or from an earlier flow of the same rows that it renews."""
    same = ReturnFlow.objects.filter(role=flow.role, peer=flow.peer, resource_id=flow.resource_id, area=flow.area)
    return Onward.objects.filter(flow__in=same).first()


def follow(batch: ReturnBatch) -> None:
    """A newer batch agrees: what we pass on is this one from now on. In the caller's transaction."""
    flow = batch.flow
    onward = passing_on(flow)
    if onward is None or (onward.flow_id != flow.id and flow.state != "active"):  # of an earlier flow, and late
        return
    resource = Resource.objects.select_related("source").filter(id=onward.resource_id).first()
    if resource is None or resource.source is None:
        return
    try:
        with transaction.atomic():
            _point(batch)
            source = Source.objects.select_for_update().get(id=resource.source_id)
            look_again(source, "rule:D809-24", newest_of(flow))
            if onward.flow_id != flow.id:
                onward.flow = flow
                onward.save(update_fields=["flow"])
                detail = {"resource": resource.id, "provenance": flows.provenance_of(resource.id)}
                record("return.passed_on", flows.subject_of(flow), "rule:D809-24", detail)
    except (Refused, OSError) as error:
        # What agreed stays agreed; the rows below stay those of the batch before until the next one.
        log.warning("resource %s still passes on an earlier batch: %s", resource.id, type(error).__name__)


def newest_of(flow: ReturnFlow) -> Path:
    """The file that our own resource reads."""
    return flows.folder_of(flow) / "newest.parquet"


def behind(resource_id: str) -> list[dict[str, Any]]:
    """How the rows of one of our resources came to us: each hop with its count, root and receipt, the origin first."""
    onward = Onward.objects.select_related("flow").filter(resource_id=resource_id).first()
    if onward is None:
        return []
    batch = onward.flow.batches.filter(state="agreed").order_by("-number").first()
    if batch is None:
        return []
    hop = {
        "node": onward.flow.peer,
        "resource": onward.flow.resource_id,
        "batch": batch.id,
        "rows": batch.rows,
        "root": batch.root,
        "receipt": batch.receipt,
    }
    return [*batch.provenance, hop]


def _point(batch: ReturnBatch) -> None:
    """Let the source's file be this batch. The earlier one stays whole for whoever reads it now."""
    newest = newest_of(batch.flow)
    partial = newest.with_name("newest.part")
    partial.unlink(missing_ok=True)
    os.link(flows.file_of(batch), partial)
    place(partial, newest)


def _described(document: EntryDocument, flow: ReturnFlow) -> dict[str, Any]:
    given: dict[str, Any] = {name: getattr(document, name) for name in (*KEPT_FIELDS, *MORE_FIELDS)}
    given |= {
        "keywords": list(document.keywords),
        "permitted_purposes": list(document.permitted_purposes),
        "sharing_modes": list(document.sharing_modes),
        "area_code": flow.area,
        # Where it comes from stands in the entry itself, for whoever reads the catalogue.
        "source_system": "回流自 "
        + " → ".join(one["node"] for one in flow.provenance)
        + f" → {current().jurisdiction}",
    }
    return {name: value for name, value in given.items() if value}


def _items(document: EntryDocument, resource: Resource) -> list[dict[str, Any]]:
    """The items as their origin describes them. Their masks were applied on the way here."""
    names = ("title_zh", "title_en", "element", "attribute", "grade", "sensitive", "nullable", "key", "note")
    known = {one.name: one for one in document.items}
    return [
        {"name": one.name} | {name: getattr(known[one.name], name) for name in names} | {"mask": {"action": "keep"}}
        for one in resource.items.all()
        if one.name in known
    ]
