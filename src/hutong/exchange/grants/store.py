"""Grants in the database. Written inside the control plane's transaction, so that a decision and its effect are one."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

from django.db import transaction
from django.db.models import F

from hutong.exchange.editions.shelf import shelf_of
from hutong.exchange.grants.grant import Grant
from hutong.exchange.grants.rules import State
from hutong.exchange.models import CodeMap
from hutong.exchange.models import Grant as GrantRow
from hutong.node.settings import current
from hutong.vocabulary.errors import NotFound


def put(grant: Grant, state: State) -> None:
    """Make a grant, or replace its terms. Counters stay."""
    _, made = GrantRow.objects.update_or_create(
        agreement_id=grant.agreement, defaults={"state": state, "document": grant.to_document()}
    )
    if not made:
        GrantRow.objects.filter(agreement_id=grant.agreement).update(version=F("version") + 1)


def put_code_map(identifier: str, pairs: Mapping[str, str]) -> None:
    """Keep one version of a code map for the data plane: local code to regional one. Never changed afterwards."""
    CodeMap.objects.get_or_create(id=identifier, defaults={"pairs": dict(pairs)})


def set_state(agreement_id: str, state: State) -> None:
    """Suspend, resume or end. Holds from the very next request: the exchange reads the state for every batch.

    What an ended agreement gave is removed from editions/ with the commit.

    raises   NotFound
    """
    changed = GrantRow.objects.filter(agreement_id=agreement_id).update(state=state, version=F("version") + 1)
    if not changed:
        raise NotFound(what="grant", name=agreement_id)
    if state == "ended":
        transaction.on_commit(partial(shelf_of(current()).remove, agreement_id))


def load(agreement_id: str) -> tuple[Grant, State]:
    """For pages and commands; the exchange reads without the ORM.

    raises   NotFound, BadGrant
    """
    row = GrantRow.objects.filter(agreement_id=agreement_id).first()
    if row is None:
        raise NotFound(what="grant", name=agreement_id)
    return Grant.from_document(row.document), row.state  # type: ignore[return-value]
