"""Where editions lie: editions/<agreement>/<terms>/<version>/, each folder whole or absent, all within one bound.

Editions can be deleted at any time; they are made again from their source. Nothing here is served by being here: every
piece of every read is checked against its agreement.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa

from hutong.exchange import formats
from hutong.exchange.editions.edition import DATA, MANIFEST, Edition
from hutong.exchange.shaping.converting import Withheld
from hutong.ledger.whole import PRIVATE, fsync, put_whole
from hutong.node.settings import Settings
from hutong.vocabulary.errors import Refused
from hutong.vocabulary.ids import new_id, urn, uuid_of

VERSIONS_KEPT = 8  # of one edition, so that changes between them can be read
LOOK_EVERY_BYTES = 64 << 20  # written between two looks at the bound
PART = ".part"


class EditionTooLarge(Refused):
    """The answer is larger than this node may keep in files."""

    zh = "结果超过本节点可保存文件的上限。"
    code = "edition_too_large"
    status = 413
    next_en = "Read it as a stream, which keeps nothing; or ask for fewer rows or items."
    next_zh = "请以流方式读取（不保存文件），或减少行数、信息项。"


@dataclass(frozen=True)
class Rows:
    """What an edition is made of.

    further    adds canaries
    withheld   complete when the reader has ended
    seal       closes the values that stayed behind
    """

    reader: pa.RecordBatchReader
    further: Callable[[Iterator[pa.RecordBatch]], Iterator[pa.RecordBatch]] | None = None
    withheld: Withheld | None = None
    seal: Callable[[Withheld], str] = lambda _withheld: ""


class Shelf:
    """One per process; the folder is shared by all of a machine's. `most_bytes` bounds what lies in it."""

    def __init__(self, folder: Path, most_bytes: int) -> None:
        self.folder = folder
        self.most_bytes = most_bytes

    def get(self, agreement: str, terms: str, version: int) -> Edition | None:
        """The edition, marked as used just now; None where it is not kept."""
        edition = Edition.of(self._of(agreement, terms) / str(version))
        if edition is not None:
            with suppress(FileNotFoundError):
                os.utime(edition.folder / MANIFEST)
        return edition

    def versions(self, agreement: str, terms: str) -> list[int]:
        """Those that are kept, oldest first."""
        folder = self._of(agreement, terms)
        if not folder.is_dir():
            return []
        return sorted(int(one.name) for one in folder.iterdir() if one.name.isdigit())

    @contextmanager
    def one_at_a_time(self, agreement: str, terms: str) -> Iterator[None]:
        """Of all processes of this machine, one makes editions of these terms."""
        folder = self._of(agreement, terms)
        for one in (self.folder, folder.parent, folder):  # by one: a parent made on the way would be open to all
            one.mkdir(mode=0o700, exist_ok=True)
        descriptor = os.open(folder / "lock", os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            _clear(folder)
            yield
        finally:
            os.close(descriptor)

    def write(self, agreement: str, terms: str, form: str, rows: Rows) -> Edition:
        """A further edition, still without its place; keep() gives it one, drop() forgets it. Under one_at_a_time.

        raises   EditionTooLarge, and what the reader raises; then nothing is left
        """
        draft = self._of(agreement, terms) / f"{new_id()}{PART}"
        draft.mkdir(mode=0o700)
        try:
            return self._written(draft, agreement, terms, form, rows)
        except BaseException:
            shutil.rmtree(draft, ignore_errors=True)
            raise
        finally:
            rows.reader.close()

    def keep(self, draft: Edition, version: int, *, first: bool = False) -> Edition:
        """Put a written edition in its place: all at once, and durable before it can be seen."""
        place = draft.folder.parent / str(version)
        edition = replace(draft, folder=place, version=version, first=first)
        put_whole(draft.folder / MANIFEST, edition.manifest(), mode=PRIVATE)
        _forget(place)  # of a version that was lost from the database
        draft.folder.rename(place)
        fsync(place.parent)
        for old in self.versions(draft.agreement, draft.terms)[:-VERSIONS_KEPT]:
            _forget(place.parent / str(old))
        return edition

    def drop(self, draft: Edition) -> None:
        shutil.rmtree(draft.folder, ignore_errors=True)

    def remove(self, agreement: str) -> None:
        """Everything of an agreement, because it has ended."""
        for one in self._folders(_name(agreement)):
            _forget(one)
        shutil.rmtree(self.folder / _name(agreement), ignore_errors=True)

    def agreements(self) -> list[str]:
        """Those that something is kept of."""
        if not self.folder.is_dir():
            return []
        return [urn(one.name) for one in self.folder.iterdir() if one.is_dir()]

    def clear(self) -> None:
        """Remove what processes that were killed left of drafts and of editions they were removing."""
        for lock in self.folder.glob("*/*/lock"):
            with suppress(FileNotFoundError):
                descriptor = os.open(lock, os.O_RDWR)
                try:
                    fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    _clear(lock.parent)
                except BlockingIOError:
                    continue  # somebody is making editions of these terms
                finally:
                    os.close(descriptor)

    def size(self) -> int:
        """Bytes of all that is kept."""
        return sum(_size(one) for one in self._folders())

    def make_room(self, wanted: int, but: Path) -> None:
        """Forget what was used longest ago until `wanted` bytes more fit; never `but`.

        raises   EditionTooLarge where nothing is left to forget
        """
        if self.size() + wanted > self.most_bytes:
            self.clear()
        kept = {one: _size(one) for one in self._folders()}
        size = sum(kept.values())
        for one in sorted(kept, key=_used_at):
            if size + wanted <= self.most_bytes:
                return
            if one != but and not one.name.endswith(PART):
                _forget(one)
                size -= kept[one]
        if size + wanted > self.most_bytes:
            raise EditionTooLarge()

    def _written(self, draft: Path, agreement: str, terms: str, form: str, rows: Rows) -> Edition:
        counted = _Counted(rows)
        hashed, size, looked_at = hashlib.sha256(), 0, -LOOK_EVERY_BYTES
        descriptor = os.open(draft / DATA, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        reader: Any = counted
        with os.fdopen(descriptor, "wb") as file:
            for chunk in formats.encode(reader, form):
                if size - looked_at >= LOOK_EVERY_BYTES:
                    file.flush()
                    self.make_room(LOOK_EVERY_BYTES if size else len(chunk), draft)
                    looked_at = size
                file.write(chunk)
                hashed.update(chunk)
                size += len(chunk)
            file.flush()
            os.fsync(file.fileno())
        self.make_room(0, draft)
        withheld = rows.withheld
        return Edition(
            folder=draft,
            agreement=agreement,
            terms=terms,
            version=-1,
            form=form,
            made_at=datetime.now(UTC).replace(microsecond=0),
            rows=counted.rows,
            agreed=counted.agreed,
            bytes=size,
            digest="sha256:" + hashed.hexdigest(),
            schema=counted.schema,
            withheld=dict(withheld.rows) if withheld is not None else {},
            sealed=rows.seal(withheld) if withheld is not None and withheld.rows else "",
        )

    def _of(self, agreement: str, terms: str) -> Path:
        return self.folder / _name(agreement) / terms

    def _folders(self, agreement: str = "*") -> Iterable[Path]:
        return (one for one in self.folder.glob(f"{agreement}/*/*") if one.is_dir())


def shelf_of(settings: Settings) -> Shelf:
    return Shelf(settings.editions_folder, int(settings.editions_gib) << 30)


class _Counted:
    """What the formats need of a reader, and how many rows it gave; `agreed` are those without canaries."""

    def __init__(self, rows: Rows) -> None:
        self.schema = rows.reader.schema
        self.rows = 0
        self.agreed = 0
        self._rows = rows

    def __iter__(self) -> Iterator[pa.RecordBatch]:
        batches = self._counted()
        for batch in batches if self._rows.further is None else self._rows.further(batches):
            self.rows += batch.num_rows
            yield batch

    def _counted(self) -> Iterator[pa.RecordBatch]:
        for batch in self._rows.reader:
            self.agreed += batch.num_rows
            yield batch


def _name(agreement: str) -> str:
    return uuid_of(agreement)


def _forget(edition: Path) -> None:
    """Remove an edition: it is none from the first moment, so a kill on the way leaves no manifest without rows."""
    left = edition.parent / f"{new_id()}{PART}"
    with suppress(FileNotFoundError):
        edition.rename(left)
        shutil.rmtree(left, ignore_errors=True)


def _clear(folder: Path) -> None:
    """What killed processes left in the folder of these terms; the caller holds its lock."""
    for left in folder.glob("*" + PART):
        shutil.rmtree(left, ignore_errors=True)


def _size(folder: Path) -> int:
    with suppress(FileNotFoundError):
        return (folder / DATA).stat().st_size
    return 0


def _used_at(folder: Path) -> float:
    with suppress(FileNotFoundError):
        return (folder / MANIFEST).stat().st_mtime
    return 0.0
