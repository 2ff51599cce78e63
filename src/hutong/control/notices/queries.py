from __future__ import annotations

from django.db.models import QuerySet

from hutong.control.identity.models import Account
from hutong.control.notices.models import Told


def notices(account: Account) -> QuerySet[Told]:
    """What an account was told, the newest first."""
    return Told.objects.filter(account=account).select_related("notice").order_by("-at", "-id")


def unread(account: Account, *, at_most: int | None = None) -> int:
    """How many an account has not read; counting ends at `at_most`."""
    return Told.objects.filter(account=account, read_at=None)[:at_most].count()
