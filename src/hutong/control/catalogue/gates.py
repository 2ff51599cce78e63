"""What other parts have to say before a resource is withdrawn.

    before_withdrawal(check)     # check(resource, emergency) raises a Refused, or lets it pass

Called in the transaction of the withdrawal, before anything is changed.
"""

from __future__ import annotations

from collections.abc import Callable

from hutong.control.catalogue.models import Resource
from hutong.node import parts

Gate = Callable[[Resource, str], None]
_withdrawal: list[Gate] = []


def before_withdrawal(gate: Gate) -> None:
    if gate not in _withdrawal:
        _withdrawal.append(gate)


def check_withdrawal(resource: Resource, emergency: str) -> None:
    """raises   what a gate refuses with"""
    parts.load()
    for gate in _withdrawal:
        gate(resource, emergency)
