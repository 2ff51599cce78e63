"""Offline proofs that an entry is in a log (c2sp.org/tlog-proof@v1): `.tlog-proof` files."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from hutong.ledger import checkpoint as checkpoints
from hutong.ledger import note as notes
from hutong.ledger.checkpoint import Checkpoint
from hutong.ledger.note import BadNote, Note, VerifierKey
from hutong.ledger.shelf import Shelf
from hutong.ledger.tiles import TileFolder
from hutong.ledger.tree import HASH_BYTES, ProofRefused, check_inclusion, inclusion_proof, leaf_hash
from hutong.ledger.trust import TrustedTiles
from hutong.vocabulary.errors import Refused

HEADER = "c2sp.org/tlog-proof@v1"
MOST_HASHES = 63


class NotInLog(Refused):
    """The log of {size} entries does not hold {what}."""

    zh = "规模为 {size} 的日志中没有 {what}。"
    code = "not_in_log"
    status = 404
    next_en = "An entry of this moment is logged within seconds: try again. Otherwise compare the digest."
    next_zh = "刚产生的条目会在数秒内登记，请稍后再试；否则请核对摘要。"


class TooFewWitnesses(Refused):
    """The checkpoint has {found} cosignatures of witnesses you trust; {wanted} are asked for."""

    zh = "检查点有 {found} 个受信任见证方的联署，要求 {wanted} 个。"
    code = "too_few_witnesses"
    status = 422
    next_en = "Ask for a proof against a later checkpoint, when more witnesses have signed."
    next_zh = "请待更多见证方联署后，索取针对较新检查点的证明。"


@dataclass(frozen=True)
class Proof:
    """One entry's way up to a signed root."""

    index: int
    hashes: tuple[bytes, ...]  # the leaf's sibling first
    note: Note  # the checkpoint, with its signatures
    extra: bytes = b""  # not authenticated

    def __str__(self) -> str:
        extra = f"extra {_b64(self.extra)}\n" if self.extra else ""
        hashes = "".join(_b64(one) + "\n" for one in self.hashes)
        return f"{HEADER}\n{extra}index {self.index}\n{hashes}\n{self.note}"


@dataclass(frozen=True)
class Proven:
    """What a proof that holds says."""

    index: int
    checkpoint: Checkpoint
    witnesses: dict[str, int]  # name -> when it cosigned, seconds since 1970


def prove(folder: Path, index: int, *, extra: bytes = b"") -> Proof:
    """Prove an entry from the files: against the newest cosigned checkpoint that covers it, else the newest.

    raises   NotInLog, TileRefused when the files do not add up, BadNote
    """
    shelf = Shelf(folder)
    newest = shelf.checkpoint()
    witnessed = shelf.witnessed()
    size = checkpoints.parse(newest.text).size if newest else 0
    if newest is None or not 0 <= index < size:
        raise NotInLog(size=size, what=f"entry {index}", what_zh=f"条目 {index}")
    note = witnessed if witnessed and index < checkpoints.parse(witnessed.text).size else newest
    tiles = TrustedTiles(checkpoints.parse(note.text), TileFolder(folder).read)
    return Proof(index, tuple(inclusion_proof(index, tiles.size, tiles.node)), note, extra)


def parse(text: str) -> Proof:
    """Read a proof. Nothing of it is to be believed before `check`.

    raises   BadNote
    """
    head, _, note = text.partition("\n\n")
    lines = head.split("\n")
    if lines.pop(0) != HEADER:
        raise BadNote(reason=f"it does not begin with {HEADER}", reason_zh=f"开头不是 {HEADER}")
    extra = b""
    if lines and lines[0].startswith("extra "):
        extra = _unb64(lines.pop(0).removeprefix("extra "))
    if not lines or not lines[0].startswith("index "):
        raise BadNote(reason="it has no index", reason_zh="没有序号")
    index = checkpoints.parse_size(lines.pop(0).removeprefix("index "))
    hashes = tuple(_unb64(line) for line in lines)
    if len(hashes) > MOST_HASHES or any(len(one) != HASH_BYTES for one in hashes):
        raise BadNote(reason="its hashes are malformed", reason_zh="其中的哈希值格式有误")
    return Proof(index, hashes, notes.parse(note), extra)


def check(
    proof: Proof,
    entry: bytes,
    log_keys: Sequence[VerifierKey],
    witness_keys: Sequence[VerifierKey] = (),
    *,
    quorum: int = 0,
) -> Proven:
    """Check, offline, that the log promised this entry.

    entry          the leaf's bytes, known from elsewhere
    log_keys       keys of the log the caller trusts; their name is the origin
    witness_keys   witnesses the caller trusts, and `quorum`: how many of them must have cosigned
    raises         NotSigned, SignatureFails, TooFewWitnesses, ProofRefused, BadNote
    """
    checkpoint = checkpoints.opened(proof.note, log_keys)
    held = notes.verified(proof.note, [*log_keys, *witness_keys])
    witnesses = {key.name: line.time for key, line in held.items() if key.type == notes.COSIGNATURE}
    if len(witnesses) < quorum:
        raise TooFewWitnesses(found=len(witnesses), wanted=quorum)
    check_inclusion(leaf_hash(entry), proof.index, checkpoint.size, proof.hashes, checkpoint.root)
    return Proven(proof.index, checkpoint, witnesses)


def _b64(data: bytes) -> str:
    return base64.b64encode(data).decode("ascii")


def _unb64(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError) as error:
        raise BadNote(reason="a line is not base64", reason_zh="有一行不是 base64") from error


__all__ = ["NotInLog", "Proof", "ProofRefused", "Proven", "TooFewWitnesses", "check", "parse", "prove"]
