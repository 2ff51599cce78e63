"""The few files beside the tiles: checkpoints and the keys that judge them.

FOLDER/checkpoint             the newest checkpoint, signed by the log
FOLDER/checkpoint.witnessed   the newest checkpoint that witnesses have cosigned, with their lines
FOLDER/keys.log               verifier keys of this log, oldest first, one a line
FOLDER/keys.witnesses         verifier keys of the witnesses whose lines may stand in checkpoint.witnessed
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from hutong.ledger import note as notes
from hutong.ledger.note import BadVerifierKey, Note, VerifierKey
from hutong.ledger.whole import put_whole

CHECKPOINT = "checkpoint"
WITNESSED = "checkpoint.witnessed"
LOG_KEYS = "keys.log"
WITNESS_KEYS = "keys.witnesses"


@dataclass(frozen=True)
class Shelf:
    """The small files of one ledger folder."""

    folder: Path

    def checkpoint_text(self) -> str:
        """The published checkpoint as it lies there; "" before there is one."""
        return self._text(CHECKPOINT)

    def checkpoint(self) -> Note | None:
        """raises   BadNote"""
        text = self._text(CHECKPOINT)
        return notes.parse(text) if text else None

    def witnessed(self) -> Note | None:
        """raises   BadNote"""
        text = self._text(WITNESSED)
        return notes.parse(text) if text else None

    def publish(self, note: str) -> None:
        put_whole(self.folder / CHECKPOINT, note.encode())

    def keep_witnessed(self, note: Note) -> None:
        put_whole(self.folder / WITNESSED, str(note).encode())

    def log_keys(self) -> list[VerifierKey]:
        """raises   BadVerifierKey"""
        return self._keys(LOG_KEYS)

    def witness_keys(self) -> list[VerifierKey]:
        """raises   BadVerifierKey"""
        return self._keys(WITNESS_KEYS)

    def keep_log_key(self, key: VerifierKey) -> None:
        self._keep(LOG_KEYS, key)

    def keep_witness_key(self, key: VerifierKey) -> None:
        self._keep(WITNESS_KEYS, key)

    def _text(self, name: str) -> str:
        try:
            return (self.folder / name).read_text(encoding="utf-8")
        except FileNotFoundError:
            return ""
        except UnicodeDecodeError as error:
            raise notes.BadNote(reason=f"{name} is not UTF-8", reason_zh=f"{name} 不是 UTF-8") from error

    def _keys(self, name: str) -> list[VerifierKey]:
        text = self._text(name)
        try:
            keys = [VerifierKey.parse(line) for line in text.splitlines()]
        except BadVerifierKey as error:
            raise BadVerifierKey(
                reason=f"{name}: {error.parameters['reason']}", reason_zh=f"{name}：{error.parameters['reason_zh']}"
            ) from error
        if text != _lines(keys):
            raise BadVerifierKey(reason=f"{name} is not as this node wrote it", reason_zh=f"{name} 与本节点所写的不同")
        return keys

    def _keep(self, name: str, key: VerifierKey) -> None:
        keys = self._keys(name)
        if key not in keys:
            put_whole(self.folder / name, _lines([*keys, key]).encode())


def _lines(keys: list[VerifierKey]) -> str:
    return "".join(f"{key}\n" for key in keys)
