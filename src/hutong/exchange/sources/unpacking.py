"""The bytes of a source file: decompressed within a limit, and proven unchanged while they were read."""

from __future__ import annotations

import gzip
import hashlib
import io
import lzma
import os
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from hutong.exchange.sources.location import open_plain
from hutong.exchange.sources.spec import SourceChanging, SourceTooLarge, SourceUnreadable

BLOCK_BYTES = 1 << 20
MAX_BYTES = 64 << 30  # decompressed, of one file; owner: the node's operator
XZ_MEMORY_BYTES = 256 << 20  # a dictionary larger than this is an attack, not a file


@dataclass(frozen=True)
class Stamp:
    """What tells that a file is still the one we opened."""

    device: int
    inode: int
    size: int
    modified_ns: int
    changed_ns: int

    @classmethod
    def of(cls, status: os.stat_result) -> Stamp:
        return cls(status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns)


class SourceFile:
    """One source file, read as often as needed; close() says whether it stayed the same.

    Its digest is taken on every pass, so that two passes over different bytes are noticed even where
    the clock of the file system is too coarse to show it.
    """

    def __init__(self, path: Path, *, max_bytes: int = MAX_BYTES, ours: bool = False) -> None:
        """ours   we made and named this file ourselves, so its folder is not in question"""
        self.path = path
        self.max_bytes = max_bytes
        self._file: BinaryIO = path.open("rb", buffering=0) if ours else open_plain(path)
        self._stamp = Stamp.of(os.fstat(self._file.fileno()))
        self.digest = ""  # SHA-256 of the bytes as stored, after the first whole pass

    def blocks(self) -> Iterator[bytes]:
        """The decompressed bytes from the start, in blocks of about a mebibyte.

        raises   SourceTooLarge, SourceUnreadable, SourceChanging
        """
        stored = _Stored(self._file)
        total = 0
        try:
            with _decompressor(stored) as stream:
                while block := stream.read(BLOCK_BYTES):
                    total += len(block)
                    if total > self.max_bytes:
                        raise SourceTooLarge(limit=self.max_bytes)
                    yield block
        except (lzma.LZMAError, gzip.BadGzipFile, zlib.error, EOFError) as error:
            self.check_unchanged()
            raise SourceUnreadable(
                kind=self.path.suffix.lstrip("."), reason="it is damaged or cut off", reason_zh="已损坏或不完整"
            ) from error
        self._compare(stored.digest())

    def pass_over(self) -> None:
        """Read the stored bytes once, for the digest alone: the way of a workbook, which another reader unpacks.

        raises   SourceChanging
        """
        self._compare(_Stored(self._file).digest())

    def check_unchanged(self) -> None:
        """raises   SourceChanging"""
        try:
            named = Stamp.of(self.path.stat())
        except OSError as error:
            raise SourceChanging() from error
        if not self._stamp == Stamp.of(os.fstat(self._file.fileno())) == named:
            raise SourceChanging()

    def check_archive(self) -> None:
        """Inflate every member of a zip archive (a workbook) once, without keeping it, within the limit.

        raises   SourceTooLarge, SourceUnreadable
        """
        left = self.max_bytes
        self._file.seek(0)
        try:
            with zipfile.ZipFile(io.BufferedReader(_Kept(self._file))) as archive:
                for member in archive.infolist():
                    # The size written in the archive may lie, so allow up to our limit and count what comes.
                    member.file_size = left + 1
                    with archive.open(member) as stream:
                        while block := stream.read(BLOCK_BYTES):
                            left -= len(block)
                            if left < 0:
                                raise SourceTooLarge(limit=self.max_bytes)
        except (zipfile.BadZipFile, zlib.error, lzma.LZMAError, EOFError, NotImplementedError, RuntimeError) as error:
            raise SourceUnreadable(
                kind="excel", reason="it is not a workbook, or is damaged", reason_zh="不是工作簿，或已损坏"
            ) from error

    def close(self) -> None:
        self._file.close()

    def __enter__(self) -> SourceFile:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _compare(self, digest: str) -> None:
        if self.digest and digest != self.digest:
            raise SourceChanging()
        self.digest = digest
        self.check_unchanged()


class _Stored(io.RawIOBase):
    """The stored bytes from the start, hashed as they are read; closing it leaves the file open."""

    def __init__(self, file: BinaryIO) -> None:
        file.seek(0)
        self._file = file
        self._hash = hashlib.sha256()

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        block = self._file.read(len(buffer))
        buffer[: len(block)] = block
        self._hash.update(block)
        return len(block)

    def digest(self) -> str:
        while block := self._file.read(BLOCK_BYTES):
            self._hash.update(block)
        return self._hash.hexdigest()


class _Kept(io.RawIOBase):
    """A seekable view of an open file that leaves it open when closed."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        return self._file.seek(offset, whence)

    def tell(self) -> int:
        return self._file.tell()

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        block = self._file.read(len(buffer))
        buffer[: len(block)] = block
        return len(block)


def _decompressor(stored: _Stored) -> BinaryIO:
    buffered = io.BufferedReader(stored, BLOCK_BYTES)
    start = buffered.peek(6)[:6]
    if start == b"\xfd7zXZ\x00":
        return _Xz(buffered)
    if start[:2] == b"\x1f\x8b":
        return gzip.GzipFile(fileobj=buffered)  # type: ignore[return-value]
    if start[:4] == b"PK\x03\x04":
        raise SourceUnreadable(
            kind="csv", reason="it is a zip archive or a workbook", reason_zh="是 zip 压缩包或工作簿"
        )
    return buffered


class _Xz(io.BytesIO):
    """An .xz stream (also several in a row), with a limit on the decoder's memory."""

    def __init__(self, stored: io.BufferedReader[_Stored]) -> None:
        super().__init__()
        self._stored = stored
        self._decoder = lzma.LZMADecompressor(format=lzma.FORMAT_XZ, memlimit=XZ_MEMORY_BYTES)

    def read(self, size: int | None = -1) -> bytes:
        wanted = BLOCK_BYTES if size is None or size < 0 else size
        while True:
            if self._decoder.eof:
                rest = self._decoder.unused_data.lstrip(b"\0") or self._stored.read(BLOCK_BYTES).lstrip(b"\0")
                if not rest:
                    return b""
                self._decoder = lzma.LZMADecompressor(format=lzma.FORMAT_XZ, memlimit=XZ_MEMORY_BYTES)
            elif self._decoder.needs_input:
                rest = self._stored.read(BLOCK_BYTES)
                if not rest:
                    raise EOFError("the .xz stream is cut off")
            else:
                rest = b""
            if block := self._decoder.decompress(rest, wanted):
                return block
