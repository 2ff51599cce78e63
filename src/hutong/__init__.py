"""Hutong 互通: jurisdictions share government data lawfully, fast and with proof.

import hutong

node = hutong.connect("https://node.example.gov.cn", key)
node.read(agreement, items=["name"], purpose="P01", case="2026-0417").to_pandas()
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from hutong.client import BrokenAnswer, Connection, FileReading, NodeUnreachable, Reading, RefusedByNode, connect
    from hutong.vocabulary.errors import Refused

__version__ = "0.1.0"
__all__ = [
    "BrokenAnswer",
    "Connection",
    "FileReading",
    "NodeUnreachable",
    "Reading",
    "Refused",
    "RefusedByNode",
    "connect",
]


def __getattr__(name: str) -> Any:
    # On first use, so that the parts of a node that never call another do not load a client.
    if name == "Refused":
        from hutong.vocabulary.errors import Refused

        return Refused
    if name in __all__:
        import hutong.client

        return getattr(hutong.client, name)
    raise AttributeError(f"module 'hutong' has no attribute {name!r}")
