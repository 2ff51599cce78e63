"""A department that was merged into another: what it offers, and what it still has to do, goes to its successor.

What it received under agreements stays: each agreement names its recipient, and the successor asks anew.

    @moves("resources")
    def move(old: Department, new: Department, by: Actor) -> int: ...
"""

from __future__ import annotations

from collections.abc import Callable

from django.db import transaction

from hutong.control.identity.rules import Action, Actor, check
from hutong.control.organisations.models import Department, Succession
from hutong.control.organisations.queries import department
from hutong.ledger.record import record
from hutong.node import parts
from hutong.vocabulary.errors import Refused
from hutong.vocabulary.ids import new_id
from hutong.vocabulary.text import checked

Move = Callable[[Department, Department, Actor], int]
_moves: dict[str, Move] = {}


class OwnSuccessor(Refused):
    """A department cannot follow itself, nor a department that it was merged into."""

    zh = "部门不能由自身承继，也不能由已并入它的部门承继。"
    code = "own_successor"
    status = 409
    next_en = "Name the department that took over."
    next_zh = "请指定承继职责的部门。"


def moves(name: str) -> Callable[[Move], Move]:
    """Register what goes to a successor; the function returns how many there were."""

    def decorate(move: Move) -> Move:
        _moves[name] = move
        return move

    return decorate


@transaction.atomic
def succeed(by: Actor, old_code: str, new_code: str, *, reason: str) -> Succession:
    """Give what a merged department offers and owes to its successor, all of it or nothing.

    reason   the decision it rests on, for example the notice of the reform
    raises   NotAllowed, NotFound, OwnSuccessor, WrongText
    """
    check(by, Action.ADD_DEPARTMENT)
    old, new = department(old_code), department(new_code)
    reason = checked("reason", reason, limit=500, required=True)
    if old.code in _line(new):
        raise OwnSuccessor()
    parts.load()
    moved = {name: move(old, new, by) for name, move in sorted(_moves.items())}
    made = Succession.objects.create(id=new_id(), old=old, new=new, reason=reason, moved=moved, decided_by=by.username)
    detail = {"successor": new.code, "reason": reason, "moved": moved}
    record("department.succeeded", f"department:{old.code}", by.username, detail)
    return made


def _line(one: Department) -> set[str]:
    """The department and those that followed it, one after another."""
    found: set[str] = set()
    code: str | None = one.code
    while code is not None and code not in found:
        found.add(code)
        followed = Succession.objects.filter(old=code).order_by("-decided_at", "-id").first()
        code = followed.new_id if followed else None
    return found
