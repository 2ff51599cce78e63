"""What this part does without being called by name (hutong.node.parts)."""

from __future__ import annotations

from hutong.control.clocks import rules, succession  # noqa: F401 - register a decider and a move
from hutong.control.clocks.actions import look
from hutong.control.clocks.readings import read
from hutong.node import metrics, work

LOOK_EVERY_S = 60.0  # how late a late clock may be found

metrics.add("clocks", read)
work.register("clocks", look, LOOK_EVERY_S)
