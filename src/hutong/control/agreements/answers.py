"""What our peer's answers to our messages mean: its process id, or that it would not take the message."""

from __future__ import annotations

from typing import Any, Final

from hutong.control.agreements import delivery, door, outbound
from hutong.control.agreements.decisions import ask
from hutong.control.agreements.fields import Malformed
from hutong.control.agreements.models import Negotiation, Transfer
from hutong.control.agreements.protocol import NegotiationProcess, Process, TransferProcess
from hutong.control.agreements.steps import note, step
from hutong.control.agreements.transitions import CLOSED, Machine, Party, Said
from hutong.node.messages import when_answered
from hutong.node.models import OutboxMessage

REJECTED: Final = "message_refused"  # the code of a process that ended because one side would not take a message


def register() -> None:
    when_answered("negotiation:", negotiation_answered)
    when_answered("transfer:", transfer_answered)


def negotiation_answered(message: OutboxMessage, status: int | None, answer: dict[str, Any] | None) -> None:
    negotiation = Negotiation.objects.select_for_update().filter(pid=_pid(message)).first()
    if negotiation is None:
        return
    if status is not None and status < 300:
        _learn_pid(negotiation, NegotiationProcess, answer)
        return
    reason, code = _why(status, answer)
    actor = door.actor(negotiation.peer)
    note(negotiation, "negotiation.message_refused", actor, _told(message, status, code, reason))
    if negotiation.state in CLOSED[Machine.NEGOTIATION]:
        return
    if negotiation.peer_pid:
        outbound.terminate(negotiation.pid, REJECTED, reason, "", "rule:DSP-2025-1")
    else:  # it was our very first message: there is nobody to tell
        negotiation.refusal_code, negotiation.refusal_reason = code, reason
        sender = Party(negotiation.role).other
        detail = {"code": code, "reason": reason, "citation": "", "by": sender.value}
        step(negotiation, Said.TERMINATION, sender, actor, detail)
        ask(negotiation)


def transfer_answered(message: OutboxMessage, status: int | None, answer: dict[str, Any] | None) -> None:
    transfer = Transfer.objects.select_for_update().filter(pid=_pid(message)).first()
    if transfer is None:
        return
    if status is not None and status < 300:
        _learn_pid(transfer, TransferProcess, answer)
        return
    reason, code = _why(status, answer)
    actor = door.actor(transfer.peer)
    note(transfer, "transfer.message_refused", actor, _told(message, status, code, reason))
    if transfer.state != "REQUESTED":
        return  # what we did to the data stands, whether or not the peer would hear of it
    if transfer.role == Party.PROVIDER:
        delivery.terminate(transfer.pid, reason, "rule:DSP-2025-1")
    else:
        delivery.not_begun(transfer, actor, {"code": code, "reason": reason})


def _pid(message: OutboxMessage) -> str:
    return message.process.partition(":")[2]


def _learn_pid(process: Negotiation | Transfer, kind: type[Process], answer: dict[str, Any] | None) -> None:
    """Only the answer to the first message must carry the peer's id; later bodies are not specified."""
    if process.peer_pid:
        return
    try:
        acknowledged = kind.read(answer)
    except Malformed:
        note(process, "process.bad_acknowledgement", door.actor(process.peer), {})
        return
    consumer = process.role == Party.CONSUMER
    process.peer_pid = acknowledged.provider_pid if consumer else acknowledged.consumer_pid
    process.save(update_fields=["peer_pid"])


def _told(message: OutboxMessage, status: int | None, code: str, reason: str) -> dict[str, Any]:
    return {"message": message.message_id, "status": status, "code": code, "reason": reason}


def _why(status: int | None, answer: dict[str, Any] | None) -> tuple[str, str]:
    """Reason and code of a refused message, cut to what our tables hold."""
    if status is None:
        return "the other side could not be reached for seven days", "undelivered"
    given = answer or {}
    words = given.get("reason")
    reason = "; ".join(str(one) for one in words) if isinstance(words, list) else str(given.get("title", ""))
    return (reason or f"HTTP {status}")[:1000], str(given.get("code", status))[:64]
