"""Verify a receipt on the spot: from the register's row to a signed root, each step told in words."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import orjson
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from hutong.exchange.models import ExchangeRecord
from hutong.ledger import checkpoint as checkpoints
from hutong.ledger.checkpoint import Checkpoint
from hutong.ledger.entries import Logged, find_digest
from hutong.ledger.models import LedgerEntry
from hutong.ledger.note import NotSigned, SignatureFails
from hutong.ledger.proof import NotInLog
from hutong.ledger.receipt import KIND, BadReceipt, Receipt
from hutong.ledger.shelf import Shelf
from hutong.ledger.tiles import TileFolder
from hutong.ledger.tree import check_inclusion, inclusion_proof, leaf_hash
from hutong.ledger.trust import TrustedTiles
from hutong.portal.components import words
from hutong.portal.components.parts import Step
from hutong.vocabulary.canonical import digest
from hutong.vocabulary.errors import Refused

MOST_WAITING = 20_000  # entries looked through among those not sequenced yet; they wait for some seconds at most


@dataclass(frozen=True)
class Verification:
    """What was checked, in order. It stops at the first step that fails."""

    at: datetime
    steps: tuple[Step, ...]
    holds: bool  # every step up to the signed root

    @property
    def waits(self) -> bool:
        """Nothing is wrong, the receipt has no place in the tree yet: worth asking again in a moment."""
        return not self.holds and all(step.tone != "bad" for step in self.steps)


class _Failed(Exception):
    """A step that does not hold; it ends the verification."""


def verify(record: ExchangeRecord, folder: Path) -> Verification:
    """Check one exchange's receipt against our own log's newest signed checkpoint.

    1. The checkpoint is signed by this log's key.
    2. The log holds, at some place, an entry with the receipt's digest.
    3. That entry says what the register says.
    4. The inclusion proof leads from the entry to the signed root.
    5. Other nodes have cosigned a checkpoint that covers it. Its absence is told, and is no failure: witnesses
       come some seconds later.
    """
    steps: list[Step] = []
    holds = False
    try:
        shelf = Shelf(folder)
        newest, tiles = _checkpoint(shelf, steps)
        logged = _found(record, shelf, newest, steps)
        _agrees(record, logged.entry, steps)
        _included(logged, newest, tiles, steps)
        holds = True
        steps.append(_witnessed(shelf, logged.index))
    except _Failed:
        pass
    except Refused as refused:
        steps.append(Step(_("The ledger could not be read"), refused.say(words.language()), "bad"))
    return Verification(timezone.now(), tuple(steps), holds)


def entry_of(record: ExchangeRecord, folder: Path) -> dict[str, Any] | None:
    """The receipt as it stands in the ledger; None where it is not sequenced or not there."""
    try:
        found = find_digest(folder, record.entry_digest, at=record.at)
    except Refused:
        return None
    return dict(orjson.loads(found.entry))


def _checkpoint(shelf: Shelf, steps: list[Step]) -> tuple[Checkpoint, TrustedTiles]:
    note = shelf.checkpoint()
    say = _("The checkpoint is signed by this log")
    if note is None:
        steps.append(Step(say, _("There is no checkpoint yet: nothing has been sequenced."), "bad"))
        raise _Failed
    try:
        newest = checkpoints.opened(note, shelf.log_keys())
    except (NotSigned, SignatureFails) as refused:
        steps.append(Step(say, refused.say(words.language()), "bad"))
        raise _Failed from refused
    detail = _("Log {origin}, {size} entries, root {root}. The Ed25519 signature of {signer} holds.").format(
        origin=newest.origin, size=words.number(newest.size), root=newest.root.hex()[:16] + "…", signer=newest.origin
    )
    steps.append(Step(say, detail, "good"))
    return newest, TrustedTiles(newest, TileFolder(shelf.folder).read)


def _found(record: ExchangeRecord, shelf: Shelf, newest: Checkpoint, steps: list[Step]) -> Logged:
    say = _("The receipt stands in the log")
    try:
        found = find_digest(shelf.folder, record.entry_digest, at=record.at)
    except NotInLog as refused:
        if _waits(record, newest.size):
            steps.append(Step(say, _("It waits to be sequenced. Verify again in a moment."), "wait"))
        else:
            steps.append(Step(say, refused.say(words.language()), "bad"))
        raise _Failed from refused
    detail = _("Entry {index} has the digest the register gives: {digest}").format(
        index=words.number(found.index), digest=record.entry_digest
    )
    steps.append(Step(say, detail, "good"))
    return found


def _waits(record: ExchangeRecord, signed_size: int) -> bool:
    """Whether the receipt is among the entries that no checkpoint covers yet."""
    waiting = LedgerEntry.objects.filter(Q(leaf_index=None) | Q(leaf_index__gte=signed_size))
    entries = waiting.filter(kind=KIND).values_list("entry", flat=True).order_by("-id")[:MOST_WAITING]
    return any(digest(bytes(entry)) == record.entry_digest for entry in entries)


def _agrees(record: ExchangeRecord, entry: bytes, steps: list[Step]) -> None:
    say = _("The receipt says what the register says")
    try:
        receipt = Receipt.from_entry(entry)
    except BadReceipt as refused:
        steps.append(Step(say, refused.say(words.language()), "bad"))
        raise _Failed from refused
    said = {
        "exchange": (receipt.exchange, record.exchange_id),
        "role": (receipt.role, record.role),
        "agreement": (receipt.agreement, record.agreement_id),
        "purpose": (receipt.purpose, record.purpose),
        "outcome": (receipt.outcome, record.outcome),
        "rows": (receipt.rows, record.rows),
        "request": (receipt.request, record.request_digest),
        "response": (receipt.response, record.response_digest),
    }
    if wrong := [name for name, (logged, registered) in said.items() if logged != registered]:
        detail = _("They differ in: {names}. The register was changed after the receipt was written.")
        steps.append(Step(say, detail.format(names=", ".join(wrong)), "bad"))
        raise _Failed
    detail = _("Parties, agreement, purpose, outcome, {rows} rows and both digests are the same.")
    steps.append(Step(say, detail.format(rows=words.number(record.rows)), "good"))


def _included(logged: Logged, newest: Checkpoint, tiles: TrustedTiles, steps: list[Step]) -> None:
    proof = inclusion_proof(logged.index, newest.size, tiles.node)
    say = _("The inclusion proof leads to the signed root")
    try:
        check_inclusion(leaf_hash(logged.entry), logged.index, newest.size, proof, newest.root)
    except Refused as refused:
        steps.append(Step(say, refused.say(words.language()), "bad"))
        raise _Failed from refused
    detail = ngettext(
        "Hashing the receipt with {many} neighbouring hash gives exactly the root of the checkpoint (RFC 9162).",
        "Hashing the receipt with {many} neighbouring hashes gives exactly the root of the checkpoint (RFC 9162).",
        len(proof),
    )
    steps.append(Step(say, detail.format(many=len(proof)), "good"))


def _witnessed(shelf: Shelf, index: int) -> Step:
    say = _("Other nodes have cosigned it")
    note = shelf.witnessed()
    seen = checkpoints.parse(note.text) if note else None
    witnesses = [one for one in note.signatures if one.name != seen.origin] if note and seen else []
    if not seen or not witnesses or seen.size <= index:
        return Step(say, _("No witness has cosigned a checkpoint that covers this entry yet."), "wait")
    told = [
        f"{one.name} ({timezone.localtime(datetime.fromtimestamp(one.time, UTC)):%Y-%m-%d %H:%M:%S})"
        for one in witnesses
    ]
    detail = _("A checkpoint of {size} entries, which covers this one, is cosigned by: {names}.")
    return Step(say, detail.format(size=words.number(seen.size), names=_(", ").join(told)), "good")
