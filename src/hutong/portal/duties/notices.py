"""Notices: what one was told; where they are mailed; one's terms as a calendar."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.http import QueryDict
from django.urls import NoReverseMatch, reverse
from django.utils.translation import gettext as _

from hutong.control.clocks import feed
from hutong.control.identity.models import Account
from hutong.control.notices import queries
from hutong.control.notices.models import Notice, Told
from hutong.node import settings as node_settings
from hutong.portal.components import words
from hutong.portal.components.page import Page, Refusal, shell_for
from hutong.portal.components.paging import Sheet, sheet
from hutong.portal.components.parts import YES, May, no
from hutong.portal.components.refusing import NothingHere
from hutong.portal.duties.forms import AddressForm

PAGE_SIZE = 30


@dataclass(frozen=True)
class NoticeRow:
    url: str
    says: str
    rule: str
    at: datetime
    unread: bool


@dataclass(frozen=True, kw_only=True)
class NoticesPage(Page):
    rows: tuple[NoticeRow, ...]
    pager: Sheet[Told]
    may_read_all: May
    address: AddressForm
    mail_works: bool
    feed_made_at: datetime | None
    feed_address: str  # shown in this answer alone


def notices_page(
    account: Account,
    query: QueryDict,
    *,
    address: AddressForm | None = None,
    feed_secret: str = "",
    refusal: Refusal | None = None,
) -> NoticesPage:
    found = sheet([queries.notices(account)], "at", reverse("notices"), query.dict(), size=PAGE_SIZE)
    made = feed.feed_of(account)
    node = node_settings.current()
    return NoticesPage(
        shell=shell_for(account, "notices"),
        refusal=refusal,
        rows=tuple(_row(one) for one in found.rows),
        pager=found,
        may_read_all=YES if queries.unread(account) else no(_("You have read them all.")),
        address=address or AddressForm({"address": account.email}),
        mail_works=bool(node.smtp_host),
        feed_made_at=made.made_at if made else None,
        feed_address=node.base_url + reverse("feed", args=[feed_secret]) if feed_secret else "",
    )


def notice_of(account: Account, notice_id: str) -> Notice:
    """raises   NothingHere, also for what was told to others"""
    found = queries.notices(account).filter(notice_id=notice_id).first()
    if found is None:
        raise NothingHere
    return found.notice


def where(notice: Notice) -> str:
    """The page that shows what the notice is about, or the list of notices where there is none."""
    if notice.page:
        name, *arguments = notice.page
        try:
            return reverse(name, args=arguments)
        except NoReverseMatch:
            pass
    return reverse("notices")


def _row(one: Told) -> NoticeRow:
    return NoticeRow(
        url=reverse("notice", args=[one.notice_id]),
        says=words.of_language(one.notice.said_zh, one.notice.said_en),
        rule=one.notice.rule,
        at=one.at,
        unread=one.read_at is None,
    )
