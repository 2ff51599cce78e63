"""What this part does without being called by name (hutong.node.parts)."""

from __future__ import annotations

from hutong.control.subscriptions import following  # noqa: F401 - registers what follows a delivery
