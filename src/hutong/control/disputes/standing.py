"""How a dispute stands: a pure fold over its papers, so that every node that has the same papers says the same.

Level 1, negotiation (会商): the parties, and a region's office that mediates. Level 2, decision (决策): the data
authority of their nearest common superior. Level 3, coordination (协调): that level's government. Level 4, execution
(执行): what was settled or decided is carried out, under that authority's eyes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

from hutong.control.disputes.papers import Paper, check_effects
from hutong.control.disputes.rules import (
    BeyondTheDispute,
    NotAParty,
    NotTheForum,
    OnlyMediates,
    OwnProposal,
    StepNotPossible,
)

NEGOTIATION, DECISION, COORDINATION, EXECUTION = 1, 2, 3, 4
LEVELS: Final = {
    NEGOTIATION: ("会商", "negotiation"),
    DECISION: ("决策", "decision"),
    COORDINATION: ("协调", "coordination"),
    EXECUTION: ("执行", "execution"),
}
STATES: Final = ("open", "settled", "decided", "executed", "closed", "withdrawn")
PARTIES: Final = frozenset({"claimant", "respondent"})
# Who may say what: sides, by level where it differs.
SAYERS: Final[Mapping[str, frozenset[str]]] = {
    "opened": frozenset({"claimant"}),
    "statement": PARTIES,
    "minutes": PARTIES | {"mediator", "forum"},
    "proposed": PARTIES,
    "settled": PARTIES,
    "escalated": PARTIES | {"forum"},
    "decided": frozenset({"forum"}),
    "executed": PARTIES,
    "closed": frozenset({"forum"}),
    "withdrawn": frozenset({"claimant"}),
}


@dataclass(frozen=True)
class Standing:
    """What the papers so far come to."""

    claimant: str = ""
    respondent: str = ""
    mediator: str = ""
    forum: str = ""
    level: int = 0  # 0 before it was opened
    state: str = "open"
    about: Mapping[str, str] | None = None
    proposal: Paper | None = None
    outcome: Paper | None = None  # the proposal that was accepted, or the decision
    executed: frozenset[str] = frozenset()

    @property
    def bound(self) -> frozenset[str]:
        """Whom the outcome binds to do something."""
        return frozenset(one.binds for one in self.outcome.effects if one.binds) if self.outcome else frozenset()

    def node_of(self, side: str) -> str:
        return str(getattr(self, side))

    def nodes(self) -> frozenset[str]:
        """Everybody who has the papers."""
        return frozenset({self.claimant, self.respondent, self.mediator, self.forum} - {""})


def standing(papers: Iterable[Paper]) -> Standing:
    """Fold the papers in their common order; one that was not possible then (two crossed) is passed over."""
    found = Standing()
    for paper in sorted(papers, key=lambda one: one.place):
        try:
            check_possible(found, paper)
        except (BeyondTheDispute, NotAParty, NotTheForum, OnlyMediates, StepNotPossible, OwnProposal):
            continue
        found = after(found, paper)
    return found


def check_sayer(before: Standing, paper: Paper) -> None:
    """D809-28. The maker is who it says it is, and that side may say this.

    raises   NotAParty, NotTheForum, OnlyMediates
    """
    if paper.kind == "decided" and paper.by not in ("", before.forum):
        if paper.by == before.mediator:
            raise OnlyMediates
        raise NotTheForum(node=paper.by, claimant=before.claimant, respondent=before.respondent)
    if paper.kind == "opened":
        if paper.document["claimant"]["node"] != paper.by:
            raise NotAParty(node=paper.by, kind=paper.kind)
        return
    if before.node_of(paper.side) != paper.by or paper.side not in SAYERS[paper.kind]:
        raise NotAParty(node=paper.by, kind=paper.kind)


def check_possible(before: Standing, paper: Paper) -> None:
    """raises   NotAParty, NotTheForum, OnlyMediates, StepNotPossible, OwnProposal, BeyondTheDispute"""
    if before.level == 0 and paper.kind != "opened":
        raise _not_now(before, paper)
    check_sayer(before, paper)
    if not _POSSIBLE[paper.kind](before, paper):
        raise _not_now(before, paper)
    if paper.kind == "settled" and before.proposal is not None and before.proposal.side == paper.side:
        raise OwnProposal
    if paper.kind in ("proposed", "decided"):
        check_effects(before.about or {}, paper.effects)


def after(before: Standing, paper: Paper) -> Standing:
    """The standing once a possible paper is in."""
    if paper.kind == "opened":
        return _opened(paper.document)
    if paper.kind == "proposed":
        return replace(before, proposal=paper)
    if paper.kind == "settled":
        return _in_execution(replace(before, outcome=before.proposal, state="settled"))
    if paper.kind == "escalated":
        return replace(before, level=paper.document["level"], forum=paper.document["forum"], proposal=None)
    if paper.kind == "decided":
        return _in_execution(replace(before, outcome=paper, state="decided"))
    if paper.kind == "executed":
        done = before.executed | {paper.by}
        whole = before.bound <= done
        # Nobody stands above what the parties settled themselves: with the last deed it is over.
        state = ("executed" if before.forum else "closed") if whole else before.state
        return replace(before, executed=done, state=state)
    if paper.kind in ("closed", "withdrawn"):
        return replace(before, state=paper.kind)
    return before


def _opened(document: Mapping[str, Any]) -> Standing:
    return Standing(
        claimant=document["claimant"]["node"],
        respondent=document["respondent"]["node"],
        mediator=document["mediator"],
        level=NEGOTIATION,
        about=document["about"],
    )


def _in_execution(found: Standing) -> Standing:
    return replace(found, level=EXECUTION, state=found.state if found.bound else "closed")


def _minutes(before: Standing, paper: Paper) -> bool:
    """At the first level those who negotiate keep them, later whoever decides."""
    return before.state == "open" and (paper.side == "forum") == (before.level > NEGOTIATION)


def _one_level_up(before: Standing, paper: Paper) -> bool:
    level = paper.document["level"]
    same_forum = before.level == NEGOTIATION or paper.document["forum"] == before.forum
    return before.state == "open" and level == before.level + 1 and same_forum


_POSSIBLE: Final[Mapping[str, Callable[[Standing, Paper], bool]]] = {
    "opened": lambda before, _paper: before.level == 0,
    # While an outcome is carried out, too: the side that is bound says what keeps it.
    "statement": lambda before, _paper: before.state in ("open", "settled", "decided"),
    "minutes": _minutes,
    "proposed": lambda before, _paper: before.state == "open",
    "settled": lambda before, paper: (
        before.state == "open" and before.proposal is not None and before.proposal.digest == paper.document["proposal"]
    ),
    "escalated": _one_level_up,
    "decided": lambda before, paper: (
        before.state == "open" and before.level in (DECISION, COORDINATION) and before.level == paper.document["level"]
    ),
    "executed": lambda before, paper: (
        before.state in ("settled", "decided") and paper.by in before.bound - before.executed
    ),
    "closed": lambda before, _paper: before.state == "executed",
    "withdrawn": lambda before, _paper: before.state == "open",
}


def _not_now(before: Standing, paper: Paper) -> StepNotPossible:
    return StepNotPossible(state=before.state, level=before.level, kind=paper.kind)
