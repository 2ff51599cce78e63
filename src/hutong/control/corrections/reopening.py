"""A report that a dispute's outcome says must end with a correction: opened again at the provider, and its term anew.

What was answered before stands in both ledgers; the ticket is the same, so the trace from the report goes on.
"""

from __future__ import annotations

from collections.abc import Callable

from hutong.control.agreements.transitions import Party
from hutong.control.corrections import saying, telling
from hutong.control.corrections.models import Correction
from hutong.ledger.record import record
from hutong.node import parts
from hutong.vocabulary.errors import NotFound

Hook = Callable[[Correction], None]
_hooks: list[Hook] = []


def when_answered(hook: Hook) -> Hook:
    """Call in the transaction that answers a report here."""
    _hooks.append(hook)
    return hook


def answered(one: Correction) -> None:
    parts.load()
    for hook in _hooks:
        hook(one)


def reported_to_us(ticket: str) -> Correction | None:
    return Correction.objects.filter(ticket=ticket, role=Party.PROVIDER).first()


def open_by_decision(ticket: str, dispute_id: str, *, again: bool = False) -> Correction:
    """The ticket as the outcome of a dispute binds us to it: open, its clock running, or corrected already. In the
    caller's transaction; repeatable.

    again    open it once more where it was answered otherwise after the outcome
    raises   NotFound for one that was never reported to us
    """
    one = Correction.objects.select_for_update().filter(ticket=ticket, role=Party.PROVIDER).first()
    if one is None:
        raise NotFound(what="correction", what_zh="校核", name=ticket[:80])
    if one.state == "corrected" or (one.by_decision == dispute_id and (one.state == "reported" or not again)):
        return one
    before, one.by_decision, one.state = one.state, dispute_id, "reported"
    forget_answer(one)
    due = telling.receive(one, by_decision=dispute_id)
    detail = {"dispute": dispute_id, "answered_before": before if before != "reported" else "", "due_on": due}
    leaf = {"ticket": one.ticket, "report": one.report_digest, "dispute": dispute_id}
    record(
        "correction.opened_by_decision", saying.subject(one.ticket), f"dispute:{dispute_id}", detail, commitment=leaf
    )
    return one


def forget_answer(one: Correction) -> None:
    """As if not answered yet; unsaved."""
    one.changes, one.answer, one.answer_digest, one.answered_by = [], b"", "", ""
    one.answered_at = one.corrected_at = None
