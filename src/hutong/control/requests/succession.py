"""What a merged department asked for goes to its successor: its requests, and those still being answered."""

from __future__ import annotations

from hutong.control.agreements.models import Negotiation
from hutong.control.agreements.transitions import CLOSED, Machine
from hutong.control.identity.rules import Actor
from hutong.control.organisations.models import Department
from hutong.control.organisations.succession import moves
from hutong.control.requests.models import ShareRequest
from hutong.ledger.record import record


@moves("requests")
def move_requests(old: Department, new: Department, by: Actor) -> int:
    """Ended ones too: their history belongs to whoever answers for it now."""
    ids = list(ShareRequest.objects.filter(department=old).order_by("id").values_list("id", flat=True))
    for request_id in ids:
        ShareRequest.objects.filter(id=request_id).update(department=new)
        record("request.inherited", f"request:{request_id}", by.username, {"from": old.code, "to": new.code})
    return len(ids)


@moves("negotiations as consumer")
def move_negotiations(old: Department, new: Department, _by: Actor) -> int:
    """What is concluded names the old department in its signed agreement, and stays."""
    open_ones = Negotiation.objects.filter(department=old.code, role="consumer")
    return open_ones.exclude(state__in=CLOSED[Machine.NEGOTIATION]).update(department=new.code)
