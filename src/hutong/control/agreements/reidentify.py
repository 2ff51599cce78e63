"""Turning encrypted identifiers of an agreement back: the provider's head alone, with a reason, on record."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from typing import Final

import pyarrow as pa
from django.db import transaction

from hutong.control.agreements.models import Agreement
from hutong.control.agreements.rules import NotEncrypted
from hutong.control.agreements.transitions import Party
from hutong.control.identity.rules import Action, Actor, check
from hutong.exchange.grants.store import load
from hutong.exchange.shaping.encrypt import decrypted
from hutong.exchange.shaping.masks import ENCRYPTED, Mask
from hutong.ledger.record import record
from hutong.node.keys import unseal
from hutong.vocabulary.errors import NotFound
from hutong.vocabulary.text import checked

MOST: Final = 100  # identifiers at once: a case, not a register


@transaction.atomic
def reidentify(by: Actor, agreement_id: str, item: str, values: Sequence[str], reason: str) -> list[str | None]:
    """The identifiers that these were made of, in their order; None for what is no identifier of the item's kind.

    Any valid identifier turns back into some other: whether it came from this agreement, the caller MUST know.

    raises   NotFound, NotAllowed, OtherDepartment, NotEncrypted, TextMissing
    """
    agreement = Agreement.objects.filter(id=agreement_id, role=Party.PROVIDER).first()
    if agreement is None:
        raise NotFound(what="agreement", name=agreement_id[:80])
    check(by, Action.REIDENTIFY, agreement.department or None)
    why = checked("reason", reason, limit=2000, lines=True, required=True)
    grant, _ = load(agreement_id)
    granted = grant.by_name.get(item)
    if granted is None or granted.action not in ENCRYPTED or not 0 < len(values) <= MOST:
        raise NotEncrypted(item=item, most=MOST)
    key = unseal(base64.b64decode(grant.pseudonym_key))
    turned = decrypted(pa.array(list(values), pa.string()), Mask.from_document(granted.mask, item), key).to_pylist()
    found = [None if one is None or set(one) <= {"*"} else str(one) for one in turned]
    detail = {"item": item, "asked": len(values), "found": sum(one is not None for one in found), "reason": why}
    record("agreement.reidentified", f"agreement:{agreement_id}", by.username, detail)
    return found
