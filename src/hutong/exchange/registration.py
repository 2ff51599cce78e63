"""What this part does without being called by name (hutong.node.parts)."""

from __future__ import annotations

from hutong.exchange import check, doors, readings
from hutong.node import metrics

check.register()
doors.register()
metrics.add("sources", readings.sources)
