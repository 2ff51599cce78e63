"""One process between this node and a peer, walked step by step with a model beside it; what both machines share."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

import orjson
import pytest
from django.db import connections
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    invariant,
    precondition,
    rule,
)

from hutong.ledger.models import AuditRecord, LedgerEntry
from hutong.node.keyring import ring
from hutong.node.models import OutboxMessage
from hutong.vocabulary.errors import Refused
from hutong.vocabulary.ids import new_id, urn
from tests import dsp_messages
from tests.dsp_peer import Connector, DspPeer
from tests.dsp_states import LEGAL, STATES, Step, restates
from tests.wire import Fate, Wire, deliver

ENDINGS = ("TERMINATION", "TRANSFER_TERMINATION", "TRANSFER_COMPLETION")


def steps() -> int:
    """How many records there are of steps; statutory terms, and the duties an end brings, run beside them."""
    return AuditRecord.objects.exclude(kind__startswith="clock.").exclude(kind="agreement.over").count()


class PowerCut(Exception):
    """What an unforeseen error in the middle of a message stands for."""


class Script:
    """The officer of every state: decides nothing, so that each step is the walk's own; breaks when told to."""

    breaking = False

    def __call__(self, process: Any) -> bool:
        if self.breaking:
            raise PowerCut
        return True


@dataclass
class Letter:
    """A message of the peer, which may be sent once, late, again, or never."""

    said: str
    path: str
    body: dict[str, Any]
    content: str = ""  # what tells two messages of one type apart: the id of the offer or of the agreement
    message_id: str = field(default_factory=new_id)
    answer: tuple[int, Any] | None = None  # once it was acted on


class Walk(RuleBasedStateMachine):
    """What both machines' walks share. `begin` makes the process; the subclass knows the messages."""

    machine: str
    us: str  # the role this node plays
    world: tuple[DspPeer, DspPeer, Any, Any]  # the peer, a stranger to the process, our entry, the peer's entry
    script: Script
    seen: set[str] = set()  # every state of every walk: the test asks that none was missed

    def __init__(self) -> None:
        super().__init__()
        self.state = ""
        self.theirs = urn(new_id())
        self.acknowledged = True  # whether the node knows the peer's process id
        self.first: Letter | None = None  # what the peer began with, if it began
        self.heard: dict[str, str] = {}  # the newest content taken, by what was said
        self.letters: list[Letter] = []
        self.acted: set[bytes] = set()  # bodies that moved the process
        self.waiting: list[str] = []  # what we said that has not arrived, in order
        OutboxMessage.objects.filter(delivered_at=None).update(failed_at=datetime.now(UTC))  # of earlier walks
        self.told = OutboxMessage.objects.count()
        self.records = steps()

    # --- the model ---

    @property
    def them(self) -> str:
        return "consumer" if self.us == "provider" else "provider"

    @property
    def peer(self) -> DspPeer:
        return self.world[0]

    @property
    def signs(self) -> bool:
        """Whether the peer is a member, whose messages have ids of their own, or a connector let in by a token."""
        return not isinstance(self.peer, Connector)

    @property
    def way_to_peer(self) -> str:
        """Where our messages to it go: below a member's base URL, or a whole address."""
        return "/dsp/2025-1" if self.signs else self.peer.callback

    @property
    def pids(self) -> dict[str, str]:
        provider, consumer = (self.ours, self.theirs) if self.us == "provider" else (self.theirs, self.ours)
        return {"providerPid": provider, "consumerPid": consumer}

    def after(self, said: str, sender: str) -> str | None:
        return LEGAL[self.machine].get(Step(self.state, said, sender))

    def open_steps(self, sender: str) -> list[str]:
        """What a side may say now without ending it all."""
        steps = [step for step in LEGAL[self.machine] if (step.before, step.sender) == (self.state, sender)]
        return [step.said for step in steps if step.said not in ENDINGS]

    def moved(self, after: str) -> None:
        self.state = after
        self.seen.add(after)
        self.records += 1

    def said_by_us(self, said: str) -> None:
        self.told += 1
        self.waiting.append(said)

    def forbidden(self, said: str, sender: str) -> str | None:
        """The code of a refusal that stands beside the table, for a step the table allows or repeats."""
        return None

    # --- the peer speaks ---

    def letter(self, said: str, content: str = "") -> Letter:
        raise NotImplementedError

    def send(self, letter: Letter, sender: DspPeer | None = None) -> tuple[int, Any]:
        answer = (sender or self.peer).call("POST", letter.path, letter.body, message_id=letter.message_id)
        assert answer.status_code < 500
        return answer.status_code, answer.json()

    def arrives(self, letter: Letter) -> None:
        """The one place that says what must come of a message: acted on, harmless, or refused with nothing changed."""
        status, answer = self.send(letter)
        if letter.answer is not None and self.signs:  # the node acted on it: the same answer, and nothing more
            assert (status, answer) == letter.answer
            return
        after = self.after(letter.said, self.them)
        same = self.heard.get(letter.said, "") == letter.content
        if self.repeats_first(letter):
            self.check_first_again(letter, status, answer)
        elif after is not None and (code := self.forbidden(letter.said, self.them)):
            assert (status, answer["code"]) == (403, code)
        elif after is not None:
            assert (status, answer["state"]) == (200, after), answer
            self.acknowledged = True
            self.heard[letter.said] = letter.content
            self.acted.add(orjson.dumps(letter.body))
            self.moved(after)
            if letter.said in ENDINGS:  # what still waits to be told of it is dropped
                self.told -= len(self.waiting)
                self.waiting.clear()
            self.took(letter)
        elif restates(self.machine, self.state, letter.said, self.them) and same:
            assert (status, answer["state"]) == (200, self.state), answer
            self.acknowledged = True
        elif self.is_known_repeat(letter):
            assert (status, answer["state"]) == (200, self.state), answer
        else:
            known = restates(self.machine, self.state, letter.said, self.them)
            assert (status, answer["code"]) == (400, "another_content" if known else "illegal_move"), answer
            assert answer["@type"].endswith("Error")
            assert (answer["providerPid"], answer["consumerPid"]) == tuple(self.pids.values())
        if status < 300:
            letter.answer = status, answer

    def is_known_repeat(self, letter: Letter) -> bool:
        """Without a message id, a late repeat is known by its bytes, unless it says again what is so by other words."""
        said_before = orjson.dumps(letter.body) in self.acted and letter.said != "REQUEST"
        return said_before and not self.signs and not restates(self.machine, self.state, letter.said, self.them)

    def repeats_first(self, letter: Letter) -> bool:
        return self.first is not None and letter.path == self.first.path

    def check_first_again(self, letter: Letter, status: int, answer: Any) -> None:
        assert self.first is not None
        if letter.content == self.first.content:
            assert (status, answer["state"], answer["providerPid"]) == (200, self.state, self.pids["providerPid"])
        else:
            assert (status, answer["code"]) == (400, "another_content")

    def took(self, letter: Letter) -> None:
        """What else the model remembers of a message that moved the process."""

    def contents(self, said: str) -> list[str]:
        return ["", self.heard[said]] if said in self.heard else [""]

    @rule(data=st.data(), arrives=st.integers(0, 3))
    def the_peer_says_anything(self, data: st.DataObject, arrives: int) -> None:
        """Legal or not; and every fourth one is not sent now, but perhaps later, when the state is another."""
        said = data.draw(st.sampled_from(self.peer_says))
        if said in ENDINGS and data.draw(st.integers(0, 5)):
            return
        letter = self.letter(said, data.draw(st.sampled_from(self.contents(said))))
        self.letters.append(letter)
        if arrives:
            self.arrives(letter)

    @rule(data=st.data(), steps=st.integers(1, 4))
    def it_goes_well_for_a_while(self, data: st.DataObject, steps: int) -> None:
        """Without this, a random walk ends long before anything is agreed."""
        for _ in range(steps):
            if not self.acknowledged and self.waiting:
                self.our_next_message_travels(fate="taken")
            sides = (self.us, self.them)
            if possible := [(said, sender) for sender in sides for said in self.open_steps(sender)]:
                self.perform(*data.draw(st.sampled_from(possible)))

    @precondition(lambda self: self.letters)
    @rule(data=st.data())
    def an_earlier_message_arrives_late_or_again(self, data: st.DataObject) -> None:
        letter = data.draw(st.sampled_from(self.letters))
        if letter.answer is None and letter.said in ENDINGS and data.draw(st.integers(0, 5)):
            return
        self.arrives(letter)

    @precondition(lambda self: self.first)
    @rule(same=st.booleans())
    def the_peer_begins_again_with_the_same_id(self, same: bool) -> None:
        assert self.first is not None
        again = replace(self.first, message_id=new_id(), answer=None)
        self.arrives(again if same else self.other_first())

    def other_first(self) -> Letter:
        raise NotImplementedError

    @precondition(lambda self: self.signs and any(letter.answer for letter in self.letters))
    @rule(data=st.data())
    def a_known_message_id_carries_another_content(self, data: st.DataObject) -> None:
        known = data.draw(st.sampled_from([letter for letter in self.letters if letter.answer]))
        other = Letter(known.said, known.path, {**known.body, "x": 1}, message_id=known.message_id)
        status, answer = self.send(other)
        assert (status, answer["code"]) == (409, "message_id_reused")

    @rule(data=st.data())
    def a_member_who_is_no_party_speaks(self, data: st.DataObject) -> None:
        status, answer = self.send(self.letter(data.draw(st.sampled_from(self.peer_says))), self.world[1])
        assert (status, answer["code"]) == (404, "not_found"), answer  # for it there is no such process

    @rule(data=st.data())
    def the_peer_names_another_process_of_its_own(self, data: st.DataObject) -> None:
        letter = self.letter(data.draw(st.sampled_from(self.peer_says)))
        letter.body |= {("consumerPid" if self.us == "provider" else "providerPid"): urn(new_id())}
        if not self.acknowledged:  # then this is how the node learns the id: nothing contradicts it yet
            return
        status, answer = self.send(letter)
        assert (status, answer["code"]) == (400, "pids_differ")

    @precondition(lambda self: self.open_steps(self.them))
    @rule(data=st.data())
    def the_node_breaks_while_it_acts_and_the_peer_sends_again(self, data: st.DataObject) -> None:
        said = data.draw(st.sampled_from(self.open_steps(self.them)))
        if self.forbidden(said, self.them):
            return
        letter = self.letter(said)
        self.letters.append(letter)
        self.script.breaking = True
        broken = self.peer.call("POST", letter.path, letter.body, message_id=letter.message_id)
        self.script.breaking = False
        assert (broken.status_code, broken.json()["code"]) == (500, "internal_error")
        self.the_node_starts_again()
        self.the_model_holds()
        self.arrives(letter)

    @rule()
    def the_node_starts_again(self) -> None:
        """Connections gone, caches empty: what is not in the database is not there."""
        connections.close_all()
        ring.cache_clear()
        ring().refresh(at_once=True)

    # --- we speak ---

    def say(self, said: str, act: Callable[[], Any]) -> None:
        """Our move: legal and sent, or refused with nothing changed and nothing sent."""
        after = self.after(said, self.us)
        if after is None or not self.acknowledged or self.forbidden(said, self.us):
            with pytest.raises(Refused) as refused:
                act()
            assert 400 <= refused.value.status < 500
            return
        act()
        self.moved(after)
        self.said_by_us(said)

    @rule(data=st.data())
    def we_try_anything(self, data: st.DataObject) -> None:
        said = data.draw(st.sampled_from(self.we_say))
        if said not in ENDINGS or not data.draw(st.integers(0, 5)):
            self.ours_said(said)

    def ours_said(self, said: str) -> None:
        raise NotImplementedError

    def perform(self, said: str, sender: str) -> None:
        if sender == self.us:
            self.ours_said(said)
            return
        letter = self.letter(said)
        self.letters.append(letter)
        self.arrives(letter)

    @precondition(lambda self: self.waiting)
    @rule(fate=st.sampled_from(["lost", "lost", "busy", "taken", "taken", "taken", "taken", "refused"]))
    def our_next_message_travels(self, fate: str) -> None:
        """Out and back: nothing comes back, or a plea for patience, an acknowledgement, a refusal."""
        said = self.waiting[0]
        answers: dict[str, Fate] = {
            "lost": None,
            "busy": (503, {}),
            "taken": (200, dsp_messages.process(self.machine, *self.pids.values(), STATES[self.machine][0])),
            "refused": (400, dsp_messages.error(self.machine, *self.pids.values(), "no", "because")),
        }
        told: list[Fate] = [answers[fate]]
        wire = Wire(lambda body: told.pop() if told else None)
        deliver(wire)
        OutboxMessage.objects.filter(delivered_at=None).update(next_at=datetime.now(UTC))  # the pause is over
        assert dsp_messages.said_by(wire.sent[0]) == said
        if fate in ("lost", "busy"):
            return
        self.waiting.pop(0)
        if fate == "taken":
            self.acknowledged = True
        else:
            self.records += 1  # a note of the refusal
            self.refused_by_peer()

    def refused_by_peer(self) -> None:
        raise NotImplementedError

    # --- always ---

    @invariant()
    def the_model_holds(self) -> None:
        if not self.state:
            return
        assert self.stored().state == self.state
        assert self.state in STATES[self.machine]
        assert AuditRecord.objects.count() == LedgerEntry.objects.count()
        assert steps() == self.records
        assert OutboxMessage.objects.count() == self.told
        assert OutboxMessage.objects.filter(delivered_at=None, failed_at=None).count() == len(self.waiting)

    def stored(self) -> Any:
        raise NotImplementedError
