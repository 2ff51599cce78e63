"""What day it is where the law is in force: China has one time zone and no summer time."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, timezone

CHINA = timezone(timedelta(hours=8), "Asia/Shanghai")


def china_date(moment: datetime) -> date:
    """The day of a moment in China. Statutory clocks run on it."""
    return moment.astimezone(CHINA).date()


def today() -> date:
    return china_date(datetime.now(UTC))
