"""Sources a department registers: taken in or probed before they are stored, sealed when they are.

A location (a path, a connection string) never leaves the node, is never logged, and is only shown as its last part.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from pathlib import Path, PurePath
from typing import Any

from django.db import transaction

from hutong.control.catalogue import changes, drift
from hutong.control.catalogue.models import Item
from hutong.control.catalogue.secrecy import check as check_secrecy
from hutong.control.identity.rules import Action, Actor, DepartmentNeeded, check
from hutong.control.organisations.queries import department
from hutong.exchange.models import Source
from hutong.exchange.sources import Probe, SourceSpec, open_source, probe, sweep, take_in
from hutong.exchange.sources import settings as source_settings
from hutong.ledger.record import record
from hutong.node.keys import seal, unseal
from hutong.node.settings import current
from hutong.vocabulary.errors import NotFound, Refused
from hutong.vocabulary.ids import is_id, new_id
from hutong.vocabulary.text import checked, shown

LONGEST_LOCATION = 2000
SWEEP_EVERY_S = 60.0

log = logging.getLogger(__name__)


def register_source(
    by: Actor,
    *,
    name: str,
    kind: str,
    location: str,
    table: str = "",
    settings: Mapping[str, str] | None = None,
    department_code: str | None = None,
) -> Source:
    """Register a source of the actor's department (a steward names the department). It must answer now.

    location    an absolute path, a connection string or an address, by its kind
    settings    what the kind needs besides, see hutong.exchange.sources.settings
    raises      NotAllowed, SecretRefused, WrongText, and what hutong.exchange.sources refuses; then nothing is kept
    """
    code = department_code or by.department_id
    if not code:
        raise DepartmentNeeded(role=by.role)
    check(by, Action.REGISTER_SOURCE, code)
    owner = department(code)
    name = checked("name", name, limit=200, required=True)
    table = checked("table", table, limit=200)
    location = checked("location", location, limit=LONGEST_LOCATION, required=True)
    check_secrecy([("name", name), ("table", table), ("location", PurePath(location.partition("?")[0]).name)])
    source = Source(id=new_id(), department=owner.code, name=name, kind=kind, table=table)
    spec = SourceSpec(kind, location, table, settings=source_settings.checked(kind, settings or {}))
    source.location = seal(spec.text().encode())
    _look(source, spec)
    with transaction.atomic():
        source.save(force_insert=True)
        _record("source.registered", source, by)
    return source


def refresh_source(by: Actor, source_id: str) -> Source:
    """Take the source in again, or probe it again. The old snapshot stays in use unless all goes well.

    raises   NotFound, NotAllowed, and what hutong.exchange.sources refuses
    """
    source = source_of(source_id)
    check(by, Action.REGISTER_SOURCE, source.department)
    before = source.schema
    _look(source, spec_of(source, snapshot=False))
    prepare_lookups(source, _keys_in_use(source))
    with transaction.atomic():
        source.save()
        changes.note_source(source, before)
        drift.settle(source.id, ())
        _record("source.refreshed", source, by)
    return source


def look_again(source: Source, actor: str, file: Path) -> None:
    """Probe a source whose file the node itself has replaced, in the caller's transaction.

    file     where it lies from now on
    raises   what hutong.exchange.sources refuses
    """
    source.location = seal(SourceSpec(source.kind, str(file), source.table).text().encode())
    _look(source, spec_of(source, snapshot=False))
    source.save()
    drift.settle(source.id, ())
    record("source.refreshed", f"source:{source.id}", actor, {"name": source.name, "rows": source.row_count})


def take_in_again(source: Source, actor: str) -> None:
    """Read a source anew that has changed by itself. Outside any transaction: it may take minutes.

    raises   what hutong.exchange.sources refuses; then the old snapshot stays in use
    """
    _look(source, spec_of(source, snapshot=False))
    with transaction.atomic():
        source.save()
        drift.settle(source.id, ())
        record("source.refreshed", f"source:{source.id}", actor, {"name": source.name, "rows": source.row_count})


def sweep_snapshots() -> None:
    """Remove replaced snapshots. Later than the refresh that replaced them, so that no read finds its snapshot gone."""
    folder = current().snapshots_folder
    for identifier, snapshot in Source.objects.exclude(snapshot="").values_list("id", "snapshot"):
        sweep(folder, identifier, folder / snapshot)


def prepare_lookups(source: Source, keys: Iterable[str]) -> None:
    """Build what the first lookups by these items would have to wait for. A failure is logged, and costs only that."""
    if not (wanted := list(keys)):
        return
    try:
        opened = open_source(spec_of(source), index_folder=current().indexes_folder)
        for key in wanted:
            opened.prepare_lookup(key)
    except Refused as refused:
        log.warning("lookups of source %s are not prepared: %s", source.id, refused.code)


def probe_source(source: Source) -> tuple[Probe | None, Refused | None]:
    """Ask the source whether it answers now, and keep the answer. Never raises for a source that does not."""
    answer: Probe | None = None
    refusal: Refused | None = None
    try:
        described = {one["name"]: one["type"] for one in source.schema}
        answer = probe(spec_of(source), described)
    except Refused as error:
        refusal = error
    message = refusal.say("en") if refusal else (answer.message if answer else "")
    checked_at = {"checked_at": datetime.now(UTC), "check_ok": refusal is None, "check_message": message[:500]}
    with transaction.atomic():
        Source.objects.filter(id=source.id).update(**checked_at)
        if answer is not None:
            drift.settle(source.id, answer.changed)
    return answer, refusal


def source_of(source_id: str) -> Source:
    """raises   NotFound"""
    found = Source.objects.filter(id=source_id).first() if is_id(source_id) else None
    if found is None:
        raise NotFound(what="source", what_zh="数据源", name=shown(source_id))
    return found


def sources(department_code: str | None = None) -> list[Source]:
    found = Source.objects.order_by("-created_at")
    return list(found.filter(department=department_code) if department_code else found)


def spec_of(source: Source, *, snapshot: bool = True) -> SourceSpec:
    """Where the data lies, unsealed. `snapshot=False` names the file itself, not what was taken in from it."""
    kept = str(current().snapshots_folder / source.snapshot) if snapshot and source.snapshot else ""
    return SourceSpec.kept(source.kind, unseal(bytes(source.location)).decode(), source.table, kept)


def _keys_in_use(source: Source) -> list[str]:
    """Items that published entries say rows are looked up by, as far as the source still has them."""
    named = Item.objects.filter(resource__source=source, resource__state="published", key=True)
    there = {one["name"] for one in source.schema}
    return [name for name in named.values_list("name", flat=True).distinct() if name in there]


def columns(schema: Any, field_ids: Mapping[str, int] | None = None) -> list[dict[str, Any]]:
    """An Arrow schema as kept with the source, with the columns' own ids where they have any."""
    ids = field_ids or {}
    return [
        {"name": one.name, "type": str(one.type), "nullable": one.nullable}
        | ({"field": ids[one.name]} if one.name in ids else {})
        for one in schema
    ]


def _look(source: Source, spec: SourceSpec) -> None:
    """Take in or probe, and fill the source's fields. A secrecy label among its columns undoes the intake."""
    taken: Path | None = None
    if spec.reads_snapshot:
        before = {one["name"]: one["type"] for one in source.schema}
        intake = take_in(spec, current().snapshots_folder, source.id, described=before)
        taken = intake.snapshot
        found, rows, aside = columns(intake.schema), intake.row_count, intake.quarantined
        message = "; ".join(intake.notes) or "taken in"
    else:
        answer = probe(spec)
        found, rows, aside = columns(answer.schema, answer.field_ids), answer.row_count, answer.quarantined
        message = answer.message
    try:
        check_secrecy([("column", one["name"]) for one in found])
    except Refused:
        if taken is not None:
            for file in taken.parent.glob(taken.stem + "*"):
                file.unlink(missing_ok=True)
        raise
    source.schema, source.row_count, source.quarantined = found, rows, aside
    source.checked_at, source.check_ok, source.check_message = datetime.now(UTC), True, message[:500]
    if taken is not None:
        source.snapshot = taken.name


def _record(kind: str, source: Source, by: Actor) -> None:
    detail = {
        "name": source.name,
        "kind": source.kind,
        "department": source.department,
        "columns": len(source.schema),
        "rows": source.row_count,
        "quarantined": source.quarantined,
    }
    record(kind, f"source:{source.id}", by.username, detail)
