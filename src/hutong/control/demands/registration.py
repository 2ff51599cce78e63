"""What this part does without being called by name (hutong.node.parts)."""

from __future__ import annotations

from hutong.control.demands import federation, fulfilment, lists, succession  # noqa: F401 - they handle events and mergers
