"""How a server's processes know that it is being stopped: a file in the server's own run folder.

A load balancer asks for health; it must hear "draining" while everything is still served, and take its requests
elsewhere, before the first connection is refused.
"""

from __future__ import annotations

import os
import shutil
from pathlib import Path

_RUN = "HUTONG_RUN"  # the run folder, for the workers
_METRICS = "PROMETHEUS_MULTIPROC_DIR"


def prepare(home: Path, part: str, port: int) -> None:
    """Make the run folder of a server that is about to start; what an earlier one left there is gone."""
    folder = home / "run" / f"{part}-{port}"
    shutil.rmtree(folder, ignore_errors=True)
    (folder / "metrics").mkdir(parents=True, mode=0o700)
    os.environ[_RUN] = str(folder)
    os.environ[_METRICS] = str(folder / "metrics")


def announce() -> None:
    """From now on this server is draining."""
    if folder := os.environ.get(_RUN):
        (Path(folder) / "draining").touch()


def draining() -> bool:
    folder = os.environ.get(_RUN)
    return folder is not None and Path(folder, "draining").exists()
