"""Writing offers and agreements: the published offer, what is asked, and what both sides will sign."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any, Final

from hutong.control.agreements.consent import published
from hutong.control.agreements.constraints import Limits
from hutong.control.agreements.door import ourselves, participant_of
from hutong.control.agreements.models import Negotiation
from hutong.control.agreements.offered import MEMBER as OFFERING
from hutong.control.agreements.offered import Offered
from hutong.control.agreements.policy import Kind, Policy, read_policy
from hutong.control.agreements.supplement import MEMBER as SUPPLEMENT
from hutong.control.agreements.supplement import Point
from hutong.control.agreements.terms import MEMBER, AgreedTerms, Terms, read_terms
from hutong.control.catalogue.dataset import offer as offer_of
from hutong.exchange.grants.ranges import Ranges
from hutong.vocabulary.areas import area_of
from hutong.vocabulary.ids import new_id, urn
from hutong.vocabulary.moments import rfc3339

# The longest term of an agreement with a peer that does not know our terms; owner: the provider's rule book.
PLAIN_TERM_DAYS: Final = 365
PLAIN_CALLS_PER_DAY: Final = 10_000  # for such a peer; owner: the provider's rule book
RULES: Final = ("permission", "prohibition", "obligation", "profile")


def offer_for(
    dataset: dict[str, Any], terms: Terms | None, answers: tuple[Point, ...] = (), offered: Offered | None = None
) -> Policy:
    """The published offer of a data set, taken up with our terms: what a request carries.

    answers   to what the provider said was missing
    offered   the offering it belongs to: made under it, or asked for under it
    """
    published = dict(dataset["hasPolicy"][0])
    document = {**published, "@type": "Offer", "target": dataset["@id"]}
    if terms is not None:
        document[MEMBER] = terms.document()
    if answers:
        document[SUPPLEMENT] = [one.document() for one in answers]
    if offered is not None:
        document[OFFERING] = offered.document()
    return read_policy(document, Kind.OFFER, "offer")


def new_offer(negotiation: Negotiation, supplement: tuple[Point, ...], terms: Terms | None) -> Policy:
    """An offer of our own within a negotiation: the same rules, other terms, or a list of what is missing."""
    kept = {name: value for name, value in negotiation.offer.items() if name not in (MEMBER, SUPPLEMENT)}
    document = {**kept, "@id": urn(new_id()), "@type": "Offer", "target": negotiation.dataset_id}
    if supplement:
        document[SUPPLEMENT] = [one.document() for one in supplement]
    if terms is not None:
        document[MEMBER] = terms.document()
    return read_policy(document, Kind.OFFER, "offer")


def asked_terms(negotiation: Negotiation) -> Terms | None:
    """What was asked in this negotiation, from our own table."""
    return None if negotiation.terms is None else read_terms({MEMBER: negotiation.terms})


def agreement_for(
    negotiation: Negotiation,
    agreed: AgreedTerms | None,
    now: datetime,
    plain_days: int = PLAIN_TERM_DAYS,
    dataset: dict[str, Any] | None = None,
) -> Policy:
    """The agreement the provider signs.

    dataset   as it is published; given where it is not published yet

    With our terms, the ODRL constraints say the same for readers who know ODRL only. Without, it is the published
    offer, what the peer's offer adds to it, a term and a daily quota.
    """
    document: dict[str, Any] = {
        "@id": urn(new_id()),
        "@type": "Agreement",
        "target": negotiation.dataset_id,
        "assigner": ourselves(),
        "assignee": participant_of(negotiation.peer),
        "timestamp": rfc3339(now),
    }
    if agreed is not None:
        document |= {"permission": [permission_for(agreed, negotiation.peer)], MEMBER: agreed.document()}
    else:
        ours = dataset or published(negotiation.dataset_id)[0]
        document |= _plain_rules(negotiation, offer_of(ours), now + timedelta(days=plain_days))
    return read_policy(document, Kind.AGREEMENT, "agreement")


def permission_for(agreed: AgreedTerms, consumer: str) -> dict[str, Any]:
    """The terms in ODRL's words, but for masks and the row condition, which it has none for.

    consumer   a jurisdiction
    """
    asked, limits = agreed.asked, limits_in_terms(agreed)
    constraints = [
        _constraint("purpose", "eq", asked.purpose),
        _constraint("dateTime", "gteq", rfc3339(agreed.starts_at)),
        _constraint("dateTime", "lt", rfc3339(agreed.ends_at)),
        _constraint("hutong:item", "isAnyOf", list(asked.items)),
        _constraint("hutong:callsPerDay", "lteq", str(limits.calls_per_day)),
        _constraint("count", "lteq", str(limits.calls)),
    ]
    if asked.department:
        constraints.append(_constraint("recipient", "eq", asked.department))
    if area := area_of(consumer):
        constraints.append(_constraint("spatial", "eq", area))
    return {"action": "use", "constraint": constraints}


def limits_in_terms(agreed: AgreedTerms) -> Limits:
    """What the terms allow, as their ODRL permission must say it. A term of n days touches n + 1 calendar days."""
    asked = agreed.asked
    return Limits(
        in_force=Ranges(((agreed.starts_at, agreed.ends_at),)),
        purposes=(asked.purpose,),
        items=frozenset(asked.items),
        calls=asked.quota_calls_per_day * (asked.term_days + 1),
        calls_per_day=asked.quota_calls_per_day,
    )


def _plain_rules(negotiation: Negotiation, ours: dict[str, Any], ends_at: datetime) -> dict[str, Any]:
    """A-1. A peer's offer may be narrower than ours, so the agreement holds both: it cannot leave a condition out.

    What else either has (a prohibition, a duty) is kept, and refused when the agreement is read.
    """
    theirs = negotiation.offer
    rules = {name: given[name] for given in (ours, theirs) for name in RULES if name in given}
    always = [
        *(constraint for rule in ours.get("permission", []) for constraint in rule.get("constraint", [])),
        _constraint("dateTime", "lt", rfc3339(ends_at)),
        _constraint("hutong:callsPerDay", "lteq", str(PLAIN_CALLS_PER_DAY)),
    ]
    permissions = [
        {**rule, "constraint": [*always, *(one for one in rule.get("constraint", []) if one not in always)]}
        for rule in rules.get("permission", [])
    ]
    return {**rules, "permission": permissions} if permissions else rules


def _constraint(left: str, operator: str, right: Any) -> dict[str, Any]:
    return {"leftOperand": left, "operator": operator, "rightOperand": right}
