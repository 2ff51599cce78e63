"""docs/states.md, written from the table of transitions: python -m hutong.control.agreements.diagram (make docs).

A test compares the page with this text, so that the diagram cannot be older than the code.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from typing import Final

from hutong.control.agreements.transitions import BOTH, CLOSED, MOVES, OWNERS, STATES, Machine, Move, Party
from hutong.vocabulary.errors import GLOSSARY

TITLES: Final = {
    Machine.NEGOTIATION: ("Negotiation", "协商", "from a request to an agreement that both nodes signed"),
    Machine.TRANSFER: ("Transfer", "交付", "from an agreement in force to the end of delivery under it"),
}
HEAD: Final = """\
# States of a negotiation and of a transfer

Written by `make docs` from `src/hutong/control/agreements/transitions.py`, the one table that says which message may
follow which; do not edit. The states and messages are those of the Dataspace Protocol 2025-1; beside each state stands
who has to act next and by which article of decree 809 (政务数据共享条例).

A message that may not follow in a state is answered 400 with the state and what is possible from it, and changes
nothing. One that says again what is so already is answered like the first time and changes nothing (rule A-5). Only the
side that suspended a delivery may resume it (D809-27), which is narrower than the protocol. Every transition leaves
one audit record and one ledger entry, named in the last column.
"""


def page() -> str:
    """The whole page."""
    return "\n".join([HEAD, *(_part(machine) for machine in Machine)])


def _part(machine: Machine) -> str:
    title, title_zh, about = TITLES[machine]
    lines = [
        f"## {title} {title_zh}",
        "",
        f"{about[0].upper()}{about[1:]}.",
        "",
        "```mermaid",
        *_diagram(machine),
        "```",
    ]
    lines += ["", *_duties(machine), "", *_moves(machine), ""]
    return "\n".join(lines)


def _diagram(machine: Machine) -> Iterator[str]:
    yield "stateDiagram-v2"
    for move, senders in _merged(machine):
        yield f"    {move.before or '[*]'} --> {move.after}: {_words(move)} ({_by(senders)})"
    for state in STATES[machine]:
        if state in CLOSED[machine]:
            yield f"    {state} --> [*]"


def _duties(machine: Machine) -> Iterator[str]:
    yield "| state | next to act | duty | 责任方 | 职责 | article |"
    yield "| --- | --- | --- | --- | --- | --- |"
    for state in STATES[machine]:
        owner = OWNERS[(machine, state)]
        who_zh = "、".join(GLOSSARY[party] for party in owner.parties)
        who = _by(owner.parties, both="both")
        yield f"| {state} | {who} | {owner.duty_en} | {who_zh} | {owner.duty_zh} | `{owner.rule}` |"


def _moves(machine: Machine) -> Iterator[str]:
    yield "| before | message | sender | after | recorded as |"
    yield "| --- | --- | --- | --- | --- |"
    for move, senders in _merged(machine):
        yield f"| {move.before or '-'} | `{move.said}` | {_by(senders)} | {move.after} | `{move.audit}` |"


def _merged(machine: Machine) -> list[tuple[Move, tuple[Party, ...]]]:
    """Moves that either side may make, as one; in the table's order."""
    senders: dict[tuple[str, str, str], list[Move]] = {}
    for move in MOVES:
        if move.machine is machine:
            senders.setdefault((move.before, move.said, move.after), []).append(move)
    return [(moves[0], tuple(move.sender for move in moves)) for moves in senders.values()]


def _words(move: Move) -> str:
    """The message without its colon, which would end a label of the diagram."""
    return str(move.said).replace(":", " ")


def _by(parties: Iterable[Party], both: str = "either") -> str:
    named = tuple(parties)
    return both if set(named) == set(BOTH) else str(named[0])


if __name__ == "__main__":
    sys.stdout.write(page())
