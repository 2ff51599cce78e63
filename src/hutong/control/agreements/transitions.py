"""Both Dataspace Protocol state machines as one table: state, message, sender, next state.

Nothing else in Hutong decides which message may follow which. The table follows the state machines
of the Dataspace Protocol 2025-1; the statutory meaning of each state (decree 809) stands beside it.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from hutong.vocabulary.errors import GLOSSARY
from hutong.vocabulary.rulebook import Rule


class Machine(StrEnum):
    NEGOTIATION = "negotiation"
    TRANSFER = "transfer"


class Party(StrEnum):
    PROVIDER = "provider"
    CONSUMER = "consumer"

    @property
    def other(self) -> Party:
        return Party.CONSUMER if self is Party.PROVIDER else Party.PROVIDER


class Said(StrEnum):
    """What a message says: its type on the wire, with the event's kind where one type says two things."""

    REQUEST = "ContractRequestMessage"
    OFFER = "ContractOfferMessage"
    ACCEPTED = "ContractNegotiationEventMessage:ACCEPTED"
    AGREEMENT = "ContractAgreementMessage"
    VERIFICATION = "ContractAgreementVerificationMessage"
    FINALIZED = "ContractNegotiationEventMessage:FINALIZED"
    TERMINATION = "ContractNegotiationTerminationMessage"
    TRANSFER_REQUEST = "TransferRequestMessage"
    TRANSFER_START = "TransferStartMessage"
    TRANSFER_SUSPENSION = "TransferSuspensionMessage"
    TRANSFER_COMPLETION = "TransferCompletionMessage"
    TRANSFER_TERMINATION = "TransferTerminationMessage"


NONE: Final = ""  # before the first message


@dataclass(frozen=True)
class Move:
    """One legal transition. `audit` is the kind of the audit record and ledger entry it leaves."""

    machine: Machine
    before: str
    said: Said
    sender: Party
    after: str
    audit: str


@dataclass(frozen=True)
class Owner:
    """Who has to act next in a state; `both` may be true of a closed one, where each side keeps its records."""

    parties: tuple[Party, ...]
    duty_en: str
    duty_zh: str
    rule: str


def _negotiation() -> list[Move]:
    table = [
        (NONE, Said.REQUEST, Party.CONSUMER, "REQUESTED", "negotiation.requested"),
        (NONE, Said.OFFER, Party.PROVIDER, "OFFERED", "negotiation.offered"),
        ("REQUESTED", Said.OFFER, Party.PROVIDER, "OFFERED", "negotiation.offered"),
        ("REQUESTED", Said.AGREEMENT, Party.PROVIDER, "AGREED", "agreement.agreed"),
        ("OFFERED", Said.REQUEST, Party.CONSUMER, "REQUESTED", "negotiation.requested"),
        ("OFFERED", Said.ACCEPTED, Party.CONSUMER, "ACCEPTED", "negotiation.accepted"),
        ("ACCEPTED", Said.AGREEMENT, Party.PROVIDER, "AGREED", "agreement.agreed"),
        ("AGREED", Said.VERIFICATION, Party.CONSUMER, "VERIFIED", "agreement.verified"),
        ("VERIFIED", Said.FINALIZED, Party.PROVIDER, "FINALIZED", "agreement.finalized"),
    ]
    moves = [Move(Machine.NEGOTIATION, *row) for row in table]
    for state in ("REQUESTED", "OFFERED", "ACCEPTED", "AGREED", "VERIFIED"):
        for sender in Party:
            row = (state, Said.TERMINATION, sender, "TERMINATED", "negotiation.terminated")
            moves.append(Move(Machine.NEGOTIATION, *row))
    return moves


def _transfer() -> list[Move]:
    moves = [
        Move(Machine.TRANSFER, NONE, Said.TRANSFER_REQUEST, Party.CONSUMER, "REQUESTED", "transfer.requested"),
        Move(Machine.TRANSFER, "REQUESTED", Said.TRANSFER_START, Party.PROVIDER, "STARTED", "transfer.started"),
    ]
    either = [
        ("SUSPENDED", Said.TRANSFER_START, "STARTED", "transfer.started"),
        ("STARTED", Said.TRANSFER_SUSPENSION, "SUSPENDED", "transfer.suspended"),
        ("STARTED", Said.TRANSFER_COMPLETION, "COMPLETED", "transfer.completed"),
        ("REQUESTED", Said.TRANSFER_TERMINATION, "TERMINATED", "transfer.terminated"),
        ("STARTED", Said.TRANSFER_TERMINATION, "TERMINATED", "transfer.terminated"),
        ("SUSPENDED", Said.TRANSFER_TERMINATION, "TERMINATED", "transfer.terminated"),
    ]
    for before, said, after, audit in either:
        moves += [Move(Machine.TRANSFER, before, said, sender, after, audit) for sender in Party]
    return moves


MOVES: Final[tuple[Move, ...]] = (*_negotiation(), *_transfer())
_BY_KEY: Final = {(move.machine, move.before, move.said, move.sender): move for move in MOVES}

BOTH: Final = (Party.PROVIDER, Party.CONSUMER)
OWNERS: Final[dict[tuple[Machine, str], Owner]] = {
    (Machine.NEGOTIATION, "REQUESTED"): Owner(
        (Party.PROVIDER,), "answer within the statutory term", "在法定期限内答复", "D809-21"
    ),
    (Machine.NEGOTIATION, "OFFERED"): Owner(
        (Party.CONSUMER,), "accept the offer or complete the request", "接受要约或补充申请", "D809-21"
    ),
    (Machine.NEGOTIATION, "ACCEPTED"): Owner((Party.PROVIDER,), "sign the agreement", "签署共享协议", "D809-21"),
    (Machine.NEGOTIATION, "AGREED"): Owner(
        (Party.CONSUMER,), "check the agreement and sign it", "核对并签署共享协议", "D809-21"
    ),
    (Machine.NEGOTIATION, "VERIFIED"): Owner(
        (Party.PROVIDER,), "check the signature and finalise", "核验签名并生效", "D809-21"
    ),
    (Machine.NEGOTIATION, "FINALIZED"): Owner((Party.CONSUMER,), "ask for delivery", "申请交付", "D809-22"),
    (Machine.NEGOTIATION, "TERMINATED"): Owner(BOTH, "keep the records", "保存记录", "D809-29"),
    (Machine.TRANSFER, "REQUESTED"): Owner((Party.PROVIDER,), "deliver", "交付", "D809-22"),
    (Machine.TRANSFER, "STARTED"): Owner(BOTH, "use within the agreed purpose", "按约定用途使用", "D809-25"),
    (Machine.TRANSFER, "SUSPENDED"): Owner(BOTH, "rectify, then resume or end", "整改后恢复或终止", "D809-27"),
    (Machine.TRANSFER, "COMPLETED"): Owner(BOTH, "keep the records", "保存记录", "D809-29"),
    (Machine.TRANSFER, "TERMINATED"): Owner(BOTH, "dispose of the data", "处置数据", "D809-27"),
}
STATES: Final[dict[Machine, tuple[str, ...]]] = {
    machine: tuple(state for kind, state in OWNERS if kind is machine) for machine in Machine
}
CLOSED: Final[dict[Machine, frozenset[str]]] = {
    machine: frozenset(
        state for state in STATES[machine] if not any(m.machine is machine and m.before == state for m in MOVES)
    )
    for machine in Machine
}


class IllegalMove(Rule):
    """A {said} of the {sender} cannot follow in state {state}; from here: {possible}."""

    zh = "当前状态为 {state}，{sender}不能发送 {said}；此状态下允许：{possible}。"
    code = "illegal_move"
    status = 400  # the HTTPS binding of the protocol asks for 400, and never 404
    rule = "DSP-2025-1"
    next_en = "Read the process's state with GET, then continue from there."
    next_zh = "请先用 GET 查询流程状态，再从该状态继续。"


def next_move(machine: Machine, state: str, said: Said, sender: Party) -> Move:
    """The legal move for a message in a state.

    raises   IllegalMove, naming the state and what is possible from it
    """
    move = _BY_KEY.get((machine, state, said, sender))
    if move is None:
        moves = [one for one in MOVES if (one.machine, one.before) == (machine, state)]
        raise IllegalMove(
            said=str(said),
            sender=str(sender),
            state=state or "NONE",
            state_zh=state or "无",
            possible=[f"{one.said} ({one.sender})" for one in moves] or ["nothing, it is closed"],
            possible_zh=[f"{one.said}（{GLOSSARY[one.sender]}）" for one in moves] or ["无，已结束"],
        )
    return move


def restates(machine: Machine, state: str, said: Said, sender: Party) -> bool:
    """True when this message is the one that leads into the present state, so that a repeat of it changes nothing.

    A counter-request is never a mere repeat: it starts the provider's clock, so a second one is illegal.
    The caller MUST still compare the content (the same offer, the same agreement).
    """
    if said is Said.REQUEST:
        return False
    return any((move.machine, move.after, move.said, move.sender) == (machine, state, said, sender) for move in MOVES)
