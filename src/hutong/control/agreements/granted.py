"""Agreements that the law itself grants: what people of the provider may not do to them.

@guards
def no_further_condition(negotiation: Negotiation, move: str, chosen: Mapping[str, Any]) -> None:
    raise FurtherCondition(...)
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from hutong.control.agreements.models import Negotiation

Guard = Callable[[Negotiation, str, Mapping[str, Any]], None]
_guards: list[Guard] = []


def guards(guard: Guard) -> Guard:
    """Ask this guard before a person of the provider moves. Registering the same one again changes nothing."""
    if guard not in _guards:
        _guards.append(guard)
    return guard


def check_move(negotiation: Negotiation, move: str, chosen: Mapping[str, Any] | None = None) -> None:
    """Before a person of the provider agrees, refuses, asks for material, suspends or ends.

    move     agree, refuse, supplement, suspend, end
    chosen   what the person chose that differs from what was asked; None where it was left out
    raises   what a guard raises
    """
    for guard in _guards:
        guard(negotiation, move, {name: value for name, value in (chosen or {}).items() if value is not None})
