"""Both state machines against the diagrams of the Dataspace Protocol 2025-1, cell by cell."""

from __future__ import annotations

from itertools import product

import pytest

from hutong.control.agreements.transitions import (
    CLOSED,
    MOVES,
    NONE,
    OWNERS,
    STATES,
    IllegalMove,
    Machine,
    Party,
    Said,
    next_move,
    restates,
)
from tests import dsp_states
from tests.dsp_states import LEGAL, Step


@pytest.mark.parametrize("machine", Machine)
def test_every_cell_of_the_truth_table_holds(machine: Machine) -> None:
    for state, said, sender in product([NONE, *STATES[machine]], Said, Party):
        after = LEGAL[machine].get(Step(state, said.name, sender))
        if after:
            assert next_move(machine, state, said, sender).after == after
        else:
            with pytest.raises(IllegalMove):
                next_move(machine, state, said, sender)


@pytest.mark.parametrize("machine", Machine)
def test_a_repeat_is_told_from_a_move_as_the_table_says(machine: Machine) -> None:
    for state, said, sender in product(STATES[machine], Said, Party):
        expected = dsp_states.restates(machine, state, said.name, sender)
        assert restates(machine, state, said, sender) == expected, (state, said, sender)


def test_no_key_leads_two_ways() -> None:
    keys = [(move.machine, move.before, move.said, move.sender) for move in MOVES]
    assert len(keys) == len(set(keys))


def test_every_state_has_an_owner_and_every_transition_an_audit_kind() -> None:
    for move in MOVES:
        assert OWNERS[(move.machine, move.after)].parties
        assert move.audit.split(".")[0] in {"negotiation", "agreement", "transfer"}
    for owner in OWNERS.values():
        assert owner.duty_en
        assert owner.duty_zh
        assert owner.rule.startswith("D809-")


def test_the_owner_of_an_open_state_can_move_it() -> None:
    for (machine, state), owner in OWNERS.items():
        if state in CLOSED[machine]:
            continue
        assert {move.sender for move in MOVES if (move.machine, move.before) == (machine, state)} >= set(owner.parties)


def test_the_closed_states_are_those_of_the_protocol() -> None:
    assert CLOSED[Machine.NEGOTIATION] == {"FINALIZED", "TERMINATED"}
    assert CLOSED[Machine.TRANSFER] == {"COMPLETED", "TERMINATED"}


def test_dsp_2025_1_illegal_move_says_the_state_the_rule_and_what_is_possible_and_is_never_404() -> None:
    with pytest.raises(IllegalMove) as refused:
        next_move(Machine.NEGOTIATION, "REQUESTED", Said.VERIFICATION, Party.CONSUMER)
    problem = refused.value.problem()
    assert problem["status"] == 400
    assert problem["state"] == "REQUESTED"
    assert problem["rule"] == "DSP-2025-1"
    assert "ContractAgreementMessage (provider)" in problem["possible"]


def test_a_repeat_restates_only_the_state_it_led_to() -> None:
    assert restates(Machine.NEGOTIATION, "AGREED", Said.AGREEMENT, Party.PROVIDER)
    assert not restates(Machine.NEGOTIATION, "VERIFIED", Said.AGREEMENT, Party.PROVIDER)
    assert not restates(Machine.NEGOTIATION, "AGREED", Said.AGREEMENT, Party.CONSUMER)
    assert not restates(Machine.NEGOTIATION, "REQUESTED", Said.REQUEST, Party.CONSUMER)
