"""What an edition is an edition of, as one digest: two reads share a file only where nothing that shapes it differs."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import orjson

from hutong.exchange.grants.book import Opened
from hutong.exchange.query import Query
from hutong.exchange.sources.changed import last_change
from hutong.vocabulary.canonical import digest
from hutong.vocabulary.errors import Unavailable

SURE_AFTER = timedelta(seconds=2)  # file times are coarse: a file written later than this before our look may differ
FRESH_FOR = timedelta(seconds=60)  # how long an edition of a source that cannot date its changes counts as current


@dataclass(frozen=True)
class SourceState:
    """How a source stands, looked at before its rows are read.

    mark   another text after every change, where the source can tell
    sure    the mark alone proves that nothing has changed
    """

    mark: str
    sure: bool
    at: datetime

    def still_holds(self, then: str, then_sure: bool, checked_at: datetime) -> bool:
        """Whether an edition made when the source stood at `then` is what it would give now."""
        return then == self.mark and (then_sure or self.at - checked_at < FRESH_FOR)


def state_of(opened: Opened) -> SourceState:
    """raises   SourceRefused when the source is not there, Unavailable"""
    if opened.spec is None:
        raise Unavailable(what="the source")
    now = datetime.now(UTC)
    last = last_change(opened.spec)
    return SourceState(
        mark=named([last.mark, opened.spec.snapshot]),
        sure=last.at is not None and now - last.at > SURE_AFTER,
        at=now,
    )


def terms_of(opened: Opened, query: Query, form: str) -> str:
    """The digest of agreement, source, policy, the key of pseudonyms, what is asked for, and form."""
    if opened.spec is None:
        raise Unavailable(what="the source")
    grant, spec = opened.grant, opened.spec
    return named(
        {
            "agreement": grant.agreement,
            "source": [grant.source, spec.kind, spec.location, spec.table],
            "policy": [[item.name, dict(item.mask), item.codes] for item in grant.items],
            "tracing": grant.tracing.to_document() if grant.tracing is not None else None,
            "columns": dict(grant.fields),
            "rows": dict(grant.where) if grant.where is not None else None,
            # The key itself stays sealed; its digest tells one key from the next.
            "key": hashlib.sha256(b"hutong pseudonym key\n" + opened.terms.pseudonym_key).hexdigest(),
            "items": list(query.items) if query.items is not None else None,
            "where": query.where.to_document() if query.where is not None else None,
            "limit": query.limit,
            "form": form,
        }
    )


def named(document: Any) -> str:
    """A short name for a document: the first 32 hex digits of its SHA-256."""
    return digest(orjson.dumps(document, option=orjson.OPT_SORT_KEYS)).removeprefix("sha256:")[:32]
