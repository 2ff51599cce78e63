"""What this part does without being called by name (hutong.node.parts)."""

from __future__ import annotations

from hutong.node import checkup, doors, duties, metrics, readings, tls

duties.take_on()
doors.register()
checkup.add("tls", tls.check)
metrics.add("node", readings.node)
metrics.add("tls", tls.read)
metrics.add("ledger", readings.ledger)
