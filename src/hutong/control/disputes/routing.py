"""Where a dispute goes when the parties do not settle it: a decision by rule that can be replayed."""

from __future__ import annotations

from hutong.control.disputes.rules import NotTheForum
from hutong.control.organisations import tree
from hutong.control.statute.decisions import Facts, Law, Outcome, decide, decider

ROUTE = "dispute.route"


@decider(ROUTE)
def route(facts: Facts, law: Law) -> Outcome:
    """D809-28 (2). The nearest jurisdiction above both parties that has a node."""
    law.applied(NotTheForum)
    members = set(facts["members"])
    return {"forum": next((code for code in facts["above"] if code in members), "")}


def forum_for(dispute: str, claimant: str, respondent: str) -> str:
    """The jurisdiction that decides, with the decision kept.

    raises   NoCommonSuperior when no member stands above both
    """
    nearest = tree.nearest_common_superior(claimant, respondent)
    above = tree.tree().common_superiors(claimant, respondent)
    facts = {"claimant": claimant, "respondent": respondent, "above": list(above), "members": [nearest.jurisdiction]}
    return str(decide(ROUTE, f"dispute:{dispute}", facts)["forum"])


def check_forum(forum: str, claimant: str, respondent: str) -> None:
    """D809-28. A forum that another node names stands above both parties, and is no region's office.

    raises   NotTheForum
    """
    if forum not in tree.tree().common_superiors(claimant, respondent):
        raise NotTheForum(node=forum, claimant=claimant, respondent=respondent)
