"""The editor of a code map: what the source really holds, what is covered, what is proposed for the rest."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from django.urls import reverse
from django.utils.translation import gettext as _

from hutong.control.catalogue.models import Item, Resource
from hutong.control.identity.models import Account
from hutong.control.identity.rules import Action
from hutong.control.standards import queries
from hutong.control.standards.code_maps import Coverage, coverage
from hutong.control.standards.models import Definition
from hutong.portal.components import access, words
from hutong.portal.components.page import Page, Refusal, refusal_of, shell_for
from hutong.portal.components.parts import Choice, May
from hutong.portal.stewards.forms import MOST_SHOWN, MapForm
from hutong.vocabulary.errors import NotFound, Refused


@dataclass(frozen=True)
class PairRow:
    """One local value with a field for its regional code."""

    code: str
    rows: int
    target: str
    suggested: bool  # the target is a proposal by name, not yet agreed


@dataclass(frozen=True)
class Covered:
    """What the map covers of one item's column: counts."""

    item: str
    values: int
    values_covered: int
    rows: int
    rows_covered: int
    more: bool
    width: int  # of 100: the rows covered


@dataclass(frozen=True, kw_only=True)
class MapPage(Page):
    tables: tuple[Choice, ...]
    table: str
    title: str
    form: MapForm | None
    options: tuple[tuple[str, str], ...]  # regional code and name
    pairs: tuple[PairRow, ...]
    pairs_beyond: int
    coverage: Covered | None
    looked_at: tuple[Choice, ...]
    may_propose: May
    export_url: str


def map_page(
    account: Account,
    known: Definition | None,
    *,
    table: str,
    item: str,
    data: Mapping[str, str] | None = None,
    form: MapForm | None = None,
    refusal: Refusal | None = None,
) -> MapPage:
    """The editor.

    known    the newest version of the map, to go on from
    item     "resource/item": whose column to look at
    data     the pairs as filled in, after a refusal
    """
    table = str(known.document["table"]) if known else table
    form = form or (MapForm(table, known) if table else None)
    pairs = {**(queries.pairs_of(known) if known else {}), **(data or {})}
    seen: Coverage | None = None
    if form is not None and item:
        try:
            seen = coverage(*_resource_item(item), pairs, table)
        except Refused as refused:
            refusal = refusal or refusal_of(refused)
    found = queries.in_force("table", table) if table else None
    rows = _rows(pairs, seen)
    return MapPage(
        shell=shell_for(account, "standards"),
        refusal=refusal,
        tables=tuple(
            Choice(one.name, f"{words.of_language(one.title_zh, one.title_en)} ({one.name})", one.name == table)
            for one in queries.all_in_force("table")
        ),
        table=words.of_language(found.title_zh, found.title_en) if found else table,
        title=words.of_language(known.title_zh, known.title_en) if known else _("A new code map"),
        form=form,
        options=tuple(
            (row.code, words.of_language(row.title_zh, row.title_en))
            for row in (queries.codes_of(found) if found else ())
        ),
        pairs=tuple(rows[:MOST_SHOWN]),
        pairs_beyond=max(0, len(rows) - MOST_SHOWN),
        coverage=_covered(item, seen) if seen else None,
        looked_at=tuple(Choice(value, word, value == item) for value, word in (form.item_choices if form else ())),
        may_propose=access.may(account, Action.PROPOSE_STANDARD),
        export_url=reverse("map_export", args=[known.name]) if known else "",
    )


def _rows(pairs: Mapping[str, str], seen: Coverage | None) -> list[PairRow]:
    """What the source holds first, what it lacks on top; then what the map has beyond it."""
    if seen is None:
        return [PairRow(code, 0, target, False) for code, target in pairs.items()]
    rows = [
        PairRow(one.code, one.rows, one.regional or one.suggested, not one.regional and bool(one.suggested))
        for one in seen.values
    ]
    present = {one.code for one in rows}
    return rows + [PairRow(code, 0, target, False) for code, target in pairs.items() if code not in present]


def _covered(item: str, seen: Coverage) -> Covered:
    width = round(100 * seen.rows_covered / seen.rows) if seen.rows else 100
    return Covered(
        item.partition("/")[2], len(seen.values), seen.covered, seen.rows, seen.rows_covered, seen.more, width
    )


def _resource_item(item: str) -> tuple[Resource, str]:
    """raises   NotFound, through the item's own lookup"""
    resource_id, _slash, name = item.partition("/")
    found = Item.objects.select_related("resource__source").filter(resource_id=resource_id, name=name).first()
    if found is None:
        raise NotFound(what="item", what_zh="信息项", name=name[:60])
    return found.resource, name
