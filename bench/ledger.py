"""The ledger: durable entries a second, and the audit of a million entries.

Durable means what a node means by it: committed in the node's own SQLite with synchronous=FULL in batches, then
sequenced into fsynced tiles under a signed checkpoint, the rows let go. All of that work is in the figure.
"""

from __future__ import annotations

import os
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from bench.figure import Figure
from hutong.ledger.frontier import Frontier
from hutong.ledger.receipt import Receipt
from hutong.ledger.tiles import TileFolder

ORIGIN = "hutong/320000"
BATCH = 1_000  # entries a transaction
ROUND = 10_000  # entries a round of the sequencer
WRITTEN = 200_000
AUDITED = 1_000_000
DISK = Path("/var/tmp")  # not /tmp, which may be memory, where an fsync costs nothing
RECEIPT = Receipt(
    role="provider",
    exchange="01938f6e-2b1c-7000-8000-000000000000",
    at="2026-09-21T14:13:21.004Z",
    agreement="urn:uuid:01938f6e-2b1c-7000-8000-0000000000a1",
    provider="320000",
    consumer="340000",
    purpose="medical_settlement",
    case="hmac-sha256:" + "6e340b9c" * 8,
    request="sha256:" + "6e340b9c" * 8,
    response="sha256:" + "4bf5122f" * 8,
    rows=1,
    bytes=29,
    outcome="served",
).to_entry()


@dataclass(frozen=True)
class _Key:
    private: Ed25519PrivateKey
    keyid: str = ORIGIN

    @property
    def public(self) -> bytes:
        return self.private.public_key().public_bytes_raw()

    def sign(self, message: bytes, /) -> bytes:
        return self.private.sign(message)


def entries(first: int, count: int) -> list[bytes]:
    """Real receipts, each of an exchange of its own."""
    return [RECEIPT.replace(b"000000000000", b"%012d" % number, 1) for number in range(first, first + count)]


@contextmanager
def workspace() -> Iterator[Path]:
    folder = Path(tempfile.mkdtemp(prefix="hutong-bench-", dir=DISK if os.access(DISK, os.W_OK) else None))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def raw_appends_per_s(folder: Path) -> float:
    """The limit: the same bytes appended to one file, with an fsync after each batch."""
    batches = [b"".join(entries(first, BATCH)) for first in range(0, WRITTEN, BATCH)]
    with (folder / "raw").open("wb", buffering=0) as file:
        began = time.perf_counter()
        for batch in batches:
            file.write(batch)
            os.fsync(file.fileno())
        return WRITTEN / (time.perf_counter() - began)


def durable_entries_per_s(folder: Path) -> float:
    """Committed in batches, sequenced, fsynced, signed, pruned."""
    (folder / "hutong.toml").write_text('jurisdiction = "320000"\n', encoding="utf-8")
    from hutong.node.settings import setup

    setup(folder)
    from django.db import connection, transaction

    from hutong.ledger import sequencer
    from hutong.ledger.models import LedgerEntry
    from hutong.ledger.record import enter

    with connection.schema_editor() as editor:
        editor.create_model(LedgerEntry)
    key = _Key(Ed25519PrivateKey.generate())
    batches = [[("exchange", one) for one in entries(first, BATCH)] for first in range(0, WRITTEN, BATCH)]
    began = time.perf_counter()
    for number, batch in enumerate(batches, start=1):
        with transaction.atomic():
            enter(batch)
        if number * BATCH % ROUND == 0:
            sequencer.sequence_once(folder / "ledger", key, ORIGIN)
    size = sequencer.sequence_once(folder / "ledger", key, ORIGIN)
    sequencer.sync(folder / "ledger")
    took_s = time.perf_counter() - began
    connection.close()
    if size != WRITTEN:
        raise RuntimeError(f"{size} of {WRITTEN} entries are in the log")
    return WRITTEN / took_s


def make_log(folder: Path) -> None:
    """A log of a million receipts on disk, signed."""
    from hutong.ledger import checkpoint as checkpoints
    from hutong.ledger.checkpoint import Checkpoint
    from hutong.ledger.note import ED25519, VerifierKey
    from hutong.ledger.shelf import Shelf

    frontier = Frontier(TileFolder(folder))
    for first in range(0, AUDITED, 50_000):
        frontier.append(entries(first, 50_000))
    key = _Key(Ed25519PrivateKey.generate())
    Shelf(folder).keep_log_key(VerifierKey(ORIGIN, ED25519, key.public))
    Shelf(folder).publish(str(checkpoints.sign(Checkpoint(ORIGIN, AUDITED, frontier.root), key)))


def audit_s(folder: Path) -> float:
    from hutong.ledger.verify import verify_files

    began = time.perf_counter()
    audit = verify_files(folder)
    took_s = time.perf_counter() - began
    if not audit.holds or audit.checkpoint is None or audit.checkpoint.size != AUDITED:
        raise RuntimeError(f"the audit failed: {audit}")
    return took_s


def bare_hashing_s() -> float:
    """The limit: hashlib over the same leaves and as many inner nodes, with nothing read, split or compared."""
    leaf, node = b"\x00" + RECEIPT, bytes(65)
    began = time.perf_counter()
    for _ in range(AUDITED):
        sha256(leaf).digest()
    for _ in range(AUDITED):
        sha256(node).digest()
    return time.perf_counter() - began


def figures() -> Iterator[Figure]:
    with workspace() as folder:
        limit = raw_appends_per_s(folder)
        value = durable_entries_per_s(folder)
        yield Figure(
            "ledger: durable entries", value, "/s", 50_000, limit, "the same bytes appended to one file and fsynced"
        )
    with workspace() as folder:
        make_log(folder)
        value = audit_s(folder)
        yield Figure(
            "ledger: full audit of 1,000,000 entries",
            value,
            "s",
            10,
            bare_hashing_s(),
            "bare hashlib over the same leaves and nodes",
            better="less",
        )


def main() -> None:
    for figure in figures():
        print(figure.line())


if __name__ == "__main__":
    main()
