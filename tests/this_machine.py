"""What tests that start processes need of the machine: a free port, and patience."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable
from typing import TypeVar

Found = TypeVar("Found")


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def until(ask: Callable[[], Found], *, within_s: float = 30.0, what: str = "it") -> Found:
    """Ask again until the answer is true; a condition to wait for, never a time."""
    deadline = time.monotonic() + within_s
    while not (found := ask()):
        if time.monotonic() > deadline:
            raise TimeoutError(f"{what} did not come about within {within_s} s")
        time.sleep(0.02)
    return found
