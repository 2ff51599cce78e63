"""Witnessing (c2sp.org/tlog-witness@v1.0.0): cosigning what other logs promise, and having ours cosigned.

As a witness we remember, for each log, the newest checkpoint we cosigned, and cosign only what extends it. To look
and to remember is one transaction, so that two requests cannot roll the memory back.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Literal

from django.db import transaction

from hutong.ledger import checkpoint as checkpoints
from hutong.ledger import note as notes
from hutong.ledger.checkpoint import Checkpoint
from hutong.ledger.models import ForkEvidence, WitnessedCheckpoint
from hutong.ledger.note import BadNote, Note, NotSigned, Signature, SignatureFails, Signer, VerifierKey
from hutong.ledger.shelf import Shelf
from hutong.ledger.tiles import TileFolder
from hutong.ledger.tree import EMPTY_ROOT, ProofRefused, check_consistency, consistency_proof
from hutong.ledger.trust import TrustedTiles
from hutong.vocabulary.errors import Refused

MOST_PROOF_LINES = 63
LARGEST_REQUEST = 256 * 1024  # bytes: 63 hashes and a note with many signatures
SIZE_TYPE = "text/x.tlog.size"
ASKED_AT_ONCE = 8


@dataclass(frozen=True)
class Answer:
    """What the witness answers: an HTTP status, a body and its type."""

    status: int
    body: bytes
    content_type: str = "text/plain; charset=utf-8"


@dataclass(frozen=True)
class _Submission:
    old_size: int
    proof: list[bytes]
    note: Note
    checkpoint: Checkpoint


# --- As a witness of others ---


def add_checkpoint(
    body: bytes, *, log_keys: Callable[[str], Sequence[VerifierKey]], signer: Signer, time_s: int
) -> Answer:
    """Answer one add-checkpoint request.

    log_keys   the keys we trust for an origin; empty for a log we do not witness
    signer     our key; its name becomes the cosigner's
    time_s     now, in seconds since 1970
    """
    try:
        submission = _read(body)
    except BadNote as error:
        return _refusal(400, error)
    checkpoint = submission.checkpoint
    keys = list(log_keys(checkpoint.origin))
    if not keys:
        return Answer(404, b"this log is not witnessed here\n")
    try:
        checkpoints.opened(submission.note, keys)
    except (NotSigned, SignatureFails) as error:
        return _refusal(403, error)
    if submission.old_size > checkpoint.size:
        return Answer(400, b"the old size is larger than the checkpoint's\n")
    known = {(key.name, key.id) for key in keys}
    own_lines = tuple(one for one in submission.note.signatures if (one.name, one.key_id) in known)
    return _check_and_store(submission, Note(submission.note.text, own_lines), signer, time_s)


def _read(body: bytes) -> _Submission:
    """raises   BadNote"""
    head, _, note_bytes = body.partition(b"\n\n")
    lines = head.split(b"\n")
    if not lines[0].startswith(b"old ") or not note_bytes or len(body) > LARGEST_REQUEST:
        raise BadNote(reason="the request has no old size and checkpoint", reason_zh="请求缺少旧规模和检查点")
    if len(lines) - 1 > MOST_PROOF_LINES:
        raise BadNote(
            reason=f"the proof has more than {MOST_PROOF_LINES} lines", reason_zh=f"证明超过 {MOST_PROOF_LINES} 行"
        )
    old_size = checkpoints.parse_size(lines[0][4:].decode("latin-1"))
    try:
        proof = [base64.b64decode(line, validate=True) for line in lines[1:]]
    except binascii.Error as error:
        raise BadNote(reason="a proof line is not base64", reason_zh="有证明行不是 base64") from error
    note = notes.parse(note_bytes)
    return _Submission(old_size, proof, note, checkpoints.parse(note.text))


def _check_and_store(submission: _Submission, signed: Note, signer: Signer, time_s: int) -> Answer:
    new = submission.checkpoint
    WitnessedCheckpoint.objects.get_or_create(origin=new.origin, defaults={"size": 0, "note": ""})
    with transaction.atomic():
        stored = WitnessedCheckpoint.objects.select_for_update().get(origin=new.origin)
        old = checkpoints.parse(notes.parse(stored.note).text) if stored.note else None
        if old and old.size == new.size and old.root != new.root:
            keep_fork(new.origin, stored.note, str(signed))
            if submission.old_size == old.size:
                return Answer(422, b"another root was signed for this size: both are kept as evidence\n")
        if submission.old_size != stored.size:
            return Answer(409, f"{stored.size}\n".encode(), SIZE_TYPE)
        try:
            _check_growth(submission, old)
        except ProofRefused as error:
            return _refusal(422, error)
        line = notes.cosign(new.text, signer, time_s=time_s)
        stored.size, stored.note = new.size, str(signed.with_signatures([line]))
        stored.save()
    return Answer(200, line.line().encode())


def _check_growth(submission: _Submission, old: Checkpoint | None) -> None:
    new = submission.checkpoint
    if new.size == 0 and new.root != EMPTY_ROOT:
        raise ProofRefused(reason="the empty tree has another root", reason_zh="空树的根不是这个")
    old_root = old.root if old else EMPTY_ROOT
    check_consistency(submission.old_size, new.size, old_root, new.root, submission.proof)


def witnessed_checkpoint(origin_hash: str) -> str | None:
    """The newest checkpoint we cosigned of the log whose origin has this SHA-256 (hex), with our line; or None."""
    for row in WitnessedCheckpoint.objects.exclude(note=""):
        if sha256(row.origin.encode()).hexdigest() == origin_hash:
            return row.note
    return None


def keep_fork(origin: str, first_note: str, second_note: str) -> None:
    """Keep two signed checkpoints of one log that cannot both be true; the same pair is kept once."""
    ForkEvidence.objects.get_or_create(origin=origin, first_note=first_note, second_note=second_note)


def _refusal(status: int, error: Refused) -> Answer:
    return Answer(status, error.say().encode() + b"\n")


# --- As a log that is witnessed ---

# Sends a request body to the witness of that name; raises Refused when it cannot be reached.
Post = Callable[[str, bytes], Answer]


@dataclass(frozen=True)
class Outcome:
    """What asking one witness came to."""

    witness: str
    state: Literal["cosigned", "unreachable", "refused", "ahead"]
    said: str = ""
    line: Signature | None = None

    @property
    def alarming(self) -> bool:
        """The witness remembers another log than ours: a restored backup, or a fork."""
        return self.state == "ahead" or (self.state == "refused" and self.said.startswith("422"))


class Witnesses:
    """The witnesses of one log, asked from its files. Remembers what size each of them knows."""

    def __init__(self, folder: Path, post: Post) -> None:
        self._folder = folder
        self._post = post
        self._known_size: dict[str, int] = {}

    def ask(self, keys: Sequence[VerifierKey]) -> list[Outcome]:
        """Have the published checkpoint cosigned, and keep the lines beside it in checkpoint.witnessed.

        keys      one cosignature key for each witness; its name is what `post` is called with
        returns   an outcome for each that has not cosigned this very checkpoint; [] when there is nothing to ask
        raises    TileRefused, NoTile, BadNote when our own files do not add up
        """
        shelf = Shelf(self._folder)
        note = shelf.checkpoint()
        keys = _not_yet(shelf.witnessed(), note, keys) if note else []
        if note is None or not keys:
            return []
        tiles = TrustedTiles(checkpoints.parse(note.text), TileFolder(self._folder).read)
        with ThreadPoolExecutor(ASKED_AT_ONCE, thread_name_prefix="hutong-witness") as pool:
            outcomes = list(pool.map(lambda key: self._ask_one(note, tiles, key), keys))
        self._keep(shelf, note, keys, outcomes)
        return outcomes

    def _ask_one(self, note: Note, tiles: TrustedTiles, key: VerifierKey) -> Outcome:
        size = self._known_size.get(key.name, 0)
        try:
            answer = self._post(key.name, request(note, tiles, size))
            if answer.status == 409:
                size = checkpoints.parse_size(answer.body.decode("latin-1").strip())
                if size > tiles.size:
                    return Outcome(key.name, "ahead", f"it cosigned {size} entries, and we have {tiles.size}")
                answer = self._post(key.name, request(note, tiles, size))
            if answer.status != 200:
                said = answer.body[:200].decode("utf-8", "replace").strip()
                return Outcome(key.name, "refused", f"{answer.status} {said}")
            line = _cosignature(note, answer.body, key)
        except BadNote as error:
            return Outcome(key.name, "refused", error.say())
        except (NotSigned, SignatureFails) as error:
            return Outcome(key.name, "refused", error.say())
        except Refused as error:
            return Outcome(key.name, "unreachable", error.say())
        self._known_size[key.name] = tiles.size
        return Outcome(key.name, "cosigned", line=line)

    def _keep(self, shelf: Shelf, note: Note, keys: Sequence[VerifierKey], outcomes: Sequence[Outcome]) -> None:
        lines = [one.line for one in outcomes if one.line]
        if not lines:
            return
        for key, outcome in zip(keys, outcomes, strict=True):
            if outcome.line:
                shelf.keep_witness_key(key)
        before = shelf.witnessed()
        same = before is not None and before.text == note.text
        shelf.keep_witnessed((before if same and before else note).with_signatures(lines))


def _not_yet(witnessed: Note | None, note: Note, keys: Sequence[VerifierKey]) -> list[VerifierKey]:
    """Those whose line does not stand under this checkpoint."""
    if witnessed is None or witnessed.text != note.text:
        return list(keys)
    there = {(line.name, line.key_id) for line in witnessed.signatures}
    return [key for key in keys if (key.name, key.id) not in there]


def request(note: Note, tiles: TrustedTiles, old_size: int) -> bytes:
    """An add-checkpoint request for a witness that knows `old_size` entries."""
    proof = consistency_proof(old_size, tiles.size, tiles.node)
    lines = "".join(base64.b64encode(one).decode("ascii") + "\n" for one in proof)
    return f"old {old_size}\n{lines}\n{note}".encode()


def _cosignature(note: Note, body: bytes, key: VerifierKey) -> Signature:
    """The witness's own line in its answer, verified. raises BadNote, NotSigned, SignatureFails"""
    try:
        lines = [notes.parse_signature(line) for line in body.decode("utf-8").splitlines()]
    except UnicodeDecodeError as error:
        raise BadNote(reason="the witness's answer is not UTF-8", reason_zh="见证方的答复不是 UTF-8") from error
    return notes.verified(Note(note.text, tuple(lines)), [key])[key]
