"""Proposing a version and deciding on it: by four eyes, recorded, in one transaction with what follows from it."""

from __future__ import annotations

from datetime import UTC, datetime

from django.db import transaction
from django.db.models import Max

from hutong.control.identity.models import Role
from hutong.control.identity.rules import Action, Actor, check
from hutong.control.notices.actions import tell
from hutong.control.standards import federation, following, queries
from hutong.control.standards.dictionary import dictionary
from hutong.control.standards.keeping import add_rows
from hutong.control.standards.models import Definition
from hutong.control.standards.proposals import Proposal
from hutong.control.standards.rules import NothingChanges, TargetUnknown, check_four_eyes
from hutong.control.standards.sentences import VersionProposed, VersionSentBack
from hutong.ledger.record import record
from hutong.node.settings import current
from hutong.vocabulary.errors import WrongState
from hutong.vocabulary.ids import new_id
from hutong.vocabulary.text import checked

SHOWN = 10  # codes named in a refusal


@transaction.atomic
def propose(by: Actor, proposal: Proposal) -> Definition:
    """A further version of a definition of this node, waiting for the supervisor.

    raises   NotAllowed, NotTheKeepers, TargetUnknown, NothingChanges, UnknownElement or ElementEnded for its successor
    """
    check(by, Action.PROPOSE_STANDARD)
    here = current().jurisdiction
    if successor := proposal.document.get("replaced_by"):
        dictionary().element(str(successor))
    if proposal.kind == "map":
        _check_targets(proposal)
    else:
        queries.check_ours(proposal.kind, proposal.name)
    before = Definition.objects.select_for_update().filter(kind=proposal.kind, name=proposal.name, origin=here)
    for same in before.filter(state__in=("proposed", "approved"), digest=proposal.digest):
        if same.state == "proposed" or same == queries.in_force(proposal.kind, proposal.name):
            raise NothingChanges(name=same.name, version=same.version)
    made = Definition.objects.create(
        id=new_id(),
        kind=proposal.kind,
        name=proposal.name,
        version=(before.aggregate(last=Max("version"))["last"] or 0) + 1,
        origin=here,
        state="proposed",
        title_zh=proposal.title_zh,
        title_en=proposal.title_en,
        document=dict(proposal.document),
        valid_from=proposal.valid_from,
        valid_to=proposal.valid_to,
        row_count=len(proposal.rows),
        digest=proposal.digest,
        proposed_by=by.username,
        proposed_at=datetime.now(UTC),
    )
    add_rows(made, proposal.rows)
    _record("standard.proposed", made, by.username)
    tell(
        VersionProposed(by=by.username, name=made.title_zh, version=made.version),
        role=Role.SUPERVISOR,
        subject=f"standard:{made.id}",
        page=("standard", made.id),
    )
    return made


@transaction.atomic
def approve(by: Actor, identifier: str) -> Definition:
    """Put a proposed version in force, and do at once what follows from it.

    raises   NotFound, NotAllowed, WrongState, OwnStandard, TargetUnknown
    """
    one = _locked(by, identifier)
    check_four_eyes(one.proposed_by, by.username)
    if one.kind == "map":
        _check_targets(queries.proposal_of(one))
    one.state, one.decided_by, one.decided_at = "approved", by.username, datetime.now(UTC)
    one.save()
    _record("standard.approved", one, by.username)
    following.in_force(one, by.username)
    if one.kind != "map" and current().keeps_directory:
        federation.announce(one)
    return one


@transaction.atomic
def refuse(by: Actor, identifier: str, reason: str) -> Definition:
    """Send a proposed version back, and tell who proposed it why.

    raises   NotFound, NotAllowed, WrongState, WrongText
    """
    one = _locked(by, identifier)
    one.reason = checked("reason", reason, limit=300, required=True)
    one.state, one.decided_by, one.decided_at = "refused", by.username, datetime.now(UTC)
    one.save()
    _record("standard.refused", one, by.username)
    tell(
        VersionSentBack(by=by.username, name=one.title_zh, version=one.version, reason=one.reason),
        account=one.proposed_by,
        subject=f"standard:{one.id}",
        page=("standard", one.id),
    )
    return one


def _locked(by: Actor, identifier: str) -> Definition:
    check(by, Action.APPROVE_STANDARD)
    queries.version(identifier)
    one = Definition.objects.select_for_update().get(id=identifier)
    if one.state != "proposed":
        raise WrongState(what="definition", what_zh="定义", state=one.state, possible=["proposed"])
    return one


def _check_targets(proposal: Proposal) -> None:
    """S-2. A map leads to codes in force of a table this node has."""
    table = str(proposal.document["table"])
    known = queries.known_codes(table)
    wrong = sorted({row.target for row in proposal.rows} - (known or frozenset()))
    if known is None or wrong:
        raise TargetUnknown(table=table, codes=wrong[:SHOWN] or ["?"])


def _record(kind: str, one: Definition, actor: str) -> None:
    detail = {"kind": one.kind, "name": one.name, "version": one.version, "codes": one.row_count}
    commitment = {"definition": one.digest}
    record(kind, f"standard:{one.kind}:{one.name}", actor, detail, commitment=commitment)
