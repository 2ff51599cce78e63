"""Writing offers and agreements: the published offer, what is asked, and what both sides will sign."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any, Final

from hutong.control.agreements.door import ourselves, participant_of
from hutong.control.agreements.fields import Malformed
from hutong.control.agreements.models import Negotiation
from hutong.control.agreements.policy import Kind, Policy, read_policy
from hutong.control.agreements.terms import MEMBER, AgreedTerms, Terms, instant, read_terms
from hutong.vocabulary.codes import PURPOSES
from hutong.vocabulary.ids import new_id, urn

SUPPLEMENT: Final = "hutong:supplement"
# The longest term of an agreement with a peer that does not know our terms; owner: the provider's rule book.
PLAIN_TERM_DAYS: Final = 365


def offer_for(dataset: dict[str, Any], terms: Terms | None) -> Policy:
    """The published offer of a data set, taken up with our terms: what a request carries."""
    published = dict(dataset["hasPolicy"][0])
    document = {**published, "@type": "Offer", "target": dataset["@id"]}
    if terms is not None:
        document[MEMBER] = terms.document()
    return read_policy(document, Kind.OFFER, "offer")


def new_offer(negotiation: Negotiation, supplement: tuple[str, ...], terms: Terms | None) -> Policy:
    """An offer of our own within a negotiation: the same rules, other terms, or a list of what is missing."""
    kept = {name: value for name, value in negotiation.offer.items() if name not in (MEMBER, SUPPLEMENT)}
    document = {**kept, "@id": urn(new_id()), "@type": "Offer", "target": negotiation.dataset_id}
    if supplement:
        document[SUPPLEMENT] = list(supplement)
    if terms is not None:
        document[MEMBER] = terms.document()
    return read_policy(document, Kind.OFFER, "offer")


def asked_terms(negotiation: Negotiation) -> Terms | None:
    """What was asked in this negotiation, from our own table."""
    return None if negotiation.terms is None else read_terms({MEMBER: negotiation.terms})


def agreement_for(
    negotiation: Negotiation, agreed: AgreedTerms | None, now: datetime, plain_days: int = PLAIN_TERM_DAYS
) -> Policy:
    """The agreement the provider signs.

    With our terms, the ODRL constraints say the same for readers who know ODRL only. Without, the
    agreement is the offer as it stood and a term.
    """
    document: dict[str, Any] = {
        "@id": urn(new_id()),
        "@type": "Agreement",
        "target": negotiation.dataset_id,
        "assigner": ourselves(),
        "assignee": participant_of(negotiation.peer),
        "timestamp": instant(now),
    }
    if agreed is not None:
        rule = {"action": "use", "constraint": _constraints(agreed)}
        document |= {"permission": [rule], MEMBER: agreed.document()}
    else:
        document |= _with_term(negotiation.offer, now + timedelta(days=plain_days))
    return read_policy(document, Kind.AGREEMENT, "agreement")


def _constraints(agreed: AgreedTerms) -> list[dict[str, Any]]:
    asked = agreed.asked
    constraints = [
        _constraint("purpose", "eq", asked.purpose),
        _constraint("dateTime", "lteq", instant(agreed.ends_at)),
        _constraint("hutong:item", "isAnyOf", list(asked.items)),
    ]
    return [*constraints, _constraint("recipient", "eq", asked.department)] if asked.department else constraints


def _with_term(offer: dict[str, Any], ends_at: datetime) -> dict[str, Any]:
    rules: dict[str, Any] = {
        name: offer[name] for name in ("permission", "prohibition", "obligation", "profile") if name in offer
    }
    term = _constraint("dateTime", "lteq", instant(ends_at))
    permissions = [
        {**permission, "constraint": [*permission.get("constraint", []), term]}
        for permission in rules.get("permission", [])
    ]
    return {**rules, "permission": permissions} if permissions else rules


def _constraint(left: str, operator: str, right: Any) -> dict[str, Any]:
    return {"leftOperand": left, "operator": operator, "rightOperand": right}


def constraints_on(document: dict[str, Any], left: str) -> list[dict[str, Any]]:
    """The plain constraints on one operand in a policy's permissions. Nested logic is left to people."""
    found = []
    for permission in document.get("permission", []):
        found += [one for one in permission.get("constraint", []) if one.get("leftOperand") == left]
    return found


def purposes_of(document: dict[str, Any]) -> tuple[str, ...]:
    """The purposes a plain policy allows: those it names, else every statutory one of the list."""
    named: list[str] = []
    for constraint in constraints_on(document, "purpose"):
        right = constraint["rightOperand"]
        named += [right] if isinstance(right, str) else [one for one in right if isinstance(one, str)]
    known = tuple(dict.fromkeys(one for one in named if one in PURPOSES))
    return known or (() if named else PURPOSES.codes)


def end_of(document: dict[str, Any]) -> datetime | None:
    """When a plain policy ends: its earliest dateTime lteq/lt; None where it names none.

    raises   Malformed for a time without meaning: an agreement whose end cannot be read is not kept
    """
    ends = []
    for constraint in constraints_on(document, "dateTime"):
        if constraint["operator"] in ("lteq", "lt"):
            ends.append(_moment(constraint["rightOperand"]))
    return min(ends, default=None)


def _moment(value: Any) -> datetime:
    try:
        moment = datetime.fromisoformat(value)
    except (TypeError, ValueError):
        raise Malformed(
            where="agreement.permission", reason="a dateTime cannot be read", reason_zh="时间无法读取"
        ) from None
    if moment.tzinfo is None:
        raise Malformed(where="agreement.permission", reason="a dateTime has no time zone", reason_zh="时间没有时区")
    return moment
