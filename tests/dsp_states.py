"""Both state machines as the Dataspace Protocol 2025-1 draws them, written down for tests from the specification alone.

Nothing here is imported from the code it judges. Rows: the state before. Columns: the message. c and p: who may send
it. Target: the state after.
"""

from __future__ import annotations

from typing import Final, NamedTuple

NEGOTIATION: Final = """
before     | REQUEST     | OFFER     | ACCEPTED   | AGREEMENT | VERIFICATION | FINALIZED   | TERMINATION
-          | c REQUESTED | p OFFERED |            |           |              |             |
REQUESTED  |             | p OFFERED |            | p AGREED  |              |             | cp TERMINATED
OFFERED    | c REQUESTED |           | c ACCEPTED |           |              |             | cp TERMINATED
ACCEPTED   |             |           |            | p AGREED  |              |             | cp TERMINATED
AGREED     |             |           |            |           | c VERIFIED   |             | cp TERMINATED
VERIFIED   |             |           |            |           |              | p FINALIZED | cp TERMINATED
FINALIZED  |             |           |            |           |              |             |
TERMINATED |             |           |            |           |              |             |
"""
TRANSFER: Final = """
before     | TRANSFER_REQUEST | TRANSFER_START | TRANSFER_SUSPENSION | TRANSFER_COMPLETION | TRANSFER_TERMINATION
-          | c REQUESTED      |                |                     |                     |
REQUESTED  |                  | p STARTED      |                     |                     | cp TERMINATED
STARTED    |                  |                | cp SUSPENDED        | cp COMPLETED        | cp TERMINATED
SUSPENDED  |                  | cp STARTED     |                     |                     | cp TERMINATED
COMPLETED  |                  |                |                     |                     |
TERMINATED |                  |                |                     |                     |
"""


class Step(NamedTuple):
    """One message in a state."""

    before: str  # "" before the first message
    said: str  # the column's name
    sender: str  # "consumer" or "provider"


def legal(table: str) -> dict[Step, str]:
    """Every legal step of a table, and the state after it."""
    head, *rows = [[cell.strip() for cell in line.split("|")] for line in table.strip().splitlines()]
    found = {}
    for before, *cells in rows:
        for said, cell in zip(head[1:], cells, strict=True):
            senders, _, after = cell.partition(" ")
            for letter in senders:
                sender = "consumer" if letter == "c" else "provider"
                found[Step("" if before == "-" else before, said, sender)] = after
    return found


LEGAL: Final = {"negotiation": legal(NEGOTIATION), "transfer": legal(TRANSFER)}
STATES: Final = {machine: tuple(dict.fromkeys(after for after in steps.values())) for machine, steps in LEGAL.items()}


def restates(machine: str, state: str, said: str, sender: str) -> bool:
    """A-5. Whether a message says what is so already: it leads into the present state, so that hearing it again changes
    nothing. A counter-request is never one: it starts a clock.
    """
    leads = {(step.said, step.sender, after) for step, after in LEGAL[machine].items()}
    return said != "REQUEST" and (said, sender, state) in leads


def way_to(machine: str, state: str, *, start: str = "REQUESTED") -> list[Step]:
    """A shortest way of legal steps from one state to another."""
    ways: dict[str, list[Step]] = {start: []}
    while state not in ways:
        for step, after in LEGAL[machine].items():
            if step.before in ways and after not in ways:
                ways[after] = [*ways[step.before], step]
    return ways[state]
