"""What this part does without being called by name (hutong.node.parts)."""

from __future__ import annotations

from hutong.control.zones import actions  # noqa: F401 - registers what the region's node sends
