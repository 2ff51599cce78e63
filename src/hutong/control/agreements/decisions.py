"""Who decides when a process enters a state: a registry, open to every part and to tests.

    @decides(Machine.NEGOTIATION, "REQUESTED", Party.PROVIDER)
    def my_officer(negotiation: Negotiation) -> bool:
        ...                      # act with hutong.control.agreements.outbound, now or later
        return True              # True: it is mine; nobody after me is asked

Deciders are asked in the transaction that entered the state, after its audit record, newest registration
first: a scripted officer registered last is asked before the node's own rules. Followers are told first
and decide nothing. An error undoes the transaction, and the peer sends its message again; a Refused in
a decider undoes only what the decider did, is logged, and leaves the decision to a person.
"""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Callable
from typing import TypeVar

from django.db import transaction

from hutong.control.agreements.models import Negotiation, Transfer
from hutong.control.agreements.transitions import Machine, Party
from hutong.node import parts
from hutong.vocabulary.errors import Refused

Process = Negotiation | Transfer
Key = tuple[Machine, str, Party]  # the machine, the state entered, the role we play
Decider = TypeVar("Decider", bound=Callable[..., bool])
Follower = TypeVar("Follower", bound=Callable[..., None])

_deciders: dict[Key, list[Callable[..., bool]]] = defaultdict(list)
_followers: dict[Key, list[Callable[..., None]]] = defaultdict(list)
log = logging.getLogger("hutong.agreements")


def decides(machine: Machine, state: str, role: Party) -> Callable[[Decider], Decider]:
    """Register a decider of a state in a role. Registering the same one again changes nothing."""

    def register(decider: Decider) -> Decider:
        asked = _deciders[(machine, state, role)]
        if decider not in asked:
            asked.insert(0, decider)
        return decider

    return register


def follows(machine: Machine, state: str, role: Party) -> Callable[[Follower], Follower]:
    """Register a follower: told of every entry into the state, in the same transaction."""

    def register(follower: Follower) -> Follower:
        told = _followers[(machine, state, role)]
        if follower not in told:
            told.append(follower)
        return follower

    return register


def forget(decider: Callable[..., bool]) -> None:
    """Take a decider back wherever it was registered."""
    for asked in _deciders.values():
        if decider in asked:
            asked.remove(decider)


def machine_of(process: Process) -> Machine:
    return Machine.NEGOTIATION if isinstance(process, Negotiation) else Machine.TRANSFER


def ask(process: Process) -> None:
    """Tell the followers, then ask the deciders of the state a process has just entered, until one says it is his."""
    parts.load()
    key = (machine_of(process), process.state, Party(process.role))
    for follower in list(_followers[key]):
        follower(process)
    for decider in list(_deciders[key]):
        if _decided(decider, process):
            return


def _decided(decider: Callable[..., bool], process: Process) -> bool:
    try:
        with transaction.atomic():
            return decider(process)
    except Refused as refused:
        # What a rule may not do, a person decides: the process stays in its state, in the inbox.
        log.warning("%s %s stays %s: %s", machine_of(process), process.pid, process.state, refused.code)
        process.refresh_from_db()
        return False
