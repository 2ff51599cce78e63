"""Letting connectors outside the directory in and out: the role is checked, and nobody leaves with work under way."""

from __future__ import annotations

from collections.abc import Sequence

from django.db import transaction

from hutong.control.agreements.models import Negotiation, Transfer
from hutong.control.agreements.rules import PeerStillUnderWay
from hutong.control.agreements.transitions import CLOSED, Machine
from hutong.control.identity.rules import Action, Actor, check
from hutong.node import outside
from hutong.node.models import OutsidePeer


def let_in(
    by: Actor, participant: str, *, name: str = "", addresses: Sequence[str] = (), authorization: str = ""
) -> str:
    """Let a connector in. returns the token it presents to us, this once

    raises   NotAllowed, BadPeer, AlreadyLetIn
    """
    check(by, Action.LET_IN)
    return outside.let_in(by.username, participant, name=name, addresses=addresses, authorization=authorization)


def change(
    by: Actor,
    participant: str,
    *,
    addresses: Sequence[str] | None = None,
    authorization: str | None = None,
    new_token: bool = False,
) -> str:
    """Change what is given. returns the new token, "" when it stays

    raises   NotAllowed, BadPeer, UnknownOutsidePeer
    """
    check(by, Action.LET_IN)
    return outside.change(
        by.username, participant, addresses=addresses, authorization=authorization, new_token=new_token
    )


@transaction.atomic
def shut_out(by: Actor, participant: str) -> None:
    """Let a connector in no more, once nothing is under way with it.

    raises   NotAllowed, UnknownOutsidePeer, PeerStillUnderWay
    """
    check(by, Action.LET_IN)
    peer = outside.peer_of(participant)
    open_ones = Negotiation.objects.filter(peer=peer).exclude(state__in=CLOSED[Machine.NEGOTIATION])
    deliveries = Transfer.objects.filter(peer=peer).exclude(state__in=CLOSED[Machine.TRANSFER])
    running = [*open_ones.values_list("pid", flat=True), *deliveries.values_list("pid", flat=True)]
    if running:
        raise PeerStillUnderWay(name=participant, count=len(running), first=running[0])
    outside.shut_out(by.username, participant)


def listed(by: Actor) -> list[OutsidePeer]:
    """Who is let in, by participant id.

    raises   NotAllowed
    """
    check(by, Action.SEE_NODE)
    return outside.let_in_peers()
