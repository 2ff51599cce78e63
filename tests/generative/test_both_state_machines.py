"""Both machines walked at random: our moves, the peer's messages, repeats and wrong ones, in any order.

The judge is the table of legal moves. After every step the stored state is the model's, each legal
move has left one audit record, and only our own moves have sent a message.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.db import transaction
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from hutong.control.agreements import delivery, inbound, outbound, protocol
from hutong.control.agreements.decisions import decides, forget
from hutong.control.agreements.drafting import offer_for
from hutong.control.agreements.models import Agreement, Negotiation, Transfer
from hutong.control.agreements.rules import AnotherContent, NotTheSuspender
from hutong.control.agreements.transitions import MOVES, STATES, IllegalMove, Machine, Move, Party, Said
from hutong.exchange.models import Grant, Subscription
from hutong.ledger.models import AuditRecord, LedgerEntry
from hutong.node.messages import Peer
from hutong.node.models import OutboxMessage
from hutong.vocabulary.errors import Refused
from hutong.vocabulary.ids import new_id, urn
from tests.dsp_peer import DspPeer, heard_of, peer, published
from tests.region import neighbour, ourselves

pytestmark = pytest.mark.django_db
TABLE = {(move.machine, move.before, move.said, move.sender): move.after for move in MOVES}
LEADS = {(move.machine, move.after, move.said, move.sender) for move in MOVES if move.said is not Said.REQUEST}


def nobody_decides(process: Any) -> bool:
    """Takes every decision and makes none, so that each step is the test's own."""
    return True


class Walk(RuleBasedStateMachine):
    """What both machines' walks share. `begin` makes the process; the subclass knows the messages."""

    machine: Machine
    us: Party  # the role this node plays
    world: tuple[DspPeer, Any, Any]  # the peer, our entry, its entry: made once, by the test
    seen: set[str] = set()  # every state of every walk: the test asks that none was missed

    def __init__(self) -> None:
        super().__init__()
        self.state = ""
        self.records = AuditRecord.objects.count()
        self.told = OutboxMessage.objects.count()

    @property
    def them(self) -> Party:
        return self.us.other

    @property
    def peer(self) -> Peer:
        return Peer(self.world[0].jurisdiction, self.world[0].participant)

    @property
    def pids(self) -> tuple[str, str]:
        return (self.ours, self.theirs) if self.us is Party.PROVIDER else (self.theirs, self.ours)

    def expected(self, said: Said, sender: Party) -> str | None:
        return TABLE.get((self.machine, self.state, said, sender))

    def moved(self, after: str) -> None:
        self.state = after
        self.seen.add(after)
        self.records += 1

    def legal(self) -> list[tuple[Said, Party]]:
        """What may be said now without ending it all."""
        keys = [
            (said, sender) for machine, before, said, sender in TABLE if (machine, before) == (self.machine, self.state)
        ]
        return [key for key in keys if not key[0].endswith("TerminationMessage")]

    def hear(self, said: Said, act: Callable[[], Any], *, other_content: bool = False) -> None:
        """The peer says something: legal, a harmless repeat, or refused with nothing changed."""
        after = self.expected(said, self.them)
        if after is not None:
            with transaction.atomic():
                answer = act()
            self.moved(after)
            assert answer.state == after
            return
        repeat = (self.machine, self.state, said, self.them) in LEADS
        if repeat and not other_content:
            with transaction.atomic():
                assert act().state == self.state
            return
        with pytest.raises(AnotherContent if repeat else IllegalMove) as refused, transaction.atomic():
            act()
        assert 400 <= refused.value.status < 500
        assert refused.value.status != 404

    def say(self, said: Said, act: Callable[[], Any]) -> None:
        """We say something: legal, or refused with nothing changed and nothing sent."""
        after = self.expected(said, self.us)
        if after is None:
            with pytest.raises(Refused), transaction.atomic():
                act()
            return
        act()
        self.moved(after)
        self.told += 1

    @invariant()
    def the_table_agrees(self) -> None:
        if not self.state:
            return
        assert self.stored().state == self.state
        assert self.state in STATES[self.machine]
        assert AuditRecord.objects.count() == self.records == LedgerEntry.objects.count()
        assert OutboxMessage.objects.count() == self.told


class NegotiationWalk(Walk):
    machine = Machine.NEGOTIATION

    def stored(self) -> Negotiation:
        return Negotiation.objects.get(pid=self.ours)

    @initialize(theirs_first=st.booleans())
    def begin(self, theirs_first: bool) -> None:
        us, self.theirs = self.us, urn(new_id())
        remote, our_entry, their_entry = self.world
        self.offer = offer_for((our_entry if us is Party.PROVIDER else their_entry).dataset, None)
        self.last_offer, self.policy = self.offer, None
        if us is Party.PROVIDER:
            first = protocol.ContractRequest(self.theirs, self.offer, callback=remote.callback)
            with transaction.atomic():
                process, made = inbound.begin_request(self.peer, first)
            self.ours = process.provider_pid
            self.moved("REQUESTED")
        elif theirs_first:
            first = protocol.ContractOffer(self.theirs, self.offer, callback=remote.callback)
            with transaction.atomic():
                process, made = inbound.begin_offer(self.peer, first)
            self.ours = process.consumer_pid
            self.moved("OFFERED")
        else:
            made = True
            self.ours = outbound.request(self.peer.jurisdiction, self.offer, None, "tester").pid
            self.moved("REQUESTED")
            self.told += 1
            Negotiation.objects.filter(pid=self.ours).update(peer_pid=self.theirs)
        assert made

    @precondition(lambda self: self.legal())
    @rule(data=st.data())
    def the_provider_goes_on(self, data: st.DataObject) -> None:
        """Without these two, a random walk ends long before anything is agreed."""
        if mine := [key for key in self.legal() if key[1] is Party.PROVIDER]:
            self.perform(*data.draw(st.sampled_from(mine)))

    @precondition(lambda self: self.legal())
    @rule(data=st.data())
    def the_consumer_goes_on(self, data: st.DataObject) -> None:
        if mine := [key for key in self.legal() if key[1] is Party.CONSUMER]:
            self.perform(*data.draw(st.sampled_from(mine)))

    def perform(self, said: Said, sender: Party) -> None:
        by_us: dict[Said, Callable[[], None]] = {
            Said.REQUEST: self.we_ask_again,
            Said.OFFER: self.we_offer,
            Said.ACCEPTED: self.we_accept,
            Said.AGREEMENT: self.we_agree,
            Said.VERIFICATION: self.we_verify,
            Said.FINALIZED: self.we_finalize,
            Said.TERMINATION: lambda: self.we_terminate(really=0),
        }
        by_them: dict[Said, Callable[[], None]] = {
            Said.REQUEST: self.peer_asks_again,
            Said.OFFER: lambda: self.peer_offers(same=False),
            Said.ACCEPTED: lambda: self.peer_tells_an_event(event="ACCEPTED"),
            Said.AGREEMENT: lambda: self.peer_agrees(same=False),
            Said.VERIFICATION: self.peer_verifies,
            Said.FINALIZED: lambda: self.peer_tells_an_event(event="FINALIZED"),
            Said.TERMINATION: lambda: self.peer_terminates(really=0),
        }
        (by_us if sender is self.us else by_them)[said]()

    @rule()
    def peer_asks_again(self) -> None:
        message = protocol.ContractRequest(self.pids[1], self.offer, provider_pid=self.pids[0])
        self.hear(Said.REQUEST, lambda: inbound.hear(self.peer, self.ours, message))

    @rule(same=st.booleans())
    def peer_offers(self, same: bool) -> None:
        document = self.last_offer.document if same else {**self.offer.document, "@id": urn(new_id())}
        policy = protocol.read_policy(document, protocol.Kind.OFFER, "offer")
        before = self.state
        message = protocol.ContractOffer(self.pids[0], policy, self.pids[1])
        self.hear(Said.OFFER, lambda: inbound.hear(self.peer, self.ours, message), other_content=not same)
        if self.state != before:
            self.last_offer = policy

    @rule(event=st.sampled_from(["ACCEPTED", "FINALIZED"]))
    def peer_tells_an_event(self, event: str) -> None:
        message = protocol.ContractEvent(*self.pids, event)
        self.hear(message.said, lambda: inbound.hear(self.peer, self.ours, message))

    @rule(same=st.booleans())
    def peer_agrees(self, same: bool) -> None:
        remote = self.world[0]
        policy = self.policy if same and self.policy else remote.agreement(self.offer.target or "", None)
        message = protocol.ContractAgreement(*self.pids, policy)
        before = self.state
        known = self.policy is not None and policy.id == self.policy.id
        self.hear(Said.AGREEMENT, lambda: inbound.hear(self.peer, self.ours, message), other_content=not known)
        if self.state != before:
            self.policy = policy

    @rule()
    def peer_verifies(self) -> None:
        message = protocol.ContractVerification(*self.pids)
        self.hear(Said.VERIFICATION, lambda: inbound.hear(self.peer, self.ours, message))

    @rule(really=st.integers(0, 4))
    def peer_terminates(self, really: int) -> None:
        if really:
            return
        message = protocol.ContractTermination(*self.pids)
        if self.state == "TERMINATED":  # a termination after ours is harmless whoever ended it
            with transaction.atomic():
                assert inbound.hear(self.peer, self.ours, message).state == "TERMINATED"
            return
        self.hear(Said.TERMINATION, lambda: inbound.hear(self.peer, self.ours, message))

    @rule()
    def we_offer(self) -> None:
        self.say(Said.OFFER, lambda: outbound.offer(self.ours, "tester", bare=True))
        if self.state == "OFFERED" and self.us is Party.PROVIDER:
            self.last_offer = protocol.read_policy(self.stored().offer, protocol.Kind.OFFER, "offer")

    @rule()
    def we_ask_again(self) -> None:
        self.say(Said.REQUEST, lambda: outbound.counter(self.ours, self.offer, None, "tester"))

    @rule()
    def we_accept(self) -> None:
        self.say(Said.ACCEPTED, lambda: outbound.accept(self.ours, "tester"))

    @rule()
    def we_agree(self) -> None:
        self.say(Said.AGREEMENT, lambda: outbound.agree(self.ours, None, "tester"))

    @rule()
    def we_verify(self) -> None:
        if Agreement.objects.filter(negotiation_id=self.ours).exists():
            self.say(Said.VERIFICATION, lambda: outbound.verify(self.ours, "tester"))

    @rule()
    def we_finalize(self) -> None:
        if Agreement.objects.filter(negotiation_id=self.ours).exists():
            self.say(Said.FINALIZED, lambda: outbound.finalize(self.ours, "tester"))

    @rule(really=st.integers(0, 4))
    def we_terminate(self, really: int) -> None:
        if really:
            return
        self.say(Said.TERMINATION, lambda: outbound.terminate(self.ours, "", "because", "", "tester"))

    @invariant()
    def an_agreement_exists_exactly_from_agreed_on(self) -> None:
        if self.state in ("AGREED", "VERIFIED", "FINALIZED"):
            assert Agreement.objects.get(negotiation_id=self.ours).state == "agreed"
        elif self.state in ("REQUESTED", "OFFERED", "ACCEPTED"):
            assert not Agreement.objects.filter(negotiation_id=self.ours).exists()
        else:
            assert not Agreement.objects.filter(negotiation_id=self.ours).exclude(state="ended").exists()


DATA = {"STARTED": "active", "SUSPENDED": "suspended", "COMPLETED": "ended", "TERMINATED": "ended"}


class TransferWalk(Walk):
    machine = Machine.TRANSFER

    def stored(self) -> Transfer:
        return Transfer.objects.get(pid=self.ours)

    @initialize()
    def begin(self) -> None:
        us, self.theirs, self.suspender = self.us, urn(new_id()), None
        remote, our_entry, their_entry = self.world
        entry = our_entry if us is Party.PROVIDER else their_entry
        self.agreement = self.finalised(entry.id)
        if us is Party.PROVIDER:
            first = protocol.TransferRequest(self.theirs, self.agreement.id, delivery.FORMAT, remote.callback)
            with transaction.atomic():
                self.ours = delivery.begin(self.peer, first)[0].provider_pid
        else:
            self.ours = delivery.request(self.agreement.id, "tester").pid
            self.told += 1
            Transfer.objects.filter(pid=self.ours).update(peer_pid=self.theirs)
        self.moved("REQUESTED")

    def finalised(self, dataset_id: str) -> Agreement:
        policy = self.world[0].agreement(dataset_id, None)
        negotiation = Negotiation(pid=urn(new_id()), role=self.us, peer=self.peer.jurisdiction, state="FINALIZED")
        negotiation.callback, negotiation.dataset_id, negotiation.peer_pid = "/dsp/2025-1", dataset_id, urn(new_id())
        negotiation.save()
        made = outbound.agreement_row(negotiation, policy, delivery.datetime.now(delivery.UTC))
        made.save()
        return made

    def settle(self, sender: Party, before: str) -> None:
        """Whoever just suspended is the one who may resume."""
        if self.state == "SUSPENDED" and before != "SUSPENDED":
            self.suspender = sender
        elif self.state == "STARTED":
            self.suspender = None

    def perform(self, said: Said, sender: Party) -> None:
        kind = said.removeprefix("Transfer").removesuffix("Message")
        verb = {"Start": "start", "Completion": "complete", "Suspension": "suspend", "Termination": "terminate"}[kind]
        if sender is self.us:
            self.we_say(kind=verb)
        else:
            self.peer_says(kind=kind)

    @rule(kind=st.sampled_from(["Start"] * 6 + ["Suspension"] * 6 + ["Completion", "Termination"]))
    def peer_says(self, kind: str) -> None:
        message = getattr(protocol, f"Transfer{kind}")(*self.pids)
        before = self.state
        act = lambda: delivery.hear(self.peer, self.ours, message)  # noqa: E731
        if kind == "Start" and before == "SUSPENDED" and self.suspender is not self.them:
            with pytest.raises(NotTheSuspender), transaction.atomic():
                act()
            return
        self.hear(message.said, act)
        self.settle(self.them, before)

    @rule(kind=st.sampled_from(["start"] * 6 + ["suspend"] * 6 + ["complete", "terminate"]))
    def we_say(self, kind: str) -> None:
        said = {"complete": "COMPLETION", "suspend": "SUSPENSION", "terminate": "TERMINATION", "start": "START"}[kind]
        words = ("because",) if kind in ("suspend", "terminate") else ()
        before = self.state
        act = lambda: getattr(delivery, kind)(self.ours, *words, "tester")  # noqa: E731
        if kind == "start" and before == "SUSPENDED" and self.suspender is not self.us:
            with pytest.raises(NotTheSuspender):
                act()
            return
        self.say(Said[f"TRANSFER_{said}"], act)
        self.settle(self.us, before)

    @invariant()
    def the_data_plane_follows(self) -> None:
        """What may be read is what the state says, at every moment."""
        if not self.state:
            return
        rows = Grant if self.us is Party.PROVIDER else Subscription
        found = rows.objects.filter(agreement_id=self.agreement.id).first()
        if self.state == "REQUESTED":
            assert found is None or found.state == "pending"
        elif found is not None:
            assert found.state == DATA[self.state]
        else:
            assert self.state in ("COMPLETED", "TERMINATED")


@pytest.fixture
def world() -> Iterator[None]:
    """The peer and the entries that all walks share; every decision is the walk's own."""
    ourselves()
    neighbour("yrd", "region")
    remote = peer("340000")
    Walk.world = (remote, published(), heard_of(remote.node))
    keys = [(machine, state, role) for machine in Machine for state in STATES[machine] for role in Party]
    for key in keys:
        decides(*key)(nobody_decides)
    yield
    forget(nobody_decides)


WALKS = {Machine.NEGOTIATION: NegotiationWalk, Machine.TRANSFER: TransferWalk}


@pytest.mark.usefixtures("world")
@pytest.mark.parametrize("us", Party)
@pytest.mark.parametrize("machine", Machine)
def test_any_walk_stays_within_the_table(machine: Machine, us: Party) -> None:
    walk = WALKS[machine]
    walk.us, walk.seen = us, set()
    run_state_machine_as_test(
        walk,
        settings=settings(max_examples=40, stateful_step_count=25, suppress_health_check=list(HealthCheck)),
    )
    # The walks must go deep; that every single move is possible is the next test's.
    assert walk.seen >= {Machine.NEGOTIATION: {"FINALIZED"}, Machine.TRANSFER: {"SUSPENDED"}}[machine]


def way_to(machine: Machine, state: str) -> list[tuple[Said, Party]]:
    """A shortest way from the state after the first message."""
    ways: dict[str, list[tuple[Said, Party]]] = {"REQUESTED": []}
    while state not in ways:
        for (kind, before, said, sender), after in TABLE.items():
            if kind is machine and before in ways and after not in ways:
                ways[after] = [*ways[before], (said, sender)]
    return ways[state]


@pytest.mark.usefixtures("world")
@pytest.mark.parametrize("us", Party)
@pytest.mark.parametrize("move", [move for move in MOVES if move.before], ids=lambda move: f"{move.before}-{move.said}")
def test_every_legal_move_can_be_made_by_either_side(move: Move, us: Party) -> None:
    walk = WALKS[move.machine]()
    walk.us = us
    walk.begin(**({} if move.machine is Machine.TRANSFER else {"theirs_first": False}))
    for said, sender in way_to(move.machine, move.before):
        walk.perform(said, sender)
    if move.before == "SUSPENDED" and move.said is Said.TRANSFER_START and walk.suspender is not move.sender:
        return  # legal by the table, and refused to the one who did not suspend: the random walks test that
    walk.perform(move.said, move.sender)
    assert walk.state == move.after
    walk.the_table_agrees()
