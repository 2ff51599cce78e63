from __future__ import annotations

from hutong.control.identity.models import Account
from hutong.vocabulary.errors import NotFound


def account(username: str) -> Account:
    """The open account of that name.

    raises   NotFound
    """
    found = Account.objects.select_related("department").filter(username=username, is_active=True).first()
    if found is None:
        raise NotFound(what="account", name=username[:60])
    return found


def accounts() -> list[Account]:
    return list(Account.objects.select_related("department").order_by("username"))
