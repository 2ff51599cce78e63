"""Both machines walked at random: our moves, the peer's messages, repeats and wrong ones, in any order.

The judge is the table of legal moves. After every step the stored state is the model's, each legal
move has left one audit record, and only our own moves have sent a message.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.db import transaction
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from hutong.control.agreements import delivery, inbound, outbound, protocol
from hutong.control.agreements.decisions import decides, forget
from hutong.control.agreements.drafting import offer_for
from hutong.control.agreements.models import Agreement, Negotiation, Transfer
from hutong.control.agreements.rules import AnotherContent, NotTheSuspender
from hutong.control.agreements.transitions import MOVES, STATES, IllegalMove, Machine, Party, Said
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
    world: tuple[DspPeer, Any, Any]  # the peer, our entry, its entry: made once, by the test

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
        self.records += 1

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

    @initialize(us=st.sampled_from(Party), theirs_first=st.booleans())
    def begin(self, us: Party, theirs_first: bool) -> None:
        self.us, self.theirs = us, urn(new_id())
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

    @rule()
    def peer_terminates(self) -> None:
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

    @rule()
    def we_terminate(self) -> None:
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

    @initialize(us=st.sampled_from(Party))
    def begin(self, us: Party) -> None:
        self.us, self.theirs, self.suspender = us, urn(new_id()), None
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

    @rule(kind=st.sampled_from(["Start", "Completion", "Suspension", "Termination"]))
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

    @rule(kind=st.sampled_from(["start", "complete", "suspend", "terminate"]))
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


@pytest.mark.parametrize("walk", [NegotiationWalk, TransferWalk])
def test_any_walk_stays_within_the_table(walk: type[Walk]) -> None:
    ourselves()
    neighbour("yrd", "region")
    remote = peer("340000")
    walk.world = (remote, published(), heard_of(remote.node))
    keys = [(machine, state, role) for machine in Machine for state in STATES[machine] for role in Party]
    for key in keys:
        decides(*key)(nobody_decides)
    try:
        run_state_machine_as_test(
            walk,
            settings=settings(max_examples=40, stateful_step_count=20, suppress_health_check=list(HealthCheck)),
        )
    finally:
        forget(nobody_decides)
