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
    group: str
    opens_to: frozenset[Action]
    waiting: Callable[[Account], int] | None = None

    def open_to(self, account: Account) -> bool:
        return any(rules.may(account, action) for action in self.opens_to)


def _room(
    name: str, label: Promise, icon: str, group: str, *opens_to: Action, waiting: Callable[[Account], int] | None = None
) -> Room:
    return Room(name, label, icon, group, frozenset(opens_to), waiting)


# The headings of the rail, in its order.
GROUPS: dict[str, Promise] = {
    "data": lazy("Data"),
    "duties": lazy("Duties"),
    "oversight": lazy("Oversight"),
    "node": lazy("This node"),
}
ROOMS = (
    _room("home", lazy("Start"), "home", "data", Action.SEE_CATALOGUE),
    _room("catalogue", lazy("Catalogue"), "catalogue", "data", Action.SEE_CATALOGUE),
    _room("publish", lazy("Publish"), "publish", "data", Action.DESCRIBE_RESOURCE),
    _room("lists", lazy("Three lists"), "lists", "data", Action.SEE_CATALOGUE, waiting=waiting.barred),
    _room(
        "demands",
        lazy("Demands"),
        "demands",
        "duties",
        Action.FILE_DEMAND,
        Action.SEE_ALL_EXCHANGES,
        waiting=waiting.demands,
    ),
    _room("standards", lazy("Standards"), "tick", "data", Action.SEE_STANDARDS, waiting=waiting.standards),
    _room("requests", lazy("Requests"), "requests", "duties", Action.FILE_REQUEST, Action.SEE_ALL_EXCHANGES),
    _room("desk", lazy("Sign-off"), "check", "duties", Action.SIGN_OFF_REQUEST, waiting=waiting.sign_offs),
    _room("reviews", lazy("Review"), "check", "duties", Action.REVIEW_RESOURCE, waiting=waiting.reviews),
    _room(
        "inbox",
        lazy("Inbox"),
        "inbox",
        "duties",
        Action.ANSWER_REQUEST,
        Action.SEE_ALL_EXCHANGES,
        waiting=waiting.answers,
    ),
    _room("agreements", lazy("Agreements"), "agreements", "duties", Action.SEE_OWN_EXCHANGES),
    _room("oversight", lazy("Supervision"), "wait", "oversight", Action.SEE_OVERSIGHT),
    _room(
        "corrections",
        lazy("Corrections"),
        "tick",
        "duties",
        Action.ANSWER_CORRECTION,
        Action.SEE_ALL_EXCHANGES,
        waiting=waiting.corrections,
    ),
    _room("stops", lazy("Announced stops"), "wait", "duties", Action.ANNOUNCE_STOP, Action.SEE_ALL_EXCHANGES),
    _room("use", lazy("Use of data"), "exchanges", "oversight", Action.SEE_OWN_EXCHANGES),
    _room(
        "offerings",
        lazy("Offers to areas"),
        "publish",
        "duties",
        Action.ANSWER_REQUEST,
        Action.SEE_ALL_EXCHANGES,
        waiting=waiting.offerings,
    ),
    _room(
        "returns",
        lazy("Return flow"),
        "returns",
        "duties",
        Action.ASK_RETURN,
        Action.SEE_ALL_EXCHANGES,
        waiting=waiting.returns,
    ),
    _room(
        "disputes",
        lazy("Disputes"),
        "disputes",
        "duties",
        Action.TAKE_PART_IN_DISPUTE,
        Action.SEE_ALL_EXCHANGES,
        waiting=waiting.disputes,
    ),
    _room("withheld", lazy("Withheld rows"), "wait", "duties", Action.SEE_OWN_EXCHANGES, waiting=waiting.replays),
    _room("exchanges", lazy("Exchanges"), "exchanges", "oversight", Action.SEE_OWN_EXCHANGES),
    _room("reconciliations", lazy("Reconciliation"), "tick", "oversight", Action.SEE_ALL_EXCHANGES),
    _room("meters", lazy("Meters"), "exchanges", "oversight", Action.SEE_ALL_EXCHANGES),
    _room("coverage", lazy("Coverage"), "search", "oversight", Action.REGISTER_SYSTEM, Action.SEE_ALL_EXCHANGES),
    _room("clocks", lazy("Deadlines"), "clocks", "duties", Action.SEE_CLOCKS, waiting=waiting.terms),
    _room("notices", lazy("Notices"), "notices", "duties", Action.SEE_CATALOGUE, waiting=waiting.unread),
    _room("rules", lazy("Rules"), "rules", "oversight", Action.SEE_CATALOGUE),
    _room("calendar", lazy("Working days"), "clocks", "node", Action.SEE_NODE, waiting=waiting.calendars),
    _room("zones", lazy("Zones"), "node", "node", Action.KEEP_ZONE),
    _room("keys", lazy("Keys"), "keys", "node", Action.ISSUE_KEY),
    _room("node", lazy("Node"), "node", "node", Action.SEE_NODE),
)


def named(name: str) -> Room:
    return next(room for room in ROOMS if room.name == name)
