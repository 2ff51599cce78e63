"""Files that are whole or not there, and that stay after the power fails: the one way the node writes what it keeps."""

from __future__ import annotations

import os
from pathlib import Path

HALF_WRITTEN = ".tmp"  # the ending of a file that is not whole yet; a crash may leave one, nobody reads it
PUBLIC, PRIVATE = 0o644, 0o600  # modes: from the first byte on, not set afterwards


def put_whole(path: Path, data: bytes, *, durable: bool = True, mode: int = PUBLIC) -> None:
    """Write a file so that its name never shows a half of it. MUST have one writer per name.

    durable   False where its writer makes it durable later: see durable.py
    """
    beside = path.with_name(path.name + HALF_WRITTEN)
    _write(beside, data, mode, durable=durable)
    beside.rename(path)
    if durable:
        fsync(path.parent)


def put_secret(path: Path, data: bytes) -> None:
    """Write a file that only its owner can read, under a name that is still free.

    raises   FileExistsError where it is not: a secret is never written over
    """
    beside = path.with_name(f"{path.name}.{os.getpid()}{HALF_WRITTEN}")
    try:
        _write(beside, data, PRIVATE, durable=True)
        os.link(beside, path)
    finally:
        beside.unlink(missing_ok=True)  # also where the disk was full half way
    fsync(path.parent)


def place(made: Path, path: Path) -> None:
    """Give a file that is written to its end its name, durable before it can be seen; what had the name is gone."""
    fsync(made)
    made.rename(path)
    fsync(path.parent)


def fsync(path: Path) -> None:
    """Of a file its content, of a folder the names in it."""
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _write(path: Path, data: bytes, mode: int, *, durable: bool) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, mode)
    try:
        left = memoryview(data)
        while left:
            left = left[os.write(descriptor, left) :]
        if durable:
            os.fsync(descriptor)
    finally:
        os.close(descriptor)
