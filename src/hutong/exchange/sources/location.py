"""Which files a source may be: plain files, inside the allowed folders, reached by no link.

1. The name is resolved, and what it resolves to must lie under an allowed folder: the node's own data/, or one
   that the setting source_roots names. An officer may name any path, so every other place is closed.
2. The rest of the node's folder (its keys, its database, others' snapshots) and the system's folders are never
   allowed, even where a configured folder contains them.
3. The last step may not be a link, and what opens must be a regular file (fstat, after opening),
   so neither a device nor a pipe nor a swapped link is ever read.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Sequence
from pathlib import Path
from typing import BinaryIO
from urllib.parse import urlsplit

from hutong.exchange.sources.spec import AddressOutside, NotAFolder, NotAPlainFile, SourceMissing, SourceOutside
from hutong.node.settings import DATA_FOLDER, NoNode, current

ADDRESSES_VARIABLE = "HUTONG_SOURCE_ADDRESSES"
ROOTS_VARIABLE = "HUTONG_SOURCE_ROOTS"  # the setting source_roots in the environment, which goes before the file
NEVER = ("/proc", "/sys", "/dev", "/etc", "/run", "/boot")


def allowed_roots() -> tuple[Path, ...]:
    """The node's data folder, then the configured ones. Empty in a process that is no node's and has none named."""
    given = os.environ.get(ROOTS_VARIABLE)
    try:
        node = current()
    except NoNode:
        own: tuple[Path, ...] = ()
    else:
        own, given = (node.data_folder,), node.source_roots if given is None else given
    named = (Path(one) for one in (given or "").split(os.pathsep))
    return own + tuple(one for one in named if one.is_absolute())


def check_place(path: Path) -> Path:
    """The resolved path of a source file, which somebody named.

    raises   SourceMissing, NotAPlainFile, SourceOutside: this first, so that nobody learns what lies outside
    """
    if "\0" in str(path) or not path.is_absolute() or path.name == "..":
        raise SourceOutside()
    try:
        named = path.parent.resolve() / path.name  # a link in the last step is refused, not followed
    except (OSError, RuntimeError) as error:
        raise SourceOutside() from error
    if not _is_allowed(named, allowed_roots()):
        raise SourceOutside()
    return _plain(named)


def check_folder(path: Path) -> Path:
    """The resolved path of a folder of source files, which somebody named. Its files are checked one by one.

    raises   SourceMissing, SourceOutside, NotAFolder
    """
    if "\0" in str(path) or not path.is_absolute():
        raise SourceOutside()
    try:
        real = path.resolve()
    except (OSError, RuntimeError) as error:
        raise SourceOutside() from error
    if not _is_allowed(real, allowed_roots()):
        raise SourceOutside()
    if not real.exists():
        raise SourceMissing()
    if not real.is_dir():
        raise NotAFolder()
    return real


def check_address(address: str) -> None:
    """An address that somebody named, or that another address led to. The operator names each host and port, so that
    nobody makes this node ask what only it can reach.

    raises   AddressOutside
    """
    if origin(address) not in allowed_addresses():
        raise AddressOutside()


def allowed_addresses() -> frozenset[str]:
    """The configured ones, as origin() writes them."""
    given = os.environ.get(ADDRESSES_VARIABLE)
    if given is None:
        try:
            given = current().source_addresses
        except NoNode:
            given = ""
    return frozenset(found for one in given.replace(",", " ").split() if (found := origin(one)))


def origin(address: str) -> str:
    """Scheme, host and port of an address, always with the port; "" for what is no address of the web."""
    try:
        parts = urlsplit(address)
        port = parts.port or {"http": 80, "https": 443}.get(parts.scheme)
    except ValueError:
        return ""
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.username is not None or port is None:
        return ""
    return f"{parts.scheme}://{parts.hostname.lower()}:{port}"


def check_snapshot(path: Path) -> Path:
    """The resolved path of a snapshot. We wrote it and name it ourselves, so its folder is not in question.

    raises   SourceMissing, NotAPlainFile
    """
    return _plain(path.parent.resolve() / path.name)


def open_plain(path: Path) -> BinaryIO:
    """A source file opened for reading, unbuffered.

    raises   SourceMissing, NotAPlainFile, SourceOutside
    """
    real = check_place(path)
    try:
        # O_NONBLOCK: a pipe put there between check and opening must not hang us.
        descriptor = os.open(real, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError as error:
        raise SourceMissing() from error
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise NotAPlainFile()
    return os.fdopen(descriptor, "rb", buffering=0)


def _plain(named: Path) -> Path:
    try:
        mode = named.lstat().st_mode
    except OSError as error:
        raise SourceMissing() from error
    if not stat.S_ISREG(mode):
        raise NotAPlainFile()
    return named


def _is_allowed(real: Path, roots: Sequence[Path]) -> bool:
    if any(real.is_relative_to(place) for place in NEVER):
        return False
    home = os.environ.get("HUTONG_HOME")
    if home and real.is_relative_to(own := Path(home).resolve()) and not real.is_relative_to(own / DATA_FOLDER):
        return False
    return any(real.is_relative_to(root.resolve()) for root in roots)
