"""The life of a demand as one table: state, verb, next state, who may do it, and the audit record it leaves."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from hutong.vocabulary.errors import WrongState


@dataclass(frozen=True)
class Move:
    before: str
    verb: str
    after: str
    audit: str


@dataclass(frozen=True)
class Owner:
    """Who acts next. `where`: "home" is the demander's node, "holder" the node the demand lies with."""

    role: str
    where: str
    duty_en: str
    duty_zh: str
    rule: str


NONE: Final = ""
_AT_WORK: Final = ("open", "mediating", "led")

MOVES: Final[tuple[Move, ...]] = (
    Move(NONE, "file", "filed", "demand.filed"),
    Move("filed", "sign_off", "open", "demand.signed_off"),
    Move("filed", "sign_off", "mediating", "demand.signed_off"),  # who holds the data is not known
    Move("open", "receive", "open", "demand.received"),  # at the node that acts now, when it has arrived there
    Move("mediating", "receive", "mediating", "demand.received"),
    Move("open", "join", "joined", "demand.joined"),
    Move("joined", "follow", "joined", "demand.followed"),  # the demand it joined has a lead source now
    Move("open", "name_lead", "led", "demand.lead_named"),
    Move("led", "name_lead", "led", "demand.lead_named"),
    Move("open", "hand_up", "mediating", "demand.handed_up"),
    Move("mediating", "assign", "open", "demand.assigned"),
    *(Move(state, "fulfil", "fulfilled", "demand.fulfilled") for state in (*_AT_WORK, "joined")),
    *(Move(state, "refuse", "refused", "demand.refused") for state in (*_AT_WORK, "joined")),
    *(Move(state, "withdraw", "withdrawn", "demand.withdrawn") for state in ("filed", *_AT_WORK, "joined")),
    # Whose demand it joined has withdrawn: the work goes on for the next demander.
    Move("joined", "go_on", "open", "demand.went_on"),
    Move("joined", "go_on", "led", "demand.went_on"),
)
OWNERS: Final[dict[str, Owner]] = {
    "filed": Owner("head", "home", "sign it off, or withdraw it", "审核同意或撤回", "D809-20"),
    "open": Owner(
        "supervisor",
        "holder",
        "name the lead source, or refuse with the provision",
        "明确数源部门，或说明理由和依据后不予办理",
        "D809-19",
    ),
    "mediating": Owner(
        "supervisor", "holder", "say which node holds the data, or refuse", "明确由哪个节点提供，或不予办理", "D809-28"
    ),
    "led": Owner("officer", "holder", "publish the resource, and name it here", "编目发布并挂接到本需求", "SHDR-39"),
    "joined": Owner("supervisor", "holder", "it ends with the one it joined", "随所并入的需求一并办结", "D809-19"),
    "fulfilled": Owner("officer", "home", "request the resource", "提出共享申请", "D809-20"),
    "refused": Owner("officer", "home", "read the provision, or dispute it", "核对依据，有异议可申请协调", "D809-28"),
    "withdrawn": Owner("officer", "home", "nothing", "无", "D809-19"),
}  # fmt: skip
NAMES_ZH: Final = {
    "filed": "待负责人同意",
    "open": "待明确数源",
    "mediating": "共同上级协调中",
    "led": "数源部门编目中",
    "joined": "已并入",
    "fulfilled": "已满足",
    "refused": "不予办理",
    "withdrawn": "已撤回",
}
STATES: Final = tuple(OWNERS)
CLOSED: Final = frozenset({"fulfilled", "refused", "withdrawn"})
AT_WORK: Final = frozenset(_AT_WORK)


def next_move(state: str, verb: str, after: str = "") -> Move:
    """The move of a verb from a state; `after` where the verb leads to several.

    raises   WrongState naming the states it is possible from
    """
    for move in MOVES:
        if (move.before, move.verb) == (state, verb) and after in ("", move.after):
            return move
    possible = sorted({move.before for move in MOVES if move.verb == verb and move.before})
    raise wrong_state(state, *possible)


def wrong_state(state: str, *possible: str) -> WrongState:
    """A refusal that says the states in both languages."""
    spoken = [NAMES_ZH.get(one, one) for one in possible]
    return WrongState(
        what="demand", what_zh="需求", state=state, state_zh=NAMES_ZH.get(state, state),
        possible=list(possible), possible_zh=spoken,
    )  # fmt: skip


def possible(state: str, verb: str) -> bool:
    return any((move.before, move.verb) == (state, verb) for move in MOVES)
