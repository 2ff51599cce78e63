"""Announced stops of a service, and the use of data by agreement and year."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from django.http import QueryDict
from django.urls import reverse
from django.utils.translation import gettext as _

from hutong.control.agreements.models import Agreement
from hutong.control.catalogue.models import Resource
from hutong.control.conduct import use as uses
from hutong.control.conduct.models import StopNotice
from hutong.control.identity.models import Account
from hutong.control.identity.rules import Action
from hutong.portal.components import access, scope, words
from hutong.portal.components.page import Page, Refusal, shell_for
from hutong.portal.components.paging import Sheet, sheet
from hutong.portal.components.parts import Fact, May
from hutong.portal.components.peers import Names
from hutong.portal.components.titles import titles_of_entries
from hutong.portal.parties.forms import StopForm
from hutong.vocabulary import codes
from hutong.vocabulary.ids import uuid_of

PAGE_SIZE = 30


@dataclass(frozen=True)
class Stop:
    title: str
    change: str
    starts_on: date
    reason: str
    filed_at: datetime
    told: str


@dataclass(frozen=True, kw_only=True)
class StopsPage(Page):
    rows: tuple[Stop, ...]
    pager: Sheet[StopNotice]
    form: StopForm | None
    may_announce: May


@dataclass(frozen=True)
class Year:
    """One agreement in one year."""

    title: str
    url: str
    side: str
    peer: str
    year: int
    calls: str
    refused: str
    rows: str
    told: tuple[tuple[Fact, ...], ...]


@dataclass(frozen=True, kw_only=True)
class UsePage(Page):
    years: tuple[Year, ...]
    pager: Sheet[Agreement]


def stop_form(account: Account, data: QueryDict | None = None) -> StopForm | None:
    """The form over the department's published resources; None where there are none to announce for."""
    rows = Resource.objects.filter(department_id=account.department_id or "-", state="published").order_by("title_zh")
    choices = [(one.id, words.of_language(one.title_zh, one.title_en)) for one in rows]
    return StopForm(choices, data) if choices else None


def stops_page(account: Account, query: QueryDict, form: StopForm | None, refusal: Refusal | None = None) -> StopsPage:
    shown = sheet(
        scope.apart(account, StopNotice.objects.all()), "filed_at", reverse("stops"), query.dict(), size=PAGE_SIZE
    )
    titles = titles_of_entries({one.resource_id for one in shown.rows})
    return StopsPage(
        shell=shell_for(account, "stops"),
        refusal=refusal,
        rows=tuple(_stop(one, titles.get(one.resource_id, one.resource_id)) for one in shown.rows),
        pager=shown,
        form=form,
        may_announce=access.may(account, Action.ANNOUNCE_STOP),
    )


def use_page(account: Account, query: QueryDict) -> UsePage:
    shown = sheet(
        scope.apart(account, Agreement.objects.all()), "created_at", reverse("use"), query.dict(), size=PAGE_SIZE
    )
    lines = uses.by_year(shown.rows)
    names, titles = Names(), titles_of_entries({one.resource for one in lines})
    years = tuple(_year(one, titles.get(one.resource, one.resource), names) for one in lines)
    return UsePage(shell=shell_for(account, "use"), years=years, pager=shown)


def _stop(one: StopNotice, title: str) -> Stop:
    change = words.code_name(codes.SERVICE_CHANGES, one.change)
    return Stop(title, change, one.starts_on, one.reason, one.filed_at, words.number(one.told))


def _year(one: uses.YearOfUse, title: str, names: Names) -> Year:
    return Year(
        title=title,
        url=reverse("agreement", args=[uuid_of(one.agreement)]),
        side=words.word(words.SIDES, one.role),
        peer=names(one.peer),
        year=one.year,
        calls=words.number(one.calls),
        refused=words.number(one.refused),
        rows=words.number(one.rows),
        told=tuple(_told(content) for content in one.told),
    )


def _told(content: dict[str, str]) -> tuple[Fact, ...]:
    words_of = {
        "scenario": _("Scenario"),
        "process": _("Process"),
        "effect": _("Effect"),
        "storage": _("Storage"),
        "destruction": _("Destruction"),
    }
    return tuple(Fact(label, content.get(name, "")) for name, label in words_of.items())
