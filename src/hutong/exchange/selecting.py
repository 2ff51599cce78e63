"""Which files a query is answered with: of the agreement's newest edition, an earlier one, a part, or what changed."""

from __future__ import annotations

from dataclasses import dataclass

from hutong.exchange.desk import Admitted
from hutong.exchange.downloads import OpenedFile
from hutong.exchange.editions.edition import Edition
from hutong.exchange.editions.making import Editions, VersionNotKept
from hutong.exchange.query import WHOLE, BadQuery, Chosen
from hutong.exchange.shaping.values import BadPredicate, Kind, kind_of


@dataclass(frozen=True)
class Selected:
    """`chosen` is the edition the files are of, or the newest where nothing is opened."""

    chosen: Edition
    files: tuple[OpenedFile, ...]


def select(editions: Editions, admitted: Admitted, form: str) -> Selected:
    """In a thread of its own: the first of its kind takes as long as reading the source.

    raises   QuotaSpent where the files have more rows than are left, VersionNotKept, what reading the source raises
    """
    query = admitted.query
    choice = query.edition or WHOLE
    newest = editions.current(admitted.opened, admitted.allowed, query, form)
    chosen = _version(editions, newest, choice)
    if choice.look:
        return Selected(chosen, ())
    if choice.changes_from is not None:
        return Selected(chosen, _changes(editions, chosen, choice.changes_from))
    return Selected(chosen, (_file(_part(editions, chosen, choice), "rows"),))


def _version(editions: Editions, newest: Edition, choice: Chosen) -> Edition:
    if choice.version is not None:
        return editions.version(newest, choice.version)
    if choice.at is None and choice.since is None:
        return newest
    numbers = editions.shelf.versions(newest.agreement, newest.terms)
    kept = [one for one in (editions.shelf.get(newest.agreement, newest.terms, number) for number in numbers) if one]
    if choice.since is not None:
        found = next((one for one in kept if one.made_at >= choice.since), None)
    else:
        found = next((one for one in reversed(kept) if choice.at is not None and one.made_at <= choice.at), None)
    if found is None:
        moment = choice.since or choice.at
        raise VersionNotKept(agreement=newest.agreement, version=str(moment), kept=numbers)
    return found


def _part(editions: Editions, whole: Edition, choice: Chosen) -> Edition:
    """A condition that does not fit is left to the reader: it is a wish for less, never a right to more.

    So is one on a number with a fraction: engines order NaN differently, and a row the reader would keep must come.
    """
    kinds = {one.name: kind_of(one.type) for one in whole.schema}
    if choice.where is not None and any(kinds.get(item) is Kind.DOUBLE for item in choice.where.items()):
        return editions.part(whole, None, None)
    if whole.form != "parquet" and (choice.where is not None or choice.limit is not None):
        raise BadQuery(reason="a part is of parquet files", reason_zh="只能选取 parquet 文件的部分")
    try:
        return editions.part(whole, choice.where, choice.limit)
    except BadPredicate:
        return editions.part(whole, None, None)


def _changes(editions: Editions, last: Edition, start: int) -> tuple[OpenedFile, ...]:
    """A file for each version from `start` to the last one that changed something."""
    files: list[OpenedFile] = []
    for version in range(start, last.version + 1):
        after = editions.version(last, version)
        if after.first:
            files.append(_file(after, "add"))
            continue
        changed = editions.changes(editions.version(last, version - 1), after)
        files.append(_file(changed, "cdf", after))
    return tuple(files)


def _file(edition: Edition, kind: str, of: Edition | None = None) -> OpenedFile:
    return OpenedFile(
        rows=edition.rows,
        bytes=edition.bytes,
        digest=edition.digest,
        version=edition.version,
        made_at=(of or edition).made_at_ms,
        kind=kind,
        terms=edition.terms,
        agreed=edition.agreed,
    )
