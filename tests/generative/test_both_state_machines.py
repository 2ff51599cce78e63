"""Both machines walked at random, in both roles, with a member and with an outside connector, over the real addresses
and on a database in a file.

The peer speaks out of turn, late, twice, with another content under a known id, and in another's name; its answers get
lost; our own officers move in between; the node breaks in the middle of a message and starts again. The judge is the
specification's table as tests/dsp_states.py writes it down. After every step the stored state is the model's, each
change has left one audit record and one ledger entry, and only our own moves have sent a message.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    initialize,
    invariant,
    run_state_machine_as_test,
)

from hutong.control.agreements import delivery, outbound
from hutong.control.agreements.decisions import decides, forget
from hutong.control.agreements.drafting import offer_for
from hutong.control.agreements.models import Agreement, Negotiation, Transfer
from hutong.control.agreements.transitions import Machine, Party
from hutong.exchange.models import Entitlement, Grant
from hutong.node.keyring import ring
from hutong.vocabulary.ids import new_id, urn
from tests import dsp_messages
from tests.dsp_messages import PLACES
from tests.dsp_peer import connector, heard_of, peer, published
from tests.dsp_states import LEGAL, STATES, way_to
from tests.generative.walking import Letter, Script, Walk
from tests.region import neighbour, ourselves

pytestmark = pytest.mark.django_db(transaction=True)


class NegotiationWalk(Walk):
    machine = "negotiation"
    peer_says = ["REQUEST", "OFFER", "ACCEPTED", "AGREEMENT", "VERIFICATION", "FINALIZED", "TERMINATION"]
    we_say = peer_says

    def stored(self) -> Negotiation:
        return Negotiation.objects.get(pid=self.ours)

    @initialize(theirs_first=st.booleans())
    def begin(self, theirs_first: bool) -> None:
        _, _, our_entry, their_entry = self.world
        self.policy = offer_for((our_entry if self.us == "provider" else their_entry).dataset, None)
        self.offer = self.policy.document
        if not theirs_first:
            self.we_begin()
            return
        said = "REQUEST" if self.us == "provider" else "OFFER"
        self.first = self.beginning(said, self.offer)
        status, answer = self.send(self.first)
        self.ours = answer["providerPid" if self.us == "provider" else "consumerPid"]
        self.moved("REQUESTED" if said == "REQUEST" else "OFFERED")
        assert (status, answer["state"]) == (201, self.state)
        self.first.answer = status, answer
        self.heard[said] = self.offer["@id"]
        self.letters.append(self.first)

    def we_begin(self) -> None:
        member, resource = self.peer.jurisdiction, self.policy.target or ""
        if self.us == "consumer":
            made = outbound.request(member, self.policy, None, "tester", callback=self.way_to_peer)
        else:
            made = outbound.open_offer(member, resource, "tester", callback=self.way_to_peer)
        self.ours, self.acknowledged = made.pid, False
        self.moved("REQUESTED" if self.us == "consumer" else "OFFERED")
        self.said_by_us("REQUEST" if self.us == "consumer" else "OFFER")

    def beginning(self, said: str, offer: dict[str, Any]) -> Letter:
        mine = "consumerPid" if said == "REQUEST" else "providerPid"
        members = {mine: self.theirs, "callbackAddress": self.peer.callback, "offer": offer}
        return Letter(said, f"/negotiations/{PLACES[said][1]}", dsp_messages.message(said, **members), offer["@id"])

    def other_first(self) -> Letter:
        assert self.first is not None
        return self.beginning(self.first.said, {**self.offer, "@id": urn(new_id())})

    def letter(self, said: str, content: str = "") -> Letter:
        members: dict[str, Any] = dict(self.pids)
        content = content or urn(new_id())
        if said in ("REQUEST", "OFFER"):
            members["offer"] = {**self.offer, "@id": content}
        elif said == "AGREEMENT":
            members["agreement"] = self.agreement(content)
        else:
            content = ""
        path = f"/negotiations/{self.ours}/{PLACES[said][1]}"
        return Letter(said, path, dsp_messages.message(said, **members), content)

    def agreement(self, content: str) -> dict[str, Any]:
        """A plain agreement; the same id is the same document, so that a repeat can be one."""
        made = self.peer.agreement(self.policy.target or "", None).document
        return {**made, "@id": content, "timestamp": "2026-01-01T00:00:00.000Z"}

    def ours_said(self, said: str) -> None:
        has_agreement = Agreement.objects.filter(negotiation_id=self.ours).exists()
        if said in ("VERIFICATION", "FINALIZED") and not has_agreement:
            return  # there is nothing to verify: no officer and no rule can get here
        acts: dict[str, Callable[[], Any]] = {
            "REQUEST": lambda: outbound.counter(self.ours, self.policy, None, "tester"),
            "OFFER": lambda: outbound.offer(self.ours, "tester", bare=True),
            "ACCEPTED": lambda: outbound.accept(self.ours, "tester"),
            "AGREEMENT": lambda: outbound.agree(self.ours, None, "tester"),
            "VERIFICATION": lambda: outbound.verify(self.ours, "tester"),
            "FINALIZED": lambda: outbound.finalize(self.ours, "tester"),
            "TERMINATION": lambda: outbound.terminate(self.ours, "", "because", "", "tester"),
        }
        self.say(said, acts[said])

    def refused_by_peer(self) -> None:
        """What the peer will not take ends the negotiation, and the peer is told where it knows of it."""
        if self.state in ("FINALIZED", "TERMINATED"):
            return
        self.moved("TERMINATED")
        if self.acknowledged:
            self.said_by_us("TERMINATION")

    @invariant()
    def an_agreement_exists_exactly_from_agreed_on(self) -> None:
        if not self.state:
            return
        if self.state in ("AGREED", "VERIFIED", "FINALIZED"):
            assert Agreement.objects.get(negotiation_id=self.ours).state == "agreed"
        elif self.state in ("REQUESTED", "OFFERED", "ACCEPTED"):
            assert not Agreement.objects.filter(negotiation_id=self.ours).exists()
        else:
            assert not Agreement.objects.filter(negotiation_id=self.ours).exclude(state="ended").exists()


DATA = {"STARTED": "active", "SUSPENDED": "suspended", "COMPLETED": "ended", "TERMINATED": "ended"}


class TransferWalk(Walk):
    machine = "transfer"
    peer_says = ["TRANSFER_START", "TRANSFER_SUSPENSION", "TRANSFER_COMPLETION", "TRANSFER_TERMINATION"]
    we_say = peer_says
    suspender: str | None = None

    def stored(self) -> Transfer:
        return Transfer.objects.get(pid=self.ours)

    @initialize()
    def begin(self) -> None:
        _, _, our_entry, their_entry = self.world
        self.agreed = self.finalised((our_entry if self.us == "provider" else their_entry).id)
        if self.us == "consumer":
            self.ours = delivery.request(self.agreed.id, "tester").pid
            self.acknowledged = False
            self.moved("REQUESTED")
            self.said_by_us("TRANSFER_REQUEST")
            return
        self.first = self.beginning(self.agreed.id)
        status, answer = self.send(self.first)
        self.ours = answer["providerPid"]
        self.moved("REQUESTED")
        assert (status, answer["state"]) == (201, "REQUESTED")
        self.first.answer = status, answer
        self.letters.append(self.first)

    def finalised(self, dataset_id: str) -> Agreement:
        policy = self.peer.agreement(dataset_id, None)
        negotiation = Negotiation(pid=urn(new_id()), role=self.us, peer=self.peer.jurisdiction, state="FINALIZED")
        negotiation.callback, negotiation.dataset_id, negotiation.peer_pid = self.way_to_peer, dataset_id, urn(new_id())
        negotiation.save()
        made = outbound.agreement_row(negotiation, policy, datetime.now(UTC))
        made.save()
        return made

    def beginning(self, agreement: str) -> Letter:
        members = {"consumerPid": self.theirs, "agreementId": agreement, "callbackAddress": self.peer.callback}
        body = dsp_messages.message("TRANSFER_REQUEST", format="HttpData-PULL", **members)
        return Letter("TRANSFER_REQUEST", "/transfers/request", body, agreement)

    def other_first(self) -> Letter:
        return self.beginning(urn(new_id()))

    def letter(self, said: str, content: str = "") -> Letter:
        return Letter(said, f"/transfers/{self.ours}/{PLACES[said][1]}", dsp_messages.message(said, **self.pids))

    def forbidden(self, said: str, sender: str) -> str | None:
        """D809-27. Whoever suspended may resume."""
        barred = said == "TRANSFER_START" and self.state == "SUSPENDED" and self.suspender != sender
        return "not_the_suspender" if barred else None

    def took(self, letter: Letter) -> None:
        self.suspender = self.them if letter.said == "TRANSFER_SUSPENSION" else None

    def ours_said(self, said: str) -> None:
        before = self.state
        acts: dict[str, Callable[[], Any]] = {
            "TRANSFER_START": lambda: delivery.start(self.ours, "tester"),
            "TRANSFER_SUSPENSION": lambda: delivery.suspend(self.ours, "because", "tester"),
            "TRANSFER_COMPLETION": lambda: delivery.complete(self.ours, "tester"),
            "TRANSFER_TERMINATION": lambda: delivery.terminate(self.ours, "because", "tester"),
        }
        self.say(said, acts[said])
        if self.state != before:
            self.suspender = self.us if said == "TRANSFER_SUSPENSION" else None

    def refused_by_peer(self) -> None:
        """What we did to the data stands; only a delivery that had not begun is over."""
        if self.state != "REQUESTED":
            return
        self.moved("TERMINATED")
        if self.us == "provider":
            self.said_by_us("TRANSFER_TERMINATION")

    @invariant()
    def the_data_plane_follows(self) -> None:
        """What may be read is what the state says, at every moment."""
        if not self.state or (self.us == "consumer" and not self.signs):  # from outside, no exchange of ours reads
            return
        rows = Grant if self.us == "provider" else Entitlement
        found = rows.objects.filter(agreement_id=self.agreed.id).first()
        if self.state == "REQUESTED":
            assert found is None or found.state == "pending"
        elif found is not None:
            assert found.state == DATA[self.state]
        else:
            assert self.state in ("COMPLETED", "TERMINATED")


@pytest.fixture
def script(database_file: None) -> Iterator[Script]:
    """The peers and the entries that all walks share; every decision is the walk's own."""
    ourselves()
    neighbour("yrd", "region")
    remote, script = peer("340000"), Script()
    Walk.world, Walk.script = (remote, peer("310000"), published(), heard_of(remote.node)), script
    for machine in Machine:
        for state in STATES[machine]:
            for role in Party:
                decides(machine, state, role)(script)
    yield script
    forget(script)
    ring.cache_clear()


WALKS = {"negotiation": NegotiationWalk, "transfer": TransferWalk}


@pytest.mark.usefixtures("script")
@pytest.mark.parametrize("who", ["a member", "an outside connector"])
@pytest.mark.parametrize("us", ["provider", "consumer"])
@pytest.mark.parametrize("machine", WALKS)
def test_any_walk_stays_within_the_table(machine: str, us: str, who: str) -> None:
    walk = WALKS[machine]
    walk.us, walk.seen = us, set()
    if who == "an outside connector":
        Walk.world = (connector(Walk.world[0].node), *Walk.world[1:])
    run_state_machine_as_test(
        walk,
        settings=settings(max_examples=20, stateful_step_count=30, suppress_health_check=list(HealthCheck)),
    )
    # The walks must go deep; that every single move is possible is the next test's.
    assert walk.seen >= {"negotiation": {"FINALIZED"}, "transfer": {"SUSPENDED"}}[machine]


def walked_to(machine: str, us: str, state: str) -> Walk:
    """A walk that stands in a state, everything of ours having arrived; before the first message for ""."""
    walk = WALKS[machine]()
    walk.us = us
    if not state:
        return walk
    walk.begin(**({} if machine == "transfer" else {"theirs_first": us == "provider"}))
    arrived(walk)
    for earlier in way_to(machine, state):
        walk.perform(earlier.said, earlier.sender)
        arrived(walk)
    assert walk.state == state
    return walk


def arrived(walk: Walk) -> None:
    while walk.waiting:
        walk.our_next_message_travels(fate="taken")


@pytest.mark.usefixtures("script")
@pytest.mark.parametrize("us", ["provider", "consumer"])
@pytest.mark.parametrize("machine", WALKS)
def test_every_legal_move_can_be_made_by_either_side(machine: str, us: str) -> None:
    for step, after in LEGAL[machine].items():
        if not step.before:
            continue
        walk = walked_to(machine, us, step.before)
        if walk.forbidden(step.said, step.sender):
            continue  # legal by the table, and refused to the one who did not suspend: the random walks test that
        walk.perform(step.said, step.sender)
        assert walk.state == after, step
        holds(walk)


def holds(walk: Walk) -> None:
    walk.the_model_holds()
    if isinstance(walk, TransferWalk):
        walk.the_data_plane_follows()
    else:
        walk.an_agreement_exists_exactly_from_agreed_on()


@pytest.mark.usefixtures("script")
@pytest.mark.parametrize("fate", ["lost", "busy", "refused"])
@pytest.mark.parametrize("us", ["provider", "consumer"])
@pytest.mark.parametrize("machine", WALKS)
def test_whatever_comes_of_any_message_of_ours_the_model_holds(machine: str, us: str, fate: str) -> None:
    for step in LEGAL[machine]:
        if step.sender != us:
            continue
        walk = walked_to(machine, us, step.before)
        if step.before:
            walk.perform(step.said, us)
        else:
            walk.begin(**({} if machine == "transfer" else {"theirs_first": False}))
        if walk.waiting:  # nothing is said where the other side had suspended
            walk.our_next_message_travels(fate=fate)
        holds(walk)
