"""What this part does without being called by name (hutong.node.parts)."""

from __future__ import annotations

from hutong.control.demands import doors, federation, fulfilment, lists, succession  # noqa: F401 - they register themselves
from hutong.node import work

doors.register()
work.register("lists", lists.send_to_newcomers, every_s=lists.NEWCOMERS_EVERY_S)
