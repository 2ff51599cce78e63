"""Verifying a log from its files alone: every entry, every tile, every signature."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from hutong.ledger import checkpoint as checkpoints
from hutong.ledger import note as notes
from hutong.ledger.audit import Fault, Progress, TileAudit
from hutong.ledger.checkpoint import Checkpoint
from hutong.ledger.frontier import Frontier
from hutong.ledger.note import Note, NotSigned, VerifierKey
from hutong.ledger.shelf import CHECKPOINT, LOG_KEYS, WITNESS_KEYS, WITNESSED, Shelf
from hutong.ledger.tiles import TileFolder
from hutong.vocabulary.errors import Refused


@dataclass
class Audit:
    """What an audit found."""

    folder: Path
    checkpoint: Checkpoint | None = None  # None: no signed checkpoint, so there is nothing to hold the files to
    witnesses: list[str] = field(default_factory=list)  # whose cosignature on checkpoint.witnessed holds
    witnessed_size: int = 0
    faults: list[Fault] = field(default_factory=list)

    @property
    def holds(self) -> bool:
        return not self.faults

    def __str__(self) -> str:
        size = self.checkpoint.size if self.checkpoint else 0
        faults = "; ".join(f"{fault.file}: {fault.what}" for fault in self.faults[:3])
        return f"{size} entries verified" if self.holds else f"{len(self.faults)} faults in {size} entries: {faults}"

    @property
    def first_bad_entry(self) -> int | None:
        return min((fault.entry for fault in self.faults if fault.entry is not None), default=None)


def verify_files(folder: Path, keys: Sequence[VerifierKey] | None = None, *, progress: Progress | None = None) -> Audit:
    """Audit a whole log.

    keys      the log's verifier keys that the caller trusts. Without them the folder's own keys.log is believed,
              which finds damage but no forger who changed that file as well
    returns   what was found; it never raises for what a file holds
    """
    audit = Audit(folder)
    shelf = Shelf(folder)
    trusted = list(keys or ()) or _own_keys(audit, shelf)
    audit.checkpoint = _signed_checkpoint(audit, shelf, trusted)
    witnessed = _witnessed_checkpoint(audit, shelf, trusted)
    if audit.checkpoint:
        tiles = TileAudit(TileFolder(folder), audit.checkpoint)
        found = tiles.run(progress or (lambda _done, _all: None))
        audit.faults += found
        if witnessed and not any(fault.file.startswith("tile/") for fault in found):
            _check_is_beginning(audit, witnessed, audit.checkpoint)
    return audit


def _own_keys(audit: Audit, shelf: Shelf) -> list[VerifierKey]:
    try:
        return shelf.log_keys()
    except Refused as error:
        audit.faults.append(_fault(LOG_KEYS, error))
        return []


def _signed_checkpoint(audit: Audit, shelf: Shelf, trusted: Sequence[VerifierKey]) -> Checkpoint | None:
    try:
        note = shelf.checkpoint()
        if note is None:
            audit.faults.append(Fault(CHECKPOINT, "there is no checkpoint", "没有检查点"))
            return None
        checkpoint = checkpoints.opened(note, trusted)
        _check_all_known(audit, CHECKPOINT, note, trusted)
    except Refused as error:
        audit.faults.append(_fault(CHECKPOINT, error))
        return None
    return checkpoint


def _witnessed_checkpoint(audit: Audit, shelf: Shelf, trusted: Sequence[VerifierKey]) -> Checkpoint | None:
    """The newest cosigned checkpoint, if its signatures hold."""
    file = WITNESS_KEYS
    try:
        witnesses = shelf.witness_keys()
        file = WITNESSED
        note = shelf.witnessed()
        if note is None:
            return None
        witnessed = checkpoints.opened(note, trusted)
        held = _check_all_known(audit, WITNESSED, note, [*trusted, *witnesses])
        audit.witnesses = [key.name for key in held if key.type == notes.COSIGNATURE]
        audit.witnessed_size = witnessed.size
    except Refused as error:
        audit.faults.append(_fault(file, error))
        return None
    return witnessed


def _check_all_known(audit: Audit, file: str, note: Note, keys: Sequence[VerifierKey]) -> list[VerifierKey]:
    held = notes.verified(note, keys)
    if len(held) != len(note.signatures):
        audit.faults.append(Fault(file, "it has a signature of an unknown key", "含有未知密钥的签名"))
    return list(held)


def _check_is_beginning(audit: Audit, witnessed: Checkpoint, newest: Checkpoint) -> None:
    """What was witnessed must be a beginning of the log. Judged only by tiles that were found sound."""
    if newest.size < witnessed.size:
        what = f"{witnessed.size} entries were witnessed, and the newest checkpoint has {newest.size}"
        zh = f"已见证 {witnessed.size} 条，而最新检查点只有 {newest.size} 条"
        audit.faults.append(Fault(CHECKPOINT, what, zh))
    elif Frontier.load(TileFolder(audit.folder), witnessed.size).root != witnessed.root:
        what = f"the first {witnessed.size} entries are not the ones that were witnessed"
        zh = f"前 {witnessed.size} 条与已见证的内容不符"
        audit.faults.append(Fault(WITNESSED, what, zh, 0, witnessed.size))


def _fault(file: str, error: Refused) -> Fault:
    if isinstance(error, NotSigned):
        return Fault(file, "no trusted key has signed it", "没有受信任密钥的签名")
    return Fault(file, error.say("en"), error.say("zh"))
