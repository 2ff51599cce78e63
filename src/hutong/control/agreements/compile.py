"""An agreement compiled into a grant: the decision turned into what the data plane checks on every request."""

from __future__ import annotations

import base64
import secrets
from dataclasses import replace
from typing import Any, Final

from hutong.control.agreements.consent import Asked, asked_of, default_mask
from hutong.control.agreements.constraints import Limits, PolicyNeverHolds, limits_of
from hutong.control.agreements.door import participant_of
from hutong.control.agreements.drafting import limits_in_terms
from hutong.control.agreements.models import Agreement
from hutong.control.agreements.operands import Facts
from hutong.control.agreements.rules import AgreementContradicts, AgreementNotInForce, ItemNotShareable
from hutong.control.agreements.terms import AgreedTerms, read_agreed
from hutong.control.agreements.transitions import Party
from hutong.control.standards.queries import conversions
from hutong.exchange.grants import Grant, GrantedItem
from hutong.exchange.grants.ranges import Ranges, counted
from hutong.exchange.grants.store import load
from hutong.exchange.grants.tracing import Tracing
from hutong.exchange.shaping.masks import KEYED
from hutong.exchange.shaping.predicate import Predicate
from hutong.node.keys import seal
from hutong.node.settings import current
from hutong.vocabulary.areas import area_of
from hutong.vocabulary.errors import NotFound

PSEUDONYM_KEY_BYTES: Final = 32


def limits_under(agreement: Agreement) -> Limits:
    """What an agreement allows from its start on, in either role, saved or about to be: one reading for both sides.

    raises   PolicyNotUnderstood, PolicyNeverHolds, AgreementContradicts, ItemNotShareable, Malformed
    """
    agreed = read_agreed(agreement.document)
    asked = asked_of(agreement.resource_id) if agreement.role == Party.PROVIDER else None
    limits = limits_of(agreement.document, _facts(agreement, agreed, asked))
    if agreed is not None:
        _check_says_the_same(limits, agreed)
    elif asked is not None and (barred := sorted((limits.items or set()) - asked.shareable.keys())):
        raise ItemNotShareable(items=barred)
    in_force = counted((limits.in_force, Ranges(((agreement.starts_at, None),))), lambda sets: sets == 2)
    if not in_force.parts:
        raise PolicyNeverHolds(operand="dateTime")
    return replace(limits, in_force=in_force)


def compile_grant(agreement: Agreement) -> Grant:
    """The grant of one of our own agreements, as provider.

    raises   AgreementNotInForce when the resource has no source any more, and what limits_under does
    """
    asked = asked_of(agreement.resource_id)
    if asked.resource.source_id is None:
        raise AgreementNotInForce(state="without a source")
    limits = limits_under(agreement)
    masks, where = _masks(agreement, asked, limits)
    agreed = read_agreed(agreement.document)
    tracing = agreed.tracing if agreed else None
    # Made before the catalogue said so, an agreement is about the provider's own codes, and stays so.
    codes = conversions(agreement.resource_id, agreement.created_at)
    return Grant(
        agreement=agreement.id,
        provider=current().jurisdiction,
        consumer=agreement.peer,
        resource=agreement.resource_id,
        source=asked.resource.source_id,
        items=tuple(GrantedItem(name, mask, codes.get(name, "")) for name, mask in masks.items()),
        where=where,
        purposes=limits.purposes,
        quota_calls=limits.calls,
        quota_calls_per_day=limits.calls_per_day,
        quota_rows=None,
        rate_per_s=None,
        in_force=limits.in_force,
        pseudonym_key=_pseudonym_key(agreement.id, masks, tracing),
        tracing=tracing,
        fields=_fields(agreement.id, {*masks, *(Predicate.from_document(where).items() if where else ())}, asked),
    )


def _facts(agreement: Agreement, agreed: AgreedTerms | None, asked: Asked | None) -> Facts:
    """What the constraints on recipient, place and attribute are held against.

    asked   our resource, where we are its provider
    """
    consumer, department = (agreement.peer, "") if asked else (current().jurisdiction, agreement.department)
    if agreed is not None:
        department = agreed.asked.department
    return Facts(
        parties=frozenset({participant_of(consumer), department} - {""}),
        area=area_of(consumer),
        attribute=asked.attribute if asked else "",
    )


def _check_says_the_same(limits: Limits, agreed: AgreedTerms) -> None:
    """A-9. The ODRL permission says the same as the terms beside it: whoever reads one reads what was signed."""
    said = limits_in_terms(agreed)
    for what, mine, its in (
        ("purpose", said.purposes, limits.purposes),
        ("items", said.items, limits.items),
        ("term_days", said.in_force, limits.in_force),
        ("quota_calls_per_day", (said.calls_per_day, said.calls), (limits.calls_per_day, limits.calls)),
    ):
        if mine != its:
            raise AgreementContradicts(what=what)


def _masks(
    agreement: Agreement, asked: Asked, limits: Limits
) -> tuple[dict[str, dict[str, Any]], dict[str, Any] | None]:
    """Masks by item in their order, and the row condition."""
    agreed = read_agreed(agreement.document)
    if agreed is not None:
        return dict(zip(agreed.asked.items, agreed.masks, strict=True)), agreed.asked.where
    # A peer without our terms: what may be shared of what the policy names, as the catalogue masks it.
    return {
        name: default_mask(item)
        for name, item in asked.shareable.items()
        if limits.items is None or name in limits.items
    }, None


def _fields(agreement_id: str, items: set[str], asked: Asked) -> dict[str, int]:
    """The ids of the items' columns, where the source has any; kept when the grant is compiled again, so that a mask
    stays with the column it was agreed for."""
    source = asked.resource.source
    described = {one["name"]: one["field"] for one in (source.schema if source else ()) if "field" in one}
    known = _before(agreement_id)
    ids = {**described, **(known.fields if known else {})}
    return {item: ids[item] for item in sorted(items) if item in ids}


def _before(agreement_id: str) -> Grant | None:
    try:
        return load(agreement_id)[0]
    except NotFound:
        return None


def _pseudonym_key(agreement_id: str, masks: dict[str, dict[str, Any]], tracing: Tracing | None) -> str:
    """The agreement's own key, sealed; kept when the grant is compiled again, so that pseudonyms stay the same."""
    if tracing is None and not any(mask["action"] in KEYED for mask in masks.values()):
        return ""
    before = _before(agreement_id)
    if before is not None and before.pseudonym_key:
        return before.pseudonym_key
    return base64.b64encode(seal(secrets.token_bytes(PSEUDONYM_KEY_BYTES))).decode("ascii")
