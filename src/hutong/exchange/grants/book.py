"""Grants as the exchange reads them: two statements for a whole batch of requests, the rest from memory.

State, counters and the source's newest snapshot are read anew for every batch, so a suspension stops the very next
request. Terms are decoded once per version of a grant.
"""

from __future__ import annotations

import base64
from collections.abc import Collection
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import pyarrow as pa

from hutong.exchange.database import json_value, reading, select_in
from hutong.exchange.grants.grant import BadGrant, Grant
from hutong.exchange.grants.rules import Standing
from hutong.exchange.shaping.codes import CodeMap
from hutong.exchange.shaping.masks import Mask, MaskedItem
from hutong.exchange.shaping.predicate import Predicate
from hutong.exchange.sources import Source, SourceSpec, stored_schema
from hutong.exchange.sources.bound import bound
from hutong.exchange.sources.shelf import SourceShelf
from hutong.node.keys import unseal
from hutong.node.settings import current
from hutong.vocabulary.errors import Refused, Unavailable

_GRANTS = (
    "SELECT g.agreement_id, g.version, g.state, g.calls_used, g.rows_used, u.calls FROM exchange_grant g"
    " LEFT JOIN exchange_daily_use u ON u.agreement_id = g.agreement_id AND u.day = %s"
    " WHERE g.agreement_id IN"
)
_DOCUMENT = "SELECT document FROM exchange_grant WHERE agreement_id = %s AND version = %s"
_SOURCES = 'SELECT id, kind, location, "table", snapshot, checked_at FROM source WHERE id IN'
_SCHEMA = 'SELECT "schema" FROM source WHERE id = %s'
_CODES = "SELECT pairs FROM exchange_code_map WHERE id = %s"


@dataclass(frozen=True, slots=True)
class Terms:
    """A grant's unchanging side, ready to be carried out."""

    version: int
    grant: Grant
    where: Predicate | None
    masked: dict[str, MaskedItem]
    pseudonym_key: bytes  # b"" where nothing is keyed
    codes: dict[str, CodeMap]  # by item, those that are converted; mostly none


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


NO_SOURCE = (Unavailable(what="the source"), None)


class Book:
    """One per process; safe for threads (every entry is replaced whole)."""

    def __init__(self) -> None:
        self._terms: dict[str, Terms] = {}
        self._code_maps: dict[str, CodeMap] = {}
        self._named: dict[str, tuple[Terms, Source, Source | Refused]] = {}
        self._specs: dict[str, tuple[tuple[Any, ...], SourceSpec, pa.Schema | None]] = {}
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
                *self._bound(terms[agreement], *sources.get(terms[agreement].grant.source, NO_SOURCE)),
            )
            for agreement, _version, state, calls_used, rows_used, today in rows
        }

    def open_unsaved(self, grant: Grant) -> Opened:
        """A grant nobody has made, as it would stand at its start.

        raises   BadGrant, Unavailable
        """
        with reading("the sources' database") as cursor:
            sources = self._read_sources(cursor, {grant.source})
            codes = self._codes(cursor, grant)
        terms = _terms(0, grant, codes)
        source, spec = sources.get(grant.source, NO_SOURCE)
        return Opened(terms, Standing("active", 0, 0, 0), _bound(terms, source), spec)

    def _bound(
        self, terms: Terms, source: Source | Refused, spec: SourceSpec | None
    ) -> tuple[Source | Refused, SourceSpec | None]:
        """The source under the grant's names, remembered while neither changes; and where it lies."""
        if not terms.grant.fields or not isinstance(source, Source):
            return source, spec
        agreement = terms.grant.agreement
        known = self._named.get(agreement)
        if known is None or known[0] is not terms or known[1] is not source:
            known = self._named[agreement] = (terms, source, _bound(terms, source))
        return known[2], spec

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

    def _read_sources(self, cursor: Any, ids: Collection[str]) -> dict[str, tuple[Source | Refused, SourceSpec | None]]:
        rows = select_in(cursor, _SOURCES, ids)
        described = {row[0]: (row[1], bytes(row[2]), *row[3:]) for row in rows}
        return {one: self._source(cursor, one, described[one]) for one in described}

    def _source(
        self, cursor: Any, identifier: str, described: tuple[Any, ...]
    ) -> tuple[Source | Refused, SourceSpec | None]:
        spec: SourceSpec | None = None
        try:
            spec, schema = self._spec(cursor, identifier, described)
            return self._shelf.get(spec, schema), spec
        except Refused as refused:
            return refused, spec

    def _spec(self, cursor: Any, identifier: str, described: tuple[Any, ...]) -> tuple[SourceSpec, pa.Schema | None]:
        """Where the source lies, and its items as last probed; decoded anew when it was probed or refreshed."""
        known = self._specs.get(identifier)
        if known is not None and known[0] == described:
            return known[1:]
        if known is not None:
            self._shelf.drop(known[1])  # it may have other items or types now
        cursor.execute(_SCHEMA, (identifier,))
        row = cursor.fetchone()
        schema = stored_schema(json_value(row[0])) if row else None
        kind, sealed, table, snapshot, _checked_at = described
        location = unseal(sealed).decode("utf-8")
        file = str(self._snapshots / snapshot) if snapshot else ""
        spec = SourceSpec(kind=kind, location=location, table=table, snapshot=file)
        self._specs[identifier] = (described, spec, schema)
        return spec, schema


def _bound(terms: Terms, source: Source | Refused) -> Source | Refused:
    if not isinstance(source, Source):
        return source
    try:
        return bound(source, terms.grant.fields)
    except Refused as refused:
        return refused


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
