"""Transfers in both roles, and what each step does at once to the grant, the entitlement and the agreement.

The effect is in the same transaction as the step: a suspension stops the very next request, whether
or not the other side has heard of it.
"""

from __future__ import annotations

import secrets
from datetime import UTC, datetime
from typing import Any, Final

from django.db import transaction

from hutong.control.agreements import decisions, door
from hutong.control.agreements.compile import compile_grant, limits_under
from hutong.control.agreements.door import Peer
from hutong.control.agreements.inbound import refusal_words
from hutong.control.agreements.models import Agreement, Transfer
from hutong.control.agreements.protocol import (
    TransferCompletion,
    TransferProcess,
    TransferRequest,
    TransferStart,
    TransferSuspension,
    TransferTermination,
)
from hutong.control.agreements.rules import (
    AgreementNotInForce,
    AnotherContent,
    DeliveryRunning,
    NotTheSuspender,
    UnknownFormat,
)
from hutong.control.agreements.steps import check_pids, heard, is_new, locked, pids_of, step
from hutong.control.agreements.terms import read_agreed
from hutong.control.agreements.transitions import CLOSED, Machine, Party, Said, next_move, restates
from hutong.exchange import grants
from hutong.exchange.models import Entitlement, Grant
from hutong.node import outside
from hutong.node.directory import member
from hutong.node.settings import current
from hutong.vocabulary.ids import new_id, urn

TRANSFER: Final = "transfer"
FORMAT: Final = "HttpData-PULL"  # the one distribution of every resource: the consumer asks, the provider answers
ENDPOINT_TYPE: Final = "https://w3id.org/idsa/v4.1/HTTP"
CASE_KEY_BYTES: Final = 32
AGREEMENT_STATE: Final = {"STARTED": "active", "SUSPENDED": "suspended", "COMPLETED": "agreed", "TERMINATED": "ended"}
DATA_STATE: Final = {"STARTED": "active", "SUSPENDED": "suspended", "COMPLETED": "ended", "TERMINATED": "ended"}

Heard = TransferStart | TransferCompletion | TransferSuspension | TransferTermination

# --- what we say ----------------------------------------------------------------------------------------------


@transaction.atomic
def request(agreement_id: str, actor: str) -> Transfer:
    """Ask for delivery under an agreement in force, as consumer.

    raises   AgreementNotInForce, DeliveryRunning
    """
    agreement = _agreement(agreement_id)
    _check_in_force(agreement)
    _check_none_running(agreement)
    transfer = Transfer(pid=urn(new_id()), role=Party.CONSUMER, peer=agreement.peer, agreement=agreement, format=FORMAT)
    transfer.callback = agreement.negotiation.callback
    _entitle(agreement)
    step(transfer, Said.TRANSFER_REQUEST, Party.CONSUMER, actor)
    message = TransferRequest(transfer.pid, agreement.id, FORMAT, door.here())
    door.say(transfer, "request", message.document(), kind=TRANSFER, first=True)
    decisions.ask(transfer)
    return transfer


@transaction.atomic
def start(pid: str, actor: str, reason: str = "") -> Transfer:
    """Begin to deliver, as provider; or resume what we suspended, in either role.

    raises   NotTheSuspender, AgreementNotInForce, IllegalMove
    """
    transfer = locked(Transfer, pid)
    us = Party(transfer.role)
    check_may_start(transfer, us)
    address = _address() if us is Party.PROVIDER else None
    transfer.data_address, transfer.suspended_by = address, ""
    step(transfer, Said.TRANSFER_START, us, actor, {"reason": reason} if reason else {})
    return _said(transfer, "start", TransferStart(*pids_of(transfer), address).document())


@transaction.atomic
def suspend(pid: str, reason: str, actor: str) -> Transfer:
    """Stop the data, for now: D809-27 on the provider's side, the consumer's own wish on the other."""
    transfer = locked(Transfer, pid)
    transfer.suspended_by = transfer.role
    step(transfer, Said.TRANSFER_SUSPENSION, Party(transfer.role), actor, {"reason": reason})
    message = TransferSuspension(*pids_of(transfer), "suspended", (reason,), {"reason": reason})
    return _said(transfer, "suspension", message.document())


@transaction.atomic
def complete(pid: str, actor: str) -> Transfer:
    """The purpose of this delivery is met; the agreement stays, and a new delivery may be asked for."""
    transfer = locked(Transfer, pid)
    step(transfer, Said.TRANSFER_COMPLETION, Party(transfer.role), actor)
    return _said(transfer, "completion", TransferCompletion(*pids_of(transfer)).document())


@transaction.atomic
def terminate(pid: str, reason: str, actor: str) -> Transfer:
    """End the delivery and the agreement, in either role."""
    transfer = locked(Transfer, pid)
    step(transfer, Said.TRANSFER_TERMINATION, Party(transfer.role), actor, {"reason": reason, "by": transfer.role})
    words = (reason,) if reason else None
    message = TransferTermination(*pids_of(transfer), "ended", words, {"reason": reason})
    return _said(transfer, "termination", message.document())


def not_begun(transfer: Transfer, actor: str, detail: dict[str, Any]) -> None:
    """The provider would not take our request, we are the consumer. The agreement stays: it may be asked again."""
    step(transfer, Said.TRANSFER_TERMINATION, Party.PROVIDER, actor, detail)
    Entitlement.objects.filter(agreement_id=transfer.agreement_id).update(state=DATA_STATE[transfer.state])


# --- what a peer says -----------------------------------------------------------------------------------------


def begin(peer: Peer, message: TransferRequest) -> tuple[TransferProcess, bool]:
    """A consumer asks for delivery: we are the provider. The same consumer pid again is the same transfer.

    returns  the process as it answers, and whether it was made now
    """
    if (known := _known(peer, message)) is not None:
        return process_of(known), False
    agreement = _agreement(message.agreement_id, peer.jurisdiction)
    if (known := _known(peer, message)) is not None:  # its twin came at the same moment, and was first
        return process_of(known), False
    _check_in_force(agreement)
    _check_none_running(agreement)
    if message.format != FORMAT:
        raise UnknownFormat(format=message.format[:80])
    transfer = Transfer(pid=urn(new_id()), role=Party.PROVIDER, peer=peer.jurisdiction, agreement=agreement)
    transfer.peer_pid, transfer.format = message.consumer_pid, message.format
    transfer.callback = door.callback_from(peer, message.callback)
    heard(transfer, Said.TRANSFER_REQUEST, peer)
    return _answered(transfer), True


def _known(peer: Peer, message: TransferRequest) -> Transfer | None:
    """The transfer that this request began before.

    raises   AnotherContent
    """
    known = Transfer.objects.filter(peer=peer.jurisdiction, role=Party.PROVIDER, peer_pid=message.consumer_pid).first()
    if known is not None and (known.agreement_id, known.format) != (message.agreement_id, message.format):
        raise AnotherContent
    return known


def hear(peer: Peer, pid: str, message: Heard) -> TransferProcess:
    """Any later message of the peer of a transfer.

    raises   NotFound, PidsDiffer, IllegalMove, NotTheSuspender, AgreementNotInForce
    """
    transfer = locked(Transfer, pid, peer.jurisdiction)
    sender = Party(transfer.role).other
    check_pids(transfer, message.provider_pid, message.consumer_pid)
    if restates(Machine.TRANSFER, transfer.state, message.said, sender):
        return process_of(transfer)
    if not is_new(transfer, message.said, peer):
        return process_of(transfer)
    detail: dict[str, Any] = {}
    if isinstance(message, TransferStart):
        check_may_start(transfer, sender)
        transfer.data_address, transfer.suspended_by = message.data_address or transfer.data_address, ""
    elif isinstance(message, (TransferSuspension, TransferTermination)):
        code, reason, citation = refusal_words(message)
        detail = {"code": code, "reason": reason, "citation": citation, "by": sender.value}
        if isinstance(message, TransferSuspension):
            transfer.suspended_by = sender
    heard(transfer, message.said, peer, detail)
    if transfer.state in CLOSED[Machine.TRANSFER]:
        door.hush(transfer, kind=TRANSFER)
    _take_effect(transfer)
    return _answered(transfer)


def process_of(transfer: Transfer) -> TransferProcess:
    return TransferProcess(*pids_of(transfer), transfer.state)


# --- what it does ---------------------------------------------------------------------------------------------


def _take_effect(transfer: Transfer) -> None:
    """The agreement, and the grant or the entitlement, follow the transfer."""
    agreement = transfer.agreement
    if transfer.state not in DATA_STATE:
        return
    Agreement.objects.filter(id=agreement.id).update(state=AGREEMENT_STATE[transfer.state])
    agreement.state = AGREEMENT_STATE[transfer.state]
    if transfer.role == Party.CONSUMER:
        Entitlement.objects.filter(agreement_id=agreement.id).update(state=DATA_STATE[transfer.state])
    elif Grant.objects.filter(agreement_id=agreement.id).exists():
        grants.set_state(agreement.id, DATA_STATE[transfer.state])  # type: ignore[arg-type]
    elif transfer.state == "STARTED":
        grants.put(compile_grant(agreement), "active")


def _entitle(agreement: Agreement) -> None:
    """The consumer's side of the data plane, pending until the provider starts. A second one keeps its case key.

    None for a provider outside the directory: our exchange reads from members. Its data address stands in the transfer.
    """
    if outside.is_outside(agreement.peer):
        return
    agreed, limits = read_agreed(agreement.document), limits_under(agreement)
    values = {
        "provider": agreement.peer,
        "department": agreement.department,
        "exchange_url": member(agreement.peer).exchange_url,
        "state": "pending",
        "items": list(agreed.asked.items) if agreed else sorted(limits.items or ()),
        "purposes": list(limits.purposes),
        "ends_at": agreement.ends_at,
    }
    first = {**values, "case_key": secrets.token_bytes(CASE_KEY_BYTES)}
    Entitlement.objects.update_or_create(agreement_id=agreement.id, defaults=values, create_defaults=first)


def _agreement(agreement_id: str, peer: str | None = None) -> Agreement:
    """The agreement, its row held: two requests for delivery at once see each other.

    raises   AgreementNotInForce, also for one with another peer: it does not exist for this one
    """
    rows = Agreement.objects.select_for_update(of=("self",)).select_related("negotiation").filter(id=agreement_id)
    found = (rows if peer is None else rows.filter(peer=peer, role=Party.PROVIDER)).first()
    if found is None:
        raise AgreementNotInForce(state="unknown here")
    return found


def _check_in_force(agreement: Agreement) -> None:
    if agreement.negotiation.state != "FINALIZED":
        raise AgreementNotInForce(state="not finalised")
    if agreement.state == "ended":
        raise AgreementNotInForce(state="ended")
    if agreement.ends_at is not None and agreement.ends_at <= datetime.now(UTC):
        raise AgreementNotInForce(state="expired")


def _check_none_running(agreement: Agreement) -> None:
    running = agreement.transfers.exclude(state__in=CLOSED[Machine.TRANSFER]).first()
    if running is not None:
        raise DeliveryRunning(pid=running.pid)


def check_may_start(transfer: Transfer, who: Party) -> None:
    """D809-27. Who suspended may resume. And nothing starts under an agreement whose term is over."""
    if transfer.state == "SUSPENDED" and transfer.suspended_by not in ("", who):
        raise NotTheSuspender(suspended_by=transfer.suspended_by)
    next_move(Machine.TRANSFER, transfer.state, Said.TRANSFER_START, who)
    _check_in_force(transfer.agreement)


def _answered(transfer: Transfer) -> TransferProcess:
    answer = process_of(transfer)
    decisions.ask(transfer)
    return answer


def _said(transfer: Transfer, place: str, body: dict[str, Any]) -> Transfer:
    _take_effect(transfer)
    door.say(transfer, place, body, kind=TRANSFER)
    decisions.ask(transfer)
    transfer.refresh_from_db()
    return transfer


def _address() -> dict[str, Any]:
    """Where the consumer's node asks for data. It needs no token: every request there is signed."""
    return {"@type": "DataAddress", "endpointType": ENDPOINT_TYPE, "endpoint": current().exchange_url + "/exchange"}
