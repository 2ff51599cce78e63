"""What follows, in one transaction, when a version of a definition comes into force at this node."""

from __future__ import annotations

from collections.abc import Callable

from hutong.control.standards.models import Definition
from hutong.node import parts

Follower = Callable[[Definition, str], None]
_followers: dict[str, Follower] = {}


def follows(kind: str) -> Callable[[Follower], Follower]:
    """Do something in the transaction that approves or receives a version of a kind: f(version, who did it)."""

    def decorate(function: Follower) -> Follower:
        _followers[kind] = function
        return function

    return decorate


def in_force(one: Definition, actor: str) -> None:
    parts.load()
    if one.kind in _followers:
        _followers[one.kind](one, actor)
