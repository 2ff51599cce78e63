"""Keeping the figures up to date, and closing a month: a signed statement whose digest is in the ledger."""

from __future__ import annotations

import base64
from datetime import UTC, date, datetime, timedelta
from typing import Any

from django.db import transaction

from hutong.control.oversight.counting import count_month, sum_up
from hutong.control.oversight.models import Figure, Statement
from hutong.control.oversight.periods import Period, period_of
from hutong.control.oversight.rules import MonthOpen, StatementStands
from hutong.control.oversight.tally import tally
from hutong.control.statute import day, queries
from hutong.ledger.record import record
from hutong.node.keyring import ring
from hutong.node.settings import current
from hutong.vocabulary.canonical import canonical_bytes, digest

VERSION = 1
SIGNED_PREFIX = b"hutong oversight statement v1\n"  # a signature over a statement can stand for nothing else
BY_ITSELF = "rule:O-2"


def keep_up(today: date | None = None) -> None:
    """Count the months that are open, sum up quarter and year, and close the month that is over. Repeatable."""
    today = today or day.today()
    tally()
    open_months = _open_months(period_of("month", today))
    for month in open_months:
        count_month(month, today)
    for month in open_months:
        sum_up(period_of("quarter", month.since), today)
        sum_up(period_of("year", month.since), today)
    for month in open_months:
        if today >= closes_on(month) and Figure.objects.filter(grain="month", since=month.since).exists():
            close(month, BY_ITSELF, today)


def _open_months(this: Period) -> list[Period]:
    """Those after the newest statement, this one the last; a node that has none begins with the month before."""
    newest = Statement.objects.filter(month__lt=this.since).order_by("-month").values_list("month", flat=True).first()
    months = [Period("month", newest).after if newest else this.before]
    while months[-1] != this:
        months.append(months[-1].after)
    return months


def closes_on(month: Period) -> date:
    """The first day a month can be closed on."""
    return month.until + timedelta(days=queries.parameter(MonthOpen, "grace_days", month.until))


def counted_and_closed(month: Period, actor: str) -> Statement:
    """Count a month that is over, and close it.

    raises   MonthOpen, StatementStands
    """
    tally()
    count_month(month, day.today())
    return close(month, actor)


@transaction.atomic
def close(month: Period, actor: str, today: date | None = None) -> Statement:
    """Sign a month's figures and enter their digest into the ledger. Once: a statement is never made again.

    raises   MonthOpen, StatementStands
    """
    if (today or day.today()) < (first := closes_on(month)):
        raise MonthOpen(month=str(month), day=first.isoformat())
    if Statement.objects.select_for_update().filter(month=month.since).exists():
        raise StatementStands(month=str(month))
    document = document_of(month)
    content = canonical_bytes(document)
    key = ring().signing_key()
    signature = base64.b64encode(key.sign(SIGNED_PREFIX + content)).decode("ascii")
    commitment = {"month": str(month), "digest": digest(content)}
    entry = record("oversight.statement", f"statement:{month}", actor, commitment, commitment=commitment)
    return Statement.objects.create(
        month=month.since, document=document, digest=digest(content), keyid=key.keyid, signature=signature,
        entry_digest=entry, made_at=datetime.now(UTC),
    )  # fmt: skip


def document_of(month: Period) -> dict[str, Any]:
    """A month's figures as they are signed: departments by code, cases by number, no name and no row."""
    kept = Figure.objects.filter(grain="month", since=month.since).order_by("measure", "department")
    names = ("measure", "department", "counted", "of", "days", "parts", "rows_digest")
    figures = [
        {name: getattr(one, name) for name in names} | {"as_of": one.as_of.isoformat()}
        for one in kept
    ]  # fmt: skip
    return {"v": VERSION, "node": current().jurisdiction, "month": str(month), "figures": figures}
