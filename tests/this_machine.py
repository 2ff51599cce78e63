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
    deadline, pause_s = time.monotonic() + within_s, 0.02
    while not (found := ask()):
        if time.monotonic() > deadline:
            raise TimeoutError(f"{what} did not come about within {within_s} s")
        time.sleep(pause_s)
        pause_s = min(pause_s * 1.2, 0.1)  # whoever asks takes time from what it waits for
    return found
