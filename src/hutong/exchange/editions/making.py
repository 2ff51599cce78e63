"""Making editions: of an agreement's rows, of a part of an edition, of what differs between two."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import orjson

from hutong.exchange.converted import conversion, open_converted
from hutong.exchange.editions import heads
from hutong.exchange.editions.difference import difference
from hutong.exchange.editions.edition import Edition
from hutong.exchange.editions.shelf import Rows, Shelf
from hutong.exchange.editions.terms import SourceState, named, state_of, terms_of
from hutong.exchange.grants.book import Opened
from hutong.exchange.grants.rules import Allowed
from hutong.exchange.query import Query
from hutong.exchange.records import open_rows, sowing
from hutong.exchange.shaping.converting import Withheld
from hutong.exchange.shaping.predicate import Predicate
from hutong.exchange.sources.parquet import ParquetSource
from hutong.node.keys import seal
from hutong.vocabulary.errors import Refused

ANEW = frozenset({"sha256_query"})  # masks that are others in each answer: a file would link one read to the next


class VersionNotKept(Refused):
    """Version {version} of agreement {agreement} is not kept here; kept are {kept}."""

    zh = "协议 {agreement} 的版本 {version} 未保留；现有版本：{kept}。"
    code = "version_not_kept"
    status = 400
    next_en = "Read the newest version, or changes from a version that is kept."
    next_zh = "请读取最新版本，或从现有版本起读取变更。"


class NotAsFiles(Refused):
    """These items are masked anew for each answer, so they are not kept in files: {items}."""

    zh = "以下信息项在每次答复中重新脱敏，不能保存为文件：{items}。"
    code = "not_as_files"
    status = 409
    next_en = "Leave them out, or read the agreement as a stream."
    next_zh = "请去掉这些信息项，或以流方式读取该协议。"


class Editions:
    """One per process; safe for threads. Every method may take as long as reading the source does."""

    def __init__(self, shelf: Shelf) -> None:
        self.shelf = shelf

    def current(self, opened: Opened, allowed: Allowed, query: Query, form: str) -> Edition:
        """What the agreement gives now for this query: as kept, or made anew when the source may have changed.

        raises   what reading the source raises, EditionTooLarge, NotAsFiles
        """
        anew = sorted(item.name for item in allowed.items if item.action in ANEW)
        if anew:
            raise NotAsFiles(items=anew)
        terms = terms_of(opened, query, form)
        kept = self._kept(query.agreement, terms, state_of(opened))
        if kept is not None:
            return kept
        with self.shelf.one_at_a_time(query.agreement, terms):
            state = state_of(opened)
            kept = self._kept(query.agreement, terms, state)
            if kept is not None:
                return kept
            draft = self._draft(opened, allowed, query, form)
            return self._placed(draft, state)

    def version(self, current: Edition, version: int) -> Edition:
        """An earlier edition of the same terms.

        raises   VersionNotKept
        """
        found = self.shelf.get(current.agreement, current.terms, version)
        if found is None or version > current.version:
            kept = self.shelf.versions(current.agreement, current.terms)
            raise VersionNotKept(agreement=current.agreement, version=version, kept=kept)
        return found

    def part(self, whole: Edition, where: Predicate | None, limit: int | None) -> Edition:
        """The rows of an edition for which a condition on its own, masked, values holds; at most `limit` of them.

        raises   BadPredicate where the condition does not fit the edition's items
        """
        if limit is not None and limit >= whole.rows:
            limit = None
        if where is None and limit is None:
            return whole
        if where is not None:
            where.check({field.name: field.type for field in whole.schema})
        terms = named([whole.terms, "part", where.to_document() if where is not None else None, limit])
        with self._missing(whole, terms) as found:
            if found is not None:
                return found
            source = ParquetSource(whole.file)
            with _closing(source):
                rows = source.read(whole.schema.names, where, limit)
                draft = self.shelf.write(whole.agreement, terms, "parquet", Rows(rows))
            return self.shelf.keep(draft, whole.version)

    def changes(self, before: Edition, after: Edition) -> Edition:
        """What rows went and came between two editions, each row with what became of it in the column _change_type."""
        terms = named([after.terms, "changes", before.version])
        with self._missing(after, terms) as found:
            if found is not None:
                return found
            draft = self.shelf.write(after.agreement, terms, "parquet", Rows(difference(before, after)))
            return self.shelf.keep(draft, after.version)

    @contextmanager
    def _missing(self, whole: Edition, terms: str) -> Iterator[Edition | None]:
        """The edition of these terms and the whole's version; where there is none, the right to make it."""
        found = self.shelf.get(whole.agreement, terms, whole.version)
        if found is not None:
            yield found
            return
        with self.shelf.one_at_a_time(whole.agreement, terms):
            yield self.shelf.get(whole.agreement, terms, whole.version)

    def _kept(self, agreement: str, terms: str, state: SourceState) -> Edition | None:
        head = heads.read(terms)
        if head is None or not state.still_holds(head.mark, head.sure, head.checked_at):
            return None
        return self.shelf.get(agreement, terms, head.version)

    def _draft(self, opened: Opened, allowed: Allowed, query: Query, form: str) -> Edition:
        return self.shelf.write(query.agreement, terms_of(opened, query, form), form, _rows(opened, allowed, query))

    def _placed(self, draft: Edition, state: SourceState) -> Edition:
        """Rows as before are the version as before."""
        agreement, terms = draft.agreement, draft.terms
        head = heads.read(terms)
        same = head is not None and head.digest == draft.digest
        kept = self.shelf.get(agreement, terms, head.version) if head is not None and same else None
        if kept is not None:
            self.shelf.drop(draft)
        else:
            version = heads.next_version(agreement) if head is None else head.version + (not same)
            kept = self.shelf.keep(draft, version, first=head is None)
        heads.write(agreement, terms, kept, state)
        return kept


def _rows(opened: Opened, allowed: Allowed, query: Query) -> Rows:
    if not opened.terms.codes:
        reader = open_rows(opened, allowed, query)
        return Rows(reader, sowing(opened, query, reader.schema))
    reader, withheld = open_converted(conversion(opened, allowed, query), query.limit)
    return Rows(reader, sowing(opened, query, reader.schema), withheld, _sealed)


def _sealed(withheld: Withheld) -> str:
    values = {item: list(values) for item, values in withheld.values.items()}
    return seal(orjson.dumps(values)).decode("ascii")


@contextmanager
def _closing(source: ParquetSource) -> Iterator[None]:
    try:
        yield
    finally:
        source.close()
