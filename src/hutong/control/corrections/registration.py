"""What this part does without being called by name (hutong.node.parts)."""

from __future__ import annotations

from hutong.control.corrections import doors, hearing, looking, resuming
from hutong.node import work

hearing.register()
resuming.register()
doors.register()
work.register(looking.LOOK, looking.look_at_all, every_s=looking.LOOK_EVERY_S)
