"""What this part does without being called by name (hutong.node.parts)."""

from __future__ import annotations

from hutong.control.oversight import reconciling
from hutong.control.oversight.actions import keep_up
from hutong.control.oversight.tally import tally
from hutong.node import work

TALLY_EVERY_S = 5.0  # the start page adds what came since by itself
COUNT_EVERY_S = 600.0  # how old a figure of the running month may be

work.register_aside(
    "reconcile",
    reconciling.reconcile_apart,
    reconciling.LOOK_EVERY_S,
    first_after_s=reconciling.FIRST_LOOK_AFTER_S,
)
work.register("tally", tally, TALLY_EVERY_S)
work.register("oversight", keep_up, COUNT_EVERY_S)
