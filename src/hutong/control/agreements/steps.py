"""One step of a process: look in the table, change the state, write the audit record and the ledger entry."""

from __future__ import annotations

from typing import Any, TypeVar

from django.db.models import QuerySet

from hutong.control.agreements import door
from hutong.control.agreements.decisions import Process, machine_of
from hutong.control.agreements.models import Agreement, Negotiation, Transfer
from hutong.control.agreements.rules import PidsDiffer
from hutong.control.agreements.transitions import IllegalMove, Move, Party, Said, next_move
from hutong.ledger.models import AuditRecord
from hutong.ledger.record import record
from hutong.vocabulary.errors import NotFound

Kind = TypeVar("Kind", Negotiation, Transfer)


def locked(model: type[Kind], pid: str, peer: str | None = None) -> Kind:
    """A process, its row held until the transaction ends. A peer sees its own processes only.

    raises   NotFound
    """
    rows = model.objects.select_for_update().filter(pid=pid)
    return _found(rows if peer is None else rows.filter(peer=peer), pid)


def peers_own(model: type[Kind], pid: str, peer: str) -> Kind:
    """A process as its peer may read it, not held.

    raises   NotFound
    """
    return _found(model.objects.filter(pid=pid, peer=peer), pid)


def _found(rows: QuerySet[Kind], pid: str) -> Kind:
    found = rows.first()
    if found is None:
        raise NotFound(what=rows.model.__name__.lower(), name=pid[:80])
    return found


def step(
    process: Process,
    said: Said,
    sender: Party,
    actor: str,
    detail: dict[str, Any] | None = None,
    *,
    commitment: dict[str, Any] | None = None,
) -> Move:
    """Make a legal move. The caller holds the row (or is making it) and MUST `decisions.ask` once its work is done.

    detail       for people, in the audit record; beside the role, the peer and what it is about
    commitment   for the ledger's leaf: digests and ids
    raises       IllegalMove
    """
    machine = machine_of(process)
    move = next_move(machine, process.state, said, sender)
    process.state = move.after
    process.save()
    about = {"role": process.role, "peer": process.peer, "before": move.before, "after": move.after}
    leaf = {"process": process.pid, "state": move.after, **(commitment or {})}
    record(move.audit, subject_of(process), actor, {**about, **_about(process), **(detail or {})}, commitment=leaf)
    return move


def is_new(process: Process, said: Said, peer: door.Peer) -> bool:
    """Whether a message makes a legal move; False for an unsigned one that made its move before.

    Without a message id, a repeat of a message whose answer was lost is known by its very bytes: we may have moved on
    since. A counter-request is never a repeat, as in `restates`.

    raises   IllegalMove
    """
    try:
        next_move(machine_of(process), process.state, said, Party(process.role).other)
    except IllegalMove:
        made = AuditRecord.objects.filter(subject=subject_of(process), detail__unsigned_message=peer.unsigned)
        if said is Said.REQUEST or not peer.unsigned or not made.exists():
            raise
        return False
    return True


def heard(
    process: Process,
    said: Said,
    peer: door.Peer,
    detail: dict[str, Any] | None = None,
    *,
    commitment: dict[str, Any] | None = None,
) -> Move:
    """The step that a peer's message makes. An unsigned message's digest goes into the record and the ledger's leaf.

    raises   IllegalMove
    """
    evidence = door.evidence_of(peer)
    told, leaf = {**(detail or {}), **evidence}, {**(commitment or {}), **evidence}
    return step(process, said, Party(process.role).other, door.actor(peer.jurisdiction), told, commitment=leaf)


def pids_of(process: Process) -> tuple[str, str]:
    """Provider's and consumer's process id."""
    ours, theirs = process.pid, process.peer_pid
    return (ours, theirs) if process.role == Party.PROVIDER else (theirs, ours)


def check_pids(process: Process, provider_pid: str | None, consumer_pid: str | None) -> None:
    """A-3. The ids in a message are this process's; the peer's own is learned here where it is not known yet.

    raises   PidsDiffer
    """
    ours, theirs = (provider_pid, consumer_pid) if process.role == Party.PROVIDER else (consumer_pid, provider_pid)
    # The peer's acknowledgement may be overtaken by its next message: then this is where we learn its id.
    if ours != process.pid or theirs is None or theirs != (process.peer_pid or theirs):
        raise PidsDiffer
    process.peer_pid = theirs


def subject_of(process: Process) -> str:
    return f"{machine_of(process)}:{process.pid}"


def note(process: Process, kind: str, actor: str, detail: dict[str, Any]) -> None:
    """Record something that changes no state, such as a message the peer would not take."""
    record(kind, subject_of(process), actor, {"role": process.role, "peer": process.peer, **detail})


def signed_commitment(agreement: Agreement) -> dict[str, str]:
    """What both ledgers hold of an agreement: the same id and the same digest."""
    return {"agreement": agreement.id, "agreement_digest": agreement.digest}


def _about(process: Process) -> dict[str, str]:
    if isinstance(process, Negotiation):
        return {"resource": process.dataset_id}
    return {"agreement": process.agreement_id, "resource": process.agreement.resource_id}
