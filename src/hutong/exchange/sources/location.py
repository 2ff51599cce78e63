"""Which files a source may be: plain files, inside the allowed folders, reached by no link.

1. The name is resolved, and what it resolves to must lie under an allowed folder.
2. The last step may not be a link, and what opens must be a regular file (fstat, after opening),
   so neither a device nor a pipe nor a swapped link is ever read.
3. Without configured folders every place is allowed except the node's own folder (its keys and its
   database; its data/ stays allowed) and the system's.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Sequence
from pathlib import Path
from typing import BinaryIO

from hutong.exchange.sources.spec import NotAPlainFile, SourceMissing, SourceOutside
from hutong.node.settings import NoNode, current

ROOTS_VARIABLE = "HUTONG_SOURCE_ROOTS"  # the setting source_roots in the environment, which goes before the file
NEVER = ("/proc", "/sys", "/dev", "/etc", "/run", "/boot")
OWN_FOLDERS = ("data", "snapshots")  # of the node's home, the only ones a source may lie in


def allowed_roots() -> tuple[Path, ...]:
    """The configured folders; empty for none configured."""
    given = os.environ.get(ROOTS_VARIABLE)
    if given is None:
        try:
            given = current().source_roots
        except NoNode:
            given = ""
    return tuple(Path(one) for one in given.split(os.pathsep) if one)


def check_place(path: Path, roots: Sequence[Path] | None = None) -> Path:
    """The resolved path of a source file.

    roots    allowed folders; None for the configured ones
    raises   SourceMissing, NotAPlainFile, SourceOutside
    """
    if "\0" in str(path) or not path.is_absolute():
        raise SourceOutside()
    try:
        if path.is_symlink():
            raise NotAPlainFile()
        real = path.resolve(strict=True)
    except (OSError, RuntimeError) as error:
        raise SourceMissing() from error
    if not _is_allowed(real, allowed_roots() if roots is None else roots):
        raise SourceOutside()
    if not stat.S_ISREG(real.stat().st_mode):
        raise NotAPlainFile()
    return real


def open_plain(path: Path, roots: Sequence[Path] | None = None) -> BinaryIO:
    """A source file opened for reading, unbuffered.

    raises   SourceMissing, NotAPlainFile, SourceOutside
    """
    real = check_place(path, roots)
    try:
        # O_NONBLOCK: a pipe put there between check and opening must not hang us.
        descriptor = os.open(real, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError as error:
        raise SourceMissing() from error
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise NotAPlainFile()
    return os.fdopen(descriptor, "rb", buffering=0)


def _is_allowed(real: Path, roots: Sequence[Path]) -> bool:
    if any(real.is_relative_to(place) for place in NEVER):
        return False
    home = os.environ.get("HUTONG_HOME")
    if home and real.is_relative_to(own := Path(home).resolve()):
        return any(real.is_relative_to(own / folder) for folder in OWN_FOLDERS)
    return not roots or any(real.is_relative_to(root.resolve()) for root in roots)
