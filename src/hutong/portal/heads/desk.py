"""The head's desk: what waits for a signature, with all that is asked in full."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.http import QueryDict
from django.urls import reverse

from hutong.control.identity.models import Account
from hutong.control.replies.models import Reply
from hutong.control.requests.models import ShareRequest
from hutong.portal import waiting
from hutong.portal.components import asked
from hutong.portal.components.page import Page, shell_for
from hutong.portal.components.paging import Sheet, sheet
from hutong.portal.components.parts import Fact, May
from hutong.portal.components.peers import Names
from hutong.portal.components.titles import title_of_entry
from hutong.portal.officers.requests import may_sign_off, request_facts
from hutong.portal.providers.inbox import may_sign
from hutong.portal.providers.reasons import ReplyShown
from hutong.portal.providers.reasons import shown as shown_reply
from hutong.vocabulary.ids import uuid_of

ROWS = 20  # of each kind on one page


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


@dataclass(frozen=True)
class WaitingReply:
    """A proposed reply to a request of others."""

    url: str
    title: str
    peer: str
    reply: ReplyShown
    sign_url: str
    may_sign: May
    id: str


@dataclass(frozen=True, kw_only=True)
class DeskPage(Page):
    waiting: tuple[Waiting, ...]
    requests: Sheet[ShareRequest]
    replies: tuple[WaitingReply, ...]
    proposed: Sheet[Reply]

    @property
    def nothing(self) -> bool:
        return not self.waiting and not self.replies


def desk_page(account: Account, query: QueryDict) -> DeskPage:
    """What has waited longest stands first."""
    names, address, asked_for = Names(), reverse("desk"), query.dict()
    requests = sheet(
        [waiting.to_sign_off(account)], "created_at", address, asked_for, size=ROWS, name="request_", oldest_first=True
    )
    proposed = sheet(
        [waiting.to_sign(account)], "proposed_at", address, asked_for, size=ROWS, name="reply_", oldest_first=True
    )
    return DeskPage(
        shell=shell_for(account, "desk"),
        waiting=tuple(_waiting(account, one, names) for one in requests.rows),
        requests=requests,
        replies=tuple(_reply(account, one, names) for one in proposed.rows),
        proposed=proposed,
    )


def _reply(account: Account, one: Reply, names: Names) -> WaitingReply:
    bare = uuid_of(one.negotiation_id)
    resource_id = one.negotiation.dataset_id
    return WaitingReply(
        url=reverse("negotiation", args=[bare]),
        title=title_of_entry(resource_id),
        peer=names(one.negotiation.peer),
        reply=shown_reply(one, asked.titles_of_items(resource_id)),
        sign_url=reverse("negotiation_sign", args=[bare]),
        may_sign=may_sign(account, one),
        id=one.id,
    )


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
