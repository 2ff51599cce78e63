"""An offering of this node to its neighbours, and a neighbour that takes it up, by the real messages."""

from __future__ import annotations

from typing import Any

from hutong.control.agreements import delivery, protocol
from hutong.control.agreements.drafting import offer_for
from hutong.control.agreements.models import Agreement, Negotiation
from hutong.control.agreements.offered import read_offered
from hutong.control.agreements.terms import Terms
from hutong.control.catalogue.models import Entry
from hutong.control.identity.models import Account
from hutong.control.offerings import actions, spreading
from hutong.control.offerings.models import Offering
from hutong.vocabulary.ids import new_id, urn
from tests.dsp_peer import DspPeer, head_of


def signed(officer: Account, entry: Entry, **given: Any) -> Offering:
    """Proposed by the officer, signed by the head, and told to every member."""
    made = actions.propose(officer, entry.id, **({"area": "members"} | given))
    made = actions.sign(head_of(officer), made.id)
    spreading.keep_up()
    return made


def offer_of(member: DspPeer) -> protocol.ContractOffer:
    """The newest offer a member was made."""
    made: protocol.ContractOffer = member.heard(protocol.ContractOffer)[-1]
    return made


def answer(member: DspPeer, entry: Entry, asked: Terms) -> Negotiation:
    """The member files its own request in the negotiation that our offer began."""
    came = offer_of(member)
    offer = offer_for(entry.dataset, asked, offered=read_offered(came.offer.document))
    ours = Negotiation.objects.get(pid=came.provider_pid)
    pid = ours.peer_pid or urn(new_id())
    said = protocol.ContractRequest(pid, offer, provider_pid=ours.pid)
    assert member.say(f"/negotiations/{ours.pid}/request", said).status_code == 200
    ours.refresh_from_db()
    return ours


def take_up(member: DspPeer, entry: Entry, asked: Terms) -> Agreement:
    """Until rows could be read."""
    negotiation = answer(member, entry, asked)
    policy = member.heard(protocol.ContractAgreement)[-1].agreement
    said = protocol.ContractVerification(negotiation.pid, negotiation.peer_pid, member.countersign(policy))
    assert member.say(f"/negotiations/{negotiation.pid}/agreement/verification", said).status_code == 200
    message = protocol.TransferRequest(urn(new_id()), policy.id, delivery.FORMAT, member.callback)
    assert member.say("/transfers/request", message).status_code == 201
    return Agreement.objects.get(id=policy.id)


def decline(member: DspPeer, reason: str) -> None:
    """The member says no."""
    ours = Negotiation.objects.get(pid=offer_of(member).provider_pid)
    pid = ours.peer_pid or urn(new_id())
    said = protocol.ContractTermination(ours.pid, pid, "declined", (reason,), {"reason": reason, "citation": ""})
    assert member.say(f"/negotiations/{ours.pid}/termination", said).status_code == 200
