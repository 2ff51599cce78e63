"""The region's definitions on their way: decided at the node that keeps the directory, signed by it, one everywhere.

1. Only elements and code tables travel; a code map is its own node's matter.
2. A definition is taken only from the keeper, under its signature over the whole, rows and all.
3. A large one travels in parts, in their order; it holds when the last part makes it whole.
4. A member asks every so often for what it lacks: whoever joins late, or was away, ends with the same.
"""

from __future__ import annotations

import base64
from datetime import UTC, datetime
from typing import Any

from cryptography.exceptions import InvalidSignature
from django.db import transaction

from hutong.control.standards import following, queries
from hutong.control.standards.keeping import add_rows
from hutong.control.standards.models import Definition
from hutong.control.standards.proposals import Proposal, day, read_row
from hutong.control.standards.rules import BadDefinition, NotTheKeepers
from hutong.ledger.record import record
from hutong.node.directory import UnknownMember, keeper, member, others
from hutong.node.events import Event, on_event, post_event
from hutong.node.keyring import ring
from hutong.node.receiving import Peer
from hutong.node.settings import current
from hutong.vocabulary.ids import is_id

DEFINITION_EVENT = "standards.definition"
WANTED_EVENT = "standards.wanted"
ROWS_PER_PART = 2_000  # some 200 KB; a message holds 1 MiB
SIGNED_PREFIX = b"hutong standard v1\n"
TRAVELLING = ("element", "table")
ASK_EVERY_S = 6 * 3600.0


def announce(one: Definition) -> None:
    """Send a version to every member, in the caller's transaction."""
    for jurisdiction in [peer.jurisdiction for peer in others()]:
        send(one, jurisdiction)


def send(one: Definition, jurisdiction: str) -> None:
    whole = queries.proposal_of(one).whole()
    rows = whole.pop("rows")
    key = ring().signing_key()
    signature = base64.b64encode(key.sign(_signed(one.id, one.version, one.digest))).decode("ascii")
    head = {**whole, "id": one.id, "version": one.version, "digest": one.digest, "row_count": len(rows)}
    first = {"head": head, "signature": signature, "keyid": key.keyid}
    parts = [rows[at : at + ROWS_PER_PART] for at in range(0, len(rows), ROWS_PER_PART)] or [[]]
    for number, part in enumerate(parts):
        data = {"id": one.id, "part": number, "last": number == len(parts) - 1, "rows": part}
        # One subject for all: parts and versions arrive in the order they were sent.
        post_event(jurisdiction, DEFINITION_EVENT, "standards", data | (first if number == 0 else {}))


@on_event(DEFINITION_EVENT)
def take(peer: Peer, event: Event) -> None:
    """A part of a definition arrives. The same again changes nothing.

    raises   NotTheKeepers, BadDefinition
    """
    data = event.data
    identifier, part, rows = data.get("id"), data.get("part"), data.get("rows")
    if peer.jurisdiction != keeper() or current().keeps_directory:
        raise NotTheKeepers(name=str(data.get("id"))[:36])
    if not isinstance(identifier, str) or not is_id(identifier) or type(part) is not int or not isinstance(rows, list):
        raise BadDefinition(reason="it has no id, part or rows", reason_zh="缺少编号、分段或代码行")
    known = Definition.objects.select_for_update().filter(id=identifier).first()
    if known is not None and known.state != "arriving":
        return
    if part == 0:
        known = _begun(peer, identifier, data)
    if known is None:
        return  # its beginning was refused, or is not here yet; it will be asked for again
    add_rows(known, [read_row(one) for one in rows], part * ROWS_PER_PART)
    if data.get("last") is True:
        _finish(known)


@on_event(WANTED_EVENT)
def answer(peer: Peer, event: Event) -> None:
    """A member says what it has; it gets what it lacks."""
    have = event.data.get("have")
    if not current().keeps_directory or not isinstance(have, list):
        return
    present = {str(one) for one in have}
    here = current().jurisdiction
    rows = Definition.objects.filter(kind__in=TRAVELLING, state="approved", origin=here).order_by("decided_at", "id")
    for one in rows:
        if one.id not in present:
            send(one, peer.jurisdiction)


def ask() -> None:
    """The duty of a member: say what it has."""
    if current().keeps_directory:
        return
    try:
        peer = member(keeper()).jurisdiction
    except UnknownMember:
        return  # not joined yet
    with transaction.atomic():
        rows = Definition.objects.filter(kind__in=TRAVELLING, state="approved", origin=peer)
        post_event(peer, WANTED_EVENT, "standards", {"have": list(rows.values_list("id", flat=True))})


def _begun(peer: Peer, identifier: str, data: dict[str, Any]) -> Definition:
    """A new one, or the same begun anew."""
    head = data.get("head")
    if not isinstance(head, dict) or head.get("kind") not in TRAVELLING or type(head.get("version")) is not int:
        raise BadDefinition(reason="its head cannot be read", reason_zh="头部无法读取")
    digest = str(head.get("digest"))[:80]
    _check_signature(peer, data, _signed(identifier, head["version"], digest))
    Definition.objects.filter(id=identifier, state="arriving").delete()
    return Definition.objects.create(
        id=identifier,
        kind=head["kind"],
        name=str(head.get("name"))[:60],
        version=head["version"],
        origin=peer.jurisdiction,
        state="arriving",
        title_zh=str(head.get("title_zh"))[:200],
        title_en=str(head.get("title_en"))[:200],
        document=head.get("document"),
        valid_from=day(str(head.get("valid_from", ""))),
        valid_to=day(str(head.get("valid_to", ""))),
        digest=digest,
        proposed_by=f"node:{peer.jurisdiction}",
        proposed_at=datetime.now(UTC),
    )


def _finish(known: Definition) -> None:
    """All parts are here: it must be what was signed, and readable."""
    proposal: Proposal = queries.proposal_of(known)
    if proposal.digest != known.digest:
        raise BadDefinition(reason="it is not what its origin signed", reason_zh="与来源节点签名的内容不符")
    known.state, known.row_count = "approved", len(proposal.rows)
    known.decided_by, known.decided_at = f"node:{known.origin}", datetime.now(UTC)
    known.save()
    detail = {"kind": known.kind, "name": known.name, "version": known.version, "codes": known.row_count}
    subject = f"standard:{known.kind}:{known.name}"
    record("standard.received", subject, f"node:{known.origin}", detail, commitment={"definition": known.digest})
    following.in_force(known, f"node:{known.origin}")


def _signed(identifier: str, version: int, digest: str) -> bytes:
    return SIGNED_PREFIX + f"{identifier}\n{version}\n{digest}\n".encode()


def _check_signature(peer: Peer, data: dict[str, Any], content: bytes) -> None:
    key = ring().lookup(str(data.get("keyid")))
    if key is None or key.jurisdiction != peer.jurisdiction:
        raise BadDefinition(reason="its key is not its origin's", reason_zh="其密钥不属于来源节点")
    try:
        key.key.verify(base64.b64decode(str(data.get("signature"))), content)
    except (InvalidSignature, ValueError) as error:
        raise BadDefinition(reason="its origin's signature does not hold", reason_zh="来源节点的签名不成立") from error
