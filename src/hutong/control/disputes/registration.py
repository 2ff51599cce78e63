"""What this part does without being called by name (hutong.node.parts)."""

from __future__ import annotations

from hutong.control.disputes import corrected, docket, effects, reopened, timing  # noqa: F401 - they register
from hutong.node import work

work.register("disputes", timing.escalate_overdue, timing.EVERY_S)
work.register(effects.AGREEING, docket.agree_waiting, timing.EVERY_S)
