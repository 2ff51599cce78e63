"""Checks that parts above the node add to `hutong doctor`."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Literal

from hutong.node import parts
from hutong.node.settings import Settings

State = Literal["ok", "warn", "fail"]


@dataclass(frozen=True)
class Finding:
    """What one check found."""

    check: str  # "keys", "clock", "peer 340000" ...
    state: State
    said: str

    def as_object(self) -> dict[str, str]:
        return {"check": self.check, "state": self.state, "said": self.said}


Check = Callable[[Settings], Iterable[Finding]]
_further: list[tuple[str, Check]] = []


def add(name: str, check: Check) -> None:
    """Have `hutong doctor` run one more check. It may raise Refused; anything it finds is shown."""
    _further.append((name, check))


def further() -> list[tuple[str, Check]]:
    parts.load()
    return list(_further)
