"""How well a resource keeps to the region's standards, measured on its source. Counts leave here, no value does.

Each item that is mapped to an element is held to the strictest thing the element says of a value: its check digit, its
code table (after the item's own code map, where it has one), its length, else its type. The score of the values is
conforming over checked; the score of the items is mapped over all.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import pyarrow as pa
import pyarrow.compute
from django.db import transaction

from hutong.control.catalogue.models import Item, Resource
from hutong.control.catalogue.queries import resource as resource_of
from hutong.control.catalogue.sources import spec_of
from hutong.control.identity.rules import Action, Actor, check
from hutong.control.standards import queries
from hutong.control.standards.models import Definition, Finding, ItemCodes, ScoreRun
from hutong.control.standards.rules import BadDefinition
from hutong.exchange.shaping.codes import as_text
from hutong.exchange.shaping.values import Kind, kind_of
from hutong.exchange.sources.opening import open_source
from hutong.exchange.sources.source import Source
from hutong.ledger.record import record
from hutong.node import work
from hutong.vocabulary.errors import Refused
from hutong.vocabulary.ids import new_id
from hutong.vocabulary.recognisers import valid_count

pc: Any = pyarrow.compute  # its stubs know only some of the types it takes

DUTY = "standards.score"
LOOK_EVERY_S = 60.0
SAY_EVERY_ROWS = 200_000  # how often the progress is written
KEPT_RUNS = 20  # of one resource

log = logging.getLogger(__name__)
Rule = Callable[[Any], int]  # values that are not missing: how many conform


@dataclass
class Held:
    """One item under measurement."""

    item: Item
    held_to: str
    rule: Rule | None
    present: int = 0
    conforming: int = 0

    def look(self, column: Any) -> None:
        values = column.drop_null()
        self.present += len(values)
        if self.rule is not None and len(values):
            self.conforming += self.rule(values)


@transaction.atomic
def ask_for_score(by: Actor, resource_id: str) -> ScoreRun:
    """Have a resource measured; the work is done behind, and says how far it is.

    raises   NotFound, NotAllowed, BadDefinition where it has no source
    """
    resource = resource_of(resource_id)
    check(by, Action.MEASURE_RESOURCE, resource.department_id)
    if resource.source_id is None:
        raise BadDefinition(reason="the resource has no source", reason_zh="资源未挂接数据源")
    running = ScoreRun.objects.filter(resource=resource, state__in=("waiting", "running")).first()
    if running is not None:
        return running
    made = ScoreRun.objects.create(id=new_id(), resource=resource, asked_by=by.username, asked_at=datetime.now(UTC))
    record("standard.score_asked", f"resource:{resource.id}", by.username, {"run": made.id})
    work.wake_on_commit(DUTY)
    return made


def measure_waiting() -> None:
    """The duty: measure what waits, one after another. A run that a killed process left is begun anew."""
    for run in ScoreRun.objects.filter(state__in=("waiting", "running")).order_by("asked_at"):
        measure(run)


def measure(run: ScoreRun) -> ScoreRun:
    """Read the source whole, in constant memory, and keep what was found."""
    ScoreRun.objects.filter(id=run.id).update(state="running", rows_read=0)
    try:
        held, rows = _measured(run)
    except Refused as refused:
        return _failed(run, refused)
    except Exception as error:
        # Engines put cell values into their messages: only the kind of the failure is kept.
        log.error("a resource could not be measured: %s", type(error).__name__)
        return _failed(run, Refused())
    with transaction.atomic():
        Finding.objects.filter(run=run).delete()
        Finding.objects.bulk_create(_finding(run, position, one) for position, one in enumerate(held))
        judged = [one for one in held if one.rule is not None]
        run.state, run.finished_at, run.rows_read, run.refusal = "done", datetime.now(UTC), rows, ""
        run.items, run.items_mapped = len(held), sum(1 for one in held if one.item.element)
        run.checked, run.conforming = sum(one.present for one in judged), sum(one.conforming for one in judged)
        run.save()
        counts = {name: getattr(run, name) for name in ("items", "items_mapped", "checked", "conforming", "rows_read")}
        record("standard.score_measured", f"resource:{run.resource_id}", "node", counts)
        old = ScoreRun.objects.filter(resource_id=run.resource_id).order_by("-asked_at").values_list("id", flat=True)
        ScoreRun.objects.filter(id__in=list(old[KEPT_RUNS:])).delete()
    return run


def newest_score(resource_id: str) -> ScoreRun | None:
    """The last finished one. Of the resource alone: a page of many asks scores_of."""
    return ScoreRun.objects.filter(resource_id=resource_id, state="done").order_by("-asked_at").first()


def scores_of(resource_ids: Sequence[str]) -> dict[str, ScoreRun]:
    """The last finished run of each of some resources."""
    rows = ScoreRun.objects.filter(resource_id__in=resource_ids, state="done").order_by("asked_at")
    return {one.resource_id: one for one in rows}


def _measured(run: ScoreRun) -> tuple[list[Held], int]:
    resource = Resource.objects.select_related("source").get(id=run.resource_id)
    if resource.source is None:
        raise BadDefinition(reason="the resource has no source", reason_zh="资源未挂接数据源")
    source = open_source(spec_of(resource.source))
    try:
        held = _held(resource, source)
        ScoreRun.objects.filter(id=run.id).update(rows_total=source.count())
        return held, _look(run, source, held)
    finally:
        source.close()


def _look(run: ScoreRun, source: Source, held: Sequence[Held]) -> int:
    rows = said = 0
    for batch in source.read([one.item.name for one in held]):
        for one in held:
            one.look(batch.column(one.item.name))
        rows += batch.num_rows
        if rows - said >= SAY_EVERY_ROWS:
            said = rows
            ScoreRun.objects.filter(id=run.id).update(rows_read=rows)
    return rows


def _held(resource: Resource, source: Source) -> list[Held]:
    elements = {one.name: one for one in queries.all_in_force("element")}
    maps = dict(ItemCodes.objects.filter(resource=resource).values_list("item", "map_name"))
    held = []
    for item in resource.items.all():
        element = elements.get(item.element)
        held_to, rule = ("", None)
        if element is not None:
            held_to, rule = _rule(element, source.fields([item.name]).field(0).type, maps.get(item.name, ""))
        held.append(Held(item, held_to, rule))
    return held


def _rule(element: Definition, type_: pa.DataType, map_name: str) -> tuple[str, Rule]:
    """What values of an element are held to, by the strictest thing it says."""
    document = element.document
    coded = kind_of(type_) in (Kind.TEXT, Kind.INTEGER)
    if document["check"] and coded:
        return f"check:{document['check']}", lambda values: valid_count(as_text(values), document["check"])
    known = queries.known_codes(str(document["table"])) if document["table"] and coded else None
    code_map = queries.newest_map(map_name) if map_name else None
    if known is not None and code_map is not None:
        among = [local for local, regional in queries.pairs_of(code_map).items() if regional in known]
        return f"map:{queries.map_id(code_map)}", _among(among)
    if known is not None:
        return f"table:{document['table']}", _among(sorted(known))
    if "length" in document and kind_of(type_) is Kind.TEXT:
        return f"length:{document['length']}", _no_longer(int(document["length"]))
    return f"type:{document['type']}", _of_type(str(document["type"]), kind_of(type_))


def _among(codes: Sequence[str]) -> Rule:
    value_set = pa.array(codes, pa.string())
    return lambda values: _true(pc.is_in(as_text(values), value_set=value_set))


def _no_longer(characters: int) -> Rule:
    return lambda values: _true(pc.less_equal(pc.utf8_length(values), characters))


# Text that stands for another type, where the source keeps it as text.
_WRITTEN = {
    Kind.INTEGER: r"^[+-]?[0-9]{1,18}$",
    Kind.DECIMAL: r"^[+-]?[0-9]{1,30}(\.[0-9]{1,18})?$",
    Kind.DOUBLE: r"^[+-]?[0-9]{1,30}(\.[0-9]{1,18})?([eE][+-]?[0-9]{1,3})?$",
    Kind.DATE: r"^[0-9]{4}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])$",
    Kind.TIMESTAMP: r"^[0-9]{4}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])[T ]([01][0-9]|2[0-3]):[0-5][0-9]",
    Kind.BOOL: r"^(true|false|0|1)$",
}
_WIDER = {
    Kind.DECIMAL: (Kind.INTEGER, Kind.DOUBLE),
    Kind.DOUBLE: (Kind.INTEGER, Kind.DECIMAL),
    Kind.DATE: (Kind.TIMESTAMP,),
}


def _of_type(wanted: str, kind: Kind | None) -> Rule:
    target = Kind(wanted)
    if kind is target or kind in _WIDER.get(target, ()):
        return len
    if kind is Kind.TEXT and target in _WRITTEN:
        return lambda values: _true(pc.match_substring_regex(values, _WRITTEN[target]))
    return lambda _: 0


def _true(flags: Any) -> int:
    return int(pc.sum(flags).as_py() or 0)


def _finding(run: ScoreRun, position: int, one: Held) -> Finding:
    return Finding(
        run=run,
        position=position,
        item=one.item.name,
        element=one.item.element,
        held_to=one.held_to,
        present=one.present,
        conforming=one.conforming,
    )


def _failed(run: ScoreRun, refused: Refused) -> ScoreRun:
    run.state, run.finished_at, run.refusal = "failed", datetime.now(UTC), refused.say("zh")[:300]
    run.save()
    return run
