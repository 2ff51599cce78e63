"""Grants as the exchange reads them: two statements for a whole batch of requests, the rest from memory.

State, counters and the source's newest snapshot are read anew for every batch, so a suspension stops the very next
request. Terms are decoded once per version of a grant.
"""

from __future__ import annotations

import base64
import logging
import time
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from functools import partial
from pathlib import Path
from typing import Any

import pyarrow as pa
from django.db import DatabaseError

from hutong.exchange.database import json_value, reading, select_in
from hutong.exchange.grants.grant import BadGrant, Grant
from hutong.exchange.grants.rules import Standing
from hutong.exchange.models import Source as SourceRow
from hutong.exchange.shaping.codes import CodeMap
from hutong.exchange.shaping.masks import Mask, MaskedItem
from hutong.exchange.shaping.predicate import Predicate
from hutong.exchange.sources import Source, SourceSpec, stored_schema
from hutong.exchange.sources.bound import bound
from hutong.exchange.sources.changed import FILES, last_change
from hutong.exchange.sources.shelf import SourceShelf
from hutong.exchange.sources.spec import SourceDrifted
from hutong.node import work
from hutong.node.keys import unseal
from hutong.node.settings import current
from hutong.vocabulary.errors import Refused, Unavailable

_GRANTS = (
    "SELECT g.agreement_id, g.version, g.state, g.calls_used, g.rows_used, u.calls FROM exchange_grant g"
    " LEFT JOIN exchange_daily_use u ON u.agreement_id = g.agreement_id AND u.day = %s"
    " WHERE g.agreement_id IN"
)
_DOCUMENT = "SELECT document FROM exchange_grant WHERE agreement_id = %s AND version = %s"
_SOURCES = 'SELECT id, kind, location, "table", snapshot, checked_at, drift FROM source WHERE id IN'
_SCHEMA = 'SELECT "schema" FROM source WHERE id = %s'
DRIFT_WORK = "catalogue.drift"  # the work that looks at sources which were found changed
_CODES = "SELECT pairs FROM exchange_code_map WHERE id = %s"


AS_OF_FOR_S = 1.0  # how long what a file says of its age is taken for true

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Described:
    """A source as it stands in the database."""

    row: tuple[Any, ...]
    spec: SourceSpec
    schema: pa.Schema | None
    types: dict[str, str]  # of its items, as it was described
    drift: frozenset[str]  # of its items, those it is known to have lost


@dataclass(frozen=True, slots=True)
class Held:
    """A source, open or refused, which of its columns are as they were described, and where it lies."""

    source: Source | Refused
    columns: frozenset[str]
    spec: SourceSpec | None


@dataclass(frozen=True, slots=True)
class Terms:
    """A grant's unchanging side, ready to be carried out."""

    version: int
    grant: Grant
    where: Predicate | None
    masked: dict[str, MaskedItem]
    pseudonym_key: bytes  # b"" where nothing is keyed
    codes: dict[str, CodeMap]  # by item, those that are converted; mostly none
    touched: frozenset[str] = field(init=False)  # every item that is given or tested

    def __post_init__(self) -> None:
        tested = self.where.items() if self.where else frozenset()
        object.__setattr__(self, "touched", frozenset(self.masked) | tested)


@dataclass(frozen=True, slots=True)
class Opened:
    """A grant as it stands now."""

    terms: Terms
    standing: Standing
    source: Source | Refused  # a refusal where the source cannot be opened
    spec: SourceSpec | None = None  # where it lies; None where that cannot be told

    @property
    def grant(self) -> Grant:
        return self.terms.grant


class Book:
    """One per process; safe for threads (every entry is replaced whole)."""

    def __init__(self) -> None:
        self._terms: dict[str, Terms] = {}
        self._as_of: dict[str, tuple[float, float | None]] = {}  # by source: when we looked, and since when it is so
        self._code_maps: dict[str, CodeMap] = {}
        self._described: dict[str, Described] = {}
        self._held: dict[str, Held] = {}
        self._named: dict[str, tuple[Terms, Held, Source | Refused]] = {}
        self._shelf = SourceShelf(index_folder=current().indexes_folder)
        self._snapshots: Path = current().snapshots_folder

    def open(self, agreements: Collection[str], day: date) -> dict[str, Opened]:
        """The grants of these agreements that exist here, as they stand now.

        raises   BadGrant, Unavailable (the database does not answer)
        """
        with reading("the grants' database") as cursor:
            rows = select_in(cursor, _GRANTS, sorted(agreements), (str(day),))
            terms = {row[0]: self._read_terms(cursor, row[0], row[1]) for row in rows}
            sources = self._read_sources(cursor, {one.grant.source for one in terms.values()})
        return {
            agreement: Opened(
                terms[agreement],
                Standing(state, today or 0, calls_used, rows_used),
                *self._readable(terms[agreement], sources.get(terms[agreement].grant.source)),
            )
            for agreement, _version, state, calls_used, rows_used, today in rows
        }

    def age_s(self, opened: Opened) -> int | None:
        """How old the data behind a grant is, in seconds, to within AS_OF_FOR_S; None where it cannot be told at once.

        Files know when they were written, at the price of a look; a database would have to be asked for each query.
        """
        if opened.spec is None or opened.spec.kind not in FILES:
            return None
        source, now = opened.grant.source, time.time()
        looked_at, as_of = self._as_of.get(source, (0.0, None))
        if now - looked_at > AS_OF_FOR_S:
            as_of = _written_at(opened.spec)
            self._as_of[source] = (now, as_of)
        return None if as_of is None else max(0, int(now - as_of))

    def open_unsaved(self, grant: Grant) -> Opened:
        """A grant nobody has made, as it would stand at its start.

        raises   BadGrant, Unavailable
        """
        with reading("the sources' database") as cursor:
            sources = self._read_sources(cursor, {grant.source})
            codes = self._codes(cursor, grant)
        terms = _terms(0, grant, codes)
        held = sources.get(grant.source)
        return Opened(terms, Standing("active", 0, 0, 0), _readable(terms, held), held.spec if held else None)

    def _readable(self, terms: Terms, held: Held | None) -> tuple[Source | Refused, SourceSpec | None]:
        """The source under the grant's names, remembered while neither changes; and where it lies."""
        if held is None:
            return _readable(terms, held), None
        agreement = terms.grant.agreement
        known = self._named.get(agreement)
        if known is None or known[0] is not terms or known[1] is not held:
            known = self._named[agreement] = (terms, held, _readable(terms, held))
        return known[2], held.spec

    def _read_terms(self, cursor: Any, agreement: str, version: int) -> Terms:
        known = self._terms.get(agreement)
        if known is not None and known.version == version:
            return known
        cursor.execute(_DOCUMENT, (agreement, version))
        row = cursor.fetchone()
        if row is None:
            # It changed this instant; asked again it is there.
            raise Unavailable(what=f"the grant of agreement {agreement}", what_zh=f"协议 {agreement} 的授权")
        grant = Grant.from_document(json_value(row[0]))
        terms = self._terms[agreement] = _terms(version, grant, self._codes(cursor, grant))
        return terms

    def _codes(self, cursor: Any, grant: Grant) -> dict[str, CodeMap]:
        return {one.name: self._code_map(cursor, grant.agreement, one.codes) for one in grant.items if one.codes}

    def _code_map(self, cursor: Any, agreement: str, identifier: str) -> CodeMap:
        """A version of a code map never changes, so it is read once."""
        if identifier not in self._code_maps:
            cursor.execute(_CODES, (identifier,))
            row = cursor.fetchone()
            if row is None:
                raise BadGrant(agreement=agreement, reason="it names an unknown code map", reason_zh="代码映射不存在")
            self._code_maps[identifier] = CodeMap(identifier, json_value(row[0]))
        return self._code_maps[identifier]

    def _read_sources(self, cursor: Any, ids: Collection[str]) -> dict[str, Held]:
        rows = select_in(cursor, _SOURCES, ids)
        return {row[0]: self._source(cursor, row[0], (row[1], bytes(row[2]), *row[3:])) for row in rows}

    def _source(self, cursor: Any, identifier: str, row: tuple[Any, ...]) -> Held:
        described: Described | None = None
        try:
            described = self._describe(cursor, identifier, row)
            source = self._shelf.get(described.spec, described.schema)
        except Refused as refused:
            return Held(refused, frozenset(), described.spec if described else None)
        held = self._held.get(identifier)
        if held is None or held.source is not source:
            source.on_drift = partial(_note_drift, identifier)
            changed = source.differing(described.types)
            if changed and not described.drift.issuperset(changed):
                source.on_drift(changed)
            there = frozenset(source.schema.names)
            known = there.intersection(described.types) if described.types else there
            held = Held(source, known - described.drift - set(changed), described.spec)
            self._held[identifier] = held
        return held

    def _describe(self, cursor: Any, identifier: str, row: tuple[Any, ...]) -> Described:
        """Where the source lies, and its items as last probed; decoded anew when it was probed or refreshed."""
        known = self._described.get(identifier)
        if known is not None and known.row == row:
            return known
        if known is not None:
            self._shelf.drop(known.spec)  # it may have other items or types now
            self._held.pop(identifier, None)
        cursor.execute(_SCHEMA, (identifier,))
        found = cursor.fetchone()
        columns = json_value(found[0]) if found else []
        kind, sealed, table, snapshot, _checked_at, drift = row
        file = str(self._snapshots / snapshot) if snapshot else ""
        described = self._described[identifier] = Described(
            row,
            SourceSpec.kept(kind, unseal(sealed).decode("utf-8"), table, file),
            stored_schema(columns),
            {one["name"]: one["type"] for one in columns},
            frozenset(json_value(drift)),
        )
        return described


def _note_drift(identifier: str, items: Sequence[str]) -> None:
    """Every process refuses from its next batch on, and the control plane looks at the source soon."""
    try:
        found = SourceRow.objects.filter(id=identifier, drifted_at=None)
        if found.update(drift=sorted(items), drifted_at=datetime.now(UTC)):
            work.wake(DRIFT_WORK)
    except DatabaseError as error:
        log.error("exchange: the drift of source %s was not kept: %s", identifier, type(error).__name__)


def _readable(terms: Terms, held: Held | None) -> Source | Refused:
    """The source under the grant's names, unless it has lost an item that the grant gives or tests."""
    if held is None:
        return Unavailable(what="the source")
    if isinstance(held.source, Refused):
        return held.source
    try:
        source = bound(held.source, terms.grant.fields)
    except Refused as refused:
        return refused
    lost = sorted(item for item in terms.touched if source.column_of(item) not in held.columns)
    return SourceDrifted(items=lost) if lost else source


def _written_at(spec: SourceSpec) -> float | None:
    try:
        at = last_change(spec).at
    except Refused:
        return None
    return at.timestamp() if at is not None else None


def _terms(version: int, grant: Grant, codes: dict[str, CodeMap]) -> Terms:
    try:
        where = None if grant.where is None else Predicate.from_document(grant.where)
        marked = grant.tracing.watermark if grant.tracing else ()
        masked = {
            item.name: MaskedItem(item.name, Mask.from_document(item.mask, item.name), item.name in marked)
            for item in grant.items
        }
        if grant.tracing is not None:
            grant.tracing.check({name: item.mask.action for name, item in masked.items()})
        key = unseal(base64.b64decode(grant.pseudonym_key)) if grant.pseudonym_key else b""
    except (Refused, ValueError) as error:
        raise BadGrant(
            agreement=grant.agreement,
            reason="its condition, a mask or its key cannot be read",
            reason_zh="其条件、脱敏方式或密钥无法读取",
        ) from error
    return Terms(version, grant, where, masked, key, codes)
