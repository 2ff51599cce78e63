"""What this part does without being called by name (hutong.node.parts)."""

from __future__ import annotations

from hutong.control.demands import (  # noqa: F401 - they register themselves
    doors,
    federation,
    fulfilment,
    lists,
    renaming,
    repeating,
    succession,
)
from hutong.node import work

doors.register()
work.register("lists", lists.send_to_newcomers, every_s=lists.NEWCOMERS_EVERY_S)
work.register("demands.rename", renaming.rename, every_s=renaming.EVERY_S)
