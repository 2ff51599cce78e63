"""Rows that stayed behind: which exchanges, and, for the provider's own steward alone, which values they lacked."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as lazy

from hutong.control.agreements.models import Agreement
from hutong.control.identity.models import Account
from hutong.control.identity.rules import Action
from hutong.control.standards import queries
from hutong.control.standards.models import ItemCodes
from hutong.exchange.models import WithheldRows
from hutong.exchange.withheld import Kept
from hutong.portal.components import access, scope, words
from hutong.portal.components.page import Page, shell_for
from hutong.portal.components.paging import Sheet, sheet
from hutong.portal.components.parts import Badge, Choice, May
from hutong.portal.components.peers import Names
from hutong.portal.components.titles import title_of_entry, titles_of_entries

ROWS = 50
NEWEST = 200  # exchanges whose values are gathered; older ones lacked the same, as a rule
STATES: words.Stated = {
    "waiting": (lazy("waiting for the code map"), "wait"),
    "ready": (lazy("can be sent"), "accent"),
    "replayed": (lazy("sent"), "good"),
}


@dataclass(frozen=True)
class WithheldRow:
    exchange: str
    agreement: str
    agreement_url: str
    side: str
    peer: str
    at: datetime
    state: Badge
    items: tuple[str, ...]
    values_url: str


@dataclass(frozen=True, kw_only=True)
class WithheldPage(Page):
    shown: tuple[Choice, ...]
    rows: tuple[WithheldRow, ...]
    pager: Sheet[WithheldRows]


@dataclass(frozen=True)
class ValueRow:
    code: str
    exchanges: int


@dataclass(frozen=True)
class LackingItem:
    item: str
    map_title: str
    edit_url: str
    values: tuple[ValueRow, ...]


@dataclass(frozen=True, kw_only=True)
class ValuesPage(Page):
    agreement: str
    agreement_url: str
    peer: str
    items: tuple[LackingItem, ...]
    exchanges: int
    may_edit: May


def withheld_page(account: Account, query: Mapping[str, object]) -> WithheldPage:
    shown = str(query.get("show") or "waiting")
    shown = shown if shown in STATES else "waiting"
    rows = scope.withheld(account).filter(state=shown)
    lists = [rows.filter(role=role) for role in ("provider", "consumer")]
    listed = sheet(lists, "at", reverse("withheld"), {**query, "show": shown}, size=ROWS)
    agreements = {one.id: one for one in Agreement.objects.filter(id__in={row.agreement_id for row in listed.rows})}
    names, titles = Names(), titles_of_entries({one.resource_id for one in agreements.values()})
    return WithheldPage(
        shell=shell_for(account, "withheld"),
        shown=tuple(Choice(value, str(word), value == shown) for value, (word, _tone) in STATES.items()),
        rows=tuple(_row(account, row, agreements.get(row.agreement_id), names, titles) for row in listed.rows),
        pager=listed,
    )


def values_page(account: Account, agreement: Agreement) -> ValuesPage:
    """The values that no map holds, by item. Of this node's own data, for its own steward."""
    rows = WithheldRows.objects.filter(agreement_id=agreement.id, role="provider", state__in=("waiting", "ready"))
    counts: dict[str, Counter[str]] = {}
    for row in rows.order_by("-id")[:NEWEST]:
        if not bytes(row.sealed):
            continue  # too old: only its counts are left
        for item, values in Kept.unsealed(row.exchange_id, bytes(row.sealed)).waiting().items():
            counts.setdefault(item, Counter()).update(values)
    bound = dict(ItemCodes.objects.filter(resource_id=agreement.resource_id).values_list("item", "map_name"))
    return ValuesPage(
        shell=shell_for(account, "withheld"),
        agreement=title_of_entry(agreement.resource_id),
        agreement_url=reverse("agreement", args=[agreement.id]),
        peer=Names()(agreement.peer),
        items=tuple(_lacking(agreement, item, values, bound.get(item, "")) for item, values in sorted(counts.items())),
        exchanges=rows.count(),
        may_edit=access.may(account, Action.PROPOSE_STANDARD),
    )


def _lacking(agreement: Agreement, item: str, values: Counter[str], map_name: str) -> LackingItem:
    found = queries.newest_map(map_name) if map_name else None
    held = queries.pairs_of(found) if found else {}
    return LackingItem(
        item=item,
        map_title=words.of_language(found.title_zh, found.title_en) if found else map_name,
        edit_url=f"{reverse('map_edit')}?map={map_name}&item={agreement.resource_id}/{item}" if map_name else "",
        values=tuple(ValueRow(code, many) for code, many in values.most_common() if code not in held),
    )


def _row(
    account: Account, row: WithheldRows, agreement: Agreement | None, names: Names, titles: Mapping[str, str]
) -> WithheldRow:
    provides = row.role == "provider"
    may_see = provides and access.may(account, Action.SEE_WITHHELD_VALUES)
    return WithheldRow(
        exchange=row.exchange_id,
        agreement=titles[agreement.resource_id] if agreement else row.agreement_id,
        agreement_url=reverse("agreement", args=[row.agreement_id]) if agreement else "",
        side=words.word(words.SIDES, row.role),
        peer=names(agreement.peer) if agreement else "",
        at=row.at,
        state=words.state(STATES, row.state),
        items=tuple(
            _("{item}: {rows} rows").format(item=item, rows=words.number(rows)) for item, rows in row.items.items()
        ),
        values_url=reverse("withheld_values", args=[row.agreement_id]) if may_see and agreement else "",
    )
