"""Sequencing: the log's files follow the database.

The argument, in order:

 1. A row's `leaf_index` is the only authority on where an entry stands. It is committed before any file is
    touched, by one sequencer at a time, without gaps, and never changed.
 2. Tiles are a function of the rows in that order, so writing them twice writes the same bytes.
 3. A checkpoint is signed only over tiles that were just written, and only when the tree it extends has the
    root that the checkpoint before it has. It is on disk before the next step.
 4. Tiles are made durable lazily, behind the next rounds. Rows are deleted only when their tiles and the checkpoint
    are durable, and the last durable row stays: it ties the database to the files.
 5. Whoever finds a ledger without knowing how it was left starts at the first row still in the database:
    everything before it is durable, everything from it on is written again.

So a crash between any two lines costs a repetition. What no crash can cause (a database or a folder put back
to an older state, a changed file) is refused, and nothing is signed.
"""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from django.db import DEFAULT_DB_ALIAS, connections, transaction

from hutong.ledger import checkpoint as checkpoints
from hutong.ledger.checkpoint import Checkpoint
from hutong.ledger.durable import Durably
from hutong.ledger.frontier import Frontier
from hutong.ledger.note import ED25519, Signer, VerifierKey
from hutong.ledger.shelf import Shelf
from hutong.ledger.tiles import WIDTH, BadBundle, NoTile, TileFolder, tile_at
from hutong.ledger.tree import HASH_BYTES, RootHash, leaf_hash
from hutong.vocabulary.errors import Refused

ROUND_ENTRIES = 10_000  # between two checkpoints at most
LET_GO_ENTRIES = 1_000  # rows deleted in one transaction: some milliseconds
SYNC_ENTRIES = 8_192  # tiles become durable after so many entries ...
SYNC_SECONDS = 2.0  # ... or so long after the last time; until then the rows stay in the database
ADVISORY_LOCK = 0x4855544F4E47  # "HUTONG": the one PostgreSQL advisory lock of sequencing


class LogDamaged(Refused):
    """The ledger's files do not fit what was signed: {reason}."""

    zh = "账本文件与已签名内容不符：{reason}。"
    code = "log_damaged"
    status = 500
    changed_en = "Nothing was signed."
    changed_zh = "没有签署任何内容。"
    next_en = "Run hutong ledger verify to find the file, and restore it from a backup or from a node that mirrors it."
    next_zh = "请运行 hutong ledger verify 找出该文件，并从备份或镜像节点恢复。"


class DatabaseBehindLog(Refused):
    """The database is older than the log: it knows {known} entries, and {signed} are signed."""

    zh = "数据库早于日志：数据库有 {known} 条，已签名 {signed} 条。"
    code = "database_behind_log"
    status = 500
    changed_en = "Nothing was signed."
    changed_zh = "没有签署任何内容。"
    next_en = "Restore the newer database. To go on without it would put two entries under one number."
    next_zh = "请恢复较新的数据库；否则同一序号下会出现两个条目。"


@dataclass(frozen=True)
class Pace:
    """How much of the process and its database a round takes at once.

    slice_entries   entries read, hashed and written, or let go, in one go; bounds memory
    rest            how long it rests after each slice, as a multiple of the time the slice took
    """

    slice_entries: int = ROUND_ENTRIES
    rest: float = 0.0

    @contextmanager
    def slice(self) -> Iterator[None]:
        began = time.perf_counter()
        yield
        if self.rest:
            time.sleep((time.perf_counter() - began) * self.rest)


AT_ONCE = Pace()


@dataclass
class _OpenLog:
    """What this process knows of a ledger it has written to."""

    frontier: Frontier
    published: str  # the text of FOLDER/checkpoint
    synced_size: int
    synced_at: float = field(default_factory=time.monotonic)
    syncing: Durably | None = None


_open_logs: dict[tuple[Path, str], _OpenLog] = {}


def sequence_once(
    folder: Path,
    signer: Signer,
    origin: str,
    *,
    limit: int = ROUND_ENTRIES,
    pace: Pace = AT_ONCE,
    using: str = DEFAULT_DB_ALIAS,
) -> int:
    """One round: give waiting entries their places, write their tiles, publish the checkpoint.

    folder    the ledger's folder; made if it is not there
    limit     how many waiting entries to take at most; MUST be called again while entries wait
    returns   the size of the published tree
    raises    LogDamaged, DatabaseBehindLog; nothing is signed then. MUST be called outside a transaction.
    """
    if signer.keyid != origin:
        raise ValueError("a log's key carries the log's origin as its name")
    shelf = Shelf(folder)
    with _alone(folder):
        log = _taken_up(shelf, signer, origin, using)
        try:
            _assign(limit, using)
            _project(log, limit, pace, using)
            _publish(log, shelf, signer, origin)
            _let_go(log, pace, using)
            _begin_sync(log)
        except BaseException:
            _abandon(log)
            raise
        _open_logs[folder.resolve(), using] = log  # only a round without error leaves something to rely on
        return log.frontier.size


def sync(folder: Path, *, using: str = DEFAULT_DB_ALIAS) -> None:
    """Make all that this process sequenced durable now, and let go of the rows. For an orderly stop."""
    with _alone(folder):
        key = (folder.resolve(), using)
        if (log := _open_logs.pop(key, None)) and Shelf(folder).checkpoint_text() == log.published:
            for _ in range(2):  # what is on its way, then the rest
                if log.syncing:
                    log.syncing.wait()
                _let_go(log, AT_ONCE, using)
                _begin_sync(log, at_once=True)
            _open_logs[key] = log


def _taken_up(shelf: Shelf, signer: Signer, origin: str, using: str) -> _OpenLog:
    """The log as this process left it, or as it is found."""
    log = _open_logs.pop((shelf.folder.resolve(), using), None)
    if log and shelf.checkpoint_text() == log.published:
        return log
    _abandon(log)
    return _found(shelf, signer, origin, using)


def _abandon(log: _OpenLog | None) -> None:
    if log and log.syncing:
        log.syncing.abandon()


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """One sequencer at a time on this machine, threads included; the lock ends with its process."""
    folder.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(folder / "sequencer.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def _assign(limit: int, using: str) -> None:
    """Step 1: give places to waiting rows, in the order of their ids."""
    if not _are_waiting(using):
        return
    with transaction.atomic(using=using, durable=True), connections[using].cursor() as cursor:
        if connections[using].vendor == "postgresql":
            # Also against a sequencer on another machine with the same database.
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [ADVISORY_LOCK])
        cursor.execute(
            "UPDATE ledger_entry SET leaf_index = place.next FROM ("
            " SELECT id, (SELECT COALESCE(MAX(leaf_index), -1) FROM ledger_entry) + ROW_NUMBER() OVER (ORDER BY id)"
            " AS next FROM (SELECT id FROM ledger_entry WHERE leaf_index IS NULL ORDER BY id LIMIT %s) AS waiting"
            ") AS place WHERE ledger_entry.id = place.id",
            [limit],
        )


def _are_waiting(using: str) -> bool:
    with connections[using].cursor() as cursor:
        cursor.execute("SELECT 1 FROM ledger_entry WHERE leaf_index IS NULL LIMIT 1")
        return cursor.fetchone() is not None


def _project(log: _OpenLog, limit: int, pace: Pace, using: str) -> None:
    """Step 2: write the tiles of rows that have their place. Slices end with a full tile, the last where it must."""
    until = log.frontier.size + limit
    while room := until - log.frontier.size:
        with pace.slice():
            entries = _placed(log.frontier.size, min(room, _up_to_a_full_tile(log.frontier.size, pace)), using)
            log.frontier.append(entries)
        if not entries:
            return


def _up_to_a_full_tile(size: int, pace: Pace) -> int:
    return max(pace.slice_entries // WIDTH * WIDTH, WIDTH) - size % WIDTH


def _publish(log: _OpenLog, shelf: Shelf, signer: Signer, origin: str) -> None:
    """Step 3: sign the tree as it is on disk now, unless that is what was signed last."""
    checkpoint = Checkpoint(origin, log.frontier.size, log.frontier.root)
    if log.published.startswith(checkpoint.text):
        return
    log.published = str(checkpoints.sign(checkpoint, signer))
    shelf.publish(log.published)


def _placed(first: int, most: int, using: str) -> list[bytes]:
    """The entries at `first` and after.

    raises   LogDamaged when one is missing between them
    """
    with connections[using].cursor() as cursor:
        cursor.execute(
            "SELECT leaf_index, entry FROM ledger_entry WHERE leaf_index >= %s ORDER BY leaf_index LIMIT %s",
            [first, most],
        )
        rows = cursor.fetchall()
    # In order and without doubles by the query and the unique index: the ends tell of every gap between them.
    if rows and (rows[0][0], rows[-1][0]) != (first, first + len(rows) - 1):
        missing = next(place for place, (index, _) in enumerate(rows, start=first) if index != place)
        raise LogDamaged(
            reason=f"the database lacks entry {missing}, which no file holds",
            reason_zh=f"数据库缺少条目 {missing}，文件中也没有",
        )
    return [bytes(entry) for _, entry in rows]


def _begin_sync(log: _OpenLog, *, at_once: bool = False) -> None:
    """Step 4, first half: send what was written to the disk, one batch at a time."""
    waiting = log.frontier.size - log.synced_size
    due = at_once or waiting >= SYNC_ENTRIES or time.monotonic() - log.synced_at >= SYNC_SECONDS
    if log.syncing is None and waiting and due:
        log.syncing = Durably(log.frontier.files.folder, log.frontier.files.take_unsynced(), log.frontier.size)


def _let_go(log: _OpenLog, pace: Pace, using: str) -> None:
    """Step 4, second half: delete the rows of a batch that is durable. The checkpoint was when it was published.

    raises   OSError when the disk failed; the rows stay, and the next round writes the tiles again
    """
    if log.syncing is None or not log.syncing.is_done:
        return
    log.synced_size, log.synced_at, log.syncing = log.syncing.size, time.monotonic(), None
    first, _ = _kept_rows(using)
    # From the first on and in slices: whoever writes entries waits for a slice and not for all, and what is left after
    # a crash in between begins where its durable tiles end, as step 5 needs.
    for after in range(first, log.synced_size - 1, LET_GO_ENTRIES):
        until = min(after + LET_GO_ENTRIES, log.synced_size - 1)
        with pace.slice(), transaction.atomic(using=using, durable=True), connections[using].cursor() as cursor:
            cursor.execute("DELETE FROM ledger_entry WHERE leaf_index < %s", [until])


def _found(shelf: Shelf, signer: Signer, origin: str, using: str) -> _OpenLog:
    """Step 5: a ledger whose last writer is not known. Leaves the frontier at the size last published."""
    shelf.keep_log_key(VerifierKey(signer.keyid, ED25519, signer.public))
    note = shelf.checkpoint()
    published = checkpoints.opened(note, shelf.log_keys()) if note else Checkpoint(origin, 0, RootHash(b""))
    if published.origin != origin:
        raise LogDamaged(
            reason=f"this folder holds the log {published.origin}", reason_zh=f"此文件夹存放的是日志 {published.origin}"
        )
    first, after = _kept_rows(using)
    if after < published.size:
        raise DatabaseBehindLog(known=after, signed=published.size)
    if first > 0 and published.size <= first:
        raise LogDamaged(
            reason=f"{first + 1} entries were signed, and the checkpoint says {published.size}",
            reason_zh=f"已签名 {first + 1} 条，检查点为 {published.size} 条",
        )
    frontier = _durable_frontier(TileFolder(shelf.folder), first, using)
    log = _OpenLog(frontier, published=str(note or ""), synced_size=frontier.size)
    _replay(frontier, published, using)
    return log


def _kept_rows(using: str) -> tuple[int, int]:
    """The first place still in the database, and the place after the last; 0 and 0 when it has none."""
    with connections[using].cursor() as cursor:
        cursor.execute("SELECT MIN(leaf_index), MAX(leaf_index) FROM ledger_entry")
        first, last = cursor.fetchone()
    return (first, last + 1) if first is not None else (0, 0)


def _durable_frontier(files: TileFolder, first: int, using: str) -> Frontier:
    """The frontier up to and with the first row kept, whose tiles are durable; empty when it is the log's first."""
    if first == 0:
        return Frontier(files)
    size = first + 1
    try:
        frontier = Frontier.load(files, size)
        tile = tile_at(0, first // 256, size)
        kept = files.read(tile)[-HASH_BYTES:]
    except (NoTile, BadBundle) as error:
        raise LogDamaged(reason=error.say(), reason_zh=error.say("zh")) from error
    entries: Sequence[bytes] = _placed(first, 1, using)
    if not entries or leaf_hash(entries[0]) != kept:
        raise LogDamaged(
            reason=f"entry {first} in the database is another than in file tile/{tile.name}",
            reason_zh=f"数据库中的条目 {first} 与文件 tile/{tile.name} 中的不同",
        )
    return frontier


def _replay(frontier: Frontier, published: Checkpoint, using: str) -> None:
    """Write again what was published, and see that it has the root that was signed.

    raises   LogDamaged
    """
    while missing := published.size - frontier.size:
        entries = _placed(frontier.size, min(missing, ROUND_ENTRIES), using)
        if not entries:
            raise LogDamaged(
                reason=f"entry {frontier.size} is neither in the database nor in a file",
                reason_zh=f"条目 {frontier.size} 既不在数据库中，也不在文件中",
            )
        frontier.append(entries)
    if published.size and frontier.root != published.root:
        raise LogDamaged(
            reason=f"the {published.size} entries do not add up to the signed root",
            reason_zh=f"{published.size} 个条目算出的根与已签名的根不符",
        )
