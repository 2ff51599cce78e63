"""Folders of files, on this machine or on S3-compatible storage: what lies in them now, and how it is opened.

A link inside a folder is not followed, and refused. What begins with a point or an underscore is passed over: that is
how a writer keeps a file out of sight until it is whole. Folders named `key=value` are columns (hive partitions).
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import pyarrow.fs

from hutong.exchange.sources.location import check_address, check_folder
from hutong.exchange.sources.spec import NotAPlainFile, SourceFailed, SourceMissing, SourceSpec, SourceUnreadable

SUFFIXES = {"parquet_folder": (".parquet", ".parq"), "csv_folder": (".csv", ".csv.gz", ".csv.xz", ".txt")}
MOST_FILES = 20_000
CONNECT_S, REQUEST_S = 10, 60
NO_VALUE = "__HIVE_DEFAULT_PARTITION__"


@dataclass(frozen=True)
class Found:
    """One file as it lies there now; equal as long as it was not written again."""

    path: str
    size: int
    modified_ns: int
    parts: tuple[tuple[str, str | None], ...]  # its partitions, from the outermost


class Place:
    """A folder that is listed anew at every read."""

    def __init__(self, spec: SourceSpec) -> None:
        """raises   SourceOutside, AddressOutside, SourceMissing, SourceUnreadable"""
        self._suffixes = SUFFIXES[spec.kind]
        self.local = not spec.location.startswith("s3://")
        if self.local:
            self.root = str(check_folder(Path(spec.location)))
            self.files: Any = pyarrow.fs.LocalFileSystem()
        else:
            self.root = spec.location.removeprefix("s3://").strip("/")
            self.files = storage(spec)

    def found(self) -> list[Found]:
        """In the order of their names. raises   SourceMissing, SourceUnreadable, NotAPlainFile, SourceFailed"""
        try:
            infos = self.files.get_file_info(pyarrow.fs.FileSelector(self.root, recursive=True))
        except FileNotFoundError:
            raise SourceMissing() from None
        except (OSError, ValueError):
            raise SourceFailed() from None
        kept = [found for info in infos if (found := self._found(info)) is not None]
        if len(kept) > MOST_FILES:
            raise SourceUnreadable(
                kind="folder", reason=f"it holds more than {MOST_FILES} files", reason_zh=f"文件超过 {MOST_FILES} 个"
            )
        if not kept:
            raise SourceUnreadable(kind="folder", reason="it holds no such file", reason_zh="其中没有此类文件")
        return sorted(kept, key=lambda one: one.path)

    def mark(self) -> str:
        """Another text after every change of the files in it."""
        said = "\n".join(f"{one.path} {one.size} {one.modified_ns}" for one in self.found())
        return hashlib.sha256(said.encode()).hexdigest()[:40]

    def check_same(self, read: list[Found]) -> None:
        """raises   SourceFailed where a file that was read is no longer what it was"""
        try:
            infos: list[Any] = self.files.get_file_info([one.path for one in read])
        except (OSError, ValueError):
            raise SourceFailed() from None
        if [(one.size, one.mtime_ns) for one in infos] != [(one.size, one.modified_ns) for one in read]:
            raise SourceFailed()

    def _found(self, info: Any) -> Found | None:
        if info.type != pyarrow.fs.FileType.File or not info.path.lower().endswith(self._suffixes):
            return None
        steps = info.path.removeprefix(self.root).strip("/").split("/")
        if any(step.startswith((".", "_")) for step in steps):
            return None
        if self.local and Path(info.path).resolve() != Path(info.path):
            raise NotAPlainFile()
        pairs = [step.partition("=") for step in steps[:-1] if "=" in step]
        parts = tuple((unquote(name), None if value == NO_VALUE else unquote(value)) for name, _, value in pairs)
        return Found(info.path, info.size, info.mtime_ns, parts)


def storage(spec: SourceSpec) -> Any:
    """The S3-compatible storage a source names. raises   AddressOutside, SourceUnreadable"""
    given = spec.given
    endpoint = given.get("endpoint", "")
    check_address(endpoint)
    parts = urlsplit(endpoint)
    anonymous = not given.get("access_key")
    return pyarrow.fs.S3FileSystem(
        access_key=given.get("access_key"),
        secret_key=given.get("secret_key"),
        anonymous=anonymous,
        region=given.get("region") or "us-east-1",
        scheme="https" if parts.scheme == "https" else "http",
        endpoint_override=parts.netloc,
        connect_timeout=CONNECT_S,
        request_timeout=REQUEST_S,
        retry_strategy=pyarrow.fs.AwsStandardS3RetryStrategy(max_attempts=3),
    )


def partitions(found: list[Found], refuse: Callable[[], Exception]) -> tuple[str, ...]:
    """The names of the partitions, which every file must have alike."""
    names = {tuple(name for name, _ in one.parts) for one in found}
    if len(names) > 1:
        raise refuse()
    return next(iter(names), ())
