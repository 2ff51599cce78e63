"""An agreement compiled into a grant: the decision turned into what the data plane checks on every request."""

from __future__ import annotations

import base64
import secrets
from typing import Any, Final

from hutong.control.agreements.consent import Asked, asked_of, default_mask
from hutong.control.agreements.drafting import purposes_of
from hutong.control.agreements.models import Agreement
from hutong.control.agreements.rules import AgreementNotInForce
from hutong.control.agreements.terms import read_agreed
from hutong.exchange.grants import Grant, GrantedItem
from hutong.exchange.grants.store import load
from hutong.node.keys import seal
from hutong.node.settings import current
from hutong.vocabulary.errors import NotFound

PLAIN_CALLS_PER_DAY: Final = 10_000  # for a peer that does not know our terms; owner: the provider's rule book
PSEUDONYM_KEY_BYTES: Final = 32


def compile_grant(agreement: Agreement) -> Grant:
    """The grant of one of our own agreements, as provider.

    raises   AgreementNotInForce when the resource has no source any more
    """
    asked = asked_of(agreement.resource_id)
    if asked.resource.source_id is None:
        raise AgreementNotInForce(state="without a source")
    masks, limits = _terms(agreement, asked)
    return Grant(
        agreement=agreement.id,
        provider=current().jurisdiction,
        consumer=agreement.peer,
        resource=agreement.resource_id,
        source=asked.resource.source_id,
        items=tuple(GrantedItem(name, mask) for name, mask in masks.items()),
        quota_rows=None,
        rate_per_s=None,
        starts_at=agreement.starts_at,
        ends_at=agreement.ends_at,
        pseudonym_key=_pseudonym_key(agreement.id, masks),
        **limits,
    )


def _terms(agreement: Agreement, asked: Asked) -> tuple[dict[str, dict[str, Any]], dict[str, Any]]:
    """Masks by item in their order; and the row condition, purposes and daily quota."""
    agreed = read_agreed(agreement.document)
    if agreed is None:  # a peer without our terms: everything that may be shared, as the catalogue masks it
        masks = {name: default_mask(item) for name, item in asked.shareable.items()}
        purposes = purposes_of(agreement.document)
        return masks, {"where": None, "purposes": purposes, "quota_calls_per_day": PLAIN_CALLS_PER_DAY}
    terms = agreed.asked
    masks = dict(zip(terms.items, agreed.masks, strict=True))
    limits = {"where": terms.where, "purposes": (terms.purpose,), "quota_calls_per_day": terms.quota_calls_per_day}
    return masks, limits


def _pseudonym_key(agreement_id: str, masks: dict[str, dict[str, Any]]) -> str:
    """The agreement's own key, sealed; kept when the grant is compiled again, so that pseudonyms stay the same."""
    if not any(mask["action"] == "pseudonym" for mask in masks.values()):
        return ""
    try:
        before, _ = load(agreement_id)
    except NotFound:
        before = None
    if before is not None and before.pseudonym_key:
        return before.pseudonym_key
    return base64.b64encode(seal(secrets.token_bytes(PSEUDONYM_KEY_BYTES))).decode("ascii")
