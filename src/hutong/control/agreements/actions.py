"""What people do with negotiations and agreements: the role is checked, then one move, one record, one message."""

from __future__ import annotations

from django.db import transaction

from hutong.control.agreements import delivery, door, granted, outbound
from hutong.control.agreements.consent import published
from hutong.control.agreements.models import Agreement, Negotiation, Transfer
from hutong.control.agreements.rules import AgreementNotInForce, ReasonMissing
from hutong.control.agreements.steps import locked
from hutong.control.agreements.transitions import CLOSED, Machine, Party
from hutong.control.conduct import actions as conduct
from hutong.control.identity.rules import Action, Actor, check
from hutong.vocabulary.errors import NotFound


@transaction.atomic
def offer(account: Actor, resource_id: str, to: str, *, address: str = "") -> Negotiation:
    """Offer one of our resources, as it is published, to somebody who has not asked.

    to       a member's jurisdiction, or the participant id of a connector let in from outside
    address  of the latter: which of its addresses; its only one when not given
    raises   NotAllowed, OtherDepartment, UnknownDataset, UnknownMember, AddressNeeded, ForeignAddress
    """
    _, asked = published(resource_id)
    check(account, Action.ANSWER_REQUEST, asked.resource.department_id)
    peer, callback = door.place_of(to, address)
    return outbound.open_offer(peer, resource_id, account.username, callback=callback)


@transaction.atomic
def accept_offer(account: Actor, pid: str) -> Negotiation:
    """Accept what the provider offers, as the consumer's head."""
    _ours(account, pid, Party.CONSUMER)
    return outbound.accept(pid, account.username)


@transaction.atomic
def suspend(account: Actor, agreement_id: str, reason: str, *, cause: str = "misuse") -> Agreement:
    """Stop an agreement's data at once (D809-27), with the reason the other side will read.

    cause    a code of SUSPENSION_CAUSES; misuse and incidents get a day by which they must be put right
    raises   NotFound, NotAllowed, OtherDepartment, ReasonMissing, AgreementNotInForce, StopWithoutNotice
    """
    transfer = _running(account, agreement_id, "suspend", reason)
    conduct.note_suspension(account, transfer.agreement, cause, reason)
    delivery.suspend(transfer.pid, reason.strip(), account.username)
    return Agreement.objects.get(id=agreement_id)


@transaction.atomic
def resume(account: Actor, agreement_id: str, reason: str) -> Agreement:
    """Let the data flow again after rectification. Only the side that suspended may.

    raises   NotFound, NotAllowed, OtherDepartment, ReasonMissing, NotTheSuspender, ResumedWithoutRectification
    """
    transfer = _running(account, agreement_id, "resume", reason)
    delivery.check_may_start(transfer, Party(transfer.role))
    conduct.check_resumption(account, transfer.agreement)
    delivery.start(transfer.pid, account.username, reason.strip())
    return Agreement.objects.get(id=agreement_id)


@transaction.atomic
def end(account: Actor, agreement_id: str, reason: str, *, cause: str = "") -> Agreement:
    """End an agreement for good, in either role. Nothing can be read under it from then on.

    cause    a code of ENDING_CAUSES; a consumer needs none. A provider ends for misuse that was not put right in time,
             for secrecy, or after an announced stop has run
    raises   NotFound, NotAllowed, OtherDepartment, ReasonMissing, StopWithoutNotice, EndedBeforeDeadline
    """
    transfer = _running(account, agreement_id, "end", reason)
    if transfer.role == Party.PROVIDER:
        granted.check_move(transfer.agreement.negotiation, "end", {"cause": cause or None})
    conduct.check_ending(transfer.agreement, cause)
    delivery.terminate(transfer.pid, reason.strip(), account.username)
    return Agreement.objects.get(id=agreement_id)


@transaction.atomic
def complete_delivery(account: Actor, agreement_id: str) -> Transfer:
    """Say, as the consumer's officer, that what was delivered is enough for now. The agreement stays.

    raises   NotFound, also for an agreement that we provide under; NotAllowed, OtherDepartment, AgreementNotInForce
    """
    transfer = _delivery(_consumed(account, agreement_id))
    return delivery.complete(transfer.pid, account.username)


@transaction.atomic
def ask_delivery(account: Actor, agreement_id: str) -> Transfer:
    """Ask for delivery again after one was completed or not begun, as the consumer's officer.

    raises   NotFound, also for an agreement that we provide under; NotAllowed, OtherDepartment, AgreementNotInForce,
             DeliveryRunning
    """
    return delivery.request(_consumed(account, agreement_id).id, account.username)


def ours_as_provider(account: Actor, pid: str) -> Negotiation:
    """A request to us, its row held, for an officer of the department that answers it.

    raises   NotAllowed, OtherDepartment, NotFound
    """
    return _ours(account, pid, Party.PROVIDER)


def _ours(account: Actor, pid: str, role: Party) -> Negotiation:
    negotiation = locked(Negotiation, pid)
    if negotiation.role != role:
        raise NotFound(what="request", name=pid[:80])
    action = Action.ANSWER_REQUEST if role is Party.PROVIDER else Action.SIGN_OFF_REQUEST
    check(account, action, negotiation.department or None)
    return negotiation


def _agreement(account: Actor, agreement_id: str) -> Agreement:
    agreement = Agreement.objects.filter(id=agreement_id).first()
    if agreement is None:
        raise NotFound(what="agreement", name=agreement_id[:80])
    check(account, Action.CHANGE_AGREEMENT, agreement.department or None)
    return agreement


def _consumed(account: Actor, agreement_id: str) -> Agreement:
    """Deliveries are the consumer's to ask for and to be done with."""
    agreement = _agreement(account, agreement_id)
    if agreement.role != Party.CONSUMER:
        raise NotFound(what="agreement to consume under", what_zh="本方使用的协议", name=agreement_id[:80])
    return agreement


def _running(account: Actor, agreement_id: str, action: str, reason: str) -> Transfer:
    agreement = _agreement(account, agreement_id)
    if not reason.strip():
        raise ReasonMissing(action=action)
    return _delivery(agreement)


def _delivery(agreement: Agreement) -> Transfer:
    """The one under way. raises   AgreementNotInForce"""
    transfer = agreement.transfers.exclude(state__in=CLOSED[Machine.TRANSFER]).order_by("-created_at").first()
    if transfer is None:
        raise AgreementNotInForce(state=agreement.state)
    return transfer
