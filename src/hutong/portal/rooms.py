"""The rooms of the portal: which role finds which, and what waits there."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as lazy

from hutong.control.identity import rules
from hutong.control.identity.models import Account
from hutong.control.identity.rules import Action
from hutong.portal import waiting


@dataclass(frozen=True)
class Room:
    """One door of the portal. `opens_to`: any one of these actions opens it."""

    name: str  # also the name of its address
    label: Promise
    icon: str
    opens_to: frozenset[Action]
    waiting: Callable[[Account], int] | None = None

    def open_to(self, account: Account) -> bool:
        return any(rules.may(account, action) for action in self.opens_to)


def _room(
    name: str, label: Promise, icon: str, *opens_to: Action, waiting: Callable[[Account], int] | None = None
) -> Room:
    return Room(name, label, icon, frozenset(opens_to), waiting)


ROOMS = (
    _room("home", lazy("Start"), "home", Action.SEE_CATALOGUE),
    _room("catalogue", lazy("Catalogue"), "catalogue", Action.SEE_CATALOGUE),
    _room("requests", lazy("Requests"), "requests", Action.FILE_REQUEST, Action.SEE_ALL_EXCHANGES),
    _room("desk", lazy("Sign-off"), "check", Action.SIGN_OFF_REQUEST, waiting=waiting.sign_offs),
    _room("inbox", lazy("Inbox"), "inbox", Action.ANSWER_REQUEST, Action.SEE_ALL_EXCHANGES, waiting=waiting.answers),
    _room("agreements", lazy("Agreements"), "agreements", Action.SEE_OWN_EXCHANGES),
    _room("exchanges", lazy("Exchanges"), "exchanges", Action.SEE_OWN_EXCHANGES),
    _room("publish", lazy("Publish"), "publish", Action.DESCRIBE_RESOURCE),
    _room("keys", lazy("Keys"), "keys", Action.ISSUE_KEY),
    _room("node", lazy("Node"), "node", Action.SEE_NODE),
)


def named(name: str) -> Room:
    return next(room for room in ROOMS if room.name == name)
