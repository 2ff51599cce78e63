"""The head's desk: what waits for a signature, with all that is asked in full."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.urls import reverse

from hutong.control.identity.models import Account
from hutong.control.requests.models import ShareRequest
from hutong.portal import waiting
from hutong.portal.components import asked
from hutong.portal.components.page import Page, shell_for
from hutong.portal.components.parts import Fact, May
from hutong.portal.components.peers import Names
from hutong.portal.components.titles import title_of_entry
from hutong.portal.officers.requests import may_sign_off, request_facts


@dataclass(frozen=True)
class Waiting:
    id: str
    url: str
    title: str
    provider: str
    filed_by: str
    filed_at: datetime | None
    sign_off_url: str
    may_sign_off: May
    facts: tuple[Fact, ...]


@dataclass(frozen=True, kw_only=True)
class DeskPage(Page):
    waiting: tuple[Waiting, ...]


def desk_page(account: Account) -> DeskPage:
    names = Names()
    shown = tuple(_waiting(account, one, names) for one in waiting.to_sign_off(account))
    return DeskPage(shell=shell_for(account, "desk"), waiting=shown)


def _waiting(account: Account, one: ShareRequest, names: Names) -> Waiting:
    return Waiting(
        id=one.id,
        url=reverse("request", args=[one.id]),
        title=title_of_entry(one.resource_id),
        provider=names(one.provider),
        filed_by=one.filed_by,
        filed_at=one.filed_at,
        sign_off_url=reverse("request_sign_off", args=[one.id]),
        may_sign_off=may_sign_off(account, one),
        facts=request_facts(one, asked.titles_of_items(one.resource_id)),
    )
