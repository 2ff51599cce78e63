"""What one signature leads to at each member: offered, taken back from who leaves, ended when its notice has run.

A duty that compares the area as it is with what was told so far. Every step is one transaction about one member, and is
found done when it is looked at again: killed at any line, the next round goes on where this one stopped. A member that
cannot be reached holds up no other, since what it is told waits in the outbox.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import UTC, date, datetime
from typing import Final

from django.db import transaction

from hutong.control.agreements import delivery, outbound
from hutong.control.agreements.models import Agreement, Negotiation
from hutong.control.agreements.rules import NotAcknowledged
from hutong.control.agreements.transitions import CLOSED, Machine, Party
from hutong.control.conduct import ending, kinds, papers
from hutong.control.conduct.queries import is_over
from hutong.control.offerings import area, consent, queries
from hutong.control.offerings.actions import subject_of
from hutong.control.offerings.models import OfferedMember, Offering
from hutong.control.statute import day
from hutong.control.statute.decisions import decide
from hutong.ledger.record import record
from hutong.node import directory
from hutong.vocabulary.errors import Refused

ACTOR: Final = "rule:Z-4"
NOTICE: Final = "rule:D809-27"
# Code: what the member reads. Both languages, as the member's people may read either.
REASONS: Final = {
    "offering_withdrawn": "提供方已整体撤回面向该区域的共享 / the offering was withdrawn from the whole area",
    "left_area": "贵方已不在该区域之内 / your jurisdiction no longer belongs to the area",
    queries.NOT_ANSWERED: "逾期未答复 / it was not answered in time",
}

log = logging.getLogger("hutong.offerings")


def keep_up() -> None:
    """Bring every member of every offering to where it should be."""
    open_ones = Offering.objects.filter(state="in_force")
    standing = Offering.objects.filter(state="withdrawn", offered__standing=True)
    for offering in (open_ones | standing).distinct().order_by("created_at", "id"):
        members = area.members(offering)
        if members is not None:
            _bring(offering, members)
    today = day.today()
    for row in OfferedMember.objects.filter(ends_on__lte=today).order_by("ends_on", "id"):
        _step(end_after_notice, row.id)
    for row in OfferedMember.objects.filter(standing=True, answer_by__lt=today).order_by("answer_by", "id"):
        _step(close_unanswered, row.id)


def _bring(offering: Offering, members: list[str]) -> None:
    for pid in _waiting(offering, members):
        _step(consent.answer_waiting, pid)
    held = {one.peer for one in offering.offered.filter(standing=True)}
    for peer in members:
        if peer not in held or _undelivered(offering, peer):
            _step(lambda one=peer: offer_to(offering.id, one))
    for row in offering.offered.filter(standing=True).exclude(peer__in=members).order_by("id"):
        _step(take_back, row.id)


def _step(step: Callable[..., None], *given: object) -> None:
    """One member's trouble is said in the log and tried again with the next round; the others go on."""
    try:
        step(*given)
    except NotAcknowledged:
        return  # it has not heard of the offer yet: once it has, it is told
    except Refused as refused:
        log.warning("%s %s: %s", getattr(step, "__name__", "step"), given, refused.code)


@transaction.atomic
def offer_to(offering_id: str, peer: str) -> None:
    """Offer to one member, once."""
    offering = Offering.objects.select_for_update().get(id=offering_id)
    if offering.state != "in_force":
        return
    for row in offering.offered.filter(peer=peer, standing=True):
        if not _never_arrived(row):
            return
        _close(row)
    today = day.today()
    offered = queries.extent(offering, today)
    negotiation = outbound.open_offer(peer, offering.resource_id, ACTOR, offered=offered)
    OfferedMember.objects.create(
        offering=offering,
        peer=peer,
        negotiation_id=negotiation.pid,
        offered_at=datetime.now(UTC),
        answer_by=offered.answer_by,
    )
    detail = {"peer": peer, "negotiation": negotiation.pid, "answer_by": str(offered.answer_by)}
    record("offering.offered", subject_of(offering), ACTOR, detail)


@transaction.atomic
def take_back(row_id: int) -> None:
    """A member that left, or the whole area: an open offer ends now, an agreement after a notice (D809-27)."""
    row = _held(row_id)
    if not row.standing:
        return
    why = "left_area" if row.offering.state == "in_force" else "offering_withdrawn"
    if row.peer not in {one.jurisdiction for one in directory.others()}:
        _gone(row)
        return
    negotiation = Negotiation.objects.select_for_update().get(pid=row.negotiation_id)
    agreement = Agreement.objects.filter(negotiation=negotiation).first()
    if negotiation.state == "OFFERED":
        outbound.terminate(negotiation.pid, why, REASONS[why], "", ACTOR)
    elif agreement is not None and not is_over(agreement):
        row.ends_on = _announce(row.offering, agreement, why)
        row.save(update_fields=["ends_on"])
    _close(row)
    detail = {"peer": row.peer, "negotiation": row.negotiation_id, "code": why, "ends_on": str(row.ends_on or "")}
    record("offering.taken_back", subject_of(row.offering), ACTOR, detail)


@transaction.atomic
def end_after_notice(row_id: int) -> None:
    """The announced day has come: nothing more is read under the agreement."""
    row = _held(row_id)
    if row.ends_on is None or row.ends_on > day.today():
        return
    negotiation = Negotiation.objects.select_for_update().get(pid=row.negotiation_id)
    agreement = Agreement.objects.select_for_update(of=("self",)).get(negotiation=negotiation)
    reason = REASONS["left_area" if row.offering.state == "in_force" else "offering_withdrawn"]
    if agreement.state != "ended" and not is_over(agreement):
        _end(negotiation, agreement, reason)
        detail = {"peer": row.peer, "agreement": agreement.id}
        record("offering.ended", subject_of(row.offering), NOTICE, detail)
    row.ends_on = None
    row.save(update_fields=["ends_on"])


@transaction.atomic
def close_unanswered(row_id: int) -> None:
    """The last day to answer is over. The member may still ask by itself, on the same terms."""
    row = _held(row_id)
    negotiation = Negotiation.objects.select_for_update().get(pid=row.negotiation_id)
    if negotiation.state == "OFFERED":
        code = queries.NOT_ANSWERED
        outbound.terminate(negotiation.pid, code, REASONS[code], "", ACTOR)
        record("offering.not_answered", subject_of(row.offering), ACTOR, {"peer": row.peer})
    row.answer_by = None
    row.save(update_fields=["answer_by"])


def _end(negotiation: Negotiation, agreement: Agreement, reason: str) -> None:
    running = agreement.transfers.exclude(state__in=CLOSED[Machine.TRANSFER]).order_by("-created_at").first()
    if running is not None:
        delivery.terminate(running.pid, reason, NOTICE)
    elif negotiation.state != "FINALIZED":
        outbound.terminate(negotiation.pid, "ended", reason, "", NOTICE)
    else:  # nothing is being delivered: a delivery asked for from now on is refused
        Agreement.objects.filter(id=agreement.id).update(state="ended")
        agreement.refresh_from_db()
        ending.over(agreement, "ended")


def _announce(offering: Offering, agreement: Agreement, why: str) -> date:
    """The last day of an agreement, told to its consumer as the law wants it. returns that day"""
    outcome = decide("service.stop", f"agreement:{agreement.id}", {"filed_on": day.today().isoformat()})
    said = REASONS[why] + (f"（{offering.reason}）" if offering.reason and why == "offering_withdrawn" else "")
    given = {"notice": offering.id, "change": "stop", "starts_on": outcome["earliest"], "reason": said[: kinds.LONGEST]}
    papers.file(agreement, "stop", kinds.read("stop", given), NOTICE)
    return date.fromisoformat(outcome["earliest"])


def _gone(row: OfferedMember) -> None:
    """It is no member of the directory any more: its signatures hold no longer, and it can be told nothing."""
    _close(row)
    record("offering.taken_back", subject_of(row.offering), ACTOR, {"peer": row.peer, "code": "left_directory"})


def _close(row: OfferedMember) -> None:
    row.standing, row.answer_by = False, None
    row.save(update_fields=["standing", "answer_by"])


def _held(row_id: int) -> OfferedMember:
    return OfferedMember.objects.select_for_update(of=("self",)).select_related("offering").get(id=row_id)


def _undelivered(offering: Offering, peer: str) -> bool:
    return any(_never_arrived(row) for row in offering.offered.filter(peer=peer, standing=True, unasked=True))


def _never_arrived(row: OfferedMember) -> bool:
    found = Negotiation.objects.filter(pid=row.negotiation_id, state="TERMINATED", refusal_code=queries.UNREACHED)
    return found.exists()


def _waiting(offering: Offering, members: list[str]) -> list[str]:
    """Requests of members that lie with an officer here: what is offered to all is not kept from who asked before."""
    rows = Negotiation.objects.filter(role=Party.PROVIDER, state="REQUESTED", dataset_id=offering.resource_id)
    return list(rows.filter(peer__in=members).order_by("created_at").values_list("pid", flat=True))
