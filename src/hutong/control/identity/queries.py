from __future__ import annotations

from hutong.control.identity.models import Account
from hutong.control.identity.rules import USERNAME
from hutong.vocabulary.errors import NotFound
from hutong.vocabulary.text import shown


def account(username: str) -> Account:
    """The open account of that name.

    raises   NotFound
    """
    open_accounts = Account.objects.select_related("department").filter(is_active=True)
    found = open_accounts.filter(username=username).first() if USERNAME.match(username) else None
    if found is None:
        raise NotFound(what="account", what_zh="账户", name=shown(username))
    return found


def accounts() -> list[Account]:
    return list(Account.objects.select_related("department").order_by("username"))
