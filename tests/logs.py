"""What stands in a node's published log."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import orjson

from hutong.ledger.entries import bundles, signed_size


def logged(folder: Path, kind: str) -> list[dict[str, Any]]:
    """The entries of one kind, in their order."""
    size = signed_size(folder)
    entries = (orjson.loads(entry) for _, _, bundle in bundles(folder, 0, size, size) for entry in bundle)
    return [one for one in entries if one["kind"] == kind]
