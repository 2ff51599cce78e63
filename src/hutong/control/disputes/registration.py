"""What this part does without being called by name (hutong.node.parts)."""

from __future__ import annotations

from hutong.control.disputes import corrected, docket, reopened, timing  # noqa: F401 - they register themselves
from hutong.node import work

work.register("disputes", timing.escalate_overdue, timing.EVERY_S)
