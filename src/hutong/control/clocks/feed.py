"""Terms as a calendar (iCalendar, RFC 5545) for a person's own calendar program, by a secret address.

A calendar program cannot sign in, so whoever has the address can read it: it shows titles and days, is made by the
person, shown once, replaced or revoked at any time, and closed with the account.
"""

from __future__ import annotations

import secrets
from datetime import UTC, datetime, timedelta

from django.db import transaction
from icalendar import Calendar, Event

from hutong.control.clocks.models import CalendarFeed, Clock
from hutong.control.clocks.queries import running
from hutong.control.identity.models import Account
from hutong.ledger.record import record
from hutong.node.settings import current
from hutong.vocabulary.canonical import digest
from hutong.vocabulary.errors import NotFound

SECRET_BYTES = 32
MOST = 1000  # terms in one calendar, the earliest days first; owner: clocks
LOOK_AGAIN = timedelta(hours=1)  # how often we ask programs to fetch it


@transaction.atomic
def make(account: Account) -> str:
    """A new secret for an account's calendar; an older address opens nothing any more. Shown once."""
    secret = secrets.token_urlsafe(SECRET_BYTES)
    values = {"digest": digest(secret.encode()), "made_at": datetime.now(UTC)}
    CalendarFeed.objects.update_or_create(account=account, defaults=values)
    record("feed.made", f"account:{account.username}", account.username, {"username": account.username})
    return secret


@transaction.atomic
def revoke(account: Account) -> None:
    """The account's calendar address opens nothing any more."""
    if CalendarFeed.objects.filter(account=account).delete()[0]:
        record("feed.revoked", f"account:{account.username}", account.username, {"username": account.username})


def feed_of(account: Account) -> CalendarFeed | None:
    return CalendarFeed.objects.filter(account=account).first()


def owner(secret: str) -> Account:
    """Whose calendar a secret opens.

    raises   NotFound, for a revoked one and a closed account too
    """
    found = CalendarFeed.objects.select_related("account").filter(digest=digest(secret[:100].encode())).first()
    if found is None or not found.account.is_active:
        raise NotFound(what="calendar", what_zh="日历", name="")
    return found.account


def calendar_of(account: Account, *, language: str = "zh") -> bytes:
    """The running terms an account may see, each as an event of one whole day."""
    node, chinese = current(), language.startswith("zh")
    calendar = Calendar()
    calendar.add("prodid", "-//Hutong//clocks//ZH" if chinese else "-//Hutong//clocks//EN")
    calendar.add("version", "2.0")
    calendar.add("method", "PUBLISH")
    calendar.add("x-wr-calname", f"互通 · {node.name_zh}" if chinese else f"Hutong · {node.name_en or node.name_zh}")
    calendar.add("refresh-interval", LOOK_AGAIN, parameters={"value": "DURATION"})
    for clock in running(account).exclude(due_on=None)[:MOST]:
        calendar.add_component(_event(clock, node.jurisdiction, node.portal_url, chinese=chinese))
    content: bytes = calendar.to_ical()
    return content


def _event(clock: Clock, jurisdiction: str, portal_url: str, *, chinese: bool) -> Event:
    title = (clock.title_zh if chinese else clock.title_en) or clock.subject
    days, number = clock.days + clock.extended_days, clock.rule.partition("/")[0]
    said = f"自 {clock.received_on} 起 {days} 个工作日" if chinese else f"{days} working days from {clock.received_on}"
    event = Event()
    event.add("uid", f"{clock.id}@{jurisdiction}.hutong")
    event.add("sequence", 1 if clock.extended_days else 0)  # a term moves once
    event.add("dtstamp", clock.changed_at)
    event.add("dtstart", clock.due_on)
    event.add("dtend", clock.due_on + timedelta(days=1))  # type: ignore[operator]  # only clocks with a day
    event.add("summary", f"截止：{title}" if chinese else f"Due: {title}")
    event.add("description", f"{number}\n{said}")
    event.add("url", f"{portal_url}/clocks/{clock.id}/")
    event.add("transp", "TRANSPARENT")
    return event
