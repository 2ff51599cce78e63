"""What this part does without being called by name (hutong.node.parts)."""

from __future__ import annotations

from hutong.control.catalogue import doors, drift, freshness, harvest, sources, succession  # noqa: F401 - registers moves
from hutong.node import work

doors.register()
work.register_aside("catalogue.harvest", harvest.harvest, every_s=harvest.LOOK_EVERY_S)
work.register_aside("catalogue.freshness", freshness.look_around, every_s=freshness.LOOK_EVERY_S)
work.register_aside(drift.WORK, freshness.look_at_drifted, every_s=freshness.LOOK_EVERY_S)
work.register("catalogue.sweep", sources.sweep_snapshots, every_s=sources.SWEEP_EVERY_S)
