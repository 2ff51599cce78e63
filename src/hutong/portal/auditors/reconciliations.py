"""The daily comparison of our ledger with each member's: what held, what differs, which exchange by name."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from django.urls import reverse
from django.utils.translation import gettext as _

from hutong.control.identity.models import Account
from hutong.exchange.models import ExchangeRecord
from hutong.ledger.models import DailyReconciliation
from hutong.portal.components import words
from hutong.portal.components.page import Page, shell_for
from hutong.portal.components.paging import Pager, page_number, pager
from hutong.portal.components.parts import Badge
from hutong.portal.components.peers import Names

PAGE_SIZE = 30


@dataclass(frozen=True)
class NamedDifference:
    exchange: str
    url: str  # "" where the exchange stands in the other ledger alone
    what: str


@dataclass(frozen=True)
class Compared:
    day: date
    at: datetime
    peer: str
    state: Badge
    agreed: int
    pending: int
    trouble: str
    differences: tuple[NamedDifference, ...]


@dataclass(frozen=True, kw_only=True)
class ReconciliationsPage(Page):
    rows: tuple[Compared, ...]
    pager: Pager


def reconciliations_page(account: Account, number: str | None) -> ReconciliationsPage:
    found = DailyReconciliation.objects.order_by("-day", "peer")
    pages = pager(reverse("reconciliations"), {}, page=page_number(number), size=PAGE_SIZE, total=found.count())
    first = (pages.page - 1) * PAGE_SIZE
    rows = list(found[first : first + PAGE_SIZE])
    named = {one["exchange"] for row in rows for one in row.differences}
    ours = dict(ExchangeRecord.objects.filter(exchange_id__in=named).values_list("exchange_id", "role"))
    names = Names()
    shown = tuple(_compared(row, names(row.peer), ours) for row in rows)
    return ReconciliationsPage(shell=shell_for(account, "reconciliations"), rows=shown, pager=pages)


def _compared(row: DailyReconciliation, peer: str, ours: dict[str, str]) -> Compared:
    return Compared(
        day=row.day,
        at=row.at,
        peer=peer,
        state=words.state(words.RECONCILIATIONS, row.state),
        agreed=row.agreed,
        pending=row.pending,
        trouble=_trouble(row),
        differences=tuple(
            NamedDifference(
                exchange=one["exchange"],
                url=reverse("exchange", args=[one["exchange"], ours[one["exchange"]]])
                if one["exchange"] in ours
                else "",
                what=words.of_language(one["what_zh"], one["what"]),
            )
            for one in row.differences
        ),
    )


def _trouble(row: DailyReconciliation) -> str:
    if row.trouble == "log_forked":
        return _("Its log shows another history than the one it signed before. Both checkpoints are kept as evidence.")
    if row.state == "unreachable":
        return _("It was not reached, or its log could not be verified ({code}). Asked again every hour.").format(
            code=row.trouble
        )
    if row.behind:
        return _("It shows {count} entries fewer than it signed before.").format(count=words.number(row.behind))
    return ""
