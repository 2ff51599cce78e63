"""What this part does without being called by name (hutong.node.parts)."""

from __future__ import annotations

from hutong.control.calendar import check, duty
from hutong.node import checkup, work

WARN_EVERY_S = 3600.0

checkup.add("calendar", check.years)
work.register("calendar", duty.warn, WARN_EVERY_S)
