"""What this part does without being called by name (hutong.node.parts)."""

from __future__ import annotations

from hutong.control.replies import duties, verdict  # noqa: F401 - registers followers and deciders
