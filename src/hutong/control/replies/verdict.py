"""What a request gets by rule, and what waits for an officer: the one place that says so.

The provider's node asks here when a request arrives, and the simulation asks here before: the same facts, the same
answer. A department of the provider's zone counts as a local one (无差别).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final, Literal

from hutong.control.agreements.consent import Asked
from hutong.control.agreements.rules import ItemNotShareable
from hutong.control.agreements.terms import Terms
from hutong.control.catalogue.models import Attribute
from hutong.control.replies.rules import ConditionalReplyLate, OwnReply, UnconditionalReplyLate
from hutong.control.statute import day
from hutong.control.statute.decisions import Facts, Law, Outcome, decide, decider, weigh
from hutong.control.zones.queries import shared_by
from hutong.control.zones.rules import SameAsLocal
from hutong.node import outside
from hutong.node.settings import current

DECIDER: Final = "reply.by_rule"
FORBIDDEN_RULE: Final = ItemNotShareable
Kind = Literal["local", "zone", "member", "outside"]
KINDS: Final[tuple[Kind, ...]] = ("local", "zone", "member", "outside")


@dataclass(frozen=True)
class Requester:
    """Who asks, as far as a rule cares."""

    kind: Kind
    zone: str = ""  # Zone.id, of a zone's member


@dataclass(frozen=True)
class Verdict:
    """What the rules say of a request."""

    answer: Literal["agree", "officer", "refuse"]
    why: str  # a code of WHY
    rule: str  # the article or the zone's rule it rests on
    head: bool  # the answer still needs the signature of the head of the sharing body

    @property
    def actor(self) -> str:
        """As records name a rule that acted."""
        return f"rule:{self.rule}"


def requester_of(peer: str) -> Requester:
    """raises   nothing: whoever is unknown is a member without a zone, or outside"""
    if outside.is_outside(peer):
        return Requester("outside")
    own = current().jurisdiction
    if peer == own:
        return Requester("local")
    zone = shared_by(own, peer, day.today())
    return Requester("zone", zone.id) if zone else Requester("member")


def facts_of(asked: Asked, terms: Terms | None, requester: Requester) -> dict[str, Any]:
    """Codes, names of items and counts: nothing of anybody."""
    resource = asked.resource
    wanted = terms.items if terms else tuple(asked.shareable)
    return {
        "attribute": asked.attribute,
        "requester": requester.kind,
        "zone": requester.zone,
        "states_terms": terms is not None,
        "purpose": terms.purpose if terms else "",
        "permitted_purposes": list(resource.permitted_purposes),
        "mode": terms.mode if terms else "",
        "sharing_modes": list(resource.sharing_modes),
        "barred_items": [name for name in wanted if name not in asked.shareable],
    }


@decider(DECIDER)
def by_rule(facts: Facts, law: Law) -> Outcome:
    """D809-14, D809-21, Z-1: refused, agreed at once, or left to an officer; first what forbids, then what allows."""
    if facts["attribute"] == Attribute.REFUSED:
        law.applied(FORBIDDEN_RULE)
        return _said("refuse", "forbidden", "D809-14")
    officer = UnconditionalReplyLate if facts["attribute"] == Attribute.UNCONDITIONAL else ConditionalReplyLate
    law.applied(officer)
    if not facts["states_terms"]:
        return _said("officer", "no_terms", "D809-20")
    if facts["barred_items"]:
        return _said("officer", "barred_items", "D809-14")
    if facts["attribute"] == Attribute.UNCONDITIONAL:
        return _said("agree", "unconditional", "D809-21", law)
    if facts["requester"] not in ("local", "zone"):
        return _said("officer", "conditional", "D809-21")
    if not law.parameter(SameAsLocal, "conditional_by_rule"):
        return _said("officer", "not_by_rule_here", "Z-1")
    modes, purposes = facts["sharing_modes"], facts["permitted_purposes"]
    if facts["purpose"] not in purposes or (modes and facts["mode"] not in modes):
        return _said("officer", "conditions_not_met", "Z-1")
    return _said("agree", "same_as_local", "Z-1", law)


def decided(subject: str, asked: Asked, terms: Terms | None, requester: Requester) -> Verdict:
    """The verdict on a real request, kept with everything it was decided from."""
    return Verdict(**decide(DECIDER, subject, facts_of(asked, terms, requester)))


def foreseen(asked: Asked, terms: Terms | None, requester: Requester) -> Verdict:
    """The verdict on a request nobody has made. Keeps nothing."""
    return Verdict(**weigh(DECIDER, facts_of(asked, terms, requester)))


def _said(answer: str, why: str, rule: str, law: Law | None = None) -> Outcome:
    """With a law, whether it lets the rule's consent go without the head's signature."""
    head = law is None or not law.parameter(OwnReply, "by_rule_without_head")
    return {"answer": answer, "why": why, "rule": rule, "head": head and answer == "agree"}
