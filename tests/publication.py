"""The way into the catalogue, walked as people walk it: the department submits, the supervisor of the node reviews."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from hutong.control.catalogue.models import Entry
    from hutong.control.identity.models import Account

SUPERVISOR = "supervisor"


def supervisor() -> Account:
    """The supervisor of this test's node."""
    from hutong.control.identity.models import Account

    made, _ = Account.objects.get_or_create(username=SUPERVISOR, defaults={"role": "supervisor"})
    return made


def publish(by: Any, resource_id: str, reviewer: Any = None) -> Entry:
    """Submit and review."""
    from hutong.control.catalogue import actions

    submission = actions.submit(by, resource_id)
    return actions.review(reviewer or supervisor(), submission.id)
