"""Checkpoints (c2sp.org/tlog-checkpoint@v1.0.0): a log's signed statement of its size and root."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Sequence
from dataclasses import dataclass

from hutong.ledger import note as notes
from hutong.ledger.note import BadNote, Note, NotSigned, Signer, VerifierKey
from hutong.ledger.tree import HASH_BYTES, RootHash

LARGEST_SIZE = 2**63 - 1
MEDIA_TYPE = "text/plain; charset=utf-8"


@dataclass(frozen=True)
class Checkpoint:
    """A tree's size and root under the log's origin."""

    origin: str
    size: int
    root: RootHash
    extensions: tuple[str, ...] = ()  # opaque lines; we write none

    @property
    def text(self) -> str:
        root = base64.b64encode(self.root).decode("ascii")
        return "".join(line + "\n" for line in (self.origin, str(self.size), root, *self.extensions))


def parse(text: str) -> Checkpoint:
    """The checkpoint in a note's text. Says nothing of who signed it.

    raises   BadNote
    """
    lines = text.split("\n")
    if len(lines) < 4 or lines.pop() != "" or not all(lines):
        raise BadNote(
            reason="a checkpoint has three lines: origin, size, root", reason_zh="检查点应有三行：来源、规模、根"
        )
    origin, size, root, *extensions = lines
    return Checkpoint(origin, parse_size(size), _root(root), tuple(extensions))


def parse_size(text: str) -> int:
    """A tree size: ASCII decimal, no leading zero.

    raises   BadNote
    """
    if not (text.isascii() and text.isdigit()) or (text[0] == "0" and text != "0") or len(text) > 19:
        raise BadNote(reason="the tree size is not a decimal number", reason_zh="树的规模不是十进制数")
    if (size := int(text)) > LARGEST_SIZE:
        raise BadNote(reason="the tree size is too large", reason_zh="树的规模过大")
    return size


def sign(checkpoint: Checkpoint, signer: Signer) -> Note:
    return notes.sign(checkpoint.text, signer)


def opened(note: Note, keys: Sequence[VerifierKey]) -> Checkpoint:
    """The checkpoint of a note that its log has signed: by one of `keys`, whose name is the origin.

    raises   BadNote, NotSigned, SignatureFails
    """
    checkpoint = parse(note.text)
    of_log = [key for key in keys if key.type == notes.ED25519 and key.name == checkpoint.origin]
    if not of_log:
        raise NotSigned
    notes.verified(note, of_log)
    return checkpoint


def _root(text: str) -> RootHash:
    try:
        root = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError) as error:
        raise BadNote(reason="the root is not base64", reason_zh="根不是 base64") from error
    if len(root) != HASH_BYTES or base64.b64encode(root).decode("ascii") != text:
        raise BadNote(reason="the root is not 32 bytes", reason_zh="根不是 32 字节")
    return RootHash(root)
