"""Making tile files durable behind their writer: an fsync waits for a disk, and the log need not wait with it."""

from __future__ import annotations

import shutil
import threading
from collections.abc import Collection
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from hutong.ledger.whole import fsync

AT_ONCE = 8  # a file system writes its journal once for the fsyncs that wait together


class Durably:
    """One batch of files on its way to the disk, in a thread of its own.

    files   written whole, and not to be written again
    size    the size of the tree they complete: durable when `done`
    """

    def __init__(self, folder: Path, files: Collection[Path], size: int) -> None:
        self.size = size
        self._folder = folder
        self._files = set(files)
        self._error: OSError | None = None
        self._thread = threading.Thread(target=self._run, name="hutong-ledger-sync", daemon=True)
        self._thread.start()

    @property
    def is_done(self) -> bool:
        """raises   OSError when the disk failed: what it holds is not known, and nothing may be let go"""
        if self._thread.is_alive():
            return False
        if self._error:
            raise self._error
        return True

    def wait(self) -> None:
        """raises   OSError"""
        self._thread.join()
        if self._error:
            raise self._error

    def abandon(self) -> None:
        """Wait until it touches no file any more, whatever came of it."""
        self._thread.join()

    def _run(self) -> None:
        # A partial tile whose full one is here too need not become durable: it goes.
        replaced = {file.with_name(file.name + ".p") for file in self._files if file.parent.suffix != ".p"}
        staying = [file for file in self._files if file.parent not in replaced]
        try:
            with ThreadPoolExecutor(AT_ONCE, thread_name_prefix="hutong-ledger-fsync") as pool:
                list(pool.map(fsync, staying))
                list(pool.map(fsync, self._folders_of(staying)))
        except OSError as error:
            self._error = error
            return
        for folder in replaced:
            shutil.rmtree(folder, ignore_errors=True)

    def _folders_of(self, files: Collection[Path]) -> set[Path]:
        """The folders whose listing names these files, up to the ledger's own."""
        folders = {self._folder}
        for file in files:
            folder = file.parent
            while folder not in folders:
                folders.add(folder)
                folder = folder.parent
        return folders
