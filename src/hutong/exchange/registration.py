"""What this part does without being called by name (hutong.node.parts)."""

from __future__ import annotations

from hutong.exchange import check, readings
from hutong.node import metrics

check.register()
metrics.add("sources", readings.sources)
